#!/usr/bin/env bash
# What must hold for every example: tests/examples_test.sh GPUP EXAMPLE
set -uo pipefail
gpup=$1
. "$(dirname "$0")/shell.sh"

fresh "$2"
gpup 0 validate -f desired.yaml
gpup 0 fmt -f desired.yaml --check
gpup 0 validate -f desired.yaml --observed lab.json
gpup 0 observe --observed lab.json
gpup 0 doctor -f desired.yaml
gpup 0 observe -f desired.yaml -o json --out before.json

exports_to_nothing() {
  gpup 0 export --observed "$1" --out exported.yaml
  gpup 0 validate -f exported.yaml
  gpup 0 fmt -f exported.yaml --check
  last_command="gpup export --observed $1 | gpup plan -f - --observed $1 --detailed-exitcode"
  last_status=0
  "$gpup" export --observed "$1" 2>"$room/err" | "$gpup" plan -f - --observed "$1" --detailed-exitcode \
    >"$room/out" 2>"$room/err" || last_status=$?
  [ "$last_status" = 0 ] || { fail "planning what was exported does not show nothing"; cat exported.yaml; }
}
exports_to_nothing before.json
exports_to_nothing lab.json

cp lab.json untouched.json
gpup 2 plan -f desired.yaml --detailed-exitcode
gpup 2 drift -f desired.yaml
says 'desired\.yaml:[0-9]+'
gpup 0 plan -f desired.yaml --out plan.json
gpup 0 plan -f desired.yaml -o json
same "$room/out" plan.json "the same inputs do not give the same plan"
gpup 0 plan -f desired.yaml -o json --out copied.json
same "$room/out" copied.json "a plan that is saved is answered otherwise"
gpup 0 show plan.json
gpup 0 show plan.json -o json
same "$room/out" plan.json "show -o json is not the saved plan, byte for byte"
same lab.json untouched.json "a command that only reads wrote to the lab"

gpup 0 apply plan.json
cp lab.json applied.json
gpup 0 plan -f desired.yaml --detailed-exitcode
gpup 0 drift -f desired.yaml
gpup 0 apply -f desired.yaml --yes
same lab.json applied.json "applying again wrote to the lab"
gpup 5 apply plan.json
same lab.json applied.json "a plan that no longer fits wrote to the lab"
gpup 0 observe -f desired.yaml -o json --out after.json
exports_to_nothing after.json
exports_to_nothing lab.json

[ "$failures" = 0 ] || exit 1
echo "$2: planned, applied, planned to nothing, exported"
