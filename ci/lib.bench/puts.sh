# shellcheck shell=bash disable=SC2154
# Small manifests, pushed durably, beside what the disk does alone.

round_puts() {
  local server
  for server in "${servers[@]}"; do
    if [ "$server" = aerugo ]; then disk_syncs; fi
    manifest_put "$server" 1
    manifest_put "$server" 16
  done
}

rows_puts() {
  target 'manifest PUT, durable, one client, requests/s' manifest-put-1 0 \
    '≥ 0.8 × synced writes of the disk alone' "$(over manifest-put-1 aerugo disk-syncs aerugo)" ge 0.8
  target 'the same, CPU-microseconds of the server a push' manifest-put-1-cpu 0 – '' ge 0
  target 'manifest PUT, durable, 16 clients, requests/s' manifest-put-16 0 \
    '≥ 3 × one client' "$(over manifest-put-16 aerugo manifest-put-1 aerugo)" ge 3
  target 'the same, CPU-microseconds of the server a push' manifest-put-16-cpu 0 – '' ge 0
}

also_puts() {
  printf 'the disk alone does %s synced writes of 4 KiB a second, where docker-registry syncs nothing at all' \
    "$(figure disk-syncs aerugo 0)"
}

# What wrk sends: in every request a manifest that nobody has yet, by a tag of its own.
puts_script() {
  cat <<'LUA'
local file = io.open(os.getenv("MANIFEST"), "rb")
local manifest = file:read("*a")
file:close()
local padding = string.rep("x", 40)
local at = manifest:find(padding, 1, true)
local before, behind = manifest:sub(1, at - 1), manifest:sub(at + 40)
local mark, count = os.getenv("MARK"), 0
local headers = {["Content-Type"] = os.getenv("TYPE")}
function request()
  count = count + 1
  local own = string.format("%s-%023d", mark, count)
  return wrk.format("PUT", "/v2/bench/image/manifests/" .. mark .. count, headers, before .. own .. behind)
end
LUA
}

# manifest_put SERVER CLIENTS: manifests pushed by tag, each by a request of its own, for a second, by so many clients that
# each wait for their answer. Not by curl, which takes longer for a request than many a disk for a sync.
manifest_put() {
  local server=$1 clients=$2 before pushes
  if [ "$server" = nginx ]; then return; fi
  puts_script >"$work/puts.lua"
  sync -f "$work"
  before=$(cpu_seconds "$server")
  MANIFEST=$work/manifest MARK=$(openssl rand -hex 8) TYPE=$manifest_type on_client_core \
    wrk -t1 -c"$clients" -d1s --timeout 30s -s "$work/puts.lua" "$(url "$server")" >"$work/wrk"
  if grep -Eq 'Non-2xx|Socket errors' "$work/wrk"; then
    cat "$work/wrk" >&2
    die "wrk saw errors when pushing manifests to $server"
  fi
  pushes=$(awk '$2 == "requests" { print $1 }' "$work/wrk")
  record "manifest-put-$clients" "$server" "$(awk '/^Requests\/sec/ { print $2 }' "$work/wrk")"
  record "manifest-put-$clients-cpu" "$server" "$(calculate "($(cpu_seconds "$server") - $before) * 1000000 / $pushes")"
}

# Writes of 4 KiB over a file that is there already, each of them synced: the most that one after the other can be. On the
# server's core: the disk's interrupts come to one of them, and from another a sync takes longer.
disk_syncs() {
  local started count=400
  if [ ! -e "$work/synced" ]; then dd if=/dev/zero of="$work/synced" bs=4096 count="$count" status=none; fi
  sync -f "$work"
  started=$(now_ms)
  taskset -c "$server_core" dd if=/dev/zero of="$work/synced" bs=4096 count="$count" oflag=dsync conv=notrunc status=none
  record disk-syncs aerugo "$(calculate "$count * 1000 / ($(now_ms) - $started)")"
}
