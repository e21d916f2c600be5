#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The table has all measures, and tells when part of the work failed. No time is judged here.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
start_server 5

run 0 "$SILLON" bench --count 1000 --runs 2
grep -qE '^the same work +sequential +threads +processes +async$' out || fail "no heading"
time='[0-9.]+ s' faster='[0-9.]+ s, [0-9.]+ x'
grep -qE "^2 count loops of 1000 steps +$time +$faster +$faster +$faster\$" out ||
    fail "no line for the loops"
says out "no URLs were given"

seq -f "$url/file/%g" 12 >list
run 0 "$SILLON" bench -n 1000 -r 1 -j 6 -i list
grep -qE "^12 downloads, [0-9.]+ [KM]iB, 6 at a time +$time +$faster +- +$faster\$" out ||
    fail "no line for the downloads"
[[ $(stat_of requests) == 36 ]] || fail "not each file three times"
only . err list out port

run 1 "$SILLON" bench -n 1000 "$url/file/1" "$url/status/404" nonsense
says err "FAIL  nonsense: not a URL"
says err "FAIL  $url/status/404: HTTP 404 Not Found"
says err "failed downloads: 1 sequential, 1 threads, 1 async"
says out "2 downloads"

# One CPU: said, not hidden.
cpu=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
run 0 taskset -c "$cpu" "$SILLON" bench -n 1000
says err "may use one CPU only"
