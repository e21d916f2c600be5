/* SPDX-License-Identifier: MIT */
/*
 * The future, from inside: its layout, its transitions, and what the layers do with it.
 *
 * A task is a future with a function: one block of memory holds the future, the argument and the
 * result. Rare things (a name, a deadline, an error) live in its details, made when needed.
 *
 * I1: code, result and error are written only by whoever moved the future out of PENDING (the
 *     claimer), and read only once it is final.
 * I2: nothing is in listeners once the future is final.
 * I3: LISTENED is set before a listener enters the list, so whoever ends the future without
 *     seeing it may leave the lock alone.
 */
#ifndef SIL__CORE_FUTURE_H
#define SIL__CORE_FUTURE_H

#include <sillon/executor_impl.h>
#include <sillon/future.h>
#include <sillon/task.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"

struct sil__context;

/* In the low half of sil_future.word, above the two bits of the sil_state. */
enum {
    SIL__STATE_PHASE = 3,
    SIL__STATE_LISTENED = 4,
    SIL__STATE_CANCEL_ASKED = 8,
    SIL__STATE_READY = 16, /* a task that waits for nothing but a worker */
    SIL__STATE_SENT = 32,  /* its engine has handed it on: it knows whether it has begun */
    SIL__STATE_ALONE = 64, /* all references are one thread's */
};

/* One reference, in the high half. */
#define SIL__ONE_REF (UINT64_C(1) << 32)

/* Somebody who wants to know. Lies in its owner's memory while it is in a list. */
struct sil__listener {
    struct sil__listener *next; /* circular; guarded by the future's lock */
    struct sil__listener *prev;
    sil_future *future; /* set while it waits to be told, after the list is gone */
    /*
     * A waiter (deferred false) is told under the future's lock, first; it must be quick, and
     * may be gone when it returns. A callback (deferred true) is told after, without lock.
     */
    void (*notify)(struct sil__listener *listener, sil_future *future);
    bool deferred;
    bool on_cancel; /* a waiter that is also told of a cancel request, and stays */
};

/* Which of the futures it waits for a wait, or a combined future, needs. */
enum sil__need {
    SIL__NEED_ALL,     /* every one must end */
    SIL__NEED_ONE,     /* one must end */
    SIL__NEED_SUCCESS, /* one must succeed, or all end */
    SIL__NEED_FAILURE, /* one must fail, or all end */
};

/* What a future made of others does differently. NULL members: nothing. */
struct sil__future_kind {
    /* In place of fn. */
    int (*run)(sil_future *future);
    /*
     * It was cancelled: give up its inputs, and ask them to stop. No lock is held. One of them may
     * be returned, owned, for the caller to ask: so that a long chain needs no stack.
     */
    sil_future *(*cancelled)(sil_future *future);
    /* What it waits for, borrowed, while it is not final; called with the future's lock held. */
    size_t (*inputs)(sil_future *future, sil_future *const **out_futures, enum sil__need *out_need);
    /* The last reference is gone. A future it held may be returned, owned, for others to drop. */
    sil_future *(*destroy)(sil_future *future);
};

/* What few futures have. */
struct sil__details {
    /* Read-only after submit. */
    sil_deadline deadline; /* 0: none; a timeout moves it when the task begins */
    double timeout;        /* 0: none */
    unsigned retries;
    unsigned lost;     /* processes it ran in that died */
    size_t items;      /* of sil_map's; 0: it is no such task */
    int64_t queued_at; /* sil__clock_now(); 0: no trace was on */
    void *arg;         /* owned: the argument, if arg_outside */
    void (*arg_free)(void *arg);
    /* Atomic; written by the running task. */
    _Atomic uint64_t progress_done;
    _Atomic uint64_t progress_total;
    /* Written by the claimer, read when final. */
    _Atomic(sil_error *) error; /* owned; made on demand for a cancelled future */
    void *block;                /* owned: a result made by sil_result_alloc, or elsewhere */
    size_t block_size;
    void (*block_free)(void *block);
    sil_future *value_from; /* owned: the result is this one's */
    /* Read-only after create. */
    bool named;
    char name[];
};

