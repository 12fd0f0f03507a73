# Sourced by tests that reach hosts over SSH without leaving the machine: an sshd of its own for each host, run by whoever runs
# the test, on a free port of the loopback, with keys that were made for it. Needs openssh-server (tests/packages.txt).
#
#   sshd_room FOLDER ENGINE             once: keys, and an ssh that knows the hosts; ENGINE is what tests/powershell/build made
#   sshd_start NAME LAB HOST [LINE...]  an sshd whose sessions play HOST of the file LAB; LINEs go into its sshd_config
#   sshd_stop NAME, sshd_stop_all       with its sessions and all that runs in them; at exit of the shell this is done by itself
#   sshd_ssh NAME [OPTION...] [COMMAND] ssh to it, as a person would
#   sshd_connect NAME ssh|psremoting    the host's `connect` for a desired file
#
# After these:
#   ${sshd_port[NAME]}, $sshd_user      with 127.0.0.1 where a host is; each NAME is a port of its own, so a host of its own
#   $sshd_key, $sshd_key_unknown        the private key that they take, and one that they do not
#   $sshd_known_hosts                   of all that were started; $sshd_known_hosts_wrong has another key for each of them, and
#   $sshd_known_hosts_none              is empty
#   $sshd_client                        a folder for the front of PATH, and all that psremoting needs: `ssh` in it reads a
#                                       configuration of ours as a user's own is read (New-PSSession takes no such path, and ssh
#                                       finds ~ without HOME). GPUP_TEST_KNOWN_HOSTS names other known hosts. ENGINE is in it, too
#   ${sshd_log[NAME]}                   what its sshd says
#
# Read by sshd_start, so to be set before it or in front of it:
#   sshd_host_path=/usr/bin:/bin        PATH of the sessions: without ENGINE the host has no PowerShell
#   sshd_host_environment=(NAME=VALUE)  more for the sessions
#
# A script that sets a trap on EXIT sets it before sshd_room, which keeps it.

declare -A sshd_port sshd_log sshd_pid
sshd_folder=
sshd_user=$(id -un)

