# shellcheck shell=bash disable=SC2154
# ctr, containerd's own client: HEAD, POST, one PUT with Content-Length; never pings /v2/.

run_ctr() {
  local state=$work/ctr repository=$root_of_repositories/ctr
  local image=$registry/$repository:v1
  mkdir -p "$state"
  action ctr "import" ctr_import
  action ctr "push 24 MiB layer" ctr_push
  action ctr "push again" ctr_push_again
  action ctr "pull by tag" ctr_pull "$image"
  action ctr "pull by digest" ctr_pull "$registry/$repository@"
  action ctr "mount" ctr_mount
  action ctr "push and pull an index" ctr_index
  action ctr "pull a missing tag" fails 'manifest unknown|not found' \
    ctr --address "$work/containerd.sock" images pull "${ctr_remote[@]}" "$registry/$repository:never"
}

ctr() { x ctr --address "$work/containerd.sock" "$@"; }

# An empty store: what no image holds any more is collected at once.
ctr_clean() {
  local -a images
  mapfile -t images < <(ctr images list --quiet)
  if [ "${#images[@]}" -gt 0 ]; then ctr images remove --sync "${images[@]}"; fi
  same "content left" "$(ctr content list --quiet)" ""
}

ctr_import() {
  oci_layout "$state/image" v1 "$here"
  tar --create --file "$state/image.tar" --directory "$state/image" .
  ctr images import --no-unpack --base-name "$registry/$repository" "$state/image.tar"
  cp "$state/image.digest" "$state/imported"
}

ctr_push() {
  after "$state/imported"
  ctr images push "${ctr_remote[@]}" "$image"
  check_pushed "$repository" v1 "$(<"$state/image.digest")"
  cp "$state/image.digest" "$state/digest"
}

ctr_push_again() {
  after "$state/digest"
  ctr images push "${ctr_remote[@]}" "$image"
  check_pushed "$repository" v1 "$(<"$state/digest")"
}

# ctr_pull NAME:TAG or NAME@
ctr_pull() {
  after "$state/digest"
  local reference=$1 layer
  if [[ $1 == *@ ]]; then reference+=$(<"$state/digest"); fi
  ctr_clean
  ctr images pull "${ctr_remote[@]}" --snapshotter native "$reference"
  same "digest" "$(ctr images list "name==$reference" | awk 'NR == 2 { print $3 }')" "$(<"$state/digest")"
  layer=$(ctr content get "$(<"$state/digest")" | jq -r '.layers[0].digest')
  same "payload" "$(ctr content get "$layer" | gzip -dc | tar -xO payload | sha256)" "$(<"$state/image.payload-$here")"
}

# What was pulled carries a label that says from which repository, and is mounted from there.
ctr_mount() {
  after "$state/digest"
  ctr_clean
  ctr images pull "${ctr_remote[@]}" --snapshotter native "$image"
  ctr images tag "$image" "$registry/$repository-mounted:v1"
  ctr --debug images push "${ctr_remote[@]}" "$registry/$repository-mounted:v1" >"$state/mount.log" 2>&1 ||
    fail "$(<"$state/mount.log")"
  cat "$state/mount.log"
  grep -q 'mount=sha256' "$state/mount.log" || fail "nothing was mounted"
  ! grep -q 'method=PUT .*blobs/uploads' "$state/mount.log" || fail "something was uploaded"
  check_pushed "$repository-mounted" v1 "$(<"$state/digest")"
}

ctr_index() {
  oci_layout "$state/index" both "$here" "$there"
  tar --create --file "$state/index.tar" --directory "$state/index" .
  ctr images import --no-unpack --all-platforms --base-name "$registry/$repository-index" "$state/index.tar"
  ctr images push "${ctr_remote[@]}" "$registry/$repository-index:both"
  check_pushed "$repository-index" both "$(<"$state/index.digest")"
  ctr_clean
  ctr images pull "${ctr_remote[@]}" --snapshotter native --all-platforms "$registry/$repository-index:both"
  ctr images export --all-platforms "$state/exported.tar" "$registry/$repository-index:both"
  mkdir -p "$state/exported"
  tar --extract --file "$state/exported.tar" --directory "$state/exported"
  check_layout "$state/exported" "$state/index"
}
