#!/usr/bin/env bash
# What this store does in a second beside what people would use instead: a bare axum server, etcd by its JSON gateway, and redis with
# a sync for each write. By turns, medians of RUNS (5), all on 127.0.0.1. Needs etcd, redis-server and redis-benchmark (Debian:
# etcd-server, redis) and nothing else that is busy; prints a table.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-5} seconds=${SECONDS_EACH:-5}
target=${CARGO_TARGET_DIR:-target}/release
cargo build --release --locked -q -p orchestrator
cargo build --release --locked -q -p load --examples
folder=$(mktemp -d)
children=()
clean() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait
  for project in peers-three peers-one; do
    "$target/orchestrator" -q --runtime process -p $project down -v >/dev/null 2>&1 || true
  done
  rm -rf "$folder"
}
trap clean EXIT

until_open() {
  for _ in $(seq 200); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    sleep 0.05
  done
  echo "nothing listens on 127.0.0.1:$1" >&2
  exit 1
}
nodes() { for n in $(seq "$2"); do echo "  - { name: node$n, address: 10.10.0.$((n + 1)), host_port: $(($1 + n)) }"; done; }
cluster() {
  printf 'name: %s\nimage: { name: assignment4-img }\nshards: 1\nnodes:\n%s\n%s\n' "$1" "$(nodes "$2" "$3")" "${4-}" >"$folder/$1.yaml"
  "$target/orchestrator" -q --runtime process -f "$folder/$1.yaml" up >/dev/null
}
# The fourth has no shard and forwards everything.
cluster peers-three 24100 3 '  - { name: forwarding, address: 10.10.0.9, host_port: 24104, ungrouped: true }'
cluster peers-one 24200 1
"$target/examples/constant" 127.0.0.1:24300 180 & children+=($!)
members=$(for n in 1 2 3; do printf 'm%s=http://127.0.0.1:2441%s,' $n $n; done)
for n in 1 2 3; do
  etcd --name m$n --data-dir "$folder/etcd$n" --log-level error --initial-cluster "${members%,}" --initial-cluster-state new \
    --listen-peer-urls http://127.0.0.1:2441$n --initial-advertise-peer-urls http://127.0.0.1:2441$n \
    --listen-client-urls http://127.0.0.1:2440$n --advertise-client-urls http://127.0.0.1:2440$n >"$folder/etcd$n.log" 2>&1 &
  children+=($!)
done
redis-server --port 24500 --bind 127.0.0.1 --dir "$folder" --appendonly yes --appendfsync always --save '' >"$folder/redis.log" &
children+=($!)
for port in 24101 24102 24103 24104 24201 24300 24401 24402 24403 24500; do until_open $port; done

three=(127.0.0.1:24101 127.0.0.1:24102 127.0.0.1:24103)
etcd=(127.0.0.1:24401 127.0.0.1:24402 127.0.0.1:24403)
measure() { "$target/examples/measure" "$@" --seconds "$seconds" | sed 's/.*"per_second":\([0-9]*\).*/\1/'; }
redis() {
  redis-benchmark -p 24500 -t set -d 64 -r 1000 -n "$1" -c "$2" --csv | awk -F'"' '/SET/ { printf "%d\n", $4 }'
}
note() { echo "$2" >>"$folder/$1.figure"; echo "run $run: $1 $2"; }
for run in $(seq "$runs"); do
  note bare "$(measure store 127.0.0.1:24300)"
  note get "$(measure store "${three[0]}")"
  note forwarded "$(measure store 127.0.0.1:24104)"
  note put "$(measure store "${three[@]}" --mix put=1)"
  note etcd-put "$(measure etcd "${etcd[@]}" --mix put=1)"
  note put-alone "$(measure store "${three[0]}" --mix put=1 --connections 1)"
  note etcd-put-alone "$(measure etcd "${etcd[0]}" --mix put=1 --connections 1)"
  note one-node-put "$(measure store 127.0.0.1:24201 --mix put=1)"
  note redis-set "$(redis 50000 32)"
done
of() { sort -n "$folder/$1.figure" | sed -n "$(((runs + 1) / 2))p"; }
line() { awk -v a="$(of "$2")" -v b="$(of "$3")" -v what="$1" 'BEGIN { printf "| %s | %d | %d | %.2f |\n", what, a, b, a / b }'; }
echo "| operations a second, medians of $runs | this store | the other | ratio |"
echo "|---|---:|---:|---:|"
line "GET of a key that the node owns, 32 clients; a bare axum server" get bare
line "GET at a node that must forward it; the same" forwarded bare
line "PUT of 64 bytes, 32 clients, three nodes; etcd, three members" put etcd-put
line "the same, one client" put-alone etcd-put-alone
line "PUT, 32 clients, one node; redis, appendfsync always" one-node-put redis-set
curl -s http://127.0.0.1:24201/metrics | awk '
  /^node_storage_sync_seconds_total/ { seconds = $2 }
  /^node_storage_syncs_total/ { syncs = $2 }
  END { printf "A sync of the disk took %.2f ms on average, at the one node.\n", seconds / syncs * 1000 }'
