#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file that does not have the checksum asked for never gets its name.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

# --checksum: each kind, for the URLs in their order.
for algo in md5 sha1 sha256 sha512; do
    run 0 "$SILLON" get -d "$algo" --checksum "$algo:$(sum_of $algo /file/1)" \
        --checksum "$algo:$(sum_of $algo /size/0)" "$url/file/1" "$url/size/0" "$url/file/2"
    same "$algo/1" /file/1
    only "$algo" 0 1 2
    run 4 "$SILLON" get -d "$algo-wrong" --checksum "$algo:$(sum_of $algo /file/1)" \
        --checksum "$algo:$(sum_of $algo /file/1)" "$url/file/1" "$url/file/2" "$url/file/3"
    says err "/file/2: the $algo does not match: it is $(sum_of $algo /file/2) (1 try)"
    only "$algo-wrong" 1 3
done
run 0 "$SILLON" get -d upper --checksum "sha256=$(sum_of sha256 /file/1 | tr a-f A-F)" "$url/file/1"
run 0 "$SILLON" get -d blake --checksum "blake2b:$(sum_of b2 /file/1)" "$url/file/1"
only blake 1

# A large one, cut on the way and gone on from.
run 0 "$SILLON" get -d large --retry-wait 10ms --checksum \
    "sha256:$(sum_of sha256 /cutfirst/1/3000000/a)" "$url/cutfirst/1/3000000/a"
same large/a /cutfirst/1/3000000/a

# --sums: as sha256sum and as BSD write them; what the list does not have is not checked.
{
    for i in {1..9}; do echo "$(sum_of sha256 "/file/$i")  $i"; done
    echo "MD5 (10) = $(sum_of md5 /file/10)"
    echo "$(sum_of sha512 /file/11) *11"
    echo "$(sum_of sha256 /file/1)  12"
} >sums
run 4 "$SILLON" get -d sums1 --sums sums "$url"/file/{1..13}
says err "/file/12: the sha256 does not match"
says err "12 ok, 1 failed"
only sums1 {1..11} 13
echo "nonsense" >>sums
run 2 "$SILLON" get -d sums2 --sums sums "$url/file/1"
says err "sums"
[[ ! -e sums2 ]] || fail "it has begun with a list it cannot read"

# Of a list of URLs: behind the name.
printf '%s\ta\tsha256=%s\n%s\tb\tmd5=%s\n%s\tc\tsha256=12\n%s\td\tsha256=%s\n' \
    "$url/file/1" "$(sum_of sha256 /file/1)" "$url/file/2" "$(sum_of md5 /file/2)" "$url/file/3" \
    "$url/file/4" "$(sum_of sha256 /file/5)" >list
run 4 "$SILLON" get -d list.d -i list
says err "/file/3: what stands behind the name is no checksum"
says err "/file/4: the sha256 does not match"
only list.d a b

# The digest is in the JSON: what the file has.
run 4 "$SILLON" get -d json.d --json=json --checksum "sha256:$(sum_of sha256 /file/1)" \
    --checksum "md5:$(sum_of md5 /file/1)" "$url/file/1" "$url/file/2"
[[ $(json 'select(.seq == 1) | .sha256') == "$(sum_of sha256 /file/1)" ]] || fail "no SHA-256"
[[ $(json 'select(.seq == 2) | "\(.md5) \(.error_kind)"') == "$(sum_of md5 /file/2) checksum" ]] ||
    fail "not the MD5 that it has"

# To standard output: it says so, though it is too late to take it back.
run 4 "$SILLON" get -o - --checksum "sha256:$(sum_of sha256 /file/2)" "$url/file/1"
