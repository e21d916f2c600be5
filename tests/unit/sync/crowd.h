/* SPDX-License-Identifier: MIT */
/*
 * Plain threads that are known to stand in line, and a puppet: a context that waits as the test says.
 *
 * A member of the crowd counts itself before it parks, and by then its place is in the line. A puppet
 * does not wait at all: meanwhile runs instead, in the test's own context, and then its wait ends with
 * the code that the test gave it. So what happens at the same moment happens in any order wished.
 */
#ifndef TESTS_UNIT_SYNC_CROWD_H
#define TESTS_UNIT_SYNC_CROWD_H

#include <pthread.h>
#include <stdatomic.h>

#include <sillon/sillon.h>
#include <sillon/sync.h>

#include "core/context.h"
#include "core/park.h"
#include "support/gate.h"
#include "support/test.h"

/* --- threads --------------------------------------------------------------------------------- */

struct member {
    int (*fn)(void *arg);
    void *arg;
    const char *name; /**< of the thread; NULL: as it is */
    int code;
    pthread_t thread;
};

static atomic_uint crowd_parked; /* how often members have parked */

static inline int crowd_park(struct sil__context *context, struct sil__waiter *waiter,
                             sil_deadline until)
{
    (void)atomic_fetch_add(&crowd_parked, 1);
    return sil__park_thread_wait(context, waiter, until);
}

static const struct sil__park_ops crowd_ops = {.wait = crowd_park, .wake = sil__park_thread_wake};

static inline void *crowd_main(void *arg)
{
    struct member *member = arg;
    sil__context()->ops = &crowd_ops;
    if (member->name)
        (void)pthread_setname_np(pthread_self(), member->name);
    member->code = member->fn(member->arg);
    return NULL;
}

/** Start a thread that runs fn(arg). */
static inline void crowd_start(struct member *member, int (*fn)(void *arg), void *arg)
{
    member->fn = fn;
    member->arg = arg;
    assert_int_equal(pthread_create(&member->thread, NULL, crowd_main, member), 0);
}

/** The same, and wait until it has parked once more. */
static inline void crowd_queue(struct member *member, int (*fn)(void *arg), void *arg)
{
    unsigned before = atomic_load(&crowd_parked);
    crowd_start(member, fn, arg);
    eventually(atomic_load(&crowd_parked) > before);
}

/** What its fn returned. */
static inline int crowd_join(struct member *member)
{
    (void)pthread_join(member->thread, NULL);
    return member->code;
}

/* --- puppets --------------------------------------------------------------------------------- */

struct puppet {
    struct sil__context context; /**< first */
    void (*meanwhile)(void *user);
    void *user;
    int code;       /**< its waits end with, unless woken */
    unsigned waits; /**< how many there were */
    struct sil__context *test;
};

static inline int puppet_wait(struct sil__context *context, struct sil__waiter *waiter,
                              sil_deadline until)
{
    (void)until;
    struct puppet *puppet = (struct puppet *)context;
    if (++puppet->waits > 100)
        test_hung("a puppet waits again and again", __FILE__, __LINE__);
    if (puppet->meanwhile && puppet->waits == 1) {
        sil__context_current = puppet->test;
        puppet->meanwhile(puppet->user);
        sil__context_current = context;
    }
    /* As if the end of the wait came first, and the wake a moment later. */
    return puppet->code != 0 && puppet->waits == 1 ? puppet->code
           : sil__waiter_woken(waiter)             ? 0
                                                   : puppet->code;
}

static const struct sil__park_ops puppet_ops = {.wait = puppet_wait, .wake = sil__park_thread_wake};

static inline void puppet_init(struct puppet *puppet, void (*meanwhile)(void *user), void *user,
                               int code)
{
    *puppet = (struct puppet){.context.ops = &puppet_ops,
                              .meanwhile = meanwhile,
                              .user = user,
                              .code = code,
                              .test = sil__context()};
}

/** Run fn(arg) in its context; what it returns. */
static inline int puppet_call(struct puppet *puppet, int (*fn)(void *arg), void *arg)
{
    sil__context_current = &puppet->context;
    int code = fn(arg);
    sil__context_current = puppet->test;
    return code;
}

static inline void puppet_fini(struct puppet *puppet)
{
    sil__context_fini(&puppet->context);
}

#endif
