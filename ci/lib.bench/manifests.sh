# shellcheck shell=bash disable=SC2154
# Pulls of a small manifest by tag.

round_manifests() {
  local turn server
  for ((turn = 1; turn <= seconds; turn++)); do
    for server in "${servers[@]}"; do manifest_get "$server"; done
    rotate
  done
}

rows_manifests() {
  target 'manifest GET by tag, 1 KiB, 32 connections, requests/s' manifest-get 0 \
    '≥ 0.9 × nginx' "$(over manifest-get aerugo manifest-get nginx)" ge 0.9
  target 'the same' manifest-get 0 '≥ 40 × docker-registry' \
    "$(over manifest-get aerugo manifest-get docker-registry)" ge 40
  target 'the same, requests a CPU-second of the server' manifest-get-cpu 0 – '' ge 0
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
