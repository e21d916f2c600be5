#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Ctrl-C and kill: what is whole stays, what is not is gone, and the shell sees the signal. kill -9:
# nothing that is half there stands under its name.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
start_server 0

# begin ARGUMENT...   sets $get; a shell's "&" has switched SIGINT off, which is undone here
begin() {
    env --default-signal=INT,TERM "$SILLON" get "$@" >out 2>err &
    get=$!
}

# ended_by SIGNAL_NUMBER
ended_by() {
    local status=0
    wait_until has_ended "$get"
    wait "$get" 2>/dev/null || status=$?
    [[ $status == $((128 + $1)) ]] || fail "status $status, not 128 + $1"
}

part_has_bytes() {
    [[ -n $(find "$1" -name '.*.sillon-part-*' -size +0 2>/dev/null) ]]
}

for signal in INT:2 TERM:15; do
    # Twenty that hang, all in flight at once; some more that have not begun; a slow one half there.
    begin -j 22 -d "$signal" "$url/file/1" "$url/slow/10000000" \
        "$url/hang"{,,,,,,,,,,,,,,,,,,,} "$url/file/2" "$url/hang"{,,,,,,,}
    wait_until in_flight_is 22
    wait_until test -f "$signal/2"
    wait_until part_has_bytes "$signal"
    kill -"${signal%:*}" "$get"
    ended_by "${signal#*:}"
    only "$signal" 1 2
    says err "get: 2 ok, 0 failed, 0 skipped"
    says err "get: interrupted, 29 under way were given up"
    wait_until in_flight_is 0
done

# While nothing runs, and input may still come.
mkfifo pipe
exec 8<>pipe
env --default-signal=INT,TERM "$SILLON" get -d idle -i - <pipe >out 2>err &
get=$!
echo "$url/file/1" >&8
wait_until test -f idle/1
kill -INT "$get"
ended_by 2
only idle 1

# While waiting for another try.
begin --retries 100 -d retry "$url/status/503"
wait_until test -d retry
before=$(stat_of requests)
more_requests() { [[ $(stat_of requests) -gt $((before + 1)) ]]; }
wait_until more_requests
kill -TERM "$get"
ended_by 15
only retry

# What was ignored at the start stays ignored: nohup, and a shell's "&".
(trap '' INT; exec "$SILLON" get -d ignored "$url/slow/20000") >out 2>err &
get=$!
wait_until part_has_bytes .
kill -INT "$get"
wait "$get" || fail "an ignored signal ends it"
same ignored/20000 /slow/20000

# A second one ends it at once, also when it is stuck: its output goes to a pipe nobody empties.
exec 8<>pipe
name=$(printf 'n%.0s' {1..200})
for i in {1..400}; do echo "$url/as/$name$i"; done >many
(exec 7<>pipe; exec env --default-signal=INT,TERM "$SILLON" get -d stuck -i many >&7) 2>err &
get=$!
listener_lets_through() {
    local comm blocked
    for task in "/proc/$get/task/"*; do
        comm=$(cat "$task/comm" 2>/dev/null) || continue
        [[ $comm == interrupt ]] || continue
        blocked=$(awk '$1 == "SigBlk:" { print $2 }' "$task/status")
        (((0x$blocked & 2) == 0)) && return 0
    done
    return 1
}
is_stuck() {
    # In the middle of a write (1, on aarch64 64) to standard output.
    grep -qE '^(1|64) 0x1 ' "/proc/$get/syscall" 2>/dev/null ||
        grep -q pipe "/proc/$get/wchan" 2>/dev/null
}
wait_until is_stuck
kill -INT "$get"
wait_until listener_lets_through
kill -INT "$get"
ended_by 2

# kill -9 in the middle; then the same again, which is not confused by what was left.
begin -d killed "$url/slow/20000" "$url/file/1"
wait_until part_has_bytes killed
wait_until test -f killed/1
kill -9 "$get"
ended_by 9
[[ ! -e killed/20000 ]] || fail "half a file under its name after kill -9"
run 0 "$SILLON" get -d killed "$url/slow/20000" "$url/file/1"
same killed/20000 /slow/20000
same killed/1 /file/1

# Nobody reads what it prints: it ends as by SIGPIPE, with no more words.
mkfifo closed
true <closed &
exec 7>closed
wait $!
status=0
"$SILLON" get -d closed_early "$url/file/1" >&7 2>err || status=$?
exec 7>&-
[[ $status == 141 ]] || fail "status $status, not 141"
! grep -qi pipe err || fail "a closed pipe gives a message"
