#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --help says what it said when somebody last looked at it (golden/), in at most 80 columns, on
# standard output; man pages have nothing for mandoc to say, and completions offer what is there.
# To take the present help as right: UPDATE_GOLDEN=1.
# shellcheck source=tests/cli/lib/cli.sh
. "$(dirname "$0")/lib/cli.sh"
set -euo pipefail
unset SILLON_JOBS

# golden NAME COMMAND...
golden() {
    run 0 "${@:2}"
    [[ -z ${UPDATE_GOLDEN-} ]] || cp out "$golden/$1.txt"
    diff -u "$golden/$1.txt" out || fail "differs from golden/$1.txt: ${*:2}"
    [[ ! -s err ]] || fail "says something on standard error: ${*:2}"
    ! grep -E '^.{81}' out || fail "wider than 80 columns"
}
golden help "$SILLON" --help
golden help "$SILLON" -h
golden help "$SILLON" help
for command in get map bench; do
    golden "help_$command" "$SILLON" help "$command"
    golden "help_$command" "$SILLON" --help "$command"
done
golden help_map "$SILLON" map --help
golden help_map "$SILLON" map -j 4 -h command --frob

run 0 "$SILLON" --version
grep -qE '^sillon [0-9]+\.[0-9]+\.[0-9]+$' out || fail "no version"
grep -qE '^\+map [+-]get [+-]bench$' out || fail "no word of what is installed"
if grep -q '+get' out; then
    golden help_get "$SILLON" get --help
    golden help_get "$SILLON" get -j 4 -h http://127.0.0.1/
    golden help_bench "$SILLON" bench --help
    run 0 "$SILLON" get --version
    says out "sillon "
fi

# Help that cannot be written is an error; help that nobody reads is not.
run 5 bash -c '"$1" map --help >/dev/full' - "$SILLON"
says err "No space left on device"
run 0 bash -c 'set +o pipefail; "$1" map --help | head -1' - "$SILLON"
[[ ! -s err ]] || fail "a pipe closed early gives a message"
run 5 bash -c '"$1" --help >&-' - "$SILLON"
says err "sillon: standard output: "

# --- man pages
for command in '' get map bench; do
    page=sillon${command:+-$command}.1
    # shellcheck disable=SC2086 # without a command it is no word
    run 0 "$SILLON" help --man $command
    mv out "$page"
    ! command -v mandoc >/dev/null || mandoc -Tlint -Wwarning "$page" || fail "mandoc: $page"
    ! command -v groff >/dev/null || [[ -z $(groff -man -Tutf8 -ww "$page" 2>&1 >/dev/null) ]] ||
        fail "groff: $page"
done
grep -q '^.BR sillon\\-get (1)' sillon.1 || fail "sillon(1) does not name its commands"
grep -q -- '\\-\\-keep\\-order' sillon-map.1 || fail "sillon-map(1) has not all options"
if command -v mandoc >/dev/null; then
    mandoc -Tutf8 sillon-map.1 | sed 's/.\x08//g' >out
    says out '-k, --keep-order'
    says out "sillon map -k --shell 'gzip -dc {} | wc -l' ::: *.gz"
fi

# --- completions
run 0 "$SILLON" help --completion bash
mv out completion.bash
bash -n completion.bash
mkdir folder
touch file folder/inner

# completes WANTED WORD...   the last word is the one to complete; WANTED: some that are offered
completes() {
    local wanted=$1 offered
    shift
    offered=$(
        # shellcheck disable=SC1091
        . ./completion.bash
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        COMPREPLY=()
        _sillon
        echo " ${COMPREPLY[*]-} "
    )
    for word in $wanted; do
        [[ $offered == *" $word "* ]] || fail "completion of '$*' offers$offered, not $word"
    done
    [[ $wanted || $offered == '  ' ]] || fail "completion of '$*' offers$offered"
}
completes "get map bench help --help" sillon ''
completes bench sillon b
completes "--if-exists --input --input-format" sillon get --i
completes "resume rename replace" sillon get --if-exists re
completes "resume rename replace" sillon get --if-exists = re
completes "resume skip" sillon get --if-exists =
completes "file folder" sillon get -i f
completes folder sillon get -d f
completes folder sillon get --dir = f
completes file sillon get --json = 'fi'
completes "" sillon get --json ''
completes "" sillon get -j ''
completes "cpu io" sillon bench ''
completes "cpu" sillon bench --json c
completes "--output" sillon map -j 4 --ou
completes "bash" sillon map -j 4 -k bas
completes "bash" sillon map --output = line bas
completes "file folder" sillon map cat --output f
completes "bash" sillon map -- bas
completes "get map" sillon help ''
completes "bash zsh" sillon help --completion ''

# shellcheck disable=SC2031 # it was not
run 0 "$SILLON" help --completion zsh
head -1 out | grep -qx '#compdef sillon' || fail "zsh would not know what it is for"
! command -v zsh >/dev/null || zsh -n out || fail "zsh does not read its completion"
