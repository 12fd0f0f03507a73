#!/usr/bin/env bash
# A secret is put wherever a user may have one. No output of any command may hold it: tests/canary_test.sh GPUP
set -uo pipefail
gpup=$1
. "$(dirname "$0")/shell.sh"

canary=kanari4711hush
outputs=$room/outputs
mkdir "$outputs"
runs=0

# sing ARGUMENT...: runs the program, keeps all it says and writes, expects nothing of its exit code.
sing() {
  runs=$((runs + 1))
  printf '%s\n' "$1" >>"$room/commands"
  "$gpup" "$@" >"$outputs/$runs.out" 2>"$outputs/$runs.err" </dev/null
  last_command="gpup $*"
  last_status=$?
}

# What the shell has, and what ssh looks for.
export SSHPASS=$canary GPUP_PASSWORD=$canary AWS_SECRET_ACCESS_KEY=$canary GITHUB_TOKEN=$canary KRB5CCNAME=FILE:/tmp/$canary
export GIT_COMMIT=$canary SSH_AUTH_SOCK=$room/$canary/agent SSH_ASKPASS=/bin/false
fresh vdi-pool
mkdir keys
ssh-keygen -q -t ed25519 -N '' -C "$canary" -f keys/good
ssh-keygen -q -t ed25519 -N "$canary" -C x -f keys/locked
echo "$canary" >keys/broken
chmod 600 keys/broken
printf '%s ssh-ed25519 AAAA%s\n|1|%s|x ssh-ed25519 AAAA\n# %s\n127.0.0.1 %s %s\n' h "$canary" "$canary" "$canary" \
  "$(cut -d' ' -f1,2 keys/good.pub)" "$canary" >known_hosts
echo "alice@example.com $(cut -d' ' -f1,2 keys/good.pub) $canary" >allowed_signers
cp desired.yaml clean.yaml
printf '# the password: %s\n' "$canary" >>desired.yaml

# Files with it in the wrong places. %s is where it stands.
wrong=(
  'password: %s'
  '"password": "%s"'
  "apiToken: |\n  first line\n  %s\n"
  'metadata: { name: x, secret: %s }'
  'hosts: [{ name: a, connect: { transport: ssh, address: a, password: %s } }]'
  'hosts: [{ name: a, connect: { transport: ssh, address: "bob:%s@a" } }]'
  'hosts: [{ name: a, connect: { transport: ssh, address: a, user: "bob:%s" } }]'
  'hosts: [{ name: a, connect: "ssh://bob:%s@a" }]'
  'hosts: ["ssh://bob:%s@a"]'
  'assignments: [{ vm: "x", passphrase: [%s, b] }]'
  'hosts:\n  - name: a\n    connect:\n      transport: ssh\n      address: a\n      clientSecret: >-\n        %s'
  'password: "%s'
  'password: %s: x: y'
)
number=0
for line in "${wrong[@]}"; do
  number=$((number + 1))
  {
    printf 'apiVersion: gpup/v1\nkind: GpuPartitioning\n'
    # shellcheck disable=SC2059
    printf "$line\n" "$canary"
  } >"wrong-$number.yaml"
done
cat >real.yaml <<YAML
apiVersion: gpup/v1
kind: GpuPartitioning
metadata: { name: real }
hosts:
  - name: a
    connect: { transport: ssh, address: 127.0.0.1, port: 9, user: bob, identityFile: keys/broken, knownHosts: known_hosts }
  - name: b
    connect: { transport: ssh, address: 127.0.0.1, port: 9, identityFile: keys/locked, knownHosts: known_hosts }
gpus: [{ model: NVIDIA A2, partitionCount: 4 }]
YAML

# Where an sshd can be had, hosts that answer: to a key that is unknown, refused, or another host's.
sshd=$(PATH=$PATH:/usr/sbin command -v sshd || true)
port=$((20000 + RANDOM % 20000))
if [ -n "$sshd" ]; then
  ssh-keygen -q -t ed25519 -N '' -f host_key
  printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $PWD/host_key" "PidFile $PWD/sshd.pid" 'UsePAM no' \
    'StrictModes no' "AuthorizedKeysFile $PWD/nobody" "Banner $PWD/banner" >sshd_config
  echo welcome >banner
  mkdir -p /run/sshd 2>/dev/null
  "$sshd" -D -e -f "$PWD/sshd_config" 2>sshd.log &
  server=$!
  trap 'kill "$server" 2>/dev/null; rm -rf "$room"' EXIT
  for _ in $(seq 50); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break || sleep 0.1; done
  printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 host_key.pub)" >known_right
  printf '[127.0.0.1]:%s %s %s\n' "$port" "$(cut -d' ' -f1,2 keys/good.pub)" "$canary" >known_other
  for known in right other; do
    for key in good locked broken; do
      sed "s/port: 9/port: $port/; s/knownHosts: known_hosts/knownHosts: known_$known/; s,keys/[a-z]*,keys/$key," real.yaml >"real-$known-$key.yaml"
    done
  done
fi

loud=(--log-level trace)
forms() { for form in "$@"; do printf -- '--report\n%s=%s/%s.%s\n' "$form" "$outputs" "$runs" "$form"; done; }

