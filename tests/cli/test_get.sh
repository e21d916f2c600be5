#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Downloads arrive whole under their names; what goes wrong with one is said, and the others go on.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

# All good: contents, rights, the server's time; nothing is left beside them.
mapfile -t urls < <(seq -f "$url/file/%g" 1 30)
umask 027
run 0 "$SILLON" get -d good "${urls[@]}" "$url/nolength/70000" "$url/size/0"
umask 022
for i in {1..30}; do
    same "good/$i" "/file/$i"
done
same good/70000 /nolength/70000
[[ -f good/0 && ! -s good/0 ]] || fail "an empty file is a file"
[[ $(stat -c %a good/1) == 640 ]] || fail "the rights of a file are not those of umask"
[[ $(date -u -r good/1 +%F) == 2020-01-01 ]] || fail "not the server's Last-Modified"
[[ ! -s out ]] || fail "standard output has only results"
[[ $(wc -l <err) == 1 ]] || fail "more than the last line"
ended_well 32
only good {0..30} 70000

# Once more: what is there is left as it is, but for what cannot be compared by its length.
run 0 "$SILLON" get -d good "${urls[@]}"
says err "get: 0 ok, 0 failed, 30 skipped, "
run 0 "$SILLON" get --no-mtime -d now "$url/file/1"
[[ $(date -u -r now/1 +%F) != 2020-01-01 ]] || fail "--no-mtime has no effect"
run 0 "$SILLON" get --fsync -d synced/deep "$url/file/1"
only synced deep 1

# Quiet: nothing but failures; very quiet: nothing.
run 0 "$SILLON" get -q -d quiet "$url/file/7"
[[ ! -s out && ! -s err ]] || fail "-q is not quiet"
run 1 "$SILLON" get -q -d quiet "$url/status/404"
says err "get: $url/status/404: HTTP 404 Not Found (1 try)"
[[ $(wc -l <err) == 1 ]] || fail "-q says more than the failure"
run 1 "$SILLON" get -qq -d quiet "$url/status/404"
[[ ! -s err ]] || fail "-qq says something"

# Each failure with its reason, and the good ones all the same.
mkdir -p bad/8
run 1 "$SILLON" get -d bad --retries 0 --stall 300ms "$url/file/1" "$url/file/8" "$url/file/2"
says err "get: $url/file/8: 8 is a folder"
failing=("$url/status/404" "$url/status/503" "$url/cut/100000" "$url/cutchunked/100001" "$url/hang"
    "$url/redirect/21" http://no-such-host.invalid/a http://127.0.0.1:1/refused
    ftp://127.0.0.1/f file:///etc/passwd /etc/passwd "http://" $'http://127.0.0.1:1/\e[2J')
reasons=("HTTP 404 Not Found (1 try)" "HTTP 503 Service Unavailable (1 try)" "cut short"
    "cut short" "stalled: no byte for 0.3" "redirects" "no-such-host.invalid" "onnect" "http"
    "http" "URL" "http://" "http://127.0.0.1:1/\\x1b[2J: ")
for i in "${!failing[@]}"; do
    run 1 "$SILLON" get -d bad --retries 0 --stall 300ms "${failing[i]}" "$url/file/3"
    rm bad/3
    says err "${reasons[i]}"
    says err "get: 1 ok, 1 failed, 0 skipped"
    [[ $(wc -l <err) == 2 ]] || fail "not two lines for ${failing[i]}"
done
# What came of the one that was cut is kept for another run.
only bad 1 2 8 100000.part 100000.part.meta

# Of many that fail ten are told, and how many more.
run 1 "$SILLON" get -d many "$url/status/404?"{1..9} "$url/as/a" --if-exists=rename \
    "$url/status/404?"{10..30}
[[ $(grep -c "HTTP 404" err) == 10 ]] || fail "not ten failures"
says err "get: ... and 20 more that failed"
says err "get: 1 ok, 30 failed, "
only many a

# A limit on the whole of it, however lively it is.
run 1 "$SILLON" get -d slow --timeout 500ms --retries 0 "$url/slow/10000000" "$url/size/5"
says err "out of time (1 try)"
[[ ! -e slow/10000000 && -f slow/5 ]] || fail "not just the small one"

# What fails for a while is tried again, and goes on where it was cut; what does not pass is not.
run 0 "$SILLON" get --retry-wait 10ms -d again "$url/busyfirst/2/1000/name"
same again/name /busyfirst/2/1000/name
says err ", retries 2"
run 1 "$SILLON" get --retry-wait 10ms -d again --retries 1 "$url/cutchunked/5000"
says err "(2 tries)"
before=$(stat_of requests)
run 1 "$SILLON" get --retry-wait 10ms -d again "$url/status/403"
[[ $(stat_of requests) == $((before + 1)) ]] || fail "403 is tried again"
only again name

# To standard output, one after the other, in their order.
run 0 "$SILLON" get -o - "$url/slow/3000/1" "$url/size/10" "$url/page/x"
cat <(content /slow/3000) <(content /size/10) <(content /page/x) | cmp - out || fail "-o -"
run 0 "$SILLON" get -o given -d named "$url/file/1"
only named given
