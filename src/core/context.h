/* SPDX-License-Identifier: MIT */
/*
 * The context: what a thread (later also a coroutine) is doing, as far as futures are concerned.
 *
 * There is always one: a thread's own lies in its thread-local storage and is ready at first use.
 * A coroutine engine gives each coroutine one and swaps the current pointer.
 */
#ifndef SIL__CORE_CONTEXT_H
#define SIL__CORE_CONTEXT_H

#include <sillon/error.h>
#include <sillon/executor.h>
#include <sillon/future.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/asymmetric.h"
#include "base/clock.h"
#include "core/future.h"
#include "core/park.h"

struct sil__hold;
struct sil__remote;

/* A task that runs in a context. Tasks nest: a worker may run what it awaits. As long as it is the
 * context's, it stays as it is, unless it is over: dumps may be looking at it. */
struct sil__frame {
    sil_future *task;             /* NULL: it was posted, and has no future, */
    sil_task_fn posted;           /* but a function, if that is known */
    const sil_executor *executor; /* whose task it is */
    struct sil__frame *outer;
    struct sil__remote *remote; /* not NULL: it came from another process (remote.h) */
    bool over; /* it has ended: its done callbacks run, which are no part of any task */
};

/* What a context has begun, and what may ask it to end its waits besides a cancel: a group whose task
 * has failed. Asked on any thread, which then interrupts the context to have it look. */
struct sil__cause {
    _Atomic bool asks; /* until it is delivered */
    struct sil__cause *outer;
};

/* What several waits in a row are for, of the task that says so: a group. On its stack. */
struct sil__said {
    const struct sil__purpose *purpose;
    const void *object; /* the purpose's */
    const struct sil__frame *frame;
    struct sil__said *outer;
};

struct sil__context {
    /* Owner thread only. */
    const struct sil__park_ops *ops;
    struct sil__frame *frame;       /* the innermost task that runs here, or NULL; see push */
    sil_error *last_error;          /* owned, or NULL */
    struct sil__listener *deferred; /* done callbacks this context still has to run */
    bool draining;
    bool woke;        /* it had a thread woken since it last waited: spinning would be in its way */
    int spin_credit;  /* how often waits were short lately (await.c) */
    bool insists;     /* it cannot give up its wait: another must (deadlock.h) */
    bool cancel_due;  /* the next wait, or the present one, ends with SIL_ECANCELLED */
    bool cancel_told; /* its task's request has been due, which it is once */
    unsigned shielded;         /* > 0: not these, so many times over */
    struct sil__cause *causes; /* more of them (group.c), or NULL */
    sil_deadline deadline;     /* 0: none; no wait lasts longer (sil_deadline_scope) */
    bool registered;           /* fini will be called when the thread ends */
    struct sil__hold *held;    /* the mutexes it has locked (deadlock.h), or NULL */

    /* Guarded by the deadlock graph's lock; it waits for futures, for a hold, or not at all. */
    sil_future *const *blocked_futures;
    size_t blocked_count;
    struct sil__hold *blocked_hold;
    const char *blocked_name; /* of a thread that runs no task */
    struct sil__waiter *blocked_waiter;
    bool condemned;     /* its wait was ended for the sake of one that insists, */
    sil_error *verdict; /* with this error; owned */
    enum sil__need blocked_need;
    uint32_t walk;                    /* the walk that last met this context, */
    bool walk_progress;               /* whether it found that it can go on, */
    struct sil__context *walk_before; /* and which context it met just before */

    /* Written by the owner, for dumps (dump_thread.c). */
    _Atomic(struct sil__waiter *) waiting; /* a thread's: what it sleeps on; NULL */
    int64_t since;                         /* ... and since when */
    struct sil__said *said;                /* what it is part of, or NULL */
    /* Written by dumps. */
    _Atomic bool watched; /* somebody looks: pass before what is shown goes away */
};

/* The calling thread's context, or that of the coroutine it runs; NULL before the first use. */
extern _Thread_local struct sil__context *sil__context_current
    __attribute__((visibility("hidden")));

/* The thread's own, made ready and current. */
struct sil__context *sil__context_own(void);

/* The calling thread's (or coroutine's) context; never NULL. */
static inline struct sil__context *sil__context(void)
{
    struct sil__context *context = sil__context_current;
    return context ? context : sil__context_own();
}

