# shellcheck shell=bash disable=SC2154
# docker: every CLI that is on PATH, all with the same dockerd. It speaks POST, PATCH (chunked), PUT, then HEAD.

run_docker() {
  local cli version label
  local -A seen=()
  while read -r cli; do
    cli=$(readlink -f "$cli")
    version=$("$cli" --version 2>/dev/null | sed -n 's/^Docker version \([0-9][0-9.]*\).*/\1/p')
    if [ -z "$version" ] || [ -n "${seen[$version]:-}" ]; then continue; fi
    seen[$version]=yes
    label=docker-$version
    docker_actions "$label" "$cli"
  done < <(type -aP docker)
}

docker_actions() {
  local label=$1 cli=$2 state=$work/$1 repository=$root_of_repositories/$1
  mkdir -p "$state/config"
  if [ -n "$accounts" ]; then
    action "$label" "login, wrong password" docker_wrong_login
    action "$label" "login" docker_login "$owner" "${secrets[$owner]}"
  fi
  action "$label" "build" docker_build
  action "$label" "push 24 MiB layer" docker_push
  action "$label" "push again" docker_push_again
  action "$label" "mount" docker_mount
  action "$label" "pull by tag" docker_pull "$repository:v1"
  action "$label" "pull by digest" docker_pull "$repository@"
  action "$label" "push and pull all tags" docker_all_tags
  action "$label" "manifest list" docker_list
  action "$label" "pull a missing tag" fails 'manifest unknown|not found' \
    "$cli" --config "$state/config" --host "unix://$work/docker.sock" pull "$registry/$repository:never"
}

docker() { x "$cli" --config "$state/config" --host "unix://$work/docker.sock" "$@"; }

docker_login() { docker login --username "$1" --password-stdin "$registry" <<<"$2"; }

docker_wrong_login() {
  local output
  if output=$(docker_login "guessed-by-$label" nonsense 2>&1); then fail "logged in with a wrong password"; fi
  printf '%s\n' "$output"
  [[ ${output,,} =~ unauthorized|incorrect|invalid|401 ]] || fail "it does not say why"
}

# An empty store: nothing of a pull may come from what was built here.
docker_clean() {
  docker image prune --all --force
  same "images left" "$(docker images --quiet --all)" ""
}

docker_build() {
  image_folder "$state/image"
  printf 'FROM scratch\nCOPY busybox /bin/busybox\nCOPY payload /payload\nENTRYPOINT ["/bin/busybox"]\n' \
    >"$state/image/Dockerfile"
  docker build --tag "$registry/$repository:v1" "$state/image"
  docker inspect --format '{{.Id}}' "$registry/$repository:v1" | shown >"$state/id"
}

docker_push() {
  after "$state/id"
  docker push "$registry/$repository:v1" | shown | sed -n 's/.*digest: \(sha256:[0-9a-f]*\) .*/\1/p' >"$state/pushed"
  check_pushed "$repository" v1 "$(<"$state/pushed")"
  cp "$state/pushed" "$state/digest"
}

docker_push_again() {
  after "$state/digest"
  local output
  output=$(docker push "$registry/$repository:v1" | shown)
  [[ $output == *"digest: $(<"$state/digest") "* ]] || fail "another digest than the first time"
  same "layers that exist already" "$(grep -c 'Layer already exists' <<<"$output")" 2
}

docker_mount() {
  after "$state/digest"
  local output
  docker tag "$registry/$repository:v1" "$registry/$repository-mounted:v1"
  output=$(docker push "$registry/$repository-mounted:v1" | shown)
  same "mounted layers" "$(grep -c 'Mounted from' <<<"$output")" 2
  check_pushed "$repository-mounted" v1 "$(<"$state/digest")"
}

# docker_pull NAME:TAG or NAME@
docker_pull() {
  after "$state/digest"
  local reference=$registry/$1 container
  if [[ $1 == *@ ]]; then reference+=$(<"$state/digest"); fi
  docker_clean
  docker pull "$reference"
  same "image id" "$(docker inspect --format '{{.Id}}' "$reference")" "$(<"$state/id")"
  container=$(docker create "$reference")
  same "payload" "$(docker cp "$container:/payload" - | tar -xO | sha256)" "$(sha256 "$state/image/payload")"
  docker rm "$container"
}

docker_all_tags() {
  after "$state/digest"
  docker tag "$registry/$repository@$(<"$state/digest")" "$registry/$repository:v1"
  docker tag "$registry/$repository:v1" "$registry/$repository:v2"
  docker tag "$registry/$repository:v1" "$registry/$repository:v3"
  docker push --all-tags "$registry/$repository"
  docker_clean
  docker pull --all-tags "$registry/$repository"
  same "tags" "$(docker images --format '{{.Tag}}' "$registry/$repository" | sort | xargs)" "v1 v2 v3"
}

# Two images under one name: the list must be found by tag, and a pull must choose this machine's one.
docker_list() {
  after "$state/digest"
  local arch list=$registry/$repository-list
  for arch in "$here" "$there"; do
    mkdir -p "$state/$arch"
    random_file "$state/$arch/payload" 64K
    printf 'FROM scratch\nCOPY payload /payload\nENTRYPOINT ["/payload"]\n' >"$state/$arch/Dockerfile"
    docker build --tag "$list:$arch" "$state/$arch"
    docker push "$list:$arch"
  done
  docker manifest create --insecure "$list:both" "$list:$here" "$list:$there"
  docker manifest annotate --arch "$there" "$list:both" "$list:$there"
  docker manifest push --insecure "$list:both" | shown | grep -o 'sha256:[0-9a-f]*' >"$state/list"
  check_pushed "$repository-list" both "$(<"$state/list")"
  docker inspect --format '{{.Id}}' "$list:$here" >"$state/list-id"
  docker_clean
  docker pull "$list:both"
  same "image id" "$(docker inspect --format '{{.Id}}' "$list:both")" "$(<"$state/list-id")"
}
