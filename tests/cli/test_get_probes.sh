#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a user is owed with no options at all: each file whole or not there, and a status that says so.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

# good FOLDER PATH...   what the folder has is just these, and right
good() {
    local folder=$1 path
    shift
    only "$folder" "${@##*/}"
    for path; do
        same "$folder/${path##*/}" "$path"
    done
}

# Every fifth answer is cut half way: all twenty are whole, the cut ones by going on from there.
paths=()
for i in {1..20}; do
    paths+=("/cutfirst/$((i % 5 == 0))/102400/f$i")
done
before=$(stat_of bytes)
run 0 "$SILLON" get -d cut "${paths[@]/#/$url}"
ended_well 20
good cut "${paths[@]}"
(($(stat_of bytes) - before == 20 * 102400)) || fail "bytes were fetched twice"

# The same where the length is not known, so that the end alone tells.
run 1 "$SILLON" get --retries 0 -d cut2 "$url"/{cut,cutchunked}/100000 --if-exists=rename
[[ $(tail -n 1 err) == "sillon get: 0 ok, 2 failed, "* ]] || fail "a cut file counts as good"
[[ -z $(find cut2 -name 100000 -o -name 100000.1) ]] || fail "a cut file under its name"

# 503 twice for each of them: an error page is never a file.
paths=(/busyfirst/2/102400/b{1..20})
run 0 "$SILLON" get -d busy "${paths[@]/#/$url}"
ended_well 20
says err ", retries 40"
good busy "${paths[@]}"
run 1 "$SILLON" get --retries 0 -d error "$url"/status/{404,500,503,204000}
only error

# Every seventh request is not answered: its time runs out, and the next try succeeds.
paths=()
for i in {1..20}; do
    paths+=("/silentfirst/$((i % 7 == 0))/102400/s$i")
done
run 0 "$SILLON" get --stall 500ms -d silent "${paths[@]/#/$url}"
ended_well 20
good silent "${paths[@]}"

# TERM in the middle: nothing under the final name, and the next run goes on where it ended.
begin -d term "$url/slow/3000000/1"
wait_until has_bytes term/1.part 200000
kill -TERM "$get"
ended_by 15
only term 1.part 1.part.meta
kept=$(stat -c %s term/1.part)
cmp -n "$kept" term/1.part <(content /slow/3000000/1) || fail "what was kept is not its beginning"
run 0 "$SILLON" get -d term --json=json "$url/slow/3000000/1"
good term /slow/3000000/1
[[ $(json 'select(.type == "file") | .resumed_from') == "$kept" ]] || fail "it began anew"