/* The earlier of until and the end of the context's scope. */
static inline sil_deadline sil__context_until(const struct sil__context *context,
                                              sil_deadline until)
{
    return context->deadline != 0 && context->deadline < until ? context->deadline : until;
}

/* The task that the context is for was asked to stop, perhaps again, perhaps by two who saw the same. */
static inline void sil__context_cancel(struct sil__context *context)
{
    if (!context->cancel_told)
        context->cancel_told = context->cancel_due = true;
}

bool sil__context_caused(const struct sil__context *context);

/* Must the next thing that may wait end with SIL_ECANCELLED at once? */
static inline bool sil__context_cancel_due(const struct sil__context *context)
{
    return (context->cancel_due || (context->causes && sil__context_caused(context))) &&
           context->shielded == 0;
}

/* It does so: the request is delivered, with what was under way in the message; SIL_ECANCELLED. */
int sil__context_deliver_cancel(struct sil__context *context, const char *what);

/* What may wait got on without: others may be waiting for our thread. */
static inline void sil__context_pace(struct sil__context *context)
{
    if (context->ops->pace)
        context->ops->pace(context);
}

/* Nobody looks at what it showed until now. */
void sil__context_pass(void);

/*
 * What has been taken off stays readable until this returns: either who looks sees that it was taken
 * off, or we see that somebody looks.
 */
static inline void sil__context_taken_off(struct sil__context *context)
{
    sil__barrier_light();
    /* Acquire pairs with the release store that ends the look. */
    if (__builtin_expect(atomic_load_explicit(&context->watched, memory_order_acquire), 0))
        sil__context_pass();
}

/* A task begins in the context, and ends: outer is the frame's. */
static inline void sil__context_push(struct sil__context *context, struct sil__frame *frame)
{
    /* Release pairs with the acquire load in dump_thread.c. */
    __atomic_store_n(&context->frame, frame, __ATOMIC_RELEASE);
}

static inline void sil__context_pop(struct sil__context *context, struct sil__frame *outer)
{
    __atomic_store_n(&context->frame, outer, __ATOMIC_RELEASE);
    sil__context_taken_off(context);
}

/* A thread falls asleep on this waiter, and wakes up. */
static inline void sil__context_sleeps(struct sil__context *context, struct sil__waiter *waiter)
{
    context->since = sil__clock_now();
    atomic_store_explicit(&context->waiting, waiter, memory_order_release);
}

static inline void sil__context_wakes(struct sil__context *context)
{
    atomic_store_explicit(&context->waiting, NULL, memory_order_relaxed);
    sil__context_taken_off(context);
}

/* From here on its waits are for this; until unsay. */
static inline void sil__context_say(struct sil__context *context, struct sil__said *said,
                                    const struct sil__purpose *purpose, const void *object)
{
    *said = (struct sil__said){
        .purpose = purpose, .object = object, .frame = context->frame, .outer = context->said};
    context->said = said;
}

static inline void sil__context_unsay(struct sil__context *context, const struct sil__said *said)
{
    context->said = said->outer;
}

/* The task whose code runs; NULL outside tasks, and in callbacks. */
static inline sil_future *sil__context_task(const struct sil__context *context)
{
    return context->frame && !context->frame->over ? context->frame->task : NULL;
}

/* The same for one from another process. */
static inline struct sil__remote *sil__context_remote(const struct sil__context *context)
{
    return context->frame && !context->frame->over ? context->frame->remote : NULL;
}

/* Does a task of this executor run in the context, at any depth? */
bool sil__context_runs(const struct sil__context *context, const sil_executor *executor);

/* In the child of a fork, whose thread is to begin anew: what the context was about is the parent's. */
void sil__context_restart(struct sil__context *context);

/* A task has ended in a context that is not a thread's own, and the next may begin. */
void sil__context_end(struct sil__context *context);

/* Give up what the context holds. For contexts that are not a thread's own. */
void sil__context_fini(struct sil__context *context);

/* Make error (takes; NULL allowed) the last error of the calling context. */
void sil__context_set_error(sil_error *error);

/* Make it an error of ours, with the text of code or the given one; returns code. */
int sil__fail(int code, const char *format, ...) SIL_PRINTF(2, 3);

/* The calling thread's name, never empty. */
const char *sil__thread_name(char *buffer, size_t size);

#endif