struct sil_future {
    /* References and state in one: a worker ends a task and lets go of it in one step. */
    _Atomic uint64_t word;
    struct sil__lock lock;
    int code;                        /* I1 */
    struct sil__listener *listeners; /* guarded by lock: the first added, or NULL */

    /* Read-only after create. */
    const struct sil__future_kind *kind; /* NULL: a plain task, or a promise (fn NULL) */
    sil_executor *executor;              /* who runs it; NULL: nobody */
    sil_task_fn fn;
    size_t arg_size;
    size_t result_size;
    uint32_t generation; /* of the process that made it */
    uint16_t recycled;   /* bytes of the block, if it is one of recycle.h; else 0 */
    int8_t priority;
    bool no_wait : 1;        /* rather refused than waited with for room in a queue */
    bool arg_outside : 1;    /* the argument lies in a block of the engine's */
    bool result_outside : 1; /* so will the result, made when needed */
    unsigned char
        stack_class : 4;      /* of a coroutine: 0 its loop's, else one more than coro/stack.h's */
    unsigned char unused : 1; /* so that all are written in one go */

    sil_future *next;                       /* the executor's, while it is in a queue */
    _Atomic(struct sil__context *) runner;  /* where it runs, while RUNNING; NULL: not here */
    _Atomic(struct sil__details *) details; /* NULL until needed */

    _Alignas(max_align_t) unsigned char bytes[]; /* the argument, then the result */
};

/* What there is to submit; all members borrowed. */
struct sil__task_spec {
    const struct sil__future_kind *kind;
    sil_executor *executor;
    const sil_submit_options *options; /* NULL: defaults */
    sil_task_fn fn;
    const void *arg; /* NULL: zeros */
    size_t arg_size;
    size_t result_size;
    size_t items; /* not 0: argument and result are arrays of so many, of sil_map */
    unsigned char stack_class;
    bool no_wait;
};

/* --- future.c: life ------------------------------------------------------------------------ */

/* PENDING, with so many references. NULL with an error set: SIL_ENOMEM, or SIL_EINVAL an absurd size. */
sil_future *sil__future_create(const struct sil__task_spec *spec, unsigned refs);

/* The last reference is gone: free it, and what it held. */
void sil__future_destroy(sil_future *future);

/* A future that has failed, with a message; never NULL: without memory it is a fixed one. */
sil_future *sil__future_failed(int code, const char *format, ...) SIL_PRINTF(2, 3);

/* A future that has failed with the calling context's last error. */
sil_future *sil__future_failed_last(void);

/* The details, made if need be; NULL without memory. */
struct sil__details *sil__future_details(sil_future *future);

static inline sil_state sil__future_phase(const sil_future *future)
{
    /* Acquire pairs with the release in sil__state_finish: final means readable. */
    return (sil_state)(atomic_load_explicit(&future->word, memory_order_acquire) &
                       SIL__STATE_PHASE);
}

static inline bool sil__future_final(const sil_future *future)
{
    return sil__future_phase(future) >= SIL_FINISHED;
}

/* Was it cancelled before anybody began it? */
static inline bool sil__future_never_ran(const sil_future *future)
{
    return sil__future_phase(future) == SIL_CANCELLED &&
           !atomic_load_explicit(&future->runner, memory_order_relaxed) &&
           !(atomic_load_explicit(&future->word, memory_order_relaxed) & SIL__STATE_SENT);
}

void *sil__future_arg_outside(sil_future *future);

static inline void *sil__future_arg(sil_future *future)
{
    if (future->arg_outside)
        return sil__future_arg_outside(future);
    return future->arg_size ? future->bytes : NULL;
}

/* NULL: there are none, or they lie outside. */
void *sil__future_result_bytes(sil_future *future);

