#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: demo.sh [BUILD_DIR]      (make demo)
# The main job on real input: downloads 200 files at the same time, then shows what that gains.
# The files come from a server of the project's own tests on this machine, which takes 50 ms for
# each answer; with URLS=FILE in the environment, from the URLs in that file.
# The programs are those of BUILD_DIR (build/release), or $SILLON and $TEST_HTTP_SERVER.
set -euo pipefail

build=${1:-$(dirname "$0")/../build/release}
sillon=$(realpath "${SILLON:-$build/cli/sillon}")
http_server=$(realpath "${TEST_HTTP_SERVER:-$build/tests/test_http_server}")
list=${URLS:+$(realpath "$URLS")}
files=200
latency_ms=50

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

# All files are there, each of the right size; nothing else is.
check_files() {
    local i there wanted
    for ((i = 1; i <= files; i++)); do
        there=$(stat -c %s "$work/files/$i" 2>/dev/null || echo none)
        wanted=$("$http_server" --print "/file/$i" | wc -c)
        [[ $there == "$wanted" ]] || stop "file $i has $there bytes, not $wanted"
    done
    there=$(find "$work/files" -mindepth 1 | wc -l)
    [[ $there == "$files" ]] || stop "there are $there files, not $files"
    echo "All $files files are there and of the right size ($(du -sh "$work/files" | cut -f1));" \
        "the one that failed left nothing."
}

demo_local() {
    start_server
    heading "sillon get: $files files at the same time, and one URL that fails on purpose"
    echo "(no-such-host.invalid can never be resolved: it is reported, the rest goes on)"
    local status=0
    "$sillon" get --retries 0 -d "$work/files" -i "$work/urls" \
        http://no-such-host.invalid/ >"$work/lines" || status=$?
    [[ $status == 1 ]] || stop "sillon get ended with status $status, not 1 for some failed"
    heading "Checking what came"
    check_files
    heading "sillon bench: count loops and the same $files downloads, three ways" \
        "(some $((files * latency_ms / 1000)) s)"
    "$sillon" bench -i "$work/urls"
}

demo_list() {
    local failed=0
    heading "sillon get: the URLs of $URLS at the same time"
    "$sillon" get -d "$work/files" -i "$list" >"$work/lines" || failed=$?
    echo "$(wc -l <"$work/lines") files came"
    heading "sillon bench: count loops and the same downloads, three ways"
    "$sillon" bench -i "$list" || failed=$?
    return "$failed"
}

if [[ $list ]]; then
    [[ -r $list && -f $list ]] || stop "no list of URLs: $URLS"
    demo_list
else
    demo_local
fi
