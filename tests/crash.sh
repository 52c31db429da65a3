#!/usr/bin/env bash
# Kills all seven nodes at once while 32 clients write, starts them again, and reads back every write that was ever
# acknowledged, from every node. Again and again on the same cluster, which is one of its own and leaves nothing behind.
# Exits 1 when a write is missing.
#
#   tests/crash.sh [--runs 10] [--runtime docker|process] [--mutant]
#
# --mutant removes the disks between the kill and the start, and fails unless that is found out: the test of this test.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=10 runtime=auto mutant=""
while [ $# -gt 0 ]; do
  case $1 in
    --runs) runs=$2; shift 2 ;;
    --runtime) runtime=$2; shift 2 ;;
    --mutant) mutant=yes; shift ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done

cargo build --release --locked --quiet -p orchestrator
cargo build --release --locked --quiet -p conformance --example writers
target=${CARGO_TARGET_DIR:-target}/release
folder=$(mktemp -d)
ledger=$folder/ledger
loads=""

orchestrate() { "$target/orchestrator" --quiet --isolate -p "crash-$$" --runtime "$runtime" "$@"; }
writers() { "$target/examples/writers" "${urls[@]/#/--url=}" --ledger "$ledger" "$@"; }

cleanup() {
  [ -z "$loads" ] || kill "$loads" 2>/dev/null || true
  orchestrate down -v >/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT

# Starts what does not run; learns where the nodes are.
up() {
  mapfile -t urls < <(orchestrate --output json up | grep -o '"url":"[^"]*"' | cut -d '"' -f 4)
  [ "${#urls[@]}" -ge 7 ] || { echo "the cluster does not start: ${#urls[@]} nodes" >&2; exit 1; }
}

acknowledged() { grep -c '^ack' "$ledger" || true; }

up
nodes=$(orchestrate --output json status | grep -o '"name":"[^"]*"' | cut -d '"' -f 4)
: >"$ledger"
failed=0
for run in $(seq "$runs"); do
  goal=$(($(acknowledged) + 500 + RANDOM % 1000)) deadline=$((SECONDS + 60))
  writers --clients 32 --prefix "run$run" --seconds 90 &
  loads=$!
  until [ "$(acknowledged)" -ge "$goal" ]; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "run $run: the clients get no further" >&2; exit 1; }
    sleep 0.05
  done
  # shellcheck disable=SC2086 # one word a node
  orchestrate fault kill $nodes >/dev/null
  # Every client ends at the first request that nobody answers.
  wait "$loads"
  loads=""
  [ -z "$mutant" ] || orchestrate down -v >/dev/null
  up
  code=0
  result=$(writers --verify) || code=1
  echo "run $run: ${result//$'\n'/$'\n'  }"
  [ "$code" = 0 ] || failed=$((failed + 1))
  [ -z "$mutant" ] || : >"$ledger"
done

if [ -n "$mutant" ]; then
  [ "$failed" = "$runs" ] || { echo "disks were removed and nothing was found missing" >&2; exit 1; }
  echo "$runs runs without their disks, each found out"
  exit 0
fi
echo "$runs runs, $failed with missing writes"
[ "$failed" = 0 ]
