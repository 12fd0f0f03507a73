#!/usr/bin/env bash
# Whether sshd.sh gives tests what they need: hosts that are reached by ssh and by New-PSSession -HostName, hosts that must be
# refused, and nothing left behind.
#   tests/powershell/sshd_test.sh ENGINE
# ENGINE is what tests/powershell/build made.
set -uo pipefail
[ $# = 1 ] || { echo "usage: tests/powershell/sshd_test.sh ENGINE" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
agent=$(cd "$here/../../src/adapters/agent" && pwd)
engine=$(cd "$1" && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
unset GPUP_DOUBLES GPUP_DOUBLES_HOST ProgramData
. "$here/sshd.sh"
passed=0
failed=0
pass() { passed=$((passed + 1)); printf 'ok      %s\n' "$1"; }
fail() { failed=$((failed + 1)); printf 'FAILED  %s\n' "$1"; }
# says TITLE PATTERN TEXT
says() { if grep -qE -e "$2" <<<"$3"; then pass "$1"; else fail "$1: no '$2' in '$(head -c 600 <<<"$3")'"; fi; }
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1: expected '$2', saw '$3'"; fi; }
encoded() { iconv -t UTF-16LE | base64 -w 0; }

# The two hosts share a lab. Its folder's name has a blank.
mkdir "$room/a lab"
lab="$room/a lab/lab.json"
cat >"$lab" <<'LAB'
{"apiVersion": "gpup/v1", "kind": "Snapshot", "cluster": "HCI-EAST", "hosts": [
  {"name": "hv-e1", "build": 20349, "edition": "azure-stack-hci", "gpus": [], "vms": [
    {"name": "one", "id": "00000000-0000-0000-0000-000000000001", "state": "Off", "clustered": true, "partitions": []}]},
  {"name": "hv-e2", "build": 26100, "edition": "datacenter", "gpus": [], "vms": [
    {"name": "two", "id": "00000000-0000-0000-0000-000000000002", "state": "Off", "clustered": true, "partitions": []}]}]}
LAB

sshd_room "$room/ssh" "$engine" || exit 1
sshd_start e1 "$lab" hv-e1 && sshd_start e2 "$lab" hv-e2 || exit 1
pass "two hosts listen, on ports ${sshd_port[e1]} and ${sshd_port[e2]}"

# By ssh ---------------------------------------------------------------------------------------------------------------

words="powershell -NoLogo -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand"
command="$words $(encoded <<<'"$((Hyper-V\Get-VM).Name) on $env:COMPUTERNAME"')"
is "powershell -EncodedCommand runs on the first host" "one on HV-E1" "$(sshd_ssh e1 "$command")"
is "and on the second" "two on HV-E2" "$(sshd_ssh e2 "$command")"

nonce=0123456789abcdef0123456789abcdef
# talk REMOTING COMMAND...: an agent that is started by COMMAND, asked hello and observe, in `answer`.
talk() {
  local hello="{\"id\":1,\"op\":\"hello\",\"nonce\":\"$nonce\",\"mode\":\"read\",\"host\":\"h\",\"client\":null,\"remoting\":$1}"
  local observe='{"id":2,"op":"observe"}' wait
  shift
  : >"$room/answer"
  {
    base64 -w 1000 "$agent/agent.ps1"
    printf '\n.\n%d:%s\n%d:%s\n' ${#hello} "$hello" ${#observe} "$observe"
    # The end of its input is its end.
    for wait in {1..600}; do
      ! grep -q "gpup-$nonce [0-9]*:{\"id\":2," "$room/answer" || break
      sleep 0.1
    done
  } | "$@" >"$room/answer" 2>&1
  answer=$(<"$room/answer")
}
command="$words $(encoded <"$agent/bootstrap.ps1")"
talk null sshd_ssh e2 "$command"
says "the agent answers over ssh: hello" "gpup-$nonce [0-9]+:\{\"id\":1,\"ok\":true,.*\"computer\":\"HV-E2\",\"build\":26100" "$answer"
says "and observe" "gpup-$nonce [0-9]+:\{\"id\":2,\"ok\":true,.*\"name\":\"two\"" "$answer"
# Windows OpenSSH hands the command to the shell that the registry names.
for shell in 'powershell -NoProfile -Command' 'dash -c'; do
  sshd_start shell "$lab" hv-e2 "ForceCommand $shell \"\$SSH_ORIGINAL_COMMAND\""
  talk null sshd_ssh shell "$command"
  says "the agent answers where the login shell is '$shell'" "gpup-$nonce [0-9]+:\{\"id\":2,\"ok\":true,.*\"name\":\"two\"" "$answer"
  sshd_stop shell
done

refused() {
  local title=$1 pattern=$2
  shift 2
  answer=$("$@" 2>&1 </dev/null)
  status=$?
  is "$title: ssh ends with 255" 255 "$status"
  says "$title: and says why" "$pattern" "$answer"
}
with_known_hosts() { GPUP_TEST_KNOWN_HOSTS=$1 sshd_ssh e1 true; }
refused "a host with another key" "IDENTIFICATION HAS CHANGED" with_known_hosts "$sshd_known_hosts_wrong"
refused "a host that is not known" "host key is known for" with_known_hosts "$sshd_known_hosts_none"
other_key() { "$sshd_client/ssh" -i "$sshd_key_unknown" -p "${sshd_port[e1]}" -l "$sshd_user" 127.0.0.1 true; }
refused "a key that the host does not know" "Permission denied" other_key
no_key() { "$sshd_client/ssh" -p "${sshd_port[e1]}" -l "$sshd_user" 127.0.0.1 true; }
refused "no key at all" "Permission denied" no_key
plain_ssh() {
  ssh -T -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$1" -o IdentitiesOnly=yes -i "$sshd_key" \
    -p "${sshd_port[e1]}" -l "$sshd_user" -- 127.0.0.1 echo there
}
is "ssh without our configuration, as gpup calls it" there "$(plain_ssh "$sshd_known_hosts")"
refused "and a host with another key" "IDENTIFICATION HAS CHANGED" plain_ssh "$sshd_known_hosts_wrong"

sshd_host_path=/usr/bin:/bin sshd_start bare "$lab" hv-e1
answer=$(sshd_ssh bare "$command" 2>&1 </dev/null)
is "a host without PowerShell says so by its exit code" 127 $?
sshd_host_environment=(GREETING=hello)
sshd_start loud "$lab" hv-e1 "Banner $room/banner"
sshd_host_environment=()
echo "Nur für Befugte" >"$room/banner"
says "further lines of the configuration count, as a banner" "Nur für Befugte" "$(sshd_ssh loud true 2>&1)"
is "a session gets further variables" hello "$(sshd_ssh loud 'echo $GREETING' 2>/dev/null)"

# By New-PSSession -HostName -----------------------------------------------------------------------------------------------

# psremoting SCRIPT: runs it in the engine, with what a PSSession to each host needs as arguments.
psremoting() {
  printf '%s\n' "$1" >"$room/session.ps1"
  PATH=$sshd_client:$PATH pwsh -NoLogo -NoProfile -NonInteractive -File "$room/session.ps1" \
    "${sshd_port[e1]}" "${sshd_port[e2]}" "$sshd_user" "$sshd_key" "$sshd_key_unknown" 2>&1 </dev/null
}
answer=$(psremoting '
param($First, $Second, $User, $Key, $Unknown)
$ErrorActionPreference = "Stop"
$sessions = foreach ($port in $First, $Second) { New-PSSession -HostName 127.0.0.1 -Port $port -UserName $User -KeyFilePath $Key }
foreach ($session in $sessions) { Invoke-Command -Session $session { "$((Hyper-V\Get-VM).Name) in a session on $env:COMPUTERNAME" } }
try { Invoke-Command -Session $sessions[0] { Hyper-V\Get-VM -Name nobody -ErrorAction Stop } } catch { "id $($_.FullyQualifiedErrorId)" }
$clock = [Diagnostics.Stopwatch]::StartNew()
foreach ($one in 1..20) { [void](Invoke-Command -Session $sessions[0] { 1 }) }
"a call takes $([int]($clock.ElapsedMilliseconds / 20)) ms"
Remove-PSSession -Session $sessions
')
says "New-PSSession -HostName opens a session with the first host" "^one in a session on HV-E1" "$answer"
says "and with the second" "^two in a session on HV-E2" "$answer"
says "an error keeps its id on the way" "^id InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM" "$answer"
grep -E '^a call takes' <<<"$answer"

refusal='
param($First, $Second, $User, $Key, $Unknown)
try {
    [void](New-PSSession -HostName 127.0.0.1 -Port $First -UserName $User -KeyFilePath KEY -ErrorAction Stop)
    "opened"
} catch { "refused $($_.FullyQualifiedErrorId): $($_.Exception.Message)" }
'
answer=$(GPUP_TEST_KNOWN_HOSTS=$sshd_known_hosts_wrong psremoting "${refusal/KEY/\$Key}")
says "no session with a host with another key" "^refused .*PSSessionOpenFailed" "$answer"
answer=$(psremoting "${refusal/KEY/\$Unknown}")
says "no session with a key that the host does not know" "^refused .*PSSessionOpenFailed" "$answer"

remoting="{\"computerName\":null,\"hostName\":\"127.0.0.1\",\"port\":${sshd_port[e2]},\"user\":\"$sshd_user\",\"identityFile\":\"$sshd_key\",\"configurationName\":null}"
here_pwsh() { PATH=$sshd_client:$PATH pwsh ${words#* } "$(encoded <"$agent/bootstrap.ps1")"; }
talk "$remoting" here_pwsh
says "the agent answers through a PSSession: hello" "gpup-$nonce [0-9]+:\{\"id\":1,\"ok\":true,.*\"computer\":\"HV-E2\"" "$answer"
says "and observe" "gpup-$nonce [0-9]+:\{\"id\":2,\"ok\":true,.*\"name\":\"two\"" "$answer"

# The end ---------------------------------------------------------------------------------------------------------------

# gone TITLE PROCESS...
gone() {
  local title=$1 wait one left
  shift
  for wait in {1..100}; do
    left=
    for one in "$@"; do ! kill -0 "$one" 2>/dev/null || left+=" $one"; done
    [ -n "$left" ] || { pass "$title"; return; }
    sleep 0.05
  done
  fail "$title: still there:$left"
}
sshd_ssh e1 'powershell -NoProfile -Command "[Threading.Thread]::Sleep(60000)"' >/dev/null 2>&1 </dev/null &
client=$!
for wait in {1..100}; do
  read -ra family <<<"$(sshd_family "${sshd_pid[e1]}")"
  [ "${#family[@]}" -lt 4 ] || break
  sleep 0.05
done
sshd_stop e1
gone "a host that is stopped takes its session and what runs in it along" "${family[@]}"
wait "$client" 2>/dev/null

# Scripts that end in different ways, and what their own traps have done.
cat >"$room/script" <<SCRIPT
trap 'echo own trap' EXIT
. "$here/sshd.sh"
sshd_room "$room/other" "$engine" && sshd_start one "$lab" hv-e1 && echo "\${sshd_pid[one]}"
(true) # a subshell ends nothing
kill -0 "\${sshd_pid[one]}" && echo alive
\$1
SCRIPT
for way in exit 'kill -TERM '\$\$ 'kill -KILL '\$\$; do
  said=$(bash -c "$(sed "s/^\\\$1\$/$way/" "$room/script")" 2>/dev/null)
  says "a script that ends by '$way': its host ran until then" alive "$said"
  gone "and is gone then" "$(head -n 1 <<<"$said")"
  [ "$way" != exit ] || says "and the script's own trap has run" "own trap" "$said"
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
