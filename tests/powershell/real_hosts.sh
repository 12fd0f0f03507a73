# Sourced by tests that run gpup on the hosts of a lab as on real ones: the engine and its doubles behind each transport.
#
#   real_room FOLDER ENGINE               once
#   reach TRANSPORT DESIRED LAB           rewrites the `connect` of each host of the file DESIRED: local, ssh or psremoting, to an
#                                         engine that plays the host of that name in LAB
#   unreach                               stops what `reach` started
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

reach() {
  local transport=$1 desired=$2 lab=$3 host line
  while IFS= read -r line; do
    case $line in
      *"- name: "*) host=${line#*- name: } ;;
      *"connect: {"*)
        if [ "$transport" = local ]; then
          line="    connect: $(real_program "$host" "$lab")"
        else
          sshd_start "$host" "$lab" "$host" || return 1
          line="    connect: $(sshd_connect "$host" "$transport")"
        fi
        ;;
    esac
    printf '%s\n' "$line"
  done <"$desired" >"$desired.new"
  mv "$desired.new" "$desired"
  [ "$transport" != psremoting ] || export PATH=$sshd_client:$real_path
}

unreach() {
  sshd_stop_all
  export PATH=$real_path
}
