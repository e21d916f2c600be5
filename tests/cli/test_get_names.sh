#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file's name comes from its URL, never leaves its folder, and never takes another's place.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

# named NAME LAST_PART   the URL with that last part gives a file of that name
named() {
    rm -rf outer
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

# Two URLs, one name: nothing is begun, and both are named.
run 2 "$SILLON" get -d clash "$url/file/1" "$url/size/1"
says err "$url/size/1: its name, 1, is that of $url/file/1"
printf '%s\n' "$url/file/1" "$url/file/2" "$url/page/2" >list
run 2 "$SILLON" get -d clash -i list
says err "$url/page/2: its name, 2, is that of $url/file/2"
# So is a name that the store needs beside another, or a folder of another.
run 2 "$SILLON" get -d clash "$url/as/x" "$url/as/x.part"
printf '%s\ta\n%s\ta/b\n' "$url/as/x" "$url/as/y" >list
run 2 "$SILLON" get -d clash -i list
[[ ! -e clash && $(stat_of requests) == 19 ]] || fail "something was begun"
# From a pipe nobody can know beforehand: then the second one fails.
run 1 bash -c '"$1" get -d pipe -i - < <(printf "%s\n" "$2/file/1" "$2/size/1" "$2/file/2")' - \
    "$SILLON" "$url"
says err "$url/size/1: its name, 1, is that of $url/file/1"
only pipe 1 2
same pipe/1 /file/1
# --if-exists=rename has a number for it, and the same ones again.
run 0 "$SILLON" get -d numbered --if-exists=rename "$url/file/1" "$url/size/1" "$url/page/1"
only numbered 1 1.1 1.2
same numbered/1.1 /size/1

# --tree: host and path are folders.
run 0 "$SILLON" get -d tree --tree "$url/file/1" "$url/size/1" "$url/as/a/b/../%2e%2e/c" "$url/"
host=127.0.0.1:${url##*:}
[[ -d tree/$host ]] || host=127.0.0.1
[[ $(cd tree && find . -type f | sed "s|./$host/||" | sort | paste -sd' ') == \
    "as/"*"c file/1 index.html size/1" ]] || fail "the tree is $(find tree -type f)"
[[ $(find . -name c) == ./tree/*/as/* ]] || fail "a path leads out"

# Names from a list stay in the folder, and may have folders in them.
run 0 "$SILLON" get -d listed -i <(printf '%s\tsub/./deep//name\n' "$url/file/1")
same listed/sub/deep/name /file/1
for name in ../x a/../../x /etc/x .. a/ $'a\eb'; do
    rm -rf outer
    run 1 "$SILLON" get -d outer/inner -i <(printf '%s\t%s\n' "$url/file/1" "$name")
    [[ -z $(find outer -type f 2>/dev/null) ]] || fail "$name made a file"
    no_words err $'\e'
done

# A link under the name is replaced, and what it leads to is left alone; nor is one followed at .part
# or .part.meta.
mkdir links
echo precious >precious
ln -s ../precious links/100000
ln -s ../precious links/100000.part.meta
run 0 "$SILLON" get -d links "$url/size/100000"
same links/100000 /size/100000
ln -s ../precious links/9.part
run 5 "$SILLON" get -d links "$url/size/9"
says err "cannot write 9: Too many levels of symbolic links"
[[ $(<precious) == precious ]] || fail "what a link leads to was changed"
