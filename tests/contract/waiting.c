/* SPDX-License-Identifier: MIT */
/*
 * Await: from threads, tasks and callbacks, with every kind of deadline.
 */
#include <errno.h>
#include <pthread.h>

#include "contract.h"

static void test_await_times_out_and_the_task_goes_on(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    sil_future *future = submit_gate(executor, gate);
    assert_code(sil_await(future, SIL_NOW), SIL_ETIMEDOUT);
    sil_deadline until = sil_in(0.02);
    assert_code(sil_await(future, until), SIL_ETIMEDOUT);
    assert_true(sil_clock() >= until);
    assert_code(sil_error_code(sil_last_error()), SIL_ETIMEDOUT);
    assert_code(sil_await(future, -5), SIL_ETIMEDOUT);
    assert_false(sil_future_done(future));
    gate_open(gate);
    assert_code(sil_await(future, SIL_FOREVER), 0);
    assert_code(sil_await(future, SIL_NOW), 0);
    sil_future_release(future);
    contract_close(executor);
}

static void test_take_releases_also_when_it_times_out(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    int value = 3;
    assert_code(sil_take(submit_gate(executor, gate), &value, SIL_NOW), SIL_ETIMEDOUT);
    assert_int_equal(value, 3);
    gate_open(gate);
    contract_close(executor); /* the task went on; LeakSanitizer sees whether its future stayed */
    assert_int_equal(gate->arrived, 1);
}

static void test_take_leaves_out_untouched_after_a_failure(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    int value = 3;
    assert_code(sil_take(submit_int(executor, task_fail, ERANGE), &value, SIL_FOREVER), ERANGE);
    assert_int_equal(value, 3);
    assert_code(sil_take(submit_int(executor, task_int, 4), NULL, SIL_FOREVER), 0);
    contract_close(executor);
}

struct awaiter {
    sil_future *future;
    sil_deadline until;
    int code;
    int value;
};

static void *await_it(void *arg)
{
    struct awaiter *awaiter = arg;
    awaiter->code = sil_await(awaiter->future, awaiter->until);
    if (awaiter->code == 0)
        awaiter->value = *(const int *)sil_future_result(awaiter->future, NULL);
    return NULL;
}

static int at_gate_seven(void *arg, void *result)
{
    gate_wait(*(struct gate **)arg);
    *(int *)result = 7;
    return 0;
}

static void test_several_threads_await_one_future(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    sil_future *future = sil_submit(executor, at_gate_seven, &gate, sizeof gate, sizeof(int));
    struct awaiter awaiters[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        awaiters[i] = (struct awaiter){future, i % 2 ? SIL_FOREVER : sil_in(TEST_PATIENCE), -1, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, await_it, &awaiters[i]), 0);
    }
    gate_wait_for_arrivals(gate, 1);
    gate_open(gate);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++) {
        assert_code(awaiters[i].code, 0);
        assert_int_equal(awaiters[i].value, 7);
    }
    sil_future_release(future);
    contract_close(executor);
}

static void test_task_may_await_its_sibling(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    struct gate *gate = contract_gate();
    gate_open(gate);
    sil_future *first = submit_gate(executor, gate);
    sil_future *second = submit_await(executor, first);
    sil_future *third = submit_await(executor, second);
    contract_finish(third);
    contract_finish(second);
    contract_finish(first);
    contract_close(executor);
}

struct nested {
    sil_executor *executor;
    unsigned depth;
    bool finite;
};

/* Submits the next, awaits it, and returns its depth from the bottom. */
static int nest(void *arg, void *result)
{
    struct nested nested = *(struct nested *)arg;
    if (nested.depth == 0)
        return 0;
    nested.depth--;
    sil_future *next = sil_submit(nested.executor, nest, &nested, sizeof nested, sizeof(unsigned));
    unsigned below = 0;
    int code = sil_take(next, &below, nested.finite ? sil_in(TEST_PATIENCE) : SIL_FOREVER);
    *(unsigned *)result = below + 1;
    return code;
}

