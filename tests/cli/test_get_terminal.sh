#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A terminal gets a display that is drawn again and again; a dumb one, and --no-progress, lines.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
script -qec true /dev/null >/dev/null 2>&1 </dev/null || {
    echo "skipped: there are no pseudo-terminals here" # a chroot without /dev/pts
    exit 0
}
start_server 50

# on_terminal TERM COLUMNS ARGUMENT...   what a terminal of that kind would be sent
on_terminal() {
    local command
    printf -v command '%q ' "$SILLON" get "${@:3}"
    TERM=$1 script -qec "stty rows 24 cols $2; $command" /dev/null >out 2>err </dev/null ||
        fail "failed on a terminal: $command"
}
mapfile -t urls < <(seq -f "$url/slow/%g" 20000 20007)

on_terminal xterm 80 -d a "${urls[@]}"
says out " of 8 "
says out "/s  ETA "
says out "%  "
says out $'\e[J'
says out "get: 8 ok, 0 failed"
! grep -q '^ok ' out || fail "a line for each file through the display"

# No line of a frame is wider than the terminal, however narrow.
on_terminal xterm 30 -d b "${urls[@]}"
says out $'\e[K'
tr '\r' '\n' <out | sed 's/\x1b\[[AJK]//g' | grep -v '^get: ' >frames
! grep -E '^.{30}' frames || fail "a line as wide as the terminal"

on_terminal dumb 80 -d c "${urls[@]}"
! grep -q $'\e' out || fail "escape sequences on a dumb terminal"
says out "ok    20003  20003 bytes"
on_terminal xterm 80 --no-progress -d d "${urls[@]}"
! grep -q $'\e' out || fail "escape sequences with --no-progress"
