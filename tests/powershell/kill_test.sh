#!/usr/bin/env bash
# Random plans whose runs end early (tests/kill), on hosts of a lab in the real engine: gpup is killed, or a host's session is, and
# another run goes on. GPUP_WORLDS=long in the environment takes a hundred plans.
#   tests/powershell/kill_test.sh KILL_HOSTS ENGINE [PLANS [SEED]]
set -uo pipefail
[ $# -ge 2 ] || { echo "usage: tests/powershell/kill_test.sh KILL_HOSTS ENGINE [PLANS [SEED]]" >&2; exit 64; }
kill_hosts=$(realpath "$1")
engine=$(realpath "$2")
plans=3
[ "${GPUP_WORLDS:-}" != long ] || plans=100
# Many small files are written, and whether they reach a disk does not matter here.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/../shell.sh"

fresh
for host in hv-1 hv-2; do
  cat >"$host" <<PROGRAM
#!/bin/sh
echo \$\$ >>'$PWD/$host.started'
export GPUP_DOUBLES='$PWD/lab.json' GPUP_DOUBLES_HOST='$host'
exec '$engine/powershell' "\$@"
PROGRAM
  chmod +x "$host"
done
"$kill_hosts" "$PWD" "${3:-$plans}" "${4:-20261129}"