static void test_nested_tasks_finish(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    for (int finite = 0; finite <= 1; finite++) {
        struct nested nested = {executor, 100, finite};
        unsigned depth = 0;
        sil_future *future = sil_submit(executor, nest, &nested, sizeof nested, sizeof depth);
        assert_code(sil_take(future, &depth, SIL_FOREVER), 0);
        assert_int_equal(depth, 100);
    }
    contract_close(executor);
}

/* A task that awaits a promise leaves its worker to the task that resolves it. */
static int resolve_seven(void *arg, void *result)
{
    (void)result;
    return sil_promise_resolve(*(sil_promise **)arg, &(int){7});
}

static void test_blocked_tasks_do_not_starve_the_one_they_wait_for(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    enum { WAITERS = 7 };
    sil_future *waiters[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        waiters[i] = submit_await(executor, value);
    contract_finish(sil_submit(executor, resolve_seven, &promise, sizeof promise, 0));
    for (int i = 0; i < WAITERS; i++)
        contract_finish(waiters[i]);
    sil_promise_destroy(promise);
    sil_future_release(value);
    contract_close(executor);
}

static int poll_child(void *arg, void *result)
{
    sil_executor *executor = *(sil_executor **)arg;
    atomic_uint count = 0;
    sil_future *child = submit_count(executor, &count);
    int code = sil_await(child, SIL_NOW);
    *(bool *)result = code == SIL_ETIMEDOUT || (code == 0 && count == 1);
    return sil_take(child, NULL, SIL_FOREVER);
}

static void test_task_may_poll_its_child(void **state)
{
    (void)state;
    sil_executor *executor = contract_create();
    bool right = false;
    sil_future *future = sil_submit(executor, poll_child, &executor, sizeof executor, sizeof right);
    assert_code(sil_take(future, &right, SIL_FOREVER), 0);
    assert_true(right);
    contract_close(executor);
}

/* Awaiting across two executors of the kind, back and forth. */
struct ping {
    sil_executor *here;
    sil_executor *there;
    unsigned depth;
};

static int ping_pong(void *arg, void *result)
{
    struct ping *ping = arg;
    if (ping->depth == 0)
        return 0;
    struct ping next = {ping->there, ping->here, ping->depth - 1};
    unsigned below = 0;
    sil_future *future = sil_submit(next.here, ping_pong, &next, sizeof next, sizeof below);
    int code = sil_take(future, &below, SIL_FOREVER);
    *(unsigned *)result = below + 1;
    return code;
}

static void test_tasks_of_two_executors_await_each_others_children(void **state)
{
    (void)state;
    struct ping ping = {contract_create(), contract_create(), 50};
    unsigned depth = 0;
    sil_future *future = sil_submit(ping.here, ping_pong, &ping, sizeof ping, sizeof depth);
    assert_code(sil_take(future, &depth, SIL_FOREVER), 0);
    assert_int_equal(depth, 50);
    contract_close(ping.here);
    contract_close(ping.there);
}

const struct contract_test contract_waiting[] = {
    PROMISE(test_await_times_out_and_the_task_goes_on, ASYNCHRONOUS),
    PROMISE(test_take_releases_also_when_it_times_out, ASYNCHRONOUS),
    PROMISE(test_take_leaves_out_untouched_after_a_failure, 0),
    PROMISE(test_several_threads_await_one_future, ASYNCHRONOUS),
    PROMISE(test_task_may_await_its_sibling, SHARES_MEMORY),
    PROMISE(test_nested_tasks_finish, SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_blocked_tasks_do_not_starve_the_one_they_wait_for,
            ASYNCHRONOUS | SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_task_may_poll_its_child, SHARES_MEMORY | AWAITS_OWN),
    PROMISE(test_tasks_of_two_executors_await_each_others_children, SHARES_MEMORY | AWAITS_OWN),
    {0},
};
