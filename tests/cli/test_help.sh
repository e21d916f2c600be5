#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --help says what it said when somebody last looked at it (golden/), in at most 80 columns, on
# standard output. Wrong usage names the word that is wrong, on standard error, with status 2.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail

# golden NAME COMMAND...
golden() {
    run 0 "${@:2}"
    diff -u "$golden/$1.txt" out || fail "differs from golden/$1.txt: ${*:2}"
    [[ ! -s err ]] || fail "says something on standard error: ${*:2}"
    ! grep -E '^.{81}' out || fail "wider than 80 columns"
}
golden help "$SILLON" --help
golden help "$SILLON" -h
golden help "$SILLON" help
golden help_get "$SILLON" get --help
golden help_get "$SILLON" get -j 4 -h http://127.0.0.1/
golden help_get "$SILLON" help get
golden help_bench "$SILLON" bench --help

run 0 "$SILLON" --version
grep -qE '^sillon [0-9]+\.[0-9]+\.[0-9]+$' out || fail "no version"
grep -qE '^libcurl [0-9]' out || fail "no version of libcurl"

# wrong MESSAGE ARGUMENT...
wrong() {
    run 2 "$SILLON" "${@:2}"
    says err "$1"
    says err "--help'."
    [[ ! -s out ]] || fail "wrong usage says something on standard output"
}
run 2 "$SILLON"
says err "Usage: sillon COMMAND"
wrong "sillon: fetch: no such command" fetch
wrong "sillon: --frob: no such option" --frob
wrong "sillon: fetch: no such command" help fetch
wrong "sillon get: URL: none was given" get
wrong "sillon get: --frob: no such option" get --frob http://127.0.0.1/
wrong "sillon get: -x: no such option" get -x http://127.0.0.1/
wrong "a value is missing" get --jobs
wrong "a value is missing" get http://127.0.0.1/ -d
for bad in 0 -1 1001 99999999999999999999999 1e3 0x10 "" " 5" five; do
    wrong "sillon get: --jobs: '$bad' is not a whole number from 1 to 1000" get "--jobs=$bad" u
done
for bad in inf nan -1 1y 0x1p3 1.2.3 . "" 1e9 9999999h; do
    wrong "sillon get: --timeout: '$bad' is not a time such as" get "--timeout=$bad" u
done
wrong "sillon get: --if-exists: 'maybe' is not one of: skip replace fail" get --if-exists maybe u
wrong "sillon get: no/such/file: No such file or directory" get -i no/such/file
wrong "sillon get: /: Is a directory" get -i /
wrong "sillon get: no/such/folder: No such file or directory" get -d no/such/folder u
wrong "sillon bench: --count: '0' is not a whole number" bench --count 0
wrong "sillon bench: --runs: '100' is not a whole number from 1 to 99" bench --runs=100
wrong 'sillon get: --\x1b[31m: no such option' get $'--\e[31m' u
[[ ! -e no ]] || fail "wrong usage left something behind"

# Help that cannot be written is an error; help that nobody reads is not.
run 1 bash -c '"$1" get --help >/dev/full' - "$SILLON"
says err "No space left on device"
run 0 bash -c 'set +o pipefail; "$1" get --help | head -1' - "$SILLON"
[[ ! -s err ]] || fail "a pipe closed early gives a message"
