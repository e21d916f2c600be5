#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is run for which input: sources, columns, placeholders, several inputs a job, blocks. What an
# input holds is nobody's syntax.
# shellcheck disable=SC1083,SC2016 # placeholders; lines for the shells of jobs
# shellcheck source=tests/cli/lib/map.sh
. "$(dirname "$0")/lib/map.sh"
set -euo pipefail
map=("$SILLON" map -k)

# --- sources
run 0 "${map[@]}" echo ::: a b
gives $'a\nb\n'
counts "2 ok, 0 failed, 0 skipped in "
printf 'x\ny' >two
run 0 "${map[@]}" echo {2}{1} ::: 1 2 :::: two
gives $'x1\ny1\nx2\ny2\n'
run 0 "${map[@]}" echo {1}-{2} ::: 1 2 ::::+ two
gives $'1-x\n2-y\n'
run 0 "${map[@]}" -a two echo
gives $'x\ny\n'
printf 'a\0b c\0' >nul
run 0 "${map[@]}" -0 -a nul printf '<%s>'
gives '<a><b c>'
"${map[@]}" echo <two >out 2>err
gives $'x\ny\n'
run 0 "${map[@]}" echo never </dev/null
gives ''
counts "0 ok, 0 failed"
run 1 "${map[@]}" --no-empty echo never
run 0 "${map[@]}" --skip 1 --max 2 echo ::: a b c d
gives $'b\nc\n'
seq 50 >fifty
run 0 "${map[@]}" --shuf -a fifty echo
cmp -s out fifty && fail "--shuf leaves the order"
cmp <(sort -n out) fifty || fail "--shuf loses inputs"

# --- what is in an input stays: blanks, quotes, backslashes, bytes that are no text
printf '%s\n' "it's" 'a  b\c' ' "x" ' '$(touch evil)' '*' '-n' '' $'\xff\x01' >odd
run 0 "${map[@]}" -a odd printf '%s\n' {}
cmp out odd || fail "an input was changed"
run 0 "${map[@]}" -a odd --shell 'printf "%s\n" {}; true'
cmp out odd || fail "an input was changed on its way through sh"
[[ ! -e evil ]] || fail "an input was executed"

# --- columns
printf 'name,size\r\n"a, ""b""",1\r\n"two\nlines",2\r\n' >table
run 0 "${map[@]}" --csv --header -a table printf '%s=%s;' {size} {name}
gives $'1=a, "b";2=two\nlines;'
printf 'a\tb\n' >columns
run 0 "${map[@]}" --tsv -a columns echo {2} {1}
gives $'b a\n'
run 0 "${map[@]}" -d :: echo {2}+{1} ::: p::q
gives $'q+p\n'

# --- placeholders
run 0 "${map[@]}" echo {} {.} {/} {//} {/.} {#} ::: d/e/f.tar.gz
gives $'d/e/f.tar.gz d/e/f.tar f.tar.gz d/e f.tar 1\n'
run 0 "${map[@]}" echo '{{}}' '{{.Name}}' {{/}} ::: i
gives $'{} {{.Name}} {/} i\n'
run 0 "${map[@]}" -j1 sh -c 'echo $SILLON_SEQ $SILLON_SLOT $SILLON_TRY' x ::: a b
gives $'1 1 1\n2 1 1\n'
run 0 "${map[@]}" -j1 echo {%} ::: a b
gives $'1 a\n1 b\n'

# --- several inputs a job
run 0 "${map[@]}" -n 2 echo ::: a b c
gives $'a b\nc\n'
run 0 "${map[@]}" -n 2 echo {2}{1} ::: a b c
gives $'ba\nc\n'
seq 200000 >many
run 0 "${map[@]}" -X -a many echo
cmp <(tr ' ' '\n' <out) many || fail "-X loses inputs"
(($(wc -l <out) < 20)) || fail "-X packs too little"

# --- blocks
"${map[@]}" --pipe --block 10K cat <many >out 2>err
cmp out many || fail "--pipe loses bytes"
"${map[@]}" --pipe --block 10K tail -n 1 <many >out 2>err
(($(wc -l <out) > 100)) || fail "--pipe makes too few blocks"
grep -qvE '^[0-9]+$' out && fail "--pipe cuts lines"
comm -23 <(sort out) <(sort many) | grep -q . && fail "--pipe cuts lines"

# --- dry run: nothing is started, and a shell reads what is said
run 0 "$SILLON" map --dry-run touch "it's" {}.x ::: 'a b' c
gives $'touch \'it\'\\\'\'s\' \'a b.x\'\ntouch \'it\'\\\'\'s\' c.x\n'
[[ ! -e c.x ]] || fail "a dry run runs"
bash out
only . gated two nul fifty odd table columns many out err "it's" "a b.x" c.x

run 1 "$SILLON" map --dry-run --no-empty echo
run 5 sh -c '"$1" map --dry-run echo ::: 1 >/dev/full' x "$SILLON"
run 5 "$SILLON" map --dry-run -a nul echo
says err "reading inputs: nul, line 1: the line has a zero byte"
run 5 "$SILLON" map -a nul echo
run 2 "$SILLON" map -a is-not-there echo
run 2 "$SILLON" map --header --csv echo {no} ::: name 1

# --- jobs do not read our input
printf '1\n2\n3\n' | "${map[@]}" -j1 sh -c 'cat; echo $1' x >out 2>err
gives $'1\n2\n3\n'
