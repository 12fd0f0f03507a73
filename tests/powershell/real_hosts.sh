# Sourced by tests that run gpup on the hosts of a lab as on real ones: the engine and its doubles behind each transport.
#
#   real_room FOLDER ENGINE               once
#   reach TRANSPORT DESIRED               rewrites the `connect` of each simulated host of the file DESIRED: local, ssh or
#                                         psremoting, to an engine that plays the host of that name in the same lab
#   unreach                               stops what `reach` started
#   lasting PROGRAM TRANSPORT [read]      from here on `gpup` runs in one process (PROGRAM is gpup_in_one): a host's session is
#                                         opened once, so it is always the host of the lab that it was reached with first; it
#                                         may write, unless `read` is said
#   not_lasting                           ends that process, and the sessions
. "$(dirname "${BASH_SOURCE[0]}")/sshd.sh"

real_room() {
  real_folder=$1
  mkdir -p "$real_folder"
  sshd_room "$real_folder/ssh" "$2"
  real_engine=$(cd "$2" && pwd)
  real_path=$PATH
}

# A program that is powershell on that host.
real_program() {
  local host=$1 lab
  lab=$(realpath "$2")
  mkdir -p "$real_folder/bin"
  cat >"$real_folder/bin/$host" <<PROGRAM
#!/bin/sh
export GPUP_DOUBLES='$lab' GPUP_DOUBLES_HOST='$host'
exec '$real_engine/powershell' "\$@"
PROGRAM
  chmod +x "$real_folder/bin/$host"
  printf '{ transport: local, powershell: "%s" }\n' "$real_folder/bin/$host"
}

path_for() { if [ "$1" = psremoting ]; then echo "$sshd_client:$real_path"; else echo "$real_path"; fi; }

reach() {
  local transport=$1 desired=$2 host lab line
  while IFS= read -r line; do
    case $line in
      *"- name: "*) host=${line#*- name: } ;;
      *"connect: {"*"file: "*)
        lab=${line#*file: }
        lab=${lab% \}}
        if [ "$transport" = local ]; then
          line="    connect: $(real_program "$host" "$lab")"
        else
          [ -n "${sshd_pid[$host]:-}" ] || sshd_start "$host" "$lab" "$host" || return 1
          line="    connect: $(sshd_connect "$host" "$transport")"
        fi
        ;;
    esac
    printf '%s\n' "$line"
  done <"$desired" >"$desired.new"
  mv "$desired.new" "$desired"
  export PATH
  PATH=$(path_for "$transport")
}

lasting() {
  rm -f "$room/asks" "$room/codes"
  mkfifo "$room/asks" "$room/codes"
  PATH=$(path_for "$2") "$1" "$room/out" "$room/err" "${3:-write}" <"$room/asks" >"$room/codes" 2>/dev/null &
  lasting_process=$!
  exec {lasting_asks}>"$room/asks" {lasting_codes}<"$room/codes"
  run_by=run_lasting
}

run_lasting() {
  local code=255
  printf '%s\0' "$PWD" "$@" '' >&"$lasting_asks"
  read -r code <&"$lasting_codes"
  return "$code"
}

not_lasting() {
  printf '\0' >&"$lasting_asks"
  wait "$lasting_process"
  exec {lasting_asks}>&- {lasting_codes}<&-
  run_by=run_once
}

unreach() {
  sshd_stop_all
  PATH=$real_path
}
