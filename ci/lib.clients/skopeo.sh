# shellcheck shell=bash disable=SC2154
# skopeo: copies between any two places, byte for byte or converted, and is the only client here that deletes.

run_skopeo() {
  local state=$work/skopeo repository=$root_of_repositories/skopeo
  local remote=docker://$registry/$repository
  mkdir -p "$state"
  action skopeo "push 24 MiB layer" skopeo_push
  action skopeo "push again" skopeo_push_again
  action skopeo "mount" skopeo_mount
  action skopeo "pull by tag" skopeo_pull tag "$remote:v1"
  action skopeo "pull by digest" skopeo_pull digest "$remote@"
  action skopeo "inspect" skopeo_inspect
  action skopeo "copy --all (index)" skopeo_index
  action skopeo "copy --all (manifest list)" skopeo_manifest_list
  action skopeo "to Docker schema 2" skopeo_convert v2s2 application/vnd.docker.distribution.manifest.v2+json
  action skopeo "to OCI" skopeo_convert oci application/vnd.oci.image.manifest.v1+json
  action skopeo "to OCI with zstd" skopeo_zstd
  action skopeo "sync to a folder" skopeo_sync
  action skopeo "list tags" skopeo_tags
  action skopeo "delete" skopeo_delete
  action skopeo "pull a missing tag" fails 'manifest unknown|not found' \
    skopeo copy --src-tls-verify=false "$remote:never" "dir:$state/never"
}

skopeo() { x skopeo "$@"; }
push() { skopeo copy --dest-tls-verify=false --digestfile "$state/pushed" "$@"; }
pull() { skopeo copy --src-tls-verify=false "$@"; }

skopeo_push() {
  oci_layout "$state/image" v1 "$here"
  push "oci:$state/image:v1" "$remote:v1"
  same "digest" "$(<"$state/pushed")" "$(<"$state/image.digest")"
  check_pushed "$repository" v1 "$(<"$state/pushed")"
  cp "$state/pushed" "$state/digest"
}

skopeo_push_again() {
  after "$state/digest"
  push "oci:$state/image:v1" "$remote:v1"
  same "digest" "$(<"$state/pushed")" "$(<"$state/digest")"
}

skopeo_mount() {
  after "$state/digest"
  skopeo --debug copy --dest-tls-verify=false "oci:$state/image:v1" "$remote-mounted:v1" \
    >"$state/mount.log" 2>&1 || fail "$(<"$state/mount.log")"
  cat "$state/mount.log"
  mounted "$state/mount.log"
  check_pushed "$repository-mounted" v1 "$(<"$state/digest")"
}

# skopeo_pull NAME REMOTE:TAG or REMOTE@
skopeo_pull() {
  after "$state/digest"
  local reference=$2
  if [[ $2 == *@ ]]; then reference+=$(<"$state/digest"); fi
  pull "$reference" "oci:$state/pulled-$1:v1"
  check_layout "$state/pulled-$1" "$state/image"
}

skopeo_inspect() {
  after "$state/digest"
  same "digest and layer" \
    "$(skopeo inspect --tls-verify=false "$remote:v1" | shown | jq -r '"\(.Digest) \(.Layers[0]) \(.Architecture)"')" \
    "$(<"$state/digest") $(manifest "$repository" v1 | jq -r '.layers[0].digest') $here"
}

skopeo_index() {
  oci_layout "$state/index" both "$here" "$there"
  push --all "oci:$state/index:both" "$remote-index:both"
  same "digest" "$(<"$state/pushed")" "$(<"$state/index.digest")"
  check_pushed "$repository-index" both "$(<"$state/pushed")"
  pull --all "$remote-index:both" "oci:$state/index-pulled:both"
  check_layout "$state/index-pulled" "$state/index"
  cp "$state/pushed" "$state/index-digest"
}

skopeo_manifest_list() {
  after "$state/index-digest"
  push --all --format v2s2 "oci:$state/index:both" "$remote-list:both"
  check_pushed "$repository-list" both "$(<"$state/pushed")"
  same "media type" "$(manifest "$repository-list" both | jq -r .mediaType)" \
    application/vnd.docker.distribution.manifest.list.v2+json
  pull --override-arch "$there" "$remote-list:both" "dir:$state/list-there"
}

# skopeo_convert FORMAT MEDIA-TYPE: within the registry, into another repository.
skopeo_convert() {
  after "$state/digest"
  local from=$remote:v1
  if [ "$1" = oci ]; then from=$remote-v2s2:v1; fi
  push --src-tls-verify=false --format "$1" "$from" "$remote-$1:v1"
  check_pushed "$repository-$1" v1 "$(<"$state/pushed")"
  same "media type" "$(media_types "$repository-$1" v1 | cut -d ' ' -f 1)" "$2"
  pull --format oci "$remote-$1:v1" "oci:$state/converted-$1:v1"
  same_payload "$state/converted-$1"
}

skopeo_zstd() {
  after "$state/digest"
  forget_blobs
  push --dest-compress-format zstd --format oci "oci:$state/image:v1" "$remote-zstd:v1"
  check_pushed "$repository-zstd" v1 "$(<"$state/pushed")"
  [[ $(media_types "$repository-zstd" v1) == *+zstd* ]] || fail "the layer is not zstd"
  pull --dest-decompress "$remote-zstd:v1" "dir:$state/zstd"
}

# same_payload LAYOUT: one of its blobs is the layer, and holds the payload.
same_payload() {
  local layer
  layer=$(jq -r .manifests[0].digest "$1/index.json")
  layer=$(jq -r .layers[0].digest "$1/blobs/sha256/${layer#sha256:}")
  same "payload" "$(gzip -dc <"$1/blobs/sha256/${layer#sha256:}" | tar -xO payload | sha256)" \
    "$(<"$state/image.payload-$here")"
}

skopeo_sync() {
  after "$state/index-digest"
  mkdir -p "$state/sync"
  skopeo sync --all --src-tls-verify=false --src docker --dest dir "$registry/$repository-index" "$state/sync"
  same "digest" "sha256:$(sha256 "$state/sync/skopeo-index:both/manifest.json")" "$(<"$state/index-digest")"
}

skopeo_tags() {
  after "$state/digest"
  local tag
  for tag in a10 a9 B_1.x; do push "oci:$state/image:v1" "$remote:$tag"; done
  same "tags" "$(skopeo list-tags --tls-verify=false "$remote" | shown | jq -r '.Tags | sort | join(" ")')" "B_1.x a10 a9 v1"
}

skopeo_delete() {
  after "$state/digest"
  skopeo delete --tls-verify=false "$remote-mounted:v1"
  fails 'manifest unknown|not found' skopeo inspect --tls-verify=false "$remote-mounted:v1"
  fails 'manifest unknown|not found' skopeo inspect --tls-verify=false "$remote-mounted@$(<"$state/digest")"
  check_pushed "$repository" v1 "$(<"$state/digest")"
}
