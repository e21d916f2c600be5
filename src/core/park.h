/* SPDX-License-Identifier: MIT */
/*
 * Parking: how a wait waits. The contract between the core, which decides when to wait, and the
 * layers that know how: a plain thread, a pool's worker, a coroutine.
 *
 * A wait puts a waiter on its own stack, shows it to whoever will end the wait, and parks. The
 * other side wakes it once.
 *
 * I1: the waiter may be gone the moment its word is set: whoever wakes sets the word last.
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

struct sil__park_ops {
    /* Wait until the waiter is woken, or the deadline: false. */
    bool (*wait)(struct sil__context *context, struct sil__waiter *waiter, sil_deadline until);
    void (*wake)(struct sil__waiter *waiter);

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

struct sil__waiter {
    _Atomic uint32_t word; /* 0, then 1 when woken */
    const struct sil__park_ops *ops;
    sil_executor *executor; /* that is attended meanwhile (attend.h) */
};

/* How a thread waits that is nobody's worker. */
extern const struct sil__park_ops sil__park_thread;

/* wait and wake for anything that has a thread of its own. */
bool sil__park_thread_wait(struct sil__context *context, struct sil__waiter *waiter,
                           sil_deadline until);
void sil__park_thread_wake(struct sil__waiter *waiter);

void sil__waiter_init(struct sil__waiter *waiter, struct sil__context *context);

static inline bool sil__waiter_woken(struct sil__waiter *waiter)
{
    /* Acquire pairs with the release store in wake. */
    return atomic_load_explicit(&waiter->word, memory_order_acquire) != 0;
}

/* Ends the wait. The waiter must not be touched afterwards. */
void sil__waiter_wake(struct sil__waiter *waiter);

#endif