sshd_room() {
  local program
  for program in /usr/sbin/sshd ssh ssh-keygen setpriv; do
    command -v "$program" >/dev/null || { echo "sshd_room: $program is missing: install openssh-server" >&2; return 1; }
  done
  mkdir -p "$1" && sshd_folder=$(cd "$1" && pwd) && sshd_engine=$(cd "$2" && pwd) || return 1
  # Its configuration has no way to write these.
  case $sshd_folder$sshd_engine in *[\"\\\$%]*) echo "sshd_room: a path holds a character that sshd would change" >&2; return 1 ;; esac
  chmod 700 "$sshd_folder"
  # Run by root, sshd wants this folder of the system's; run by anybody else it does not.
  [ "$(id -u)" != 0 ] || mkdir -p -m 0755 /run/sshd
  sshd_key=$sshd_folder/key
  sshd_key_unknown=$sshd_folder/key_unknown
  sshd_known_hosts=$sshd_folder/known_hosts
  sshd_known_hosts_wrong=$sshd_folder/known_hosts_wrong
  sshd_known_hosts_none=$sshd_folder/known_hosts_none
  sshd_client=$sshd_folder/client
  local key
  for key in key key_unknown host_key host_key_wrong; do
    rm -f "$sshd_folder/$key" "$sshd_folder/$key.pub"
    ssh-keygen -q -t ed25519 -N '' -C "gpup test" -f "$sshd_folder/$key" </dev/null || return 1
  done
  cp "$sshd_key.pub" "$sshd_folder/authorized_keys"
  : >"$sshd_known_hosts" && : >"$sshd_known_hosts_wrong" && : >"$sshd_known_hosts_none"

  mkdir -p "$sshd_client"
  cat >"$sshd_client/config" <<'CONFIG'
BatchMode yes
StrictHostKeyChecking yes
UserKnownHostsFile "${GPUP_TEST_KNOWN_HOSTS}"
GlobalKnownHostsFile none
IdentityAgent none
IdentitiesOnly yes
CONFIG
  # What is given on the command line wins over a configuration.
  cat >"$sshd_client/ssh" <<WRAPPER
#!/bin/sh
export GPUP_TEST_KNOWN_HOSTS="\${GPUP_TEST_KNOWN_HOSTS:-$sshd_known_hosts}"
exec "$(command -v ssh)" -F "$sshd_client/config" "\$@"
WRAPPER
  chmod +x "$sshd_client/ssh"
  local name
  for name in powershell pwsh; do
    printf '#!/bin/sh\nexec "%s" "$@"\n' "$sshd_engine/$name" >"$sshd_client/$name"
    chmod +x "$sshd_client/$name"
  done

  sshd_shell=$BASHPID
  # `trap -p` prints what `trap` can read: its third word is what was set.
  local -a before=()
  eval "before=($(trap -p EXIT))"
  trap "sshd_stop_all; ${before[2]:-}" EXIT
}

sshd_start() {
  local name=$1 lab host=$3 config=$sshd_folder/$1.sshd_config
  lab=$(realpath "$2") || return 1
  shift 3
  local path=${sshd_host_path-$sshd_engine:/usr/local/bin:/usr/bin:/bin} one try port
  local -a environment=("PATH=$path" "GPUP_DOUBLES=$lab" "GPUP_DOUBLES_HOST=$host" "${sshd_host_environment[@]}")
  environment+=(${DOTNET_ROOT:+"DOTNET_ROOT=$DOTNET_ROOT"})
  [ -z "${sshd_pid[$name]:-}" ] || { echo "sshd_start: $name runs already" >&2; return 1; }
  sshd_log[$name]=$sshd_folder/$name.log
  for try in {1..50}; do
    # Below the ports that the system gives to clients.
    port=$((10000 + RANDOM % 20000))
    {
      [ $# = 0 ] || printf '%s\n' "$@"
      printf 'SetEnv'
      for one in "${environment[@]}"; do printf ' "%s"' "$one"; done
      cat <<CONFIG

ListenAddress 127.0.0.1:$port
HostKey "$sshd_folder/host_key"
AuthorizedKeysFile "$sshd_folder/authorized_keys"
PidFile none
# The folder of the test may lie below one that others can write, as /tmp.
StrictModes no
UsePAM no
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserRC no
PermitUserEnvironment no
X11Forwarding no
PrintMotd no
MaxStartups 200
MaxSessions 100
# Found by the sessions' PATH, as the remote command is.
Subsystem powershell pwsh -sshs
CONFIG
    } >"$config"
    : >"${sshd_log[$name]}"
    # It ends with this shell, even where that is killed and runs no trap.
    setpriv --pdeathsig TERM /usr/sbin/sshd -D -f "$config" -E "${sshd_log[$name]}" </dev/null >/dev/null 2>&1 &
    sshd_pid[$name]=$!
    if sshd_listens "$name"; then
      sshd_port[$name]=$port
      printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$sshd_folder/host_key.pub")" >>"$sshd_known_hosts"
      printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$sshd_folder/host_key_wrong.pub")" >>"$sshd_known_hosts_wrong"
      return 0
    fi
    kill "${sshd_pid[$name]}" 2>/dev/null
    wait "${sshd_pid[$name]}" 2>/dev/null
    unset "sshd_pid[$name]"
    grep -q 'Address already in use' "${sshd_log[$name]}" || break
  done
  echo "sshd_start: $name does not listen: $(tail -n 3 "${sshd_log[$name]}")" >&2
  return 1
}

sshd_listens() {
  local wait
  for wait in {1..200}; do
    ! grep -q 'Server listening on' "${sshd_log[$1]}" || return 0
    kill -0 "${sshd_pid[$1]}" 2>/dev/null || return 1
    sleep 0.05
  done
  return 1
}

# The process and all that descend from it.
sshd_family() {
  local stat line rest id
  local -A parent=() found=([$1]=1)
  for stat in /proc/[0-9]*/stat; do
    read -r line 2>/dev/null <"$stat" || continue
    id=${line%% *} rest=${line##*) }
    rest=${rest#* }
    parent[$id]=${rest%% *}
  done 2>/dev/null
  local more=1
  while [ "$more" = 1 ]; do
    more=0
    for id in "${!parent[@]}"; do
      if [ -z "${found[$id]:-}" ] && [ -n "${found[${parent[$id]}]:-}" ]; then found[$id]=1 more=1; fi
    done
  done
  echo "${!found[@]}"
}

sshd_stop() {
  local pid=${sshd_pid[$1]:-}
  [ -n "$pid" ] || return 0
  unset "sshd_pid[$1]"
  # shellcheck disable=SC2046
  kill $(sshd_family "$pid") 2>/dev/null
  wait "$pid" 2>/dev/null
  return 0
}

sshd_stop_all() {
  # A subshell that ends takes nothing with it.
  [ "${sshd_shell:-}" = "$BASHPID" ] || return 0
  local name
  for name in "${!sshd_pid[@]}"; do sshd_stop "$name"; done
}

sshd_ssh() {
  local name=$1
  shift
  "$sshd_client/ssh" -T -i "$sshd_key" -p "${sshd_port[$name]}" -l "$sshd_user" 127.0.0.1 "$@"
}

sshd_connect() {
  case $2 in
    ssh)
      printf '{ transport: ssh, address: 127.0.0.1, port: %s, user: "%s", identityFile: "%s", knownHosts: "%s" }\n' \
        "${sshd_port[$1]}" "$sshd_user" "$sshd_key" "$sshd_known_hosts"
      ;;
    psremoting)
      printf '{ transport: psremoting, hostName: 127.0.0.1, port: %s, user: "%s", identityFile: "%s" }\n' \
        "${sshd_port[$1]}" "$sshd_user" "$sshd_key"
      ;;
    *)
      echo "sshd_connect: $2 is neither ssh nor psremoting" >&2
      return 1
      ;;
  esac
}
