#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Wrong usage names the word that is wrong, and the one that was meant, on standard error, with
# status 2; and nothing has been started. What is not installed is told, too.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
unset SILLON_JOBS

# wrong MESSAGE ARGUMENT...
wrong() {
    run 2 "$SILLON" "${@:2}"
    says err "$1"
    says err "--help'."
    [[ $(wc -l <err) == 2 ]] || fail "more than a line and a hint: ${*:2}"
    [[ ! -s out ]] || fail "wrong usage says something on standard output: ${*:2}"
    [[ ! -e started ]] || fail "something was started: ${*:2}"
}
run 2 "$SILLON"
says err "Usage: sillon COMMAND"
[[ ! -s out ]] || fail "help that nobody asked for is on standard output"

wrong "sillon: fetch: no such command" fetch
wrong "sillon: gte: no such command; did you mean get?" gte
wrong "sillon: --frob: no such option" --frob
wrong "sillon: '': no such command" ''
wrong "sillon: fetch: no such command" help fetch
wrong "sillon: fetch: no such command" help --man fetch
wrong "sillon: fish: completions are for" help --completion fish
wrong "sillon: --completion: completions are for" help --completion

start=(touch started ::: input)
wrong "sillon map: --frob: no such option" map --frob "${start[@]}"
wrong "sillon map: --keep-ordre: no such option; did you mean --keep-order?" \
    map --keep-ordre "${start[@]}"
wrong "sillon map: -Z: no such option" map -kZ "${start[@]}"
wrong "sillon map: --csv=yes: it takes no value" map --csv=yes "${start[@]}"
wrong "a value is missing" map --jobs
wrong "sillon map: --output: 'both' is not one of: group line raw" map --output both "${start[@]}"
wrong "sillon map: --nice: '20' is not a whole number from 0 to 19" map --nice=20 "${start[@]}"
wrong "sillon map: --block: '0' is not a size of at least" map --block 0 "${start[@]}"
wrong "sillon map: --max-start-rate: '1/d' is not a rate" map --max-start-rate 1/d "${start[@]}"
for bad in -1 65537 1e3 0x10 "" " 5" five 0% %; do
    wrong "sillon map: --jobs: '$bad' is not a number such as" map "--jobs=$bad" "${start[@]}"
done
for bad in inf nan -1 1y 0x1p3 1.2.3 . "" 1e9 9999999h; do
    wrong "sillon map: --delay: '$bad' is not a time such as" map "--delay=$bad" "${start[@]}"
done
for bad in now fail=1 now,fail=0 later,fail=1 now,fail=101%; do
    wrong "sillon map: --halt: '$bad' is not" map --halt "$bad" "${start[@]}"
done
wrong 'sillon map: --\x1b[31m: no such option' map $'--\e[31m' "${start[@]}"
SILLON_JOBS=many wrong "sillon map: SILLON_JOBS: 'many' is not" map "${start[@]}"

if "$SILLON" --version | grep -q '+get'; then
    wrong "sillon get: --perhost: no such option; did you mean --per-host?" get --perhost 3 u
    wrong "sillon get: -Z: no such option" get -Z http://127.0.0.1/
    wrong "a value is missing" get http://127.0.0.1/ -d
    wrong "sillon get: --retries: '-1' is not a whole number" get --retries=-1 u
    wrong "sillon get: --if-exists: 'maybe' is not one of: resume" get --if-exists maybe u
    wrong "sillon get: --limit-rate: '1Q' is not a size" get --limit-rate 1Q u
    wrong "sillon bench: --repeat: '0' is not a whole number from 1" bench --repeat 0
    wrong "sillon bench: --frob: no such option" bench --frob
fi

# The programs for get and bench are looked for beside sillon first, and get the words as they are.
mkdir alone
cp "$SILLON" alone/sillon
run 127 alone/sillon get http://127.0.0.1/
says err "sillon get: sillon-get is not installed"
run 0 alone/sillon --version
says out "+map -get -bench"
run 0 alone/sillon help get
printf '#!/bin/sh\nprintf "[%%s]" "$@"\nexit 42\n' >alone/sillon-get
run 126 alone/sillon get u
says err "sillon-get: Permission denied"
chmod +x alone/sillon-get
run 42 alone/sillon get --frob '' 'a b' --
[[ $(<out) == "[--frob][][a b][--]" ]] || fail "words get lost on their way"
run 0 alone/sillon --version
says out "+map +get -bench"
