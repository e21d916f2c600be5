#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# KILL at any moment, then the same command: all files are right, and hardly a byte was fetched twice.
# Many runs at a time, each with files that come at a steady pace, so that what was under way when it was
# killed is little beside what had come.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

# In each run 3 files of 768 KiB, a KiB every 5 ms: four seconds at least.
files=3
size=786432
at_once=8
rounds=${GET_KILLS:-24}

# one NUMBER   killed once, then to its end
one() {
    local get i status=0
    for ((i = 1; i <= files; i++)); do
        printf '%s\t%s\n' "$url/slow/$size/5" "f$i"
    done >"list$1"
    "$SILLON" get -d "d$1" -i "list$1" 2>"err$1" &
    get=$!
    # The moment is what is random here; nothing waits for it.
    sleep "$((RANDOM % 4)).$((RANDOM % 1000))"
    kill -KILL "$get" 2>/dev/null || true
    wait "$get" 2>/dev/null || true
    for ((i = 1; i <= files; i++)); do
        [[ ! -e d$1/f$i ]] || cmp -s "d$1/f$i" right || return 1
    done
    "$SILLON" get -d "d$1" -i "list$1" 2>"err$1" || status=$?
    ((status == 0)) || return 1
    for ((i = 1; i <= files; i++)); do
        cmp -s "d$1/f$i" right || return 1
    done
    (($(find "d$1" -mindepth 1 | wc -l) == files))
}

content "/slow/$size" >right
before=$(stat_of bytes)
for ((round = 0; round < rounds; round += at_once)); do
    running=()
    for ((k = round; k < round + at_once && k < rounds; k++)); do
        one "$k" 2>/dev/null &
        running+=($!)
    done
    for pid in "${running[@]}"; do
        wait "$pid" || fail "after KILL: $(tail -n 3 err*)"
    done
    rm -rf d*
done
wanted=$((rounds * files * size))
fetched=$(($(stat_of bytes) - before))
echo "killed $rounds times: $((fetched - wanted)) of $wanted bytes were fetched twice"
((fetched >= wanted && (fetched - wanted) * 100 <= wanted)) || fail "more than 1 % fetched twice"
