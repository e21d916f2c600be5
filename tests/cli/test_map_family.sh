#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whatever ends the runner, kill -9 included, ends all that its jobs have started: who ignores signals,
# who left the group or the session, who has lost its parent. And the shell sees how it ended.
# shellcheck disable=SC1083,SC2016 # placeholders; lines for the shells of jobs
# shellcheck source=tests/cli/lib/map.sh
. "$(dirname "$0")/lib/map.sh"
set -euo pipefail

# A job of four processes, each of which holds the pipe open and says that it is there.
cat >kin <<'END'
#!/bin/sh
[ "$2" != deaf ] || trap '' TERM INT HUP
exec 7>held
stay='exec 7>held; : >"here.$1"; while :; do sleep 1000; done'
sh -c "$stay" x "$1.child" &
setsid sh -c "$stay" x "$1.session" &
sh -c "setsid sh -c '$stay' x $1.orphan & exit" &
echo "unfinished $1"
: >"here.$1.self"
while :; do sleep 1000; done
END
chmod +x kin
all_here() {
    [[ $(find . -name 'here.*' | wc -l) == "$1" ]]
}

# hold ARGUMENT...   two jobs, all of whose processes are there
hold() {
    rm -f held here.*
    mkfifo held
    cat held &
    reader=$!
    exec 8>held
    begin -j2 --json=record "$@"
    wait_until all_here 8
    guardian=0
    [[ ! -e /proc/$map/task/$map/children ]] || find_guardian
    exec 8>&-
}
nothing_left() {
    wait_until has_ended "$reader" # the last who held the pipe has gone
    wait_until is_gone "$guardian"
}
is_gone() {
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || true
    [[ -z $state || $state == Z ]] # where nobody waits for orphans
}
find_guardian() {
    local pid name
    for pid in $(<"/proc/$map/task/$map/children"); do
        read -r name <"/proc/$pid/comm" || continue
        [[ $name != sillon-guard ]] || guardian=$pid
    done
}

for signal in INT:2 TERM:15 HUP:1; do
    hold --kill-after 1000 ./kin {} mild ::: 1 2 3
    kill -"${signal%:*}" "$map"
    ended $((128 + ${signal#*:}))
    nothing_left
    job record 1 '"status":"stopped"' "\"signal\":${signal#*:}"
    counts "0 ok, 0 failed, 0 skipped, "
    [[ ! -e here.3.self ]] || fail "one more was started after $signal"

    hold --kill-after 300ms ./kin {} deaf ::: 1 2 3
    kill -"${signal%:*}" "$map"
    ended $((128 + ${signal#*:}))
    nothing_left
done

# A second one does not wait.
hold --kill-after 1000 ./kin {} deaf ::: 1 2 3
kill -TERM "$map"
kill -INT "$map"
status=0
wait_until has_ended "$map"
wait "$map" 2>/dev/null || status=$?
# Both may come before the first is heard, in any order.
[[ $status == 143 || $status == 130 ]] || fail "status $status after two signals"
nothing_left

# The runner is killed: the guardian does it.
for temper in mild deaf; do
    hold ./kin {} $temper ::: 1 2 3
    kill -KILL "$map"
    ended 137
    nothing_left
done

# The same with the runner stopped, and its jobs too.
hold ./kin {} deaf ::: 1 2
kill -STOP "$map"
kill -KILL "$map"
ended 137
nothing_left

# A run in a run: the inner one's jobs go with it, or with the outer one.
printf '#!/bin/sh\nexec "%s" map -j2 ./kin {} deaf ::: 1 2\n' "$SILLON" >inner
chmod +x inner
hold ./inner ::: x
kill -KILL "$map"
ended 137
nothing_left

# What was ignored at the start stays ignored: nohup.
(trap '' HUP; exec "$SILLON" map ./gated ::: 1 2) >out 2>err &
map=$!
up 1
kill -HUP "$map"
open 1; open 2
ended 0
