/* SPDX-License-Identifier: MIT */
/*
 * Everything of sync.h hammered by threads, by the workers of a pool and by coroutines of two loops
 * at once, with random deadlines, while they are being cancelled. The books must balance.
 */
#include <sillon/sync.h>

#include <sillon/coro.h>
#include <sillon/loop.h>
#include <sillon/sillon.h>
#include <stdatomic.h>
#include <string.h>

#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { TASKS = 16, ROUNDS = TEST_SCALE(4000), ITEMS = TASKS / 2 * ROUNDS };

static struct {
    sil_mutex *mutex;
    sil_condition *not_empty;
    sil_condition *not_full;
    sil_semaphore *semaphore;
    sil_event *event;
    sil_barrier *barrier;
    sil_queue *queue;
    /* Guarded by the mutex. */
    long counted;
    int buffered;
    /* Atomic. */
    atomic_long done[2]; /* what the test counts, on both sides */
    atomic_int inside;
    atomic_uint wrong; /* codes, and orders, that must not be */
    atomic_uchar seen[ITEMS];
} shared;

/* One of TASKS. */
struct hand {
    unsigned number;
    uint64_t seed;
};

static sil_deadline some_deadline(struct random *random)
{
    switch (random_below(random, 4)) {
    case 0:
        return SIL_NOW;
    case 1:
        return sil_in((double)random_below(random, 200) * 1e-6);
    case 2:
        return sil_in(1000);
    default:
        return SIL_FOREVER;
    }
}

static void expect(bool holds)
{
    if (!holds)
        (void)atomic_fetch_add(&shared.wrong, 1);
}

/* Waits that may fail in the ways that have been asked for. */
static bool went_well(int code)
{
    expect(code == 0 || code == SIL_ETIMEDOUT || code == SIL_ECANCELLED || code == SIL_EFULL);
    return code == 0;
}

/* --- what is hammered ------------------------------------------------------------------------ */

static int use_mutex(void *arg, void *result)
{
    (void)result;
    struct hand *hand = arg;
    struct random random = {hand->seed};
    long mine = 0;
    for (int i = 0; i < ROUNDS; i++) {
        if (!went_well(sil_mutex_lock(shared.mutex, some_deadline(&random))))
            continue;
        long before = shared.counted;
        if (random_below(&random, 64) == 0)
            (void)sil_yield();
        shared.counted = before + 1;
        mine++;
        expect(sil_mutex_unlock(shared.mutex) == 0);
    }
    (void)atomic_fetch_add(&shared.done[0], mine);
    return 0;
}

enum { PERMITS = 3 };

static int use_semaphore(void *arg, void *result)
{
    (void)result;
    struct hand *hand = arg;
    struct random random = {hand->seed};
    for (int i = 0; i < ROUNDS; i++) {
        if (!went_well(sil_semaphore_acquire(shared.semaphore, some_deadline(&random))))
            continue;
        int inside = atomic_fetch_add(&shared.inside, 1) + 1;
        expect(inside <= PERMITS);
        if (random_below(&random, 64) == 0)
            (void)sil_yield();
        (void)atomic_fetch_sub(&shared.inside, 1);
        expect(sil_semaphore_release(shared.semaphore, 1) == 0);
    }
    return 0;
}

/* One sets and clears it; the others wait for it. */
static int use_event(void *arg, void *result)
{
    (void)result;
    struct hand *hand = arg;
    struct random random = {hand->seed};
    if (hand->number == 0) {
        /* Until all others are done. */
        while (atomic_load(&shared.done[0]) < TASKS - 1) {
            expect(sil_event_set(shared.event) == 0);
            random_yield(&random);
            expect(sil_event_clear(shared.event) == 0);
            (void)sil_yield();
        }
        return 0;
    }
    for (int i = 0; i < ROUNDS / 4; i++)
        (void)went_well(sil_event_wait(shared.event, some_deadline(&random)));
    (void)atomic_fetch_add(&shared.done[0], 1);
    return 0;
}

/* A buffer with room for four: half of them fill it, the others empty it. */
static int use_condition(void *arg, void *result)
{
    (void)result;
    struct hand *hand = arg;
    struct random random = {hand->seed};
    bool fills = hand->number % 2;
    for (int i = 0; i < ROUNDS / 4;) {
        if (sil_mutex_lock(shared.mutex, SIL_FOREVER) != 0)
            continue; /* cancelled */
        bool ready = true;
        while (ready && (fills ? shared.buffered == 4 : shared.buffered == 0))
            ready = went_well(sil_condition_wait(fills ? shared.not_full : shared.not_empty,
                                                 shared.mutex, some_deadline(&random)));
        if (ready) {
            shared.buffered += fills ? 1 : -1;
            expect(sil_condition_notify(fills ? shared.not_empty : shared.not_full, 1) == 0);
            i++;
        }
        expect(sil_mutex_unlock(shared.mutex) == 0);
    }
    return 0;
}

/* Rounds in step: whoever is through knows that all have come. A cancel breaks it; who sees that,
 * resets it. */
static int use_barrier(void *arg, void *result)
{
    (void)result;
    struct hand *hand = arg;
    struct random random = {hand->seed};
    for (int i = 0; i < ROUNDS / 16; i++) {
        size_t index = TASKS;
        int code = sil_barrier_wait(shared.barrier, &index, sil_in(0.001));
        expect(code == 0 ? index < TASKS / 2 : index == TASKS);
        if (code == SIL_EBROKEN && random_below(&random, 2) == 0)
            expect(sil_barrier_reset(shared.barrier) == 0);
        else
            expect(code == 0 || code == SIL_EBROKEN || code == SIL_ETIMEDOUT ||
                   code == SIL_ECANCELLED);
    }
    return 0;
}

