#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is told of each job: objects, logs, a trace; and going on from a log.
# shellcheck disable=SC1083,SC2016 # placeholders; lines for the shells of jobs
# shellcheck source=tests/cli/lib/map.sh
. "$(dirname "$0")/lib/map.sh"
set -euo pipefail

# Objects take the place of the output, which they hold.
run 1 "$SILLON" map -j1 --json sh -c 'echo "o $1"; printf "e\377" >&2; exit $1' x ::: 0 3
[[ $(wc -l <out) == 3 ]] || fail "not three objects"
job out 1 '"type":"job"' '"argv":["sh","-c",' '"input":"0"' '"status":"ok"' '"exit":0' \
    '"signal":null' '"tries":1' '"start":' '"wall":' '"user":' '"sys":' '"maxrss_kb":' \
    '"stdout":"o 0\n"' '"stderr":{"base64":"Zf8="}' '"stdout_bytes":4' '"slot":1' '"pid":' \
    '"ts":"20' '"id":"'
job out 2 '"status":"failed"' '"exit":3'
says out '{"type":"summary","ok":1,"failed":1,"skipped":0,"stopped":0,"retries":0,"wall":'
run 1 "$SILLON" map --json sh -c 'kill -9 $$' ::: 1
job out 1 '"status":"killed"' '"exit":null' '"signal":9'

# In a file, beside the output. A number, a shell's word, bytes.
run 0 "$SILLON" map -k --json=record echo ::: a $'\xff'
gives $'a\n\xff\n'
job record 2 '"input":{"base64":"/w=="}'
! grep -q '"stdout":' record || fail "the output is in the file, too"
if [[ -n $(command -v jq) ]]; then
    jq -e . record >parsed || fail "the objects are no JSON"
fi

# Resume: what is done is left out, whatever its number.
line='echo "$1" >>ran; [ "$1" != bad ]'
run 1 "$SILLON" map -j1 --log log sh -c "$line" x ::: a bad b
run 0 "$SILLON" map -j1 --log log --resume sh -c "$line" x ::: new b bad a
counts "1 ok, 0 failed, 3 skipped in "
[[ $(tail -n 1 ran) == new ]] || fail "--resume does again what is done"
run 1 "$SILLON" map -j1 --log log --redo-failed sh -c "$line" x ::: new b bad a
counts "0 ok, 1 failed, 3 skipped in "
[[ $(<ran) == $'a\nbad\nb\nnew\nbad' ]] || fail "--redo-failed does something else"
run 0 "$SILLON" map --log log --redo-failed --dry-run sh -c "$line" x ::: new bad
[[ $(wc -l <out) == 1 ]] || fail "a dry run does not heed the log"
says out bad
run 2 "$SILLON" map --resume true ::: 1
run 2 "$SILLON" map --log log --pipe --resume cat # all blocks' command lines are the same
says err "--pipe: not with --resume"

# The runner is killed in the middle: what was done is in the log, a broken line is passed over.
rm -f ran log
begin -j1 --log log sh -c "$line"'; [ "$1" != 3 ] || ./gated 3' x ::: 1 2 3 4
up 3
kill -KILL "$map"
ended 137
printf '{"type":"job","seq":9' >>log
run 0 "$SILLON" map -j1 --log log --resume sh -c "$line"'; [ "$1" != 3 ] || :' x ::: 1
counts "1 ok, 0 failed" # another command is another item
open 3
run 0 "$SILLON" map -j1 --log log --resume sh -c "$line"'; [ "$1" != 3 ] || ./gated 3' \
    x ::: 1 2 3 4
counts "2 ok, 0 failed, 2 skipped in "
[[ $(sort ran | uniq -c | awk '{ print $2 ":" $1 }' | xargs) == "1:2 2:1 3:2 4:1" ]] ||
    fail "not the ones that were missing: $(xargs <ran)"

# What was stopped was not done.
rm -f up.* open.*
begin -j1 --log stopped ./gated ::: 1
up 1
kill -TERM "$map"
ended 143
open 1
run 0 "$SILLON" map --log stopped --resume ./gated ::: 1
counts "1 ok, 0 failed, 0 skipped"

# GNU parallel's columns.
run 1 "$SILLON" map -j1 --log log.tsv sh -c 'echo; exit $1' x ::: 0 3
[[ $(head -n 1 log.tsv) == \
    $'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand' ]] ||
    fail "the first line of a .tsv log"
[[ $(cut -f1,2,5-8 log.tsv | tail -n 2) == $'1\t:\t0\t1\t0\t0\n2\t:\t0\t1\t3\t0' ]] ||
    fail "the lines of a .tsv log"
run 0 "$SILLON" map --log log.tsv --resume sh -c 'echo; exit $1' x ::: 0 3
counts "0 ok, 0 failed, 2 skipped"

# A trace that is whole, with a track for each slot.
run 1 "$SILLON" map -j1 --trace trace.json sh -c 'exit $1' x ::: 0 3
says trace.json '"slot 1"'
says trace.json '"seq":2'
if [[ -n $(command -v jq) ]]; then
    jq -e . trace.json >parsed || fail "the trace is no JSON"
fi

# Each start and end; progress for machines.
run 0 "$SILLON" map -v true ::: a
says err "start 1: true a"
says err "end 1: exit 0"
run 0 "$SILLON" map --progress=json --progress-fd 7 true ::: a b 7>progress
grep -q '"done":2' progress || fail "--progress=json does not tell the end"
run 0 "$SILLON" map --progress=plain true ::: a b
says err "2/2"

# A trace empties its file: that may not be the log.
run 0 "$SILLON" map --log same true ::: a
run 2 "$SILLON" map --log same --trace same true ::: b
says err "--trace: is the same file as --log"
grep -q '"status":"ok"' same || fail "the log has been emptied"
