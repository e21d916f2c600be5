# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Read by the tests of map: all of cli.sh, jobs that wait for a gate, and what the records say.
# shellcheck source=tests/cli/lib/cli.sh
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/cli.sh"

# A sanitizer makes each start some times slower, and memory another matter.
sanitized() {
    grep -qE '__(asan|tsan|msan)_' "$SILLON"
}

# counts TEXT   the last line on standard error begins so
counts() {
    [[ $(tail -n 1 err) == "sillon map: $1"* ]] || fail "the last line does not say: $1"
}

# gives TEXT   standard output is just that
gives() {
    cmp -s out <(printf '%s' "$1") || fail "standard output is not: $1"
}

# begin ARGUMENT...   map in the background: $map. A shell's "&" has switched SIGINT and SIGQUIT off,
# which is undone here.
begin() {
    env --default-signal=INT,QUIT "$SILLON" map "$@" >out 2>err </dev/null &
    map=$!
}

# ended STATUS   the one in the background, which may take its time
ended() {
    local status=0
    wait_until has_ended "$map"
    wait "$map" 2>/dev/null || status=$?
    [[ $status == "$1" ]] || fail "status $status, not $1"
}

# job FILE SEQ TEXT...   the object of that job in a file of JSON lines has these texts
job() {
    local line text
    line=$(grep -F "\"seq\":$2," "$1") || fail "no job $2 in $1"
    for text in "${@:3}"; do
        [[ $line == *"$text"* ]] || fail "job $2 in $1 does not say $text: $line"
    done
}

# ./gated SEQ [STATUS]: a job that says it is there (up.SEQ), and goes on when there is open.SEQ
cat >gated <<'END'
#!/bin/sh
: >"up.$1"
until [ -e "open.$1" ]; do sleep 0.02; done
echo "done $1"
exit "${2:-0}"
END
chmod +x gated

up() { wait_until test -e "up.$1"; }
open() { : >"open.$1"; }
