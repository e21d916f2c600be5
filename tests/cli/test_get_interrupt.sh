#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Ctrl-C and kill: what is whole stays, the rest can be gone on from, and the shell sees the signal.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

for signal in INT:2 TERM:15 HUP:1; do
    # Twenty that hang, all in flight at once; some more that have not begun; a slow one half there.
    begin -j 22 --per-host 22 --if-exists=rename -d "$signal" "$url/file/3" "$url/slow/10000000/1" \
        "$url/hang"{,,,,,,,,,,,,,,,,,,,} "$url/file/2" "$url/hang"{,,,,,,,}
    wait_until in_flight_is 22
    wait_until test -f "$signal/2"
    wait_until is_under_way "$signal/1"
    kill -"${signal%:*}" "$get"
    ended_by "${signal#*:}"
    only "$signal" 1.part 1.part.meta 2 3
    says err "get: 2 ok, 0 failed, 0 skipped, 29 stopped"
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
before=$(stat_of requests)
begin --retries 100 --retry-wait 20ms -d retry "$url/status/503"
wait_until served_at_least $((before + 3))
kill -TERM "$get"
ended_by 15
only retry

# What was ignored at the start stays ignored: nohup, and a shell's "&".
(trap '' INT; exec "$SILLON" get -d ignored "$url/slow/300000/1") >out 2>err &
get=$!
wait_until is_under_way ignored/1
kill -INT "$get"
wait "$get" || fail "an ignored signal ends it"
same ignored/1 /slow/300000/1

# A second one ends it at once, also when it is stuck: its output goes to a pipe nobody empties.
name=$(printf 'n%.0s' {1..180})
for i in {1..800}; do echo "$url/as/$name$i"; done >many
(exec 7<>pipe; exec env --default-signal=INT,TERM "$SILLON" get --print-name -d stuck -i many >&7) \
    2>err &
get=$!
pipe_is_full() { ! timeout 0.2 dd bs=4096 count=1 if=/dev/zero oflag=nonblock of=pipe 2>/dev/null; }
wait_until test -d stuck
wait_until pipe_is_full
kill -INT "$get"
kill -INT "$get" 2>/dev/null || true
ended_by 2

# Nobody reads what it prints: it ends as by SIGPIPE, with no more words.
for arguments in "-o - $url/slow/3000000/1" "--print-name -d a.d -i many" "--json -d b.d -i many"; do
    status=0
    # shellcheck disable=SC2086 # words
    { env --default-signal=PIPE "$SILLON" get $arguments 2>err || echo $? >status; } |
        head -c 50 >/dev/null
    [[ $(<status) == 141 ]] || fail "status $(<status), not 141, for $arguments"
    [[ ! -s err ]] || fail "a closed pipe gives a message"
    rm status
done

# Stopped from a terminal and continued: it ends well.
begin -d continued "$url/slow/300000/1"
wait_until is_under_way continued/1
kill -STOP "$get"
kill -CONT "$get"
wait "$get" || fail "it does not go on"
same continued/1 /slow/300000/1
