# shellcheck shell=bash disable=SC2154,SC2034
# What all clients need: their surroundings, content to push, checks, and the table. Sourced by ci/clients, whose
# variables these are: $registry, $report, $work.

readonly payload_size=24M # of random bytes, the layer that is "over 20 MB"
readonly command_limit=300 # seconds that one command may take
here=$(dpkg --print-architecture) # this machine's, as images call it
there=s390x                       # one that it surely is not
ctr_remote=(--plain-http) # how ctr reaches the registry, and as whom
action_count=0
failure_count=0

# ------------------------------------------------------------------------------------------------------ surroundings

# Everything a client keeps goes below $work. The two paths that podman, buildah and skopeo have built in for root,
# /var/lib/containers (with the cache of where blobs were seen) and /etc/containers, are covered by mounts.
prepare() {
  export HOME=$work/home XDG_RUNTIME_DIR=$work/run TMPDIR=$work/tmp
  export REGISTRY_AUTH_FILE=$work/auth.json DOCKER_BUILDKIT=0 DOCKER_CLI_HINTS=false BUILDAH_ISOLATION=chroot
  unset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS_VERIFY CONTAINERS_CONF CONTAINERS_STORAGE_CONF STORAGE_DRIVER
  unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
  mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$TMPDIR" "$work/var-lib-containers" "$work/etc-containers" "$report/clients"
  mkdir -p /var/lib/containers /etc/containers
  mount --bind "$work/var-lib-containers" /var/lib/containers
  mount --bind "$work/etc-containers" /etc/containers
  echo '{}' >"$REGISTRY_AUTH_FILE"
  echo '{"default": [{"type": "insecureAcceptAnything"}]}' >/etc/containers/policy.json
  printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$registry" >/etc/containers/registries.conf
  root_of_repositories=clients/r$(openssl rand -hex 4)
  printf 'client\taction\tresult\tms\tnote\n' >"$report/clients.tsv"
}

# One containerd serves both ctr and dockerd, which needs one to start at all.
start_daemons() {
  local socket=$work/containerd.sock
  mkdir -p "$work/containerd/root" "$work/containerd/state"
  cat >"$work/containerd/config.toml" <<TOML
version = 2
root = "$work/containerd/root"
state = "$work/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$socket"
TOML
  start_server containerd "$report/clients/containerd.log" containerd --config "$work/containerd/config.toml"
  wait_ready containerd "$report/clients/containerd.log" "$patience" ctr --address "$socket" version

  mkdir -p "$work/docker"
  echo '{}' >"$work/docker/daemon.json"
  start_server dockerd "$report/clients/dockerd.log" dockerd --host "unix://$work/docker.sock" \
    --containerd "$socket" --config-file "$work/docker/daemon.json" --data-root "$work/docker/data" \
    --exec-root "$work/docker/exec" --pidfile "$work/docker/pid" --insecure-registry "$registry" \
    --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false
  wait_ready dockerd "$report/clients/dockerd.log" "$patience" \
    curl --fail --silent --max-time 10 --unix-socket "$work/docker.sock" http://docker/_ping
}

# ------------------------------------------------------------------------------------------------------------ actions

# action CLIENT ACTION FUNCTION [ARGUMENT…]: one row. The function fails like a script under set -e does; what it and its
# commands say goes to the action's log.
action() {
  local client=$1 name=$2 log note started elapsed result status
  shift 2
  action_count=$((action_count + 1))
  log=$report/clients/$(printf '%02d-%s-%s.log' "$action_count" "$client" "${name//[^A-Za-z0-9.]/-}")
  : >"$work/note"
  started=$(now_ms)
  set +e
  (
    set -euo pipefail
    "$@"
  ) >>"$log" 2>&1 </dev/null
  status=$?
  set -e
  elapsed=$(($(now_ms) - started))
  note=$(<"$work/note")
  case $status in
    0) result=ok ;;
    75) result=skipped ;;
    *)
      result=FAILED note="see ${log#"$report"/}"
      failure_count=$((failure_count + 1))
      ;;
  esac
  printf '%s\t%s\t%s\t%s\t%s\n' "$client" "$name" "$result" "$elapsed" "$note" >>"$report/clients.tsv"
  printf '%-16s %-27s %-8s %6d ms  %s\n' "$client" "$name" "$result" "$elapsed" "$note"
  if [ "$result" = FAILED ]; then tail -n 15 "$log" | cut -c 1-400 | sed 's/^/    | /'; fi
}

