#!/usr/bin/env bash
# The agent, asked line by line as gpup asks it, in the engine of tests on the doubles of the modules:
#   tests/powershell/agent_test.sh ENGINE_DIR [CASE...]
# ENGINE_DIR is what tests/powershell/build made. A case is a function below.
set -uo pipefail
[ $# -ge 1 ] || { echo "usage: tests/powershell/agent_test.sh ENGINE_DIR [CASE...]" >&2; exit 64; }
engine=$(cd "$1" && pwd)
shift
agent=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../src/adapters/agent" && pwd)
room=$(mktemp -d)
failures=0 checks=0 mark= reply=
nonce=0123456789abcdef0123456789abcdef
declare -A to from pid next
trap 'kill "${pid[@]}" 2>/dev/null; rm -rf "$room"' EXIT

bootstrap=$(iconv -t UTF-16LE <"$agent/bootstrap.ps1" | base64 -w 0)

# start NAME LAB HOST: an agent that has its script.
start() {
  local name=$1
  rm -f "$room/$name.in" "$room/$name.out"
  mkfifo "$room/$name.in" "$room/$name.out"
  (
    # Another agent's input must not stay open here.
    for open in "${to[@]}" "${from[@]}"; do exec {open}>&-; done
    GPUP_DOUBLES=$2 GPUP_DOUBLES_HOST=$3 exec "$engine/powershell" -NoLogo -NoProfile -NonInteractive -OutputFormat Text \
      -EncodedCommand "$bootstrap"
  ) <"$room/$name.in" >"$room/$name.out" 2>"$room/$name.err" &
  pid[$name]=$!
  local input output
  exec {input}>"$room/$name.in" {output}<"$room/$name.out"
  to[$name]=$input from[$name]=$output
  next[$name]=1
  { base64 -w 1000 "$agent/agent.ps1"; echo; echo .; } >&"${to[$name]}"
}

# stop NAME: the input ends. It says in `seconds` how long the end took, and in `status` how it was.
stop() {
  local began=${EPOCHREALTIME/./}
  hang_up "$1"
  timeout 60 cat <&"${from[$1]}" >/dev/null
  wait "${pid[$1]}"
  status=$?
  milliseconds=$(((${EPOCHREALTIME/./} - began) / 1000))
  forget "$1"
}

# hang_up NAME: its input ends. forget NAME: it has ended.
hang_up() {
  local input=${to[$1]}
  exec {input}>&-
  unset "to[$1]"
}
forget() {
  local input=${to[$1]:-} output=${from[$1]:-}
  [ -z "$input" ] || exec {input}>&-
  [ -z "$output" ] || exec {output}<&-
  unset "pid[$1]" "to[$1]" "from[$1]"
}

# send NAME REQUEST: REQUEST without its id, which is left in `id`.
send() {
  local line
  id=${next[$1]}
  next[$1]=$((id + 1))
  line="{\"id\":$id,${2#\{}"
  printf '%d:%s\n' "${#line}" "$line" >&"${to[$1]}"
}

# receive NAME: the next reply, whatever it answers, in `reply`; what came before it on its line is noise.
receive() {
  local line length
  reply=
  while IFS= read -r -t 60 line <&"${from[$1]}"; do
    line=${line%$'\r'}
    [[ $line == *gpup-[0-9a-f]*\ * ]] || continue
    line=${line#*gpup-}
    mark=${line%% *} line=${line#* }
    length=${line%%:*} reply=${line#*:}
    [ "$length" = "${#reply}" ] || fail "a reply says it has $length characters, and has ${#reply}"
    return 0
  done
  fail "no reply comes from agent $1: $(head -c 600 "$room/$1.err")"
  return 1
}

ask() { send "$1" "$2" && receive "$1"; }

fail() {
  failures=$((failures + 1))
  printf 'FAILED: %s: %s\n' "$case" "$*"
}

# says FILTER WORDS: a filter of jq that must be true of the last reply.
says() {
  checks=$((checks + 1))
  jq -e "$1" >/dev/null 2>&1 <<<"$reply" || { fail "$2"; printf '  %s\n  of %.1500s\n' "$1" "$reply"; }
}

# refused REASON WORDS: nothing was performed, for that reason.
refused() { says ".ok == false and .error.reason == \"$1\" and .error.performed == false" "$2"; }
broken() { says ".ok == false and .error.reason == \"facts\" and .error.fact == \"$1\" and .error.performed == false" "$2"; }

# holds FILTER LAB WORDS: how the world ended.
holds() {
  checks=$((checks + 1))
  jq -e "$1" "$2" >/dev/null || { fail "$3"; printf '  %s\n' "$1"; }
}

# until_holds FILTER LAB WORDS: the same, once it is so.
until_holds() {
  local i
  for i in {1..600}; do
    ! jq -e "$1" "$2" >/dev/null 2>&1 || break
    sleep 0.05
  done
  holds "$1" "$2" "$3"
}

hello() {
  ask "$1" "{\"op\":\"hello\",\"nonce\":\"$nonce\",\"mode\":\"$2\",\"host\":\"hv-e1\",\"client\":{\"host\":\"runner-7\",\"process\":4711,\"user\":\"alice\"},\"remoting\":${3:-null}}"
}

# take NAME: the lock, whose number is left in `lock`.
take() {
  ask "$1" '{"op":"lock"}'
  lock=$(jq -r .result.number <<<"$reply")
}

vm1=11111111-1111-4111-8111-111111111111 vm2=22222222-2222-4222-8222-222222222222 vm3=33333333-3333-4333-8333-333333333333
nowhere=99999999-9999-4999-8999-999999999999
adapter1=aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaa1
card='\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e-43bf-9eb5-dc845897dd59}'

# lab FILE [FILTER]: one host with one card, vdi-01 (running, resolved) and vdi-02 (off).
lab() {
  jq "${2:-.}" >"$1" <<JSON
{"apiVersion": "gpup/v1", "kind": "Snapshot", "hosts": [{"name": "hv-e1", "build": 20349, "edition": "azure-stack-hci",
  "gpus": [{"name": "$card", "model": "NVIDIA A2", "device": "10de:25b6", "subsystem": "157e10de", "status": "partitioned",
    "validPartitionCounts": [16, 8, 4, 2, 1], "partitionCount": 16, "totalVram": 15918030848, "availableVram": 14978506752,
    "partitionVram": 939524096, "partitionEncode": 2, "partitionDecode": 1, "partitionCompute": 128}],
  "vms": [{"name": "vdi-01", "id": "$vm1", "state": "Running", "generation": 2,
      "partitions": [{"id": "$adapter1", "gpu": "$card", "partitionId": 3, "vram": 939524096, "encode": 2, "decode": 1}]},
    {"name": "vdi-02", "id": "$vm2", "state": "Off", "generation": 2, "partitions": []}]}]}
JSON
  rm -rf "$1".*.programdata
}

# Two nodes of a cluster: vdi-01 and vdi-02 are on hv-e1, vdi-03 is on hv-e2.
cluster() {
  lab "$1" ".cluster = \"HCI-EAST\" | .hosts[0].vms[].clustered = true
    | .hosts += [{name: \"hv-e2\", build: 20349, edition: \"azure-stack-hci\", gpus: [], vms: [
        {name: \"vdi-03\", id: \"$vm3\", state: \"Off\", clustered: true, generation: 2, partitions: []}]}] | ${2:-.}"
}
owed() { echo "$1.$2.programdata/gpup/owed/$3.json"; }

# ---------------------------------------------------------------------------------------------------------------- cases

says_what_it_is_and_what_is_there() {
  cluster "$room/lab"
  start a "$room/lab" hv-e1
  hello a read
  [ "$mark" = "$nonce" ] || fail "the nonce of the marker is $mark"
  says '.id == 1 and .ok and .result.protocol == 1 and .result.computer == "HV-E1" and .result.build == 20349' "hello tells the host"
  says '.result.edition == "azure-stack-hci" and .result.cluster == "HCI-EAST" and .result.elevated == true' "hello tells edition, cluster, rights"
  says '.result.modules["Hyper-V"] and .result.cmdlets["Hyper-V\\Get-VM"] and .result.cmdlets["PnpDevice\\Get-PnpDevice"]' "hello tells modules and cmdlets"
  says '.result.engine and .result.engineEdition and (.result.clock | test("^2[0-9-]{9}T.*Z$"))' "hello tells engine and clock"
  ask a '{"op":"observe"}'
  says '.result | .apiVersion == "gpup/v1" and .kind == "Snapshot" and .cluster == "HCI-EAST" and (.hosts | length) == 1' "observe is a snapshot"
  says '.result.hosts[0] | .name == "hv-e1" and .computer == "HV-E1" and .reachable and (.vms | length) == 2' "of this host alone"
  says '.result.hosts[0].gpus[0] | .model == "NVIDIA A2" and .device == "10de:25b6" and .subsystem == "157e10de" and .status == "partitioned"' "the card"
  says '.result.hosts[0].gpus[0] | .validPartitionCounts == [16,8,4,2,1] and .partitionCount == 16 and .totalVram == 15918030848 and .partitionVram == 939524096' "its numbers"
  says '.result.hosts[0].vms[0] | .name == "vdi-01" and .state == "Running" and .clustered and .offlineAction == "save" and .generation == 2' "the machine"
  says ".result.hosts[0].vms[0].partitions == [{id: \"$adapter1\", gpu: \"$card\", partitionId: 3, vram: 939524096, encode: 2, decode: 1}]" "its partition"
  says '.result.hosts[0].vms[1] | .partitions == [] and .dynamicMemory == false and .automaticCheckpoints == false and (has("startOwed") | not)' "the other machine"
  ask a '{"op":"doctor"}'
  says '.result.host | .iovSupport == true and .iovSupportReasons == [] and .virtualization == true' "the doctor asks Hyper-V"
  says '.result.pnp[0] | .friendlyName == "NVIDIA A2" and .status == "OK" and .problem == 0 and .present' "the doctor asks PnP"
  says ".result.vms[0] | .id == \"$vm1\" and .shutdownService == true and .adapters == 1 and .offlineAction == \"save\" and .automaticStopAction == 4" "the doctor looks at machines"
  says '.result.cluster | .name == "HCI-EAST" and ([.nodes[] | .state] == [0, 0]) and ([.groups[] | select(.vm != null)] | length) == 3' "the doctor looks at the cluster"
  says '.result.errors == {}' "nothing was unread"
  stop a
  [ "$status" = 0 ] || fail "it ends with $status"
}

a_session_that_reads_refuses_to_write() {
  lab "$room/lab"
  cp "$room/lab" "$room/before"
  start a "$room/lab" hv-e1
  ask a '{"op":"observe"}'
  says '.ok == false and .error.reason == "bad-request"' "hello comes first"
  hello a read
  local request
  for request in '{"op":"lock"}' '{"op":"unlock","lock":1}' "{\"op\":\"start-vm\",\"lock\":1,\"vm\":\"$vm2\"}" \
    "{\"op\":\"stop-vm\",\"lock\":1,\"vm\":\"$vm1\",\"turnOff\":true,\"timeoutSeconds\":9,\"startOwed\":true}" \
    "{\"op\":\"assign-partition\",\"lock\":1,\"vm\":\"$vm2\",\"gpu\":null}" "{\"op\":\"unassign-partition\",\"lock\":1,\"vm\":\"$vm1\",\"adapter\":\"$adapter1\"}" \
    "{\"op\":\"set-partition-count\",\"lock\":1,\"gpu\":\"$card\",\"count\":4}" "{\"op\":\"set-offline-action\",\"lock\":1,\"vm\":\"$vm1\",\"value\":3}" \
    "{\"op\":\"forget-owed-start\",\"lock\":1,\"vm\":\"$vm1\"}"; do
    ask a "$request"
    refused reading "refused: $request"
  done
  stop a
  cmp -s "$room/lab" "$room/before" || fail "the lab changed"
  [ ! -e "$room/lab.hv-e1.programdata" ] || fail "a session that reads left something on the host"
}

a_start_that_fails_and_has_happened_is_owed_no_more() {
  lab "$room/lab" '.hosts[0].doubles.faults = [{cmdlet: "Start-VM", do: "fail-after"}]'
  start a "$room/lab" hv-e1
  hello a write
  take a
  ask a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":false,\"timeoutSeconds\":300,\"startOwed\":true}"
  [ -s "$(owed "$room/lab" hv-e1 $vm1)" ] || fail "the owed start is not noted"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm1\"}"
  says '.ok == false and .error.reason == "cmdlet"' "the start is told as it was"
  [ ! -e "$(owed "$room/lab" hv-e1 $vm1)" ] || fail "the start is still owed, of a machine that runs"
  stop a
}

performs_and_checks_each_step() {
  lab "$room/lab" ".hosts[0].vms[1].generation = 2"
  start a "$room/lab" hv-e1
  hello a write
  ask a "{\"op\":\"start-vm\",\"vm\":\"$vm2\"}"
  refused lock "no lock"
  take a
  says '.ok and .result.number >= 1' "the lock has a number"
  ask a "{\"op\":\"start-vm\",\"lock\":$((lock + 1)),\"vm\":\"$vm2\"}"
  refused lock "another number"

  ask a "{\"op\":\"assign-partition\",\"lock\":$lock,\"vm\":\"$vm1\",\"gpu\":null}"
  broken state "adding to a machine that runs"
  says '.error.expected == "Off" and .error.found == "Running"' "both states are told"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$nowhere\"}"
  broken vm "a machine that is not there"
  ask a "{\"op\":\"assign-partition\",\"lock\":$lock,\"vm\":\"$vm2\",\"gpu\":\"${card/0000#/0001#}\"}"
  broken gpu "a card that is not there"

  ask a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":false,\"timeoutSeconds\":300,\"startOwed\":true}"
  says '.ok and .result == {state: "Off"}' "it stops"
  [ -s "$(owed "$room/lab" hv-e1 $vm1)" ] || fail "the owed start is not noted"
  jq -e ".vm == \"$vm1\" and .name == \"vdi-01\" and .by.user == \"alice\" and (.since | test(\"Z$\"))" "$(owed "$room/lab" hv-e1 $vm1)" >/dev/null || fail "the note of the owed start"
  ask a '{"op":"observe"}'
  says '[.result.hosts[0].vms[] | .startOwed] == [true, null]' "the owed start is told"
  ask a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm2\",\"turnOff\":false,\"timeoutSeconds\":300,\"startOwed\":true}"
  says '.ok and .result == {state: "Off"}' "it is off already"
  [ ! -e "$(owed "$room/lab" hv-e1 $vm2)" ] || fail "a start is owed though nothing was stopped"

  ask a "{\"op\":\"set-partition-count\",\"lock\":$lock,\"gpu\":\"$card\",\"count\":4}"
  broken adapters "the count of a card in use"
  ask a "{\"op\":\"unassign-partition\",\"lock\":$lock,\"vm\":\"$vm1\",\"adapter\":\"$nowhere\"}"
  broken adapters "an adapter that is not there"
  ask a "{\"op\":\"unassign-partition\",\"lock\":$lock,\"vm\":\"$vm1\",\"adapter\":\"${adapter1^^}\"}"
  says '.ok and .result.adapters == []' "the adapter goes"
  ask a "{\"op\":\"set-partition-count\",\"lock\":$lock,\"gpu\":\"$card\",\"count\":5}"
  broken partitionCount "a count that the card does not accept"
  ask a "{\"op\":\"set-partition-count\",\"lock\":$lock,\"gpu\":\"$card\",\"count\":4}"
  says '.ok and .result == {partitionCount: 4, partitionVram: 3825205248}' "the count is set, and the size is read"

  ask a "{\"op\":\"assign-partition\",\"lock\":$lock,\"vm\":\"$vm1\",\"gpu\":null}"
  says '.ok and (.result.adapters | length) == 1 and .result.adapters[0].gpu == null and .result.adapters[0].partitionId == null' "the host is to choose"
  ask a "{\"op\":\"assign-partition\",\"lock\":$lock,\"vm\":\"$vm1\",\"gpu\":null}"
  broken adapters "a second adapter"
  ask a "{\"op\":\"set-partition-count\",\"lock\":$lock,\"gpu\":\"$card\",\"count\":2}"
  broken adapters "the count while an adapter has no card yet"
  ask a "{\"op\":\"assign-partition\",\"lock\":$lock,\"vm\":\"$vm2\",\"gpu\":\"$card\"}"
  says ".ok and [.result.adapters[].gpu] == [\"$card\"]" "pinned"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm1\"}"
  says '.ok and .result == {state: "Running"}' "it runs"
  [ ! -e "$(owed "$room/lab" hv-e1 $vm1)" ] || fail "the start is still owed"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm1\"}"
  says '.ok and .result == {state: "Running"}' "it runs already"
  ask a "{\"op\":\"set-offline-action\",\"lock\":$lock,\"vm\":\"$vm1\",\"value\":3}"
  broken vm "a machine that is not clustered has no OfflineAction"
  ask a "{\"op\":\"unlock\",\"lock\":$lock}"
  says '.ok and .result == {}' "the lock is given back"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}"
  refused lock "after the lock was given back"
  stop a
  holds '.hosts[0] | .gpus[0].partitionCount == 4 and [.vms[] | .state] == ["Running", "Off"] and [.vms[] | .partitions | length] == [1, 1]' "$room/lab" "how the host ended"
}

refuses_what_it_cannot_read() {
  lab "$room/lab"
  cp "$room/lab" "$room/before"
  start a "$room/lab" hv-e1
  hello a write
  take a
  local request="{\"id\":50,\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}" bad
  printf '%d:%s\n' "${#request}" "${request%\}}" >&"${to[a]}" && receive a
  says '.id == 0 and .error.reason == "cut-off" and .error.performed == false' "a line that is shorter than it says"
  printf '%d:%s \n' "${#request}" "$request" >&"${to[a]}" && receive a
  says '.id == 0 and .error.reason == "cut-off"' "a line that is longer than it says"
  printf '%s\n' "$request" >&"${to[a]}" && receive a
  says '.id == 0 and .error.reason == "cut-off"' "a line without its length"
  for bad in '{"id":51,"op":"observe","op":"observe"}' '{"id":51,"op":"observe"' '{"__type":"x","id":51,"op":"observe"}' '[1]' '"x"' \
    '{"id":51,"op":7}' '{"op":"observe"}' '{"id":0,"op":"observe"}' '{"id":1.5,"op":"observe"}' '{"id":51}' \
    '{"id":51,"a b":1,"a b":2,"op":"observe"}' "{\"id\":51,\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"timeoutSeconds\":-1}" ; do
    printf '%d:%s\n' "${#bad}" "$bad" >&"${to[a]}" && receive a
    refused bad-request "refused: $bad"
  done
  for bad in observ Observe 'obser\u200bve' 'hello\u0000' ''; do
    ask a "{\"op\":\"$bad\"}"
    refused unknown-op "unknown: $bad"
  done
  for bad in vdi-02 '*' "{$vm2}" "$vm2 " '' ; do
    ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$bad\"}"
    refused bad-request "no GUID: $bad"
  done
  for bad in 0 65536 -4 '"4"' 4.0 null; do
    ask a "{\"op\":\"set-partition-count\",\"lock\":$lock,\"gpu\":\"$card\",\"count\":$bad}"
    refused bad-request "no count: $bad"
  done
  # A line of two megabytes, as long as it says.
  bad="{\"id\":52,\"op\":\"observe\",\"x\":\"$(head -c 2000000 /dev/zero | tr '\0' x)\"}"
  printf '%d:%s\n' "${#bad}" "$bad" >&"${to[a]}" && receive a
  refused bad-request "a line that is too long"
  ask a '{"op":"observe","\u00e9 \u0000":{"a":[1,{"b":null}]}}'
  says '.ok' "and it still serves; members that it does not know are no mistake"
  # What is not whole when the input ends is not performed.
  printf '%d:%s' "${#request}" "${request%\}}" >&"${to[a]}"
  stop a
  cmp -s "$room/lab" "$room/before" || fail "the lab changed"
}

the_lock_has_one_holder() {
  lab "$room/lab"
  start a "$room/lab" hv-e1
  start b "$room/lab" hv-e1
  hello a write
  hello b write
  take a
  local first=$lock
  ask b '{"op":"lock"}'
  refused held "held by another"
  says '.error.holder | .host == "runner-7" and .process == 4711 and .user == "alice" and (.since | test("Z$"))' "the holder is told"
  ask b "{\"op\":\"start-vm\",\"lock\":$first,\"vm\":\"$vm2\"}"
  refused lock "who does not hold it cannot use its number"
  ask a "{\"op\":\"unlock\",\"lock\":$first}"
  take b
  [ "$lock" -gt "$first" ] || fail "the number of the lock does not grow"
  ask a "{\"op\":\"start-vm\",\"lock\":$first,\"vm\":\"$vm2\"}"
  refused lock "a late request with an old number"
  local second=$lock
  kill -9 "${pid[b]}"
  wait "${pid[b]}" 2>/dev/null
  forget b
  take a
  [ "$lock" -gt "$second" ] || fail "the lock is not free once its holder was killed"
  ask a "{\"op\":\"start-vm\",\"lock\":$second,\"vm\":\"$vm2\"}"
  refused lock "the number of the killed one"
  # A number that another has taken since: as if this file system did not keep others out.
  echo $((lock + 1)) >"$room/lab.hv-e1.programdata/gpup/lock.number"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}"
  refused lock "a later lock was given"
  stop a
  holds '.hosts[0].vms[1].state == "Off"' "$room/lab" "nothing was started"
}

an_old_owed_start_is_forgotten_once_the_machine_runs() {
  lab "$room/lab"
  local notes=$room/lab.hv-e1.programdata/gpup/owed
  mkdir -p "$notes"
  echo '{"vm":"x","lock":0}' >"$notes/$vm1.json"
  echo 'no JSON' >"$notes/$vm2.json"
  start a "$room/lab" hv-e1
  hello a write
  ask a '{"op":"observe"}'
  says '[.result.hosts[0].vms[] | .startOwed] == [null, true]' "only a machine that does not run is owed a start"
  [ -e "$notes/$vm1.json" ] || fail "a note went without the lock"
  take a
  ask a '{"op":"observe"}'
  [ ! -e "$notes/$vm1.json" ] || fail "the note of a machine that runs is still there"
  [ -e "$notes/$vm2.json" ] || fail "the note of a machine that is off is gone"
  # This lock was lost, its session has not noticed: the machine may be about to stop.
  echo "{\"vm\":\"x\",\"lock\":$((lock + 1))}" >"$notes/$vm1.json"
  ask a '{"op":"observe"}'
  [ -e "$notes/$vm1.json" ] || fail "the note of a later run is gone"
  stop a
}

# note NAME SECONDS: an owed start of vm1 that another run noted so long ago, in `notes`.
note() { jq -cn --argjson age "$2" '{vm: "x", lock: 0, since: (now - $age | todate)}' >"$notes/$1.json"; }

# Its stop is cut off, and the machine shows Running for a while. Whether Uptime is there or not.
a_guest_that_goes_down_later_stays_owed() {
  local notes=$room/lab.hv-e1.programdata/gpup/owed uptime
  for uptime in true false; do
    lab "$room/lab" ".hosts[0].doubles = {shutdownMs: 600000, uptime: $uptime}"
    start a "$room/lab" hv-e1
    hello a write
    take a
    send a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":false,\"timeoutSeconds\":300,\"startOwed\":true}"
    until_holds '.hosts[0].vms[0].doubles.leavesAt != null' "$room/lab" "the guest is asked"
    stop a
    start a "$room/lab" hv-e1
    hello a write
    take a
    ask a '{"op":"observe"}'
    says '.result.hosts[0].vms[0] | .state == "Running" and .startOwed == null' "the guest is still there"
    [ -e "$notes/$vm1.json" ] || fail "the note of a machine that is about to stop is gone (uptime: $uptime)"
    jq '.hosts[0].vms[0].doubles.leavesAt = 0' "$room/lab" >"$room/left" && mv "$room/left" "$room/lab"
    ask a '{"op":"observe"}'
    says '.result.hosts[0].vms[0] | .state == "Off" and .startOwed == true' "now it is down, and owed a start"
    ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm1\"}"
    [ ! -e "$notes/$vm1.json" ] || fail "a start is still owed"
    stop a
  done
}

# A stop that takes too long ends the request, not the guest's shutdown.
a_guest_that_is_late_stays_owed() {
  lab "$room/lab" '.hosts[0].doubles = {shutdownMs: 600000}'
  start a "$room/lab" hv-e1
  hello a write
  take a
  ask a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":false,\"timeoutSeconds\":1,\"startOwed\":true}"
  says '.error.reason == "timeout" and .error.found == "Running" and .error.performed' "it is not off in time"
  ask a "{\"op\":\"unlock\",\"lock\":$lock}"
  take a
  ask a '{"op":"observe"}'
  jq '.hosts[0].vms[0].doubles.leavesAt = 0' "$room/lab" >"$room/left" && mv "$room/left" "$room/lab"
  ask a '{"op":"observe"}'
  says '.result.hosts[0].vms[0] | .state == "Off" and .startOwed == true' "now it is down, and owed a start"
  stop a
}

a_note_of_an_owed_start_is_kept_as_long_as_its_stop_may_come() {
  local notes=$room/lab.hv-e1.programdata/gpup/owed uptime kept row
  # Whether there is Uptime, seconds since the start (0: ten days), seconds since the note, and whether it is kept.
  for row in 'true 0 0 kept' 'true 0 3500 kept' 'true 0 3700 gone' 'true 60 120 gone' 'true 60 62 kept' 'true 120 60 kept' \
    'true 60 -3000 kept' 'true 60 -86400 kept' 'false 0 0 kept' 'false 60 120 kept' 'false 60 3700 gone' 'false 60 -3000 kept'; do
    set -- $row
    lab "$room/lab" ".hosts[0].doubles = {uptime: $1} | if $2 == 0 then . else .hosts[0].vms[0].doubles = {startedAt: (now - $2 | todate)} end"
    mkdir -p "$notes"
    note "$vm1" "$3"
    [ -n "${pid[a]:-}" ] || { start a "$room/lab" hv-e1 && hello a write; }
    take a
    ask a '{"op":"observe"}'
    says '.result.hosts[0].vms[0] | .state == "Running" and .startOwed == null' "a machine that runs is owed nothing now"
    kept=gone
    [ ! -e "$notes/$vm1.json" ] || kept=kept
    [ "$kept" = "$4" ] || fail "Uptime $1, started $2 s ago, noted $3 s ago: $kept, not $4"
    ask a "{\"op\":\"unlock\",\"lock\":$lock}"
  done
  stop a
}

# Started by hand while the note is there: the machine is not about to stop.
a_machine_that_was_started_again_is_owed_nothing() {
  lab "$room/lab" '.hosts[0].vms[0] |= (.state = "Off" | .doubles = {startedAt: ""})'
  local notes=$room/lab.hv-e1.programdata/gpup/owed
  mkdir -p "$notes"
  note "$vm1" 60
  start a "$room/lab" hv-e1
  hello a write
  take a
  ask a '{"op":"observe"}'
  says '.result.hosts[0].vms[0].startOwed == true' "it is off, and owed a start"
  GPUP_DOUBLES=$room/lab GPUP_DOUBLES_HOST=hv-e1 "$engine/powershell" -NoProfile -NonInteractive -Command "Start-VM vdi-01"
  ask a '{"op":"observe"}'
  says '.result.hosts[0].vms[0].state == "Running"' "it runs"
  [ ! -e "$notes/$vm1.json" ] || fail "the note of a machine that was started since is still there"
  stop a
}

# The note is where the machine was stopped, and the machine may be elsewhere by now, or be no more.
an_owed_start_of_a_machine_that_has_left_is_told() {
  cluster "$room/lab"
  local notes=$room/lab.hv-e1.programdata/gpup/owed
  mkdir -p "$notes"
  note "$vm3" 60
  note "$nowhere" 60
  note "$vm2" 60
  echo 'no note' >"$notes/README.json"
  start a "$room/lab" hv-e1
  hello a read
  ask a '{"op":"observe"}'
  says ".result.hosts[0].startsOwed == [\"$vm3\", \"$nowhere\"]" "machines that have left"
  says '[.result.hosts[0].vms[].startOwed] == [null, true]' "machines that are here"
  stop a
  start a "$room/lab" hv-e1
  hello a write
  ask a "{\"op\":\"forget-owed-start\",\"lock\":1,\"vm\":\"$vm3\"}"
  refused lock "forgotten without the lock"
  take a
  ask a "{\"op\":\"forget-owed-start\",\"lock\":$lock,\"vm\":\"${vm3^^}\"}"
  says '.ok and .result == {}' "one is forgotten"
  ask a "{\"op\":\"forget-owed-start\",\"lock\":$lock,\"vm\":\"$vm3\"}"
  says '.ok' "it is forgotten already"
  ask a '{"op":"observe"}'
  says ".result.hosts[0].startsOwed == [\"$nowhere\"]" "the other one is not"
  stop a
}

# Running on another node, the guest may still be on its way down for an hour.
the_note_of_a_machine_that_runs_on_another_node_goes_after_an_hour() {
  local notes=$room/lab.hv-e1.programdata/gpup/owed kept row
  for row in 'Running 60 kept' 'Running 3700 gone' 'Off 3700 kept'; do
    set -- $row
    cluster "$room/lab" ".hosts[1].vms[0].state = \"$1\""
    mkdir -p "$notes"
    note "$vm3" "$2"
    note "$nowhere" "$2"
    [ -n "${pid[a]:-}" ] || { start a "$room/lab" hv-e1 && hello a write; }
    ask a '{"op":"observe"}'
    [ -e "$notes/$vm3.json" ] || fail "a note went without the lock"
    take a
    ask a '{"op":"observe"}'
    says '.ok' "$row"
    kept=gone
    [ ! -e "$notes/$vm3.json" ] || kept=kept
    [ "$kept" = "$3" ] || fail "$1, noted $2 s ago: $kept, not $3"
    [ -e "$notes/$nowhere.json" ] || fail "the note of a machine that no host shows is gone"
    ask a "{\"op\":\"unlock\",\"lock\":$lock}"
  done
  stop a
}

a_machine_that_is_to_stay_off_is_owed_nothing() {
  lab "$room/lab" '.hosts[0].doubles = {shutdownMs: 1000}'
  local notes=$room/lab.hv-e1.programdata/gpup/owed machine
  mkdir -p "$notes"
  note "$vm1" 0
  note "$vm2" 0
  start a "$room/lab" hv-e1
  hello a write
  take a
  for machine in $vm1 $vm2; do
    ask a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$machine\",\"turnOff\":false,\"timeoutSeconds\":300,\"startOwed\":false}"
    says '.ok and .result == {state: "Off"}' "it is off"
    [ ! -e "$notes/$machine.json" ] || fail "a start is owed to a machine that is to stay off"
  done
  stop a
}

stops_and_starts_go_side_by_side() {
  lab "$room/lab" ".hosts[0].doubles = {latencyMs: {\"Stop-VM\": 1500, \"Start-VM\": 1500}} | .hosts[0].vms = [range(8) as \$i | {name: \"v\(\$i)\",
    id: \"44444444-4444-4444-8444-44444444444\(\$i)\", state: \"Running\", generation: 2, partitions: []}]"
  start a "$room/lab" hv-e1
  hello a write
  take a
  ask a '{"op":"observe"}'
  local op i began answers
  for op in stop start stop; do
    began=${EPOCHREALTIME/./} answers=
    for i in 0 1 2 3 4 5 6 7; do
      send a "{\"op\":\"$op-vm\",\"lock\":$lock,\"vm\":\"44444444-4444-4444-8444-44444444444$i\",\"turnOff\":false,\"timeoutSeconds\":60,\"startOwed\":true}"
    done
    send a '{"op":"observe"}'
    for i in 0 1 2 3 4 5 6 7 8; do
      receive a
      says '.ok' "each is done"
      answers+="$(jq .id <<<"$reply") "
    done
    printf '  eight at once, 1500 ms each: %d ms (%s)\n' "$(((${EPOCHREALTIME/./} - began) / 1000))" "$op"
    [ "$(((${EPOCHREALTIME/./} - began) / 1000))" -lt 9000 ] || fail "eight of them take as long as one after another"
  done
  stop a
  holds '[.hosts[0].vms[].state] | unique == ["Off"]' "$room/lab" "all are off"
}

# As where gpup has given up a stop that is late, and brings its machine back.
a_start_waits_for_the_stop_before_it() {
  lab "$room/lab" '.hosts[0].doubles = {latencyMs: {"Stop-VM": 1500}}'
  start a "$room/lab" hv-e1
  hello a write
  take a
  send a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":true,\"timeoutSeconds\":60,\"startOwed\":true}"
  send a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"${vm1^^}\"}"
  receive a
  says ".id == $((id - 1)) and .result.state == \"Off\"" "the stop ends first"
  receive a
  says ".id == $id and .result.state == \"Running\"" "then the machine is started"
  stop a
  holds '.hosts[0].vms[0].state == "Running"' "$room/lab" "the machine runs"
  [ ! -e "$(owed "$room/lab" hv-e1 $vm1)" ] || fail "a start is still owed"
}

a_stop_keeps_its_time() {
  lab "$room/lab" '.hosts[0].vms[].state = "Running" | .hosts[0].vms[].doubles = {guestAnswers: false}'
  start a "$room/lab" hv-e1
  hello a write
  take a
  local began=${EPOCHREALTIME/./}
  send a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":false,\"timeoutSeconds\":3,\"startOwed\":true}"
  send a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm2\",\"turnOff\":true,\"timeoutSeconds\":3,\"startOwed\":false}"
  local i
  for i in 1 2; do
    receive a
    if [ "$(jq .id <<<"$reply")" = "$id" ]; then
      says '.ok and .result.state == "Off"' "turned off where that is allowed"
    else
      says '.error.reason == "timeout" and .error.found == "Running" and .error.performed == true' "not turned off where it is not"
    fi
  done
  began=$(((${EPOCHREALTIME/./} - began) / 1000))
  [ "$began" -ge 2900 ] && [ "$began" -lt 12000 ] || fail "a stop with three seconds takes $began ms"
  [ -e "$(owed "$room/lab" hv-e1 $vm1)" ] || fail "the owed start of the machine that was not stopped is gone"
  stop a
  holds '[.hosts[0].vms[].state] == ["Running", "Off"]' "$room/lab" "only one is off"
}

a_claim_is_not_believed() {
  lab "$room/lab" '.hosts[0].vms += [{name: "vdi-04", id: "44444444-4444-4444-8444-444444444444", state: "Off", partitions: []}]
    | .hosts[0].doubles = {faults: [{cmdlet: "Stop-VM", do: "claim"}, {cmdlet: "Start-VM", do: "claim"}, {cmdlet: "Add-VMGpuPartitionAdapter", do: "claim"}]}'
  start a "$room/lab" hv-e1
  hello a write
  take a
  ask a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":false,\"timeoutSeconds\":300,\"startOwed\":true}"
  says '.error.reason == "timeout" and .error.found == "Running" and .error.performed' "a stop that did nothing"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}"
  says '.ok and .result.state == "Off"' "a start that did nothing"
  ask a "{\"op\":\"assign-partition\",\"lock\":$lock,\"vm\":\"$vm2\",\"gpu\":null}"
  says '.ok and .result.adapters == []' "an adapter that was not added"
  stop a
}

errors_are_told_by_number() {
  local language
  for language in en de; do
    lab "$room/lab" ".hosts[0].doubles = {language: \"$language\", faults: [{cmdlet: \"Set-VMHostPartitionableGpu\", do: \"fail\", errorId: \"OperationFailed\", category: \"InvalidOperation\", hresult: 2147942487, message: \"\u00fcbel\"}]}
      | .hosts[0].vms[1].partitions = [{id: \"$adapter1\", gpu: \"$card\", partitionId: null, vram: null}]
      | .hosts[0].gpus[0].partitionCount = 1
      | .hosts[0].gpus += [(.hosts[0].gpus[0] | .name |= sub(\"0000#\"; \"0008#\"))]"
    start a "$room/lab" hv-e1
    hello a write
    take a
    ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}"
    says '.error | .reason == "cmdlet" and .performed and .hresult == -2147023446 and (.errorId | endswith(",Microsoft.HyperV.PowerShell.Commands.StartVM"))' "no free partition ($language)"
    ask a "{\"op\":\"set-partition-count\",\"lock\":$lock,\"gpu\":\"${card/0000#/0008#}\",\"count\":4}"
    says '.error | .reason == "cmdlet" and .performed and .hresult == -2147024809 and .category == "InvalidOperation" and .message == "\u00fcbel" and (.errorId | startswith("OperationFailed,"))' "the card refuses ($language)"
    stop a
  done
}

tells_what_is_missing() {
  lab "$room/lab" '.hosts[0].doubles = {missing: ["Hyper-V"]}'
  start a "$room/lab" hv-e1
  hello a read
  says '.ok and .result.modules["Hyper-V"] == null and .result.cmdlets["Hyper-V\\Get-VM"] == false' "no module"
  ask a '{"op":"observe"}'
  refused unsupported "observing without the module"
  says '.error.cmdlet | startswith("Hyper-V\\")' "the cmdlet is told"
  ask a '{"op":"doctor"}'
  says '.ok and .result.vms == null and .result.gpus == null and .result.errors.vms and .result.pnp != null' "the doctor goes on"
  stop a
  # A host that has the older name only: all goes as elsewhere.
  lab "$room/lab" '.hosts[0].doubles = {missing: ["Hyper-V\\Get-VMHostPartitionableGpu", "Hyper-V\\Set-VMHostPartitionableGpu"]} | .hosts[0].vms[0].partitions = []'
  start a "$room/lab" hv-e1
  hello a write
  says '.result.cmdlets["Hyper-V\\Get-VMHostPartitionableGpu"] == false and .result.cmdlets["Hyper-V\\Get-VMPartitionableGpu"] == true' "an older build"
  ask a '{"op":"observe"}'
  says '.result.hosts[0].gpus[0].partitionCount == 16' "observed by the older name"
  take a
  ask a "{\"op\":\"set-partition-count\",\"lock\":$lock,\"gpu\":\"$card\",\"count\":4}"
  says '.ok and .result.partitionCount == 4' "set by the older name"
  stop a
  lab "$room/lab" '.hosts[0].doubles = {elevated: false}'
  start a "$room/lab" hv-e1
  hello a write
  says '.ok and .result.elevated == false' "not elevated"
  ask a '{"op":"observe"}'
  says '.error.reason == "cmdlet" and .error.performed == false and (.error.errorId | test("^(Unspecified|AccessDenied),"))' "observing without the rights"
  take a
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}"
  says '.error.reason == "cmdlet" and .error.category == "NotSpecified" and (.error.errorId | startswith("Unspecified,")) and .error.performed == false' "starting without the rights"
  ask a '{"op":"doctor"}'
  says '.ok and .result.host.elevated == false and .result.errors["host.iovSupport"] != null' "the doctor goes on"
  stop a
}

a_clustered_machine_is_stepped_on_where_it_is() {
  cluster "$room/lab" '.hosts[0].doubles = {faults: [{cmdlet: "Set-ClusterParameter", do: "claim", skip: 1}]}'
  start a "$room/lab" hv-e1
  hello a write
  take a
  ask a "{\"op\":\"set-offline-action\",\"lock\":$lock,\"vm\":\"$vm1\",\"value\":3}"
  says '.ok and .result == {value: 3}' "OfflineAction is set"
  ask a "{\"op\":\"set-offline-action\",\"lock\":$lock,\"vm\":\"$vm1\",\"value\":0}"
  says '.ok and .result == {value: 3}' "what was claimed is read back"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm3\"}"
  broken ownerNode "a machine on another node"
  says '.error.expected == "HV-E1" and (.error.found | ascii_downcase) == "hv-e2"' "both nodes are told"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$nowhere\"}"
  broken vm "a machine that is nowhere"
  ask a '{"op":"observe"}'
  says '[.result.hosts[0].vms[].offlineAction] == ["force-shutdown", "save"]' "OfflineAction is observed"
  stop a
  holds '.hosts[0].vms[0].offlineAction == "force-shutdown"' "$room/lab" "OfflineAction is in the cluster"
  # Moved between the plan and the step.
  cluster "$room/lab"
  start a "$room/lab" hv-e1
  hello a write
  take a
  jq '.hosts[1].vms += [.hosts[0].vms[1]] | del(.hosts[0].vms[1])' "$room/lab" >"$room/moved" && mv "$room/moved" "$room/lab"
  ask a "{\"op\":\"assign-partition\",\"lock\":$lock,\"vm\":\"$vm2\",\"gpu\":null}"
  broken ownerNode "a machine that has moved"
  stop a
  # A cluster that does not answer must not look like one without OfflineAction.
  cluster "$room/lab" '.hosts[0].doubles = {clusterService: "down"}'
  start a "$room/lab" hv-e1
  hello a read
  says '.ok and .result.cluster == null' "hello without the cluster"
  ask a '{"op":"observe"}'
  says '.error.reason == "cmdlet" and (.error.errorId | startswith("ClusterEndpointNotRegistered,")) and .error.category == "ConnectionError"' "observing without the cluster"
  stop a
}

the_end_of_input_ends_it() {
  # A cmdlet that hangs, but can be stopped.
  lab "$room/lab" '.hosts[0].doubles = {faults: [{cmdlet: "Start-VM", do: "hang"}, {cmdlet: "Get-VM", do: "hang", skip: 3}]}'
  start a "$room/lab" hv-e1
  hello a write
  take a
  send a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}"
  sleep 2
  stop a
  [ "$milliseconds" -lt 4000 ] || fail "it ends only after $milliseconds ms"
  # One that cannot be stopped, and writes: the lock is kept until it has ended.
  lab "$room/lab" '.hosts[0].doubles = {faults: [{cmdlet: "Start-VM", do: "hang", deaf: true, ms: 7000}]}'
  start a "$room/lab" hv-e1
  start b "$room/lab" hv-e1
  hello a write
  hello b write
  take a
  send a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}"
  sleep 2
  local held
  hang_up a
  sleep 1
  ask b '{"op":"lock"}'
  held=$(jq -r '.error.reason' <<<"$reply")
  [ "$held" = held ] || fail "the lock is free though a cmdlet that writes still runs"
  wait "${pid[a]}"
  forget a
  ask b '{"op":"lock"}'
  says '.ok' "the lock is free once it has ended"
  stop b
  # One that cannot be stopped, and reads: nobody waits for it.
  lab "$room/lab" '.hosts[0].doubles = {faults: [{cmdlet: "Get-VM", do: "hang", deaf: true, ms: 30000}]}'
  start a "$room/lab" hv-e1
  hello a read
  send a '{"op":"observe"}'
  sleep 2
  stop a
  [ "$milliseconds" -lt 4000 ] || fail "it waits $milliseconds ms for a cmdlet that only reads"
}

what_is_given_up_before_it_has_begun_is_not_performed() {
  lab "$room/lab" '.hosts[0].doubles = {faults: [{cmdlet: "Add-VMGpuPartitionAdapter", do: "hang", deaf: true, ms: 3000}]}'
  start a "$room/lab" hv-e1
  hello a write
  take a
  local assign="{\"op\":\"assign-partition\",\"lock\":$lock,\"vm\":\"$vm2\",\"gpu\":null}" first
  send a "$assign"
  first=$id
  send a "$assign"
  ask a "{\"op\":\"withdraw\",\"request\":$id}"
  says '.result == {withdrawn: 1}' "the second is taken back"
  ask a "{\"op\":\"withdraw\",\"request\":$first}"
  says '.result == {withdrawn: 0}' "the first has begun"
  receive a
  says ".ok and .id == $first" "the first is answered"
  ask a '{"op":"observe"}'
  says '[.result.hosts[0].vms[1].partitions | length] == [1]' "one adapter"
  stop a
}

a_machine_that_goes_while_the_host_is_read_hides_none() {
  local times
  for times in 1 2; do
    lab "$room/lab" ".hosts[0].doubles = {faults: [{cmdlet: \"Get-VMGpuPartitionAdapter\", do: \"fail\", times: $times, errorId: \"ObjectNotFound\",
      category: \"ObjectNotFound\", message: \"Hyper-V was unable to find a virtual machine with name z.\"}]}"
    start a "$room/lab" hv-e1
    hello a read
    ask a '{"op":"observe"}'
    [ "$times" = 1 ] && says '[.result.hosts[0].vms[].name] == ["vdi-01", "vdi-02"]' "one that goes once"
    [ "$times" = 2 ] && says '.error.reason == "cmdlet" and .error.category == "ObjectNotFound"' "one that is never found is told"
    stop a
  done
}

noise_does_not_matter() {
  lab "$room/lab" '.hosts[0].doubles = {noise: true, bom: true, crlf: true, language: "de", nulls: true} | .hosts[0].vms[1].name = "Z\u00fcrich \ud83d\ude00 \u202e$(x)`\"'"'"'[*]?\\u0041" '
  start a "$room/lab" hv-e1
  hello a write
  says '.ok' "through the noise"
  ask a '{"op":"observe"}'
  says '.result.hosts[0].vms[1].name == "Z\u00fcrich \ud83d\ude00 \u202e$(x)`\"'"'"'[*]?\\u0041"' "a name is a name"
  [[ $reply =~ ^[\ -~]*$ ]] || fail "a reply is not ASCII"
  take a
  ask a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":false,\"timeoutSeconds\":300,\"startOwed\":false}"
  says '.ok' "a stop"
  stop a
}

the_calls_do_not_grow_with_the_machines() {
  local count op
  for count in 2 40; do
    cluster "$room/lab" ".hosts[0].doubles = {log: \"$room/calls-$count\"} | .hosts[0].vms = [range($count) as \$i | {name: \"v\(\$i)\", clustered: true,
      id: \"44444444-4444-4444-8444-4444444444\(\$i + 10)\", state: \"Off\", generation: 2, partitions: [{id: \"55555555-5555-4555-8555-5555555555\(\$i + 10)\", gpu: null, partitionId: null, vram: null}]}]"
    start a "$room/lab" hv-e1
    hello a read
    for op in observe doctor; do
      : >"$room/calls-$count"
      ask a "{\"op\":\"$op\"}"
      says '.ok' "$op of $count machines"
      jq -r .cmdlet "$room/calls-$count" | LC_ALL=C sort >"$room/calls-$op-$count"
      ! grep -v '^Get-' "$room/calls-$op-$count" || fail "$op calls more than Get- cmdlets"
    done
    stop a
  done
  for op in observe doctor; do
    cmp -s "$room/calls-$op-2" "$room/calls-$op-40" || { fail "$op calls more for 40 machines than for 2"; diff "$room/calls-$op-2" "$room/calls-$op-40"; }
    printf '  %s: %s calls\n' "$op" "$(wc -l <"$room/calls-$op-40")"
  done
}

the_cards_are_told_apart() {
  lab "$room/lab" '.hosts[0].gpus += [
      {name: (.hosts[0].gpus[0].name | sub("0000#"; "0008#")), model: "NVIDIA A2", device: "10de:25b6", status: "ready-for-dda"},
      {name: "\\\\?\\PCI#VEN_10DE&DEV_1EB8&SUBSYS_12A210DE&REV_A1#4&11&0&0019#{064092b3-625e-43bf-9eb5-dc845897dd59}", model: "NVIDIA T4", status: "not-assignable"},
      {name: "\\\\?\\PCI#VEN_8086&DEV_9BCA&SUBSYS_22BE17AA&REV_04#3&11583659&0&10#{064092b3-625e-43bf-9eb5-dc845897dd59}\\GPUPARAV", model: "Intel UHD", status: "paravirtualization"}]
    | .hosts[0].build = 26100 | .hosts[0].edition = "datacenter"
    | .hosts[0].doubles = {pnp: [{friendlyName: "3D Video Controller", instanceId: "PCI\\VEN_10DE&DEV_25B6&SUBSYS_14A910DE&REV_A1\\4&2&0&0010", status: "Error", problem: 28},
        {friendlyName: "a card that was taken out", instanceId: "PCI\\VEN_10DE&DEV_2236\\4&3&0&0010", class: "Display", present: false},
        {friendlyName: "a sound device", instanceId: "PCI\\VEN_10DE&DEV_228B\\4&4&0&0110", class: "MEDIA"},
        {friendlyName: "a screen of the system", instanceId: "ROOT\\BASICDISPLAY\\0000", class: "Display"}],
      registry: {"HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\himds": {Start: 2}, "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Windows\\HyperV": {RequireSecureDeviceAssignment: 1}},
      iovSupport: false, iovSupportReasons: ["the BIOS"]}
    | .hosts[0].vms[1].doubles = {staleAdapters: 1}'
  start a "$room/lab" hv-e1
  hello a write
  says '.result.edition == "datacenter" and .result.build == 26100' "the release"
  ask a '{"op":"observe"}'
  says '[.result.hosts[0].gpus[] | [.model, .status]] | sort == [["3D Video Controller", "not-assignable"], ["Intel UHD", "paravirtualization"],
    ["NVIDIA A2", "partitioned"], ["NVIDIA A2", "ready-for-dda"], ["NVIDIA T4", "not-assignable"]]' "the four words"
  says '.result.hosts[0].gpus[] | select(.status == "paravirtualization") | .totalVram == null and .validPartitionCounts == null and .partitionCount == null and .device == "8086:9bca"' "a paravirtual card has no numbers"
  says '.result.hosts[0].gpus[] | select(.status == "ready-for-dda") | (.name | startswith("\\\\?\\PCI#VEN_10DE")) and .device == "10de:25b6"' "a card given to DDA has the name it would have"
  says '.result.hosts[0].gpus[] | select(.model == "3D Video Controller") | .subsystem == "14a910de"' "a card without a driver"
  ask a '{"op":"doctor"}'
  says '.result.host | .arcManaged == true and .requireSecureDeviceAssignment == 1 and .requireSupportedDeviceAssignment == null and .iovSupport == false and .iovSupportReasons == ["the BIOS"]' "the doctor reads the registry"
  says '.result.gpus[] | select(.status == "partitioned") | .supportsIncomingLiveMigration == true' "newer builds tell of live migration"
  says '(.result.assignable | length) == 1 and ([.result.pnp[] | select(.problem == 28)] | length) == 2 and ([.result.pnp[] | select(.present == false)] | length) == 1' "what PnP and DDA say"
  take a
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}"
  says '.error.reason == "cmdlet" and .error.hresult == -2147023446 and .error.performed' "a stale adapter"
  ask a "{\"op\":\"set-partition-count\",\"lock\":$lock,\"gpu\":$(jq -c '.hosts[0].gpus[3].name' "$room/lab"),\"count\":4}"
  broken gpu "a paravirtual card"
  stop a
}

a_cluster_that_starts_what_was_stopped() {
  cluster "$room/lab" '.hosts[0].vms[0].doubles = {shutdownAction: 1}'
  start a "$room/lab" hv-e1
  hello a write
  ask a '{"op":"doctor"}'
  says '.result.vms[0].shutdownAction == 1 and .result.host.arcManaged == false' "the doctor tells of ShutdownAction"
  take a
  ask a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":false,\"timeoutSeconds\":300,\"startOwed\":false}"
  says '.error.reason == "timeout" and .error.found == "Running"' "it is not off"
  stop a
}

through_a_session() {
  # PowerShell starts `ssh` for a session over SSH; here that is the engine itself.
  mkdir -p "$room/bin"
  printf '#!/bin/sh\necho "$@" >>%q\nexec %q -sshs\n' "$room/ssh-arguments" "$engine/pwsh" >"$room/bin/ssh"
  chmod +x "$room/bin/ssh"
  lab "$room/lab"
  PATH=$room/bin:$PATH start a "$room/lab" hv-e1
  hello a write '{"computerName":null,"hostName":"hv-e1.example","port":2222,"user":"svc-gpup","identityFile":null,"configurationName":null}'
  says '.ok and .id == 1 and .result.computer == "HV-E1"' "hello through the session"
  [ "$mark" = "$nonce" ] || fail "the nonce of the marker is $mark"
  grep -q -- '-o BatchMode=yes' "$room/ssh-arguments" && grep -q -- 'StrictHostKeyChecking=yes' "$room/ssh-arguments" || fail "ssh may ask"
  ask a '{"op":"observe"}'
  says '.ok and .result.hosts[0].name == "hv-e1"' "observe through the session"
  take a
  says '.ok' "the lock through the session"
  send a "{\"op\":\"stop-vm\",\"lock\":$lock,\"vm\":\"$vm1\",\"turnOff\":false,\"timeoutSeconds\":300,\"startOwed\":true}"
  ask a "{\"op\":\"start-vm\",\"lock\":$lock,\"vm\":\"$vm2\"}"
  says '.ok' "side by side"
  receive a
  says '.ok' "side by side"
  printf '9:{"id":9}\n' >&"${to[a]}" && receive a
  says '.error.reason == "cut-off"' "a line cut off"
  stop a
  [ "$milliseconds" -lt 8000 ] || fail "it ends only after $milliseconds ms"
  holds '[.hosts[0].vms[].state] == ["Off", "Running"]' "$room/lab" "what was asked is done"
  start b "$room/lab" hv-e1
  hello b write
  take b
  says '.ok' "the lock is free once the session has ended"
  stop b
  # A host that does not answer.
  printf '#!/bin/sh\nhead -c 1 >/dev/null\necho nobody there >&2\nexit 255\n' >"$room/bin/ssh"
  PATH=$room/bin:$PATH start a "$room/lab" hv-e1
  hello a write '{"hostName":"hv-e9"}'
  says '.id == 1 and .ok == false and .error.reason == "cmdlet" and (.error.errorId | type) == "string" and .error.performed == false' "no session"
  stop a
}

cases=("$@")
[ $# -gt 0 ] || mapfile -t cases < <(sed -n 's/^\([a-z_]*\)() {$/\1/p' "${BASH_SOURCE[0]}" | grep '_.*_')
for case in "${cases[@]}"; do
  began=${EPOCHREALTIME/./}
  "$case"
  printf '%-60s %6d ms\n' "$case" "$(((${EPOCHREALTIME/./} - began) / 1000))"
done
printf '%d checks, %d failures\n' "$checks" "$failures"
[ "$failures" = 0 ]
