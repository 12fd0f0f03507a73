#!/bin/sh
# What a pull request would do: its plan is shown, and saved to be applied after the merge. Nothing is changed.
#   plan.sh                the files that GPUP_FILES names (desired.yaml), divided by blanks
# Writes to gpup-plan: change.plan, plan.id, comment.md, plan.html; what forbids a plan is in comment.md.
# Exit code: that of `gpup plan`: 0, also where there are steps; 3 not everything could be read; 4 wrong files.
set -eu
: "${GPUP_FILES:=desired.yaml}"

rm -rf gpup-plan
mkdir gpup-plan
set --
for file in $GPUP_FILES; do
  set -- "$@" -f "$file"
done

code=0
gpup plan "$@" --out gpup-plan/change.plan --report markdown=gpup-plan/comment.md --report html=gpup-plan/plan.html \
  ${GPUP_STATE:+--state-dir "$GPUP_STATE"} 2>gpup-plan/errors.txt || code=$?
cat gpup-plan/errors.txt >&2

if [ -e gpup-plan/change.plan ]; then
  gpup show gpup-plan/change.plan -o json | jq -r .id >gpup-plan/plan.id
fi
if [ ! -e gpup-plan/comment.md ]; then
  # Indented, each line is code: nothing in it is markup.
  {
    printf '**gpup: no plan** (exit code %s)\n\n' "$code"
    head -n 200 gpup-plan/errors.txt | cut -b 1-240 | sed 's/^/    /'
  } >gpup-plan/comment.md
fi
rm gpup-plan/errors.txt
exit "$code"
