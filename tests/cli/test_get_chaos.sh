#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 500 URLs, of which some are cut, refused for a while or not answered at first, and a host that lets in
# two at a time: 500 files. The waits are scaled down, so that the test ends soon.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0
start_other narrow --most 2

for i in {1..500}; do
    case $((i % 100)) in
    1 | 21 | 41 | 61 | 81) echo "$url/cutfirst/1/20000/f$i" ;;
    2 | 22 | 42 | 62 | 82) echo "$url/busyfirst/1/20000/f$i?after=1" ;;
    3 | 53) echo "$url/silentfirst/1/20000/f$i" ;;
    4 | 14 | 24 | 34 | 44) echo "http://$other/cutfirst/0/20000/f$i" ;;
    *) echo "$url/cutfirst/0/20000/f$i" ;;
    esac
done >urls
run 0 "$SILLON" get -d files -i urls --stall 1s --connect-timeout 5s --json=json
ended_well 500
content /cutfirst/0/20000/f >right
for i in {1..500}; do
    cmp "files/f$i" right || fail "file $i is not right"
done
[[ $(find files -mindepth 1 | wc -l) == 500 ]] || fail "something is left beside the files"
[[ $(json 'select(.type == "file" and .status == "ok") | .name' | sort -u | wc -l) == 500 ]] ||
    fail "the JSON does not tell of 500 files"
[[ $(json 'select(.url | strings | test("silentfirst|cutfirst/1|busyfirst")) | .tries' |
    sort -u) == 2 ]] || fail "not two tries for those that fail once"
