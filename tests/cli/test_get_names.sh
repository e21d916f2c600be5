#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file's name comes from its URL, never leaves its folder, and never takes another's place.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
start_server 0

# named NAME LAST_PART   the URL with that last part gives a file of that name
named() {
    rm -rf "outer"
    mkdir outer
    run 0 "$SILLON" get -d outer/inner "$url/as/$2"
    only outer inner "$1"
    same "outer/inner/$1" /as/x
}
named plain.txt plain.txt
named index.html ""
named "a b" "a%20b"
named "a b" "a b"
named query "query?x=/../y"
named fragment "fragment#part"
named "_._etc_passwd" "%2e%2e%2fetc%2fpasswd"
named "_bashrc" "%2ebashrc"
named "_rf" "-rf"
named "_home" "~home"
named "a_b" "a%00b"
named "a_b_" "a%0ab%1b"
named "_.\\.._x" "..%5c..%2fx"
named $'caf\xc3\xa9' "caf%c3%a9"
named "caf_" "caf%e9"
named "x_y" "x%e2%80%aey"
long=$(printf 'n%.0s' {1..300})
named "${long:0:200}" "$long"
named "%2e" "%252e"
named "100%" "100%"

# The same name twice, also across a name that looks like a number of it.
run 0 "$SILLON" get -j 8 -d same "$url/file/1" "$url/size/1" "$url/file/1.1" "$url/image/1" \
    "$url/page/1" "$url/page/1"
only same 1 1.1 1.1.1 1.2 1.3 1.4
same same/1 /file/1
same same/1.1 /size/1
same same/1.1.1 /file/1.1
same same/1.2 /image/1
same same/1.3 /page/1
cp -r same before
run 0 "$SILLON" get -j 8 -d same --if-exists replace "$url/file/1" "$url/size/1" "$url/file/1.1" \
    "$url/image/1" "$url/page/1" "$url/page/1"
diff -r before same || fail "a second run gave other names"
