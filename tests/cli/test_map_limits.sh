#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How many run at once: -j, the load, free memory, make's jobserver; and how nice they are.
# shellcheck disable=SC1083,SC2016 # placeholders; lines for the shells of jobs
# shellcheck source=tests/cli/lib/map.sh
. "$(dirname "$0")/lib/map.sh"
set -euo pipefail

# most LIMIT ARGUMENT...   never more than that at once, of 12 jobs that say when they are there
cat >counted <<'END'
#!/bin/sh
mkdir "in.$$"
set -- in.*
echo $#
sleep 0.02
rmdir "in.$$"
END
chmod +x counted
most() {
    run 0 "$SILLON" map "${@:2}" ./counted ::: {1..12}
    [[ $(wc -l <out) == 12 ]] || fail "not 12 jobs"
    [[ $(sort -n out | tail -n 1) -le $1 ]] || fail "more than $1 at once: ${*:2}"
}
most 3 -j3
most 1 -j1
SILLON_JOBS=2 most 2
most 4 -j3 --jobs=4

# All of -j do run: these wait for each other.
cat >meet <<'END'
#!/bin/sh
: >"met.$1"
until [ -e met.1 ] && [ -e met.2 ] && [ -e met.3 ] && [ -e met.4 ]; do sleep 0.02; done
END
chmod +x meet
run 0 "$SILLON" map -j4 ./meet ::: 1 2 3 4
rm met.*
run 0 "$SILLON" map -j0 ./meet ::: 1 2 3 4
rm met.*
run 0 "$SILLON" map -j40 -k ./meet ::: {5..40} 1 2 3 4 # as many as that ahead of the first
run 0 "$SILLON" map -j2 --max-start-rate 100/s --delay 1ms true ::: {1..5}
run 3 "$SILLON" map --max-start-rate 0.0000000000000001/h --deadline 0.2 true ::: 1 2
counts "1 ok, 0 failed, 0 skipped, 1 stopped"

# More than there can be files for: as many as there can be, which is said.
(ulimit -n 100; run 0 "$SILLON" map -j50 true ::: {1..100})
says err "open files"
counts "100 ok, 0 failed"
(ulimit -n 100; run 0 "$SILLON" map -j50 --output=line true ::: {1..100})
(ulimit -n 100; run 0 "$SILLON" map -j50 -k true ::: {1..100})

# No machine is so idle: one at a time. None has so much memory: none is started until we are stopped.
most 1 -j4 --load 0.000001
run 0 "$SILLON" map -j4 --load 1000000 --memfree 1K ./meet ::: 1 2 3 4
run 3 "$SILLON" map -j4 --memfree 1000000T --deadline 300ms true ::: 1 2 3 4
counts "0 ok, 0 failed, 0 skipped, "

# Niceness is told soon after the start.
cat >nice_is <<'END'
#!/bin/sh
for i in $(seq 1000); do
    [ "$(nice)" != "$1" ] || exit 0
    sleep 0.02
done
exit 1
END
chmod +x nice_is
here=$(nice)
run 0 "$SILLON" map --nice 3 ./nice_is ::: $((here < 16 ? here + 3 : 19))
run 0 "$SILLON" map --nice 0 sh -c 'test "$(nice)" = "$1"' x ::: "$here"

# --- make's jobserver: a pipe with tokens, all of which are there again afterwards
mkfifo tokens
exec 7<>tokens
export MAKEFLAGS=" -j3 --jobserver-auth=fifo:$PWD/tokens"
tokens_are() {
    local got=
    while read -r -t 0.1 -n 1 -u 7 token; do got+=$token; done
    printf '%s' "$got" >&7
    [[ $(fold -w 1 <<<"$got" | sort | tr -d '\n') == "$1" ]] || fail "tokens: $got, not $1"
}
printf ab >&7
most 3 -j8 --jobserver
tokens_are ab
run 0 "$SILLON" map -j4 --jobserver=off ./meet ::: 1 2 3 4
printf cd >&7
run 0 "$SILLON" map -j4 --jobserver=auto ./meet ::: 1 2 3 4
tokens_are abcd
run 1 "$SILLON" map -j4 --jobserver --retries 1 --retry-wait 1ms false ::: {1..9}
tokens_are abcd
run 3 "$SILLON" map -j4 --jobserver --halt now,fail=1 false ::: {1..9}
tokens_are abcd
for signals in INT TERM "TERM INT"; do
    rm -f up.* open.*
    begin -j4 --jobserver --kill-after 1 ./gated ::: 1 2 3 4
    for i in 1 2 3 4; do up $i; done
    for signal in $signals; do kill -"$signal" "$map"; done
    wait_until has_ended "$map"
    tokens_are abcd
done
# With none to be had there is still the one that we were started with.
exec 7>&-
exec 7<>tokens
most 1 -j8 --jobserver
unset MAKEFLAGS
run 0 "$SILLON" map -j4 --jobserver ./meet ::: 1 2 3 4 # there is none: no matter

# One that make itself made, in its own way.
if [[ -n $(command -v make) ]]; then
    printf 'all:\n\t+@%s map -q -j8 --jobserver ./counted ::: 1 2 3 4 5 6 7 8\n' "$SILLON" >Makefile
    make -j3 >out 2>err || fail "under make"
    [[ $(sort -n out | tail -n 1) -le 3 ]] || fail "more than 3 at once under make -j3"
    ! grep -q jobserver err || fail "make warns"
fi

# We serve: a job's children take part.
run 0 "$SILLON" map -j3 --jobserver=serve sh -c 'echo "$MAKEFLAGS"' ::: 1
grep -qE -- '-j3 --jobserver-auth=fifo:/' out || fail "MAKEFLAGS does not tell of a jobserver"
run 0 "$SILLON" map -j2 --jobserver=serve \
    sh -c '"$1" map -q -j8 --jobserver ./counted ::: 1 2 3 4 5 6 7 8' x ::: "$SILLON"
[[ $(sort -n out | tail -n 1) -le 2 ]] || fail "more than 2 at once of a run in a run"
run 0 env TMPDIR="$PWD" "$SILLON" map -j3 --jobserver=serve \
    sh -c "$SILLON"' map -q -j8 --jobserver ./counted ::: 1 2 3 4 5' ::: a b
[[ $(sort -n out | tail -n 1) -le 3 ]] || fail "more than 3 at once of two runs that share 3"
! compgen -G 'sillon-jobs-*' >globbed || fail "the jobserver's pipe is left"
