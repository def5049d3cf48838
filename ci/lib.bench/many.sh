# shellcheck shell=bash disable=SC2154
# Many uploads at once, and what memory all of the run has taken: the last part.

after_many() {
  local server
  heading "64 pushes of $many_size MiB at once"
  for server in "${servers[@]}"; do
    if [ "$server" != nginx ]; then push_many "$server"; fi
    record memory "$server" "$(peak_memory "$server")"
  done
}

rows_many() {
  target "peak memory of all this, and of 64 pushes of $many_size MiB at once, MiB" memory 1 '≤ 96 MiB' \
    "$(median memory aerugo)" le 96 MiB
}

also_many() {
  printf 'the 64 pushes went at %s MiB/s in sum, docker-registry'"'"'s at %s' \
    "$(figure push-many aerugo 0)" "$(figure push-many docker-registry 0)"
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
