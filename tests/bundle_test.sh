#!/usr/bin/env bash
# The archive for support: what is in it, and that pseudonyms leave no name: tests/bundle_test.sh GPUP
set -uo pipefail
gpup=$1
. "$(dirname "$0")/shell.sh"

pool() {
  fresh vdi-pool
  rm -rf "$XDG_STATE_HOME" "$room/got"
}
# unpacked FILE: into $room/got.
unpacked() {
  rm -rf "$room/got"
  mkdir "$room/got"
  tar -xf "$1" -C "$room/got" || fail "$1 is no archive"
  local name sum
  while read -r name sum; do
    [ "$(sha256sum <"$room/got/$name" | cut -d' ' -f1)" = "$sum" ] || fail "$name is not as bundle.json says"
  done < <(jq -r '.files[] | .name + " " + .sha256' "$room/got/bundle.json")
  [ "$(find "$room/got" -type f | wc -l)" = "$(($(jq '.files | length' "$room/got/bundle.json") + 1))" ] ||
    fail 'bundle.json lists other files'
}
# One sorted list of names: what is in the archive.
names() { (cd "$room/got" && find . -type f | sed 's,^\./,,' | sort | tr '\n' ' '); }

a_bundle_holds_files_hosts_doctor_and_runs() {
  pool
  gpup 0 apply -f desired.yaml --yes
  local run
  run=$(basename "$XDG_STATE_HOME"/gpup/journal/*.jsonl .jsonl)
  gpup 0 bundle -f desired.yaml --out support.tar
  says 'desired/1\.yaml: a file of the desired state' '^6 files in support\.tar, with names as they are$'
  unpacked support.tar
  [ "$(names)" = "bundle.json desired/1.yaml doctor.json journal/$run.jsonl journal/$run.plan.json snapshot.json " ] || fail "it holds: $(names)"
  same desired.yaml "$room/got/desired/1.yaml" 'the file is another'
  same "$XDG_STATE_HOME/gpup/journal/$run.jsonl" "$room/got/journal/$run.jsonl" 'the journal is another'
  gpup 0 show "$room/got/journal/$run.plan.json"
  gpup 0 plan -f desired.yaml --observed "$room/got/snapshot.json"
  last_command=doctor
  "$gpup" doctor -f desired.yaml -o json >"$room/doctor" 2>/dev/null
  [ "$(jq -c '.checks | length' "$room/got/doctor.json")" = "$(jq -c '.checks | length' "$room/doctor")" ] || fail 'the doctor says something else'
  tar -tvf support.tar >"$room/out" 2>"$room/err" || fail 'tar minds it'
  [ ! -s "$room/err" ] || fail 'tar warns of it'
  [ -z "$(tar -tf support.tar | grep -vE '^[a-zA-Z0-9][^/]*(/[^/]+)*$')" ] || fail 'a name leads out of the archive'
  gpup 0 bundle --out runs.tar
  unpacked runs.tar
  [ "$(names)" = "bundle.json journal/$run.jsonl journal/$run.plan.json " ] || fail "without -f it holds: $(names)"
}

# All that names something in this world, a line each.
all_names() {
  jq -r '.. | objects | (.name, .id, .gpu, .cluster) | strings' first.json
  jq -r '.hosts[].vms[].partitions[].id' lab.json
  printf '%s\n' hv-v1 hv-v2 lab.json desired.yaml "$PWD" vdi-pool 'vdi-\\d' 'because Bob' reached
}

pseudonyms_leave_no_name_and_keep_who_is_who() {
  pool
  # shellcheck disable=SC2016
  local hostile='$(touch reached) "a'"'"'b" <x> 名前 {"name": 1}' id
  id=$(jq -r '.hosts[].vms[] | select(.name == "vdi-04") | .id' lab.json)
  jq --arg name "$hostile" '(.hosts[].vms[] | select(.name == "vdi-04") | .name) = $name' lab.json >new && mv new lab.json
  sed -i "s/expect: 9/expect: 8/; s/^policy:/  - id: $id\n    offlineAction: shutdown\npolicy:/" desired.yaml
  grep -q "$id" desired.yaml || printf '  - id: %s\n    offlineAction: shutdown\n' "$id" >>desired.yaml
  printf 'policy:\n  ignore:\n    - { object: hv-v1/vm/vdi-05, property: state, reason: because Bob said so, until: 2099-01-01 }\n' >ignored
  grep -q '^policy:' desired.yaml || cat ignored >>desired.yaml
  cp lab.json first.json
  edit '(.hosts[] | select(.name == "hv-v1") | .simulate.faults) = [{op: "assign-partition", kind: "fail", message: "Bob of hv-v1 says 10.1.2.3 in D:\\vms\\x and '"'"'quoted'"'"' no"}]' lab.json
  gpup 7 apply -f desired.yaml --yes
  gpup 0 bundle -f desired.yaml --out support.tar --pseudonyms
  says 'names replaced by pseudonyms$'
  unpacked support.tar
  [ "$(names)" = 'bundle.json desired/1.json doctor.json journal/run-1.jsonl journal/run-1.plan.json snapshot.json ' ] || fail "it holds: $(names)"
  all_names | sort -u | grep -v '^NVIDIA' >"$room/names"
  [ "$(wc -l <"$room/names")" -gt 30 ] || fail 'few names were looked for'
  local found
  found=$(jq -R . "$room/names" | sed 's/^"//; s/"$//' | cat - "$room/names" | sort -u | grep -rioF -f - "$room/got" | sort | uniq -c | head -5)
  [ -z "$found" ] || fail "names are left: $found"
  grep -rqE '10\.1\.2\.3|D:\\\\vms|quoted' "$room/got" && fail 'what looks like a name is left in a message'
  # Who is who: VMs, their ids and hosts belong together as they did.
  jq -c '[.hosts[] | .name as $host | .vms[] | [$host, .id]] | length' "$room/got/snapshot.json" >"$room/a"
  jq -c '[.hosts[] | .vms[]] | length' first.json >"$room/b"
  same "$room/a" "$room/b" 'the snapshot has another number of VMs'
  jq -r '.hosts[].vms[] | .name + " " + .id' "$room/got/snapshot.json" | sort >"$room/pairs"
  [ "$(sort -u "$room/pairs" | wc -l)" = "$(jq '[.hosts[].vms[]] | length' first.json)" ] || fail 'two VMs have one pseudonym'
  jq -r 'select(.vm != null and .vmId != null) | .vm + " " + .vmId' "$room/got/journal/run-1.jsonl" | sort -u >"$room/journal_pairs"
  [ -s "$room/journal_pairs" ] || fail 'the journal names no VM'
  [ -z "$(comm -23 "$room/journal_pairs" "$room/pairs")" ] || fail 'the journal has other pseudonyms than the snapshot'
  [ "$(jq -r '.steps | map(.vmId) | unique | length' "$room/got/journal/run-1.plan.json")" = \
    "$(jq -r '.steps | map(.vmId) | unique | length' "$XDG_STATE_HOME"/gpup/journal/*.plan.json)" ] || fail 'the plan has other VMs'
  # What support needs is there.
  grep -q '"NVIDIA' "$room/got/snapshot.json" || fail 'the model of the cards is gone'
  jq -e '.hosts[].gpus[] | .partitionCount, .status' "$room/got/snapshot.json" >/dev/null || fail 'counts are gone'
  jq -es 'any(.outcome == "failed" and (.message | contains("says")))' "$room/got/journal/run-1.jsonl" >/dev/null || fail 'messages are gone'
  jq -e '.[0].apiVersion == "gpup/v1" and .[0].kind == "GpuPartitioning"' "$room/got/desired/1.json" >/dev/null || fail 'the file is gone'
  [ "$(jq -c '[.checks[] | .verdict]' "$room/got/doctor.json" | grep -c text-)" = 0 ] || fail 'words of the format are replaced'
  [ ! -e reached ] || fail 'a shell has read a name'
  # The same again, but for the time.
  cp -r "$room/got" "$room/first"
  gpup 0 bundle -f desired.yaml --out again.tar --pseudonyms
  unpacked again.tar
  for file in desired/1.json journal/run-1.jsonl journal/run-1.plan.json; do
    same "$room/got/$file" "$room/first/$file" "$file has other pseudonyms the second time"
  done
  rm -rf "$room/first"
}

what_may_hold_anything_is_left_out() {
  pool
  gpup 0 apply -f desired.yaml --yes
  echo 'my password is hunter2' >"$XDG_STATE_HOME/gpup/journal/zz ..notes.jsonl"
  printf '# the password: hunter2\n#hosts are fine\n' >>desired.yaml
  gpup 0 bundle -f desired.yaml --out support.tar
  unpacked support.tar
  grep -rq hunter2 "$room/got" && fail 'a note is in it'
  grep -q '#hosts are fine' "$room/got/desired/1.yaml" || fail 'comments are gone'
  says '^left out: the journal of zz \.\.notes: it is not as gpup writes it'
  sed -i 's/expect: 9/expect: 9\n    pasword: hunter2/' desired.yaml
  gpup 0 bundle -f desired.yaml --out support.tar
  unpacked support.tar
  grep -rq hunter2 "$room/got" && fail 'a file with mistakes is in it'
  [ "$(jq -r '.diagnostics[].code' "$room/got/diagnostics.json")" = GP026 ] || [ "$(jq -r '.diagnostics[].code' "$room/got/diagnostics.json")" = GP014 ] ||
    fail 'the mistakes are not in it'
  says '^left out: the files of the desired state'
}

a_bundle_is_written_whole_or_not_at_all() {
  pool
  gpup 64 bundle -f desired.yaml
  says "'bundle' needs --out FILE"
  gpup 1 bundle -f missing.yaml --out support.tar
  [ ! -e support.tar ] || fail 'there is an archive'
  gpup 1 bundle -f desired.yaml --out missing/support.tar
  says 'GP192'
  gpup 1 bundle -f desired.yaml --out /dev/full
  says 'GP192'
  cp desired.yaml away.yaml
  sed -i 's/transport: simulated, file: lab.json/transport: ssh, address: 127.0.0.1, port: 9/' away.yaml
  gpup 0 bundle -f away.yaml --out support.tar --pseudonyms
  unpacked support.tar
  [ "$(jq -c '[.hosts[].reachable] | unique' "$room/got/snapshot.json")" = '[false]' ] || fail 'hosts that are away are not told as such'
}

for promise in a_bundle_holds_files_hosts_doctor_and_runs pseudonyms_leave_no_name_and_keep_who_is_who \
  what_may_hold_anything_is_left_out a_bundle_is_written_whole_or_not_at_all; do
  "$promise"
  echo "$promise: looked at"
done
[ "$failures" = 0 ] || exit 1
