/* SPDX-License-Identifier: MIT */
/*
 * The crew of a pool: how many threads there are and what they do, in one word, the gate.
 *
 *     threads     alive, or being started
 *     idle        asleep, in the pool's idle list
 *     searching   awake and looking for a task
 *     blocked     waiting inside a task for a future
 *     active      threads - idle - blocked: those that get work done
 *
 * A pool of n workers keeps up to n active as long as there are tasks. One that blocks is
 * replaced by another, so there may be more than n threads; when it goes on there are more than n
 * active, and the next to finish its task stands down.
 *
 * I1: idle changes only under the pool's lock, together with the idle list.
 * I2: whoever adds a task looks at the gate afterwards; whoever goes to sleep changes the gate and
 *     looks for tasks afterwards; all of it sequentially consistent. So one of them sees the
 *     other, and no task is left lying while a worker that may take it sleeps.
 * I3: nobody is woken while one is searching: it will find the task, or look again after it has
 *     stopped counting as searching. The last searcher to find something wakes the next.
 */
#ifndef SIL__THREAD_CREW_H
#define SIL__THREAD_CREW_H

#include "thread/pool.h"

struct sil__crew {
    unsigned threads;
    unsigned idle;
    unsigned searching;
    unsigned blocked;
};

struct sil__crew sil__crew_look(const struct sil__pool *pool);

static inline unsigned sil__crew_active(struct sil__crew crew)
{
    return crew.threads - crew.idle - crew.blocked;
}

/*
 * A task was added, or a place became free: see that somebody looks. 0, or SIL_EAGAIN: nobody is
 * active and no thread could be started.
 */
int sil__crew_notify(struct sil__pool *pool);

/* Are there tasks in any queue? */
bool sil__crew_has_work(const struct sil__pool *pool);

/* The worker begins or stops to search. Stopping with a task in hand passes the search on. */
void sil__crew_search(struct sil__worker *worker);
void sil__crew_found(struct sil__worker *worker);

/* More are active than should be: this one has to stand down. */
bool sil__crew_too_many(const struct sil__pool *pool);

/*
 * Sleep until woken, as a searcher. False: there are enough sleepers already, or the pool is
 * closing and there is no work; the thread has left the crew and must end. *out_last: it was the
 * last thread of a pool that nobody else will free.
 */
bool sil__crew_rest(struct sil__worker *worker, bool *out_last);

/* Wait inside a task. block returns false if there is work, and no worker free to do it. */
bool sil__crew_block(struct sil__worker *worker);
void sil__crew_unblock(struct sil__worker *worker);

/*
 * A submitter runs a task itself; false: the pool is closing. Until leave it counts like a thread
 * that must end before the pool may. True from leave: it was the last, of an orphan.
 */
bool sil__crew_caller_enter(struct sil__pool *pool);
bool sil__crew_caller_leave(struct sil__pool *pool);

/* A submitter that was inside (injector.h) is done with the pool. True as from caller_leave. */
bool sil__crew_submitter_leave(struct sil__pool *pool);

/* Has everybody left? */
bool sil__crew_gone(struct sil__pool *pool);

/* A thread ends before its first task: as the false of rest. */
void sil__crew_leave(struct sil__worker *worker, bool *out_last);

/* Wake all who sleep. */
void sil__crew_wake_all(struct sil__pool *pool);

#endif
