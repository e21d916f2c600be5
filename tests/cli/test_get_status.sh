#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The exit status says what happened; of several things the worst: 2, 5, 4, 3, 1.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0
good=$(sum_of sha256 /size/10)
wrong=${good//[0-9]/f}

# 0: all there, or skipped, or nothing to do; --no-empty makes the last 1.
run 0 "$SILLON" get -d a "$url/size/10"
run 0 "$SILLON" get -d a "$url/size/10"
run 0 "$SILLON" get -d a -i /dev/null
says err "get: 0 ok, 0 failed, 0 skipped, "
run 1 "$SILLON" get --no-empty -d a -i /dev/null
# 1: some failed, one of many too.
run 1 "$SILLON" get -d a "$url/size/11" "$url/status/404"
# 2: and nothing was begun.
before=$(stat_of requests)
run 2 "$SILLON" get
run 2 "$SILLON" get --no-such-option "$url/size/12"
run 2 "$SILLON" get -o name "$url/size/12" "$url/size/13"
run 2 "$SILLON" get -i no-such-file "$url/size/12"
run 2 "$SILLON" get --checksum sha256:12 "$url/size/12"
run 2 "$SILLON" get --checksum "sha256:$good" --checksum "sha256:$good" "$url/size/12"
run 2 "$SILLON" get --sums no-such-file "$url/size/12"
run 2 "$SILLON" get --bearer-file no-such-file "$url/size/12"
run 2 "$SILLON" get -4 -6 "$url/size/12"
run 2 "$SILLON" get -o - --json "$url/size/12"
run 2 "$SILLON" get -o - --print-name "$url/size/12"
run 2 "$SILLON" get -o /dev/stdout --json "$url/size/12"
run 2 "$SILLON" get -o '' "$url/size/12"
run 2 "$SILLON" get -o folder/ "$url/size/12"
run 2 "$SILLON" get -H Nonsense "$url/size/12"
run 2 "$SILLON" get -H $'A: b\r\nC: d' "$url/size/12"
run 2 "$SILLON" get --cacert no-such-file "$url/size/12"
run 2 "$SILLON" get --part-suffix a/b "$url/size/12"
[[ $(stat_of requests) == "$before" && ! -e 12 ]] || fail "something was begun"
# 3: stopped early.
run 3 "$SILLON" get -j 1 --halt now,fail=1 -d b "$url/status/404" "$url/size/14"
run 3 "$SILLON" get --deadline 300ms -d b "$url/hang"
# 4: a checksum; also when others failed or the run was stopped.
run 4 "$SILLON" get -d c --checksum "sha256:$wrong" "$url/size/10" "$url/status/404"
run 4 "$SILLON" get -j 1 -d c --halt now,fail=1 --checksum "sha256:$wrong" "$url/size/10" \
    "$url/size/11"
only c
# 5: this machine, whatever else.
run 5 bash -c 'ulimit -f 8; exec "$@"' - "$SILLON" get -d d --checksum "sha256:$wrong" \
    "$url/size/10" "$url/size/100000" "$url/status/404"
status=0
"$SILLON" get -o - "$url/size/100000" >/dev/full 2>err || status=$?
[[ $status == 5 ]] || fail "status $status for a full standard output"
says err "No space left on device"
status=0
"$SILLON" get --json -d e "$url/size/10" >/dev/full 2>err || status=$?
[[ $status == 5 ]] || fail "status $status for JSON to a full device"
run 5 "$SILLON" get --log /dev/full -d e "$url/size/20"
run 5 "$SILLON" get -o /dev/full "$url/size/100000"
says err "No space left on device"
status=0
"$SILLON" get --print-name -d e "$url/size/30" >&- 2>err || status=$?
[[ $status == 5 ]] || fail "status $status for a closed standard output"
# A limit of the size of files, as a full disk: an error, and nothing under the name.
run 5 bash -c 'ulimit -f 8; exec "$@"' - "$SILLON" get -d full "$url/size/100000" "$url/size/9"
says err "cannot write 100000: File too large"
[[ ! -e full/100000 ]] || fail "half a file under its name"
same full/9 /size/9
# Then there is room, and it goes on.
run 0 "$SILLON" get -d full "$url/size/100000"
same full/100000 /size/100000
only full 9 100000
# A folder that cannot be written to, and one that is a file.
touch file
run 5 "$SILLON" get -d file/folder "$url/size/10"
