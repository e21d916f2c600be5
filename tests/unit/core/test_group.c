/* SPDX-License-Identifier: MIT */
/*
 * Groups opened by threads and by tasks of pools, whose waits a failure cannot end; and what is the
 * same wherever a group is opened. Those of coroutines are in unit/coro/test_group.c.
 */
#include "core/group.h"

#include <errno.h>
#include <string.h>

#include "support/child.h"
#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_executor *create_pool(unsigned workers)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers});
    assert_non_null(pool);
    return pool;
}

static sil_future *group_int(sil_group *group, sil_executor *executor, sil_task_fn fn, int arg)
{
    return sil_group_submit(group, executor, NULL, fn, &arg, sizeof arg, sizeof(int));
}

static int int_of(const sil_future *future)
{
    const int *value = sil_future_result(future, NULL);
    return value ? *value : -1;
}

/* --- ending -------------------------------------------------------------------------------- */

static void wait_for_many(sil_executor *executor, int count)
{
    sil_group *group = sil_group_open("many");
    sil_future *futures[100];
    for (int i = 0; i < count; i++)
        futures[i] = group_int(group, executor, task_square, i);
    assert_code(sil_group_wait(group, SIL_FOREVER), 0);
    for (int i = 0; i < count; i++)
        assert_int_equal(int_of(futures[i]), i * i);
    assert_null(sil_group_error(group, 0));
    sil_group_close(group);
}

static void test_wait_waits_for_all(void **state)
{
    (void)state;
    sil_executor *executors[] = {sil_inline_executor(), create_pool(1), create_pool(3)};
    for (size_t i = 0; i < COUNT_OF(executors); i++) {
        static const int counts[] = {0, 1, 2, 40, 100};
        for (size_t k = 0; k < COUNT_OF(counts); k++)
            wait_for_many(executors[i], counts[k]);
        assert_code(sil_executor_close(executors[i]), 0);
    }
}

