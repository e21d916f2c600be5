#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# As many downloads run at the same time as asked for: counted by the server, not timed.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
start_server 50

# Requests that never end are in flight together, or not at all.
env --default-signal=TERM "$SILLON" get -j 40 -d hang "$url/hang"{,,,,,,,}{,,,,,,,} >out 2>err &
get=$!
wait_until in_flight_is 40
kill -TERM "$get"
wait "$get" || true
[[ $(stat_of max_in_flight) == 40 ]] || fail "more than 40 at once"
wait_until in_flight_is 0
only hang

# 200 files: all are there, with the right sizes and contents as far as is looked.
seq -f "$url/file/%g" 200 >list
run 0 "$SILLON" get -d files -i list
for i in {1..200..5}; do
    [[ $(stat -c %s "files/$i") == "$(content "/file/$i" | wc -c)" ]] || fail "size of file $i"
done
same files/200 /file/200
[[ $(find files -mindepth 1 | wc -l) == 200 ]] || fail "not 200 files"
