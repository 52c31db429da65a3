#!/usr/bin/env bash
# How long `up` and `down` of the built-in cluster take, and docker-compose with an equal file: by turns, medians of RUNS (5).
# `up` waits until all nodes agree, compose until they are started. Needs an engine, docker-compose, and the image
# (`orchestrator build`); asks for no other cluster on 10.10.0.0/16 and on the ports 8082 to 8088.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-5}
orchestrator=${CARGO_TARGET_DIR:-target}/release/orchestrator
project=against-compose
folder=$(mktemp -d)
clean() {
  "$orchestrator" -q -p $project down -v >/dev/null 2>&1 || true
  docker-compose -p $project -f "$folder/compose.yaml" down -v >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap clean EXIT

# Without sources: the image is there, and nothing is compiled.
sed 's/, *build: \.//' cluster.yaml >"$folder/cluster.yaml"
view=$(seq -f '10.10.0.%g:8080' -s, 2 7)
{
  echo 'version: "2.4"'
  echo 'networks: { net: { ipam: { config: [ { subnet: 10.10.0.0/16, ip_range: 10.10.128.0/17 } ] } } }'
  echo "volumes: { $(seq -f 'node%g: {}' -s, 1 7) }"
  echo 'services:'
  for n in 1 2 3 4 5 6 7; do
    address=10.10.0.$((n + 1)) port=$((8081 + n))
    if [ $n = 7 ]; then own="VIEW: '$view,$address:8080'"; else own="VIEW: '$view', SHARD_COUNT: '2'"; fi
    echo "  node$n:"
    echo "    { image: assignment4-img, hostname: node$n, volumes: [ 'node$n:/data' ], ports: [ '127.0.0.1:$port:8080' ],"
    echo "      networks: { net: { ipv4_address: $address } }, mem_limit: 256m, pids_limit: 256, read_only: true,"
    echo "      cap_drop: [ ALL ], security_opt: [ no-new-privileges ],"
    echo "      environment: { SOCKET_ADDRESS: '$address:8080', API_DIALECT: '2019', EXTRA_PORTS: '$port', $own } }"
  done
} >"$folder/compose.yaml"

milliseconds() {
  local start
  start=$(date +%s%N)
  "$@" >/dev/null 2>"$folder/log" || { cat "$folder/log" >&2; exit 1; }
  echo $((($(date +%s%N) - start) / 1000000))
}
ours() { "$orchestrator" -q -p $project -f "$folder/cluster.yaml" --runtime docker "$@"; }
theirs() { docker-compose -p $project -f "$folder/compose.yaml" "$@"; }
median() { sort -n | sed -n "$(((runs + 1) / 2))p"; }

for run in $(seq "$runs"); do
  our_up=$(milliseconds ours up)
  again=$(milliseconds ours up)
  status=$(milliseconds ours status)
  our_down=$(milliseconds ours down -v)
  their_up=$(milliseconds theirs up -d)
  their_down=$(milliseconds theirs down -v)
  validate=$(milliseconds ours validate)
  help=$(milliseconds "$orchestrator" --help)
  echo "run $run: up $our_up, compose $their_up; down $our_down, compose $their_down; up again $again, status $status, validate $validate, help $help"
  for name in our_up their_up our_down their_down again status validate help; do echo "${!name}" >>"$folder/$name"; done
done
of() { median <"$folder/$1"; }
ratio() { awk -v a="$(of "$1")" -v b="$(of "$2")" 'BEGIN { printf "%.2f", a / b }'; }
echo "medians in ms: up $(of our_up), compose $(of their_up): $(ratio our_up their_up) of it"
echo "               down $(of our_down), compose $(of their_down): $(ratio our_down their_down) of it"
echo "               up again $(of again), status $(of status), validate $(of validate), --help $(of help)"
