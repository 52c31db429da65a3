#!/usr/bin/env bash
# Shows in a system-call trace of one node that every write is synced before it is answered: after a request is read, the
# journal is written with its key, then synced, and only then the reply is sent. Needs strace and curl.
#
#   tests/sync-before-reply.sh              exits 1 at a reply without its sync
#   tests/sync-before-reply.sh --interval   with DURABILITY=interval, where there must be such replies: exits 1 if none is found
set -euo pipefail
cd "$(dirname "$0")/.."

durability=sync
case "${1:-}" in
  "") ;;
  --interval) durability=interval ;;
  *) echo "usage: $0 [--interval]" >&2; exit 2 ;;
esac
command -v strace >/dev/null || { echo "strace is missing: apt-get install strace" >&2; exit 2; }

readonly sequential=50 clients=8 each=7
cargo build --release --locked -p node
folder=$(mktemp -d)
node=""
cleanup() {
  [ -z "$node" ] || kill -KILL "$node" 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT

until port=$((20000 + RANDOM % 10000)) && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
address=127.0.0.1:$port
trace=$folder/trace

# `-D`: the node is the child of this script, and the tracer is its grandchild.
SOCKET_ADDRESS=$address VIEW=$address BIND_ADDRESS=127.0.0.1 DATA_DIR=$folder/data DURABILITY=$durability \
  strace -D -f -y -ttt -T -s 4096 -o "$trace" \
  -e trace=read,readv,recvfrom,recvmsg,write,writev,pwrite64,sendto,sendmsg,fsync,fdatasync,sync_file_range,msync \
  "${CARGO_TARGET_DIR:-target}/release/node" 2>"$folder/log" &
node=$!

# eventually SECONDS COMMAND...: runs the command until it succeeds.
eventually() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "not in time: $*" >&2; cat "$folder/log" >&2; exit 1; }
    sleep 0.05
  done
}

# put KEY: one request on a connection of its own.
put() {
  local status
  status=$(curl --silent --max-time 10 --output /dev/null --write-out "%{http_code}" --request PUT \
    --data '{"value": "a value"}' "http://$address/kvs/$1")
  [ "$status" = 201 ] || { echo "PUT of $1 was answered with $status" >&2; exit 1; }
}

eventually 10 curl --silent --fail "http://$address/readyz"
for ((i = 0; i < sequential; i++)); do put "alone-$i-"; done
waiting=()
for ((client = 0; client < clients; client++)); do
  (for ((i = 0; i < each; i++)); do put "together-$client-$i-"; done) &
  waiting+=($!)
done
for client in "${waiting[@]}"; do wait "$client"; done
kill -TERM "$node"
wait "$node"
eventually 10 grep -q "^$node .*+++ exited with" "$trace"
node=""

# Order is that of the lines: strace writes one when a call begins and one when it ends, or one for both when nothing came
# between. A call that had ended before another began has its end above that one's begin.
awk -v expected=$((sequential + clients * each)) -v durability="$durability" '
  # A call that has ended, and the lines where it began and ended. The last two are local variables.
  function call(text, began, ended, key, file) {
    file = text
    sub(/^[a-z0-9_]+\([0-9]+</, "", file)
    sub(/>.*/, "", file)
    if (text ~ /^(read|readv|recvfrom|recvmsg)\(.*"PUT \/kvs\//) {
      key = text
      sub(/.*"PUT \/kvs\//, "", key)
      sub(/ .*/, "", key)
      asked[file] = key
      read_at[key] = ended
    } else if (file ~ /\.jnl$/ && text ~ /^(write|writev|pwrite64)\(/) {
      writes++
      for (key in read_at) {
        if (!(key in written) && began > read_at[key] && index(text, key)) {
          written[key] = ended
          journal[key] = file
        }
      }
    } else if (file ~ /\.jnl$/ && text ~ /^f(data)?sync\(.* = 0 </) {
      syncs++
      for (key in written) {
        if (!(key in synced) && file == journal[key] && began > written[key]) synced[key] = ended
      }
    } else if (text ~ /^(write|writev|sendto|sendmsg)\(.*"HTTP\/1\.1 20[01] / && file in asked) {
      key = asked[file]
      delete asked[file]
      replies++
      if (!(key in synced) || synced[key] > began) {
        violations++
        if (violations <= 3) printf "answered before its sync: %s (line %d of the trace)\n", key, began
      } else if (key == "alone-20-") {
        shown = read_at[key] " " written[key] " " synced[key] " " ended
      }
    }
  }
  {
    line[NR] = $0
    text = $0
    sub(/^[0-9]+ +[0-9.]+ /, "", text)
    if (text ~ /<unfinished \.\.\.>$/) {
      sub(/ *<unfinished \.\.\.>$/, "", text)
      begun[$1] = text
      begun_at[$1] = NR
    } else if (text ~ /^<\.\.\. [a-z0-9_]+ resumed>/) {
      sub(/^<\.\.\. [a-z0-9_]+ resumed>/, "", text)
      call(begun[$1] text, begun_at[$1], NR)
    } else {
      call(text, NR, NR)
    }
  }
  END {
    if (shown) {
      print "one request (thread, time in seconds, call, result, duration):"
      split(shown, numbers, " ")
      for (i = 1; i <= 4; i++) print "  " (length(line[numbers[i]]) > 160 ? substr(line[numbers[i]], 1, 110) " … " \
        substr(line[numbers[i]], length(line[numbers[i]]) - 40) : line[numbers[i]])
    }
    printf "DURABILITY=%s: %d journal writes, %d journal syncs, %d of %d replies checked, %d before their sync\n",
      durability, writes, syncs, replies, expected, violations
    if (replies != expected) { print "not every reply is in the trace"; exit 1 }
    if (durability == "sync") exit (violations > 0)
    if (!violations) { print "this check does not find what it is for"; exit 1 }
  }' "$trace"
