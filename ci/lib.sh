# shellcheck shell=bash
# Functions that the scripts of ci/ share. Sourced, never run.
#
# A script starts with
#
#     set -euo pipefail
#     . "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#     begin NAME
#
# and has then: $top (the repository), $work (a private directory, removed at the end), a HOME, a sane PATH, and the
# promise that whatever was started through start_server or attend ends with the script, however it ends. What else has
# to be undone then, it says in a function at_end.

shopt -s inherit_errexit # or a failure inside $(…) goes unseen
export LC_ALL=C
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=
attended=            # the process that attend waits for
attended_signal=TERM # what it gets when this script ends before it does
stopped=             # the exit status of the server that was stopped last; for the scripts to read
declare -A server_pids=()
# Seconds that one waits for what takes less than one: on a machine that does ten other things it takes as long as it takes.
patience=120

# ---------------------------------------------------------------------------------------------------------- talking

say() { printf '%s\n' "$*"; }
heading() { printf '\n== %s\n' "$*"; }
warn() { printf '%s: %s\n' "${script:-ci}" "$*" >&2; }
die() {
  warn "$@"
  exit 1
}

# ------------------------------------------------------------------------------------------------- beginning and end

# begin NAME: the private directory and the promise to clean up.
begin() {
  script=ci/$1
  if [ -z "${HOME:-}" ]; then
    HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
    export HOME="${HOME:-/root}"
  fi
  work=$(mktemp -d "${TMPDIR:-/tmp}/aerugo-$1.XXXXXX")
  trap finish EXIT
  trap 'interrupted HUP 129' HUP
  trap 'interrupted INT 130' INT
  trap 'interrupted TERM 143' TERM
}

interrupted() {
  warn "interrupted by SIG$1, cleaning up"
  exit "$2"
}

# Runs on every way out. Keeps the exit status it was entered with.
finish() {
  local status=$? name
  trap '' HUP INT TERM
  trap - EXIT
  set +e
  if declare -F at_end >/dev/null; then at_end; fi
  if [ -n "$attended" ]; then
    kill -s "$attended_signal" "$attended" 2>/dev/null
    end_process "$attended" 20 2>/dev/null
  fi
  for name in "${!server_pids[@]}"; do end_process "${server_pids[$name]}" 10; done
  # Clients in the background of a script that was interrupted.
  for name in $(jobs -p); do kill "$name" 2>/dev/null; done
  if [ -n "$work" ]; then rm -rf --one-file-system "$work"; fi
  exit "$status"
}

# end_process PID SECONDS: TERM, and KILL to what has not ended by then. Leaves its exit status in $stopped.
# shellcheck disable=SC2034
end_process() {
  local pid=$1 deadline=$((SECONDS + $2))
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      kill -KILL "$pid" 2>/dev/null || true
      break
    fi
    sleep 0.05
  done
  stopped=0
  wait "$pid" 2>/dev/null || stopped=$?
}

# attend COMMAND…: like running it, except that a signal to this script ends the command at once, where bash alone
# would first wait for it.
attend() {
  local status=0
  "$@" </dev/null &
  attended=$!
  wait "$attended" || status=$?
  attended=
  return "$status"
}

# --------------------------------------------------------------------------------------------------------- installing

