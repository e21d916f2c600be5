/* SPDX-License-Identifier: MIT */
/*
 * Counted work: waiting for many futures costs work linear in their number, whatever the order
 * in which they end, and the waiter is woken once. Counted only in builds with fault points.
 */
#include "base/work.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <sillon/sillon.h>

#include "support/random.h"
#include "support/self.h"
#include "support/tasks.h"
#include "support/test.h"

#ifdef SIL_FAULTS

struct crowd {
    size_t count;
    sil_promise **promises;
    sil_future **futures;
    size_t *order;
};

static void crowd_create(struct crowd *crowd, size_t count)
{
    crowd->count = count;
    crowd->promises = malloc(count * sizeof(sil_promise *));
    crowd->futures = malloc(count * sizeof(sil_future *));
    crowd->order = malloc(count * sizeof(size_t));
    random_permutation(&(struct random){count}, crowd->order, count);
    for (size_t i = 0; i < count; i++)
        crowd->futures[i] = promise_int(&crowd->promises[i]);
}

static void crowd_destroy(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++) {
        sil_promise_destroy(crowd->promises[i]);
        sil_future_release(crowd->futures[i]);
    }
    free(crowd->promises);
    free(crowd->futures);
    free(crowd->order);
}

/* A thread that waits for a crowd while the test completes it. */
struct waiter {
    struct crowd *crowd;
    int (*wait)(struct crowd *crowd);
    _Atomic pid_t thread;
    int code;
};

static void *run_waiter(void *arg)
{
    struct waiter *waiter = arg;
    waiter->thread = gettid();
    waiter->code = waiter->wait(waiter->crowd);
    return NULL;
}

/* The work of waiting for so many futures that end one by one in random order. */
static uint64_t work_of(int (*wait)(struct crowd *crowd), size_t count, uint64_t *out_wakeups)
{
    struct crowd crowd;
    crowd_create(&crowd, count);
    struct waiter waiter = {.crowd = &crowd, .wait = wait};
    uint64_t work = sil__work_count();
    uint64_t wakeups = sil__work_wakeups();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_waiter, &waiter), 0);
    eventually(waiter.thread != 0 && self_asleep(waiter.thread));
    for (size_t i = 0; i < count; i++)
        assert_code(sil_promise_resolve(crowd.promises[crowd.order[i]], NULL), 0);
    (void)pthread_join(thread, NULL);
    assert_code(waiter.code, 0);
    work = sil__work_count() - work;
    *out_wakeups = sil__work_wakeups() - wakeups;
    crowd_destroy(&crowd);
    return work;
}

static void assert_linear(int (*wait)(struct crowd *crowd), uint64_t most_wakeups)
{
    uint64_t wakeups = 0;
    uint64_t small = work_of(wait, 10000, &wakeups);
    assert_true(small >= 10000); /* it does count */
    assert_in_range(wakeups, 0, most_wakeups);
    uint64_t large = work_of(wait, 100000, &wakeups);
    assert_in_range(wakeups, 0, most_wakeups);
    assert_in_range(large, 0, small * 105 / 10);
    assert_in_range(large, 0, 100000 * 4); /* added, told, removed, and a little room */
}

static int wait_for_all(struct crowd *crowd)
{
    return sil_wait(crowd->futures, crowd->count, SIL_ALL_COMPLETED, SIL_FOREVER, NULL);
}

static int wait_for_an_exception(struct crowd *crowd)
{
    return sil_wait(crowd->futures, crowd->count, SIL_FIRST_EXCEPTION, SIL_FOREVER, NULL);
}

static int iterate(struct crowd *crowd)
{
    sil_as_completed *it = sil_as_completed_create(crowd->futures, crowd->count);
    sil_future *future = NULL;
    int code;
    while ((code = sil_as_completed_next(it, &future, SIL_FOREVER)) == 0) {
    }
    sil_as_completed_destroy(it);
    return code == SIL_EEND ? 0 : code;
}

static int await_combination(struct crowd *crowd)
{
    return sil_take(sil_all(crowd->futures, crowd->count), NULL, SIL_FOREVER);
}

static void test_wait_for_all_is_linear_and_wakes_once(void **state)
{
    (void)state;
    assert_linear(wait_for_all, 1);
}

static void test_wait_for_an_exception_is_linear_and_wakes_once(void **state)
{
    (void)state;
    assert_linear(wait_for_an_exception, 1);
}

static void test_as_completed_is_linear(void **state)
{
    (void)state;
    assert_linear(iterate, UINT64_MAX);
}

static void test_all_is_linear(void **state)
{
    (void)state;
    assert_linear(await_combination, 1);
}

/* Each time one more has ended: only the first of the rest is looked at, never all of them. */
static void test_first_completed_of_final_ones_is_cheap(void **state)
{
    (void)state;
    struct crowd crowd;
    crowd_create(&crowd, 10000);
    assert_code(sil_promise_resolve(crowd.promises[0], NULL), 0);
    uint64_t work = sil__work_count();
    uint64_t wakeups = sil__work_wakeups();
    for (int i = 0; i < 10; i++)
        assert_code(sil_wait(crowd.futures, crowd.count, SIL_FIRST_COMPLETED, SIL_FOREVER, NULL),
                    0);
    assert_in_range(sil__work_count() - work, 0, 10 * 3 * 10000);
    assert_int_equal(sil__work_wakeups() - wakeups, 0);
    crowd_destroy(&crowd);
}

static void *wait_in_kernel_terms(void *arg)
{
    struct waiter *waiter = arg;
    waiter->thread = gettid();
    (void)pthread_setname_np(pthread_self(), "lone-waiter");
    uint64_t before = self_voluntary_switches("lone-waiter");
    waiter->code = waiter->wait(waiter->crowd);
    return (void *)(uintptr_t)(self_voluntary_switches("lone-waiter") - before);
}

/* The same seen from the kernel: the waiter sleeps through 10,000 completions. */
static void test_waiter_sleeps_through_all_but_the_last(void **state)
{
    (void)state;
    struct crowd crowd;
    crowd_create(&crowd, 10000);
    struct waiter waiter = {.crowd = &crowd, .wait = wait_for_all};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_in_kernel_terms, &waiter), 0);
    eventually(waiter.thread != 0 && self_asleep(waiter.thread));
    for (size_t i = 0; i < crowd.count; i++)
        assert_code(sil_promise_resolve(crowd.promises[crowd.order[i]], NULL), 0);
    void *switches = NULL;
    (void)pthread_join(thread, &switches);
    assert_code(waiter.code, 0);
    assert_in_range((uintptr_t)switches, 0, 20); /* a lock now and then; not one in 500 */
    crowd_destroy(&crowd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_wait_for_all_is_linear_and_wakes_once),
        TEST(test_wait_for_an_exception_is_linear_and_wakes_once),
        TEST(test_as_completed_is_linear),
        TEST(test_all_is_linear),
        TEST(test_first_completed_of_final_ones_is_cheap),
        TEST(test_waiter_sleeps_through_all_but_the_last),
    };
    return test_run("counted work", tests);
}

#else

int main(void)
{
    return 0; /* nothing is counted in this build */
}

#endif
