/* SPDX-License-Identifier: MIT */
/*
 * The loop and its coroutines, from inside.
 *
 *     other threads --> intake (a lock) --+
 *                                         v   once a turn
 *     coroutines of the loop ---------> ready --> one after the other, each switching to the next
 *
 * A task waits in a queue as a bare future; it gets a stack when it begins. The control block of a
 * coroutine lies on top of its stack and is that stack's for good: it goes from task to task, and so
 * does its fiber, which between two tasks is parked in its main loop (coroutine.c).
 *
 * I1: whatever says "owner" is touched on the loop's thread only. On the loop's thread means: the
 *     reactor is the current one; what runs there while it is not, comes through the intake.
 * I2: a coroutine is parked, or in ready, or running; parked turns to ready once, by whoever ends its
 *     wait first (wake, timer, interrupt); the others only leave word.
 * I3: a waiter that another thread has woken lies in the intake until the loop has set its word; a
 *     coroutine does not leave the frame it lies in before that (park.h, I2).
 * I4: an interrupt is queued while the task's lock, or the graph's, keeps the coroutine from ending; a
 *     coroutine that ends with one queued first empties the intake.
 */
#ifndef SIL__CORO_LOOP_H
#define SIL__CORO_LOOP_H

#include <pthread.h>
#include <sillon/executor_impl.h>
#include <sillon/loop.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <sillon/promise.h>

#include "base/lock.h"
#include "core/context.h"
#include "core/dump.h"
#include "core/future.h"
#include "coro/fiber.h"
#include "coro/stack.h"
#include "loop/reactor.h"

struct sil__coroutine {
    struct sil__stack stack; /* first */
    struct sil__context context;
    struct sil__fiber fiber;
    struct sil__loop *loop;

    /* Owner. */
    bool warm;   /* its fiber has been made, and is parked in its main loop */
    bool parked; /* I2 */
    bool timed_out;
    bool condemned;             /* by the deadlock graph: what it waits for will not be */
    bool exposed;               /* the graph knows of its join */
    bool revokes;               /* its task is not to be run but cancelled: loop->cancelling */
    sil_future *task;           /* borrowed, or to be run (takes) */
    uintptr_t ready_next;       /* while it is in ready: see sil__loop_push */
    int64_t since;              /* when its wait began, for dumps */
    struct sil__waiter *waiter; /* what it waits on, or NULL: a join */
    struct sil__timer timer;
    struct sil__coroutine *joiner; /* who waits for its end, on this loop, beside listeners */
    struct sil__coroutine *joins;  /* whose end it waits for like that */
    sil_future *join_future;       /* ... by that one's future */
    bool join_watched;             /* ... for ever, so that it may be part of a cycle */
    struct sil__coroutine *next_live;
    struct sil__coroutine *prev_live;

    /* Guarded by the intake's lock. */
    uint32_t interrupts;           /* enum sil__interrupt */
    _Atomic bool interrupt_queued; /* written under the lock */
    struct sil__coroutine *next_interrupted;
};

/* Futures in the order given. */
struct sil__task_list {
    sil_future *first;
    sil_future *last;
};

/* What other threads leave. */
struct sil__loop_intake {
    struct sil__lock lock;
    _Atomic bool filled; /* there is something; written under lock */
    /* Guarded by lock. */
    struct sil__task_list tasks[3]; /* high, normal, low */
    size_t task_count;
    _Atomic uint64_t submitted; /* read by all */
    _Atomic uint64_t dropped;   /* of those, cancelled before they were taken over */
    struct sil__waiter *woken_first;
    struct sil__waiter *woken_last;
    struct sil__coroutine *interrupted;
    bool cancel_main;        /* sil_run: the task that called it was asked to stop */
    bool closing;            /* no more tasks */
    bool cancel_pending;     /* and those that have not begun are to be cancelled */
    bool orphan;             /* nobody will close it any more: it frees itself */
    struct sil__part *asked; /* dumps that wait for an answer */
};

struct sil__loop {
    sil_executor base;
    struct sil__reactor reactor;

    /* Owner. */
    uintptr_t ready_first;
    uintptr_t ready_last;
    uintptr_t turn_last;    /* the last that was ready when this turn began; 0: it has been run */
    uintptr_t urgent_last;  /* the last of those in front of all others; 0: there are none */
    struct sil__fiber root; /* the thread's own stack, in the middle of a turn */
    struct sil__context *root_context; /* its context */
    struct sil__coroutine *current;    /* NULL: the root; read by dumps */
    struct sil__coroutine *ended;      /* just switched away from for good: its stack is free */
    struct sil__stacks stacks;
    sil_future *unlucky;         /* no stack could be had for them: to be failed by the root */
    struct sil__coroutine *live; /* all that have a task */
    size_t live_count;
    size_t most_live;       /* since memory was last given back */
    struct sil__timer trim; /* when to do that next */
    unsigned budget;        /* resumptions left in this turn */
    unsigned allowance;     /* ... at its beginning */
    unsigned pace;          /* things done without waiting, until others are let run */
    bool closed;            /* it has seen closing */
    bool drained;           /* and nothing is left */
    bool cancelling;        /* tasks that have not begun are cancelled when their turn comes */
    bool cancels_main;      /* sil_run: its main coroutine is to be cancelled, */
    bool stopping;          /* or has ended: so must all others */
    bool kept;              /* the reactor is kept, for the sake of coroutines */
    bool asked;             /* somebody waits for a dump of it */
    bool notes;             /* in this turn: who runs for how long; for slow_after and traces */
    int64_t resumed_at;     /* ... since when, then */
    sil_executor *blocking; /* where calls that block are run; NULL until needed */
    bool own_blocking;

