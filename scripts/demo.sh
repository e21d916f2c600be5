#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: demo.sh [BUILD_DIR]      (make demo)
# The main jobs on real input, in under a minute: downloads 200 files at the same time and then one
# after another, runs a command over all of them, and times the four modes, with a picture of who did
# what when. The files come from a server of the project's own tests on this machine, which takes 50 ms
# for each answer; with URLS=FILE in the environment, from the URLs in that file.
# The programs are those of BUILD_DIR (build/release), or $SILLON and $TEST_HTTP_SERVER; the picture
# is $DEMO_PICTURE (build/demo.svg).
set -euo pipefail

root=$(dirname "$0")/..
build=${1:-$root/build/release}
sillon=$(realpath "${SILLON:-$build/cli/sillon}")
http_server=$(realpath "${TEST_HTTP_SERVER:-$build/tests/test_http_server}")
list=${URLS:+$(realpath "$URLS")}
picture=${DEMO_PICTURE:-$root/build/demo.svg}
files=200
latency_ms=50
jobs=50

mkdir -p "$(dirname "$picture")"
picture=$(realpath "$picture")
work=$(mktemp -d)
server=
clean_up() {
    if [[ $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

heading() {
    printf '\n== %s\n' "$*"
}

stop() {
    echo "demo: $*" >&2
    exit 1
}

# timed COMMAND...   sets $seconds and $status
timed() {
    local begin=$EPOCHREALTIME
    status=0
    "$@" || status=$?
    seconds=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }')
}

start_server() {
    heading "Starting the tests' HTTP server on this machine: $latency_ms ms for each answer"
    unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
    "$http_server" --port-file "$work/port" --latency-ms "$latency_ms" &
    server=$!
    for ((i = 0; i < 500; i++)); do
        [[ ! -s $work/port ]] || break
        kill -0 "$server" 2>/dev/null || stop "the server did not start"
        sleep 0.02
    done
    [[ -s $work/port ]] || stop "the server does not answer"
    echo "http://127.0.0.1:$(<"$work/port")/file/1 to /file/$files"
    seq -f "http://127.0.0.1:$(<"$work/port")/file/%g" "$files" >"$work/urls"
}

# check_files FOLDER   all files are there, each what the server gives for it; nothing else is
check_files() {
    local i there
    for ((i = 1; i <= files; i++)); do
        cmp -s "$1/$i" "$work/expected/$i" || stop "file $i is not what the server gives for it"
    done
    there=$(find "$1" -mindepth 1 | wc -l)
    [[ $there == "$files" ]] || stop "there are $there files, not $files"
}

expect_files() {
    mkdir "$work/expected"
    for ((i = 1; i <= files; i++)); do
        "$http_server" --print "/file/$i" >"$work/expected/$i"
    done
}

demo_local() {
    start_server
    expect_files
    heading "sillon get: $files files, $jobs at a time, and one URL that fails on purpose"
    echo "(no-such-host.invalid can never be resolved: it is reported, the rest goes on)"
    timed "$sillon" get -j "$jobs" --per-host "$jobs" --retries 0 -d "$work/files" \
        -i "$work/urls" http://no-such-host.invalid/
    [[ $status == 1 ]] || stop "sillon get ended with status $status, not 1 for some failed"
    check_files "$work/files"
    together=$seconds
    echo "All $files are there, byte for byte; the one that failed left nothing: $together s."

    heading "The same $files files one after another (some $((files * latency_ms / 1000)) s)"
    timed "$sillon" get -j 1 -d "$work/again" -i "$work/urls"
    [[ $status == 0 ]] || stop "sillon get -j 1 ended with status $status"
    check_files "$work/again"
    awk -v a="$seconds" -v b="$together" \
        'BEGIN { printf "%s s one after another, %s s together: %.1f times as fast.\n", a, b, a / b }'
}

count_files() {
    find "$1" -type f | wc -l
}

demo_list() {
    mkdir "$work/files" "$work/again"
    heading "sillon get: the URLs of $URLS at the same time"
    timed "$sillon" get -d "$work/files" -i "$list"
    result=$status
    echo "$(count_files "$work/files") files came in $seconds s"
    heading "The same one after another"
    timed "$sillon" get -j 1 -d "$work/again" -i "$list"
    echo "$(count_files "$work/again") files came in $seconds s"
}

demo_map() {
    heading "sillon map: sha256sum of each file, the lines in the order of the files"
    find "$work/files" -type f | sort >"$work/names"
    timed "$sillon" map -k sha256sum {} <"$work/names" >"$work/sums"
    [[ $status == 0 ]] || stop "sillon map ended with status $status"
    xargs -r -d '\n' sha256sum <"$work/names" | cmp -s - "$work/sums" ||
        stop "the sums are not those of sha256sum itself"
    tail -n 3 "$work/sums" | sed "s|$work/||"
    echo "$(wc -l <"$work/sums") commands in $seconds s; the sums are right."
}

demo_bench() {
    heading "sillon bench: the same tasks in four modes (some 15 s)"
    "$sillon" bench -n 24 -w 2,8 --repeat 3 --svg "$picture"
    heading "The picture of it, for a browser: $picture"
}

result=0
if [[ $list ]]; then
    [[ -r $list && -f $list ]] || stop "no list of URLs: $URLS"
    demo_list
else
    demo_local
fi
demo_map
demo_bench
[[ $result == 0 ]] || exit "$result"
