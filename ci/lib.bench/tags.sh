# shellcheck shell=bash disable=SC2154
# A repository of 100,000 tags against one of 100. Aerugo alone.

after_tags() {
  local turn
  if [ "$peers_only" = yes ]; then return; fi
  heading "a repository of 100,000 tags against one of 100"
  record memory-after-rounds aerugo "$(peak_memory aerugo)"
  fill_tags 100
  fill_tags 100000
  for ((turn = 1; turn <= rounds * seconds; turn++)); do tags_get; done
  record memory-after-tags aerugo "$(peak_memory aerugo)"
}

rows_tags() {
  target 'tags/list?n=100 of 100,000 tags, 8 connections, requests/s' tags-list-of-100000 0 \
    '100 tags: ≤ 1.5 × as many' "$(over tags-list-of-100 aerugo tags-list-of-100000 aerugo)" le 1.5
  target 'manifest GET by one of 100,000 tags, 8 connections, requests/s' tag-get-of-100000 0 \
    '100 tags: ≤ 1.5 × as many' "$(over tag-get-of-100 aerugo tag-get-of-100000 aerugo)" le 1.5
}

also_tags() {
  printf 'its peak was %s MiB after the rounds, %s with the tags' \
    "$(figure memory-after-rounds aerugo 1)" "$(figure memory-after-tags aerugo 1)"
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
