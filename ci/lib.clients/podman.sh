# shellcheck shell=bash disable=SC2154
# podman: HEAD, POST, PATCH, PUT; a new connection for every request; remembers which registry has which blob.

run_podman() {
  local state=$work/podman repository=$root_of_repositories/podman store=one
  mkdir -p "$state"
  action podman "build with RUN" podman_build
  action podman "push 24 MiB layer" podman_push
  action podman "push again" podman_push_again
  action podman "mount" podman_mount
  action podman "pull by tag" podman_pull two "$repository:v1"
  action podman "pull by digest" podman_pull three "$repository@"
  action podman "manifest push --all" podman_list
  action podman "push and pull zstd" podman_zstd
  action podman "list tags" podman_tags
  action podman "pull a missing tag" fails 'manifest unknown|not found' podman --root "$state/$store/root" \
    --runroot "$state/$store/run" --storage-driver vfs pull --tls-verify=false "$registry/$repository:never"
}

podman() {
  x podman --root "$state/$store/root" --runroot "$state/$store/run" --storage-driver vfs --cgroup-manager cgroupfs \
    --events-backend file "$@"
}

podman_build() {
  image_folder "$state/image"
  cat >"$state/image/Containerfile" <<'TEXT'
FROM scratch
COPY busybox /bin/busybox
COPY payload /payload
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox sha256sum </payload >/built"]
ENTRYPOINT ["/bin/busybox"]
TEXT
  podman build --isolation chroot --network host --tag "$registry/$repository:v1" "$state/image"
  podman inspect --format '{{.Id}}' "$registry/$repository:v1" | shown >"$state/id"
}

podman_push() {
  after "$state/id"
  podman push --tls-verify=false --digestfile "$state/pushed" "$registry/$repository:v1"
  check_pushed "$repository" v1 "$(<"$state/pushed")"
  cp "$state/pushed" "$state/digest"
}

podman_push_again() {
  after "$state/digest"
  podman push --tls-verify=false --digestfile "$state/again" "$registry/$repository:v1"
  same "digest" "$(<"$state/again")" "$(<"$state/digest")"
}

podman_mount() {
  after "$state/digest"
  podman --log-level debug push --tls-verify=false "$registry/$repository:v1" "$registry/$repository-mounted:v1" \
    >"$state/mount.log" 2>&1 || fail "$(<"$state/mount.log")"
  cat "$state/mount.log"
  mounted "$state/mount.log"
  check_pushed "$repository-mounted" v1 "$(<"$state/digest")"
}

# mounted LOG: the debug log of podman, buildah or skopeo tells of mounts.
mounted() { grep -q '\.\.\. mount OK' "$1" || fail "nothing was mounted"; }

# podman_pull STORE NAME:TAG or NAME@
podman_pull() {
  after "$state/digest"
  local store=$1 reference=$registry/$2 root
  if [[ $2 == *@ ]]; then reference+=$(<"$state/digest"); fi
  podman pull --tls-verify=false "$reference"
  same "image id" "$(podman inspect --format '{{.Id}}' "$reference")" "$(<"$state/id")"
  root=$(podman image mount "$reference")
  same "payload" "$(sha256 "$root/payload")" "$(sha256 "$state/image/payload")"
  same "what RUN wrote" "$(cut -d ' ' -f 1 "$root/built")" "$(sha256 "$state/image/payload")"
  podman image unmount "$reference"
}

podman_list() {
  after "$state/digest"
  local arch
  podman manifest create both
  for arch in amd64 arm64; do
    mkdir -p "$state/$arch"
    random_file "$state/$arch/payload" 64K
    printf 'FROM scratch\nCOPY payload /payload\n' >"$state/$arch/Containerfile"
    podman build --isolation chroot --platform "linux/$arch" --manifest both "$state/$arch"
  done
  podman manifest push --tls-verify=false --all --digestfile "$state/list-digest" both "docker://$registry/$repository-list:both"
  check_pushed "$repository-list" both "$(<"$state/list-digest")"
  store=list
  for arch in amd64 arm64; do
    podman pull --tls-verify=false --platform "linux/$arch" "$registry/$repository-list:both"
    same "payload of $arch" \
      "$(sha256 "$(podman image mount "$registry/$repository-list:both")/payload")" "$(sha256 "$state/$arch/payload")"
    podman image unmount "$registry/$repository-list:both"
  done
}

podman_zstd() {
  after "$state/digest"
  local root
  forget_blobs
  podman push --tls-verify=false --format oci --compression-format zstd --digestfile "$state/zstd-digest" \
    "$registry/$repository:v1" "$registry/$repository-zstd:v1"
  check_pushed "$repository-zstd" v1 "$(<"$state/zstd-digest")"
  [[ $(media_types "$repository-zstd" v1) == *+zstd* ]] || fail "no layer is zstd"
  store=zstd
  podman pull --tls-verify=false "$registry/$repository-zstd:v1"
  root=$(podman image mount "$registry/$repository-zstd:v1")
  same "payload" "$(sha256 "$root/payload")" "$(sha256 "$state/image/payload")"
  podman image unmount "$registry/$repository-zstd:v1"
}

podman_tags() {
  after "$state/digest"
  podman push --tls-verify=false "$registry/$repository:v1" "$registry/$repository:v2"
  same "tags" "$(podman search --list-tags --tls-verify=false "$registry/$repository" | awk 'NR > 1 { print $2 }' | xargs)" \
    "v1 v2"
}