# need COMMAND:PACKAGE … or :PACKAGE …: installs, by one apt-get, the packages whose command is not on PATH
# (or that are not installed, where no command is named). Does nothing when nothing is missing.
need() {
  local spec command package status
  local -a missing=()
  for spec in "$@"; do
    command=${spec%%:*} package=${spec#*:}
    if [ -n "$command" ]; then
      if command -v "$command" >/dev/null 2>&1; then continue; fi
    else
      status=$(dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
      if [[ $status == ii* ]]; then continue; fi
    fi
    if [[ " ${missing[*]} " != *" $package "* ]]; then missing+=("$package"); fi
  done
  if [ "${#missing[@]}" -eq 0 ]; then return; fi
  say "installing: ${missing[*]}"
  command -v apt-get >/dev/null 2>&1 || die "no apt-get here; please install these yourself: ${missing[*]}"
  [ "$(id -u)" -eq 0 ] || die "not root; please install these yourself: ${missing[*]}"
  install_packages "${missing[@]}"
}

# A package that brings a daemon would start it (nginx on port 80, docker-registry on 5000): policy-rc.d says no to
# that while we install. Where the machine has a policy of its own, that one stands.
install_packages() {
  local policy=/usr/sbin/policy-rc.d ours=no log=$work/apt.log status=0
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    ours=yes
  fi
  {
    apt-get -o Acquire::Retries=3 update &&
      DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 \
        install -y --no-install-recommends "$@"
  } >"$log" 2>&1 </dev/null || status=$?
  if [ "$ours" = yes ]; then rm -f "$policy"; fi
  if [ "$status" -ne 0 ]; then
    tail -n 20 "$log" >&2
    die "apt-get could not install: $*"
  fi
  hash -r
}

# need_python PACKAGE VERSION: a package of PyPI, in a virtual environment of its own in the user's cache; $python is its
# interpreter. The environment is made once, whole or not at all: one that was cut off has no stamp, and is made anew.
# shellcheck disable=SC2034
need_python() {
  local place=${XDG_CACHE_HOME:-$HOME/.cache}/aerugo-ci/$1-$2
  python3 -c 'import venv, ensurepip' 2>/dev/null || need :python3-venv
  python=$place/bin/python
  if [ -e "$place/complete" ]; then return; fi
  say "installing: $1 $2 of PyPI"
  rm -rf "$place"
  mkdir -p "$(dirname "$place")"
  python3 -m venv "$place"
  attend "$place/bin/pip" install --quiet --disable-pip-version-check "$1==$2" >"$work/pip.log" 2>&1 || {
    tail -n 20 "$work/pip.log" >&2
    die "pip could not install $1 $2"
  }
  touch "$place/complete"
}

# ----------------------------------------------------------------------------------------------------------- building

# What a Swift toolchain needs of Debian 12 to run, and what the package compiles and links against.
readonly toolchain_packages=(git:git pkg-config:pkg-config ld:binutils :libc6-dev :libstdc++-12-dev :libncurses6 :libxml2
  :libsqlite3-dev :libcurl4-openssl-dev :libssl-dev :libpq-dev :libhiredis-dev :libcrypt-dev :zlib1g-dev :tzdata
  :ca-certificates)

# need_toolchain: puts a Swift of at least 6.3 first on PATH.
need_toolchain() {
  local place version
  local -a places=("${SWIFT_HOME:+$SWIFT_HOME/usr/bin}" "$(dirname "$(command -v swift || echo /nowhere/swift)")"
    /opt/swift/usr/bin "$HOME/.local/share/swiftly/bin" /usr/local/swift/usr/bin /usr/share/swift/usr/bin)
  for place in "${places[@]}"; do
    if [ -z "$place" ] || [ ! -x "$place/swift" ]; then continue; fi
    need "${toolchain_packages[@]}"
    version=$("$place/swift" --version 2>"$work/swift.log" | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1) || true
    if [ -z "$version" ]; then
      warn "$place/swift does not tell its version: $(<"$work/swift.log")"
    elif [ "$(printf '6.3\n%s\n' "$version" | sort -V | head -n 1)" = 6.3 ]; then
      PATH="$place:$PATH"
      say "Swift $version in $place"
      return
    else
      warn "$place/swift is Swift $version: too old"
    fi
  done
  warn "no Swift 6.3 toolchain. Looked in:"
  for place in "${places[@]}"; do
    if [ -n "$place" ] && [ "$place" != /nowhere ]; then warn "  $place"; fi
  done
  die "install one from https://www.swift.org/install/linux/ and put its usr/bin on PATH (or its root in SWIFT_HOME)"
}

# build_release [FLAG…]: one release build for everything here; a warning of ours is an error, and so is an import that
# Package.swift does not name. Later calls only check.
build_release() {
  heading "AERUGO_STRICT=1 swift build -c release $*"
  (cd "$top" && AERUGO_STRICT=1 attend swift build -c release --explicit-target-dependency-import-check error "$@")
}

# ------------------------------------------------------------------------------------------------------------ servers

# free_port: prints a TCP port of 127.0.0.1 that nobody listens on, below the kernel's own range for outgoing
# connections, so that none of those takes it before the server does.
free_port() {
  local port
  for _ in {1..200}; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  die "no free port between 20000 and 32000 on 127.0.0.1"
}

# start_server NAME LOG COMMAND…: in the background; ends with this script.
start_server() {
  local name=$1 log=$2
  shift 2
  "$@" >"$log" 2>&1 </dev/null &
  server_pids[$name]=$!
}

# wait_ready NAME LOG SECONDS COMMAND…: until the command succeeds; an error when the server ends first or never answers.
wait_ready() {
  local name=$1 log=$2 deadline=$((SECONDS + $3))
  shift 3
  until "$@" >/dev/null 2>&1; do
    if ! kill -0 "${server_pids[$name]}" 2>/dev/null; then
      warn "$name ended before it was ready; its last lines:"
      tail -n 20 "$log" >&2
      return 1
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      warn "$name was not ready in time; its last lines:"
      tail -n 20 "$log" >&2
      return 1
    fi
    sleep 0.05
  done
}

# wait_http NAME LOG URL: until URL answers 2xx.
wait_http() { wait_ready "$1" "$2" "$patience" curl --fail --silent --max-time 10 --output /dev/null "$3"; }

# stop_server NAME [SECONDS]: SIGTERM; its exit status is left in $stopped (137: it had to be killed).
stop_server() {
  local pid=${server_pids[$1]}
  unset "server_pids[$1]"
  end_process "$pid" "${2:-20}"
}

# ----------------------------------------------------------------------------------------------------------- accounts

# make_accounts AERUGO DATA FILE: an owner, a colleague, an organization and a robot of it with a key, in a registry that is
# served from DATA or by nobody; FILE gets their names and secrets, lines of KIND NAME SECRET.
make_accounts() {
  local program=$1 data=$2 file=$3 secret
  touch "$file" && chmod 600 "$file"
  for kind in owner colleague; do
    secret=$(openssl rand -hex 16)
    "$program" user create "$kind" --data "$data" --password-stdin <<<"$secret"
    echo "$kind $kind $secret" >>"$file"
  done
  "$program" org create company --data "$data"
  "$program" member set company owner owner --data "$data"
  "$program" robot create company+builder --role maintainer --data "$data"
  secret=$("$program" key create company+builder pipeline --scope 'company/*:pull,push' --days 1 --json --data "$data" |
    sed -n 's/.*"secret":"\([^"]*\)".*/\1/p')
  [ -n "$secret" ] || die "no key was made"
  printf 'organization company -\nrobot company+builder %s\n' "$secret" >>"$file"
}

# ------------------------------------------------------------------------------------------------------------- tables

# Milliseconds of a clock, for differences.
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# table FILE: tab-separated lines, the first of them the titles, in aligned columns.
table() {
  awk -F '\t' '
    { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) }; if (NF > n) n = NF }
    END {
      for (r = 1; r <= NR; r++) {
        line = ""
        for (i = 1; i <= n; i++) line = line sprintf("%-" width[i] "s  ", cell[r, i])
        sub(/ +$/, "", line)
        print line
        if (r == 1) { gsub(/./, "-", line); print line }
      }
    }' "$1"
}

# markdown FILE: the same lines as a Markdown table.
markdown() {
  awk -F '\t' '
    NR == 1 { n = NF }
    { gsub(/\|/, "\\|"); line = "|"; for (i = 1; i <= n; i++) line = line " " $i " |"; print line }
    NR == 1 { line = "|"; for (i = 1; i <= n; i++) line = line " --- |"; print line }' "$1"
}
