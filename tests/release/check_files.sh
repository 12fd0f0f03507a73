# Sourced by tests/release/run, and by tests/windows/run for its SBOM: looks at the files of a package, and at an SBOM.

is() { [ "$1" = "$2" ] || { printf 'is:     %s\nwanted: %s\n' "$1" "$2"; return 1; }; }

no_complaint_of_man() {
  local page
  for page in "$1"/*.1.gz; do
    # -Z: groff's own warnings alone, not those of a terminal's columns.
    MANROFFSEQ='' MANWIDTH=80 silent bash -c 'man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null' man "$page" ||
      { echo "$page"; return 1; }
  done
}

# mandoc reads no more than the first file of many that are packed: a copy of each is laid open.
no_complaint_of_mandoc() {
  local page
  rm -rf "$work/pages"
  mkdir "$work/pages"
  for page in "$1"/*.1.gz; do
    zcat "$page" >"$work/pages/$(basename "$page" .gz)" || return 1
  done
  silent mandoc -T lint "$work/pages"/*.1
}

has_page_of_each_command() {
  local command
  for command in $("$1/bin/gpup" help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\)  .*/\1/p'); do
    test -s "$1/share/man/man1/gpup-$command.1.gz" || { echo "no page of $command"; return 1; }
  done
  zgrep -qF 'gpup\-plan' "$1/share/man/man1/gpup.1.gz"
}

completions_are_in_place() {
  local zsh
  zsh=$(find "$1/share/zsh" -name _gpup)
  cmp "$1/share/bash-completion/completions/gpup" <("$1/bin/gpup" completion bash) &&
    cmp "$zsh" <("$1/bin/gpup" completion zsh) &&
    cmp "$1/share/fish/vendor_completions.d/gpup.fish" <("$1/bin/gpup" completion fish) &&
    bash -n "$1/share/bash-completion/completions/gpup" && zsh -n "$zsh" &&
    fish --no-execute "$1/share/fish/vendor_completions.d/gpup.fish"
}

# The examples name their schema by a path that leads to it from where they are installed, too.
schemas_are_found() {
  local schema example
  for schema in "$top"/schemas/*.json; do
    cmp "$schema" "$1/share/gpup/schemas/${schema##*/}" || return 1
  done
  for example in "$1"/share/doc/gpup/examples/*/desired.yaml; do
    schema=$(sed -n 's/^# yaml-language-server: $schema=//p' "$example")
    test -n "$schema" && test -s "${example%/*}/$schema" || { echo "$example: $schema"; return 1; }
  done
}

tells_how_it_was_built() {
  "$1/bin/gpup" version --json >"$work/version.json"
  jq -e --arg version "$version" --arg commit "$commit" '
    .version == $version and .commit == (if $commit == "" then null else $commit end)
    and (.compiler | test("^[A-Za-z]+ [0-9]")) and (.libraries | length) >= 9
    and all(.libraries[]; .version | type == "string" and test("^[0-9]"))' "$work/version.json" ||
    { cat "$work/version.json"; return 1; }
}

# check_tree WHAT PREFIX COMMAND...: unpacks by the command, and looks at what is below the prefix.
check_tree() {
  mkdir -p "$2"
  check "$1 unpacks" "${@:3}"
  check "$1: gpup tells version, commit, compiler and libraries" tells_how_it_was_built "$2"
  check "$1 has a manual page of each command" has_page_of_each_command "$2"
  check "$1: man has nothing to say of the pages" no_complaint_of_man "$2/share/man/man1"
  check "$1: mandoc has nothing to say of the pages" no_complaint_of_mandoc "$2/share/man/man1"
  check "$1: completions of bash, zsh and fish are in place" completions_are_in_place "$2"
  check "$1: schemas are there, and found from the examples" schemas_are_found "$2"
  check "$1 has the licences of what is linked" zgrep -q 'Copyright' "$2/share/doc/gpup/third-party.gz"
}

# Every library that is needed at run time is a dynamic component, and each component is a package in the version that is
# installed here, or a source package in the version that was fetched.
sbom_is_true() {
  local sbom=$1 name version arch here needed
  is "$(jq -r '.metadata.component.hashes[0].content' "$sbom")" "$(sha256sum "$2" | cut -d' ' -f1)" || return 1
  while read -r name version arch; do
    if [ "$arch" = source ]; then
      here=$(sed -n 's/^Version: //p' "${sbom%/*}/libraries.work/src/${name}_${version#*:}.dsc")
    else
      here=$(dpkg-query -W -f='${Version}' "$name")
    fi
    is "$name $version" "$name $here" || return 1
  done < <(jq -r '.components[] | "\(.name) \(.version) \(.purl | capture("arch=(?<arch>[^&]*)").arch)"' "$sbom")
  for needed in $(readelf -d "$2" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p'); do
    jq -e --arg name "/$needed" 'any(.components[]; any(.properties[]; .value == "dynamic")
      and any(.properties[]; .value | endswith($name)))' "$sbom" >/dev/null || { echo "$needed is missing"; return 1; }
  done
  for name in libexpected-dev libcxxopts-dev nlohmann-json3-dev "${@:3}"; do
    jq -e --arg name "$name" 'any(.components[]; .name == $name and (.licenses | length) > 0)' "$sbom" >/dev/null ||
      { echo "$name is missing, or its licence"; return 1; }
  done
  # What only tests use is not in the program.
  jq -e 'all(.components[]; .name | test("doctest|valijson|rapidcheck") | not)' "$sbom"
}

# By the validator of CycloneDX itself, where npm is there.
sbom_fits_its_schema() {
  (cd "$validator" && node -e '
    const { Validation, Spec } = require("@cyclonedx/cyclonedx-library");
    const fs = require("fs");
    new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(fs.readFileSync(process.argv[1], "utf8"))
      .then(wrong => { if (wrong !== null) { console.log(JSON.stringify(wrong, null, 1)); process.exit(1); } })
      .catch(error => { console.log(String(error)); process.exit(1); });' "$1")
}

validator=$top/build-release/cyclonedx
# check_sbom WHAT SBOM PROGRAM COMPONENT...: these must be among what is listed.
check_sbom() {
  check "$1: its SBOM lists what is linked" sbom_is_true "${@:2}"
  if [ ! -d "$validator/node_modules/@cyclonedx" ] && command -v npm >/dev/null; then
    mkdir -p "$validator"
    echo '{"private": true}' >"$validator/package.json"
    (cd "$validator" && npm install --silent --no-audit --no-fund --ignore-scripts --omit=optional \
      @cyclonedx/cyclonedx-library@10 ajv@8 ajv-formats@3 ajv-formats-draft2019@1) >"$validator.log" 2>&1 ||
      rm -rf "$validator/node_modules"
  fi
  if [ -d "$validator/node_modules/@cyclonedx" ]; then
    check "$1: its SBOM fits the schema of CycloneDX 1.5" sbom_fits_its_schema "$2"
  else
    echo "SKIPPED: $1: its SBOM against the schema of CycloneDX: npm does not give the validator here"
  fi
}
