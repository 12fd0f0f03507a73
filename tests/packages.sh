# Sourced by tests/run, .ci/run and examples/quickstart.

# install_packages SECTION... installs what is missing of those sections of packages.txt by apt-get, and says so.
# Silent and instant where nothing is missing.
install_packages() {
  local list wanted section installed missing=() package asroot=()
  list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "this is no Debian: the packages that gpup needs are listed in $list" >&2
    return 0
  fi
  wanted=$(for section in "$@"; do
    sed -n "/^\[$section\]/,/^\[/{/^[a-z]/p}" "$list"
  done)
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' | sed -n 's/ installed$//p')
  for package in $wanted; do
    grep -qxF -e "$package" <<<"$installed" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "installing Debian packages: ${missing[*]}" >&2
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
      echo "neither root nor sudo: run  apt-get install ${missing[*]}  as root, then this again" >&2
      return 1
    }
    asroot=(sudo)
  fi
  local install=("${asroot[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}")
  { "${asroot[@]}" apt-get -qq update && "${install[@]}"; } </dev/null >&2 || {
    echo "apt-get could not install: ${missing[*]}" >&2
    return 1
  }
}

# New build folders use Ninja where it is installed; those that are there keep what they have.
prefer_ninja() {
  if command -v ninja >/dev/null; then
    export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
  fi
}
