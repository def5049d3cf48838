# shellcheck shell=bash disable=SC2154
# Pages of the management API's lists, of a million of each against a hundred, and searches among 100,000 repositories. Aerugo
# alone: three servers with accounts, whose rows are written into their databases while they do not run.

declare -A list_paths=(
  [users]='/api/v1/users?n=100' [repositories]='/api/v1/repositories?n=100' [audit]='/api/v1/audit?n=100'
  [tags]='/api/v1/repositories/team0000000%2Fapp/tags?n=100')
# Of a million the page in the middle; of a hundred the only one.
declare -A list_middles=(
  [users]='&after=team0500000' [repositories]='&after=team0500000/app' [audit]='&after=500000' [tags]='&after=v0500000')

after_lists() {
  local turn list server
  if [ "$peers_only" = yes ]; then return; fi
  heading "lists of 1,000,000 against lists of 100, and searches among 100,000"
  start_lists few 100 rows
  start_lists lots 1000000 rows
  start_lists words 100000 words
  for ((turn = 1; turn <= rounds * seconds; turn++)); do
    for list in "${!list_paths[@]}"; do
      for server in few lots; do list_get "$server" "$list"; done
    done
  done
  for ((turn = 1; turn <= rounds; turn++)); do
    search repositories search
    search users search-users
  done
  for server in few lots words; do stop_contestant "$server"; done
}

rows_lists() {
  local list
  for list in users repositories tags audit; do
    target "a page of 100 of 1,000,000 $list, the middle one, requests/s" "list-$list-of-lots" 0 \
      '100 in all: ≤ 1.5 × as many' "$(over "list-$list-of-few" aerugo "list-$list-of-lots" aerugo)" le 1.5
  done
  target 'search by the beginning of a name or word among 100,000 repositories, p99, ms' search-p99 2 '≤ 20 ms' \
    "$(median search-p99 aerugo)" le 20 ms
  target 'the same among 100,000 users, p99, ms' search-users-p99 2 '≤ 20 ms' "$(median search-users-p99 aerugo)" le 20 ms
}

also_lists() {
  printf 'a server whose 100,000 repositories and as many users lacked their words was ready in %s s, and their words in %s s; ' \
    "$(figure ready aerugo 1)" "$(figure words aerugo 1)"
  printf 'the slowest search was of %s ms' "$(figure search-max aerugo 2)"
}

# start_lists SERVER COUNT rows|words: with so many of each.
start_lists() {
  local server=$1 began
  run_lists "$server"
  stop_server "$server" 30
  python3 "$top/ci/lib.bench/lists.py" "$work/$server/aerugo.db" "$2" "$3"
  began=$(now_ms)
  run_lists "$server" 60
  if [ "$3" = words ]; then
    record ready aerugo "$(calculate "($(now_ms) - $began) / 1000")"
    until grep -q 'older names are ready' "$report/bench-$server.log"; do
      [ $(($(now_ms) - began)) -lt 600000 ] || die "names are not ready for search after ten minutes"
      sleep 0.1
    done
    record words aerugo "$(calculate "($(now_ms) - $began) / 1000")"
  fi
}

# run_lists SERVER [SECONDS]: the process; it has so long to be ready.
run_lists() {
  local log=$report/bench-$1.log
  ports[$1]=$(free_port)
  printf 'the password of admin' >"$work/administrator"
  AERUGO_ADMIN_PASSWORD_FILE=$work/administrator start_server "$1" "$log" taskset -c "$server_core" \
    "$binary" serve --listen "127.0.0.1:${ports[$1]}" --data "$work/$1" --set auth.password-cost=1
  wait_ready "$1" "$log" "${2:-20}" curl --fail --silent --max-time 2 --output /dev/null "$(url "$1")/readyz"
}

# list_wrk SERVER WRK-ARGUMENT… PATH: as the administrator.
list_wrk() {
  local server=$1
  shift
  on_client_core wrk --timeout 30s -H "Authorization: Basic $(printf 'admin:the password of admin' | base64 -w 0)" \
    "${@:1:$#-1}" "$(url "$server")${*: -1}" >"$work/wrk"
  if grep -Eq 'Non-2xx|Socket errors' "$work/wrk"; then
    cat "$work/wrk" >&2
    die "wrk saw errors on ${*: -1}"
  fi
}

list_get() {
  local path=${list_paths[$2]}
  if [ "$1" = lots ]; then path+=${list_middles[$2]}; fi
  send '' --user 'admin:the password of admin' "$(url "$1")$path"
  [ "$(jq '.items | length' "$work/answer")" -eq 100 ] || die "$path has not 100 items"
  list_wrk "$1" -t1 -c8 -d1s "$path"
  record "list-$2-of-$1" aerugo "$(awk '/^Requests\/sec/ { print $2 }' "$work/wrk")"
}

# search LIST FIGURE: searches without end, each for another beginning: of a name, of a frequent word, of two of them, of none.
search() {
  cat >"$work/search.lua" <<'LUA'
local words = {"api", "web", "worker", "nginx", "proxy", "redis", "cache", "postgres", "backup", "metrics", "gateway", "auth",
  "mail", "queue", "search", "billing", "report", "agent", "operator", "dashboard"}
function request()
  local word, kind, q = words[math.random(#words)], math.random(5), nil
  if kind == 1 then q = string.sub(word, 1, math.random(#word))
  elseif kind == 2 then q = string.format("team%07d", math.random(0, 999))
  elseif kind == 3 then q = string.format("team%07d/", math.random(0, 999)) .. string.sub(word, 1, 2)
  elseif kind == 4 then q = word .. "-" .. words[math.random(#words)]
  else q = word .. "x" end
  return wrk.format("GET", "/api/v1/LIST?n=100&q=" .. q)
end
LUA
  sed -i "s/LIST/$1/" "$work/search.lua"
  list_wrk words -t1 -c2 "-d${seconds}s" --latency -s "$work/search.lua" /
  record "$2-p99" aerugo "$(awk '$1 == "99%" { v = $2 + 0; print $2 ~ /us$/ ? v / 1000 : $2 ~ /ms$/ ? v : v * 1000 }' "$work/wrk")"
  record "$2-max" aerugo "$(awk '$1 == "Latency" && $4 ~ /s$/ { v = $4 + 0; print $4 ~ /us$/ ? v / 1000 : $4 ~ /ms$/ ? v : v * 1000 }' "$work/wrk")"
}
