#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# URLs come from a file or a pipe, a line each, and are taken as they come.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

# Comments, blank lines, white space, another system's line ends, no end of the last line.
printf '\xef\xbb\xbf# a comment\n\n  %s \r\n # another\n%s\r\n   \n%s' \
    "$url/file/1" "$url/file/2" "$url/file/3" >list
run 0 "$SILLON" get -d a -i list "$url/file/0"
only a 0 1 2 3
same a/3 /file/3
run 0 bash -c '"$1" get -d b -i - <list' - "$SILLON"
only b 1 2 3
echo "$url/file/4" >list2
run 0 "$SILLON" get -d c -i list -i list2
only c 1 2 3 4

# Behind a tab the name, also from -0; other fields may be empty.
printf '%s\tone\n%s\ttwo words\n%s\t\n' "$url/file/1" "$url/file/2" "$url/file/3" >tabs.txt
run 0 "$SILLON" get -d tabs.d -i tabs.txt
only tabs.d one "two words" 3
same "tabs.d/two words" /file/2
run 0 bash -c 'tr "\n" "\0" <tabs.txt | "$1" get -0 -d nul.d -i -' - "$SILLON"
only nul.d one "two words" 3

# JSON lines: name, headers, checksum; what is none of that fails alone.
cat >jsonl <<X
{"url": "$url/file/1", "name": "first", "sha256": "$(sum_of sha256 /file/1)"}
{"url": "$url/echo", "name": "echo", "header": ["X-One: 1", "X-Two: 2"]}
{"url": "$url/echo", "name": "echo2", "header": "X-Three: 3"}
{"name": "nothing"}
nonsense
{"url": "$url/file/2", "sha256": 5}
{"url": "$url/file/3", "header": 7}
X
run 1 "$SILLON" get --input-format=jsonl -d jsonl.d -i jsonl
only jsonl.d first echo echo2
says jsonl.d/echo "X-One: 1"
says jsonl.d/echo "X-Two: 2"
no_words jsonl.d/echo X-Three
says jsonl.d/echo2 "X-Three: 3"
says err "an object without \"url\""
says err "nonsense: this line is no JSON"
says err "3 ok, 4 failed"

# --glob: off by default; ranges, letters, steps, words.
run 0 "$SILLON" get --glob -d glob "$url/as/f[8-11]" "$url/as/[01-05:2]{x,y}[a-b]"
only glob f8 f9 f10 f11 {01,03,05}{x,y}{a,b}
run 0 "$SILLON" get -d noglob "$url/as/{a,b}"
[[ $(find noglob -type f | wc -l) == 1 ]] || fail "a URL is not a URL"
run 1 "$SILLON" get --glob -d glob2 "$url/as/[3-" "$url/as/good"
only glob2 good
run 0 "$SILLON" get --glob -d glob3 -i <(echo "$url/size/{1,2}")
only glob3 1 2

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
says err '\x1b[1mnonsense: '
no_words err $'\e'
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

# Many URLs, and none is lost.
seq -f "$url/status/404?%.0f" 1 3000 | sed 's/$/\tn/' >many
awk '{ print $0 NR }' many >many2
run 1 "$SILLON" get -j 8 -d f -i many2 --json=json
says err "get: 0 ok, 3000 failed, 0 skipped"
[[ $(json 'select(.type == "file" and .http == 404) | .url' | sort -u | wc -l) == 3000 ]] ||
    fail "not 3000 answers"

# The error of a source that breaks off is told.
run 5 bash -c 'exec "$@" <&-' - "$SILLON" get -d g -i - "$url/file/1"
says err "sillon get: reading URLs: "
