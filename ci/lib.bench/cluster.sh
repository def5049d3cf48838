# shellcheck shell=bash disable=SC2154,SC2004
# What it costs to have nodes on PostgreSQL, S3 and Redis instead of one on SQLite and files: pulls, pushes, CPU. The engines share the
# core of the clients; each server has the other one. docker-registry gets a second one, on the same SeaweedFS.

# shellcheck source=/dev/null
. "$top/ci/lib.bench/accounts.sh"

readonly cluster_nodes=(node1 node2 node3) together=32 together_size=16
push_key=''

at_end() { if [ -d "$work/services" ]; then AERUGO_SERVICES=$work/services "$top/ci/services" stop; fi; }

round_cluster() {
  local turn
  if [ "$peers_only" = yes ]; then return; fi
  if [ -z "${account_keys[node1]:-}" ]; then start_cluster; fi
  for ((turn = 1; turn <= seconds; turn++)); do
    cluster_get embedded node1 uncached
    record docker-get docker-registry "$(requests_per_second "$(url docker-registry)/v2/$pulled/manifests/latest" 32)"
    record redirect aerugo "$(with_header "Authorization: Bearer ${account_tokens[node1]}" 32 \
      "$(url node1)/v2/$pulled/blobs/$(digest_of "$work/layer")")"
    cluster_cpu one node1
    cluster_cpu three "${cluster_nodes[@]}"
  done
  for turn in aerugo docker-registry; do s3_push "$turn"; done
}

after_cluster() {
  local server
  if [ "$peers_only" = yes ]; then return; fi
  heading "$together pushes of $together_size MiB at once"
  for server in aerugo docker-registry; do s3_push_many "$server"; done
  record s3-memory aerugo "$(peak_memory pushed)"
  record s3-memory docker-registry "$(peak_memory distribution)"
  for server in embedded pushed distribution uncached "${cluster_nodes[@]}"; do stop_server "$server" 30; done
}

rows_cluster() {
  target 'manifest GET with a bearer token, content in the process, versions from PostgreSQL, requests/s' get-node1 0 \
    '≥ 0.5 × embedded' "$(over get-node1 aerugo get-embedded aerugo)" ge 0.5
  target 'the same' get-node1 0 '≥ 25 × docker-registry' "$(over get-node1 aerugo docker-get docker-registry)" ge 25
  target 'the same, content only in Redis' get-uncached 0 '≥ 0.4 × embedded' "$(over get-uncached aerugo get-embedded aerugo)" ge 0.4
  target 'blob GET as redirect, a second' redirect 0 '≥ 15,000' "$(median redirect aerugo)" ge 15000 /s
  target "push of $blob_size MiB to S3, one stream, MiB/s" s3-push 0 '≥ 1.5 × docker-registry' \
    "$(over s3-push aerugo s3-push docker-registry)" ge 1.5
  target "push of $together times $together_size MiB at once, MiB/s" s3-push-many 0 '≥ 1.5 × docker-registry' \
    "$(over s3-push-many aerugo s3-push-many docker-registry)" ge 1.5
  target 'memory of all these pushes, MiB' s3-memory 1 '≤ 96 MiB' "$(median s3-memory aerugo)" le 96 MiB
  target 'three nodes: CPU-seconds a million GETs' cpu-three 1 '≤ 1.1 × of one' "$(over cpu-three aerugo cpu-one aerugo)" le 1.1
}

also_cluster() { printf 'embedded, the manifest GET runs at %s/s' "$(figure get-embedded aerugo 0)"; }

start_cluster() {
  local variables server
  chmod 711 "$work"
  export AERUGO_SERVICES=$work/services
  variables=$(on_client_core "$top/ci/services" start postgres seaweedfs redis)
  eval "$variables"
  (umask 077 && printf '%s\n' "$AERUGO_TEST_S3_SECRET_ACCESS_KEY" >"$work/s3.secret")
  local s3="--set s3.bucket=$AERUGO_TEST_S3_BUCKET --set s3.endpoint=$AERUGO_TEST_S3_ENDPOINT"
  s3+=" --set s3.access-key-id=$AERUGO_TEST_S3_ACCESS_KEY_ID --set s3.secret-key-file=$work/s3.secret"
  export AERUGO_REDIS_URL=
  start_tenants embedded
  for server in node1 uncached pushed; do
    PGOPTIONS="-c client_min_messages=error" psql --quiet --no-psqlrc --dbname "$AERUGO_TEST_POSTGRES" --command "CREATE DATABASE $server"
    tenant_options[$server]="$s3 --set s3.prefix=$server/"
  done
  tenant_options[uncached]+=" --set cache.manifests=0"
  for server in node2 node3; do tenant_options[$server]=${tenant_options[node1]}; done
  export AERUGO_REDIS_URL=$AERUGO_TEST_REDIS
  for server in node1 uncached pushed; do
    AERUGO_DATABASE_URL=${AERUGO_TEST_POSTGRES/\/aerugo\?/\/$server?} start_tenants "$server"
  done
  # Who pushes does so by a key, to a process whose memory has seen no password.
  send '' --user 'bench:the password of bench' --json '{"name":"pushes"}' "$(url pushed)/api/v1/keys"
  push_key=$(jq -r .secret "$work/answer")
  stop_server pushed 30
  AERUGO_DATABASE_URL=${AERUGO_TEST_POSTGRES/\/aerugo\?/\/pushed?} run_tenants pushed
  for server in node2 node3; do AERUGO_DATABASE_URL=${AERUGO_TEST_POSTGRES/\/aerugo\?/\/node1?} run_tenants "$server"; done
  start_distribution
}

