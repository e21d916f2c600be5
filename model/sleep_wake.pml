/* SPDX-License-Identifier: MIT */
/*
 * Submitters against workers that fall asleep: src/thread/crew.h, I1 to I3.
 *
 * What is counted: a queue is how many were put in (`made` as its owner has stored it, `put` as
 * memory has it) and how many were taken out. Between the two is the owner's store buffer; the
 * process `memory` empties it whenever it likes. A locked instruction waits until its own
 * thread's is empty; the heavy barrier empties all, one after the other; the light one does nothing.
 *
 * A task ends, runs for ever, blocks (and may go on, or not), or puts another into its worker's own
 * queue. The monitor looks when nothing can happen any more.
 *
 * Sizes (-D): WORKERS that should be active, THREADS at most, SUBMITTERS with TASKS each, OWN tasks
 * that tasks put in themselves, BLOCKS, SPARES kept asleep, FAILS to start a thread, CLOSE.
 * Mutations: BROKEN_..., each takes one ingredient away.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef THREADS
#define THREADS 2
#endif
#ifndef SUBMITTERS
#define SUBMITTERS 2
#endif
#ifndef TASKS
#define TASKS 1
#endif
#ifndef OWN
#define OWN 0
#endif
#ifndef BLOCKS
#define BLOCKS 0
#endif
#ifndef SPARES
#define SPARES THREADS
#endif
#ifndef FAILS
#define FAILS 0
#endif
#ifndef ASLEEP
#define ASLEEP 0 /* threads there are at the beginning, */
#endif
#ifndef RUNNING
#define RUNNING 0 /* and others that run a task */
#endif

#if OWN > 0 || defined(BATCH)
#define QUEUES (SUBMITTERS + THREADS)
#else
#define QUEUES SUBMITTERS
#endif

byte made[QUEUES], put[QUEUES], taken[QUEUES];

/* The gate; each change and each look is one step. */
byte threads, idle, searching, blocked;
#define active (threads - idle - blocked)
#define wanted (searching == 0 && active < WORKERS)

bit lock;
bit present[THREADS], in_list[THREADS], wake[THREADS];
byte own = OWN, blocks = BLOCKS, fails = FAILS;
bit closing, refusing, closed;
bit busy[SUBMITTERS]; /* between the look at refusing and the end of the put: settle.pml */

#define drained(queue) (queue >= QUEUES || put[queue] == made[queue])

inline heavy() {
    scan = 0;
#ifndef BROKEN_HEAVY
    do
    :: scan < QUEUES -> d_step { put[scan] = made[scan]; scan++ }
    :: else -> scan = 0; break
    od
#endif
}

/* sil__crew_has_work; the bottom first, then the top: sil__deque_size */
inline has_work(out) {
    scan = 0;
    out = 0;
    do
    :: scan < QUEUES && !out ->
        bottom = put[scan];
        d_step {
            out = bottom > taken[scan];
            bottom = 0;
            scan++
        }
    :: else -> scan = 0; break
    od
}

/* call_one and what it calls; mine: the caller's queue */
inline call_one(may_start) {
    atomic { !lock && drained(mine); lock = 1; call = wanted; fresh = 0 }
    if
    :: call && idle > 0 ->
        atomic {
            if
            :: in_list[0] -> who = 0
#if THREADS > 1
            :: in_list[1] -> who = 1
#endif
#if THREADS > 2
            :: in_list[2] -> who = 2
#endif
            fi;
            in_list[who] = 0; idle--; searching++;
            lock = 0
        }
        d_step { wake[who] = 1; who = 0 }
    :: call && idle == 0 && threads < THREADS && may_start ->
        d_step { threads++; searching++; lock = 0; fresh = 1 }
    :: else -> lock = 0
    fi
}

/* sil__crew_notify */
inline notify() {
#ifndef BROKEN_NOTIFY
    drained(mine);
#endif
    call = wanted;
    if
    :: call ->
        call_one(1);
        if
        :: fresh ->
            if
            :: atomic {
                    /* start_worker */
                    if
                    :: !present[0] -> present[0] = 1
#if THREADS > 1
                    :: !present[1] -> present[1] = 1
#endif
#if THREADS > 2
                    :: !present[2] -> present[2] = 1
#endif
                    fi;
                    fresh = 0
                }
            :: atomic { fails > 0 -> fails--; fresh = 0 }
                d_step { threads--; searching-- }
#ifndef BROKEN_FAIL
                heavy();
#endif
                call_one(0);
                failed = active == 0
            fi
        :: else
        fi
    :: else
    fi;
    call = 0
}

