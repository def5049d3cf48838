# shellcheck shell=bash disable=SC2154,SC2034
# Faults, each a function fault_NAME SECONDS that returns when it is over. Sourced; the cluster is that of nodes.sh, its engines are
# behind haproxy.sh.

# while_for SECONDS COMMAND…: again and again.
while_for() {
  local until=$((SECONDS + $1))
  shift
  while [ "$SECONDS" -lt "$until" ]; do "$@"; done
}

# pause_between LEAST MOST: for some time between, in milliseconds.
pause_between() { sleep "$(awk -v t=$(($1 + RANDOM % ($2 - $1 + 1))) 'BEGIN { print t / 1000 }')"; }

fault_none() { sleep "$1"; }

kill_some_node() {
  local node=$((RANDOM % node_count + 1))
  kill_node "$node"
  start_node "$node"
  pause_between 1500 3500
}
fault_kill() {
  local node
  while_for "$1" kill_some_node
  for ((node = 1; node <= node_count; node++)); do wait_node "$node"; done
}

# Each in turn: asked to end, started again when it has, and the next when it is ready.
fault_roll() {
  local node
  for ((node = 1; node <= node_count; node++)); do
    stop_server "node$node" 30
    [ "$stopped" -eq 0 ] || warn "node $node ended with $stopped"
    start_nodes "$node"
    sleep 1
  done
}

fault_pause() {
  signal_node 1 STOP
  sleep "$1"
  signal_node 1 CONT
}

fault_pg_restart() { while_for "$1" restart_postgres fast; }
fault_pg_crash() { while_for "$1" restart_postgres immediate; }
restart_postgres() {
  "$AERUGO_TEST_POSTGRES_CTL" restart --mode="$1"
  pause_between 3000 5000
}

fault_pg_away() {
  "$AERUGO_TEST_POSTGRES_CTL" stop --mode=fast
  sleep "$1"
  "$AERUGO_TEST_POSTGRES_CTL" start
}

cut_postgres() {
  cut postgres
  cut apart
  pause_between 100 700
}
fault_pg_cut() { while_for "$1" cut_postgres; }

# Some of the sessions, also such as are in the middle of a commit.
terminate_some() {
  sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '$cluster_name' AND random() < 0.4" >/dev/null
  pause_between 50 400
}
fault_pg_terminate() { while_for "$1" terminate_some; }

# The last node alone is cut off from PostgreSQL.
fault_apart() {
  refuse apart
  sleep "$1"
  allow apart
}

# The replica has all that was acknowledged, as a commit waits for it; from here on it is what there is.
fault_pg_failover() {
  "$top/ci/services" start replica >/dev/null
  "$AERUGO_TEST_POSTGRES_CTL" stop --mode=immediate
  sleep "$1"
  "$AERUGO_SERVICES/replica.ctl" promote
  fail_over
}

# Nodes whose clocks are a minute ahead, and a minute behind.
fault_clocks() {
  make_clock +60
  make_clock -60
  node_clocks=([1]=+60 [2]=-60)
  restart_two_nodes || return
  sleep "$1"
  node_clocks=()
  restart_two_nodes
}
restart_two_nodes() {
  local node
  for node in 1 2; do
    stop_server "node$node" 30
    start_nodes "$node" || return
  done
}

kill_redis() {
  kill -KILL "$(<"$AERUGO_SERVICES/redis/redis.pid")"
  pause_between 100 1500
  "$top/ci/services" start redis >/dev/null
  pause_between 500 1500
}
fault_redis_kill() { while_for "$1" kill_redis; }

fault_redis_away() {
  kill -KILL "$(<"$AERUGO_SERVICES/redis/redis.pid")"
  sleep "$1"
  "$top/ci/services" start redis >/dev/null
}

redis_says() {
  local port=${AERUGO_TEST_REDIS##*:}
  REDISCLI_AUTH=$(<"$AERUGO_SERVICES/redis.password") redis-cli -p "${port%/*}" "$@"
}

# Every value becomes another one, again and again: those that are kept meanwhile, too.
lie_as_redis() {
  redis_says EVAL "for _, key in ipairs(redis.call('KEYS', '*')) do
      if redis.call('TYPE', key).ok == 'string' then redis.call('SET', key, ARGV[1], 'KEEPTTL') end
    end" 0 "$RANDOM" >/dev/null
  pause_between 10 100
}
fault_redis_lies() { while_for "$1" lie_as_redis; }

stop_redis_short() {
  redis_says CLIENT PAUSE 700 ALL >/dev/null
  pause_between 700 1000
}
fault_redis_slow() { while_for "$1" stop_redis_short; }

# The last node alone is cut off from Redis.
fault_redis_apart() {
  refuse redis_apart
  sleep "$1"
  allow redis_apart
}

fault_s3_lies() {
  lie_as_s3 1
  sleep "$1"
  lie_as_s3 0
}

fault_s3_refuse() {
  refuse s3
  sleep "$1"
  allow s3
}

fault_s3_slow() {
  delay_s3 2000
  sleep "$1"
  delay_s3 0
}

fault_s3_busy() {
  busy_s3 1
  sleep "$1"
  busy_s3 0
}

cut_s3() {
  cut s3
  pause_between 50 400
}
fault_s3_cut() { while_for "$1" cut_s3; }

# SeaweedFS takes connections and answers nothing.
fault_s3_stuck() {
  kill -s STOP "$(<"$AERUGO_SERVICES/seaweedfs.pid")"
  sleep "$1"
  kill -s CONT "$(<"$AERUGO_SERVICES/seaweedfs.pid")"
}
