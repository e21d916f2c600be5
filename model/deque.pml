/* SPDX-License-Identifier: MIT */
/*
 * The deque: src/thread/deque.c with one owner that pushes and pops as it likes, and two thieves.
 *
 * The owner's stores wait in a buffer, one entry a place, and reach memory in any order at any
 * time; a release store after all that were before it; a sequentially consistent one at once,
 * after the others (as xchg does, and as its partner's look needs it). That is weaker than x86,
 * where stores stay in order. Thieves change only the top, by locked instructions.
 *
 * A cell is a number, pushed once. Its slot is used again: SIZE is a power of two.
 *
 * Sizes (-D): PUSHES in all, SIZE, MAX stolen at once; FIFO: the owner never pops.
 * Mutations: BROKEN_...
 */
#ifndef PUSHES
#define PUSHES 4
#endif
#ifndef SIZE
#define SIZE 2
#endif
#ifndef MAX
#define MAX 1
#endif

byte top, bottom; /* in memory */
byte slots[SIZE];

#define NONE 255
byte bottom_to = NONE, slots_to[SIZE] = NONE; /* in the owner's buffer */
#if SIZE == 2
#define slots_stored (slots_to[0] == NONE && slots_to[1] == NONE)
#else
#define slots_stored \
    (slots_to[0] == NONE && slots_to[1] == NONE && slots_to[2] == NONE && slots_to[3] == NONE)
#endif
#define my_slot(index) ((slots_to[index] == NONE) * slots[index] + \
                        (slots_to[index] != NONE) * slots_to[index])

byte pushed;             /* cells so far: 1 to pushed */
bit taken[PUSHES + 1];

inline take(cell) {
    assert(cell > 0 && cell <= pushed && !taken[cell]);
    taken[cell] = 1
}

proctype owner() {
    byte at; /* the bottom as the owner stored it last */
    byte top_seen, of_top, cell;
    do
    :: pushed < PUSHES && at - top_seen < SIZE ->
        /* push; a slot stored into is not stored into again before it is in memory */
        d_step { slots_to[at % SIZE] == NONE; pushed++; slots_to[at % SIZE] = pushed; at++ }
#ifdef BROKEN_PUSH
        bottom = at
#else
        bottom_to = at
#endif
    :: pushed < PUSHES && at - top_seen == SIZE && top_seen != top -> top_seen = top
#ifndef FIFO
    :: at > top ->
        /* pop */
        at--;
#ifdef BROKEN_POP
        bottom_to = at;
#else
        d_step { slots_stored && bottom_to == NONE; bottom = at }
#endif
        of_top = top;
        if
        :: of_top > at -> cell = 0
        :: of_top < at -> cell = my_slot(at % SIZE)
        :: of_top == at ->
            cell = my_slot(at % SIZE);
            d_step {
                slots_stored && bottom_to == NONE;
                if
#ifdef BROKEN_LAST
                :: true -> top = at + 1
#else
                :: top == of_top -> top++
#endif
                :: else -> cell = 0
                fi
            }
        fi;
        if
        :: of_top >= at -> at++; bottom_to = at
        :: else
        fi;
        d_step {
            if
            :: cell > 0 -> take(cell)
            :: else
            fi;
            cell = 0;
            of_top = 0
        }
#endif
    :: pushed == PUSHES && at == top -> break
    od
}

proctype thief() {
    byte of_top, of_bottom, first, second, count;
again:
#ifdef BROKEN_LOOKS
    of_bottom = bottom;
    of_top = top;
#else
    of_top = top;
    of_bottom = bottom;
#endif
    if
    :: of_top >= of_bottom -> goto end_again
    :: else
    fi;
    first = slots[of_top % SIZE];
    count = 1;
#if MAX > 1
    if
    :: of_bottom - of_top > 1 -> second = slots[(of_top + 1) % SIZE]; count = 2
    :: else
    fi;
#endif
    d_step {
        if
        :: top == of_top ->
            top = top + count;
            take(first);
            if
            :: count > 1 -> take(second)
            :: else
            fi
        :: else
        fi;
        first = 0;
        second = 0;
        count = 0
    }
end_again:
    atomic { bottom > top; of_top = 0; of_bottom = 0 } /* until then it would find nothing */
    goto again
}

proctype memory() {
end_memory:
    do
    :: d_step { bottom_to != NONE && slots_stored; bottom = bottom_to; bottom_to = NONE }
    :: d_step { slots_to[0] != NONE; slots[0] = slots_to[0]; slots_to[0] = NONE }
    :: d_step { slots_to[1] != NONE; slots[1] = slots_to[1]; slots_to[1] = NONE }
#if SIZE > 2
    :: d_step { slots_to[2] != NONE; slots[2] = slots_to[2]; slots_to[2] = NONE }
    :: d_step { slots_to[3] != NONE; slots[3] = slots_to[3]; slots_to[3] = NONE }
#endif
    od
}

init {
    byte i = 1;
    atomic {
        run owner();
        run thief();
        run thief();
        run memory()
    }
    timeout;
    /* Each was taken once. */
    atomic {
        assert(pushed == PUSHES);
        do
        :: i <= PUSHES -> assert(taken[i]); i++
        :: else -> break
        od
    }
}
