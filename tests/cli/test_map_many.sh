#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Many inputs take no more memory than few, and inputs are read only as they are needed.
# shellcheck disable=SC1083,SC2016 # placeholders; lines for the shells of jobs
# shellcheck source=tests/cli/lib/map.sh
. "$(dirname "$0")/lib/map.sh"
set -euo pipefail

# The last job looks at its parent. In kilobytes.
cat >look <<'END'
#!/bin/sh
shift $(($# - 1))
[ "$1" != last ] || sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$PPID/status"
END
chmod +x look
jobs=10000
! sanitized || jobs=500
(seq 100000; echo last) >many
run 0 "$SILLON" map -k -j4 -n $((100000 / jobs)) --log log --progress=json --progress-fd 7 \
    -a many ./look 7>progress
counts "$((jobs + 1)) ok, 0 failed"
[[ $(grep -c '"status":"ok"' log) == $((jobs + 1)) ]] || fail "not all are in the log"
sanitized || [[ $(<out) -lt 12288 ]] || fail "$(<out) kB of memory"

# One job a second, if at all: a hundred thousand inputs that wait cost nothing, nor do those that are
# passed over.
run 0 "$SILLON" map --skip 100000 -a many ./look
sanitized || [[ $(<out) -lt 12288 ]] || fail "$(<out) kB of memory for inputs passed over"

# Input that comes slowly is used as it comes, and no more of it is read than is needed.
mkfifo slowly
exec 8<>slowly
"$SILLON" map -j2 ./gated <slowly >out 2>err &
map=$!
echo 1 >&8
up 1
open 1
wait_until grep -q 'done 1' out
printf '2\n3' >&8
up 2
open 2
wait_until grep -q 'done 2' out
kill -TERM "$map" # while nothing runs, in the middle of a line
ended 143
counts "2 ok, 0 failed, 0 skipped in "

# An endless input, ended by what was found in it.
set +e
yes | "$SILLON" map -j2 --halt soon,done=5 true 2>err
status=${PIPESTATUS[1]}
set -e
[[ $status == 3 ]] || fail "status $status, not 3"
