# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Read by every test of the command: an empty folder to work in, the server, and ways to say what
# must be. $SILLON is the command, $TEST_HTTP_SERVER the server.
set -euo pipefail

: "${SILLON:?the command to test}" "${TEST_HTTP_SERVER:?the server to test with}"
SILLON=$(realpath "$SILLON")
TEST_HTTP_SERVER=$(realpath "$TEST_HTTP_SERVER")
# shellcheck disable=SC2034 # used by those that read this file
golden=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../golden")
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
export LC_ALL=C

work=$(mktemp -d)
cd "$work"
server=
clean_up() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    cd /
    chmod -R u+w "$work"
    rm -rf "$work"
}
trap clean_up EXIT

fail() {
    echo "$(basename "$0"): $*"
    for file in out err; do
        [[ ! -f $work/$file ]] || sed "s/^/    $file: /" "$work/$file" | head -50
    done
    exit 1
}

# wait_until COMMAND...   polls; what has not come true in 60 s never will
wait_until() {
    local end=$((SECONDS + 60))
    until "$@"; do
        ((SECONDS < end)) || fail "waited in vain until: $*"
        sleep 0.02
    done
}

# start_server LATENCY_MS   sets $url
start_server() {
    rm -f port
    "$TEST_HTTP_SERVER" --port-file port --latency-ms "$1" &
    server=$!
    wait_until test -s port
    url=http://127.0.0.1:$(<port)
}

# content PATH   what the server gives for it
content() {
    "$TEST_HTTP_SERVER" --print "$1"
}

# stat NAME   requests, in_flight or max_in_flight
stat_of() {
    local answer
    exec 9<>"/dev/tcp/127.0.0.1/${url##*:}"
    printf 'GET /stats HTTP/1.0\r\n\r\n' >&9
    answer=$(cat <&9)
    exec 9>&-
    answer=${answer##*\""$1"\":}
    echo "${answer%%[,\}]*}"
}

in_flight_is() {
    [[ $(stat_of in_flight) == "$1" ]]
}

# run STATUS COMMAND...   its output goes to the files out and err
run() {
    local expected=$1 status=0
    shift
    "$@" >out 2>err </dev/null || status=$?
    [[ $status == "$expected" ]] || fail "status $status, not $expected, from: $*"
}

# says FILE TEXT   the text stands in the file
says() {
    grep -qF -- "$2" "$1" || fail "$1 does not say: $2"
}

# same FILE PATH   the file has what the server gives for the path
same() {
    cmp "$1" <(content "$2") || fail "$1 is not what $2 gives"
}

# only FOLDER NAME...   these files stand in the folder, and nothing else, hidden or not
only() {
    local folder=$1 there
    shift
    there=$(find "$folder" -mindepth 1 -printf '%f\n' | sort)
    [[ $there == "$(printf '%s\n' "$@" | sort)" ]] || fail "in $folder: $there"
}

has_ended() {
    ! kill -0 "$1" 2>/dev/null
}
