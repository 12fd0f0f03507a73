#!/usr/bin/env bash
# The hooks of .pre-commit-hooks.yaml as pre-commit runs them: tests/pre_commit_test.sh GPUP
set -uo pipefail
gpup=$1
. "$(dirname "$0")/shell.sh"
command -v pre-commit >/dev/null && command -v git >/dev/null || { echo 'SKIPPED: needs pre-commit and git'; exit 0; }
export HOME=$room PRE_COMMIT_HOME=$room/cache GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=tester GIT_AUTHOR_EMAIL=tester@localhost GIT_COMMITTER_NAME=tester GIT_COMMITTER_EMAIL=tester@localhost
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
mkdir "$room/bin"
ln -s "$(realpath "$gpup")" "$room/bin/gpup"
export PATH=$room/bin:$PATH

# The hooks, as a repository of their own: what users name in `repo`.
mkdir "$room/hooks"
cp "$top/.pre-commit-hooks.yaml" "$room/hooks"
git -C "$room/hooks" init -q
git -C "$room/hooks" add -A
git -C "$room/hooks" commit -qm hooks
revision=$(git -C "$room/hooks" rev-parse HEAD)

fresh two-node-cluster
git init -q
cat >.pre-commit-config.yaml <<CONFIG
repos:
  - repo: $room/hooks
    rev: $revision
    hooks:
      - id: gpup-validate
      - id: gpup-fmt
CONFIG
pre-commit validate-manifest "$top/.pre-commit-hooks.yaml" || fail 'pre-commit does not take the hooks'

# commits STATUS: git add and what pre-commit does before a commit.
commits() {
  git add -A
  last_command='pre-commit run'
  last_status=0
  pre-commit run >"$room/out" 2>"$room/err" || last_status=$?
  [ "$last_status" = "$1" ] || fail "exit code $last_status, wanted $1"
}

commits 0
says 'gpup validate\.+Passed' 'gpup fmt --check\.+Passed'
cp desired.yaml right.yaml.txt
sed -i 's/^  name: hci-east/    name: hci-east/' desired.yaml
commits 1
says 'gpup validate\.+Passed' 'gpup fmt --check\.+Failed' '^- exit code: 2' '^\+  name: hci-east'
"$gpup" fmt -f desired.yaml >/dev/null || fail 'it cannot be laid out'
same desired.yaml right.yaml.txt 'gpup fmt does not mend what its hook minds'
commits 0
sed -i 's/partitionCount: 4/partitionCount: many/' desired.yaml
commits 1
says 'gpup validate\.+Failed' 'desired\.yaml:[0-9]+:[0-9]+: error\[GP012\]' '^- exit code: 4'
git commit -qm wrong --no-verify
echo more >notes.txt
commits 0
says 'gpup validate\.+\(no files to check\)Skipped'

# Files that are parts of one desired state are named together.
mkdir parts
sed '/^assignments:/,/^policy:/{/^policy:/!d}' right.yaml.txt >parts/hosts.yaml
{ sed -n '/^apiVersion:/,/^kind:/p' right.yaml.txt; sed -n '/^assignments:/,/^policy:/{/^policy:/!p}' right.yaml.txt; } >parts/vms.yaml
sed -i 's/      - id: \(.*\)/      - { id: \1, args: [-f, parts] }/' .pre-commit-config.yaml
commits 0
says 'gpup validate\.+Passed' 'gpup fmt --check\.+Passed'

[ "$failures" = 0 ] || exit 1
echo 'pre-commit: both hooks, right and wrong files, parts of one state'
