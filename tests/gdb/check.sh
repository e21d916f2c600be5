#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: check.sh PROGRAM SCRIPT
# gdb lists the coroutines of a program and shows their stacks, with the commands of SCRIPT: while it
# runs, and from a core file if the system writes one here. Ends with 77 where gdb cannot do that at all.
set -euo pipefail

program=$(realpath "$1")
script=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

skip() {
    echo "skipped: $1"
    exit 77
}

[[ $(uname -m) == x86_64 ]] || skip "this processor is not supported"
command -v gdb >/dev/null || skip "no gdb"
gdb -nx -batch -ex 'python print("has", "python")' 2>&1 | grep -q '^has python' || skip "a gdb without Python"

"$program" # by itself it ends well
commands=(-x "$script" -ex "sillon coroutines" -ex "sillon backtrace all"
    -ex "echo only one\n" -ex "sillon backtrace 'deep one' 2" -ex "sillon backtrace nobody" -ex "backtrace 1")

# expect FILE PATTERN...   each is found in a line of the file after that of the one before
expect() {
    local file=$1 at=0 found pattern
    shift
    for pattern in "$@"; do
        found=$(tail -n +$((at + 1)) "$file" | grep -nE -m1 -- "$pattern" | cut -d: -f1 || true)
        if [[ -z $found ]]; then
            echo "not found after line $at: $pattern"
            cat "$file"
            status=1
            return
        fi
        at=$((at + found))
    done
}

check() {
    expect "$1" '^table +0x[0-9a-f]+ +running +main +main_task' \
        '^table +0x[0-9a-f]+ +waiting +deep one +waits_deep.*: event' \
        '^table +0x[0-9a-f]+ +waiting +second +awaits.*: coroutine 0x' \
        "^coroutine 0x[0-9a-f]+ 'main' main_task.*, running" \
        "^coroutine 0x[0-9a-f]+ 'deep one' waits_deep.*, waiting" \
        '^#0 ' ' sil_event_wait \(' ' innermost \(' ' middle \(' ' middle \(' ' middle \(' \
        ' waits_deep \(' ' sil__coroutine_main \(' \
        "^coroutine 0x[0-9a-f]+ 'second' awaits.*, waiting" ' sil_await \(' ' awaits \(' \
        '^only one' '^#0 ' '^#1 ' "there is no coroutine 'nobody'" '^#0 +(0x[0-9a-f]+ in )?all_parked'
    if sed -n '/^only one/,/there is no/p' "$1" | grep -q '^#2 '; then
        echo "more frames than were asked for"
        status=1
    fi
}

cd "$work"
ulimit -c unlimited || true
gdb -nx -batch -ex "break all_parked" -ex run "${commands[@]}" -ex "signal SIGABRT" "$program" \
    >live.txt 2>&1 || true
grep -q "Breakpoint 1, " live.txt || { cat live.txt; skip "gdb cannot run programs here"; }
grep -q "does not use Boost.Context" live.txt && skip "built without Boost.Context"
check live.txt

core=$(find . -name 'core*' -print -quit)
if [[ $core ]]; then
    gdb -nx -batch "${commands[@]}" "$program" "$core" >core.txt 2>&1 || true
    check core.txt
else
    echo "no core file: the running program only"
fi
exit $status
