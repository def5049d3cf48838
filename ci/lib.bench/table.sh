# shellcheck shell=bash disable=SC2154
# What was measured, as a table. Sourced by ci/bench.

# figure MEASURE SERVER DECIMALS: the median, or a dash.
figure() {
  local value
  value=$(median "$1" "$2")
  if [ -z "$value" ]; then echo –; else printf "%.${3}f" "$value"; fi
}

# target WORK MEASURE DECIMALS WORDS RATIO ge|le LIMIT [SUFFIX]: one row. RATIO may be empty.
target() {
  local work_done=$1 measure=$2 decimals=$3 words=$4 ratio=$5 relation=$6 limit=$7 suffix=${8:-×} got=– verdict=–
  if [ -n "$ratio" ]; then
    got=$ratio
    if awk "BEGIN { exit !(\"$relation\" == \"ge\" ? $got >= $limit : $got <= $limit) }"; then
      verdict=pass
    else
      verdict='**miss**'
    fi
    got="$(printf '%.2f' "$got") $suffix"
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$work_done" "$(figure "$measure" aerugo "$decimals")" \
    "$(figure "$measure" nginx "$decimals")" "$(figure "$measure" docker-registry "$decimals")" "$words" "$got" "$verdict"
}

# over A-MEASURE A-SERVER B-MEASURE B-SERVER: the median of the ratios of what was measured side by side, so that both of
# a pair saw the machine alike; nothing where one is missing.
over() {
  awk -v am="$1" -v as="$2" -v bm="$3" -v bs="$4" '
    $1 == am && $2 == as { a[++n] = $3 }
    $1 == bm && $2 == bs { b[++m] = $3 }
    END { for (i = 1; i <= n && i <= m; i++) print "ratio", "of", a[i] / b[i] }' "$work/samples" >"$work/ratios"
  median ratio of "$work/ratios"
}

conclude() {
  local part missed
  {
    printf 'work\taerugo\tnginx\tdocker-registry\tasked for\tgot\t\n'
    each_part rows
  } >"$work/table"
  missed=$(grep -c '\*\*miss\*\*' "$work/table" || true)
  {
    echo "Measured on $(date -u '+%Y-%m-%d %H:%M UTC'): $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
      "$(nproc) cores, $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r)," \
      "$busy_before % busy with other things before and $(busy) % after;" \
      "$(nginx -v 2>&1 | sed 's/.*: //'), docker-registry $(docker-registry --version | sed 's/.* //');" \
      "medians of $rounds rounds, in each $seconds runs of wrk of one second, the servers by turns."
    echo
    markdown "$work/table"
    echo
    echo "Also: $(others)."
  } >"$report/bench.md"
  heading "report/bench.md"
  cat "$report/bench.md"
  if [ "$missed" -gt 0 ]; then say "" "$missed of the targets missed"; fi
  if [ "$require" = yes ] && [ "$missed" -gt 0 ]; then exit 1; fi
}

# What was measured on the way: what the parts have to say, joined.
others() {
  local part also=''
  for part in "${parts[@]}"; do
    if declare -F "also_$part" >/dev/null; then also+="${also:+; }$("also_$part")"; fi
  done
  echo "$also"
}
