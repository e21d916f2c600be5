#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Signals that do not end a run: more and fewer jobs, what runs now, stop and go on.
# shellcheck disable=SC1083,SC2016 # placeholders; lines for the shells of jobs
# shellcheck source=tests/cli/lib/map.sh
. "$(dirname "$0")/lib/map.sh"
set -euo pipefail

# ask TEXT   what runs, as QUIT tells it, is soon this
ask() {
    local end=$((SECONDS + 60))
    until tail -n +"$((said + 1))" err | grep -qF "$1"; do
        ((SECONDS < end)) || fail "it never says: $1"
        kill -QUIT "$map"
        sleep 0.05
    done
    said=$(wc -l <err)
}
said=0
begin -j1 ./gated ::: 1 2 3 4 5 6
up 1
ask "0 done, 0 failed, 1 running, 0 to be tried again"
says err "slot 1: process "
says err ": ./gated 1"
kill -USR1 "$map"
up 2
kill -USR1 "$map"
up 3
ask "0 done, 0 failed, 3 running"
says err "slot 3: process "
kill -USR2 "$map"
ask "3 running" # two USR2 that nobody has heard yet would be one
ask "3 running"
kill -USR2 "$map"
ask "3 running"
open 1
ask "1 done, 0 failed, 2 running"
open 2
ask "2 done, 0 failed, 1 running"
[[ ! -e up.4 ]] || fail "one more was started, though fewer are wanted"
open 3
up 4
ask "3 done, 0 failed, 1 running"
[[ ! -e up.5 ]] || fail "two run at once, though one is wanted"
kill -USR2 "$map" # there is always one
open 4; up 5; open 5; open 6
ended 0
counts "6 ok, 0 failed, 0 skipped in "

# Stopped with all its jobs, and on again with them. (A background job of a shell with job control is
# one that can be stopped.)
rm -f up.* open.*
state_of() { sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null; }
is_stopped() { [[ $(state_of "$1") == T ]]; }
is_going() { [[ $(state_of "$1") != T ]]; }
cat >sleeper <<'END'
#!/bin/sh
echo $$ >"pid.$1"
exec ./gated "$1"
END
chmod +x sleeper
set -m
begin -j2 ./sleeper ::: 1 2
set +m
up 1; up 2
for _ in 1 2; do
    kill -TSTP "$map"
    for pid in "$map" "$(<pid.1)" "$(<pid.2)"; do wait_until is_stopped "$pid"; done
    kill -CONT "$map"
    for pid in "$map" "$(<pid.1)" "$(<pid.2)"; do wait_until is_going "$pid"; done
done
open 1; open 2
ended 0

# A stopped job is ended as others are.
rm -f up.* open.*
begin -j1 --kill-after 1000 ./sleeper ::: 1
up 1
kill -STOP "$(<pid.1)"
wait_until is_stopped "$(<pid.1)"
kill -TERM "$map"
ended 143

# Whoever shall read the output does not: the first signal ends it after --kill-after, a second one at
# once.
mkfifo unread
exec 8<>unread
stuck() {
    rm -f up.*
    env --default-signal=INT "$SILLON" map --kill-after "$1" \
        sh -c 'head -c 1000000 /dev/zero; : >up.1' ::: x >&8 2>err </dev/null &
    map=$!
    up 1
}
stuck 300ms
kill -TERM "$map"
ended 143
stuck 1000
interrupt_again() {
    kill -INT "$map" 2>/dev/null
    has_ended "$map"
}
wait_until interrupt_again
ended 130