# Inside an action: a word for the row; the end of it as skipped; its end as failed.
note() { printf '%s' "$*" >"$work/note"; }
skip() {
  note "$@"
  exit 75
}
fail() {
  printf 'FAILED: %s\n' "$*"
  exit 1
}

# after FILE…: what the earlier actions left is there, or this one cannot be judged.
after() {
  local file
  for file in "$@"; do
    if [ ! -s "$file" ]; then skip "an action that this one builds on has failed"; fi
  done
}

# x COMMAND…: runs it with a deadline and its trace in the log.
x() {
  printf '+ %s\n' "${*@Q}" >&2
  timeout --foreground --kill-after 5 "$command_limit" "$@"
}

# Passes its input on and shows it in the log as well.
shown() {
  local text
  text=$(cat)
  printf '%s\n' "$text" >&2
  printf '%s\n' "$text"
}

# fails WITH-PATTERN COMMAND…: the command must fail, and say why in words that the person at the terminal understands.
fails() {
  local pattern=$1 output
  shift
  if output=$(x "$@" 2>&1); then
    printf '%s\n' "$output"
    fail "this should not have worked: $*"
  fi
  printf '%s\n' "$output"
  [[ ${output,,} =~ $pattern ]] || fail "its message has nothing of: $pattern"
  note "$(printf '%s\n' "$output" | grep -Eio "[^:\"]*($pattern)[^:\"]*" | head -n 1 | sed 's/^ *//' | cut -c 1-60)"
}

same() { [ "$2" = "$3" ] || fail "$1: $2, expected $3"; }

# ------------------------------------------------------------------------------------------------------------ content

sha256() { sha256sum "$@" | cut -d ' ' -f 1; }

# forget_blobs: empties the cache in which podman, buildah and skopeo keep which registry has what, or they would mount
# a blob that has the same content in another compression.
forget_blobs() { rm -rf /var/lib/containers/cache; }

# random_file FILE SIZE
random_file() { head -c "$2" /dev/urandom >"$1"; }

# image_folder DIR: what goes into an image: a shell, and a payload nobody has seen before.
image_folder() {
  mkdir -p "$1"
  cp "$(command -v busybox)" "$1/busybox"
  random_file "$1/payload" "$payload_size"
}

# put_blob LAYOUT FILE: moves the file into an OCI layout; prints digest and size.
put_blob() {
  local digest size
  digest=$(sha256 "$2")
  size=$(stat -c %s "$2")
  mkdir -p "$1/blobs/sha256"
  mv "$2" "$1/blobs/sha256/$digest"
  echo "sha256:$digest $size"
}

# oci_manifest LAYOUT ARCHITECTURE SIZE: adds an image with one layer of random content; prints its manifest's
# descriptor, and leaves the payload's digest in LAYOUT.payload-ARCHITECTURE.
oci_manifest() {
  local layout=$1 arch=$2 folder diff layer config
  folder=$(mktemp -d)
  random_file "$folder/payload" "$3"
  sha256 "$folder/payload" >"$layout.payload-$arch"
  tar --create --file "$folder/layer" --directory "$folder" --owner 0 --group 0 payload
  diff=sha256:$(sha256 "$folder/layer")
  gzip -1 -n <"$folder/layer" >"$folder/layer.gz"
  layer=$(put_blob "$layout" "$folder/layer.gz")
  jq -n --arg arch "$arch" --arg diff "$diff" \
    '{architecture: $arch, os: "linux", config: {Cmd: ["/payload"]}, rootfs: {type: "layers", diff_ids: [$diff]}}' \
    >"$folder/config"
  config=$(put_blob "$layout" "$folder/config")
  jq -n --arg config "$config" --arg layer "$layer" '
    def blob($type): split(" ") | {mediaType: $type, digest: .[0], size: (.[1] | tonumber)};
    {schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
     config: ($config | blob("application/vnd.oci.image.config.v1+json")),
     layers: [$layer | blob("application/vnd.oci.image.layer.v1.tar+gzip")]}' >"$folder/manifest"
  put_blob "$layout" "$folder/manifest" | jq -R --arg arch "$arch" '
    split(" ") | {mediaType: "application/vnd.oci.image.manifest.v1+json", digest: .[0], size: (.[1] | tonumber),
                  platform: {os: "linux", architecture: $arch}}'
  rm -rf "$folder"
}

