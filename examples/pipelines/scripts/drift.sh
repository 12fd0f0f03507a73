#!/bin/sh
# At night: whether the hosts still match the files. Only reads.
#   drift.sh [FORM]        FORM: of the answer on stdout, text (default) or github
# Writes to gpup-drift: junit.xml, drift.sarif, codequality.json, drift.json, drift.md, drift.html.
# GPUP_METRICS: a file for Prometheus' node_exporter. GPUP_STATE: the folder of the journals, which tell who changed what.
# Exit code: that of `gpup drift`: 0 in sync, 2 drift, 3 not everything could be checked, 4 wrong files.
set -eu
: "${GPUP_FILES:=desired.yaml}"
form=${1:-text}

rm -rf gpup-drift
mkdir gpup-drift
set --
for file in $GPUP_FILES; do
  set -- "$@" -f "$file"
done
exec gpup drift "$@" -o "$form" --report junit=gpup-drift/junit.xml --report sarif=gpup-drift/drift.sarif \
  --report gitlab=gpup-drift/codequality.json --report json=gpup-drift/drift.json \
  --report markdown=gpup-drift/drift.md --report html=gpup-drift/drift.html \
  ${GPUP_METRICS:+--metrics "$GPUP_METRICS"} ${GPUP_STATE:+--state-dir "$GPUP_STATE"}
