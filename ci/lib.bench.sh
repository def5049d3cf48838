# shellcheck shell=bash disable=SC2154
# What ci/bench measures with. Sourced by it; its variables: $work, $report, $rounds, $seconds, $many_size,
# $servers.

readonly blob_size=256 # MiB
readonly manifest_type=application/vnd.oci.image.manifest.v1+json
declare -A ports=()
server_core='' client_core='' blob_digest=''

# The first two cores that this process may use.
choose_cores() {
  local list part
  local -a all=()
  list=$(taskset -cp $$ | sed 's/.*: //')
  for part in ${list//,/ }; do mapfile -t -O "${#all[@]}" all < <(seq "${part%-*}" "${part#*-}"); done
  [ "${#all[@]}" -ge 2 ] || die "one core for the server and one for its clients are needed; this machine gives ${#all[@]}"
  server_core=${all[0]} client_core=${all[1]}
}

# How many per cent of the machine are in use, over one second.
busy() {
  { head -n 1 /proc/stat && sleep 1 && head -n 1 /proc/stat; } | awk '
    { idle[NR] = $5 + $6; for (i = 2; i <= 9; i++) all[NR] += $i }
    END { printf "%.0f", 100 * (1 - (idle[2] - idle[1]) / (all[2] - all[1])) }'
}

on_client_core() { taskset -c "$client_core" "$@"; }
url() { echo "http://127.0.0.1:${ports[$1]}"; }

# ------------------------------------------------------------------------------------------------------------ samples

# record MEASURE SERVER VALUE
record() {
  printf '%s %s %s\n' "$1" "$2" "$3" >>"$work/samples"
  printf '  %-28s %-16s %s\n' "$1" "$2" "$3"
}

# median MEASURE SERVER [FILE]: of what was recorded; nothing where nothing was.
median() {
  awk -v m="$1" -v s="$2" '$1 == m && $2 == s { print $3 }' "${3:-$work/samples}" | sort -g |
    awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

calculate() { awk "BEGIN { printf \"%.4f\", $1 }"; }

# -------------------------------------------------------------------------------------------------------- contestants

start_contestant() {
  local server=$1 log=$report/bench-$1.log
  local data=$work/$server
  mkdir -p "$data"
  ports[$server]=$(free_port)
  case $server in
    aerugo)
      start_server "$server" "$log" taskset -c "$server_core" \
        "$binary" serve --open --listen "127.0.0.1:${ports[$server]}" --data "$data"
      ;;
    nginx)
      nginx_configuration >"$data/nginx.conf"
      start_server "$server" "$log" taskset -c "$server_core" nginx -e "$data/error.log" -c "$data/nginx.conf" -p "$data"
      ;;
    docker-registry)
      cat >"$data/config.yml" <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage:
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: "$data/storage"}
  delete: {enabled: true}
http: {addr: "127.0.0.1:${ports[$server]}"}
YAML
      start_server "$server" "$log" taskset -c "$server_core" docker-registry serve "$data/config.yml"
      ;;
  esac
  case $server in
    aerugo) wait_http "$server" "$log" "$(url "$server")/readyz" ;;
    nginx) wait_http "$server" "$log" "$(url "$server")/ready" ;;
    *) wait_http "$server" "$log" "$(url "$server")/v2/" ;;
  esac
}

nginx_configuration() {
  mkdir -p "$data/html"
  echo ready >"$data/html/ready"
  cat <<CONF
daemon off;
user root;
worker_processes 1;
pid "$data/nginx.pid";
error_log "$data/error.log";
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=1000;
  keepalive_requests 1000000000;
  default_type $manifest_type;
  client_body_temp_path "$data/body";
  proxy_temp_path "$data/proxy";
  fastcgi_temp_path "$data/fastcgi";
  uwsgi_temp_path "$data/uwsgi";
  scgi_temp_path "$data/scgi";
  server { listen 127.0.0.1:${ports[nginx]}; root "$data/html"; }
}
CONF
}

stop_contestant() {
  stop_server "$1" 30
  if [ "$1" = aerugo ] && [ "$stopped" -ne 0 ]; then
    tail -n 20 "$report/bench-aerugo.log" >&2
    die "aerugo ended with status $stopped on SIGTERM"
  fi
  rm -rf "${work:?}/$1"
}

# The process and its children (nginx has its worker there).
processes() { echo "${server_pids[$1]} $(<"/proc/${server_pids[$1]}/task/${server_pids[$1]}/children")"; }

