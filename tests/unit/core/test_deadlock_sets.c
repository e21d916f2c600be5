/* SPDX-License-Identifier: MIT */
/*
 * Deadlock detection where a wait is for several futures, or cannot be given up. Each test brings
 * its tasks into a known order: one after the other has to be blocked before the next goes on.
 */
#include <sillon/combine.h>
#include <sillon/parallel.h>
#include <sillon/promise.h>
#include <sillon/thread_pool.h>
#include <sillon/wait.h>

#include <pthread.h>

#include "support/tasks.h"
#include "support/test.h"

static sil_executor *pool;

static void create_pool(void)
{
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 4});
    assert_non_null(pool);
}

static void eventually_blocked(uint64_t count)
{
    sil_executor_stats stats;
    eventually(sil_executor_stats_get(pool, &stats) == 0 && stats.blocked == count);
}

/* Passes its gate, then waits for two futures in one of several ways. */
struct waiter {
    struct gate gate;
    sil_future *of[2];
    enum { ALL, FIRST, FIRST_FAILURE, ANY, ONE } how;
};

static int wait_as_told(void *arg, void *result)
{
    (void)result;
    struct waiter *waiter = *(struct waiter **)arg;
    gate_wait(&waiter->gate);
    switch (waiter->how) {
    case ALL:
        return sil_wait(waiter->of, 2, SIL_ALL_COMPLETED, SIL_FOREVER, NULL);
    case FIRST:
        return sil_wait(waiter->of, 2, SIL_FIRST_COMPLETED, SIL_FOREVER, NULL);
    case FIRST_FAILURE:
        return sil_wait(waiter->of, 2, SIL_FIRST_EXCEPTION, SIL_FOREVER, NULL);
    case ANY:
        return sil_take(sil_any(waiter->of, 2), NULL, SIL_FOREVER);
    default:
        return sil_await(waiter->of[0], SIL_FOREVER);
    }
}

static sil_future *submit_waiter(struct waiter *waiter)
{
    gate_init(&waiter->gate);
    return sil_submit(pool, wait_as_told, &waiter, sizeof(struct waiter *), 0);
}

