/* SPDX-License-Identifier: MIT */
/*
 * Parking: how a wait waits. The contract between the core, which decides when to wait, and the
 * layers that know how: a plain thread, a pool's worker, a coroutine.
 *
 * A wait puts a waiter on its own stack, shows it to whoever will end the wait, and parks. The
 * other side wakes it once.
 *
 * I1: the waiter may be gone the moment its word is set: whoever wakes touches it last when it
 *     hands the wake over, and is_woken may be false for a while afterwards.
 * I2: so whoever gave a wait up, and then finds that it is being woken after all (it cannot take its
 *     waiter out of where the other side found it), settles the waiter before it goes away.
 *
 * To add a way to wait: fill a struct sil__park_ops, and set it in the context of the threads (or
 * coroutines) concerned. wait and wake are required; NULL is fine for the rest.
 */
#ifndef SIL__CORE_PARK_H
#define SIL__CORE_PARK_H

#include <sillon/deadline.h>
#include <sillon/executor.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sil__context;
struct sil__waiter;
struct sil__sight;

/* A cancel is due now; it was condemned; or look whether a cancel is due (a cause in context.h). */
enum sil__interrupt {
    SIL__INTERRUPT_CANCEL = 1,
    SIL__INTERRUPT_CONDEMN = 2,
    SIL__INTERRUPT_LOOK = 4,
};

struct sil__park_ops {
    /*
     * Wait until the waiter is woken: 0. Else SIL_ETIMEDOUT: the deadline came first;
     * SIL_ECANCELLED: a cancel is due in this context (context.h), which the caller delivers, once
     * it knows that it has nothing better to say; SIL_EDEADLK: it was condemned.
     */
    int (*wait)(struct sil__context *context, struct sil__waiter *waiter, sil_deadline until);
    /* Any thread; once a waiter. */
    void (*wake)(struct sil__waiter *waiter);

    /*
     * Wait for a future in a way of its own, cheaper than all below; SIL_ENOTSUP: not for this one.
     * Else as wait. taken: the caller's reference goes with the wait, so nobody else may use it.
     */
    int (*join)(struct sil__context *context, sil_future *future, sil_deadline until, bool taken);

    /*
     * It is about to wait for what the deadlock graph knows: tell the graph who waits for it by join.
     */
    void (*expose)(struct sil__context *context);

    /*
     * End the wait that this context is in, or the next one: a cancel is due, or it was condemned.
     * Any thread; something keeps the context there meanwhile: a lock of the task that runs in it, of
     * the deadlock graph, or of a group that it opened. NULL: its waits are not ended by a cancel, and a
     * condemned one is woken.
     */
    void (*interrupt)(struct sil__context *context, enum sil__interrupt why);

    /* It got on without waiting: time to let others run? NULL: they do anyway. */
    void (*pace)(struct sil__context *context);

    /* Does the shutdown of this executor wait by the operations above? NULL: it may put the thread to
     * sleep. */
    bool (*parks)(sil_executor *executor);

    /*
     * Run the task if nobody has started it and this context may; true if it did. last_resort:
     * nobody else can; what cannot be run here either is failed, for it would never end.
     */
    bool (*help)(struct sil__context *context, sil_future *task, bool last_resort);

    /*
     * This context is about to wait for a future, perhaps for long: let another take its place.
     * Ended by unblock, always. False: nobody can, though there is work.
     */
    bool (*block)(struct sil__context *context);
    void (*unblock)(struct sil__context *context);

    /*
     * The last resort when no thread can be had: run any task that waits for a worker of ours;
     * true if it did.
     */
    bool (*help_any)(struct sil__context *context);
};

/* What a wait is for, as a dump tells it (dump.h). */
struct sil__purpose {
    const char *text; /* "sleep"; what look says is better, if it says anything */
    void (*look)(const void *object, struct sil__waiter *waiter,
                 struct sil__sight *sight); /* or NULL */
};

struct sil__waiter {
    _Atomic uint32_t word; /* 0, then 1 when woken */
    const struct sil__park_ops *ops;
    sil_executor *executor;             /* that is attended meanwhile (attend.h) */
    struct sil__context *context;       /* that waits */
    struct sil__waiter *next;           /* its ops', while it is being woken */
    const struct sil__purpose *purpose; /* or NULL; set between init and the wait */
    const void *object;                 /* the purpose's */
};

/* How a thread waits that is nobody's worker. */
extern const struct sil__park_ops sil__park_thread;

/* wait and wake for anything that has a thread of its own. */
int sil__park_thread_wait(struct sil__context *context, struct sil__waiter *waiter,
                          sil_deadline until);
void sil__park_thread_wake(struct sil__waiter *waiter);

void sil__waiter_init(struct sil__waiter *waiter, struct sil__context *context);

static inline bool sil__waiter_woken(struct sil__waiter *waiter)
{
    /* Acquire pairs with the release store in wake. */
    return atomic_load_explicit(&waiter->word, memory_order_acquire) != 0;
}

/* I2: it has been woken or is being woken: until that has reached it. */
void sil__waiter_settle(struct sil__waiter *waiter);

/* Ends the wait. The waiter must not be touched afterwards. */
void sil__waiter_wake(struct sil__waiter *waiter);

#endif
