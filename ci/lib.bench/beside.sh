# shellcheck shell=bash disable=SC2154
# How long pulls of a blob take, alone and beside uploads.

round_beside() {
  local server
  for server in "${servers[@]}"; do blob_latency "$server"; done
}

rows_beside() {
  target 'blob GET, 1 MiB, 2 connections, p99 beside eight uploads, ms' blob-get-p99-beside 1 '≤ 3 × without them' \
    "$(over blob-get-p99-beside aerugo blob-get-p99 aerugo)" le 3
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