for file in wrong-*.yaml real*.yaml desired.yaml; do
  sing validate -f "$file" "${loud[@]}"
  sing validate -f "$file" -o json
  sing validate -f "$file" --report json="$outputs/$runs.validate"
  sing fmt -f "$file" --check
  sing plan -f "$file" "${loud[@]}" --log-format json --out "$outputs/$runs.plan"
  sing plan -f "$file" -o json
  mapfile -t all < <(forms text json markdown html outage)
  sing plan -f "$file" "${all[@]}"
  mapfile -t all < <(forms text json markdown html junit sarif github gitlab)
  sing drift -f "$file" "${all[@]}" --metrics "$outputs/$runs.prom" --log-level debug --log-file "$outputs/$runs.log"
  sing drift -f "$file" -o github
  sing observe -f "$file" -o json "${loud[@]}"
  sing observe -f "$file" -o yaml
  sing doctor -f "$file" "${loud[@]}"
  sing doctor -f "$file" -o json
  sing export -f "$file"
  sing why vdi-04 -f "$file"
  sing why vdi-04 -f "$file" -o json
  sing restore-power -f "$file" --yes "${loud[@]}" --receipt "$outputs/$runs.receipt.json"
  sing bundle -f "$file" --out "$outputs/$runs.tar"
  sing bundle -f "$file" --out "$outputs/$runs.tar" --pseudonyms "${loud[@]}"
  sing apply -f "$file" --yes "${loud[@]}" --events "$outputs/$runs.events" --receipt "$outputs/$runs.receipt.json" \
    --receipt "$outputs/$runs.receipt.md"
done
cp "$top/examples/vdi-pool/lab.json" lab.json
for key in good locked broken "$canary"; do
  sing plan -f clean.yaml --out "$outputs/signed.plan" --sign "keys/$key" "${loud[@]}"
done
# The path of a key is no secret, and its name was the canary's: what said it is not kept.
rm "$outputs/$runs".*
sing plan -f clean.yaml --out "$outputs/signed.plan" --sign keys/good
sing show "$outputs/signed.plan" --allowed-signers allowed_signers "${loud[@]}"
[ "$last_status" = 0 ] || fail 'a signed plan is not shown'
sing apply "$outputs/signed.plan" --allowed-signers allowed_signers --receipt "$outputs/1.json" --receipt "$outputs/1.md" \
  --sign keys/good --report json="$outputs/report.json" --report html="$outputs/report.html" "${loud[@]}"
[ "$last_status" = 0 ] || fail 'a signed plan is not performed'
sing verify-receipt "$outputs/1.json" --allowed-signers allowed_signers
[ "$last_status" = 0 ] || fail 'its receipt is not verified'
sing verify-receipt known_hosts keys/broken
sing show keys/broken
for key in good locked; do # given for something else
  sing show "keys/$key"
  sing observe --observed "keys/$key"
  sing validate -f "keys/$key"
  sing validate -f "keys/$key" -o json
  sing fmt -f "keys/$key" --check
  sing fmt -f "keys/$key" --diff --check
  sing apply -f clean.yaml --yes --receipt "$outputs/x.json" --previous "keys/$key"
  sing bundle -f "keys/$key" --out "$outputs/$runs.tar"
  sing verify-receipt "keys/$key"
  sing history --state-dir keys
done
sing history
sing history latest -o json
sing resume "${loud[@]}"
sing rollback latest --yes "${loud[@]}" --events -
for uri in "ssh://bob:$canary@127.0.0.1:9" "ssh://bob:$canary@127.0.0.1:no" "winrm://bob:$canary@a" "https://bob:$canary@a" "a=ssh://:$canary@a" \
  "bob:$canary@a"; do
  sing observe --connect "$uri" "${loud[@]}"
  sing doctor --connect "$uri" -o json
  sing restore-power --connect "$uri" --yes
  sing "$uri"
  sing observe "$uri"
  sing plan -f "$uri"
  sing plan -f clean.yaml --observed "$uri"
  sing plan -f clean.yaml --target "$uri"
  sing plan -f clean.yaml -o "$uri"
  sing plan -f clean.yaml --out "$uri/x"
  sing apply "$uri"
  sing explain "$uri"
  sing schema "$uri"
  sing help "$uri"
  sing --conect="$uri" observe
  sing observe --conect="$uri"
  sing why "$uri" -f clean.yaml
  sing history "$uri"
  sing show "$uri"
  sing verify-receipt "$uri"
  sing bundle -f clean.yaml --out "$uri/x"
done
sing schema
sing explain
sing agent
sing version --json
sing help
for shell in bash zsh fish powershell; do sing completion "$shell"; done

# Every command there is was run.
"$gpup" help | sed -n '/^Commands:/,/^$/{s/^  \([a-z-]*\) .*/\1/p}' | grep . >"$room/all"
while read -r command; do
  grep -qx -e "$command" "$room/commands" || fail "no run of '$command' was looked at"
done <"$room/all"
[ "$(wc -l <"$room/all")" -ge 20 ] || fail 'the list of commands was not found'

for tar in "$outputs"/*.tar; do
  mkdir "$tar.d"
  tar -xf "$tar" -C "$tar.d" || fail "$tar is no archive"
done
cp -r "$XDG_STATE_HOME" "$outputs/state"
# Looked for as it is, and as encodings would have it.
for form in "$(sed -n 2p keys/good)" "$(sed -n 4p keys/locked)" "$canary" "$(printf %s "$canary" | base64)" "$(printf %s "$canary" | od -An -tx1 | tr -d ' \n')"; do
  grep -rlaF -e "$form" "$outputs" | sort | while read -r file; do
    printf 'FAILED: the secret is in %s\n' "${file#"$outputs"/}"
    grep -aF -m 2 -e "$form" "$file" | cut -c1-300
  done
done >"$room/found"
[ ! -s "$room/found" ] || { cat "$room/found"; failures=$((failures + 1)); }
# The test itself finds it where it is.
echo "x$canary" >"$outputs/planted"
grep -rlaF -e "$canary" "$outputs" | grep -q planted || fail 'a secret would not be found'
echo "$runs runs of $(wc -l <"$room/all") commands, $(find "$outputs" -type f | wc -l) files looked at"
[ "$failures" = 0 ] || exit 1