/* S waits for all of P and A; P for the first of A and B; A for P. B ends, and so do all. */
static void test_stuck_only_while_another_could_be_is_not_reported(void **state)
{
    (void)state;
    create_pool();
    struct gate gate;
    gate_init(&gate);
    sil_future *b = submit_gate(pool, &gate);
    struct waiter for_a = {.how = ONE};
    struct waiter for_p = {.how = FIRST};
    struct waiter for_s = {.how = ALL};
    sil_future *a = submit_waiter(&for_a);
    sil_future *p = submit_waiter(&for_p);
    sil_future *s = submit_waiter(&for_s);
    for_a.of[0] = p;
    for_p.of[0] = a;
    for_p.of[1] = b;
    for_s.of[0] = p;
    for_s.of[1] = a;
    gate_open(&for_p.gate);
    eventually_blocked(1);
    gate_open(&for_a.gate);
    eventually_blocked(2);
    gate_open(&for_s.gate);
    eventually_blocked(3);
    gate_open(&gate);
    assert_code(sil_take(s, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(p, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(a, NULL, SIL_FOREVER), 0);
    assert_code(sil_take(b, NULL, SIL_FOREVER), 0);
    gate_fini(&gate);
    gate_fini(&for_a.gate);
    gate_fini(&for_p.gate);
    gate_fini(&for_s.gate);
    assert_code(sil_executor_close(pool), 0);
}

/* T1 waits for X and T2; T2 for T1; X has ended in a way that does not help T1. */
static void stuck_with_the_rest(int how, sil_future *x)
{
    create_pool();
    struct waiter for_t1 = {.how = how};
    struct waiter for_t2 = {.how = ONE};
    sil_future *t1 = submit_waiter(&for_t1);
    sil_future *t2 = submit_waiter(&for_t2);
    for_t1.of[0] = x;
    for_t1.of[1] = t2;
    for_t2.of[0] = t1;
    gate_open(&for_t1.gate);
    eventually_blocked(1);
    gate_open(&for_t2.gate);
    assert_code(sil_take(t2, NULL, SIL_FOREVER), SIL_EDEADLK);
    int code = sil_take(t1, NULL, SIL_FOREVER);
    assert_true(code == SIL_EDEADLK || (how == FIRST_FAILURE && code == 0));
    gate_fini(&for_t1.gate);
    gate_fini(&for_t2.gate);
    assert_code(sil_executor_close(pool), 0);
}

static void test_final_inputs_that_do_not_help_are_no_way_on(void **state)
{
    (void)state;
    sil_promise *promise = sil_promise_create(NULL, 0);
    sil_future *failed = sil_promise_future(promise);
    assert_code(sil_promise_reject(promise, 5, "no"), 0);
    stuck_with_the_rest(ANY, failed);
    sil_promise_destroy(promise);
    sil_future_release(failed);
    promise = sil_promise_create(NULL, 0);
    sil_future *fine = sil_promise_future(promise);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    stuck_with_the_rest(FIRST_FAILURE, fine);
    sil_promise_destroy(promise);
    sil_future_release(fine);
}

/* A chain of sets longer than any stack would bear if each were followed by recursion. */
static void test_long_chain_of_sets_is_followed_within_bounds(void **state)
{
    (void)state;
    enum { LENGTH = 200 };
    static struct waiter waiters[LENGTH];
    static sil_future *tasks[LENGTH];
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1, .stack_size = 64 * 1024});
    sil_promise *promise = sil_promise_create(NULL, 0);
    sil_future *end = sil_promise_future(promise);
    for (int i = 0; i < LENGTH; i++) {
        waiters[i] = (struct waiter){.how = FIRST};
        waiters[i].of[0] = waiters[i].of[1] = i ? tasks[i - 1] : end;
        tasks[i] = submit_waiter(&waiters[i]);
        gate_open(&waiters[i].gate);
    }
    eventually_blocked(LENGTH);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    for (int i = 0; i < LENGTH; i++)
        assert_code(sil_await(tasks[i], SIL_FOREVER), 0);
    for (int i = 0; i < LENGTH; i++) {
        sil_future_release(tasks[i]);
        gate_fini(&waiters[i].gate);
    }
    sil_promise_destroy(promise);
    sil_future_release(end);
    assert_code(sil_executor_close(pool), 0);
}

/* A loop whose pieces, on a helper, await the task that runs the loop. */
struct looping {
    sil_future *task;
    struct gate gate;
    pthread_t runner;
};

static int await_the_runner(size_t begin, size_t end, void *user)
{
    (void)begin;
    (void)end;
    struct looping *looping = user;
    if (!pthread_equal(pthread_self(), looping->runner))
        return sil_await(looping->task, SIL_FOREVER);
    eventually_blocked(1); /* the helper has begun, and waits for us */
    return 0;
}

static int run_loop(void *arg, void *result)
{
    (void)result;
    struct looping *looping = *(struct looping **)arg;
    gate_wait(&looping->gate);
    looping->runner = pthread_self();
    return sil_parallel_for(pool, 0, 64, 1, await_the_runner, looping);
}

static void test_loop_that_cannot_leave_its_helper_ends_the_helpers_wait(void **state)
{
    (void)state;
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    struct looping looping = {0};
    struct looping *arg = &looping;
    gate_init(&looping.gate);
    looping.task = sil_submit(pool, run_loop, &arg, sizeof(struct looping *), 0);
    gate_open(&looping.gate);
    assert_code(sil_await(looping.task, SIL_FOREVER), SIL_EDEADLK);
    sil_future_release(looping.task);
    gate_fini(&looping.gate);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stuck_only_while_another_could_be_is_not_reported),
        TEST(test_final_inputs_that_do_not_help_are_no_way_on),
        TEST(test_long_chain_of_sets_is_followed_within_bounds),
        TEST(test_loop_that_cannot_leave_its_helper_ends_the_helpers_wait),
    };
    return test_run("deadlock of sets", tests);
}
