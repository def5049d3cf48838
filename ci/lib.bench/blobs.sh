# shellcheck shell=bash disable=SC2154
# One large blob, pulled and pushed.

round_blobs() {
  local server
  for server in "${servers[@]}"; do blob_get "$server"; done
  for server in "${servers[@]}"; do blob_push "$server"; done
}

rows_blobs() {
  target "blob GET, $blob_size MiB, 4 connections, server CPU-seconds a GiB" blob-get-cpu 3 '≤ 1.2 × nginx' \
    "$(over blob-get-cpu aerugo blob-get-cpu nginx)" le 1.2
  target "blob push, $blob_size MiB, one stream, durable, MiB/s" blob-push 0 '≥ 2.5 × docker-registry' \
    "$(over blob-push aerugo blob-push docker-registry)" ge 2.5
}

also_blobs() { printf 'a plain file of %d MiB is written and fsynced here at %s MiB/s' "$blob_size" "$(disk_speed)"; }

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

disk_speed() {
  local started
  sync -f "$work"
  started=$(now_ms)
  dd if="$work/blob" of="$work/copy" bs=1M conv=fsync status=none
  calculate "$blob_size * 1000 / ($(now_ms) - $started)" | sed 's/\..*//'
}