/* Who got SIL_EAGAIN empties all queues (call_inside). */
inline answer() {
    if
    :: failed ->
        scan = 0;
        do
        :: scan < QUEUES -> d_step { taken[scan] = put[scan]; scan++ }
        :: else -> scan = 0; break
        od;
        failed = 0
    :: else
    fi
}

/* sil__crew_wants, of what was put into the queue `mine` */
inline wants() {
    atomic {
        if
        :: active >= WORKERS -> call = 0; again = 0
        :: active < WORKERS && searching == 0 -> call = 1; again = 0
        :: active < WORKERS && searching > 0 -> call = 0; again = 1
        fi
    }
    if
    :: again ->
#ifdef BROKEN_FULL
        d_step { call = searching == 0; again = 0 }
#else
        d_step { drained(mine); call = searching == 0; again = 0 }
#endif
    :: else
    fi
}

proctype submitter(byte mine) {
    byte n, scan, bottom, who;
    bit call, fresh, failed, again;
    do
    :: n < TASKS ->
        n++;
        if
        :: d_step { refusing -> n = TASKS }
        :: d_step { !refusing -> busy[mine] = 1 }
            made[mine]++;
            wants();
            busy[mine] = 0;
            if
            :: call ->
                drained(mine); /* inside is raised by a locked instruction */
                notify();
                answer()
            :: else
            fi
        fi
    :: else -> break
    od
}

proctype worker(byte me) {
    byte scan, bottom, who, mine;
    bit call, fresh, failed, again, seeks, found, many;
    mine = SUBMITTERS + me;
    if
    :: me < ASLEEP -> goto end_asleep
    :: me >= ASLEEP && me < ASLEEP + RUNNING -> goto do_it
    :: else
    fi;

end_absent:
    atomic { present[me] -> seeks = 1; goto loop }

loop:
    many = active > WORKERS;
    if
    :: many -> goto rest
    :: else
    fi;
    scan = 0;
    found = 0;
    do
    :: scan < QUEUES && !found ->
        d_step {
            (scan != mine || drained(mine));
            if
            :: put[scan] > taken[scan] -> taken[scan]++; found = 1
            :: else
            fi;
            scan++
        }
#ifdef BATCH
    :: atomic { scan < SUBMITTERS && !found && put[scan] > taken[scan] + 1 ->
            taken[scan] = taken[scan] + 2;
            found = 1;
            scan = 0
        }
        /* take_batch: the second goes to our own queue */
        made[mine]++;
#ifndef BROKEN_BATCH
        if
        :: !seeks ->
            wants();
            if
            :: call -> notify()
            :: else
            fi
        :: else /* sil__crew_found will see it */
        fi;
#endif
        break
#endif
    :: else -> scan = 0; break
    od;
    if
    :: found -> found = 0; goto do_it
    :: !found && !seeks -> atomic { drained(mine); searching++; seeks = 1; goto loop }
    :: !found && seeks -> goto rest
    fi;

progress_do_it:
do_it:
    if
    :: seeks ->
        /* sil__crew_found */
        d_step { drained(mine); searching--; seeks = 0; call = wanted }
#ifndef BROKEN_FOUND
        if
        :: call ->
            has_work(call);
            if
            :: call -> notify()
            :: else
            fi
        :: else
        fi
#endif
    :: else
    fi;
    call = 0;
    if
    :: goto loop /* it ends */
    :: goto end_never
#if BLOCKS > 0
    :: atomic { blocks > 0 -> blocks-- }
        d_step { drained(mine); blocked++ }
#ifndef BROKEN_BLOCK
        heavy();
#endif
        has_work(call);
        if
        :: call -> notify()
        :: else
        fi;
        if
        :: d_step { drained(mine); blocked-- }; goto loop
        :: goto end_never
        fi
#endif
#if OWN > 0
    :: atomic { own > 0 -> own-- }
        made[mine]++;
        wants();
        if
        :: call -> notify()
        :: else
        fi;
        goto do_it
#endif
    fi;

rest:
    atomic { !lock && drained(mine); lock = 1; call = idle >= WORKERS + SPARES || closing }
    if
    :: call ->
        /* leave_locked */
        d_step { threads--; searching = searching - seeks; seeks = 0; many = active < WORKERS }
#ifndef BROKEN_LEAVE
        heavy();
#endif
        has_work(call);
        if
        :: many && call -> d_step { threads++; searching++; seeks = 1; lock = 0 }; goto loop
        :: else -> d_step { present[me] = 0; lock = 0; many = 0; call = 0 }; goto end_absent
        fi
    :: else ->
        /* fall_asleep_locked */
        d_step { idle++; searching = searching - seeks; seeks = 0; in_list[me] = 1; lock = 0 }
    fi;
#ifndef BROKEN_LOOK
    heavy();
    many = active < WORKERS;
    if
    :: many ->
        has_work(call);
        if
        :: call ->
            atomic {
                /* get_up */
                !lock;
                if
#ifdef BROKEN_AGAIN
                :: in_list[me] ->
#else
                :: in_list[me] && active < WORKERS ->
#endif
                    in_list[me] = 0; idle--; searching++; wake[me] = 1
                :: else
                fi
            }
        :: else
        fi
    :: else
    fi;
#endif
    d_step { call = 0; many = 0 }
end_asleep:
    atomic { wake[me] -> wake[me] = 0; seeks = 1; goto loop }

end_never:
    false
}