# oci_layout LAYOUT TAG ARCHITECTURE…: an image of that tag, with a large layer; an index where there are several
# architectures, with small ones.
oci_layout() {
  local layout=$1 tag=$2 arch entry
  shift 2
  mkdir -p "$layout"
  echo '{"imageLayoutVersion": "1.0.0"}' >"$layout/oci-layout"
  if [ "$#" -eq 1 ]; then
    entry=$(oci_manifest "$layout" "$1" "$payload_size")
  else
    for arch in "$@"; do oci_manifest "$layout" "$arch" 64K; done |
      jq -s '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: .}' >"$layout.index"
    entry=$(put_blob "$layout" "$layout.index" | jq -R '
      split(" ") | {mediaType: "application/vnd.oci.image.index.v1+json", digest: .[0], size: (.[1] | tonumber)}')
  fi
  jq -r .digest <<<"$entry" >"$layout.digest"
  jq --arg tag "$tag" '{schemaVersion: 2, manifests: [. + {annotations: {"org.opencontainers.image.ref.name": $tag}}]}' \
    <<<"$entry" >"$layout/index.json"
}

# check_layout LAYOUT ORIGINAL: holds the original's blobs, all of them, and each is what its name says.
check_layout() {
  local file
  for file in "$2"/blobs/sha256/*; do
    [ -e "$1/blobs/sha256/${file##*/}" ] || fail "$1 has no ${file##*/}"
  done
  for file in "$1"/blobs/sha256/*; do
    same "$file" "$(sha256 "$file")" "${file##*/}"
  done
}

# -------------------------------------------------------------------------------------- what the registry has to show

# Blobs may be elsewhere.
fetch() { curl --fail --silent --show-error --location --max-time "$command_limit" "$@"; }

readonly manifest_types='application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json,
 application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json'

# manifest REPOSITORY REFERENCE: its bytes.
manifest() {
  fetch --header "Accept: ${manifest_types//$'\n'/}" "http://$registry/v2/$1/manifests/$2"
}

# check_pushed REPOSITORY REFERENCE DIGEST: manifest and blobs (of all children) are there, and are what they are called.
check_pushed() {
  local repository=$1 body child digest size
  body=$(mktemp)
  manifest "$repository" "$2" >"$body"
  same "manifest $repository $2" "sha256:$(sha256 "$body")" "$3"
  same "length of HEAD" "$(fetch --head --header "Accept: ${manifest_types//$'\n'/}" \
    --write-out '%header{content-length} %header{docker-content-digest}' --output /dev/null \
    "http://$registry/v2/$repository/manifests/$2")" "$(stat -c %s "$body") $3"
  jq -r '.manifests[]?.digest' "$body" >"$body.children"
  while read -r child; do check_pushed "$repository" "$child" "$child"; done <"$body.children"
  jq -r '[.config // empty] + (.layers // []) | .[] | "\(.digest) \(.size)"' "$body" >"$body.blobs"
  while read -r digest size; do
    fetch "http://$registry/v2/$repository/blobs/$digest" >"$body.blob"
    same "blob $digest" "sha256:$(sha256 "$body.blob") $(stat -c %s "$body.blob")" "$digest $size"
  done <"$body.blobs"
  rm -f "$body"*
}

# media_types REPOSITORY REFERENCE: of the manifest, its config and its layers.
media_types() { manifest "$1" "$2" | jq -r '[.mediaType, .config.mediaType, .layers[]?.mediaType] | map(. // "") | join(" ")'; }

# ------------------------------------------------------------------------------------------------------------- the end

conclude() {
  local ok
  ok=$(cut -f 3 "$report/clients.tsv" | grep -c '^ok$' || true)
  markdown "$report/clients.tsv" >"$report/clients.md"
  printf '%d actions: %d ok, %d failed, %d skipped, in %d s\n' "$action_count" "$ok" "$failure_count" \
    $((action_count - ok - failure_count)) "$SECONDS"
  [ "$failure_count" -eq 0 ]
}