static void test_group_that_has_ended_takes_nothing(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    sil_group *group = sil_group_open("done");
    assert_code(sil_group_wait(group, SIL_NOW), 0);
    sil_future *first = group_int(group, executor, task_square, 1);
    sil_future *second = group_int(group, executor, task_square, 1);
    assert_code(sil_future_code(first), SIL_ECLOSED);
    assert_code(sil_future_code(second), SIL_ECLOSED);
    assert_contains(sil_error_message(sil_future_error(first)), "'done'");
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    assert_code(sil_group_add(group, sil_future_retain(future)), SIL_ECLOSED);
    assert_code(sil_error_code(sil_last_error()), SIL_ECLOSED);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    assert_code(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
    sil_future_release(future);
    sil_promise_destroy(promise);
    assert_code(sil_executor_close(executor), 0);
}

static void test_any_future_may_be_added(void **state)
{
    (void)state;
    sil_promise *promises[3];
    sil_group *group = sil_group_open(NULL);
    for (int i = 0; i < 3; i++)
        assert_code(sil_group_add(group, promise_int(&promises[i])), 0);
    assert_code(sil_promise_resolve(promises[1], NULL), 0);
    assert_code(sil_promise_resolve(promises[0], NULL), 0);
    sil_promise_destroy(promises[2]); /* unkept: SIL_EBROKEN */
    assert_code(sil_group_wait(group, SIL_FOREVER), SIL_EBROKEN);
    sil_group_close(group);
    sil_promise_destroy(promises[0]);
    sil_promise_destroy(promises[1]);
}

static void test_what_was_added_is_let_go_when_it_has_ended(void **state)
{
    (void)state;
    sil_group *group = sil_group_open("server");
    sil_promise *pending;
    assert_code(sil_group_add(group, promise_int(&pending)), 0);
    sil_executor *executor = sil_inline_executor();
    sil_future *kept = group_int(group, executor, task_square, 9);
    for (int i = 0; i < 10000; i++) {
        sil_promise *promise;
        assert_code(sil_group_add(group, promise_int(&promise)), 0);
        assert_code(sil_promise_resolve(promise, &i), 0);
        sil_promise_destroy(promise);
        assert_true(group->count <= 100);
    }
    assert_int_equal(int_of(kept), 81);
    assert_code(sil_promise_resolve(pending, NULL), 0);
    assert_code(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
    sil_promise_destroy(pending);
    assert_code(sil_executor_close(executor), 0);
}

struct growing {
    sil_group *group;
    sil_executor *pool;
    int depth;
};

static atomic_uint grown;

static int task_grow(void *arg, void *result)
{
    (void)result;
    struct growing growing = *(struct growing *)arg;
    (void)atomic_fetch_add(&grown, 1);
    for (int i = 0; i < 2 && growing.depth > 0; i++) {
        struct growing next = {growing.group, growing.pool, growing.depth - 1};
        sil_future *future =
            sil_group_submit(growing.group, growing.pool, NULL, task_grow, &next, sizeof next, 0);
        if (sil_future_code(future) == SIL_ECLOSED)
            return SIL_ECLOSED;
    }
    return 0;
}

static void test_tasks_add_to_their_group(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    for (int round = 0; round < TEST_SCALE(50); round++) {
        atomic_store(&grown, 0);
        sil_group *group = sil_group_open("tree");
        struct growing growing = {group, pool, 6};
        (void)sil_group_submit(group, pool, NULL, task_grow, &growing, sizeof growing, 0);
        assert_code(sil_group_wait(group, SIL_FOREVER), 0);
        assert_int_equal(atomic_load(&grown), 127);
        sil_group_close(group);
    }
    assert_code(sil_executor_close(pool), 0);
}

/* In a pool of one: the waiter runs what it waits for. */
static int task_opener(void *arg, void *result)
{
    (void)result;
    sil_executor *pool = *(sil_executor **)arg;
    sil_group *group = sil_group_open("inside");
    sil_future *one = group_int(group, pool, task_square, 3);
    sil_future *two = group_int(group, pool, task_square, 4);
    int code = sil_group_wait(group, SIL_FOREVER);
    *(int *)result = int_of(one) + int_of(two);
    sil_group_close(group);
    return code;
}

static void test_group_of_a_pool_of_one_inside_it(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    int sum = 0;
    sil_future *future = sil_submit(pool, task_opener, &pool, sizeof pool, sizeof sum);
    assert_code(sil_take(future, &sum, SIL_FOREVER), 0);
    assert_int_equal(sum, 25);
    assert_code(sil_executor_close(pool), 0);
}

/* --- failing ------------------------------------------------------------------------------- */

static void test_failure_cancels_what_waits_and_what_runs(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    struct gate gate;
    gate_init(&gate);
    gate_open(&gate);
    struct gate *gate_arg = &gate;
    sil_promise *promise;
    sil_group *group = sil_group_open("g");
    sil_future *runs =
        sil_group_submit(group, pool, NULL, task_until_cancelled, &gate_arg, sizeof gate_arg, 0);
    gate_wait_for_arrivals(&gate, 1);
    assert_code(sil_group_add(group, promise_int(&promise)), 0);
    (void)group_int(group, pool, task_fail_with_message, ERANGE);
    assert_code(sil_group_wait(group, SIL_FOREVER), ERANGE);
    assert_string_equal(sil_error_message(sil_last_error()), "34 is bad");
    assert_int_equal(sil_future_state(runs), SIL_CANCELLED);
    assert_code(sil_promise_resolve(promise, NULL), SIL_EALREADY);
    assert_code(sil_error_code(sil_group_error(group, 0)), ERANGE);
    assert_null(sil_group_error(group, 1));
    assert_code(sil_group_wait(group, SIL_FOREVER), ERANGE);
    sil_group_close(group);
    sil_promise_destroy(promise);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static void test_failure_cancels_before_anybody_waits(void **state)
{
    (void)state;
    sil_promise *failing, *pending;
    sil_group *group = sil_group_open("g");
    sil_future *future = promise_int(&pending);
    assert_code(sil_group_add(group, sil_future_retain(future)), 0);
    assert_code(sil_group_add(group, promise_int(&failing)), 0);
    assert_code(sil_promise_reject(failing, ERANGE, "no"), 0);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    sil_executor *executor = sil_inline_executor();
    sil_future *refused = group_int(group, executor, task_square, 1);
    assert_code(sil_future_code(refused), SIL_ECLOSED);
    assert_contains(sil_error_message(sil_future_error(refused)), "has failed");
    assert_code(sil_group_wait(group, SIL_FOREVER), ERANGE);
    sil_group_close(group);
    sil_future_release(future);
    sil_promise_destroy(failing);
    sil_promise_destroy(pending);
    assert_code(sil_executor_close(executor), 0);
}

static void test_one_that_has_failed_when_it_is_added(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    sil_promise *promise;
    sil_group *group = sil_group_open("g");
    sil_future *future = promise_int(&promise);
    assert_code(sil_group_add(group, sil_future_retain(future)), 0);
    (void)group_int(group, executor, task_fail, EDOM);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    assert_code(sil_group_wait(group, SIL_NOW), EDOM);
    sil_group_close(group);
    sil_future_release(future);
    sil_promise_destroy(promise);
    group = sil_group_open("g");
    assert_code(sil_future_code(group_int(group, NULL, task_square, 1)), SIL_EINVAL);
    assert_code(sil_group_wait(group, SIL_FOREVER), SIL_EINVAL);
    sil_group_close(group);
    assert_code(sil_executor_close(executor), 0);
}

static void fail_promises(const int *order, size_t count)
{
    sil_group *group = sil_group_open("g");
    sil_promise *promises[8];
    sil_future *holds[8];
    for (size_t i = 0; i < count; i++) {
        holds[i] = promise_int(&promises[i]);
        /* One that runs is not ended by being cancelled. */
        assert_true(sil__state_claim(holds[i]));
        assert_code(sil_group_add(group, sil_future_retain(holds[i])), 0);
    }
    for (size_t i = 0; i < count; i++)
        sil__state_finish(holds[order[i]], order[i] == 3 ? SIL_ECANCELLED : 100 + order[i], NULL);
    assert_code(sil_group_wait(group, SIL_FOREVER), 100 + order[0]);
    size_t errors = 0;
    for (size_t i = 0; i < count; i++)
        if (order[i] != 3)
            assert_code(sil_error_code(sil_group_error(group, errors++)), 100 + order[i]);
    assert_null(sil_group_error(group, errors));
    sil_group_close(group);
    for (size_t i = 0; i < count; i++) {
        sil_future_release(holds[i]);
        sil_promise_destroy(promises[i]);
    }
}

static void test_errors_stand_in_the_order_of_failing(void **state)
{
    (void)state;
    fail_promises((const int[]){0, 1, 2}, 3);
    fail_promises((const int[]){2, 0, 4, 1, 3}, 5);
    fail_promises((const int[]){7, 6, 3, 5, 4, 1, 2, 0}, 8);
}

static void test_one_that_is_cancelled_is_no_failure(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    sil_promise *promise;
    sil_group *group = sil_group_open("g");
    sil_future *future = promise_int(&promise);
    assert_code(sil_group_add(group, sil_future_retain(future)), 0);
    (void)group_int(group, executor, task_fail, SIL_ECANCELLED);
    assert_code(sil_future_cancel(future), 0);
    assert_int_equal(int_of(group_int(group, executor, task_square, 2)), 4);
    assert_code(sil_group_wait(group, SIL_FOREVER), 0);
    assert_null(sil_group_error(group, 0));
    sil_group_close(group);
    sil_future_release(future);
    sil_promise_destroy(promise);
    assert_code(sil_executor_close(executor), 0);
}

/* --- giving up ----------------------------------------------------------------------------- */

static void test_deadline_cancels_all_and_waits(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    sil_group *group = sil_group_open("late");
    sil_future *runs = sil_group_submit(group, pool, NULL, task_until_cancelled, NULL, 0, 0);
    sil_future *waits = group_int(group, pool, task_square, 1);
    assert_code(sil_group_wait(group, sil_in(1e-3)), SIL_ETIMEDOUT);
    assert_contains(sil_error_message(sil_last_error()), "'late'");
    assert_int_equal(sil_future_state(runs), SIL_CANCELLED);
    assert_int_equal(sil_future_state(waits), SIL_CANCELLED);
    assert_code(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
    group = sil_group_open(NULL);
    runs = sil_group_submit(group, pool, NULL, task_until_cancelled, NULL, 0, 0);
    assert_code(sil_group_wait(group, SIL_NOW), SIL_ETIMEDOUT);
    assert_contains(sil_error_message(sil_last_error()), "without a name");
    sil_group_close(group);
    assert_code(sil_executor_close(pool), 0);
}

static void test_close_cancels_and_waits(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(1);
    sil_group *group = sil_group_open("closed");
    sil_future *runs =
        sil_future_retain(sil_group_submit(group, pool, NULL, task_until_cancelled, NULL, 0, 0));
    sil_group_close(group);
    assert_int_equal(sil_future_state(runs), SIL_CANCELLED);
    sil_future_release(runs);
    sil_group_close(NULL);
    sil_group_close(sil_group_open("empty"));
    assert_code(sil_executor_close(pool), 0);
}

static int task_cancel_group(void *arg, void *result)
{
    (void)result;
    return sil_group_cancel(*(sil_group **)arg);
}

static void test_cancel_from_within(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(2);
    sil_group *group = sil_group_open("g");
    (void)sil_group_submit(group, pool, NULL, task_until_cancelled, NULL, 0, 0);
    (void)sil_group_submit(group, pool, NULL, task_cancel_group, &group, sizeof group, 0);
    assert_code(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
    assert_code(sil_executor_close(pool), 0);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    sil_executor *executor = sil_inline_executor();
    assert_code(sil_future_code(group_int(NULL, executor, task_square, 1)), SIL_EINVAL);
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_group_wait(NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_group_cancel(NULL), SIL_EINVAL);
    assert_null(sil_group_error(NULL, 0));
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    assert_code(sil_group_add(NULL, sil_future_retain(future)), SIL_EINVAL);
    assert_int_equal(sil_future_state(future), SIL_CANCELLED);
    sil_group *group = sil_group_open("");
    assert_code(sil_group_add(group, NULL), SIL_EINVAL);
    assert_null(sil_group_error(group, 0));
    assert_code(sil_group_wait(group, SIL_NOW), 0);
    sil_group_close(group);
    sil_future_release(future);
    sil_promise_destroy(promise);
    assert_code(sil_executor_close(executor), 0);
}

/* Its task waits for the task that waits for the group. */
struct circle {
    sil_executor *pool;
    sil_future *opener;
    struct gate gate;
};

static int task_wait_for_opener(void *arg, void *result)
{
    (void)result;
    struct circle *circle = *(struct circle **)arg;
    gate_wait(&circle->gate);
    return sil_await(circle->opener, SIL_FOREVER);
}

static int task_open_circle(void *arg, void *result)
{
    (void)result;
    struct circle *circle = *(struct circle **)arg;
    sil_group *group = sil_group_open("circle");
    (void)sil_group_submit(group, circle->pool, NULL, task_wait_for_opener, &circle, sizeof circle,
                           0);
    int code = sil_group_wait(group, SIL_FOREVER);
    sil_group_close(group);
    return code;
}

static void test_circle_of_waits_ends(void **state)
{
    (void)state;
    struct circle circle = {.pool = create_pool(2)};
    struct circle *arg = &circle;
    gate_init(&circle.gate);
    circle.opener = sil_submit(circle.pool, task_open_circle, &arg, sizeof arg, 0);
    gate_open(&circle.gate);
    assert_code(sil_take(circle.opener, NULL, SIL_FOREVER), SIL_EDEADLK);
    assert_code(sil_executor_close(circle.pool), 0);
    gate_fini(&circle.gate);
}

/* One that has no end of its own, and cannot be cancelled, ends all the same. */
static int task_open_circle_for_a_while(void *arg, void *result)
{
    (void)result;
    struct circle *circle = *(struct circle **)arg;
    sil_group *group = sil_group_open("circle");
    sil_future *child = sil_group_submit(group, circle->pool, NULL, task_wait_for_opener, &circle,
                                         sizeof circle, 0);
    int code = sil_group_wait(group, sil_in(1e-3));
    if (!sil_future_done(child) || sil_future_code(child) != SIL_EDEADLK)
        code = sil_fail(EIO, "its child goes on");
    sil_group_close(group);
    return code;
}

static void test_circle_of_waits_with_a_deadline_ends(void **state)
{
    (void)state;
    struct circle circle = {.pool = create_pool(2)};
    struct circle *arg = &circle;
    gate_init(&circle.gate);
    circle.opener = sil_submit(circle.pool, task_open_circle_for_a_while, &arg, sizeof arg, 0);
    gate_open(&circle.gate);
    int code = sil_take(circle.opener, NULL, SIL_FOREVER);
    assert_true(code == SIL_ETIMEDOUT || code == EIO);
    assert_code(sil_executor_close(circle.pool), 0);
    gate_fini(&circle.gate);
}

static int task_in_its_own_group(void *arg, void *result)
{
    (void)result;
    struct circle *circle = *(struct circle **)arg;
    gate_wait(&circle->gate);
    sil_group *group = sil_group_open("own");
    int code = sil_group_add(group, sil_future_retain(circle->opener));
    if (code == 0)
        code = sil_group_wait(group, SIL_FOREVER);
    sil_group_close(group);
    /* It is there until we have ended, but takes nothing. */
    int late = sil_future_code(group_int(group, circle->pool, task_square, 1));
    return late == SIL_ECLOSED ? code : sil_fail(EIO, "the group took another");
}

static void test_opener_in_its_own_group(void **state)
{
    (void)state;
    struct circle circle = {.pool = create_pool(1)};
    struct circle *arg = &circle;
    gate_init(&circle.gate);
    circle.opener = sil_submit(circle.pool, task_in_its_own_group, &arg, sizeof arg, 0);
    gate_open(&circle.gate);
    assert_code(sil_take(circle.opener, NULL, SIL_FOREVER), SIL_EDEADLK);
    assert_code(sil_executor_close(circle.pool), 0);
    gate_fini(&circle.gate);
}

static int use_in_child(void *arg)
{
    sil_group *group = arg;
    sil_executor *executor = sil_inline_executor();
    CHECK(sil_future_code(group_int(group, executor, task_square, 1)) == SIL_EFORKED);
    CHECK(sil_group_wait(group, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_group_cancel(group) == SIL_EFORKED);
    sil_promise *promise = sil_promise_create(NULL, 0);
    CHECK(sil_group_add(group, sil_promise_future(promise)) == SIL_EFORKED);
    sil_promise_destroy(promise);
    sil_future *made_before = group->first->future;
    sil_group_close(group);
    CHECK(sil_gather(&made_before, 1, SIL_GATHER_ALL, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_await_or_cancel(made_before, SIL_FOREVER) == SIL_EFORKED);
    CHECK(sil_take(sil_shield(made_before), NULL, SIL_FOREVER) == SIL_EFORKED);
    sil_group *own = sil_group_open("own");
    CHECK(sil_group_add(own, sil_future_retain(made_before)) == SIL_EFORKED);
    CHECK(int_of(group_int(own, executor, task_square, 3)) == 9);
    CHECK(sil_group_wait(own, SIL_FOREVER) == 0);
    sil_group_close(own);
    CHECK(sil_executor_close(executor) == 0);
    return 0;
}

static void test_child_of_a_fork(void **state)
{
    (void)state;
    sil_promise *promise;
    sil_group *group = sil_group_open("parent's");
    assert_code(sil_group_add(group, promise_int(&promise)), 0);
    assert_int_equal(child_run(use_in_child, group), 0);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_code(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
    sil_promise_destroy(promise);
}

/* --- everything at once -------------------------------------------------------------------- */

static int task_shaken(void *arg, void *result)
{
    (void)result;
    random_yield_here();
    return *(int *)arg;
}

/* Failing, ending, adding and cancelling on several threads: all that began has ended. */
static void test_all_at_once(void **state)
{
    (void)state;
    sil_executor *pool = create_pool(3);
    struct random random = {.state = 7};
    for (int round = 0; round < TEST_SCALE(1000); round++) {
        sil_group *group = sil_group_open("shaken");
        int failing = (int)random_below(&random, 3);
        sil_future *futures[20];
        for (int i = 0; i < 20; i++) {
            bool fails = failing > 0 && random_below(&random, 10) == 0;
            futures[i] = group_int(group, pool, task_shaken, fails ? ERANGE : 0);
            if (i % 4 == 0) {
                struct growing growing = {group, pool, 2};
                (void)sil_group_submit(group, pool, NULL, task_grow, &growing, sizeof growing, 0);
            }
            random_yield(&random);
        }
        if (random_below(&random, 10) == 0)
            assert_code(sil_group_cancel(group), 0);
        sil_deadline until = random_below(&random, 10) == 0 ? sil_in(1e-5) : SIL_FOREVER;
        int code = random_below(&random, 10) == 0 ? 0 : sil_group_wait(group, until);
        assert_true(code == 0 || code == ERANGE || code == SIL_ETIMEDOUT || code == SIL_ECLOSED);
        for (int i = 0; i < 20; i++)
            (void)sil_future_retain(futures[i]);
        sil_group_close(group);
        for (int i = 0; i < 20; i++) {
            assert_true(sil_future_done(futures[i]));
            sil_future_release(futures[i]);
        }
    }
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_wait_waits_for_all),
        TEST(test_group_that_has_ended_takes_nothing),
        TEST(test_any_future_may_be_added),
        TEST(test_what_was_added_is_let_go_when_it_has_ended),
        TEST(test_tasks_add_to_their_group),
        TEST(test_group_of_a_pool_of_one_inside_it),
        TEST(test_failure_cancels_what_waits_and_what_runs),
        TEST(test_failure_cancels_before_anybody_waits),
        TEST(test_one_that_has_failed_when_it_is_added),
        TEST(test_errors_stand_in_the_order_of_failing),
        TEST(test_one_that_is_cancelled_is_no_failure),
        TEST(test_deadline_cancels_all_and_waits),
        TEST(test_close_cancels_and_waits),
        TEST(test_cancel_from_within),
        TEST(test_bad_arguments),
        TEST(test_circle_of_waits_ends),
        TEST(test_circle_of_waits_with_a_deadline_ends),
        TEST(test_opener_in_its_own_group),
        TEST(test_child_of_a_fork),
        TEST(test_all_at_once),
    };
    return test_run("groups", tests);
}
