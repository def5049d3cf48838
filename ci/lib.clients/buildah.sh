# shellcheck shell=bash disable=SC2154
# buildah: builds step by step, without a daemon or a Containerfile.

run_buildah() {
  local state=$work/buildah repository=$root_of_repositories/buildah store=one
  mkdir -p "$state"
  action buildah "build with RUN" buildah_build
  action buildah "push 24 MiB layer" buildah_push
  action buildah "push again" buildah_push_again
  action buildah "mount" buildah_mount
  action buildah "pull by tag" buildah_pull two "$repository:v1"
  action buildah "pull by digest" buildah_pull three "$repository@"
  action buildah "manifest push --all" buildah_list
  action buildah "pull a missing tag" fails 'manifest unknown|not found' buildah --root "$state/$store/root" \
    --runroot "$state/$store/run" --storage-driver vfs pull --tls-verify=false "$registry/$repository:never"
}

buildah() {
  x buildah --root "$state/$store/root" --runroot "$state/$store/run" --storage-driver vfs "$@"
}

buildah_build() {
  local container
  image_folder "$state/image"
  container=$(buildah from scratch)
  buildah copy "$container" "$state/image/busybox" /bin/busybox
  buildah copy "$container" "$state/image/payload" /payload
  buildah run --isolation chroot "$container" -- /bin/busybox sh -c '/bin/busybox sha256sum </payload >/built'
  buildah config --entrypoint '["/bin/busybox"]' "$container"
  buildah commit --rm "$container" "$registry/$repository:v1"
  buildah inspect --type image --format '{{.FromImageID}}' "$registry/$repository:v1" | shown >"$state/id"
}

buildah_push() {
  after "$state/id"
  buildah push --tls-verify=false --digestfile "$state/pushed" "$registry/$repository:v1"
  check_pushed "$repository" v1 "$(<"$state/pushed")"
  cp "$state/pushed" "$state/digest"
}

buildah_push_again() {
  after "$state/digest"
  buildah push --tls-verify=false --digestfile "$state/again" "$registry/$repository:v1"
  same "digest" "$(<"$state/again")" "$(<"$state/digest")"
}

buildah_mount() {
  after "$state/digest"
  buildah --log-level debug push --tls-verify=false "$registry/$repository:v1" \
    "docker://$registry/$repository-mounted:v1" >"$state/mount.log" 2>&1 || fail "$(<"$state/mount.log")"
  cat "$state/mount.log"
  mounted "$state/mount.log"
  check_pushed "$repository-mounted" v1 "$(<"$state/digest")"
}

# buildah_pull STORE NAME:TAG or NAME@
buildah_pull() {
  after "$state/digest"
  local store=$1 reference=$registry/$2 container root
  if [[ $2 == *@ ]]; then reference+=$(<"$state/digest"); fi
  buildah pull --tls-verify=false "$reference"
  same "image id" "$(buildah inspect --type image --format '{{.FromImageID}}' "$reference")" "$(<"$state/id")"
  container=$(buildah from --pull-never "$reference")
  root=$(buildah mount "$container")
  same "payload" "$(sha256 "$root/payload")" "$(sha256 "$state/image/payload")"
  same "what run wrote" "$(cut -d ' ' -f 1 "$root/built")" "$(sha256 "$state/image/payload")"
  buildah umount "$container"
}

buildah_list() {
  after "$state/digest"
  local arch container
  buildah manifest create both
  for arch in amd64 arm64; do
    random_file "$state/payload-$arch" 64K
    container=$(buildah from --arch "$arch" scratch)
    buildah copy "$container" "$state/payload-$arch" /payload
    buildah commit --rm --manifest both "$container"
  done
  buildah manifest push --tls-verify=false --all --digestfile "$state/list-digest" both \
    "docker://$registry/$repository-list:both"
  check_pushed "$repository-list" both "$(<"$state/list-digest")"
  same "platforms" "$(manifest "$repository-list" both | jq -r '[.manifests[].platform.architecture] | sort | join(" ")')" \
    "amd64 arm64"
}
