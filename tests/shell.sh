# Sourced by the tests that run the program as a user does. Needs $gpup; each test gets a folder of its own, and its
# journals stay in it.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
export XDG_STATE_HOME=$room/state NO_COLOR=1
unset GPUP_LOG CDPATH
failures=0

# fail WORDS...: notes a failure, shows the last run, goes on.
fail() {
  failures=$((failures + 1))
  printf 'FAILED: %s\n' "$*"
  if [ -n "${last_command:-}" ]; then
    printf '  after  %s  (exit %s)\n' "$last_command" "$last_status"
    sed 's/^/  out| /' "$room/out" | head -n 30
    sed 's/^/  err| /' "$room/err" | head -n 30
  fi
}

run_by=run_once
run_once() { "$gpup" "$@" >"$room/out" 2>"$room/err" </dev/null; }

# gpup STATUS ARGUMENT...: runs the program, keeps what it says in $room/out and $room/err, expects the exit code.
gpup() {
  local wanted=$1
  shift
  last_command="gpup $*"
  last_status=0
  "$run_by" "$@" || last_status=$?
  [ "$last_status" = "$wanted" ] || fail "exit code $last_status, wanted $wanted"
}

# says PATTERN... / says_not PATTERN...: extended regular expressions, looked for in both streams of the last run.
says() {
  local pattern
  for pattern in "$@"; do
    grep -qE -e "$pattern" "$room/out" "$room/err" || fail "it does not say: $pattern"
  done
}
says_not() {
  local pattern
  for pattern in "$@"; do
    ! grep -qE -e "$pattern" "$room/out" "$room/err" || fail "it says: $pattern"
  done
}

# same FILE FILE WORDS
same() { cmp -s "$1" "$2" || fail "$3"; }

# fresh EXAMPLE: a copy of an example in a folder of its own, and goes there.
fresh() {
  rm -rf "$room/work"
  mkdir "$room/work"
  [ $# -eq 0 ] || cp -r "$top/examples/$1/." "$room/work"
  cd "$room/work" || exit 1
}

# edit FILTER FILE: changes a JSON file in place, as somebody would by hand.
edit() { jq "$1" "$2" >"$2.new" && mv "$2.new" "$2"; }
