# shellcheck shell=bash disable=SC2154
# Accounts, as every client sees them: who may push and pull what, before and after it is shared. Only with --accounts,
# whose names and secrets these are: $owner, $colleague, $robot, $organization and the secret of each in ${secrets[…]}.

# accounts_of FILE: reads the names and secrets, lines of KIND NAME SECRET.
declare -A secrets=()
accounts_of() {
  local kind name secret
  while read -r kind name secret; do
    case $kind in
      owner) owner=$name ;;
      colleague) colleague=$name ;;
      robot) robot=$name ;;
      organization) organization=$name ;;
      *) die "$1: what is '$kind'?" ;;
    esac
    secrets[$name]=$secret
  done <"$1"
  if [ -z "${owner:-}" ] || [ -z "${colleague:-}" ] || [ -z "${robot:-}" ] || [ -z "${organization:-}" ]; then
    die "$1 must name an owner, a colleague, a robot and an organization"
  fi
}

# log_in_everywhere: as the owner, with each client's own login, for all actions that follow.
log_in_everywhere() {
  local client
  printf 'user = "%s:%s"\n' "$owner" "${secrets[$owner]}" >"$HOME/.curlrc"
  ctr_remote+=(--user "$owner:${secrets[$owner]}")
  for client in podman buildah skopeo; do
    chosen "$client" || continue
    action "$client" "login, wrong password" wrong_login "$client"
    action "$client" "login" log_in "$client"
  done
}

# log_in CLIENT: the last of them that logs in is who all three are: they share a file.
log_in() {
  x "$1" login --tls-verify=false --username "$owner" --password-stdin "$registry" <<<"${secrets[$owner]}"
}

# wrong_login CLIENT: each guesses at an account of its own, so that the owner need not wait for what all of them have tried.
wrong_login() {
  local output
  if output=$(x "$1" login --tls-verify=false --username "guessed-by-$1" --password-stdin "$registry" <<<"nonsense" 2>&1); then
    fail "logged in with a wrong password"
  fi
  printf '%s\n' "$output"
  [[ ${output,,} =~ unauthorized|incorrect|invalid|401 ]] || fail "it does not say why"
}

run_tenants() {
  local state=$work/tenants client
  mkdir -p "$state"
  action tenants "push to both namespaces" tenants_push
  for client in skopeo podman buildah docker ctr; do
    action "$client" "anonymous, private" refused_as "$client" "" "$owner"
    action "$client" "colleague, not shared" refused_as "$client" "$colleague" "$owner"
  done
  action tenants "share with the colleague" tenants_share
  for client in skopeo podman buildah docker ctr; do
    action "$client" "colleague, shared" pulled_as "$client" "$colleague" "$owner"
    action "$client" "colleague may not push" tenants_no_push "$client"
    action "$client" "robot pushes by its key" tenants_robot "$client"
  done
  action tenants "make it public" tenants_public
  for client in skopeo podman buildah docker ctr; do
    action "$client" "anonymous, public" pulled_as "$client" "" "$owner"
    action "$client" "anonymous, private still" refused_as "$client" "" "$organization"
  done
}

# api METHOD PATH [JSON]: as the owner.
api() {
  fetch --request "$1" ${3:+--header 'Content-Type: application/json' --data "$3"} "http://$registry/api/v1/$2"
}

tenants_push() {
  local place
  oci_layout "$state/image" v1 "$here"
  for place in "$owner" "$organization"; do
    skopeo copy --dest-tls-verify=false "oci:$state/image:v1" "docker://$registry/$place/$root_of_tenants:v1"
    check_pushed "$place/$root_of_tenants" v1 "$(<"$state/image.digest")"
  done
  cp "$state/image.digest" "$state/digest"
}

tenants_share() {
  after "$state/digest"
  api PUT "repositories/$owner%2F$root_of_tenants/permissions/user:$colleague" '{"actions": ["pull"]}'
  touch "$state/shared" && echo yes >"$state/shared"
}

tenants_public() {
  after "$state/shared"
  api PATCH "repositories/$owner%2F$root_of_tenants" '{"visibility": "public"}'
  echo yes >"$state/public"
}