# cpu_seconds SERVER: user and system time so far.
cpu_seconds() {
  local pid
  for pid in $(processes "$1"); do sed 's/^.*) //' "/proc/$pid/stat"; done |
    awk -v hz="$(getconf CLK_TCK)" '{ t += $12 + $13 } END { printf "%.3f", t / hz }'
}

# peak_memory SERVER: MiB that it ever had resident.
peak_memory() {
  local pid
  for pid in $(processes "$1"); do grep VmHWM "/proc/$pid/status"; done | awk '{ kb += $2 } END { printf "%.1f", kb / 1024 }'
}

# ------------------------------------------------------------------------------------------------------------ content

digest_of() { printf 'sha256:%s' "$(openssl dgst -sha256 -r "${@:--}" | cut -d ' ' -f 1)"; }

# A valid image manifest of exactly 1,024 bytes, its two blobs, and one large blob.
make_content() {
  local body pad
  printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}' >"$work/config"
  head -c 4096 /dev/urandom >"$work/layer"
  head -c "${blob_size}M" /dev/urandom >"$work/blob"
  head -c "${many_size}M" /dev/urandom >"$work/many"
  blob_digest=$(digest_of "$work/blob")
  body=$(jq -nc --arg type "$manifest_type" --arg config "$(digest_of "$work/config")" \
    --arg layer "$(digest_of "$work/layer")" --argjson size "$(stat -c %s "$work/config")" '
    {schemaVersion: 2, mediaType: $type,
     config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: $size},
     layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $layer, size: 4096}],
     annotations: {pad: "PAD"}}')
  pad=$(printf '%*s' $((1024 - ${#body} + 3)) '')
  printf '%s' "${body/PAD/${pad// /x}}" >"$work/manifest"
  [ "$(stat -c %s "$work/manifest")" -eq 1024 ] || die "the manifest has not 1,024 bytes"
}

# send FORMAT CURL-ARGUMENT…: one request that must succeed; prints what FORMAT asks for.
send() {
  local format=$1
  shift
  : >"$work/answer"
  on_client_core curl --silent --show-error --fail-with-body --max-time 300 --header 'Expect:' \
    --output "$work/answer" --write-out "$format" "$@" || {
    warn "a request has failed: ${*: -1}"
    if [ -s "$work/answer" ]; then head -c 500 "$work/answer" >&2; fi
    return 1
  }
}

# absolute SERVER LOCATION, digest_query LOCATION DIGEST
absolute() { case $2 in http*) echo "$2" ;; *) echo "$(url "$1")$2" ;; esac }
digest_query() { case $1 in *\?*) echo "$1&digest=$2" ;; *) echo "$1?digest=$2" ;; esac }

