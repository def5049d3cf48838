# shellcheck shell=bash disable=SC2154
# curl, for what happens on a bad line: a connection that is cut in the middle of an upload or of a download.

run_curl() {
  local state=$work/curl repository=$root_of_repositories/curl
  local base=http://$registry/v2/$repository
  mkdir -p "$state"
  action curl "upload in one PUT" curl_put
  action curl "download cut and resumed" curl_download
  action curl "upload cut and resumed" curl_upload
}

# absolute LOCATION: Locations may be relative.
absolute() {
  case $1 in
    http://*) echo "$1" ;;
    *) echo "http://$registry$1" ;;
  esac
}

# location_of COMMAND…: the Location that the answer gives.
location_of() { absolute "$(x "$@" --output /dev/null --write-out '%header{location}')"; }

# with_digest LOCATION DIGEST
with_digest() { case $1 in *\?*) echo "$1&digest=$2" ;; *) echo "$1?digest=$2" ;; esac }

curl_put() {
  local digest location
  random_file "$state/first-blob" "$payload_size"
  digest=sha256:$(sha256 "$state/first-blob")
  location=$(location_of curl --fail --silent --show-error --request POST "$base/blobs/uploads/")
  x curl --fail --silent --show-error --header 'Expect:' --header 'Content-Type: application/octet-stream' \
    --upload-file "$state/first-blob" "$(with_digest "$location" "$digest")"
  same "blob" "sha256:$(fetch "$base/blobs/$digest" | sha256)" "$digest"
  echo "$digest" >"$state/digest"
}

# offset LOCATION: how many bytes the registry says it has, and where to go on.
offset() {
  local range next
  IFS=' ' read -r range next < <(x curl --silent --fail-with-body --output "$state/answer" \
    --write-out '%header{range} %header{location}\n' "$1" | shown)
  if [ -n "$next" ]; then absolute "$next" >"$state/location"; fi
  if [[ $range =~ ^0-([0-9]+)$ ]]; then echo $((BASH_REMATCH[1] + 1)); else echo 0; fi
}

# Sends the first third, half of what is left in a PATCH that ends in a cut connection, asks what arrived, sends the rest.
curl_upload() {
  local digest size location have before pid deadline
  random_file "$state/blob" "$payload_size"
  digest=sha256:$(sha256 "$state/blob")
  size=$(stat -c %s "$state/blob")
  location=$(location_of curl --fail --silent --show-error --request POST "$base/blobs/uploads/")

  head -c $((size / 3)) "$state/blob" >"$state/first"
  location=$(location_of curl --fail --silent --show-error --request PATCH --header 'Expect:' \
    --header 'Content-Type: application/octet-stream' --upload-file "$state/first" "$location")

  # The body never ends, since something keeps the pipe open; then its sender dies.
  mkfifo "$state/pipe"
  curl --silent --show-error --request PATCH --header 'Expect:' --header 'Transfer-Encoding: chunked' \
    --header 'Content-Type: application/octet-stream' --upload-file - "$location" <"$state/pipe" &
  pid=$!
  exec 4>"$state/pipe"
  head -c $((size * 2 / 3)) "$state/blob" | tail -c $((size / 3)) >&4
  kill -KILL "$pid"
  exec 4>&-
  wait "$pid" || true

  # What arrived stays, though the registry may take a moment to see the end.
  have=0 deadline=$((SECONDS + patience))
  while :; do
    before=$have have=$(offset "$location")
    if [ "$have" -gt $((size / 3)) ] && [ "$have" -eq "$before" ]; then break; fi
    [ "$SECONDS" -lt "$deadline" ] || break
    sleep 0.1
  done
  if [ -s "$state/location" ]; then location=$(<"$state/location"); fi
  [ "$have" -ge $((size / 3)) ] || fail "after the cut the upload cannot be resumed: $have bytes; $(<"$state/answer")"
  [ "$have" -le $((size * 2 / 3)) ] || fail "more bytes than were sent: $have"
  note "went on at byte $have of $size ($((have - size / 3)) of the cut PATCH were kept)"

  tail -c +$((have + 1)) "$state/blob" >"$state/rest"
  location=$(location_of curl --fail --silent --show-error --request PATCH --header 'Expect:' \
    --header 'Content-Type: application/octet-stream' --header "Content-Range: $have-$((size - 1))" \
    --upload-file "$state/rest" "$location")
  x curl --fail --silent --show-error --request PUT "$(with_digest "$location" "$digest")"
  same "blob" "sha256:$(fetch "$base/blobs/$digest" | sha256)" "$digest"
}

# Reads a part, cuts, and asks for the rest with Range, as docker and ctr do.
curl_download() {
  after "$state/digest"
  local digest got size
  digest=$(<"$state/digest")
  size=$(stat -c %s "$state/first-blob")
  { fetch "$base/blobs/$digest" || true; } | head -c $((size / 2)) >"$state/got"
  got=$(stat -c %s "$state/got")
  same "bytes before the cut" "$got" $((size / 2))
  same "answer" "$(x curl --silent --range "$got-" --output "$state/rest" --write-out '%{http_code} %header{content-range}' \
    "$base/blobs/$digest")" "206 bytes $got-$((size - 1))/$size"
  same "blob" "sha256:$(cat "$state/got" "$state/rest" | sha256)" "$digest"
  same "a range past the end" "$(x curl --silent --range "$size-" --output /dev/null --write-out '%{http_code}' \
    "$base/blobs/$digest")" 416
}
