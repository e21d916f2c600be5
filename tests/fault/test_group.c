/* SPDX-License-Identifier: MIT */
/*
 * Groups, gathering and shields while memory or threads run out: what could not be begun has
 * failed, the group with it, and nothing is left behind.
 */
#include "every_point.h"

static int int_of(const sil_future *future)
{
    const int *value = sil_future_result(future, NULL);
    return value ? *value : -1;
}

static sil_future *group_int(sil_group *group, sil_executor *executor, int arg)
{
    return sil_group_submit(group, executor, NULL, task_square, &arg, sizeof arg, sizeof(int));
}

/* What is not looked at as it is begun shows when the group is waited for. */
static void grouped_on(sil_executor *executor)
{
    sil_group *group = sil_group_open("a name");
    if (!was_made(group))
        return;
    sil_future *futures[4];
    for (int i = 0; i < 4; i++) {
        futures[i] = group_int(group, executor, i);
        assert_non_null(futures[i]);
    }
    int code = sil_group_wait(group, SIL_FOREVER);
    assert_allowed(code);
    for (int i = 0; i < 4; i++) {
        assert_true(sil_future_done(futures[i]));
        if (code == 0)
            assert_int_equal(int_of(futures[i]), i * i);
    }
    assert_true((sil_group_error(group, 0) != NULL) == (code != 0));
    assert_code(sil_error_code(sil_group_error(group, 0)), code);
    sil_group_close(group);
}

static void grouped(void)
{
    sil_executor *executor = sil_inline_executor();
    if (!was_made(executor))
        return;
    grouped_on(executor);
    assert_code(sil_executor_close(executor), 0);
}

static void grouped_on_a_pool(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    if (!was_made(pool))
        return;
    grouped_on(pool);
    assert_code(sil_executor_close(pool), 0);
}

static void added(void)
{
    sil_group *group = sil_group_open(NULL);
    if (!was_made(group))
        return;
    for (int i = 0; i < 40; i++) {
        sil_promise *promise = sil_promise_create(NULL, sizeof(int));
        if (!was_made(promise))
            continue;
        sil_future *future = sil_promise_future(promise);
        int code = sil_group_add(group, sil_future_retain(future));
        assert_allowed(code);
        if (code != 0)
            assert_int_equal(sil_future_state(future), SIL_CANCELLED);
        else
            assert_code(sil_promise_resolve(promise, &i), 0);
        sil_future_release(future);
        sil_promise_destroy(promise);
    }
    assert_code(sil_group_wait(group, SIL_FOREVER), 0);
    sil_group_close(group);
}

/* It is refused, or fails. */
static void failing(void)
{
    sil_executor *executor = sil_inline_executor();
    if (!was_made(executor))
        return;
    sil_group *group = sil_group_open("g");
    if (was_made(group)) {
        (void)group_int(group, executor, 1);
        (void)sil_group_submit(group, executor, NULL, task_fail, &(int){SIL_EAGAIN}, sizeof(int),
                               0);
        sil_future *refused = group_int(group, executor, 2);
        int code = sil_future_code(refused);
        assert_true(code == SIL_ECLOSED || code == SIL_ENOMEM);
        code = sil_group_wait(group, SIL_FOREVER);
        assert_true(code == SIL_EAGAIN || code == SIL_ENOMEM);
        assert_code(sil_error_code(sil_last_error()), code);
        sil_group_close(group);
    }
    assert_code(sil_executor_close(executor), 0);
}

static void gathered(void)
{
    for (int how = SIL_GATHER_FIRST_ERROR; how <= SIL_GATHER_ALL; how++) {
        sil_promise *promise = sil_promise_create(NULL, sizeof(int));
        if (!was_made(promise))
            return;
        sil_future *future = sil_promise_future(promise);
        sil_future *shield = sil_shield(future);
        assert_non_null(shield);
        assert_allowed(sil_promise_resolve(promise, &(int){5}));
        sil_future *futures[] = {future, shield, future};
        int code = sil_gather(futures, 3, (sil_gather_how)how, SIL_FOREVER);
        assert_allowed(code);
        if (code == 0)
            assert_int_equal(int_of(shield), 5);
        assert_allowed(sil_await_or_cancel(shield, SIL_FOREVER));
        sil_future_release(shield);
        sil_future_release(future);
        sil_promise_destroy(promise);
    }
}

/* Without memory to wait all are cancelled, and have ended. */
static void gathered_in_vain(void)
{
    sil_promise *promises[2] = {sil_promise_create(NULL, 0), sil_promise_create(NULL, 0)};
    if (promises[0] && promises[1]) {
        sil_future *futures[] = {sil_promise_future(promises[0]), sil_promise_future(promises[1])};
        int code = sil_gather(futures, 2, SIL_GATHER_ALL, SIL_NOW);
        assert_true(code == SIL_ETIMEDOUT || code == SIL_ENOMEM);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(sil_future_state(futures[i]), SIL_CANCELLED);
            sil_future_release(futures[i]);
        }
    }
    for (int i = 0; i < 2; i++)
        sil_promise_destroy(promises[i]);
}

static int co_square(void *arg, void *result)
{
    (void)sil_yield();
    return task_square(arg, result);
}

/* Codes that are not allowed stand in the result. */
static int co_grouped(void *arg, void *result)
{
    (void)arg;
    int *wrong = result;
    sil_group *group = sil_group_open("coroutines");
    if (!group)
        return 0;
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = sil_group_go(group, co_square, &i, sizeof i, sizeof i);
    int code = sil_group_wait(group, SIL_FOREVER);
    if (!is_allowed(code))
        *wrong = code;
    for (int i = 0; i < 4; i++)
        if (code == 0 && int_of(futures[i]) != i * i)
            *wrong = i;
    sil_group_close(group);
    return 0;
}

static void grouped_in_a_loop(void)
{
    int wrong = 0;
    int code = sil_run(co_grouped, NULL, 0, &wrong, sizeof wrong);
    assert_allowed(code);
    assert_int_equal(wrong, 0);
}

static void test_grouped(void **state)
{
    (void)state;
    survive(grouped);
    survive(grouped_on_a_pool);
    survive(added);
    survive(failing);
}

static void test_gathered(void **state)
{
    (void)state;
    survive(gathered);
    survive(gathered_in_vain);
}

static void test_grouped_in_a_loop(void **state)
{
    (void)state;
    survive(grouped_in_a_loop);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_grouped),
        TEST(test_gathered),
        TEST(test_grouped_in_a_loop),
    };
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv keeps two descriptors */
    return test_run("faults in groups", tests);
}