# upload SERVER REPOSITORY FILE DIGEST: POST, PATCH, PUT; prints the seconds that the three took.
upload() {
  local first second third
  first=$(send '%{time_total} %header{location}' --request POST "$(url "$1")/v2/$2/blobs/uploads/")
  second=$(send '%{time_total} %header{location}' --request PATCH --upload-file "$3" \
    --header 'Content-Type: application/octet-stream' "$(absolute "$1" "${first#* }")")
  third=$(send '%{time_total}' --request PUT "$(digest_query "$(absolute "$1" "${second#* }")" "$4")")
  calculate "${first%% *} + ${second%% *} + $third"
}

# fill SERVER: the image bench/image:latest and the blob, by the front door; for nginx as files of the same names.
fill() {
  local server=$1 file
  if [ "$server" = nginx ]; then
    mkdir -p "$work/nginx/html/v2/bench/image/manifests" "$work/nginx/html/v2/bench/image/blobs"
    cp "$work/manifest" "$work/nginx/html/v2/bench/image/manifests/latest"
    cp "$work/blob" "$work/nginx/html/v2/bench/image/blobs/$blob_digest"
  else
    for file in config layer blob; do
      upload "$server" bench/image "$work/$file" "$(digest_of "$work/$file")" >/dev/null
    done
    send '' --request PUT --header "Content-Type: $manifest_type" --data-binary "@$work/manifest" \
      "$(url "$server")/v2/bench/image/manifests/latest"
  fi
  send '' --header "Accept: $manifest_type" "$(url "$server")/v2/bench/image/manifests/latest"
  cmp "$work/answer" "$work/manifest" || die "$server does not give the manifest back byte for byte"
  [ "$(curl --silent --fail "$(url "$server")/v2/bench/image/blobs/$blob_digest" | digest_of)" = "$blob_digest" ] ||
    die "$server does not give the blob back"
}

# ----------------------------------------------------------------------------------------------------------- measures

# requests_per_second URL CONNECTIONS: over one second.
requests_per_second() {
  on_client_core wrk -t1 -c"$2" -d1s --timeout 5s -H "Accept: $manifest_type" "$1" >"$work/wrk"
  if grep -Eq 'Non-2xx|Socket errors' "$work/wrk"; then
    cat "$work/wrk" >&2
    die "wrk saw errors on $1"
  fi
  awk '/^Requests\/sec/ { print $2 }' "$work/wrk"
}

# The requests a CPU-second as well: that figure bears a machine that does other things on the side.
manifest_get() {
  local before rate
  before=$(cpu_seconds "$1")
  rate=$(requests_per_second "$(url "$1")/v2/bench/image/manifests/latest" 32)
  record manifest-get "$1" "$rate"
  record manifest-get-cpu "$1" \
    "$(calculate "$(awk '$2 == "requests" { print $1 }' "$work/wrk") / ($(cpu_seconds "$1") - $before)")"
}

# Four connections, two blobs each: 2 GiB, so that the clock's 10 ms are small against what is counted.
blob_get() {
  local before after address pid status=0
  local -a pids=()
  address=$(url "$1")/v2/bench/image/blobs/$blob_digest
  before=$(cpu_seconds "$1")
  for _ in 1 2 3 4; do
    on_client_core curl --silent --fail --max-time 300 --write-out '%{size_download}\n' \
      --output /dev/null "$address" --output /dev/null "$address" >>"$work/sizes" &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
  after=$(cpu_seconds "$1")
  [ "$status" -eq 0 ] || die "a download from $1 failed"
  [ "$(sort -u "$work/sizes")" = $((blob_size << 20)) ] || die "a download from $1 is not of the blob's size"
  rm -f "$work/sizes"
  record blob-get-cpu "$1" "$(calculate "($after - $before) / (8 * $blob_size / 1024)")"
}

# Content that nobody has yet: the same bytes behind a new beginning. What is dirty goes to the disk first, since an
# fsync must not pay for the one before.
blob_push() {
  local took
  if [ "$1" = nginx ]; then return; fi
  head -c 64 /dev/urandom | dd of="$work/blob" conv=notrunc status=none
  sync -f "$work"
  took=$(upload "$1" bench/push "$work/blob" "$(digest_of "$work/blob")")
  record blob-push "$1" "$(calculate "$blob_size / $took")"
}

# What wrk sends: in every request a manifest that nobody has yet, by a tag of its own.
puts_script() {
  cat <<'LUA'
local file = io.open(os.getenv("MANIFEST"), "rb")
local manifest = file:read("*a")
file:close()
local padding = string.rep("x", 40)
local at = manifest:find(padding, 1, true)
local before, behind = manifest:sub(1, at - 1), manifest:sub(at + 40)
local mark, count = os.getenv("MARK"), 0
local headers = {["Content-Type"] = os.getenv("TYPE")}
function request()
  count = count + 1
  local own = string.format("%s-%023d", mark, count)
  return wrk.format("PUT", "/v2/bench/image/manifests/" .. mark .. count, headers, before .. own .. behind)
end
LUA
}

# manifest_put SERVER CLIENTS: manifests pushed by tag, each by a request of its own, for a second, by so many clients that
# each wait for their answer. Not by curl, which takes longer for a request than many a disk for a sync.
manifest_put() {
  local server=$1 clients=$2 before pushes
  if [ "$server" = nginx ]; then return; fi
  puts_script >"$work/puts.lua"
  sync -f "$work"
  before=$(cpu_seconds "$server")
  MANIFEST=$work/manifest MARK=$(openssl rand -hex 8) TYPE=$manifest_type on_client_core \
    wrk -t1 -c"$clients" -d1s --timeout 30s -s "$work/puts.lua" "$(url "$server")" >"$work/wrk"
  if grep -Eq 'Non-2xx|Socket errors' "$work/wrk"; then
    cat "$work/wrk" >&2
    die "wrk saw errors when pushing manifests to $server"
  fi
  pushes=$(awk '$2 == "requests" { print $1 }' "$work/wrk")
  record "manifest-put-$clients" "$server" "$(awk '/^Requests\/sec/ { print $2 }' "$work/wrk")"
  record "manifest-put-$clients-cpu" "$server" "$(calculate "($(cpu_seconds "$server") - $before) * 1000000 / $pushes")"
}

# Writes of 4 KiB over a file that is there already, each of them synced: the most that one after the other can be.
disk_syncs() {
  local started count=400
  if [ ! -e "$work/synced" ]; then dd if=/dev/zero of="$work/synced" bs=4096 count="$count" status=none; fi
  sync -f "$work"
  started=$(now_ms)
  on_client_core dd if=/dev/zero of="$work/synced" bs=4096 count="$count" oflag=dsync conv=notrunc status=none
  record disk-syncs aerugo "$(calculate "$count * 1000 / ($(now_ms) - $started)")"
}

# push_many SERVER: 64 uploads are opened, then sent at once, each with a beginning of its own.
push_many() {
  local server=$1 i pid started status=0
  local -a prefixes=() digests=() locations=() pids=()
  for ((i = 0; i < 64; i++)); do
    prefixes[i]=$(openssl rand -hex 16)
    digests[i]=$({ printf '%s' "${prefixes[i]}" && cat "$work/many"; } | digest_of)
    locations[i]=$(absolute "$server" \
      "$(send '%header{location}' --request POST "$(url "$server")/v2/bench/many/blobs/uploads/")")
  done
  started=$(now_ms)
  for ((i = 0; i < 64; i++)); do
    (
      location=$({ printf '%s' "${prefixes[i]}" && cat "$work/many"; } | on_client_core curl --silent --show-error --fail \
        --max-time 300 --request PATCH --header 'Expect:' --header 'Transfer-Encoding: chunked' --upload-file - \
        --header 'Content-Type: application/octet-stream' --output /dev/null --write-out '%header{location}' "${locations[i]}")
      on_client_core curl --silent --show-error --fail --max-time 300 --output /dev/null --request PUT \
        "$(digest_query "$(absolute "$server" "$location")" "${digests[i]}")"
    ) &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
  [ "$status" -eq 0 ] || die "a push to $server failed"
  record push-many "$server" "$(calculate "64 * $many_size * 1000 / ($(now_ms) - $started)")"
}

# slowest_hundredth URL: milliseconds that one in a hundred GETs takes longer than, on two connections.
slowest_hundredth() {
  on_client_core wrk -t1 -c2 -d"${seconds}s" --timeout 30s --latency "$1" >"$work/wrk"
  if grep -Eq 'Non-2xx|Socket errors' "$work/wrk"; then
    cat "$work/wrk" >&2
    die "wrk saw errors on $1"
  fi
  awk '$1 == "99%" { v = $2 + 0; print $2 ~ /us$/ ? v / 1000 : $2 ~ /ms$/ ? v : v * 1000 }' "$work/wrk"
}

# push_on SERVER NUMBER FILE DIGEST: the same upload again and again, until the file `enough` is there. At a lower
# priority, as it is the server that is to be measured and not the client's core.
push_on() {
  local location
  while [ ! -e "$work/enough" ]; do
    location=$(absolute "$1" "$(curl --silent --fail --max-time 60 --output /dev/null --request POST \
      --write-out '%header{location}' "$(url "$1")/v2/bench/beside-$2/blobs/uploads/")")
    location=$(absolute "$1" "$(nice -n 19 taskset -c "$client_core" curl --silent --fail --max-time 300 --request PATCH \
      --header 'Expect:' --header 'Content-Type: application/octet-stream' --upload-file "$3" --output /dev/null \
      --write-out '%header{location}' "$location")")
    curl --silent --fail --max-time 300 --output /dev/null --request PUT "$(digest_query "$location" "$4")"
    echo 1 >>"$work/pushed-$2"
  done
}

# How long GETs of a blob of 1 MiB take, alone and beside eight uploads.
blob_latency() {
  local server=$1 i pid address status=0
  local -a pids=()
  if [ "$server" = nginx ]; then return; fi
  head -c 1M "$work/many" >"$work/piece"
  upload "$server" bench/image "$work/piece" "$(digest_of "$work/piece")" >/dev/null
  address=$(url "$server")/v2/bench/image/blobs/$(digest_of "$work/piece")
  record blob-get-p99 "$server" "$(slowest_hundredth "$address")"
  rm -f "$work/enough" "$work"/pushed-*
  for ((i = 0; i < 8; i++)); do
    { openssl rand -hex 16 && cat "$work/many"; } >"$work/beside-$i"
    push_on "$server" "$i" "$work/beside-$i" "$(digest_of "$work/beside-$i")" &
    pids+=("$!")
  done
  record blob-get-p99-beside "$server" "$(slowest_hundredth "$address")"
  touch "$work/enough"
  for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
  [ "$status" -eq 0 ] || die "a push to $server failed"
  record pushed-beside "$server" "$(cat "$work"/pushed-* | wc -l)"
  rm -f "$work"/beside-*
}

# fill_tags COUNT: bench/tags-COUNT with so many tags of one manifest, many of them to a request.
fill_tags() {
  local repository=bench/tags-$1 file digest started
  started=$(now_ms)
  digest=$(digest_of "$work/manifest")
  for file in config layer; do upload aerugo "$repository" "$work/$file" "$(digest_of "$work/$file")" >/dev/null; done
  seq -f 't%06.0f' 1 "$1" | awk -v url="$(url aerugo)/v2/$repository/manifests/$digest" -v q='"' \
    -v type="$manifest_type" -v body="$work/manifest" '
    function flush() {
      if (n) {
        if (requests++) print "next"
        print "url = " q url "?" query q "\nrequest = PUT\nheader = " q "Content-Type: " type q
        print "data-binary = " q "@" body q "\noutput = /dev/null\nfail\nwrite-out = " q "%{http_code}\\n" q
      }
      query = ""; n = 0
    }
    { query = query (n++ ? "&" : "") "tag=" $1 }
    n == 100 { flush() }
    END { flush() }' >"$work/tags.conf"
  timeout 300 curl --silent --show-error --config "$work/tags.conf" >"$work/tags.codes" || {
    sort "$work/tags.codes" | uniq -c >&2
    die "aerugo did not take $1 tags"
  }
  for file in 't000001' "t$(printf '%06d' "$1")"; do
    send '' --head --header "Accept: $manifest_type" "$(url aerugo)/v2/$repository/manifests/$file"
  done
  say "  $1 tags in $(($(now_ms) - started)) ms"
}

tags_get() {
  local count name
  for count in 100 100000; do
    send '' "$(url aerugo)/v2/bench/tags-$count/tags/list?n=100"
    [ "$(jq '.tags | length' "$work/answer")" -eq 100 ] || die "tags/list?n=100 has not 100 tags"
    record "tags-list-of-$count" aerugo "$(requests_per_second "$(url aerugo)/v2/bench/tags-$count/tags/list?n=100" 8)"
  done
  for count in 100 100000; do
    name=$(printf 't%06d' $((count / 2)))
    record "tag-get-of-$count" aerugo "$(requests_per_second "$(url aerugo)/v2/bench/tags-$count/manifests/$name" 8)"
  done
}

# ------------------------------------------------------------------------------------------------------------- the end

# figure MEASURE SERVER DECIMALS: the median, or a dash.
figure() {
  local value
  value=$(median "$1" "$2")
  if [ -z "$value" ]; then echo –; else printf "%.${3}f" "$value"; fi
}

# target WORK MEASURE DECIMALS WORDS RATIO ge|le LIMIT [SUFFIX]: one row. RATIO may be empty.
target() {
  local work_done=$1 measure=$2 decimals=$3 words=$4 ratio=$5 relation=$6 limit=$7 suffix=${8:-×} got=– verdict=–
  if [ -n "$ratio" ]; then
    got=$ratio
    if awk "BEGIN { exit !(\"$relation\" == \"ge\" ? $got >= $limit : $got <= $limit) }"; then
      verdict=pass
    else
      verdict='**miss**'
    fi
    got="$(printf '%.2f' "$got") $suffix"
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$work_done" "$(figure "$measure" aerugo "$decimals")" \
    "$(figure "$measure" nginx "$decimals")" "$(figure "$measure" docker-registry "$decimals")" "$words" "$got" "$verdict"
}

# over A-MEASURE A-SERVER B-MEASURE B-SERVER: the median of the ratios of what was measured side by side, so that both of
# a pair saw the machine alike; nothing where one is missing.
over() {
  awk -v am="$1" -v as="$2" -v bm="$3" -v bs="$4" '
    $1 == am && $2 == as { a[++n] = $3 }
    $1 == bm && $2 == bs { b[++m] = $3 }
    END { for (i = 1; i <= n && i <= m; i++) print "ratio", "of", a[i] / b[i] }' "$work/samples" >"$work/ratios"
  median ratio of "$work/ratios"
}

conclude() {
  {
    printf 'work\taerugo\tnginx\tdocker-registry\tasked for\tgot\t\n'
    target 'manifest GET by tag, 1 KiB, 32 connections, requests/s' manifest-get 0 \
      '≥ 0.9 × nginx' "$(over manifest-get aerugo manifest-get nginx)" ge 0.9
    target 'the same' manifest-get 0 '≥ 40 × docker-registry' \
      "$(over manifest-get aerugo manifest-get docker-registry)" ge 40
    target 'the same, requests a CPU-second of the server' manifest-get-cpu 0 – '' ge 0
    target "blob GET, $blob_size MiB, 4 connections, server CPU-seconds a GiB" blob-get-cpu 3 '≤ 1.2 × nginx' \
      "$(over blob-get-cpu aerugo blob-get-cpu nginx)" le 1.2
    target "blob push, $blob_size MiB, one stream, durable, MiB/s" blob-push 0 '≥ 2.5 × docker-registry' \
      "$(over blob-push aerugo blob-push docker-registry)" ge 2.5
    target 'manifest PUT, durable, one client, requests/s' manifest-put-1 0 \
      '≥ 0.8 × synced writes of the disk alone' "$(over manifest-put-1 aerugo disk-syncs aerugo)" ge 0.8
    target 'manifest PUT, durable, 16 clients, requests/s' manifest-put-16 0 \
      '≥ 3 × one client' "$(over manifest-put-16 aerugo manifest-put-1 aerugo)" ge 3
    target 'the same, CPU-microseconds of the server a push' manifest-put-16-cpu 0 – '' ge 0
    target 'blob GET, 1 MiB, 2 connections, p99 beside eight uploads, ms' blob-get-p99-beside 1 '≤ 3 × without them' \
      "$(over blob-get-p99-beside aerugo blob-get-p99 aerugo)" le 3
    target "peak memory of all this, and of 64 pushes of $many_size MiB at once, MiB" memory 1 '≤ 96 MiB' \
      "$(median memory aerugo)" le 96 MiB
    target 'tags/list?n=100 of 100,000 tags, 8 connections, requests/s' tags-list-of-100000 0 \
      '100 tags: ≤ 1.5 × as many' "$(over tags-list-of-100 aerugo tags-list-of-100000 aerugo)" le 1.5
    target 'manifest GET by one of 100,000 tags, 8 connections, requests/s' tag-get-of-100000 0 \
      '100 tags: ≤ 1.5 × as many' "$(over tag-get-of-100 aerugo tag-get-of-100000 aerugo)" le 1.5
  } >"$work/table"
  local missed
  missed=$(grep -c '\*\*miss\*\*' "$work/table" || true)
  {
    echo "Measured on $(date -u '+%Y-%m-%d %H:%M UTC'): $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
      "$(nproc) cores, $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r)," \
      "$busy_before % busy with other things before and $(busy) % after;" \
      "$(nginx -v 2>&1 | sed 's/.*: //'), docker-registry $(docker-registry --version | sed 's/.* //');" \
      "medians of $rounds rounds, in each $seconds runs of wrk of one second, the servers by turns."
    echo
    markdown "$work/table"
    echo
    echo "Also: $(others)."
  } >"$report/bench.md"
  heading "report/bench.md"
  cat "$report/bench.md"
  if [ "$missed" -gt 0 ]; then say "" "$missed of the targets missed"; fi
  if [ "$require" = yes ] && [ "$missed" -gt 0 ]; then exit 1; fi
}

# What was measured on the way.
others() {
  local server
  for server in aerugo docker-registry; do
    if [ -z "$(median push-many "$server")" ]; then continue; fi
    printf '%s took the 64 pushes at %s MiB/s in sum; its peak was %s MiB after the rounds, %s with the tags; ' "$server" \
      "$(figure push-many "$server" 0)" "$(figure memory-after-rounds "$server" 1)" "$(figure memory-after-tags "$server" 1)"
  done
  printf 'the disk alone does %s synced writes of 4 KiB a second, where docker-registry syncs nothing at all; ' \
    "$(figure disk-syncs aerugo 0)"
  printf "one client's push takes %s microseconds of the server's processor, its part of the sync included; " \
    "$(figure manifest-put-1-cpu aerugo 0)"
  printf 'a plain file of %d MiB is written and fsynced here at %s MiB/s' "$blob_size" "$(disk_speed)"
}

disk_speed() {
  local started
  sync -f "$work"
  started=$(now_ms)
  dd if="$work/blob" of="$work/copy" bs=1M conv=fsync status=none
  calculate "$blob_size * 1000 / ($(now_ms) - $started)" | sed 's/\..*//'
}
