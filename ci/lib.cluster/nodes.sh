# shellcheck shell=bash disable=SC2154
# Nodes of one registry over engines that they share. Sourced by scripts that have begun (lib.sh); variables: $work, $report,
# $programs (where aerugo is).

readonly node_count=3
node_urls=()
node_settings=()
declare -A node_databases=() node_caches=() node_clocks=()

# start_engines SERVICE…: those of ci/services, in a folder of this script's own; the script's at_end calls stop_engines.
start_engines() {
  local variables
  chmod 711 "$work" # where users without rights have to pass
  export AERUGO_SERVICES=$work/services
  variables=$("$top/ci/services" start "$@") || return
  eval "$variables"
}

stop_engines() { if [ -d "${AERUGO_SERVICES:-/nowhere}" ]; then "$top/ci/services" stop; fi; }

# sql STATEMENT: in the database of the engine's own making.
sql() { PGOPTIONS="-c client_min_messages=error" psql --quiet --no-psqlrc --no-align --tuples-only --dbname "$AERUGO_TEST_POSTGRES" --command "$1"; }

# plan_cluster NAME direct|proxied [files]: an empty database and an empty place in the bucket (or files), for nodes to come.
# Proxied, the engines are reached through haproxy, and by the last node in a way of its own.
plan_cluster() {
  local name=$1 way=$2 blobs=${3:-s3} node from=$AERUGO_TEST_POSTGRES endpoint=$AERUGO_TEST_S3_ENDPOINT
  local cache=$AERUGO_TEST_REDIS
  sql "CREATE DATABASE $name"
  if [ "$way" = proxied ]; then
    from=$AERUGO_TEST_POSTGRES_PROXY endpoint=$AERUGO_TEST_S3_PROXY cache=$AERUGO_TEST_REDIS_PROXY
  fi
  node_settings=(--set rate.registration=0 --set http.trusted-proxies=127.0.0.1)
  if [ "$blobs" = s3 ]; then
    (umask 077 && printf '%s\n' "$AERUGO_TEST_S3_SECRET_ACCESS_KEY" >"$work/s3.secret")
    node_settings+=(--set "s3.bucket=$AERUGO_TEST_S3_BUCKET" --set "s3.endpoint=$endpoint" --set "s3.prefix=$name/"
      --set "s3.access-key-id=$AERUGO_TEST_S3_ACCESS_KEY_ID" --set "s3.secret-key-file=$work/s3.secret")
  fi
  if [ ! -e "$work/administrator" ]; then (umask 077 && openssl rand -hex 16 >"$work/administrator"); fi
  node_urls=()
  for ((node = 1; node <= node_count; node++)); do
    node_urls[node]=http://127.0.0.1:$(free_port)
    node_databases[$node]=${from/\/aerugo\?/\/$name?}
    node_caches[$node]=$cache
  done
  if [ "$way" = proxied ]; then
    node_databases[$node_count]=${AERUGO_TEST_POSTGRES_APART/\/aerugo\?/\/$name?}
    node_caches[$node_count]=$AERUGO_TEST_REDIS_APART
  fi
  cluster_name=$name
}

# start_node NUMBER: in the background; its log is appended to $report/NAME-NUMBER.log. Its clock is as far off as node_clocks says.
start_node() {
  local -a clock=()
  if [ -n "${node_clocks[$1]:-}" ]; then clock=(env "LD_PRELOAD=$work/clock${node_clocks[$1]}.so"); fi
  AERUGO_DATABASE_URL=${node_databases[$1]} AERUGO_REDIS_URL=${node_caches[$1]} AERUGO_ADMIN_PASSWORD_FILE=$work/administrator \
    start_server "node$1" "$work/node$1.out" "${clock[@]}" "$programs/aerugo" serve --listen "${node_urls[$1]#http://}" \
    --data "$work/$cluster_name-$1" --set "log.file=$report/$cluster_name-$1.log" "${node_settings[@]}"
}

# make_clock SECONDS: what makes a node's clock so far off.
make_clock() {
  if ! command -v clang >/dev/null; then need_toolchain; fi
  clang -shared -fPIC -O1 "-DOFFSET=$1" -o "$work/clock$1.so" "$top/ci/lib.cluster/clock.c"
}

# wait_node NUMBER: a first start takes its time where three of them share a core.
wait_node() {
  wait_ready "node$1" "$work/node$1.out" "$patience" curl --fail --silent --max-time 10 --output /dev/null "${node_urls[$1]}/readyz"
}

# start_nodes NUMBER…: all at once, and waits for them.
start_nodes() {
  local node
  for node in "$@"; do start_node "$node"; done
  for node in "$@"; do wait_node "$node" || return; done
}

# kill_node NUMBER: by SIGKILL, while it does whatever it does.
kill_node() {
  local pid=${server_pids[node$1]}
  unset "server_pids[node$1]"
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

signal_node() { kill -s "$2" "${server_pids[node$1]}"; }

# stop_nodes: all that run, by SIGTERM; fails where one does not end with 0.
stop_nodes() {
  local node status=0
  for ((node = 1; node <= node_count; node++)); do
    if [ -z "${server_pids[node$node]:-}" ]; then continue; fi
    stop_server "node$node" 30
    if [ "$stopped" -ne 0 ]; then
      warn "node $node ended with $stopped"
      status=1
    fi
  done
  return "$status"
}

# nodes_by_comma: their URLs.
nodes_by_comma() { printf '%s' "$(IFS=,; printf '%s' "${node_urls[*]}")"; }

# open_cluster NAME: engines with haproxy before them, nodes, and accounts in $work/accounts. The program is the release build that
# is there, or is built.
open_cluster() {
  local name=$1
  need curl:curl openssl:openssl jq:jq python3:python3 psql:postgresql-client-15
  mkdir -p "$report"
  report=$(cd "$report" && pwd)
  rm -f "$report/$name"-*.log
  programs=$top/.build/release
  if [ ! -x "$programs/aerugo" ]; then
    need_toolchain
    build_release --product aerugo
  fi
  heading "$node_count nodes on PostgreSQL, SeaweedFS and Redis"
  start_engines postgres seaweedfs redis haproxy
  plan_cluster "$name" proxied
  start_nodes 1 2 3
  make_accounts "$programs/aerugo" "$work/$name-1" "$work/accounts" >/dev/null
}
