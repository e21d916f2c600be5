#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What an earlier run has left is gone on from if it is still the same file, and only then. What stands
# under the name already is dealt with as --if-exists says.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

# half FOLDER PATH ETAG [COUNT]   what a run leaves that was ended in the middle of it
half() {
    local name=${2##*/} count=${4:-100000} length
    mkdir -p "$1"
    length=$(content "$2" | wc -c)
    head -c "$count" <(content "$2") >"$1/$name.part"
    printf 'sillon-part 1\nlength %s\netag %s\nmodified %s\nurl %s\nend\n' "$length" "$3" \
        "Wed, 01 Jan 2020 00:00:00 GMT" "$url$2" >"$1/$name.part.meta"
}

# spoil FILE   as long as before, and not a byte of it right
spoil() {
    tr '\0-\377' x <"$1" >spoilt
    mv spoilt "$1"
}

# etag_of PATH
etag_of() {
    local answer
    exec 9<>"/dev/tcp/127.0.0.1/${url##*:}"
    printf 'HEAD %s HTTP/1.0\r\n\r\n' "$1" >&9
    answer=$(tr -d '\r' <&9 | sed -n 's/^ETag: //p')
    exec 9>&-
    echo "$answer"
}

# fetched STATUS COUNT ARGUMENT...   so many bytes of bodies come from the server
fetched() {
    local expected=$1 wanted=$2 before
    shift 2
    before=$(stat_of bytes)
    run "$expected" "$SILLON" get --json=json --retry-wait 10ms "$@"
    [[ $(($(stat_of bytes) - before)) == "$wanted" ]] ||
        fail "$(($(stat_of bytes) - before)) bytes, not $wanted, for: $*"
}
etag=$(etag_of /size/200000)

# The same file: the rest of it. Of a run that ended just before the rename nothing is missing.
half same /size/200000 "$etag"
fetched 0 100000 -d same "$url/size/200000"
same same/200000 /size/200000
only same 200000
[[ $(json 'select(.type == "file") | "\(.status) \(.http) \(.bytes) \(.resumed_from)"') == \
    "ok 206 200000 100000" ]] || fail "the JSON says otherwise"
half whole /size/200000 "$etag" 200000
fetched 0 1 -d whole "$url/size/200000"
same whole/200000 /size/200000
only whole 200000

# Another file, by its ETag: all anew, and nothing of the old one in it.
half other /size/200000 '"another"'
spoil other/200000.part
fetched 0 200000 -d other "$url/size/200000"
same other/200000 /size/200000
only other 200000

# Bytes that are not what the ETag says, with a checksum to tell: all anew.
half wrong /size/200000 "$etag"
spoil wrong/200000.part
fetched 0 300000 --checksum "sha256:$(sum_of sha256 /size/200000)" -d wrong "$url/size/200000"
same wrong/200000 /size/200000
only wrong 200000
# And right ones, hashed too.
half right /size/200000 "$etag"
fetched 0 100000 --checksum "sha256:$(sum_of sha256 /size/200000)" -d right "$url/size/200000"
same right/200000 /size/200000

# A server that ignores Range, one that has only a weak ETag (but a date), one without either.
half norange /norange/200000 '"x"'
fetched 0 200000 -d norange "$url/norange/200000"
same norange/200000 /norange/200000
half weak /weak/200000 "W/$etag"
fetched 0 100000 -d weak "$url/weak/200000"
same weak/200000 /weak/200000
half nometa /size/200000 "$etag"
rm nometa/200000.part.meta
fetched 0 200000 -d nometa "$url/size/200000"
same nometa/200000 /size/200000
half torn /size/200000 "$etag"
head -c 60 torn/200000.part.meta >x && mv x torn/200000.part.meta
fetched 0 200000 -d torn "$url/size/200000"
same torn/200000 /size/200000
only norange 200000
only weak 200000
only nometa 200000
only torn 200000

# 416: there is more here than the server has; and the .meta of another URL.
half longer /size/200000 "$etag" 200000
{ cat longer/200000.part && echo more; } >x && mv x longer/200000.part
sed -i 's/^length .*/length 300000/' longer/200000.part.meta
run 0 "$SILLON" get -d longer "$url/size/200000"
same longer/200000 /size/200000
only longer 200000
half strange /size/200000 "$etag"
sed -i 's|^url .*|url http://example.org/200000|' strange/200000.part.meta
fetched 0 200000 -d strange "$url/size/200000"
same strange/200000 /size/200000

# What changes while it is fetched: the second try of a cut file is of another one.
run 0 "$SILLON" get -d changing "$url/changing/a"
[[ $(stat -c %s changing/a) == 1000 ]] || fail "not the whole of a changing file"

# A cut in the middle, then the rest: each byte once. The suffix of parts can be another one.
fetched 0 300000 --part-suffix .half -d retried "$url/cutfirst/1/300000/a"
same retried/a /cutfirst/1/300000/a
only retried a
begin --part-suffix .half -d suffix "$url/slow/500000/1"
wait_until test -s suffix/1.half
kill -TERM "$get"
ended_by 15
only suffix 1.half 1.half.meta

# Two runs at one file: one of them writes it, the other says so.
begin -d both "$url/slow/300000/2"
wait_until is_under_way both/2
run 5 "$SILLON" get -d both --retries 0 "$url/slow/300000/2"
says err "being written by another run"
wait "$get" || fail "the first one failed"
same both/2 /slow/300000/2
only both 2

# --if-exists, each.
mkdir there
renew() { echo other >there/1; touch -d 2019-01-01 there/1; rm -f there/1.*; }
size=$(content /file/1 | wc -c)
renew
run 0 "$SILLON" get -d there "$url/file/1"
same there/1 /file/1
fetched 0 0 -d there "$url/file/1"
says err "0 ok, 0 failed, 1 skipped"
spoil there/1 && touch -d 2019-01-01 there/1
fetched 0 "$size" -d there "$url/file/1"
same there/1 /file/1
renew
fetched 0 0 --if-exists=skip -d there "$url/file/1"
says there/1 other
fetched 1 0 --if-exists=fail -d there "$url/file/1"
says err "1 is there already"
says there/1 other
[[ $(json 'select(.type == "file") | .error_kind') == exists ]] || fail "not told as exists"
fetched 0 "$size" --if-exists=rename --print-name -d there "$url/file/1"
says there/1 other
same there/1.1 /file/1
says out 1.1
[[ $(json 'select(.type == "file") | .name') == 1.1 ]] || fail "not the name it got"
fetched 0 "$size" --if-exists=replace -d there "$url/file/1"
same there/1 /file/1
fetched 0 "$size" --if-exists=replace -d there "$url/file/1"
only there 1 1.1
# With a checksum: what matches is there, what does not is replaced, if it comes right.
sum=$(sum_of sha256 /file/1)
touch -d 2019-01-01 there/1
fetched 0 0 --checksum "sha256:$sum" -d there "$url/file/1"
renew
fetched 4 "$(content /file/2 | wc -c)" --checksum "sha256:$sum" -d there "$url/file/2"
fetched 0 "$size" --checksum "sha256:$sum" -d there "$url/file/1"
same there/1 /file/1
only there 1