    /* Read-only. */
    unsigned stack_class;
    size_t max_pending;
    sil_when_full when_full;
    int64_t slow_after; /* nanoseconds; 0: do not look */
    sil_slow_fn on_slow;
    void *user;
    bool leave_sigsegv;
    bool attached; /* to its user's loop of libuv */
    bool has_thread;
    char name[64];
    pthread_t thread;       /* its own, or the one it is attached on */
    sil_promise *end;       /* kept when nothing is left */
    sil_future *end_future; /* ... its future */
    sil_future *main;       /* of sil_run; borrowed */

    /* Written by the owner, read by all. */
    _Atomic uint64_t submitted; /* by coroutines of its own */
    _Atomic uint64_t begun;
    _Atomic uint64_t done;
    _Atomic uintptr_t home;  /* the thread that runs it (sil__biased_identity); 0: none does */
    _Atomic int64_t turn_at; /* when the present turn began, or the last one */

    struct sil__loop_intake intake;
    struct sil__source source;
};

extern const struct sil__park_ops sil__park_coroutine;

/* The loop whose thread this is and whose turn it is; NULL. */
static inline struct sil__loop *sil__loop_here(void)
{
    struct sil__reactor *reactor = sil__reactor_current();
    return reactor ? (struct sil__loop *)((char *)reactor - offsetof(struct sil__loop, reactor))
                   : NULL;
}

static inline struct sil__coroutine *sil__coroutine_of(struct sil__context *context)
{
    return (struct sil__coroutine *)((char *)context - offsetof(struct sil__coroutine, context));
}

/* The calling coroutine; NULL outside. */
static inline struct sil__coroutine *sil__coroutine_self(void)
{
    struct sil__context *context = sil__context();
    return context->ops == &sil__park_coroutine ? sil__coroutine_of(context) : NULL;
}

/* NULL if it is none. */
struct sil__loop *sil__loop_of(sil_executor *executor);

/* Written by one thread, read by others. */
static inline void sil__loop_count(_Atomic uint64_t *counter)
{
    uint64_t count = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, count + 1, memory_order_relaxed);
}

/* --- schedule.c: who runs next ----------------------------------------------------------------- */

/* Owner: at the end of ready. A task: takes. */
void sil__loop_push_task(struct sil__loop *loop, sil_future *task);
/* The same in front, behind others of this kind. */
void sil__loop_push_urgent(struct sil__loop *loop, sil_future *task);
void sil__loop_push(struct sil__loop *loop, struct sil__coroutine *coroutine);

/* Is the task the next? Then it is not in ready any more, and the caller's. */
bool sil__loop_pop_task(struct sil__loop *loop, const sil_future *task);

/* The stack of one that has just ended is free: called on every other one, after each switch. */
static inline void sil__loop_reap(struct sil__loop *loop)
{
    struct sil__coroutine *ended = loop->ended;
    if (!ended)
        return;
    loop->ended = NULL;
    sil__stacks_give(&loop->stacks, &ended->stack);
}

/* With notes: this one, whose task is readable, has held the loop until now. */
void sil__loop_note(struct sil__loop *loop, const struct sil__coroutine *coroutine);

/* Owner: its wait is over (I2). */
static inline void sil__coroutine_unpark(struct sil__coroutine *coroutine)
{
    if (!coroutine->parked)
        return;
    coroutine->parked = false;
    sil__loop_push(coroutine->loop, coroutine);
}

/* The calling coroutine, parked or in ready, stops, and others run, until its turn comes. */
void sil__coroutine_suspend(struct sil__coroutine *self);

/* The same, and this one is next. */
void sil__coroutine_suspend_for(struct sil__coroutine *self, struct sil__coroutine *next);

/* To the next that is ready, from a coroutine that has ended its task; returns when it has another. */
void sil__coroutine_retire(struct sil__coroutine *self);

/* Where a task comes from that is to begin. */
enum sil__origin {
    SIL__FROM_QUEUE,
    SIL__FROM_TAKE, /* the same; the only other reference is that of a sil_take which waits here */
    SIL__FROM_MIDDLE, /* it stays in its queue, where it comes up once more */
};

/* A coroutine for a task (takes), to be switched to. NULL: it was not pending any more, or there was no
 * stack for it: then it fails soon, or is tried again when it comes up. */
struct sil__coroutine *sil__coroutine_take(struct sil__loop *loop, sil_future *task,
                                           enum sil__origin origin);

