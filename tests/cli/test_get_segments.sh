#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One large file over several connections: the right bytes, whatever the server does and whenever we
# are killed; and no more connections than were allowed.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
start_server 0

get=("$SILLON" get --min-segment 64K --retry-wait 1ms)

# sum PATH   the checksum of what the server gives for it
sum() {
    echo "sha256:$(content "$1" | sha256sum | cut -d' ' -f1)"
}

# segments FILE   what the JSON lines in it say
segments() {
    grep -o '"segments":[0-9]*' "$1" || true
}

# Several connections, one file, its bytes and its time as with one; nothing is left beside it.
path=/slow/3000000/1
run 0 "${get[@]}" -d some -s 4 --checksum "$(sum $path)" --json=some.json "$url$path"
same some/1 $path
[[ $(segments some.json) == '"segments":4' ]] || fail "not by 4 connections: $(<some.json)"
[[ $(stat -c %Y some/1) == "$(date -d 2020-01-01T00:00:00Z +%s)" ]] || fail "the time is not the server's"
only some 1
run 0 "${get[@]}" -d some --if-exists=resume -s 4 "$url$path"
says err "0 ok, 0 failed, 1 skipped"

# Sizes at which something ends.
for size in 65537 262144 262145 1048576 5000001; do
    run 0 "${get[@]}" -d sizes -s 5 --checksum "$(sum "/size/$size")" "$url/size/$size"
done
only sizes 65537 262144 262145 1048576 5000001

# One connection when one was asked for, when it is too small, and when the server cannot do more.
for options in "-s 1 $url/size/2000000" "-s 4 $url/size/60000" \
    "-s 4 $url/norange/2000000" "-s 4 --per-host 1 $url/size/2000000" \
    "-s 4 $url/nolength/2000000" "$url/size/2000000"; do
    rm -rf one
    # shellcheck disable=SC2086 # several words
    run 0 "${get[@]}" -d one --json=one.json $options
    same "one/${options##*/}" "/${options#*//*/}"
    [[ -z $(segments one.json) ]] || fail "by several connections: $options"
done

# It says that it takes ranges, but does not: one answer is read to its end.
run 0 "${get[@]}" -d ignoring -s 4 --retries 0 --checksum "$(sum /ignoring/9000000)" "$url/ignoring/9000000"
only ignoring 9000000

# It becomes another file meanwhile: never a mixture of both.
for n in 1 2 3 7; do
    path=9000000/new$n
    run 0 "${get[@]}" -d changed -s 4 "$url/changed/$n/$path"
    cmp -s "changed/new$n" <(content "/changed/$n/$path") ||
        cmp -s "changed/new$n" <(content "/changed/999/$path") || fail "a mixture of two files ($n)"
done

# Connections that fail: others go on; when all have failed the next try does, from there.
for n in 1 3 6; do
    path=/cutfirst/$n/6000000/cut$n
    run 0 "${get[@]}" -d cut -s 4 --checksum "$(sum "$path")" "$url$path"
done
only cut cut1 cut3 cut6
run 1 "${get[@]}" -d cut -s 4 --retries 0 "$url/cutall/0/6000000/all"
says err "cut short"
[[ -f cut/all.part ]] || fail "what has come is lost"
cmp -n "$(stat -c %s cut/all.part)" cut/all.part <(content /cutall/0/6000000/all) ||
    fail "a part is not the beginning of the file"
[[ $(find cut -name '.sillon*') == "" ]] || fail "something is left"

# One stops sending: it is not waited for.
for n in 0 2; do
    path=/stuck/$n/6000000/stuck$n
    run 0 "${get[@]}" -d stuck -s 4 --stall 1h --checksum "$(sum "$path")" "$url$path"
done

# As many connections as were allowed to a host, over all its files. Seen from here: the server learns
# a little late that one was closed.
connections() {
    awk -v port="$(printf ':%04X' "${url##*:}")$" '$3 ~ port && $4 == "01"' /proc/net/tcp | wc -l
}
"${get[@]}" -d limit -s 8 --per-host 3 --json=limit.json "$url/slow/900000/1" "$url/as/a" \
    "$url/slow/900001/2" >out 2>err &
pid=$!
highest=0
until has_ended $pid; do
    now=$(connections)
    ((now <= highest)) || highest=$now
done
wait $pid || fail "status $?"
((highest > 0 && highest <= 3)) || fail "$highest connections, not 3"
[[ $(segments limit.json) != "" ]] || fail "none came by several connections"
# And fewer where the server wants fewer.
kill "$server"
rm -f port
"$TEST_HTTP_SERVER" --port-file port --most 2 &
server=$!
wait_until test -s port
url=http://127.0.0.1:$(<port)
run 0 "${get[@]}" -d most -s 4 --checksum "$(sum /slow/2000000/1)" "$url/slow/2000000/1"

# To a pipe, in order.
"${get[@]}" -s 4 -o - "$url/slow/1500000/1" 2>err | cmp - <(content /slow/1500000/1) ||
    fail "not the bytes, or not in order"

# And where there is no place for what is ahead, by one.
TMPDIR=/no/such "${get[@]}" -s 4 -o - "$url/size/1500000" 2>err | cmp - <(content /size/1500000) ||
    fail "not the bytes, without a place for what is ahead"

# By itself, if it takes its time. Whether it does is a matter of speed: what counts are the bytes.
run 0 "${get[@]}" -d auto --json=auto.json --checksum "$(sum /slow/2000000/1)" \
    "$url/slow/2000000/1"

# Killed at any moment: the next run goes on from the beginning that is there.
path=/slow/9000000/1
grown() {
    (($(stat -c %s kill/1.part 2>/dev/null || echo 0) >= $1))
}
for size in 1 1000000 4000000; do
    "${get[@]}" -d kill -s 4 "$url$path" >out 2>err &
    pid=$!
    wait_until grown $size
    kill -KILL $pid
    wait $pid 2>/dev/null || true
    cmp -n "$(stat -c %s kill/1.part)" kill/1.part <(content $path) ||
        fail "a part is not the beginning of the file"
done
only kill 1.part 1.part.meta
run 0 "${get[@]}" -d kill -s 4 --checksum "$(sum $path)" --json=kill.json "$url$path"
only kill 1
grep -q '"resumed_from":[1-9]' kill.json || fail "it began anew"

# Stopped by a signal: it ends by that, and at once.
"${get[@]}" -d stop -s 4 "$url/slow/90000000/1" >out 2>err &
pid=$!
wait_until test -s stop/1.part
kill -TERM $pid
status=0
wait $pid || status=$?
((status == 143)) || fail "status $status after TERM"
only stop 1.part 1.part.meta

# What may be said.
for bad in 0 -1 many 1.5; do
    run 2 "${get[@]}" --segments=$bad "$url/size/1"
    says err "--segments: '$bad' is neither auto nor a number from 1"
done
