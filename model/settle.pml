/* SPDX-License-Identifier: MIT */
/*
 * The end of a pool against its submitters: src/thread/intake.h, I1, and the count of those who
 * are inside (submit.c, put_intake; crew.c; shutdown.c).
 *
 * The stores of a submitter wait in its buffer, in order, as on x86. A locked instruction waits
 * until the buffer is empty; the heavy barrier empties all; the light one does nothing.
 *
 * Sizes (-D): SUBMITTERS, PUTS each. ORPHAN: closed from inside, the last to leave destroys it;
 * otherwise the closer waits for all to leave. Mutations: BROKEN_...
 */
#ifndef SUBMITTERS
#define SUBMITTERS 2
#endif
#ifndef PUTS
#define PUTS 2
#endif

mtype = { busy_set, busy_cleared, put_one };

bit has_intake[SUBMITTERS], busy[SUBMITTERS];
byte bottom[SUBMITTERS];                        /* in memory */
chan buffer[SUBMITTERS] = [4] of { mtype };     /* stored, and not in memory yet */
byte made[SUBMITTERS];                          /* puts so far, in memory or not */
bit closing, refusing, orphan;
byte threads = 1, inside, gone;
bit lock, settled, destroyed;

#define stored(i) empty(buffer[i])
#define gone_locked (threads == 0 && inside == 0)

inline reach_memory(i) {
    buffer[i] ? store;
    if
    :: store == busy_set -> busy[i] = 1
    :: store == busy_cleared -> busy[i] = 0
    :: store == put_one -> bottom[i]++
    fi;
    store = 0
}

/* With the lock; it is dropped. */
inline all_left() {
    atomic {
        if
        :: gone_locked -> gone++; destroys = orphan; orphan = 0
        :: else
        fi;
        lock = 0
    }
    if
    :: destroys -> atomic { assert(!destroyed); destroyed = 1; destroys = 0 }
    :: else
    fi
}

proctype submitter(byte me) {
    byte puts;
    bit call, destroys, last;
    /* find: an intake, unless the pool refuses */
    atomic {
        !lock;
        if
        :: refusing -> goto refused
        :: else -> has_intake[me] = 1
        fi
    }
    do
    :: puts < PUTS ->
        puts++;
        buffer[me] ! busy_set;
        if
        :: refusing -> buffer[me] ! busy_cleared; break
        :: else
        fi;
        /* I1: nothing more gets in. */
        atomic { nfull(buffer[me]); assert(!settled && !destroyed); buffer[me] ! put_one; made[me]++ }
        /* Does somebody have to be called? */
        atomic {
            assert(!destroyed);
            if
            :: call = 1
            :: call = 0
            fi
        }
#ifdef BROKEN_INSIDE
        buffer[me] ! busy_cleared;
#endif
        if
        :: call -> atomic { stored(me); inside++ }
        :: else
        fi;
#ifndef BROKEN_INSIDE
        buffer[me] ! busy_cleared;
#endif
        if
        :: call ->
            assert(!destroyed); /* call_inside: the gate, the lock, perhaps all queues */
            /* sil__crew_submitter_leave; from here on only the struct is there (retired) */
            d_step { stored(me); last = inside == 1; inside-- }
            if
            :: last && closing ->
#ifndef BROKEN_LEAVE
                atomic { !lock; lock = 1 }
                all_left()
#endif
            :: else
            fi;
            atomic { call = 0; last = 0 }
        :: else
        fi
    :: else -> break
    od;
refused:
    skip
}

/* The last thread. */
proctype worker() {
    bit destroys;
    closing;
    atomic { !lock; lock = 1; threads-- }
    all_left()
}

proctype closer() {
    byte i, of_gone;
    bit ended;
    mtype store;
#ifdef ORPHAN
    /* A task: threads stays 1 until we are done. */
    bit destroys;
    atomic { !lock; orphan = 1; closing = 1 }
#else
    atomic { !lock; closing = 1 }
#endif
    atomic { !lock; refusing = 1 }
    /* sil__intakes_settle */
    i = 0;
#ifndef BROKEN_HEAVY
    do
    :: i < SUBMITTERS ->
        atomic {
            do
            :: nempty(buffer[i]) -> reach_memory(i)
            :: else -> break
            od
        }
        i++
    :: else -> i = 0; break
    od;
#endif
    do
    :: i < SUBMITTERS && has_intake[i] -> !busy[i]; i++
    :: i < SUBMITTERS && !has_intake[i] -> i++
    :: else -> i = 0; break
    od;
    atomic {
        settled = 1;
        /* I1: what was put in is seen. */
        do
        :: i < SUBMITTERS -> assert(bottom[i] == made[i]); i++
        :: else -> i = 0; break
        od
    }
#ifdef ORPHAN
    atomic { !lock; lock = 1; threads-- }
    all_left()
#else
    /* wait_until_gone */
    do
    :: of_gone = gone;
        atomic { !lock; ended = gone_locked }
        if
        :: ended -> break
        :: else
        fi;
        gone != of_gone /* the futex */
    od;
    atomic { assert(!destroyed); destroyed = 1 }
#endif
}

proctype memory() {
    byte i;
    mtype store;
end_memory:
    do
    :: atomic { nempty(buffer[0]) -> reach_memory(0) }
#if SUBMITTERS > 1
    :: atomic { nempty(buffer[1]) -> reach_memory(1) }
#endif
    od
}

init {
    byte i;
    atomic {
        do
        :: i < SUBMITTERS -> run submitter(i); i++
        :: else -> break
        od;
        run closer();
#ifndef ORPHAN
        run worker();
#endif
        run memory()
    }
    timeout;
    assert(destroyed)
}
