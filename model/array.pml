/* SPDX-License-Identifier: MIT */
/*
 * The arrays of a deque: src/thread/deque.c, resize, while two thieves read from them (deque.h,
 * I2). The owner only pushes; the order of its stores is not the question here (deque.pml).
 *
 * Two arrays are used in turns. The one that is given up has its pages given back: its cells
 * become zero, a cell at a time. A cell is two words, which hold the same number when it is whole.
 * A thief that reads while an array is given up is told so by the number of resizes.
 *
 * Sizes (-D): PUSHES, RESIZES. Mutations, instead of the number of resizes: BROKEN_HEAD looks
 * whether the first word is zero, BROKEN_PAYLOAD the same, after the second word was read.
 */
#ifndef PUSHES
#define PUSHES 3
#endif
#ifndef RESIZES
#define RESIZES 2
#endif
#define SIZE 2

byte top, bottom, resized;
bit array;                    /* the current one */
byte head[2 * SIZE], payload[2 * SIZE];
bit taken[PUSHES + 1];

#define place(index) (array * SIZE + index % SIZE)
#define other(index) ((1 - array) * SIZE + index % SIZE)

proctype owner() {
    byte top_seen, i, pushed, resizes;
    do
    :: pushed < PUSHES && bottom - top_seen < SIZE ->
        pushed++;
        head[place(bottom)] = pushed;
        payload[place(bottom)] = pushed;
        bottom++
    :: pushed < PUSHES && bottom - top_seen == SIZE && top_seen < top -> top_seen = top
    :: resizes < RESIZES ->
        resizes++;
        top_seen = top;
        i = top_seen;
        do
        :: i < bottom ->
            head[other(i)] = head[place(i)];
            payload[other(i)] = payload[place(i)];
            i++
        :: else -> i = 0; break
        od;
        array = 1 - array;
        resized++;
        d_step { head[other(0)] = 0; payload[other(0)] = 0 }
        d_step { head[other(1)] = 0; payload[other(1)] = 0 }
    :: pushed == PUSHES && resizes == RESIZES -> break
    od
}

proctype thief() {
    byte of_top, of_bottom, of_head, of_payload, of_resized;
    bit of_array;
again:
    of_top = top;
    of_bottom = bottom;
    if
    :: of_top >= of_bottom -> goto end_again
    :: else
    fi;
    of_resized = resized;
    of_array = array;
#ifdef BROKEN_PAYLOAD
    of_payload = payload[of_array * SIZE + of_top % SIZE];
    of_head = head[of_array * SIZE + of_top % SIZE];
#else
    of_head = head[of_array * SIZE + of_top % SIZE];
    of_payload = payload[of_array * SIZE + of_top % SIZE];
#endif
    if
#if defined(BROKEN_HEAD) || defined(BROKEN_PAYLOAD)
    :: of_head == 0 -> goto end_again
#else
    :: of_resized != resized -> goto end_again
#endif
    :: else
    fi;
    d_step {
        if
        :: top == of_top ->
            top++;
            assert(of_head == of_payload && of_head > 0 && !taken[of_head]);
            taken[of_head] = 1
        :: else
        fi
    }
end_again:
    atomic {
        bottom > top;
        of_top = 0; of_bottom = 0; of_head = 0; of_payload = 0; of_array = 0; of_resized = 0
    }
    goto again
}

init {
    byte i = 1;
    atomic {
        run owner();
        run thief();
        run thief()
    }
    timeout;
    atomic {
        do
        :: i <= PUSHES -> assert(taken[i]); i++
        :: else -> break
        od
    }
}
