#!/usr/bin/env bash
# `cmake --install` puts everything where it belongs, and the tour runs from there: install_test.sh BUILD
set -uo pipefail
build=$(realpath "$1")
gpup=
. "$(dirname "$0")/shell.sh"
prefix="$room/a prefix"
last_command="cmake --install $build" last_status=0
cmake --install "$build" --prefix "$prefix" >"$room/out" 2>"$room/err" || fail "it cannot be installed"
gpup=$prefix/bin/gpup

for file in share/man/man1/gpup.1.gz share/man/man1/gpup-restore-power.1.gz share/doc/gpup/README.md \
  share/doc/gpup/examples/vdi-pool/lab.json share/gpup/schemas/desired.v1.schema.json; do
  [ -s "$prefix/$file" ] || fail "$file is not installed"
done
for shell in bash zsh fish; do
  run_once completion $shell
  find "$prefix/share" -ipath "*$shell*completion*" -type f -exec cmp -s {} "$room/out" ';' -print | grep -q . ||
    find "$prefix/share" -path "*$shell/site-functions/_gpup" -exec cmp -s {} "$room/out" ';' -print | grep -q . ||
    fail "the completions of $shell are not installed"
done
for example in "$prefix"/share/doc/gpup/examples/*/desired.yaml; do
  schema=$(sed -n 's/^# yaml-language-server: $schema=//p' "$example")
  [ -s "${example%/*}/$schema" ] || fail "$example does not lead to its schema, $schema"
done

last_command='share/doc/gpup/examples/quickstart'
PATH=$prefix/bin:$PATH "$prefix/share/doc/gpup/examples/quickstart" >"$room/out" 2>"$room/err" </dev/null
last_status=$?
[ "$last_status" = 0 ] && [ "$(tail -n 1 "$room/out")" = 'no drift' ] || fail "the tour does not run as installed"
[ "$failures" = 0 ] && echo "installs, and runs from there"
exit "$((failures > 0))"
