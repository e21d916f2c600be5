#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Output: whole, in order, labelled, in files; and when nobody takes it.
# shellcheck disable=SC1083,SC2016 # placeholders; lines for the shells of jobs
# shellcheck source=tests/cli/lib/map.sh
. "$(dirname "$0")/lib/map.sh"
set -euo pipefail

# 40 jobs, 8 at a time, 2,000 lines each, in writes that end inside a line: no line is cut.
cat >chatter <<'END'
#!/bin/sh
exec awk -v job="$1" 'BEGIN {
    for (i = 1; i <= 2000; i++) {
        printf "job %d line %d ", job, i; fflush()
        if (i % 100 == 0) { printf "of job %d\n", job; fflush() } else printf "of job %d\n", job
    }
}'
END
chmod +x chatter
whole() {
    [[ $(wc -l <out) == 80000 ]] || fail "$1: $(wc -l <out) lines"
    awk 'NF != 7 || $2 != $7 || $4 != ++seen[$2] { exit 1 }' out ||
        fail "$1: lines are cut, or a job's are not in order"
}
for how in group line; do
    run 0 "$SILLON" map -j8 --output=$how ./chatter ::: {1..40}
    whole $how
done
run 0 "$SILLON" map -j8 -k ./chatter ::: {1..40}
whole -k
uniq -c <(cut -d' ' -f2 out) | awk '$1 != 2000 || $2 != NR { exit 1 }' || fail "-k: not in order"
run 0 "$SILLON" map -j8 --buffer 100K ./chatter ::: {1..40}
whole --buffer
run 0 "$SILLON" map -j8 --output=raw ./chatter ::: 1
[[ $(wc -l <out) == 2000 ]] || fail "raw: $(wc -l <out) lines"

# Output and error stay apart, each where it belongs.
run 0 "$SILLON" map -q sh -c 'echo out; echo err >&2' ::: 1
gives $'out\n'
[[ $(<err) == err ]] || fail "a job's error is not on standard error"

# Order: the first ends last.
begin -k -j3 ./gated ::: 1 2 3
up 1; up 2; up 3
open 3; open 2; open 1
ended 0
gives $'done 1\ndone 2\ndone 3\n'
rm up.* open.*

# Grouped output comes when its job ends, lines come at once.
begin -j2 ./gated ::: 1 2
up 1; up 2; open 2
wait_until grep -q 'done 2' out
open 1
ended 0
gives $'done 2\ndone 1\n'
rm up.* open.*
begin -j1 --output=line sh -c 'echo first; ./gated 1; echo last' ::: x
wait_until grep -q first out
open 1
ended 0
gives $'first\ndone 1\nlast\n'
rm up.* open.*

# Labels.
run 0 "$SILLON" map -k --tag printf 'a\nb' ::: x y
gives $'x\ta\nx\tb\ny\ta\ny\tb\n'
run 0 "$SILLON" map -k --tag='{#}:{/}' echo ::: d/x
gives $'1:x\td/x\n'
run 0 "$SILLON" map -k --tag --output=line echo ::: x y
says out $'x\tx'

# Files: shown nowhere else.
run 0 "$SILLON" map --save kept sh -c 'echo o$1; echo e$1 >&2' x ::: 1 2
gives ''
only kept 1.out 1.err 2.out 2.err
[[ $(<kept/2.out) == o2 && $(<kept/2.err) == e2 ]] || fail "--save keeps something else"
run 5 "$SILLON" map --save chatter/no true ::: 1

# Nobody reads it any more: quiet, as by SIGPIPE, and soon, though the input is endless.
set +e
yes | "$SILLON" map -j2 echo 2>err | head -n 1 >out
status=${PIPESTATUS[1]}
set -e
gives $'y\n'
[[ $status == 141 ]] || fail "status $status after a closed pipe, not 141"
! grep -qi pipe err || fail "a closed pipe gives a message"

# It cannot be written, or the records cannot: said, status 5, and no more are started.
endless() {
    yes | "$SILLON" map -j2 "$@" 2>err
}
status=0
endless echo >/dev/full || status=$?
[[ $status == 5 ]] || fail "status $status with a full standard output, not 5"
says err "standard output: No space left"
for option in --log --json; do
    status=0
    endless $option=/dev/full true >out || status=$?
    [[ $status == 5 ]] || fail "status $status with a full $option, not 5"
    says err "No space left"
done

# A closed standard output is no file that jobs get by accident.
status=0
"$SILLON" map echo ::: 1 >&- 2>err || status=$?
[[ $status == 5 ]] || fail "status $status with standard output closed, not 5"

# What a job leaves running does not hold us up, and is let go on.
run 0 "$SILLON" map sh -c './gated 1 & echo begun' ::: x
gives $'begun\n'
up 1
open 1
