#!/usr/bin/env bash
# What stands in the agent's text, by its syntax tree: nothing that Windows PowerShell 5.1 lacks, only commands, parameters, types
# and comparisons that are on a list, nothing that makes code of values, and Get- cmdlets alone where a session only reads.
#   tests/powershell/agent_ast_test.sh ENGINE [GPUP]
# ENGINE is what tests/powershell/build made. With GPUP, `gpup agent` must print the same agent.
set -uo pipefail
[ $# -ge 1 ] || { echo "usage: tests/powershell/agent_ast_test.sh ENGINE [GPUP]" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
source=$here/../../src/adapters
engine=$(cd "$1" && pwd)/powershell
gpup=${2:+$(realpath "$2")}
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
unset GPUP_DOUBLES GPUP_DOUBLES_HOST
passed=0
failed=0
pass() { passed=$((passed + 1)); printf 'ok      %s\n' "$1"; }
fail() { failed=$((failed + 1)); printf 'FAILED  %s\n' "$1"; }

"$engine" -NoLogo -NoProfile -NonInteractive -File "$here/agent_ast_test.ps1" "$source/agent/agent.ps1" "$source/agent/bootstrap.ps1" \
  >"$room/out" 2>"$room/err" </dev/null
grep -v '^AST ' "$room/out"
if read -r _ passed failed < <(grep '^AST ' "$room/out"); then :; else
  passed=$(grep -c '^ok ' "$room/out") failed=$(grep -c '^FAILED ' "$room/out")
  fail "the engine ended early: $(head -n 5 "$room/err")"
fi

bytes=$(wc -c <"$source/agent/agent.ps1")
printf 'gpup agent: %s bytes in %s lines\n' "$bytes" "$(wc -l <"$source/agent/agent.ps1")"
# The remote command, with the switches that agent_launch.cpp gives.
switches=(-NoLogo -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand)
for switch in "${switches[@]}"; do
  grep -qF "\"$switch\"" "$source/agent_launch.cpp" || fail "agent_launch.cpp gives no $switch"
done
command="powershell ${switches[*]} $(iconv -t UTF-16LE <"$source/agent/bootstrap.ps1" | base64 -w 0)"
printf 'remote command: %s characters\n' "${#command}"
if [ "${#command}" -lt 1000 ]; then pass "the remote command is shorter than 1000 characters"; else fail "the remote command is too long"; fi
if [[ $command =~ ^[A-Za-z0-9\ +/=-]*$ ]]; then pass "no shell finds a word of its own in it"; else fail "a shell may find words of its own in the remote command"; fi
if [ -n "$gpup" ]; then
  if "$gpup" agent | cmp - "$source/agent/agent.ps1"; then pass "gpup agent prints this agent"; else fail "gpup agent prints another one"; fi
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
