# shellcheck shell=bash disable=SC2154,SC2034
# What ci/verify --cluster does otherwise than ci/verify: what it is about, and steps of its own. Sourced by it.

for part in nodes nginx disturb; do
  # shellcheck source=/dev/null
  . "$top/ci/lib.cluster/$part.sh"
done

steps=(gate clients read_only across rolling empty)
if [ "$short" = no ]; then steps+=(files); fi
# What the store and nginx do otherwise than the runner asks for; fewer steps of its games, as every one asks two engines.
gate_options=(--baseline "$top/fixtures/expected/cluster.json")
runner_options=(--steps 40)
clients_options=(--only "skopeo,podman")

at_end() {
  stop_nodes || true
  stop_engines
}

serve() {
  need openssl:openssl python3:python3 psql:postgresql-client-15
  rm -f "$report"/{verify,empty,files}-*.log "$report"/{across,rolling.json,rolling,files.log}
  start_engines postgres seaweedfs redis || return
  plan_cluster verify direct || return
  start_nodes 1 2 3 || return
  start_balancer "${node_urls[@]}" || return
  url=$balancer
  make_all_accounts "$work/verify-1"
}

stop_serving() {
  local status=0
  stop_nodes || status=$?
  stopped=$status
}

# The last case kills the first node, which then comes back.
step_across() {
  local status=0
  attend python3 "$top/ci/lib.cluster/across.py" --nodes "$(nodes_by_comma)" --pid "${server_pids[node1]}" \
    --accounts "$work/accounts" >"$report/across" 2>&1 || status=$?
  cat "$report/across"
  kill_node 1
  start_nodes 1 || return
  return "$status"
}

detail_across() { awk '{ n[$1]++ } END { printf "%d cases, %d failed", n["ok"] + n["FAILED"], n["FAILED"] }' "$report/across"; }

# Under load through the balancer: what is not answered is tried again, and nothing else may go wrong.
step_rolling() {
  local load status=0
  python3 "$top/ci/lib.cluster/load.py" --nodes "$balancer" --accounts "$work/accounts" --until "$work/until" --clients 4 \
    --seed $((RANDOM * 32768 + RANDOM)) --result "$report/rolling.json" >"$report/rolling" 2>&1 </dev/null &
  load=$!
  sleep 2
  fault_roll
  sleep 2
  touch "$work/until"
  wait "$load" || status=$?
  cat "$report/rolling"
  [ "$status" -eq 0 ] && [ "$(jq .given_up "$report/rolling.json")" -eq 0 ]
}

detail_rolling() {
  if [ ! -s "$report/rolling.json" ]; then return; fi
  jq -r '"\(.requests) requests, \(.errors) tried again, \(.given_up) in vain; \(.acknowledged) changes acknowledged, \(.lost) lost, " +
    "\(.stale) stale reads"' "$report/rolling.json"
}

# Nodes that start at the same moment on nothing: they agree on tables, on the store, on the first administrator and on the keys that
# tokens are signed with.
step_empty() {
  local round node
  stop_nodes || return
  echo "administrator admin $(<"$work/administrator")" >"$work/only-admin"
  for round in 1 2 3; do
    plan_cluster "empty$round" direct || return
    start_nodes 1 2 3 || return
    for ((node = 1; node <= node_count; node++)); do
      curl --fail --silent --max-time 20 --user "admin:$(<"$work/administrator")" --output "$work/users" \
        "${node_urls[node]}/api/v1/users" || return
      [ "$(jq '.items // .users | length' "$work/users")" -eq 1 ] || return
    done
    attend python3 "$top/ci/lib.cluster/across.py" --nodes "$(nodes_by_comma)" --pid "${server_pids[node1]}" \
      --accounts "$work/only-admin" tokens || return
    stop_nodes || return
  done
}

detail_empty() { echo "three times three nodes"; }

# One node, as files are one machine's.
step_files() {
  local status=0
  plan_cluster files direct files || return
  start_nodes 1 || return
  rm -f "$work/accounts"
  make_all_accounts "$work/files-1" || return
  printf '%s\n' "colleague=colleague:$(secret_of colleague)" "company=company+builder:$(secret_of company+builder)" \
    >"$work/identities"
  AERUGO_CONFORMANCE_PASSWORD=$(secret_of owner) attend "$top/ci/gate" "${node_urls[1]}" --report "$work/files" -- \
    --user owner --identities "$work/identities" --management --admin-file "$work/admin" \
    "${runner_options[@]}" >"$report/files.log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then tail -n 40 "$report/files.log"; fi
  return "$status"
}

detail_files() {
  if [ -s "$work/files/gate.json" ]; then report=$work/files detail_gate; fi
}
