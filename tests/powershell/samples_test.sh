#!/usr/bin/env bash
# What the agent makes of the objects that hosts were seen to give (samples/README.md tells which are real).
#   tests/powershell/samples_test.sh ENGINE [GPUP]
# ENGINE is what tests/powershell/build made. With GPUP, the program reads each of the snapshots, and prints the same.
set -uo pipefail
[ $# -ge 1 ] || { echo "usage: tests/powershell/samples_test.sh ENGINE [GPUP]" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
engine=$(cd "$1" && pwd)/powershell
gpup=${2:+$(realpath "$2")}
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
unset GPUP_DOUBLES GPUP_DOUBLES_HOST
passed=0
failed=0
mkdir "$room/snapshots"

"$engine" -NoLogo -NoProfile -NonInteractive -File "$here/samples_test.ps1" "$here/../../src/adapters/agent/agent.ps1" "$here/samples" "$room/snapshots" \
  >"$room/out" 2>"$room/err" </dev/null
grep -v '^SAMPLES ' "$room/out"
if ! read -r _ passed failed < <(grep '^SAMPLES ' "$room/out"); then
  passed=$(grep -c '^ok ' "$room/out") failed=$(($(grep -c '^FAILED ' "$room/out") + 1))
  printf 'FAILED  the engine ended early: %s\n' "$(head -n 5 "$room/err")"
fi

if [ -n "$gpup" ]; then
  # What is null may be an empty list or left out again.
  normal='def bare: walk(if type == "object" then with_entries(select(.value != null and .value != [])) else . end);
    bare | {cluster, hosts: [.hosts[] | {name, gpus, vms}]}'
  for snapshot in "$room"/snapshots/*.json; do
    if "$gpup" observe --observed "$snapshot" -o json >"$room/again" 2>"$room/err" &&
      cmp -s <(jq -S "$normal" "$snapshot") <(jq -S "$normal" "$room/again"); then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      printf 'FAILED  gpup reads the snapshot as it is: %s %s\n' "$(head -c 300 "$room/err")" \
        "$(diff <(jq -S "$normal" "$snapshot") <(jq -S "$normal" "$room/again") | head -n 5)"
    fi
  done
  echo "ok      gpup has read $(ls "$room/snapshots" | wc -l) snapshots"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