#ifdef CLOSE
proctype closer() {
    byte scan, bottom, who, mine = 255;
    bit call, fresh, failed;
    atomic { !lock -> closing = 1 }
    refusing = 1;
    scan = 0;
    do
    :: scan < SUBMITTERS -> atomic { !busy[scan]; put[scan] = made[scan]; scan++ }
    :: else -> scan = 0; break
    od;
    /* sil__crew_wake_all */
    do
    :: atomic {
            !lock && idle > 0;
            if
            :: in_list[0] -> who = 0
#if THREADS > 1
            :: in_list[1] -> who = 1
#endif
#if THREADS > 2
            :: in_list[2] -> who = 2
#endif
            fi;
            in_list[who] = 0; idle--; searching++
        }
        d_step { wake[who] = 1; who = 0 }
    :: atomic { !lock && idle == 0 -> break }
    od;
    /* has_ended */
end_waits:
    atomic { !lock && threads == 0 -> skip }
    has_work(call);
    if
    :: call -> notify(); answer(); goto end_waits
    :: else -> closed = 1
    fi
}
#endif

proctype memory() {
end_memory:
    do
    :: atomic { put[0] < made[0] -> put[0]++ }
#if QUEUES > 1
    :: atomic { put[1] < made[1] -> put[1]++ }
#endif
#if QUEUES > 2
    :: atomic { put[2] < made[2] -> put[2]++ }
#endif
#if QUEUES > 3
    :: atomic { put[3] < made[3] -> put[3]++ }
#endif
#if QUEUES > 4
    :: atomic { put[4] < made[4] -> put[4]++ }
#endif
    od
}

byte i;
bit left;

init {
    atomic {
        i = 0;
        do
        :: i < ASLEEP -> present[i] = 1; in_list[i] = 1; threads++; idle++; i++
        :: i >= ASLEEP && i < ASLEEP + RUNNING -> present[i] = 1; threads++; i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < SUBMITTERS -> run submitter(i); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < THREADS -> run worker(i); i++
        :: else -> i = 0; break
        od;
        run memory();
#ifdef CLOSE
        run closer();
#endif
    }
    timeout;
    atomic {
        do
        :: i < QUEUES -> left = left || put[i] > taken[i]; i++
        :: else -> break
        od;
        assert(searching == 0 && !lock);
        /* I3: nothing lies there that somebody could do. */
        assert(!left || active >= WORKERS || (idle == 0 && (threads == THREADS || FAILS > 0)));
        /* I2: nothing lies there while nobody is active. */
        assert(!left || active > 0 || threads == THREADS);
#ifdef CLOSE
        /* Only who runs, or is blocked, for ever is still there. */
        assert(idle == 0 && (closed || threads > 0));
#endif
    }
}
