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
 * I2: whoever adds a task looks at the gate afterwards, behind a light barrier; whoever sleeps,
 *     blocks or leaves changes the gate, and looks for tasks afterwards, behind a heavy barrier
 *     (base/asymmetric.h). So one of them sees the other, and no task is left lying while a
 *     worker that may take it sleeps.
 * I3: nobody is woken while one is searching: it will find the task, or look again after it has
 *     stopped counting as searching. The last searcher to find something wakes the next. It stops
 *     too often for heavy barriers, so who adds a task and means to rely on a searcher takes a
 *     full fence and looks again (sil__crew_wants).
 */
#ifndef SIL__THREAD_CREW_H
#define SIL__THREAD_CREW_H

#include "base/asymmetric.h"
#include "thread/pool.h"

struct sil__crew {
    unsigned threads;
    unsigned idle;
    unsigned searching;
    unsigned blocked;
};

/* The four counts in the gate's 64 bits. */
static inline struct sil__crew sil__crew_unpack(uint64_t gate)
{
    return (struct sil__crew){
        .threads = (unsigned)(gate >> 48),
        .idle = (unsigned)(gate >> 32) & 0xffff,
        .searching = (unsigned)(gate >> 16) & 0xffff,
        .blocked = (unsigned)gate & 0xffff,
    };
}

static inline struct sil__crew sil__crew_look(const struct sil__pool *pool)
{
    return sil__crew_unpack(atomic_load_explicit(&pool->gate, memory_order_seq_cst));
}

static inline unsigned sil__crew_active(struct sil__crew crew)
{
    return crew.threads - crew.idle - crew.blocked;
}

/* Nobody searches, but one who is active may do so in a moment: wait for it, less than what waking
 * another would take. False: it does not look like it. (spin.c) */
bool sil__crew_wait_for_searcher(const struct sil__pool *pool, struct sil__crew crew);

/* A task was added: has somebody to be called? (sil__crew_notify) */
static inline bool sil__crew_wants(const struct sil__pool *pool)
{
    sil__barrier_light(); /* I2 */
    struct sil__crew crew = sil__crew_look(pool);
    if (sil__crew_active(crew) >= pool->base.workers)
        return false;
    if (crew.searching == 0 && !sil__crew_wait_for_searcher(pool, crew))
        return true;
    sil__barrier_full(); /* I3 */
    return sil__crew_look(pool).searching == 0;
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

/* Look for work for a while, if that promises anything; true if there is some. (spin.c) */
bool sil__crew_spin(struct sil__worker *worker);

/* The worker has work again. (spin.c) */
void sil__crew_busy_again(struct sil__worker *worker);

/* More are active than should be: this one has to stand down. */
bool sil__crew_too_many(const struct sil__pool *pool);

/*
 * Sleep until woken, as a searcher. False: there are enough sleepers already, or the pool is
 * closing and there is no work; the thread has left the crew and must end. *out_last: it was the
 * last thread of a pool that nobody else will free.
 */
bool sil__crew_rest(struct sil__worker *worker, bool *out_last);

/* The worker looks after its own queues again, which others may have looked into first. */
void sil__crew_back(struct sil__worker *worker);

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
