#!/usr/bin/env bash
# What this store does under load, piece by piece: `tests/under-load.sh [chain] [half] [kill] [reshard] [memory] [fill] [nodes] [idle]`, or
# all of them. On processes of this machine; prints tables. Figures are of a machine on which nothing else is busy. RUNS (5) says of how
# many runs the medians are. Needs curl and python3.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${RUNS:-5} seconds=${SECONDS_EACH:-5}
cargo build --release --locked -q -p orchestrator
orchestrator=$(realpath "${CARGO_TARGET_DIR:-target}/release/orchestrator")
project=under-load
folder=$(mktemp -d)
# There, because a load under which a node ends has failed and leaves its evidence.
ours() { (cd "$folder" && "$orchestrator" -q --runtime process -f cluster.yaml "$@"); }
down() { if [ -e "$folder/cluster.yaml" ]; then ours down -v >/dev/null 2>&1 || true; fi; }
trap 'down; rm -rf "$folder"' EXIT

# N nodes in SHARDS shards, and the port of the first.
up() {
  down
  {
    printf 'name: %s\nimage: { name: assignment4-img }\nshards: %s\nnodes:\n' $project "$2"
    for n in $(seq "$1"); do echo "  - { name: node$n, address: 10.10.0.$((n + 1)), host_port: $((24600 + n)) }"; done
  } >"$folder/cluster.yaml"
  ours up >/dev/null
}
# The result of `bench` in $folder/result; operations that failed are counted by `errors`.
bench() { (ours --output json bench --seconds "$seconds" "$@" || true) | grep '"event":"bench"' >"$folder/result"; }
# A number of it, by the end of its path.
number() { python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))
for name in sys.argv[2].split("."): value = value[name]
print(round(value, 3))' "$folder/result" "$1"; }
processor() { python3 -c 'import json, sys
print(round(sum(share["us_per_operation"] for share in json.load(open(sys.argv[1]))["processor"]), 1))' "$folder/result"; }
errors() { python3 -c 'import json, sys
print(sum(json.load(open(sys.argv[1]))["summary"]["errors"].values()))' "$folder/result"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f\n", a / b }'; }
median() { sort -n | sed -n "$((($1 + 1) / 2))p"; }
pid() { pgrep -f 'as-node|node$' | while read -r id; do
  if tr '\0' '\n' <"/proc/$id/environ" 2>/dev/null | grep -qx "SOCKET_ADDRESS=127.0.0.1:$((24600 + $1))"; then echo "$id"; fi
done; }
resident() { awk '/VmRSS/ { print $2 * 1024 }' "/proc/$(pid "$1")/status"; }
# Until the node serves, for a minute at most.
until_ready() { timeout 60 bash -c "until curl -sf http://127.0.0.1:$((24600 + $1))/readyz >/dev/null; do sleep 0.01; done"; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# One client, 6 nodes in 2 shards, asked at one of them: each write depends on all before it; or on none.
chain() {
  up 6 2
  for _ in $(seq "$runs"); do
    bench --connections 1 --mix put=1 --keys 10000 --node node1
    number summary.per_second >>"$folder/dependent"
    number summary.token_bytes.p99 >>"$folder/token"
    bench --connections 1 --mix put=1 --keys 10000 --node node1 --independent
    number summary.per_second >>"$folder/independent"
  done
  local dependent independent
  dependent=$(median "$runs" <"$folder/dependent") independent=$(median "$runs" <"$folder/independent")
  echo "| a chain of dependent writes across two shards, one client | $dependent/s; independent $independent/s: $(ratio "$dependent" "$independent"); token p99 $(median "$runs" <"$folder/token") B |"
}

# Three nodes: at half of what they can, measured from when each request was due.
half() {
  up 3 1
  for _ in $(seq "$runs"); do
    bench --mix get=1,put=1
    bench --mix get=1,put=1 --rate "$(python3 -c "print(int($(number summary.per_second) / 2))")"
    for kind in get put; do
      ratio "$(number summary.kinds.$kind.latency_us.p99)" "$(number summary.kinds.$kind.latency_us.p50)" >>"$folder/spread-$kind"
      number summary.kinds.$kind.latency_us.p50 >>"$folder/p50-$kind"
    done
  done
  for kind in get put; do
    echo "| ${kind^^} at half of the maximum of GET and PUT by turns, open loop | p50 $(median "$runs" <"$folder/p50-$kind") µs; p99 / p50 $(median "$runs" <"$folder/spread-$kind") |"
  done
}

# One of three is killed; clients of the other two.
kill_one() {
  up 3 1
  for _ in $(seq "$runs"); do
    (sleep 2.5 && ours fault kill node3 >/dev/null) &
    local killing=$!
    bench --mix get=1,put=1 --node node1 --node node2
    wait $killing
    number summary.longest_gap_ms >>"$folder/gap"
    errors >>"$folder/kill-errors"
    ours up >/dev/null
  done
  echo "| one of three killed: the longest time without an answer, for clients of the others | $(median "$runs" <"$folder/gap") ms, at most $(sort -n "$folder/gap" | tail -1) ms; errors $(paste -sd, "$folder/kill-errors") |"
}

# From two shards to three, with clients.
reshard() {
  for keys in 250000 500000 1000000; do
    up 6 2
    bench --mix get=1,put=1 --keys $keys
    local quiet begin
    quiet=$(number summary.per_second)
    (
      sleep 2
      begin=$(milliseconds)
      ours reshard 3 >/dev/null
      echo $(($(milliseconds) - begin)) >"$folder/took"
    ) &
    local changing=$!
    seconds=15 bench --mix get=1,put=1 --keys 1000
    wait $changing
    echo "| from 2 shards to 3 with $keys keys | $(cat "$folder/took") ms; $(number summary.per_second)/s of $quiet/s: $(ratio "$(number summary.per_second)" "$quiet"); longest gap $(number summary.longest_gap_ms) ms; errors $(errors) |"
  done
}

# A million keys of 64 bytes at two nodes.
memory() {
  up 2 1
  local empty full begin
  empty=$(resident 1)
  bench --keys 1000000 --mix get=1
  full=$(resident 1)
  echo "| a million keys of 64 B | $(((full - empty) / 1000000)) B of resident memory for each, and replica |"
  ours fault stop node1 >/dev/null
  begin=$(milliseconds)
  ours fault start node1 >/dev/null
  until_ready 1
  echo "| … a node with them starts serving after | $(($(milliseconds) - begin)) ms |"
}

# A node whose disk is gone, with a replica that has 200 MB.
fill() {
  up 2 1
  bench --keys 50000 --value-bytes 4096 --mix get=1
  ours fault wipe node2 >/dev/null
  local begin
  begin=$(milliseconds)
  ours fault start node2 >/dev/null
  until_ready 2
  echo "| an empty node is filled, 50,000 keys of 4 KiB | $(ratio $((50000 * 4096 / 1000)) $(($(milliseconds) - begin))) MB/s |"
}

# More nodes at the same load of all together: shards of three.
nodes() {
  for count in 3 5 7 15; do
    up $count $(((count + 1) / 3))
    for rate in 1000 2000; do
      for _ in $(seq "$runs"); do
        bench --mix get=1,put=1 --rate $rate
        processor >>"$folder/processor$count-$rate"
      done
      echo "| $count nodes in $(((count + 1) / 3)) shards, $rate operations/s | $(median "$runs" <"$folder/processor$count-$rate") µs of processor for each |"
    done
  done
}

# Nobody asks 15 nodes anything.
idle() {
  up 15 5
  local before after
  ticks() { for n in $(seq 15); do awk '{ print $14 + $15 }' "/proc/$(pid "$n")/stat"; done | awk '{ sum += $1 } END { print sum }'; }
  sleep 10
  before=$(ticks)
  sleep 20
  after=$(ticks)
  echo "| 15 nodes that nobody asks | $(ratio $((after - before)) $((20 * 15))) % of a processor for each |"
}

parts=${*:-chain half kill reshard memory fill nodes idle}
echo "| | |"
echo "|---|---|"
for part in $parts; do
  case $part in
    kill) kill_one ;;
    chain | half | reshard | memory | fill | nodes | idle) "$part" ;;
    *) echo "no part is called $part" >&2; exit 2 ;;
  esac
done
