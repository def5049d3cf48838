# shellcheck shell=bash disable=SC2154
# haproxy before the engines, for tests: what passes it can be cut, refused, delayed, answered with 503 and led elsewhere. Sourced
# by ci/services, whose $place and functions these need; and by who makes faults, for haproxy_says and what is below it.

# start_haproxy: before PostgreSQL and Redis twice, so that one node can be cut off alone, and before S3. Of PostgreSQL it knows a
# replica that may come, and of S3 a store that tells lies.
start_haproxy() {
  local data=$place/haproxy secret name
  local -a ports=()
  need haproxy:haproxy python3:python3
  if runs haproxy/haproxy; then return; fi
  runs postgres/postmaster || start_postgres
  runs seaweedfs || start_seaweedfs
  runs redis/redis || start_redis
  secret=$(<"$place/postgres.password")
  mkdir -p "$data"
  while [ "${#ports[@]}" -lt 6 ]; do
    name=$(free_port)
    if [[ " ${ports[*]} " != *" $name "* ]]; then ports+=("$name"); fi
  done
  printf 'delay 0\nbusy 0\nlies 0\n' >"$data/faults.map"
  cat >"$data/delay.lua" <<'LUA'
core.register_action("delay", { "http-req" }, function(transaction)
  core.msleep(tonumber(transaction:get_var("txn.delay")))
end)
LUA
  start_liar "$data" "${ports[5]}"
  haproxy_configuration "$data" "${ports[@]}" >"$data/haproxy.cfg"
  own "$data"
  as_nobody_special haproxy -D -f "$data/haproxy.cfg" >>"$place/ctl.log" 2>&1 || die "haproxy: $(tail -n 3 "$place/ctl.log")"
  remember AERUGO_TEST_HAPROXY "$data"
  remember AERUGO_TEST_POSTGRES_PROXY "postgresql://aerugo:$secret@127.0.0.1:${ports[0]}/aerugo?sslmode=disable"
  remember AERUGO_TEST_POSTGRES_APART "postgresql://aerugo:$secret@127.0.0.1:${ports[1]}/aerugo?sslmode=disable"
  remember AERUGO_TEST_S3_PROXY "http://127.0.0.1:${ports[4]}"
  secret=$(<"$place/redis.password")
  remember AERUGO_TEST_REDIS_PROXY "redis://:$secret@127.0.0.1:${ports[2]}/0"
  remember AERUGO_TEST_REDIS_APART "redis://:$secret@127.0.0.1:${ports[3]}/0"
}

# start_liar DIR PORT: an S3 that acknowledges what it does not keep (liar.py).
start_liar() {
  become_nobody "$1" python3 "$top/ci/lib.cluster/liar.py" "$2" >"$place/liar.log" 2>&1 &
  echo $! >"$1/liar.pid"
  disown
}

# haproxy_configuration DIR PORT…: of PostgreSQL, of PostgreSQL apart, of Redis, of Redis apart, of S3, of the liar.
haproxy_configuration() {
  local data=$1 name
  cat <<TEXT
global
  stats socket $data/socket mode 600 level admin
  pidfile $data/haproxy.pid
  maxconn 4000
  nbthread 1
  lua-load $data/delay.lua
defaults
  timeout connect 5s
  timeout client 15m
  timeout server 15m
TEXT
  for name in postgres apart; do
    cat <<TEXT
frontend $name
  mode tcp
  bind 127.0.0.1:$2
  default_backend $name
backend $name
  mode tcp
  server engine unix@$place/run/.s.PGSQL.$(postgres_port)
  server replica unix@$place/run/.s.PGSQL.$(replica_port) disabled
TEXT
    shift
  done
  for name in redis redis_apart; do
    cat <<TEXT
frontend $name
  mode tcp
  bind 127.0.0.1:$2
  default_backend $name
backend $name
  mode tcp
  server engine 127.0.0.1:$(redis_port)
TEXT
    shift
  done
  cat <<TEXT
frontend s3
  mode http
  bind 127.0.0.1:$2
  http-request set-var(txn.delay) str(delay),map_str($data/faults.map,0)
  http-request lua.delay if { var(txn.delay) -m int gt 0 }
  http-request return status 503 content-type application/xml string "<Error><Code>SlowDown</Code></Error>" if { str(busy),map_str($data/faults.map,0) -m str 1 }
  use_backend liar if { str(lies),map_str($data/faults.map,0) -m str 1 } { method PUT }
  use_backend liar if { str(lies),map_str($data/faults.map,0) -m str 1 } { method POST } { url_param(uploadId) -m found }
  default_backend s3
backend s3
  mode http
  server engine $(sed -n 's|^export AERUGO_TEST_S3_ENDPOINT=http://||p' "$place/variables")
backend liar
  mode http
  server engine 127.0.0.1:$3
TEXT
}

# haproxy_says COMMAND: of its runtime API; prints the answer.
haproxy_says() {
  python3 -c 'import socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
link.sendall((sys.argv[2] + "\n").encode())
sys.stdout.write("".join(iter(lambda: link.recv(65536).decode(), "")))' "$AERUGO_TEST_HAPROXY/socket" "$1"
}

# cut NAME: what passes now is reset, and may come again at once.
cut() { haproxy_says "shutdown sessions server $1/engine" >/dev/null; }

# refuse NAME, allow NAME: nothing gets through, and what passes is reset; then all does again.
refuse() {
  haproxy_says "disable frontend $1" >/dev/null
  cut "$1"
}
allow() { haproxy_says "enable frontend $1" >/dev/null; }

# delay_s3 MILLISECONDS of each request; busy_s3 1: each is answered with 503. 0 ends any of these.
delay_s3() { haproxy_says "set map $AERUGO_TEST_HAPROXY/faults.map delay $1" >/dev/null; }
busy_s3() { haproxy_says "set map $AERUGO_TEST_HAPROXY/faults.map busy $1" >/dev/null; }
# lie_as_s3 1: what is written is acknowledged, and kept nowhere.
lie_as_s3() { haproxy_says "set map $AERUGO_TEST_HAPROXY/faults.map lies $1" >/dev/null; }

# fail_over: what comes for PostgreSQL is led to the replica, from now on.
fail_over() {
  local name
  for name in postgres apart; do
    haproxy_says "disable server $name/engine" >/dev/null
    cut "$name"
    haproxy_says "enable server $name/replica" >/dev/null
  done
}
