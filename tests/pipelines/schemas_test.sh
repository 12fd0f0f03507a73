#!/usr/bin/env bash
# The pipelines of examples/pipelines fit what GitHub and GitLab publish: tests/pipelines/schemas_test.sh FOLDER
# Packages are installed into FOLDER once: GitHub's own parser of workflows, and the schema of GitLab as a runner of
# its pipelines carries it. For Azure Pipelines and Jenkinsfiles no package has one.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
packages='@actions/workflow-parser@0.3.61 gitlab-ci-local@4.58.0'

command -v npm >/dev/null && node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' 2>/dev/null || {
  echo 'SKIPPED: needs npm and node 20'
  exit 0
}
mkdir -p "$1"
folder=$(cd "$1" && pwd)
if [ "$(cat "$folder/.packages" 2>/dev/null)" != "$packages" ]; then
  rm -rf "$folder/node_modules"
  echo '{"private": true}' >"$folder/package.json"
  # Nothing of them is run but what reads: no install script either.
  # shellcheck disable=SC2086
  (cd "$folder" && npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts --omit=optional $packages) || exit 1
  echo "$packages" >"$folder/.packages"
fi
exec node "$here/schemas.mjs" "$folder" "$top/examples/pipelines"
