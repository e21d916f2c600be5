/* SPDX-License-Identifier: MIT */
/*
 * The thread pool from inside: what its files share.
 *
 *     thread_pool.c   options, creation, the operations of the executor
 *     submit.c        how tasks get in
 *     refuse.c        what does not get in, and what ends in a queue
 *     intake.c        the queues of outside submitters
 *     worker.c        a worker's life: find a task, run it, sleep
 *     crew.c          who works, sleeps, is blocked; starting and waking workers
 *     spin.c          how long a worker looks for work before it sleeps
 *     help.c          how a worker waits for a future
 *     lane.c, fork.c  fork-join: the stacks of children, and stealing from them
 *     shutdown.c      how it all ends
 *     deque.c, injector.c, cell.c   the queues, and what lies in them
 *
 * Workers live in slots that are never given up before the pool is, so that thieves may look at
 * any of them at any time; a slot whose thread has ended is used again by a later one.
 *
 * No lock of a pool is taken while another is held.
 */
#ifndef SIL__THREAD_POOL_H
#define SIL__THREAD_POOL_H

#include <pthread.h>
#include <sillon/executor_impl.h>
#include <sillon/thread_pool.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"
#include "core/dump.h"
#include "thread/deque.h"
#include "thread/injector.h"
#include "thread/intake.h"

#define SIL__POOL_MAX_THREADS 32767
#define SIL__POOL_NAME_SIZE 16

struct sil__lane;
struct sil__pool;

struct sil__worker {
    /* Read-only while the thread lives. */
    struct sil__pool *pool;
    unsigned index;
    pthread_t thread;
    const char *stack_mark; /* below it there is too little stack left to nest tasks */

    struct sil__deque deque;           /* what its own tasks submitted */
    struct sil__deque batch;           /* what it took from an intake in one go: a FIFO */
    _Atomic(struct sil__lane *) lanes; /* the outermost (lane.h) */

    /* Guarded by the pool's lock. */
    struct sil__worker *next; /* in the pool's idle or free list */
    bool in_idle_list;
    bool to_join; /* its thread has ended, or is about to */

    _Atomic uint32_t wake; /* 1: get up; slept on while 0 */
    _Atomic bool held;     /* its owner is away, blocked or asleep: its queues come first */

    /* Owner thread only. */
    bool searching; /* counted as such in the gate */
    uint32_t random;
    uint32_t fair_in;      /* turns until the outside comes first */
    unsigned first_intake; /* to look into next */
    struct sil__context *context;
    struct sil__lane *lane; /* the innermost in use, or NULL */
    int64_t idle_since;     /* when it ran out of work; 0: not known */

    /* Atomic; written by the owner, read by sil_executor_stats_get. */
    _Atomic uint64_t submitted;
    _Atomic uint64_t done;
    _Atomic uint64_t stolen;
    _Atomic uint64_t helped;
    _Atomic uint32_t running; /* tasks on its stack */
};

struct sil__pool {
    sil_executor base;

    /* Read-only after create. */
    uint64_t serial; /* no other pool ever has the same */
    char name[SIL__POOL_NAME_SIZE];
    unsigned max_threads;
    unsigned max_spinners;
    size_t stack_size;
    size_t max_pending;
    sil_when_full when_full;
    int (*initializer)(void *arg);
    void *initializer_arg;

    struct sil__intakes intakes;

    /* Atomic; seldom written. */
    _Atomic bool closing;
    _Atomic bool broken;         /* set after broken_by and its error */
    _Atomic bool refusing;       /* one of both; set under lock */
    _Atomic bool cancelling;     /* shut down, and what is found in a queue is cancelled */
    _Atomic unsigned slot_count; /* slots ever used */

    struct sil__injector injector;

    /* Atomic. */
    _Alignas(64) _Atomic uint64_t gate; /* crew.h */
    _Atomic int spin_credit;            /* spin.c */
    _Atomic uint32_t held;              /* workers that are */
    _Atomic uint64_t caller_runs;       /* tasks run by submitters, when full */
    _Atomic uint64_t dropped; /* tasks that ended in a queue: refused, or cancelled at the end */
    _Atomic uint32_t gone;    /* times the last thread left; shutdown sleeps on it */

