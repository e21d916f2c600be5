#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is told of a run: JSON, the log and what can be gone on from it, the trace, what would be done.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
start_server 0

# --json: a line for each item, and one for all; in a file, or on standard output.
run 1 "$SILLON" get -d a --retries 0 --json=json "$url/file/1" "$url/status/404" "$url/size/0"
[[ ! -s out ]] || fail "JSON for a file is on standard output"
run 0 "$SILLON" get -d a --json "$url/file/1"
cp json first && cp out json
[[ $(json 'select(.type == "file") | .status') == skipped ]] || fail "not skipped"
[[ $(json 'select(.type == "summary") | .skipped') == 1 ]] || fail "no summary on standard output"
mv first json
[[ $(wc -l <json) == 4 && $(json .type | sort | paste -sd' ') == "file file file summary" ]] ||
    fail "not three files and a summary"
[[ $(tail -n 1 json | jq -r .type) == summary ]] || fail "the summary is not the last"
size=$(content /file/1 | wc -c)
[[ $(json 'select(.seq == 1) | "\(.url) \(.name) \(.status) \(.http) \(.proto) \(.bytes) \(.length)"') == \
    "$url/file/1 1 ok 200 1.1 $size $size" ]] || fail "not what the first is"
[[ $(json 'select(.seq == 1) | "\(.resumed_from) \(.tries) \(.error) \(.error_kind) \(.remote)"') == \
    "0 1 null null 127.0.0.1"* ]] || fail "not how the first came"
[[ $(json 'select(.seq == 1) | .t | [.queue, .connect, .ttfb, .total] | all(type == "number")') == \
    true ]] || fail "not the times of the first"
[[ $(json 'select(.seq == 1) | .t | .total >= .ttfb and .ttfb >= .connect') == true ]] ||
    fail "times out of order"
[[ $(json 'select(.seq == 1) | .ts' | head -c 11) == *-*-*T ]] || fail "no time of day"
[[ $(json 'select(.seq == 2) | "\(.status) \(.http) \(.error_kind) \(.error)"') == \
    "failed 404 http HTTP 404 Not Found" ]] || fail "not why the second failed"
[[ $(json 'select(.type == "summary") | "\(.ok) \(.failed) \(.skipped) \(.stopped) \(.bytes)"') == \
    "2 1 0 0 $size" ]] || fail "not the summary"
kind() { # KIND URL...
    run 1 "$SILLON" get -d kinds --retries 0 --stall 200ms --json=json "$2"
    [[ $(json 'select(.type == "file") | .error_kind') == "$1" ]] || fail "$2 is not of kind $1"
}
kind dns http://no-such-host.invalid/a
kind connect http://127.0.0.1:1/a
kind stall "$url/hang"
kind short "$url/cut/1000"
kind short "$url/cutchunked/1000"
kind url gopher://127.0.0.1/

# --log, appended; --resume leaves out what was good, --redo-failed does what was not, and only that.
run 1 "$SILLON" get -d log.d --retries 0 --log log "$url/file/"{1..5} "$url/busyfirst/1/100/"{a,b}
says err "5 ok, 2 failed"
[[ $(wc -l <log) == 7 || $(wc -l <log) == 8 ]] || fail "not a line for each"
rm log.d/3
run 0 "$SILLON" get -d log.d --log log --redo-failed "$url/file/"{1..5} "$url/busyfirst/1/100/"{a,b}
says err "2 ok, 0 failed, 5 skipped"
only log.d 1 2 4 5 a b
before=$(stat_of requests)
run 0 "$SILLON" get -d log.d --log log --resume "$url/file/"{1..6} "$url/busyfirst/1/100/"{a,b}
says err "1 ok, 0 failed, 7 skipped"
[[ $(stat_of requests) == $((before + 1)) ]] || fail "asked for what the log says is done"
# A last line that was cut is none.
printf '{"type":"file","url":"%s/file/7"' "$url" >>log
run 0 "$SILLON" get -d log.d --log log --resume "$url/file/"{5..8}
says err "2 ok, 0 failed, 2 skipped"
run 0 "$SILLON" get -d log.d --log log --resume "$url/file/"{5..8}
says err "0 ok, 0 failed, 4 skipped"

# After a run that was stopped: what was not done is.
begin -j 2 -d stopped --log log2 "$url/file/1" "$url/hang" "$url/file/2" "$url/file/3"
first_two() { [[ -f stopped/1 && -f stopped/2 && -f stopped/3 ]]; }
wait_until first_two
kill -INT "$get"
ended_by 2
run 0 "$SILLON" get -d stopped --log log2 --resume "$url/file/"{1..4}
says err "1 ok, 0 failed, 3 skipped"

# --trace: what Perfetto opens.
run 0 "$SILLON" get -d traced --trace trace "$url/file/"{1..9}
jq -e 'if type == "array" then . else .traceEvents end | map(select(.cat == "get")) | length >= 9' \
    trace >/dev/null || fail "not a trace of nine files"

# --dry-run: lines that a shell could run; nobody is asked.
before=$(stat_of requests)
run 0 "$SILLON" get --dry-run -d dry "$url/file/1" "$url/as/it's a%20b"
[[ $(wc -l <out) == 2 && ! -e dry && $(stat_of requests) == "$before" ]] || fail "--dry-run does it"
says out "sillon get -o 1 $url/file/1"
words=()
eval "words=($(tail -n 1 out))"
[[ ${words[3]} == "it's a b" ]] || fail "not quoted for a shell"

# --print-name, -v, -vv, --progress=plain and json.
run 0 "$SILLON" get --print-name -d names "$url/file/"{1..3}
[[ $(sort out | paste -sd' ') == "1 2 3" ]] || fail "not the names"
run 1 "$SILLON" get -v -d verbose --retries 1 --retry-wait 10ms "$url/file/1" "$url/status/503"
says err "start $url/file/1"
says err "ok $url/file/1"
says err "again $url/status/503: HTTP 503"
says err "failed $url/status/503"
run 0 "$SILLON" get --progress=json --progress-fd 3 -d progress "$url/slow/200000/1" 3>progress.json
jq -es 'length >= 1 and (.[-1] | type == "object")' progress.json >/dev/null ||
    fail "no progress as JSON"
run 0 "$SILLON" get --progress=plain -d plain "$url/file/"{1..8}
no_words err $'\e'
no_words err $'\r'

# QUIT: what is being loaded, and it goes on.
begin -d quit "$url/hang" "$url/slow/400000/1"
wait_until is_under_way quit/1
kill -QUIT "$get"
wait_until grep -q "slot .*/hang" err
says err "running"
kill -TERM "$get"
ended_by 15
