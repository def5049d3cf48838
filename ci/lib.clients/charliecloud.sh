# shellcheck shell=bash disable=SC2154
# charliecloud's ch-image, which speaks TLS alone and asks for tokens in its own way: with a server of its own, so only with
# --program.

run_charliecloud() {
  local state=$work/charliecloud port=0 https=""
  mkdir -p "$state"
  action ch-image "serve with TLS" charliecloud_serve
  if [ -s "$state/https" ]; then https=$(<"$state/https"); fi
  action ch-image "push" charliecloud_push
  action ch-image "pull" charliecloud_pull
  action ch-image "anonymous, private" charliecloud_anonymous
  action ch-image "anonymous, public" charliecloud_public
}

# Debian's python3, wherever another one stands on PATH.
ch_image() {
  # Its cache is a git repository, which wants somebody to have made it.
  USER=${USER:-root} GIT_AUTHOR_NAME=ci GIT_AUTHOR_EMAIL=ci@localhost GIT_COMMITTER_NAME=ci GIT_COMMITTER_EMAIL=ci@localhost \
    CH_IMAGE_STORAGE=$state/storage CH_IMAGE_USERNAME=$1 CH_IMAGE_PASSWORD=${2:-} \
    REQUESTS_CA_BUNDLE=$state/server.crt SSL_CERT_FILE=$state/server.crt PATH=/usr/bin:$PATH \
    x /usr/bin/python3 /usr/bin/ch-image "${@:3}"
}

# A registry of its own, and in it the user `charlie`. ch-image does not understand relative Locations.
charliecloud_serve() {
  local port deadline=$((SECONDS + patience))
  port=$(free_port)
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$state/server.key" -out "$state/server.crt"
  openssl rand -hex 16 >"$state/password"
  AERUGO_ADMIN_PASSWORD_FILE=$state/password nohup "$program" serve --listen "127.0.0.1:$port" --data "$state/data" \
    --tls-certificate "$state/server.crt" --tls-key "$state/server.key" --set http.absolute-locations=true \
    >"$report/clients/charliecloud-server.log" 2>&1 &
  until curl --silent --fail --cacert "$state/server.crt" --output /dev/null "https://localhost:$port/readyz"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "it does not serve"
    sleep 0.1
  done
  "$program" user create charlie --data "$state/data" --password-stdin <"$state/password"
  echo "localhost:$port" >"$state/https"
}

charliecloud_push() {
  after "$state/https"
  mkdir -p "$state/image/bin"
  cp "$(command -v busybox)" "$state/image/bin/busybox"
  random_file "$state/payload" 1M
  printf 'FROM base\nCOPY payload /payload\n' >"$state/Dockerfile"
  # What was imported alone has no history, which its push wants.
  ch_image charlie "$(<"$state/password")" import "$state/image" base
  ch_image charlie "$(<"$state/password")" build --tag hello --file "$state/Dockerfile" "$state"
  ch_image charlie "$(<"$state/password")" push hello "$https/charlie/hello:v1"
  curl --fail --silent --show-error --cacert "$state/server.crt" --user "charlie:$(<"$state/password")" \
    "https://$https/v2/charlie/hello/tags/list" | shown | grep -q '"v1"'
  echo yes >"$state/pushed"
}

charliecloud_pull() {
  after "$state/pushed"
  ch_image charlie "$(<"$state/password")" reset
  ch_image charlie "$(<"$state/password")" --auth pull "$https/charlie/hello:v1" pulled
  same "payload" "$(sha256 "$(find "$state/storage" -name payload -type f | head -n 1)")" "$(sha256 "$state/payload")"
}

charliecloud_anonymous() {
  after "$state/pushed"
  local output
  ch_image "" "" reset
  if output=$(ch_image "" "" pull "$https/charlie/hello:v1" 2>&1); then fail "it pulled what is private"; fi
  printf '%s\n' "$output"
  [[ ${output,,} =~ unauthorized|401|authenti ]] || fail "it does not say why"
  echo yes >"$state/refused"
}

charliecloud_public() {
  after "$state/refused"
  "$program" repo public charlie/hello --data "$state/data"
  ch_image "" "" reset
  ch_image "" "" pull "$https/charlie/hello:v1" public
  same "payload" "$(sha256 "$(find "$state/storage" -name payload -type f | head -n 1)")" "$(sha256 "$state/payload")"
}
