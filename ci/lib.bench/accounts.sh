# shellcheck shell=bash disable=SC2154
# What accounts cost: pulls with a token or a key, tokens, a flood of wrong passwords; the same among a crowd. Two servers with
# accounts of their own stand beside the open one: `tenants` with two users, `crowd` with 100,000.

readonly pulled=bench/image pull_rate=5000
declare -A account_keys=() account_tokens=() account_refreshes=()
# What a server with accounts is told besides; words without spaces.
declare -A tenant_options=()

round_accounts() {
  local turn server
  if [ "$peers_only" = yes ]; then return; fi
  if [ -z "${account_keys[crowd]:-}" ]; then
    for server in tenants crowd; do start_tenants "$server"; done
  fi
  for ((turn = 1; turn <= seconds; turn++)); do
    record open-get aerugo "$(requests_per_second "$(url aerugo)/v2/$pulled/manifests/latest" 32)"
    record open-get nginx "$(requests_per_second "$(url nginx)/v2/$pulled/manifests/latest" 32)"
    for server in tenants crowd; do accounts_get "$server"; done
  done
  for server in tenants crowd; do beside_guesses "$server"; done
}

rows_accounts() {
  target 'manifest GET with a bearer token, 1 KiB, 32 connections, requests/s' bearer-get 0 '≥ 0.9 × the open one' \
    "$(over bearer-get aerugo open-get aerugo)" ge 0.9
  target 'the same' bearer-get 0 '≥ 0.75 × nginx' "$(over bearer-get aerugo open-get nginx)" ge 0.75
  target 'manifest GET with a key by Basic, requests/s' basic-get 0 '≥ 0.8 × the open one' \
    "$(over basic-get aerugo open-get aerugo)" ge 0.8
  target 'tokens by a refresh token, 8 connections, requests/s' refresh-token 0 '≥ 3,000' \
    "$(median refresh-token aerugo)" ge 3000 /s
  target 'tokens by a key, 8 connections, requests/s' key-token 0 '≥ 3,000' "$(median key-token aerugo)" ge 3000 /s
  target "manifest GET with a bearer token, $pull_rate/s, p99 beside a flood of wrong passwords, ms" guessed-p99 3 \
    '≤ 2 × without' "$(over guessed-p99 aerugo bearer-p99 aerugo)" le 2
  local measure words
  while read -r measure words; do
    target "among 100,000 users and 1,000,000 permissions: $words" "crowd-$measure" 0 '≤ 1.2 × slower than without' \
      "$(over "$measure" aerugo "crowd-$measure" aerugo)" le 1.2
  done <<'ROWS'
bearer-get manifest GET with a bearer token, requests/s
basic-get manifest GET with a key by Basic, requests/s
refresh-token tokens by a refresh token, requests/s
key-token tokens by a key, requests/s
ROWS
  target 'among them: p99 beside a flood of wrong passwords, ms' crowd-guessed-p99 3 '≤ 1.2 × of without them' \
    "$(over crowd-guessed-p99 aerugo guessed-p99 aerugo)" le 1.2
}

also_accounts() {
  printf 'the flood was of %s wrong passwords a second' "$(figure guesses aerugo 0)"
}

# start_tenants SERVER: a registry with accounts: `bench` pushed the image, `reader` may pull it, has a key and tokens.
start_tenants() {
  local server=$1 data=$work/$1 file secret
  run_tenants "$server"
  for file in bench reader; do
    api "$server" POST /api/v1/users "{\"name\":\"$file\",\"password\":\"the password of $file\"}"
  done
  local push=(--user 'bench:the password of bench')
  for file in config layer; do
    send '' "${push[@]}" --data-binary "@$work/$file" \
      "$(url "$server")/v2/$pulled/blobs/uploads/?digest=$(digest_of "$work/$file")"
  done
  send '' "${push[@]}" --request PUT --header "Content-Type: $manifest_type" --data-binary "@$work/manifest" \
    "$(url "$server")/v2/$pulled/manifests/latest"
  api "$server" PUT /api/v1/repositories/bench%2Fimage/permissions/user:reader '{"actions":["pull"]}'
  if [ "$server" = crowd ]; then
    stop_server "$server" 30
    python3 "$top/ci/lib.bench/crowd.py" "$data/aerugo.db" reader "$pulled"
    run_tenants "$server"
  fi
  send '' --user 'reader:the password of reader' --json '{"name":"bench"}' "$(url "$server")/api/v1/keys"
  secret=$(jq -r .secret "$work/answer")
  account_keys[$server]=$(printf 'reader:%s' "$secret" | base64 -w 0)
  send '' --header "Authorization: Basic ${account_keys[$server]}" \
    "$(url "$server")/auth/token?service=aerugo&scope=repository:$pulled:pull&offline_token=true"
  account_tokens[$server]=$(jq -r .token "$work/answer")
  account_refreshes[$server]=$(jq -r .refresh_token "$work/answer")
}

