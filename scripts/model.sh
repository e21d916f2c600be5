#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Usage: model.sh [MODEL...]
# Check the models in model/ with Spin, all or those named, two at a time (MODEL_JOBS).
# A model must hold; a mutation, which lacks one ingredient, must be found wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

# expectation | model | what | definitions
# holds: no bad state; lives: no cycle without progress; wrong and stuck: the opposites.
checks=()
while IFS= read -r line; do
    [[ -z $line ]] || checks+=("$line")
done <<'CHECKS'
holds|sleep_wake|2 submitters, 2 workers yet to be started|-DTASKS=2
holds|sleep_wake|2 sleepers|-DASLEEP=2
holds|sleep_wake|tasks that block, 3 threads for 1 worker|-DWORKERS=1 -DTHREADS=3 -DASLEEP=1 -DBLOCKS=2
holds|sleep_wake|surplus sleepers leave|-DWORKERS=1 -DASLEEP=1 -DRUNNING=1 -DSPARES=0 -DBLOCKS=1
holds|sleep_wake|tasks from inside, 3 workers|-DWORKERS=3 -DTHREADS=3 -DSUBMITTERS=1 -DOWN=1 -DASLEEP=2 -DRUNNING=1
holds|sleep_wake|tasks taken by twos|-DSUBMITTERS=1 -DTASKS=3 -DBATCH -DASLEEP=1 -DRUNNING=1
holds|sleep_wake|the pool is closed|-DCLOSE -DASLEEP=2
holds|sleep_wake|threads cannot be started|-DFAILS=2 -DWORKERS=1 -DTASKS=2
lives|sleep_wake|nobody goes round and round|-DWORKERS=1 -DASLEEP=1 -DRUNNING=1 -DBLOCKS=1
wrong|sleep_wake|without the heavy barrier|-DASLEEP=2 -DTASKS=2 -DBROKEN_HEAVY
wrong|sleep_wake|without the full fence before a searcher is relied on|-DASLEEP=2 -DBROKEN_FULL
wrong|sleep_wake|without the look after falling asleep|-DASLEEP=2 -DBROKEN_LOOK
wrong|sleep_wake|the searcher that finds something wakes nobody|-DASLEEP=2 -DBROKEN_FOUND
wrong|sleep_wake|without a barrier in block|-DWORKERS=1 -DBLOCKS=1 -DASLEEP=1 -DBROKEN_BLOCK
wrong|sleep_wake|without a barrier in leave|-DWORKERS=1 -DSUBMITTERS=1 -DASLEEP=1 -DRUNNING=1 -DSPARES=0 -DBROKEN_LEAVE
wrong|sleep_wake|without a fence in notify|-DWORKERS=3 -DTHREADS=3 -DSUBMITTERS=1 -DOWN=1 -DASLEEP=2 -DRUNNING=1 -DBROKEN_NOTIFY
wrong|sleep_wake|without a barrier when no thread can be started|-DFAILS=1 -DWORKERS=1 -DBROKEN_FAIL
wrong|sleep_wake|what was taken by twos is put in silently|-DSUBMITTERS=1 -DTASKS=2 -DBATCH -DASLEEP=1 -DRUNNING=1 -DBROKEN_BATCH
stuck|sleep_wake|two get up for each other, and lie down|-DWORKERS=1 -DASLEEP=1 -DRUNNING=1 -DBROKEN_AGAIN
holds|lane|2 thieves, 4 children in 2 slots|-DFORKS=4 -DSLOTS=2
holds|lane|1 thief, 5 children in 4 slots|-DTHIEVES=1 -DFORKS=5 -DSLOTS=4
holds|lane|stores in any order but a release|-DWEAK -DFORKS=3 -DSLOTS=2
holds|lane|stealing back for a joiner|-DLEAP -DFORKS=3 -DSLOTS=2
wrong|lane|the slot read before the claim|-DFORKS=3 -DSLOTS=2 -DBROKEN_ABA
wrong|lane|published by a store|-DFORKS=3 -DSLOTS=2 -DBROKEN_STORE
wrong|lane|published without release|-DWEAK -DFORKS=3 -DSLOTS=2 -DBROKEN_RELEASE
wrong|lane|the edge written after the word|-DFORKS=3 -DSLOTS=2 -DBROKEN_ORDER
wrong|lane|no second look at the word after it was full|-DFORKS=3 -DSLOTS=2 -DBROKEN_FULL
wrong|lane|fed when taking back failed|-DFORKS=3 -DSLOTS=2 -DBROKEN_EXIT
wrong|lane|the last claim leaves it fed|-DFORKS=3 -DSLOTS=2 -DBROKEN_LAST
wrong|lane|done is said by a load and a store|-DFORKS=3 -DSLOTS=2 -DBROKEN_DONE
wrong|lane|without epochs|-DLEAP -DFORKS=3 -DSLOTS=2 -DBROKEN_EPOCH
holds|deque|the owner pushes and pops, 2 thieves|-DPUSHES=5
holds|deque|first in, first out, two stolen at once|-DFIFO -DMAX=2 -DSIZE=4 -DPUSHES=6
wrong|deque|two stolen at once while the owner pops|-DMAX=2
wrong|deque|the bottom claimed by a relaxed store|-DBROKEN_POP
wrong|deque|pushed by a relaxed store|-DBROKEN_PUSH
wrong|deque|the last cell popped without compare-and-swap|-DBROKEN_LAST
wrong|deque|thieves look at the bottom first|-DBROKEN_LOOKS
holds|array|2 thieves, 3 resizes|-DRESIZES=3
wrong|array|a zeroed head instead of the number of resizes|-DRESIZES=1 -DBROKEN_HEAD
wrong|array|the same, read after the payload|-DBROKEN_PAYLOAD
holds|settle|closed from outside|
holds|settle|closed from inside|-DORPHAN
wrong|settle|without the heavy barrier|-DBROKEN_HEAVY
wrong|settle|not busy any more before it is inside|-DBROKEN_INSIDE
wrong|settle|who leaves does not look whether it closes|-DBROKEN_LEAVE
CHECKS

