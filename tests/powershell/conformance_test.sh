#!/usr/bin/env bash
# What is known of Hyper-V (tests/conformance/facts.cpp), asked of simulated hosts and of the agent over one transport.
#   tests/powershell/conformance_test.sh GPUP_CONFORMANCE ENGINE TRANSPORT
set -uo pipefail
[ $# = 3 ] || { echo "usage: tests/powershell/conformance_test.sh GPUP_CONFORMANCE ENGINE TRANSPORT" >&2; exit 64; }
conformance=$(realpath "$1")
engine=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../shell.sh"
. "$here/real_hosts.sh"
real_room "$room/hosts" "$engine"
fresh

# The hosts of tests/conformance/labs.cpp. Those of a cluster share a lab.
{
  printf 'apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata: { name: conformance }\nhosts:\n'
  for host in hv-1 hv-e1 hv-e2 hv-old hv-bare; do
    printf '  - name: %s\n    connect: { transport: simulated, file: %s/%s.json }\n' "$host" "$3" "${host/hv-e2/hv-e1}"
  done
} >hosts.yaml
mkdir "$3"
reach "$3" hosts.yaml
"$conformance" . hosts.yaml
