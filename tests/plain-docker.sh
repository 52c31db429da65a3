#!/usr/bin/env bash
# What people's own scripts do with the image, without the orchestrator: `docker build`, `docker network create`, seven
# `docker run`, curl, `docker stop`, `docker rm`, `docker run` again, `docker network disconnect` and `connect`.
# Prints the transcript; exits 1 at the first answer that is not as the contract says. Leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."

image=plain-docker-image
network=plain-docker-net
prefix=10.88.0
target="$(uname -m)-unknown-linux-musl"
view=""
for i in 2 3 4 5 6 7; do view+="${view:+,}$prefix.$i:8080"; done

say() { printf '\n$ %s\n' "$*"; }
run() { say "$@"; "$@"; }

cleanup() {
  for i in 1 2 3 4 5 6 7; do docker rm -f "plain$i" >/dev/null 2>&1 || true; done
  docker network rm "$network" >/dev/null 2>&1 || true
  docker rmi "$image" >/dev/null 2>&1 || true
}
trap cleanup EXIT
cleanup

# start NUMBER [SHARD_COUNT]: as the course's scripts do; without a shard count the node belongs to no shard.
start() {
  local i=$1 ip="$prefix.$(($1 + 1))" nodes="$view" shards=()
  if [ -n "${2:-}" ]; then shards=(-e "SHARD_COUNT=$2"); else nodes="$view,$ip:8080"; fi
  run docker run -d --name "plain$i" --net="$network" --ip="$ip" -p "$((18081 + i)):8080" \
    -e SOCKET_ADDRESS="$ip:8080" -e VIEW="$nodes" "${shards[@]}" "$image" >/dev/null
}

# ask NODE METHOD PATH [BODY]: prints the body and the status, as `curl --write-out "%{http_code}\n"` does.
ask() {
  curl --silent --max-time 70 --request "$2" --header "Content-Type: application/json" --write-out "%{http_code}\n" \
    ${4:+--data "$4"} "http://127.0.0.1:$((18081 + $1))$3"
}

# expect PATTERN NODE METHOD PATH [BODY]: the answer must match the extended regular expression.
expect() {
  local pattern=$1 answer
  shift
  say "curl $2 node$1$3 ${4:-}"
  answer=$(ask "$@") || true
  printf '%s\n' "$answer"
  grep -qE "$pattern" <<<"$answer" || { echo "expected: $pattern" >&2; exit 1; }
}

# eventually SECONDS PATTERN NODE METHOD PATH: asks until the answer matches.
eventually() {
  local deadline=$((SECONDS + $1)) pattern=$2 answer=""
  shift 2
  say "curl $2 node$1$3   (until it matches $pattern)"
  until answer=$(ask "$@") && grep -qE "$pattern" <<<"$answer"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf 'last answer: %s\nexpected: %s\n' "$answer" "$pattern" >&2
      docker logs "plain$1" 2>&1 | tail -20 >&2
      exit 1
    fi
    sleep 0.1
  done
  printf '%s\n' "$answer"
}

run cargo build --release --locked -p node --target "$target"
run docker build -q --build-arg TARGET="$target" -t "$image" .
run docker network create --subnet="$prefix.0/16" "$network"
for i in 1 2 3 4 5 6; do start "$i" 2; done
start 7

eventually 10 "\"view\":\"$view,$prefix.8:8080\".*200" 1 GET /key-value-store-view
eventually 10 '"shard-id":"".*200' 7 GET /key-value-store-shard/node-shard-id
expect '"shard-ids":"1,2".*200' 4 GET /key-value-store-shard/shard-ids
expect "\"shard-id-members\":\"$prefix.2:8080,$prefix.3:8080,$prefix.4:8080\".*200" 7 GET /key-value-store-shard/shard-id-members/1
expect '"doesExist":false,"error":"Key does not exist","message":"Error in GET".*404' 1 GET /key-value-store/course1
expect '"message":"Added successfully","replaced":false.*201' 1 PUT /key-value-store/course1 '{"value": "Distributed Systems"}'
expect '"message":"Updated successfully","replaced":true.*200' 7 PUT /key-value-store/course1 '{"value": "Distributed Systems"}'
expect '"doesExist":true.*"value":"Distributed Systems".*200' 5 GET /key-value-store/course1
expect '"doesExist":true,"message":"Deleted successfully".*200' 2 DELETE /key-value-store/course1
expect '"doesExist":false,"error":"Key does not exist","message":"Error in DELETE".*404' 3 DELETE /key-value-store/course1

for key in 1 2 3 4 5 6 7 8 9 10 11 12; do
  ask $((key % 7 + 1)) PUT "/key-value-store/key$key" "{\"value\": $key}" >/dev/null
done
run docker stop plain3
run docker rm plain3
eventually 5 "\"view\":\"$prefix.2:8080,$prefix.3:8080,$prefix.5:8080" 1 GET /key-value-store-view
for key in 1 2 3 4 5 6 7 8 9 10 11 12; do expect "\"value\":$key\\b.*200" 1 GET "/key-value-store/key$key"; done
start 3 2
eventually 5 "\"view\":\"$view,$prefix.8:8080\".*200" 1 GET /key-value-store-view
for key in 1 2 3 4 5 6 7 8 9 10 11 12; do eventually 10 "\"value\":$key\\b.*200" 3 GET "/key-value-store/key$key"; done

# A container that is disconnected has no way in for the host either: its published port goes with the network.
run docker network disconnect "$network" plain2
eventually 5 "\"view\":\"$prefix.2:8080,$prefix.4:8080,$prefix.5:8080" 1 GET /key-value-store-view
expect '201$' 1 PUT /key-value-store/while-node2-is-away '{"value": true}'
run docker network connect --ip "$prefix.3" "$network" plain2
eventually 5 "\"view\":\"$view,$prefix.8:8080\".*200" 1 GET /key-value-store-view
eventually 5 '"value":true.*200' 2 GET /key-value-store/while-node2-is-away

expect '"message":"Member added to the shard successfully".*200' 1 PUT /key-value-store-shard/add-member/1 "{\"socket-address\": \"$prefix.8:8082\"}"
expect 'Not enough nodes to provide fault-tolerance with the given shard count!.*400' 6 PUT /key-value-store-shard/reshard '{"shard-count": 4}'
expect '"message":"Resharding done successfully".*200' 6 PUT /key-value-store-shard/reshard '{"shard-count": 3}'
for key in 1 2 3 4 5 6 7 8 9 10 11 12; do expect "\"value\":$key\\b.*200" 7 GET "/key-value-store/key$key"; done
for i in 1 2 3 4 5 6 7; do run docker stop "plain$i" >/dev/null; done
for i in 1 2 3 4 5 6 7; do
  code=$(docker inspect --format '{{.State.ExitCode}}' "plain$i")
  [ "$code" = 0 ] || { echo "node$i ended with $code" >&2; exit 1; }
done
echo
echo "the plain image answers as the contract says"