    /* Guarded by lock. */
    struct sil__lock lock;
    struct sil__worker *idle; /* the latest to fall asleep first */
    struct sil__worker *free; /* slots without a thread */
    unsigned callers;         /* submitters who run a task themselves */
    bool orphan;              /* closed by its own task: the last to leave frees it */

    /* Written before broken is set. */
    int broken_by;           /* the initializer's code */
    sil_error *broken_error; /* owned: what it said, or NULL */

    /* Slots: set under lock, before slot_count counts them; read without. */
    _Atomic(struct sil__worker *) *slots;

    struct sil__source source;
};

/* The calling thread's worker, of whatever pool; NULL if it is none. */
struct sil__worker *sil__worker_current(void);

/* The same, if it is one of this pool. */
struct sil__worker *sil__worker_self(const sil_executor *executor);

static inline struct sil__intake *sil__intake_at(const struct sil__pool *pool, unsigned index)
{
    return atomic_load_explicit(&pool->intakes.at[index], memory_order_relaxed);
}

/* --- worker.c ------------------------------------------------------------------------------ */

void *sil__worker_main(void *argument);

/* Any task for this worker; a cell of kind NONE when there is none anywhere. */
struct sil__cell sil__worker_find(struct sil__worker *worker);

/* Run a task that was found (takes), unless it has ended already. */
void sil__worker_run(struct sil__worker *worker, struct sil__cell cell);

/* Count for the statistics; owner only. */
static inline void sil__worker_count(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + count,
                          memory_order_relaxed);
}

/* xorshift32, G. Marsaglia (2003); owner only. */
static inline uint32_t sil__worker_random(struct sil__worker *worker)
{
    uint32_t x = worker->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return worker->random = x;
}

/*
 * What a worker waits for nests on its stack as long as enough is left for what that does itself;
 * then another worker, with a stack of its own, goes on.
 */
static inline bool sil__worker_stack_is_low(const struct sil__worker *worker)
{
    return (const char *)__builtin_frame_address(0) < worker->stack_mark;
}

/* --- submit.c ------------------------------------------------------------------------------ */

void sil__pool_submit(sil_executor *executor, sil_future *const *tasks, size_t count);
int sil__pool_post(sil_executor *executor, sil_task_fn fn, const void *args, size_t arg_size,
                   size_t count);

/* It is closing, or broken: when this returns nothing more gets in, and what got in is seen. */
void sil__pool_refuse(struct sil__pool *pool);

/* --- refuse.c ------------------------------------------------------------------------------ */

/* Why the pool refuses: SIL_EBROKEN or SIL_ESHUTDOWN. */
int sil__pool_refusal(struct sil__pool *pool);

/* Fail a task with code and the pool's reason (takes); or, for a posted one, make that the last
 * error, and return code. */
void sil__pool_refuse_task(struct sil__pool *pool, sil_future *task, int code);
int sil__pool_refuse_post(struct sil__pool *pool, int code);

/* A task that was found in a queue while the pool cancels (takes). */
void sil__pool_cancel(struct sil__pool *pool, struct sil__cell cell);

/* End every task that waits: cancelled, or failed with the pool's reason (broken, no thread). */
void sil__pool_empty(struct sil__pool *pool, int code);

/* --- shutdown.c ---------------------------------------------------------------------------- */

int sil__pool_shutdown(sil_executor *executor, bool cancel_pending, sil_deadline until);
int sil__pool_close(sil_executor *executor);

/* The last to leave an orphan, or close when it has waited for all: free everything, retire. */
void sil__pool_destroy(struct sil__pool *pool);

/* --- fork.c -------------------------------------------------------------------------------- */

/* Steal a forked child from any lane, and run it; false when there is none. */
bool sil__fork_run_stolen(struct sil__worker *worker);

/* --- help.c -------------------------------------------------------------------------------- */

struct sil__park_ops;
extern const struct sil__park_ops sil__park_worker;

#endif