/* Half of them put numbers that nobody else puts, the others get them until it is closed. */
static int use_queue(void *arg, void *result)
{
    (void)result;
    struct hand *hand = arg;
    struct random random = {hand->seed};
    if (hand->number % 2) {
        int first = (int)hand->number / 2 * ROUNDS;
        for (int item = first; item < first + ROUNDS;)
            item += went_well(sil_queue_put(shared.queue, &item, some_deadline(&random)));
        if (atomic_fetch_add(&shared.done[0], 1) + 1 == TASKS / 2)
            expect(sil_queue_join(shared.queue, SIL_FOREVER) == 0 ||
                   sil_queue_join(shared.queue, SIL_FOREVER) == 0); /* one may be cancelled */
        return 0;
    }
    for (;;) {
        int item = -1;
        int code = sil_queue_get(shared.queue, &item, some_deadline(&random));
        if (code == SIL_EEND)
            return 0;
        if (!went_well(code)) {
            (void)sil_yield();
            continue;
        }
        expect(item >= 0 && item < ITEMS && atomic_fetch_add(&shared.seen[item], 1) == 0);
        expect(sil_queue_task_done(shared.queue) == 0);
        if (atomic_fetch_add(&shared.done[1], 1) + 1 == ITEMS)
            expect(sil_queue_close(shared.queue) == 0);
    }
}

/* --- all hands ------------------------------------------------------------------------------- */

static void all_hands(sil_task_fn fn, bool cancels)
{
    sil_executor *places[] = {sil_loop_thread(NULL), sil_loop_thread(NULL),
                              sil_thread_pool(&(sil_thread_pool_options){.workers = 2})};
    sil_future *futures[TASKS];
    struct random random = {99};
    for (unsigned i = 0; i < TASKS; i++) {
        struct hand hand = {i, random_next(&random)};
        unsigned place = i / 2 % 4;
        futures[i] = place == 3 ? sil_thread_start(NULL, fn, &hand, sizeof hand, 0)
                                : sil_submit(places[place], fn, &hand, sizeof hand, 0);
    }
    /* Each is cancelled once, some time, if it runs then. */
    for (unsigned i = 0; cancels && i < TASKS; i++) {
        (void)sil_await(futures[random_below(&random, TASKS)],
                        sil_in((double)random_below(&random, 1000) * 1e-6));
        if (sil_future_state(futures[i]) == SIL_RUNNING)
            (void)sil_future_cancel(futures[i]);
    }
    for (unsigned i = 0; i < TASKS; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    for (size_t i = 0; i < COUNT_OF(places); i++)
        assert_code(sil_executor_close(places[i]), 0);
    assert_int_equal(shared.wrong, 0);
}

static void reset(void)
{
    memset(&shared, 0, sizeof shared);
}

static void test_mutex(void **state)
{
    (void)state;
    reset();
    shared.mutex = sil_mutex_create("m");
    all_hands(use_mutex, true);
    assert_int_equal(shared.counted, shared.done[0]);
    assert_false(sil_mutex_locked(shared.mutex));
    sil_mutex_destroy(shared.mutex);
}

static void test_semaphore(void **state)
{
    (void)state;
    reset();
    shared.semaphore = sil_semaphore_create("s", PERMITS, PERMITS);
    all_hands(use_semaphore, true);
    assert_int_equal(sil_semaphore_value(shared.semaphore), PERMITS);
    sil_semaphore_destroy(shared.semaphore);
}

static void test_event(void **state)
{
    (void)state;
    reset();
    shared.event = sil_event_create("e");
    all_hands(use_event, false);
    sil_event_destroy(shared.event);
}

static void test_condition(void **state)
{
    (void)state;
    reset();
    shared.mutex = sil_mutex_create("m");
    shared.not_empty = sil_condition_create("not empty");
    shared.not_full = sil_condition_create("not full");
    all_hands(use_condition, true);
    assert_int_equal(shared.buffered, 0);
    sil_condition_destroy(shared.not_empty);
    sil_condition_destroy(shared.not_full);
    sil_mutex_destroy(shared.mutex);
}

static void test_barrier(void **state)
{
    (void)state;
    reset();
    shared.barrier = sil_barrier_create("b", TASKS / 2);
    all_hands(use_barrier, true);
    assert_int_equal(sil_barrier_waiting(shared.barrier), 0);
    sil_barrier_destroy(shared.barrier);
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void test_queue(void **state)
{
    (void)state;
    for (int order = SIL_QUEUE_FIFO; order <= SIL_QUEUE_PRIORITY; order++) {
        for (size_t max_items = 0; max_items <= 5; max_items += 5) {
            reset();
            shared.queue = sil_queue_create(&(sil_queue_options){.item_size = sizeof(int),
                                                                 .max_items = max_items,
                                                                 .order = (sil_queue_order)order,
                                                                 .compare = compare});
            all_hands(use_queue, true);
            assert_int_equal(shared.done[1], ITEMS);
            assert_int_equal(sil_queue_size(shared.queue), 0);
            sil_queue_destroy(shared.queue);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mutex),     TEST(test_semaphore), TEST(test_event),
        TEST(test_condition), TEST(test_barrier),   TEST(test_queue),
    };
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv's own descriptors */
    return test_run("sync", tests);
}