# docker-registry on the same SeaweedFS.
start_distribution() {
  ports[distribution]=$(free_port)
  (umask 077 && cat >"$work/distribution.yml") <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage:
  cache: {blobdescriptor: inmemory}
  s3: {region: us-east-1, regionendpoint: "$AERUGO_TEST_S3_ENDPOINT", bucket: "$AERUGO_TEST_S3_BUCKET", rootdirectory: /distribution,
       accesskey: "$AERUGO_TEST_S3_ACCESS_KEY_ID", secretkey: "$AERUGO_TEST_S3_SECRET_ACCESS_KEY", secure: false, v4auth: true}
http: {addr: "127.0.0.1:${ports[distribution]}"}
YAML
  start_server distribution "$report/bench-distribution.log" env -u AWS_CA_BUNDLE taskset -c "$server_core" docker-registry serve "$work/distribution.yml"
  wait_http distribution "$report/bench-distribution.log" "$(url distribution)/v2/"
}

cluster_get() {
  local server
  for server in "$@"; do
    record "get-$server" aerugo "$(with_header "Authorization: Bearer ${account_tokens[$server]}" 32 \
      "$(url "$server")/v2/$pulled/manifests/latest")"
  done
}

# cluster_cpu NAME NODE…: 16 clients a node, and the CPU time that the nodes took for a million of what they were asked.
cluster_cpu() {
  local name=$1 node before=0 after=0 requests
  shift
  local -a clients=()
  for node in "$@"; do before=$(calculate "$before + $(cpu_seconds "$node")"); done
  for node in "$@"; do
    on_client_core wrk -t1 -c16 -d1s --timeout 5s -H "Authorization: Bearer ${account_tokens[node1]}" \
      "$(url "$node")/v2/$pulled/manifests/latest" >"$work/wrk-$node" &
    clients+=("$!")
  done
  wait "${clients[@]}"
  for node in "$@"; do
    after=$(calculate "$after + $(cpu_seconds "$node")")
    if grep -Eq 'Non-2xx|Socket errors' "$work/wrk-$node"; then die "wrk saw errors on $node"; fi
  done
  requests=$(cat "${@/#/$work/wrk-}" | awk '$2 == "requests" { n += $1 } END { print n }')
  record "cpu-$name" aerugo "$(calculate "($after - $before) * 1000000 / $requests")"
}

key_for() { if [ "$1" = aerugo ]; then echo "$push_key"; fi; }

# Which of the servers stores in S3, and as whom it is pushed to.
on_s3() { if [ "$1" = aerugo ]; then echo pushed; else echo distribution; fi; }

s3_push() {
  local took server
  server=$(on_s3 "$1")
  head -c 64 /dev/urandom | dd of="$work/blob" conv=notrunc status=none
  took=$(login_key=$(key_for "$1") upload "$server" bench/push "$work/blob" "$(digest_of "$work/blob")")
  record s3-push "$1" "$(calculate "$blob_size / $took")"
}

s3_push_many() {
  local server pid started status=0 i
  local -a pids=()
  server=$(on_s3 "$1")
  for ((i = 0; i < together; i++)); do head -c "${together_size}M" /dev/urandom >"$work/one-$i"; done
  started=$(now_ms)
  for ((i = 0; i < together; i++)); do
    login_key=$(key_for "$1") upload "$server" bench/many "$work/one-$i" "$(digest_of "$work/one-$i")" >/dev/null &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
  [ "$status" -eq 0 ] || die "a push to $server failed"
  record s3-push-many "$1" "$(calculate "$together * $together_size * 1000 / ($(now_ms) - $started)")"
  rm -f "$work"/one-*
}