# One check, in a folder of its own; the last one prints what came out.
check() {
    local expected=$1 model=$2 what=$3 folder=$4 found=none
    local definitions=("${@:5}") options=(-O1 -DSAFETY) run=(-m100000 -w24)
    [[ $expected != holds ]] || options=(-O2 -DSAFETY)
    if [[ $expected == lives || $expected == stuck ]]; then
        options=(-O2 -DNP -DNFAIR=4)
        run+=(-l -f)
    fi
    mkdir -p "$folder"
    rm -f "$folder"/*.trail
    (
        cd "$folder"
        spin "${definitions[@]}" -a "$OLDPWD/model/$model.pml" >spin.out
        gcc "${options[@]}" -w -DMEMLIM=1900 -o pan pan.c
        ./pan "${run[@]}" >pan.out
    ) || true
    local out=$folder/pan.out
    if grep -Eq '^pan:1: (assertion violated|invalid end state)' "$out"; then
        found=wrong
    elif grep -q '^pan:1: non-progress cycle' "$out"; then
        found=stuck
    elif grep -q 'errors: 0' "$out" && ! grep -Eq 'MEMLIM|out of memory|not completed|too small' "$out"; then
        found=$([[ ${options[*]} == *SAFETY* ]] && echo holds || echo lives)
    fi
    if [[ $found == "$expected" ]]; then
        printf '%-5s  %-10s  %s (%s states)\n' "$found" "$model" "$what" \
            "$(awk '/states, stored/ { print $1; exit }' "$out")"
        return 0
    fi
    printf '%-5s  %-10s  %s: FAILED, it should be: %s; see %s\n' "$found" "$model" "$what" \
        "$expected" "$folder"
    [[ ! -f $folder/$model.pml.trail ]] || printf '%19sspin %s -p -g -t -k %s model/%s.pml\n' '' \
        "${definitions[*]}" "$folder/$model.pml.trail" "$model"
    return 1
}

running=0
failed=0
for i in "${!checks[@]}"; do
    IFS='|' read -r expected model what definitions <<<"${checks[i]}"
    [[ $# == 0 || " $* " == *" $model "* ]] || continue
    if ((running >= ${MODEL_JOBS:-2})); then
        wait -n || failed=1
        running=$((running - 1))
    fi
    # shellcheck disable=SC2086 # several definitions
    check "$expected" "$model" "$what" "build/model/$i" $definitions &
    running=$((running + 1))
done
while ((running > 0)); do
    wait -n || failed=1
    running=$((running - 1))
done
exit $failed
