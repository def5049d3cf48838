# shellcheck shell=bash disable=SC2154
# What every part of ci/bench measures with: cores, samples, contestants, requests. Sourced by it; its variables: $work,
# $report, $rounds, $seconds, $many_size, $servers.

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
  local -a login=()
  shift
  # Who pushes where somebody has to say who they are.
  if [ -n "${login_key:-}" ]; then login=(--user "bench:$login_key"); fi
  : >"$work/answer"
  on_client_core curl "${login[@]}" --silent --show-error --fail-with-body --max-time 300 --header 'Expect:' \
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

# requests_per_second URL CONNECTIONS: over one second.
requests_per_second() {
  on_client_core wrk -t1 -c"$2" -d1s --timeout 5s -H "Accept: $manifest_type" "$1" >"$work/wrk"
  if grep -Eq 'Non-2xx|Socket errors' "$work/wrk"; then
    cat "$work/wrk" >&2
    die "wrk saw errors on $1"
  fi
  awk '/^Requests\/sec/ { print $2 }' "$work/wrk"
}
