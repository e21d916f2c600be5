# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Read by the tests of get, for lib/cli.sh and what they need besides.
set -euo pipefail
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/cli.sh"

others=()
end_all() {
    ((${#others[@]} == 0)) || kill "${others[@]}" 2>/dev/null || true
    clean_up
}
trap end_all EXIT

# start_other FILE ARGUMENT...   a server more; $other is where it listens, as host:port
start_other() {
    "$TEST_HTTP_SERVER" --port-file "$1" "${@:2}" &
    others+=($!)
    wait_until test -s "$1"
    # shellcheck disable=SC2034 # used by those that read this file
    other=127.0.0.1:$(<"$1")
}

# begin ARGUMENT...   in the background, $get; a shell's "&" has switched SIGINT off, undone here
begin() {
    env --default-signal=INT,TERM,HUP,QUIT,PIPE "$SILLON" get "$@" >out 2>err </dev/null &
    get=$!
}

# ended_by NUMBER   $get died of that signal
ended_by() {
    local status=0
    wait_until has_ended "$get"
    wait "$get" 2>/dev/null || status=$?
    [[ $status == $((128 + $1)) ]] || fail "status $status, not 128 + $1"
}

# is_under_way FILE   some of it has been written, and it is not whole
is_under_way() {
    [[ -s $1.part ]]
}

# has_bytes FILE COUNT
has_bytes() {
    [[ $(stat -c %s "$1" 2>/dev/null || echo 0) -ge $2 ]]
}

served_at_least() {
    [[ $(stat_of requests) -ge $1 ]]
}

# sum_of ALGO PATH   the digits that sha256sum and its like give for what the server gives
sum_of() {
    content "$2" | "$1sum" | cut -d' ' -f1
}

# no_words FILE TEXT   the text does not stand in the file
no_words() {
    ! grep -qF -- "$2" "$1" || fail "$1 says: $2"
}

# ended_well COUNT   the last line of err: so many are there, and nothing else happened
ended_well() {
    [[ $(tail -n 1 err) == "sillon get: $1 ok, 0 failed, "* ]] || fail "not $1 ok"
}

# json FILTER   what jq makes of the file json
json() {
    jq -r "$1" json
}
