# shellcheck shell=bash disable=SC2154
# nginx before the nodes, each request to the next of them. Sourced; $work and start_server are those of lib.sh.

# start_balancer URL…: nginx round robin over the nodes, as a user without rights; leaves its URL in $balancer.
start_balancer() {
  local data=$work/nginx port
  need nginx:nginx setpriv:util-linux
  mkdir -p "$data"
  port=$(free_port)
  nginx_configuration "$data" "$port" "$@" >"$data/nginx.conf"
  local -a command=(nginx -e "$data/error.log" -c "$data/nginx.conf" -p "$data")
  if [ "$(id -u)" -eq 0 ]; then
    chmod 711 "$work" # where the user has to pass
    chown -R nobody:nogroup "$data"
    command=(setpriv --reuid=nobody --regid=nogroup --clear-groups "${command[@]}")
  fi
  start_server nginx "$data/log" "${command[@]}"
  balancer=http://127.0.0.1:$port
  wait_http nginx "$data/log" "$balancer/readyz"
}

# nginx_configuration DIR PORT URL…: bytes pass as they come, in both directions. What was sent to a node that then failed is
# sent to another one only where that does no harm (nginx's own rule: not POST, not PATCH).
nginx_configuration() {
  local data=$1 port=$2 node
  shift 2
  cat <<CONF
daemon off;
worker_processes 1;
pid "$data/nginx.pid";
error_log "$data/error.log";
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path "$data/body";
  proxy_temp_path "$data/proxy";
  fastcgi_temp_path "$data/fastcgi";
  uwsgi_temp_path "$data/uwsgi";
  scgi_temp_path "$data/scgi";
  upstream nodes {
CONF
  for node in "$@"; do printf '    server %s max_fails=1 fail_timeout=1s;\n' "${node#http://}"; done
  cat <<CONF
  }
  server {
    listen 127.0.0.1:$port;
    client_max_body_size 0;
    large_client_header_buffers 8 64k;
    location / {
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Host \$http_host;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For \$remote_addr;
      proxy_set_header X-Forwarded-Proto \$scheme;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_connect_timeout 2s;
      proxy_read_timeout 300s;
    }
  }
}
CONF
}