# run_tenants SERVER: the process. The guesses come as if by a proxy, for clients without number.
run_tenants() {
  local log=$report/bench-$1.log
  ports[$1]=$(free_port)
  printf 'the password of admin' >"$work/administrator"
  # shellcheck disable=SC2086
  AERUGO_ADMIN_PASSWORD_FILE=$work/administrator start_server "$1" "$log" taskset -c "$server_core" \
    "$binary" serve --listen "127.0.0.1:${ports[$1]}" --data "$work/$1" --set http.trusted-proxies=127.0.0.1 ${tenant_options[$1]:-}
  wait_http "$1" "$log" "$(url "$1")/readyz"
}

# api SERVER METHOD PATH JSON: by the administrator.
api() {
  send '' --user 'admin:the password of admin' --request "$2" --header 'Content-Type: application/json' --data "$4" \
    "$(url "$1")$3"
}

# prefix SERVER: what its measures begin with.
prefix() { if [ "$1" = crowd ]; then echo crowd-; fi; }

accounts_get() {
  local server=$1 address before
  before=$(prefix "$server")
  address=$(url "$server")
  record "${before}bearer-get" aerugo "$(with_header "Authorization: Bearer ${account_tokens[$server]}" 32 \
    "$address/v2/$pulled/manifests/latest")"
  record "${before}basic-get" aerugo "$(with_header "Authorization: Basic ${account_keys[$server]}" 32 \
    "$address/v2/$pulled/manifests/latest")"
  record "${before}key-token" aerugo "$(with_header "Authorization: Basic ${account_keys[$server]}" 8 \
    "$address/auth/token?service=aerugo&scope=repository:$pulled:pull")"
  cat >"$work/refresh.lua" <<LUA
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.body = "grant_type=refresh_token&service=aerugo&scope=repository:$pulled:pull&refresh_token=${account_refreshes[$server]}"
LUA
  record "${before}refresh-token" aerugo "$(with_header 'Accept: */*' 8 "$address/auth/token" -s "$work/refresh.lua")"
}

# with_header HEADER CONNECTIONS URL WRK-ARGUMENT…: requests a second, over one second.
with_header() {
  local header=$1 connections=$2 address=$3
  shift 3
  on_client_core wrk -t1 -c"$connections" -d1s --timeout 5s -H "$header" "$@" "$address" >"$work/wrk"
  if grep -Eq 'Non-2xx|Socket errors' "$work/wrk"; then
    cat "$work/wrk" >&2
    die "wrk saw errors on $address"
  fi
  awk '/^Requests\/sec/ { print $2 }' "$work/wrk"
}

# How long pulls take, alone and while others try passwords: each guess at another name from another address, so that none is
# held up as one that was made before.
beside_guesses() {
  local server=$1 before flood
  before=$(prefix "$server")
  printf '%s\n' "${account_tokens[$server]}" >"$work/token-$server"
  record "${before}bearer-p99" aerugo "$(pull_p99 "$server")"
  cat >"$work/guess.lua" <<'LUA'
local count = 0
function request()
  count = count + 1
  local form = "grant_type=password&service=aerugo&username=name-" .. count .. "&password=guess"
  local address = string.format("10.%d.%d.%d", count / 65536 % 256, count / 256 % 256, count % 256)
  return wrk.format("POST", "/auth/token", {["X-Forwarded-For"] = address}, form)
end
function delay() return 10 end
LUA
  nice -n 19 taskset -c "$client_core" wrk -t1 -c16 -d"$((seconds + 2))s" --timeout 30s -s "$work/guess.lua" \
    "$(url "$server")" >"$work/guesses" &
  flood=$!
  sleep 1
  record "${before}guessed-p99" aerugo "$(pull_p99 "$server")"
  wait "$flood" || die "wrk could not guess"
  record "${before}guesses" aerugo "$(awk '/^Requests\/sec/ { print $2 }' "$work/guesses")"
}

# pull_p99 SERVER: milliseconds that one in a hundred GETs takes longer than, at a rate that leaves the core some of its time. A
# closed loop would measure who gets how much of a core that is never free.
pull_p99() {
  on_client_core "$load" run "$(url "$1")/v2/$pulled/manifests/latest" --token-file "$work/token-$1" --rate "$pull_rate" \
    --duration "${seconds}s" --require 'errors<=0' --json "$work/pulls.json" >"$work/pulls" || {
    cat "$work/pulls" >&2
    die "pulls from $1 failed"
  }
  jq -r '.arrivals.latency.p99_ms' "$work/pulls.json"
}
