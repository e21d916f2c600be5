#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# URLs come from a file or a pipe, a line each, and are taken as they come.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
start_server 0

# Comments, blank lines, white space, another system's line ends, no end of the last line.
printf '\xef\xbb\xbf# a comment\n\n  %s \t\r\n\t# another\n%s\r\n   \n%s' \
    "$url/file/1" "$url/file/2" "$url/file/3" >list
run 0 "$SILLON" get -d a -i list "$url/file/0"
only a 0 1 2 3
same a/3 /file/3
run 0 bash -c '"$1" get -d b -i - <list' - "$SILLON"
only b 1 2 3
run 0 "$SILLON" get -d c -i /dev/null
says err "get: 0 ok, 0 failed"

# Lines that cannot be URLs fail by themselves, however long they are.
{
    echo "$url/file/1"
    printf 'a\0b\n'
    head -c 300000 /dev/zero | tr '\0' u
    printf '\n%s/as/' "$url"
    head -c 20000 /dev/zero | tr '\0' n
    printf '\n\e[1mnonsense\n%s\n' "$url/file/2"
} >bad
run 1 "$SILLON" get -d d -i bad
says err "FAIL  a: the line has a zero byte"
says err "the line is too long for a URL"
says err 'FAIL  \x1b[1mnonsense: not a URL'
says err "get: 3 ok, 3 failed"
[[ $(wc -c <err) -lt 9000 ]] || fail "a long line is printed in full"
[[ $(find d -type f | wc -l) == 3 ]] || fail "not three files"

# A pipe that gives a URL now and then: each is fetched when it comes, not when the pipe ends.
mkfifo pipe
"$SILLON" get -d e -i - <pipe >out 2>err &
get=$!
exec 8>pipe
echo "$url/file/1" >&8
wait_until test -f e/1
printf '%s' "$url/fi" >&8
echo "le/2" >&8
wait_until test -f e/2
exec 8>&-
wait "$get" || fail "a slow pipe makes it fail"
only e 1 2

# Many URLs need no more memory than a few, and none is lost.
seq -f "$url/status/404?%.0f" 1 3000 >many
run 1 "$SILLON" get -j 8 -d f -i many
says err "get: 0 ok, 3000 failed, 0 skipped"
[[ $(grep -c 'HTTP 404 Not Found$' err) == 3000 ]] || fail "not 3000 reasons"

# The error of a source that breaks off is told.
run 1 bash -c 'exec "$@" <&-' - "$SILLON" get -d g -i - "$url/file/1"
says err "sillon get: reading URLs: "