/* Owner: the next in ready is a task for a stack such as self's: claimed, for self to run. */
bool sil__coroutine_go_on(struct sil__coroutine *self);

/* Owner: a task (takes) that was pending in ready or the intake never began, or not here. */
void sil__loop_drop_task(struct sil__loop *loop, sil_future *task);

/* A turn: run what is ready, for a while; more: true. */
bool sil__loop_turn(struct sil__reactor *reactor);

/* --- stacks.c: giving memory back ---------------------------------------------------------------- */

void sil__loop_init_stacks(struct sil__loop *loop);

/* At the end of a turn: after a burst of coroutines, their stacks are given back piece by piece. */
void sil__loop_look_after_stacks(struct sil__loop *loop);

/* On the thread that ran the coroutines, outside of them. */
void sil__loop_fini_stacks(struct sil__loop *loop);

/* --- coroutine.c: the life of one --------------------------------------------------------------- */

/* What its fiber runs. */
void sil__coroutine_main(void);

/* --- waiting.c, join.c: how one waits ------------------------------------------------------------ */

/* Parked until the deadline; false: that has passed. Then suspend, then end_wait: 0, or why it must not
 * go on waiting. */
bool sil__coroutine_begin_wait(struct sil__coroutine *self, sil_deadline until);
int sil__coroutine_end_wait(struct sil__coroutine *self);

/* Owner. */
void sil__coroutine_interrupted(struct sil__coroutine *coroutine, uint32_t why);
void sil__coroutine_tell_joiner(struct sil__coroutine *self);
static inline void sil__coroutine_woken(struct sil__waiter *waiter)
{
    struct sil__coroutine *coroutine = sil__coroutine_of(waiter->context);
    atomic_store_explicit(&waiter->word, 1, memory_order_relaxed);
    if (coroutine->waiter == waiter)
        sil__coroutine_unpark(coroutine);
}

/* As the operations of struct sil__park_ops. */
int sil__coroutine_join(struct sil__context *context, sil_future *future, sil_deadline until,
                        bool taken);
void sil__coroutine_expose(struct sil__context *context);

/* --- intake.c: from other threads --------------------------------------------------------------- */

extern const struct sil__reactor_driver sil__loop_driver;

/* Owner: take over what is there. */
void sil__loop_accept(struct sil__loop *loop);

/* Any thread. 0 (takes), or why it is not taken in, and is still the caller's: SIL_ESHUTDOWN, SIL_EFULL. */
int sil__intake_task(struct sil__loop *loop, sil_future *task);
void sil__intake_waiter(struct sil__loop *loop, struct sil__waiter *waiter);
void sil__intake_interrupt(struct sil__coroutine *coroutine, enum sil__interrupt why);
void sil__intake_close(struct sil__loop *loop, bool cancel_pending, bool orphan);
void sil__intake_cancel_main(struct sil__loop *loop);

/* A dump asks the loop to fill a part; and gives up: false if it is being answered. take: all of them. */
void sil__intake_ask(struct sil__loop *loop, struct sil__part *part);
bool sil__intake_unask(struct sil__loop *loop, struct sil__part *part);
struct sil__part *sil__intake_take_asked(struct sil__loop *loop);

/* --- dump.c: being seen -------------------------------------------------------------------------- */

extern const struct sil__source_ops sil__loop_source; /* by which gdb/sillon-gdb.py knows a loop */

/* From now on it is in dumps; and no more. */
void sil__loop_show(struct sil__loop *loop);
void sil__loop_hide(struct sil__loop *loop);

/* Owner, outside coroutines: fill the parts that were asked for. */
void sil__loop_answer(struct sil__loop *loop);

/* --- loop_executor.c, attach.c ------------------------------------------------------------------- */

void sil__loop_init_executor(struct sil__loop *loop);

/* Have libuv run, on the thread the loop is attached on, until nothing is left: 0, SIL_ETIMEDOUT. */
int sil__loop_run_attached(struct sil__loop *loop, sil_deadline until);

/* --- loop.c: life ------------------------------------------------------------------------------- */

/* NULL with the last error set. */
struct sil__loop *sil__loop_create(const sil_loop_options *options, struct uv_loop_s *uv,
                                   const char *who);
void sil__loop_destroy(struct sil__loop *loop);

/* Have overflows on the calling thread reported, and not any more; as its options say. They nest. */
void sil__loop_watch_stacks(const struct sil__loop *loop);
void sil__loop_unwatch_stacks(const struct sil__loop *loop);

/* On its thread: run until nothing is left and nobody can submit any more. */
void sil__loop_run(struct sil__loop *loop);

/* Owner: closing, and is anything left? Then all who wait for the end are told. */
void sil__loop_check_end(struct sil__loop *loop);

/* Owner, outside coroutines: something was put into ready. */
void sil__loop_kick(struct sil__loop *loop);

/* Where calls that block are run, from the calling coroutine's loop. NULL with the last error. */
sil_executor *sil__loop_blocking(void);

#endif
