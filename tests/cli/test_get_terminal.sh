#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# On a terminal: the live lines, resized, taken away at the end and after Ctrl-C; and what is sent to
# terminals that want none.
# shellcheck source=tests/cli/lib/get.sh
. "$(dirname "$0")/lib/get.sh"
set -euo pipefail
if [[ -z $(command -v tmux) ]] || ! script -qec true /dev/null >seen 2>&1 </dev/null; then
    echo "skipped: no tmux, or no terminals"
    exit 77
fi
start_server 0
terminals=0
tmux() { command tmux -S "${work:?}/terminal.$terminals" -f /dev/null "$@"; }
end_terminal() { tmux kill-server 2>/dev/null || true; }
trap 'end_terminal; end_all' EXIT

# in_terminal WIDTH LINE   a shell of its own runs the line there, and then says how it ended
in_terminal() {
    rm -f ended
    end_terminal
    terminals=$((terminals + 1)) # the one before may take its time to go
    printf '%s\necho "ended $?"\n: >ended\nexec cat\n' "$2" >script
    tmux new-session -d -x "$1" -y 24 "env SILLON='$SILLON' URL='$url' bash script"
}
shown() { tmux capture-pane -p -J; }
shows() { shown | grep -qE -- "$1"; }
shows_not() { ! shows "$1"; }
has_cursor() { [[ $(tmux display-message -p '#{cursor_flag}') == 1 ]]; }

# A line for each that runs and one for all; hung ones stay until they are ended.
in_terminal 80 '"$SILLON" get -d a "$URL"/slow/500000/{1,2,3} "$URL/file/7"; "$SILLON" get -q -d a "$URL"/file/8'
wait_until shows '^ *1/4'
wait_until shows '^  1 .*\[[-#]*\] +[0-9]+ %  .* of 488'
wait_until shows '^  3 .*\[[-#]*\] '
tmux resize-window -x 40 -y 24
wait_until test -e ended
wait_until shows '^ended 0'
shown >out
[[ $(grep -cE '^sillon get: 4 ok, 0 failed' out) == 1 ]] || fail "not one summary"
[[ $(grep -v '^$' out | tail -n 2 | head -n 1) == 'sillon get: 4 ok'* ]] ||
    fail "something stands between the summary and the shell"
! grep -qE '\[[-#]+|/4' out || fail "a live line is left"
has_cursor || fail "the cursor is gone"

# Names of a download's rows are cut in the middle, harmless, and no line is wider than the terminal.
in_terminal 50 'trap : INT; "$SILLON" get -d wide "$URL/hang" "$URL/as/'"$(printf 'x%.0s' {1..100})"'" "$URL/slow/9000000/1?%1b[2J"'
wait_until shows '1/3'
wait_until shows '^  hang'
tmux resize-window -x 30 -y 24
wait_until shows '1/3'
tmux send-keys C-c
wait_until test -e ended
wait_until shows '^ended 130'
shown >out
! grep -qE '\[[-#]+|/3' out || fail "a live line is left after Ctrl-C"
has_cursor || fail "the cursor is gone after Ctrl-C"

# Ctrl-Z and back, from a shell with job control.
in_terminal 80 'set -m; "$SILLON" get -d z "$URL"/slow/500000/1 "$URL/file/7"; echo "stopped $?"; fg'
wait_until shows '1/2'
tmux send-keys C-z
wait_until shows '^stopped 148'
has_cursor || fail "the cursor is gone while stopped"
wait_until test -e ended
wait_until shows '^ended 0'
shown >out
[[ $(grep -cE '^sillon get: 2 ok, 0 failed' out) == 1 ]] || fail "it does not go on"
same z/1 /slow/500000/1

# sent TERM ARGUMENT...   what a terminal of that kind is sent
sent() {
    local command
    printf -v command '%q ' "$SILLON" get "${@:2}"
    TERM=$1 script -qec "stty rows 24 cols 80; $command" /dev/null >out 2>err </dev/null ||
        fail "failed on a terminal: $command"
}
mapfile -t urls < <(seq -f "$url/slow/300000/1?%g" 3)
sent xterm --if-exists=rename -d bar "${urls[@]}"
says out $'\e['
says out "/3"
says out "get: 3 ok, 0 failed"
sent dumb --if-exists=rename -d dumb "${urls[@]}"
no_words out $'\e'
sent xterm --progress=none --if-exists=rename -d none "${urls[@]}"
no_words out $'\e'
sent xterm -q --if-exists=rename -d quiet "${urls[@]}"
no_words out $'\e'
# Colours are another question: NO_COLOR has the lines, without them.
NO_COLOR=1 sent xterm --if-exists=rename -d plain "${urls[@]}"
! grep -qE $'\e\\[[0-9;]*[1-9][0-9]*m' out || fail "colours in spite of NO_COLOR"
says out "/3"
