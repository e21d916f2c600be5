#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# On a terminal: the live lines, resized, taken away at the end and after Ctrl-C; without them where
# they are not wanted; and jobs that read the terminal themselves.
# shellcheck disable=SC1083,SC2016 # placeholders; lines for the shells of jobs
# shellcheck source=tests/cli/lib/map.sh
. "$(dirname "$0")/lib/map.sh"
set -euo pipefail
if [[ -z $(command -v tmux) ]] || ! script -qec true /dev/null >seen 2>&1 </dev/null; then
    echo "skipped: no tmux, or no terminals"
    exit 77
fi
terminals=0
tmux() { command tmux -S "${work:?}/terminal.$terminals" -f /dev/null "$@"; }
end_terminal() { tmux kill-server 2>/dev/null || true; }
trap 'end_terminal; clean_up' EXIT

# in_terminal WIDTH LINE   a shell of its own runs the line there, and then says how it ended
in_terminal() {
    rm -f up.* open.* ended
    end_terminal
    terminals=$((terminals + 1)) # the one before may take its time to go
    printf '%s\necho "ended $?"\n: >ended\nexec cat\n' "$2" >script
    tmux new-session -d -x "$1" -y 24 "env SILLON='$SILLON' bash script"
}
shown() { tmux capture-pane -p; }
shows() { shown | grep -qE -- "$1"; }
shows_not() { ! shows "$1"; }
has_cursor() { [[ $(tmux display-message -p '#{cursor_flag}') == 1 ]]; }

# The lines are drawn, with one for each job that runs; output goes above them.
in_terminal 80 '"$SILLON" map -j2 ./gated ::: 1 2 3 4'
up 1; up 2
wait_until shows '0/4'
wait_until shows '\./gated 1'
wait_until shows '\./gated 2'
open 1; up 3
wait_until shows '1/4'
wait_until shows '^done 1'
wait_until shows_not '\./gated 1'

# Resized while they stand: drawn anew, no wider than there is room.
tmux resize-window -x 40 -y 10
wait_until shows '1/4'
open 2
wait_until shows '2/4'
tmux resize-window -x 100 -y 24
open 3; up 4; open 4
wait_until test -e ended
wait_until shows '^ended 0'
shown >out
for line in '^done 1$' '^done 2$' '^done 3$' '^done 4$' '^sillon map: 4 ok, 0 failed'; do
    [[ $(grep -cE "$line" out) == 1 ]] || fail "not one line $line"
done
[[ $(tail -n +1 out | grep -v '^$' | tail -n 2 | head -n 1) == 'sillon map: 4 ok'* ]] ||
    fail "something stands between the summary and the shell"
! grep -qE '^ .*gated|/4' out || fail "a live line is left"
has_cursor || fail "the cursor is gone"

# After Ctrl-C.
in_terminal 80 'trap : INT; "$SILLON" map -j2 --kill-after 1000 ./gated ::: 1 2 3 4'
up 1; up 2
wait_until shows '\./gated 2'
tmux send-keys C-c
wait_until test -e ended
wait_until shows '^ended 130'
shown >out
! grep -qE '^ .*gated|/4' out || fail "a live line is left after Ctrl-C"
has_cursor || fail "the cursor is gone after Ctrl-C"

# Ctrl-Z and back, from a shell with job control.
in_terminal 80 'set -m; "$SILLON" map -j2 ./gated ::: 1 2; echo "stopped $?"; fg'
up 1; up 2
wait_until shows '\./gated 2'
tmux send-keys C-z
wait_until shows '^stopped 148'
has_cursor || fail "the cursor is gone while stopped"
wait_until shows '\./gated 2'
open 1; open 2
wait_until shows '^ended 0'

# Not where escape sequences are not understood.
for terminal in dumb ''; do
    in_terminal 80 "TERM=$terminal script -qefc '\"\$SILLON\" map -j2 ./gated ::: 1 2' typescript"
    up 1; up 2; open 1; open 2
    wait_until shows '^ended 0'
    ! grep -q $'\e' typescript || fail "escape sequences with TERM=$terminal"
    says typescript 'sillon map: 2 ok'
done
# Without colours, but with live lines.
in_terminal 80 "NO_COLOR=1 script -qefc '\"\$SILLON\" map -j2 ./gated ::: 1 2' typescript"
up 1; up 2
wait_until grep -q gated typescript
open 1; open 2
wait_until shows '^ended 0'
grep -q $'\e' typescript || fail "no live lines with NO_COLOR"
! grep -qE $'\e\\[[0-9;]*m' typescript || fail "colours with NO_COLOR"

# Jobs that read the terminal, and have its signals.
in_terminal 80 '"$SILLON" map --tty sh -c '\''read -p "name $1? " name; echo "is $name"'\'' x ::: a b'
wait_until shows '^name a\?'
tmux send-keys first Enter
wait_until shows '^is first'
wait_until shows '^name b\?'
tmux send-keys second Enter
wait_until shows '^is second'
wait_until shows '^ended 0'
! shows '/2' || fail "live lines beside a job that has the terminal"
in_terminal 80 'trap : INT; "$SILLON" map --tty sh -c '\''echo up; read name'\'' x ::: a b'
wait_until shows '^up'
tmux send-keys C-c
wait_until shows '^ended 130'
[[ $(shown | grep -c '^up') == 1 ]] || fail "the next was started after Ctrl-C"

# Ctrl-C is such a job's own, if it has a use for it.
cat >asks <<'END'
#!/bin/sh
trap 'echo "caught $1"' INT
echo "up $1"
until read -r name; do echo "again $1"; done
echo "$1 is $name"
END
chmod +x asks
has_caught() { [[ $(shown | grep -c "caught $2") == "$1" ]]; }
in_terminal 80 '"$SILLON" map --tty --kill-after 0 ./asks ::: a b'
for job in a b; do
    wait_until shows "^up $job"
    for times in 1 2; do
        tmux send-keys C-c
        wait_until has_caught "$times" "$job"
    done
    tmux send-keys "name of $job" Enter
    wait_until shows "^$job is name of $job"
done
wait_until shows '^ended 0'
