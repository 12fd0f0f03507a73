#!/bin/sh
# After a merge: performs the plan in gpup-plan, that one and no other.
#   apply.sh
# GPUP_APPROVED: its id, where somebody names it; else what stands in gpup-plan/plan.id. GPUP_STATE: the folder of the
# journals; keep it.
# The plan must be of the files that were merged (GPUP_FILES), to the byte; gpup looks whether the hosts are still as
# it relies on. Writes to gpup-apply: report.json, report.md, report.html.
# Exit code: that of `gpup apply`: 0 done, 5 files or hosts are others since, or a host cannot be read, 6 lock held, or
# another plan than the approved one, 7 partly applied.
set -eu
: "${GPUP_FILES:=desired.yaml}"
plan=gpup-plan/change.plan
: "${GPUP_APPROVED:=$(cat gpup-plan/plan.id)}"

rm -rf gpup-apply
mkdir gpup-apply
gpup show "$plan" --report json=gpup-apply/plan.json

for given in $GPUP_FILES; do
  if [ -d "$given" ]; then
    find "${given%/}" -maxdepth 1 -name '[!.]*' '(' -name '*.yaml' -o -name '*.yml' ')'
  else
    printf '%s\n' "$given"
  fi
done | sort >gpup-apply/merged.txt
jq -r '.desired.files[].path' gpup-apply/plan.json | sort >gpup-apply/planned.txt
if ! cmp -s gpup-apply/merged.txt gpup-apply/planned.txt ||
  ! jq -r '.desired.files[] | .sha256 + "  " + .path' gpup-apply/plan.json | sha256sum --check --quiet >&2; then
  echo 'apply.sh: the reviewed plan is not of the files that were merged; nothing was touched' >&2
  exit 5
fi
rm gpup-apply/*

exec gpup apply "$plan" --expect-plan "$GPUP_APPROVED" --report json=gpup-apply/report.json \
  --report markdown=gpup-apply/report.md --report html=gpup-apply/report.html ${GPUP_STATE:+--state-dir "$GPUP_STATE"}
