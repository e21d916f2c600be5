#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Jobs that fail: the exit status, further tries, time limits, stopping early.
# shellcheck disable=SC1083,SC2016 # placeholders; lines for the shells of jobs
# shellcheck source=tests/cli/lib/map.sh
. "$(dirname "$0")/lib/map.sh"
set -euo pipefail

# --- the exit status
run 1 "$SILLON" map -j4 sh -c '[ "$1" -gt 3 ] || exit 3' x ::: {1..10}
counts "7 ok, 3 failed, 0 skipped in "
says err "x 2: exit 3"
run 1 "$SILLON" map sh -c 'kill -9 $$' ::: 1 2
says err "killed by SIGKILL"
counts "0 ok, 2 failed"
run 127 "$SILLON" map ./is-not-there ::: {1..10}
says err "./is-not-there: cannot execute: No such file"
run 127 "$SILLON" map is-not-there ::: {1..10}
run 127 "$SILLON" map '' ::: {1..10}
echo 'no program' >no-program
run 126 "$SILLON" map ./no-program ::: {1..10}
says err "./no-program: cannot execute: Permission denied"
run 3 "$SILLON" map --exit=count sh -c '[ "$1" -gt 3 ] || exit 7' x ::: {1..10}
run 101 "$SILLON" map --exit=count false ::: {1..120}
says err "... and 110 more that failed"
run 0 "$SILLON" map --exit=count true ::: 1 2
run 2 "$SILLON" map --retry-on 1,x true ::: 1
run 2 "$SILLON" map --timeout 3x true ::: 1
run 2 "$SILLON" map --load busy true ::: 1
run 2 "$SILLON" map --jobserver=perhaps true ::: 1
run 2 "$SILLON" map --tty -j2 true ::: 1
run 2 "$SILLON" map

# -q leaves the failures, -qq nothing.
run 1 "$SILLON" map -q false ::: 1
[[ $(<err) == "sillon map: false 1: exit 1" ]] || fail "-q says something else"
run 1 "$SILLON" map -qq false ::: 1
[[ ! -s err ]] || fail "-qq says something"
run 1 "$SILLON" map -q --summary false ::: 1
counts "0 ok, 1 failed"

# --- further tries
try=(--retry-wait 10ms --retry-max 20ms --json=record)
third='echo "$1 $SILLON_TRY"; [ $SILLON_TRY = 3 ]'
run 0 "$SILLON" map --retries 2 "${try[@]}" sh -c "$third" x ::: a b
[[ $(sort out) == $'a 3\nb 3' ]] || fail "the output of other tries than the last"
job record 1 '"status":"ok"' '"tries":3' '"exit":0'
counts "2 ok, 0 failed, 0 skipped in "
says err "retries 4"
run 1 "$SILLON" map --retries 1 "${try[@]}" sh -c "$third" x ::: a
gives $'a 2\n'
says err "exit 1 (2 tries)"
run 1 "$SILLON" map --retries 5 --retry-on 75,80-90 "${try[@]}" sh -c 'exit $1' x ::: 74 75
job record 1 '"tries":1' '"exit":74'
job record 2 '"tries":6' '"exit":75'

# Who waits to be tried again holds no slot.
run 1 "$SILLON" map -j1 --retries 1 "${try[@]}" --output=line \
    sh -c 'echo $1 $SILLON_TRY; [ $1 = b ]' x ::: a b
[[ $(sort out) == $'a 1\na 2\nb 1' ]] || fail "not all tries"

# --- time limits: all of it is ended, asked first
cat >slow <<'END'
#!/bin/sh
[ "$1" != deaf ] || trap '' TERM
[ "$1" != polite ] || trap 'echo asked; exit 5' TERM
(exec 7>held; exec sleep 1000) &
while :; do sleep 0.02; done
END
chmod +x slow
mkfifo held
cat held &
reader=$!
exec 8>held
run 1 "$SILLON" map -j3 --timeout 1s --kill-after 1s --json=record --log log.tsv \
    ./slow ::: deaf polite other
exec 8>&-
wait_until has_ended "$reader"
gives $'asked\n'
for seq in 1 2 3; do job record $seq '"status":"timeout"' '"exit":124' '"signal":null'; done
[[ $(cut -f7,8 log.tsv | tail -n 3 | sort -u) == $'124\t0' ]] || fail "log.tsv: not 124"
says err "./slow deaf: timed out after 1 s"
run 0 "$SILLON" map --timeout 50s true ::: 1
# A share of what the others took: of the median, once there are three.
run 1 "$SILLON" map -j1 --timeout 5000% --json=record sleep ::: 0 0 0 1000
counts "3 ok, 1 failed"
job record 4 '"status":"timeout"'

# --- stopping early
rm -f up.* open.*
begin -j3 --halt now,fail=1 --json=record ./gated {1} {2} ::: 1 2 3 4 5 6 :::+ 0 7 0 0 0 0
up 1; up 2; up 3
open 2
ended 3
gives $'done 2\n'
job record 2 '"status":"failed"'
job record 1 '"status":"stopped"'
[[ ! -e up.5 ]] || fail "one more was started"
counts "0 ok, 1 failed, 0 skipped, "

rm -f up.* open.*
begin -j3 --halt soon,fail=1 --json=record ./gated {1} {2} ::: 1 2 3 4 5 6 :::+ 0 7 0 0 0 0
up 1; up 2; up 3
open 2
wait_until grep -q '"seq":2,' record
open 1; open 3
ended 3
[[ $(tail -n 1 out) == "done 2" ]] || fail "the failure's output is not the last"
[[ $(sort out) == $'done 1\ndone 2\ndone 3' ]] || fail "those that ran were not let end"
[[ ! -e up.4 ]] || fail "one more was started"

run 0 "$SILLON" map -j1 --halt soon,success=2 sh -c 'echo $1; [ $1 -gt 2 ]' x ::: {1..9}
gives $'1\n2\n3\n4\n'
run 3 "$SILLON" map -j1 --halt soon,done=2 echo ::: {1..9}
gives $'1\n2\n'
run 3 "$SILLON" map -j1 --halt soon,fail=50% sh -c 'echo $1; [ $1 = 1 ]' x ::: {1..9}
gives $'1\n2\n3\n4\n' # three at least must have failed
run 3 "$SILLON" map -j2 --deadline 300ms --kill-after 1s sleep ::: 1000 1001 1002
says err "stopped at the deadline"
counts "0 ok, 0 failed, 0 skipped, "
