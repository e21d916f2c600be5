/* SPDX-License-Identifier: MIT */
/*
 * Fork-join: recursive parallelism at the price of a few stores.
 *
 * A fork says that a piece of work may run elsewhere meanwhile; the join runs it here if nobody
 * took it, and waits for it otherwise. The child lies in the caller's frame: nothing is allocated.
 *
 *     struct fib { sil_child child; long n, result; };
 *
 *     static void fib(sil_lane lane, void *arg)
 *     {
 *         struct fib *f = arg;
 *         if (f->n < 2) {
 *             f->result = f->n;
 *             return;
 *         }
 *         struct fib a, b;
 *         a.n = f->n - 1;
 *         b.n = f->n - 2;
 *         sil_fork(&lane, &a.child, fib, &a);
 *         fib(lane, &b);
 *         sil_join(&lane, &a.child);
 *         f->result = a.result + b.result;
 *     }
 *
 *     struct fib f = {.n = 30};
 *     sil_fork_run(pool, fib, &f);
 *
 * The lane is the place in the calling worker's stack of children. It is passed on by value; fork
 * and join change the caller's copy. The rules:
 *   - join all you forked before you return, the last one first;
 *   - pass on the lane you have now, and only downwards: to what you call, and to nobody else;
 *   - do not fork(2) between a fork and its join, but to exec: the child has no other workers;
 *   - children may await futures, but a child must not wait for what its parent does after it, nor
 *     a parent for its child but by the join: nobody may have taken it.
 *
 * Inline form: sil_join_here tells that nobody took the child, and that it is yours to do. Call
 * the function itself then: the compiler sees a plain call, and may inline it. Best with the child
 * in a block of its own, which ends before that call:
 *
 *     long b;
 *     {
 *         struct fib task;
 *         task.n = n - 1;
 *         sil_fork(&lane, &task.child, fib_child, &task);
 *         b = fib(lane, n - 2);
 *         if (!sil_join_here(&lane, &task.child))
 *             return task.result + b;
 *     }
 *     return fib(lane, n - 1) + b;
 *
 * Elision: while enough children wait and nobody is hungry, a fork is wasted. Where children fork
 * in turn, ask first; with the fork in a function of its own, the calls without need no room for
 * the child:
 *
 *     return sil_fork_wanted(&lane) ? fork_fib(lane, n) : fib(lane, n - 1) + fib(lane, n - 2);
 *
 * Do not ask where children are long and do not fork themselves: what was not forked can never be
 * taken by others.
 *
 * Of one worker's children 65,000 can wait at a time; more are run by the fork itself. A child
 * that somebody took acts on the task it belongs to (sil_cancelled, sil_progress); its
 * sil_last_error is its own.
 *
 * The method is the split deque of T. van Dijk and J. van de Pol, "Lace: Non-blocking Split Deque
 * for Work-Stealing" (2014): the newest children are private, and pushed and popped by plain
 * stores; the oldest are published, half of the rest whenever somebody is hungry.
 */
#ifndef SILLON_FORK_H
#define SILLON_FORK_H

#include <assert.h>
#include <sillon/executor.h>
#include <stdint.h>

typedef struct sil_child sil_child;
typedef struct sil_lane_edge sil_lane_edge;

/** Where in a worker's stack of children the next one goes. Copy it freely; the member is ours.
 *  One word, so that it is passed on in a register. */
typedef struct sil_lane {
    sil_child **head;
} sil_lane;

/**
 * A piece of work.
 *
 * @param lane  for its own forks.
 * @param arg   what was given to sil_fork.
 */
typedef void (*sil_fork_fn)(sil_lane lane, void *arg);

/** A piece of work that may be taken by others. Lies in your frame, uninitialised, from fork to
 *  join. The members are ours: nobody may read them meanwhile, or copy a struct they are in. */
struct sil_child {
    sil_fork_fn fn;
    void *arg;
    void *state; /* of a published one: who has it */
};

/** What fork and join compare with; moved by the lane's owner, and by whoever is hungry. */
struct sil_lane_edge {
    sil_child **limit;  /* a fork from here on takes the slow way; NULL: somebody is hungry */
    sil_child **floor;  /* a join below takes the slow way: it may be published */
    sil_child **enough; /* below it forks are wanted */
};