/* The bytes for who runs the task here; NULL without memory if they lie outside. */
void *sil__future_result_room(sil_future *future);

/* Make the block (takes) its result; false: no memory, and block_free was called. */
bool sil__future_take_block(sil_future *future, void *block, size_t size,
                            void (*block_free)(void *block));

/* Where did the value come from, if from another future: else future itself. */
const sil_future *sil__future_value(const sil_future *future);

/* Name it in a message: its name in quotes, or "task 0x..." in the buffer. */
const char *sil__future_label(const sil_future *future, char *buffer, size_t size);

/* --- state.c: transitions ------------------------------------------------------------------ */

/* PENDING -> RUNNING: true for one caller only, who must finish it. */
bool sil__state_claim(sil_future *future);

/*
 * The same for a task that is taken (sil_take) on the thread that runs it, when there is no reference
 * but the taker's and the caller's: from now on no other thread can know of it, and it ends without a
 * locked instruction. False: there may be others, or it is not pending and ready.
 */
bool sil__state_claim_alone(sil_future *future);

/*
 * RUNNING -> FINISHED, or CANCELLED if code is SIL_ECANCELLED; wakes and tells the listeners.
 * Only for the claimer, who holds a reference over the call. error: takes; NULL allowed.
 */
void sil__state_finish(sil_future *future, int code, sil_error *error);

/* The same, and release (takes). */
void sil__state_finish_release(sil_future *future, int code, sil_error *error);

/* PENDING or RUNNING: ask to stop. As sil_future_cancel or, with force, sil_future_kill, but asks no
 * inputs. */
int sil__state_cancel(sil_future *future, bool force);

/* PENDING: cancel; false if it was not pending any more. */
bool sil__state_cancel_pending(sil_future *future);

/* A task that waited for others is now handed to its executor. */
void sil__state_set_ready(sil_future *task);

/* A pending task that an awaiter may claim and run? */
bool sil__state_ready(const sil_future *task);

bool sil__state_cancel_asked(const sil_future *future);

/* A pending task is handed on; false: it was not pending. It comes back. */
bool sil__state_send(sil_future *task);
void sil__state_recall(sil_future *task);

/* Is it not final and handed on? Then its executor is entered (sil_attend_ops). */
bool sil__state_attend(sil_future *future);

/* The phase as users see it: asks the engine of a task that was sent. */
sil_state sil__state_look(sil_future *future);

/* How far it is, if its engine knows. */
bool sil__state_progress(sil_future *future, uint64_t *out_done, uint64_t *out_total);

/*
 * From hold to unhold callbacks are put aside, for others to run (takes what unhold returned): for
 * a thread that ends futures while its user waits for something else, maybe with locks held.
 */
struct sil__held {
    struct sil__listener *deferred;
    bool draining;
};
void sil__state_hold(struct sil__context *context, struct sil__held *held);
struct sil__listener *sil__state_unhold(struct sil__context *context, struct sil__held *held);
/* Add other to list. */
void sil__state_join(struct sil__listener **list, struct sil__listener *other);
void sil__state_run(struct sil__listener *callbacks);

/* Add a listener, last; false if the future is final, and then it will not be told. */
bool sil__state_listen(sil_future *future, struct sil__listener *listener);

/* Take it out again; false if it has been told, or will be. */
bool sil__state_unlisten(sil_future *future, struct sil__listener *listener);

/* Run the callbacks the calling context still owes; for whoever is about to wait. */
void sil__state_drain(struct sil__context *context);

/* --- task.c: running ----------------------------------------------------------------------- */

/* Run a claimed task here and finish it; release: and let go of it (takes). */
void sil__task_execute(sil_future *task, bool release);

/* Tasks that are for several elements of a map; spec.items says how many. */
extern const struct sil__future_kind sil__items_kind;

/* Call fn for each element of two arrays, until one fails: its code. */
int sil__items_call(sil_task_fn fn, size_t items, void *args, size_t arg_size, void *results,
                    size_t result_size);

#endif
