# Sourced by tests/release/run: installs the .deb in a clean root, and runs the portable program beside another libc.

# The mirrors that this machine uses: URI SUITE, a line each.
mirrors() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' |
    grep -E " $(. /etc/os-release && echo "$VERSION_CODENAME")(-security|-updates)?$" | sort -u
}

# clean_root ROOT PACKAGE...: the least Debian with these packages.
clean_root() {
  local root=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  shift
  mirrors | sed "s|.*|deb [signed-by=$keyring] & main|" |
    mmdebstrap --quiet --variant=essential --include="$(IFS=,; echo "$*")" \
      "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" -
}

files_of() { (cd "$1" && find . -path ./proc -prune -o -path ./sys -prune -o -path ./var/lib/dpkg -prune -o -path ./var/log -prune -o -print | sort); }

no_errors_of_lintian() {
  lintian --allow-root --fail-on error,warning --info "$1"
}

depends_on() {
  local depends
  depends=$(dpkg-deb -f "$1" Depends)
  echo "$depends"
  for name in libc6 libstdc++6 libgcc-s1 libsimdjson; do
    [[ $depends == *"$name"* ]] || { echo "not on $name"; return 1; }
  done
}

install_in() { dpkg --root="$1" -i "$2" && is "$(dpkg-query --root="$1" -W -f='${db:Status-Status}' gpup)" installed; }

# The tour of the README, by the program and the example that the package brought, in its root alone.
tour_in() {
  chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C.UTF-8 \
    /usr/share/doc/gpup/examples/quickstart >"$work/tour" 2>&1 || { cat "$work/tour"; return 1; }
  is "$(tail -n 1 "$work/tour")" 'no drift'
}

purge_from() {
  dpkg --root="$1" --purge gpup && diff "$work/before" <(files_of "$1")
}

# check_deb DEB
check_deb() {
  local deb=$1 root=$work/root
  check "the .deb: lintian finds no error and no warning" no_errors_of_lintian "$deb"
  check "the .deb depends on what is linked" depends_on "$deb"
  if [ "$(id -u)" != 0 ]; then
    echo "SKIPPED: the .deb in a clean root: only root makes one"
    return
  fi
  # The names of what it depends on, without their versions.
  check "a clean root is made" clean_root "$root" $(dpkg-deb -f "$deb" Depends | sed 's/([^)]*)//g; s/,/ /g')
  files_of "$root" >"$work/before"
  check "the .deb installs in a clean root" install_in "$root" "$deb"
  check "the tour runs there, from the package" tour_in "$root"
  check "its files there are those that dpkg knows" is "$(chroot "$root" dpkg --verify gpup)" ""
  rm -rf "$root"/tmp/*
  check "the .deb is removed, and leaves nothing" purge_from "$root"
}

newest_glibc() { objdump -T "$1" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -n 1; }

# libstdc++ and the like are in the program, so only libc is needed: of a glibc that is not newer than Debian's 12.
needs_only_libc() {
  local names
  names=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort)
  is "$(grep -vxE 'libc\.so\.6|libm\.so\.6|ld-linux-[a-z0-9-]*\.so\.[0-9]' <<<"$names")" "" &&
    is "$(objdump -T "$1" | grep -oE '(GLIBCXX|CXXABI|GCC)_[0-9.]+' | head -n 1)" "" &&
    is "$(printf '%s\n' GLIBC_2.36 "$(newest_glibc "$1")" | sort -V | tail -n 1)" GLIBC_2.36
}

# libc_of SUITE FOLDER: only the files of that suite's libc6, by an apt configuration of its own.
libc_of() {
  local suite=$1 folder=$2 apt=$2.apt uri
  mkdir -p "$folder" "$apt/lists/partial" "$apt/cache/archives/partial"
  uri=$(mirrors | grep -vE 'security|updates' | head -n 1 | cut -d' ' -f1)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$apt/sources.list"
  : >"$apt/status"
  local options=(-qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$apt/lists"
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)")
  apt-get "${options[@]}" update && (cd "$apt" && apt-get "${options[@]}" download libc6 && dpkg-deb -x libc6_*.deb "$folder")
}

# The loader of that libc, with its libraries alone.
loader_of() { find "$1" -name 'ld-linux-*.so.*' -print -quit; }

# The whole tour with another libc than this machine's: its loader finds libraries only beside itself.
tour_beside() {
  local root=$1 gpup=$2 loader
  loader=$(loader_of "$root")
  cat >"$work/gpup-beside" <<END
#!/bin/sh
exec "$loader" --inhibit-cache --library-path "${loader%/*}" "$gpup" "\$@"
END
  chmod +x "$work/gpup-beside"
  "$top/examples/quickstart" "$work/gpup-beside" >"$work/tour" 2>&1 || { cat "$work/tour"; return 1; }
  is "$(tail -n 1 "$work/tour")" 'no drift'
}

# In a root that holds the program, libc and nothing else.
runs_alone_in() {
  cp "$2" "$1/gpup"
  # The loader's place is part of the program.
  local interpreter
  interpreter=$(readelf -l "$2" | sed -n 's/.*Requesting program interpreter: \(.*\)\]$/\1/p')
  [ -e "$1$interpreter" ] || { mkdir -p "$1${interpreter%/*}" && ln -s "$(realpath --relative-to="$1${interpreter%/*}" "$(loader_of "$1")")" "$1$interpreter"; }
  cp "$top/examples/two-node-cluster/"* "$1"
  is "$(chroot "$1" /gpup version)" "gpup $version" && chroot "$1" /gpup plan -f /desired.yaml --state-dir /state
}

# check_portable PREFIX
check_portable() {
  local gpup=$1/bin/gpup suite
  echo "the newest symbol of glibc that the portable program needs: $(newest_glibc "$gpup")"
  check "the portable program needs libc alone" needs_only_libc "$gpup"
  for suite in "$(. /etc/os-release && echo "$VERSION_CODENAME")" trixie; do
    if ! libc_of "$suite" "$work/$suite" >"$work/libc.log" 2>&1; then
      echo "SKIPPED: the portable program beside the libc of $suite: $(tail -n 1 "$work/libc.log")"
      continue
    fi
    local libc
    libc=$(strings "$(find "$work/$suite" -name libc.so.6)" | sed -n 's/^GNU C Library .* version \([0-9.]*\)\.$/\1/p' | head -n 1)
    check "the tour runs with the glibc $libc of $suite and no other library" tour_beside "$work/$suite" "$gpup"
    if [ "$(id -u)" = 0 ]; then
      check "the portable program runs in a root of nothing but that" runs_alone_in "$work/$suite" "$gpup"
    fi
  done
}
