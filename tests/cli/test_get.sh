#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Downloads arrive whole under their names; what goes wrong with one is said, and the others go on.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
start_server 0

# All good: contents, rights, the lines printed.
mapfile -t urls < <(seq -f "$url/file/%g" 1 30)
umask 027
run 0 "$SILLON" get -d good "${urls[@]}" "$url/redirect/3" "$url/nolength/70000" "$url/size/0"
umask 022
for i in {1..30}; do
    [[ $i == 3 ]] || same "good/$i" "/file/$i"
    grep -qE "^ok    $i  $(content "/file/$i" | wc -c) bytes  [0-9.]+ s$" out || fail "no line for $i"
done
same good/3 /file/3
same good/3.1 /redirect/3
same good/70000 /nolength/70000
[[ -f good/0 && ! -s good/0 ]] || fail "an empty file is a file"
[[ $(stat -c %a good/1) == 640 ]] || fail "the rights of a file are not those of umask"
[[ $(wc -l <out) == 33 ]] || fail "a line for each file, and no other"
says err "get: 33 ok, 0 failed, 0 skipped, "
only good {0..30} 3.1 70000

# Once more: all is there already. Then anew, in place of what is there.
run 0 "$SILLON" get -d good "${urls[@]}"
says out "skip  7  already there"
says err "get: 0 ok, 0 failed, 30 skipped"
echo "something else" >good/7
run 1 "$SILLON" get -d good --if-exists fail "$url/file/7" "$url/file/31"
says err "FAIL  $url/file/7: 7 is there already"
same good/31 /file/31
run 0 "$SILLON" get -q -d good --if-exists=replace "$url/file/7"
same good/7 /file/7
[[ ! -s out && ! -s err ]] || fail "quiet is not quiet"

# Each failure with its reason, and the good ones all the same.
mkdir -p bad/8
run 1 "$SILLON" get -d bad --retries 0 --stall 1 "$url/status/404" "$url/file/1" \
    "$url/status/503" "$url/cut/100000" "$url/cutchunked/100001" "$url/hang" "$url/redirect/11" \
    "$url/file/8" http://no-such-host.invalid/a http://127.0.0.1:1/refused ftp://127.0.0.1/f \
    file:///etc/passwd /etc/passwd "http://" "$url/file/2" $'http://127.0.0.1:1/\e[2J' ''
says err "/status/404: HTTP 404 Not Found"
says err "/status/503: HTTP 503 Service Unavailable"
says err "/cut/100000: cut short: "
says err "/cutchunked/100001: cut short: "
says err "/hang: Operation too slow"
says err "/redirect/11: Maximum (10) redirects followed"
says err "/file/8: 8 is a folder"
says err "FAIL  http://no-such-host.invalid/a: Could not resolve host: no-such-host.invalid"
says err "FAIL  http://127.0.0.1:1/refused: cannot connect: Connection refused"
says err "FAIL  ftp://127.0.0.1/f: only http:// and https:// can be fetched"
says err "FAIL  file:///etc/passwd: only http:// and https:// can be fetched"
says err "FAIL  /etc/passwd: not a URL"
says err "FAIL  http://: "
says err 'FAIL  http://127.0.0.1:1/\x1b[2J: '
says err "get: 2 ok, 15 failed, 0 skipped"
only bad 1 2 8
same bad/1 /file/1
same bad/2 /file/2

# A limit on the whole of it, however lively it is.
run 1 "$SILLON" get -d slow -t 500ms --retries 0 "$url/slow/10000000" "$url/size/5"
says err "/slow/10000000: Operation timed out after"
only slow 5

# What fails for a while is tried again, and what was cut short begins anew.
run 0 "$SILLON" get -d again "$url/flaky/2/name"
same again/name /flaky/2/name
run 1 "$SILLON" get -d again --retries 1 "$url/cut/5000"
says err "(2 tries)"
only again name

# A limit of the size of files, as a full disk: an error, and nothing left.
run 1 bash -c 'ulimit -f 8; exec "$@"' - "$SILLON" get -d full "$url/size/100000" "$url/size/9"
says err "/size/100000: cannot write 100000: File too large"
only full 9