# as CLIENT NAME pull|push REFERENCE: with this name's secret, or nobody's; what is pulled goes nowhere, and what is pushed
# is an image of the client's own making.
as() {
  local client=$1 name=$2 what=$3 reference=$4 store=$work/s-$1 creds=""
  if [ -n "$name" ]; then creds=$name:${secrets[$name]}; fi
  rm -rf "$store" && mkdir -p "$store"
  echo '{}' >"$store/auth.json"
  random_file "$store/payload" 64K
  case $client in
    podman | buildah) as_storage "$client" ;;
    *) "as_$client" ;;
  esac
}

as_skopeo() {
  if [ "$what" = push ]; then
    skopeo copy --dest-tls-verify=false --dest-creds "$creds" "oci:$state/image:v1" "docker://$reference"
  elif [ -n "$name" ]; then
    skopeo copy --src-tls-verify=false --src-creds "$creds" "docker://$reference" "dir:$store/image"
  else
    skopeo copy --src-tls-verify=false --src-no-creds "docker://$reference" "dir:$store/image"
  fi
}

as_storage() {
  local -a words=(x "$1" --root "$store/root" --runroot "$store/run" --storage-driver vfs)
  local -a where=(--tls-verify=false --authfile "$store/auth.json")
  if [ -n "$name" ]; then where+=(--creds "$creds"); fi
  if [ "$what" = pull ]; then
    "${words[@]}" pull "${where[@]}" "$reference"
  elif [ "$1" = podman ]; then
    tar --create --file "$store/layer.tar" --directory "$store" payload &&
      "${words[@]}" import "$store/layer.tar" localhost/made && "${words[@]}" push "${where[@]}" localhost/made "docker://$reference"
  else
    "${words[@]}" from --name made scratch && "${words[@]}" copy made "$store/payload" /payload &&
      "${words[@]}" commit made localhost/made && "${words[@]}" push "${where[@]}" localhost/made "docker://$reference"
  fi
}

as_docker() {
  local -a words=(x docker --config "$store" --host "unix://$work/docker.sock")
  if [ -n "$name" ]; then
    "${words[@]}" login --username "$name" --password-stdin "$registry" <<<"${secrets[$name]}" || return
  fi
  if [ "$what" = push ]; then
    printf 'FROM scratch\nCOPY payload /payload\n' >"$store/Dockerfile"
    "${words[@]}" build --tag "$reference" "$store" && "${words[@]}" push "$reference"
  else
    "${words[@]}" pull "$reference" && "${words[@]}" image rm "$reference"
  fi
}

as_ctr() {
  local -a words=(--plain-http)
  if [ -n "$name" ]; then words+=(--user "$creds"); fi
  if [ "$what" = push ]; then
    tar --create --file "$store/image.tar" --directory "$state/image" . &&
      ctr images import --no-unpack --base-name "${reference%:*}" "$store/image.tar" &&
      ctr images tag --force "${reference%:*}:v1" "$reference" && ctr images push "${words[@]}" "$reference"
  else
    ctr images pull "${words[@]}" --snapshotter native "$reference" && ctr images remove --sync "$reference"
  fi
}

# pulled_as CLIENT NAME NAMESPACE
pulled_as() {
  after "$state/shared"
  if [ -z "$2" ]; then after "$state/public"; fi
  as "$1" "$2" pull "$registry/$3/$root_of_tenants:v1"
}

# must_not CLIENT NAME pull|push REFERENCE: refused, and in words that say so.
must_not() {
  local output
  if output=$(as "$@" 2>&1); then
    printf '%s\n' "$output"
    fail "this should not have worked"
  fi
  printf '%s\n' "$output"
  [[ ${output,,} =~ unauthorized|denied|not\ found|unknown|authorization|manifest\ unknown|401|403|may\ not|no\ basic\ auth ]] ||
    fail "it does not say why"
}

refused_as() {
  after "$state/digest"
  must_not "$1" "$2" pull "$registry/$3/$root_of_tenants:v1"
}

tenants_no_push() {
  after "$state/shared"
  must_not "$1" "$colleague" push "$registry/$owner/$root_of_tenants:by-colleague"
}

tenants_robot() {
  after "$state/digest"
  as "$1" "$robot" push "$registry/$organization/$root_of_tenants-by-robot:$1"
}
