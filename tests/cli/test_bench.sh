#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The table has all modes, JSON and picture are whole, wrong usage starts nothing, and failed tasks are
# told. No time is judged here.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
small=(-n 8 --repeat 1 --warmup 0 --cpu-work 1ms --io-latency 5ms)

run 0 "$SILLON" bench "${small[@]}" -w 2 --svg picture.svg --trace trace.json
for kind in cpu io; do
    grep -qE "^8 $kind tasks +workers +wall +least\.\.most +speed-up +ideal +CPU +switches" out ||
        fail "no heading for $kind"
done
for mode in seq threads processes async; do
    count=$(grep -cE "^$mode +[12] +[0-9.]+ [mu]?s +[0-9.]+\.\.[0-9.]+ +[0-9.]+ x +[0-9]+ % " out || true)
    [[ $count == 2 ]] || fail "$count rows for $mode, not one each for cpu and io"
done
says out "For tasks that compute like these use "
says out "For tasks that wait like these use "
# One panel a mode, twice; no scripts; bars in each, how many depends on what can be seen.
for mode in seq threads processes async; do
    count=$(grep -c "<g class=\"$mode\">" picture.svg || true)
    [[ $count == 2 || $mode == threads && $count == 3 ]] || fail "$count panels for $mode" # legend
done
[[ $(tail -n 1 picture.svg) == "</svg>" ]] || fail "the picture is not whole"
! grep -q '<script' picture.svg || fail "a script in the picture"
(($(grep -c 'class="a"' picture.svg) >= 9)) || fail "panels without bars"
says trace.json '"cpu threads of 2: 1"'
only . err out picture.svg trace.json

# JSON takes the table's place on standard output, or goes to a file beside it.
run 0 "$SILLON" bench "${small[@]}" -w 2,3 --json
[[ $(grep -c '^{"type":"mode",.*}$' out) == 13 ]] || fail "not an object for each row"
[[ $(tail -n 1 out) == '{"type":"summary",'*'}' ]] || fail "no object for all"
[[ $(wc -l <out) == 14 ]] || fail "more than JSON"
run 0 "$SILLON" bench "${small[@]}" --json=lines --modes seq,async io
[[ $(wc -l <lines) == 3 ]] || fail "not three lines"
says lines '"tasks":8,"measured_tasks":8,"runs":1'
says out "8 io tasks"
! grep -q 'cpu tasks' out || fail "cpu tasks that nobody asked for"

run 0 "$SILLON" bench "${small[@]}" --markdown --modes seq cpu
grep -qE '^\| 8 cpu tasks \| workers \| wall ' out || fail "no Markdown"
grep -qE '^\| :-- \| --: ' out || fail "no line under the heading"
run 0 "$SILLON" bench "${small[@]}" -n 2000 --modes seq io
says out "seq, scaled"
run 0 "$SILLON" bench "${small[@]}" -v --warmup 1 --modes seq cpu
grep -qE '^round 1: cpu, seq, workers: 1: [0-9.]+ s, not counted$' err || fail "no word of round 1"

# Own URLs, each of them in every mode; one that is not there fails in each.
start_server 5
seq -f "$url/file/%g" 12 >list
run 0 "$SILLON" bench --repeat 1 --warmup 0 -w 3 -i list io
says out "12 io tasks"
says out "A task loads one of 12 URLs."
[[ $(stat_of requests) == 48 ]] || fail "not each file four times"
run 0 bash -c '"$@" <list' - "$SILLON" bench --repeat 1 --warmup 0 -w 2 -i - io
run 1 "$SILLON" bench --repeat 1 --warmup 0 -w 2 --url "$url/file/1" --url "$url/status/404" io
for mode in seq threads processes async; do
    says err "io, $mode: 1 tasks failed: $url/status/404: HTTP 404 Not Found"
done

# refused WORD OPTION...   usage, and the word that is wrong
refused() {
    run 2 "$SILLON" bench "${@:2}"
    says err "$1"
    [[ ! -s out ]] || fail "wrong usage prints to standard output"
}
refused fibers --modes seq,fibers
refused 0 -w 0
refused disk disk
refused nonsense --url nonsense
refused missing -i missing
refused --tasks -n 0
: >empty
refused empty -i empty

# What cannot be written is this machine's failure.
run 5 "$SILLON" bench "${small[@]}" --modes seq cpu --svg /dev/full
says err "/dev/full"
run 5 "$SILLON" bench "${small[@]}" --modes seq cpu --svg no/such/folder.svg
run 5 "$SILLON" bench "${small[@]}" --modes seq cpu --json=/dev/full
run 5 bash -c '"$@" >/dev/full' - "$SILLON" bench "${small[@]}" --modes seq cpu

# KILL leaves nobody: the server and the run have our end of the pipe, and it ends.
mkfifo pipe
has_two_children() {
    [[ $(pgrep -c -P "$1") == 2 ]]
}
"$SILLON" bench --io-latency 1h -n 4 -w 4 --modes processes,async io >/dev/null 2>pipe &
bench=$!
exec 8<pipe
wait_until has_two_children "$bench"
kill -KILL "$bench"
wait "$bench" || true
cat <&8 >/dev/null
exec 8<&-