/* A stack of children and its edge lie in one piece of memory of this size and alignment. */
enum { SIL_LANE_SIZE = 512 * 1024 };

/* After a join the slow way. */
typedef struct sil_joined {
    sil_child **head;
    bool here;
} sil_joined;

SIL_BEGIN_DECLS

/**
 * Run a function that forks, on a worker of the executor, and wait until it returns. Called from
 * a worker of this executor it runs at once. On an executor without lanes (the inline executor)
 * all forks run where they stand.
 *
 * @param executor  borrows.
 * @param arg       passed on as it is.
 * @return 0; SIL_EINVAL an argument is NULL; SIL_ENOTSUP the executor does not share our memory;
 *         or why it did not run: SIL_ESHUTDOWN, SIL_ECANCELLED (shut down before its turn),
 *         SIL_EFULL, SIL_ENOMEM, SIL_EAGAIN, SIL_EBROKEN, SIL_EFORKED.
 * @threads any, also tasks
 * @blocks  until it has returned
 */
SIL_API int sil_fork_run(sil_executor *executor, sil_fork_fn fn, void *arg);

/**
 * The slow ways of the functions below, and not to be called by others. A fork: somebody is hungry,
 * or there is no room. A join: the child may have been taken. Both say where the head is then.
 *
 * @threads task
 */
SIL_API __attribute__((cold)) sil_child **sil_fork_slow(sil_child **slot, sil_child *child);
/** @threads task */
SIL_API __attribute__((cold)) sil_joined sil_join_slow(sil_child **slot);

SIL_END_DECLS

/* The edge of the lane that a slot is in: found by rounding down, so that a lane is one word. */
static inline sil_lane_edge *sil_lane_edge_of(sil_child **slot)
{
    return (sil_lane_edge *)(void *)((char *)slot - ((uintptr_t)slot & (SIL_LANE_SIZE - 1)));
}

/**
 * Let a piece of work be taken by others, until the join.
 *
 * @param lane   yours; changed.
 * @param child  borrows, until the join.
 * @param arg    passed on as it is.
 * @threads task
 */
static inline void sil_fork(sil_lane *lane, sil_child *child, sil_fork_fn fn, void *arg)
{
    sil_child **slot = lane->head;
    child->fn = fn;
    child->arg = arg;
    if (__builtin_expect(slot < __atomic_load_n(&sil_lane_edge_of(slot)->limit, __ATOMIC_RELAXED),
                         1)) {
        __atomic_store_n(slot, child, __ATOMIC_RELAXED);
        lane->head = slot + 1;
    } else {
        lane->head = sil_fork_slow(slot, child);
    }
}

/**
 * Join the child that was forked last, without running it: the inline form.
 *
 * @param lane   yours; changed.
 * @return true: nobody took it; do its work now, by a plain call. false: it has been done, and
 *         what it wrote can be read.
 * @threads task
 * @blocks  while another worker does it; meanwhile other children of the same task are run here
 */
static inline bool sil_join_here(sil_lane *lane, const sil_child *child)
{
    sil_child **slot = lane->head - 1;
    (void)child;
    if (__builtin_expect(slot >= __atomic_load_n(&sil_lane_edge_of(slot)->floor, __ATOMIC_RELAXED),
                         1)) {
#if !defined(NDEBUG) && !defined(__OPTIMIZE__)
        assert(__atomic_load_n(slot, __ATOMIC_RELAXED) == child); /* the last one first */
#endif
        lane->head = slot;
        return true;
    }
    sil_joined joined = sil_join_slow(slot);
    lane->head = joined.head;
    return joined.here;
}

/**
 * Join the child that was forked last: run it here, or wait for whoever took it.
 *
 * @param lane   yours; changed.
 * @threads task
 * @blocks  as sil_join_here
 */
static inline void sil_join(sil_lane *lane, const sil_child *child)
{
    if (sil_join_here(lane, child))
        child->fn(*lane, child->arg);
}

/**
 * Is it worth to fork now? False while several children of this lane wait and nobody is hungry,
 * and where nobody could ever take one.
 *
 * @threads task
 */
static inline bool sil_fork_wanted(const sil_lane *lane)
{
    return lane->head < __atomic_load_n(&sil_lane_edge_of(lane->head)->enough, __ATOMIC_RELAXED);
}

#endif
