/* SPDX-License-Identifier: MIT */
/*
 * Loops and coroutines while memory, threads, descriptors and mappings run out: each point that can
 * fail fails in turn. What a coroutine sees is a code that tells of it; what was started ends; nothing
 * is left.
 */
#include <uv.h>

#include "every_point.h"

/* Coroutines see no assert: they say where it was. */
enum { UNEXPECTED = 40000 };

#define EXPECT_ALLOWED(code)                                                                  \
    do {                                                                                      \
        int code_ = (code);                                                                   \
        if (!is_allowed(code_))                                                               \
            return sil_fail(UNEXPECTED, "%s:%d: %s is %d", __FILE__, __LINE__, #code, code_); \
    } while (0)

/* Both ends of what may fail: how often it worked. */
static int worked;

static int add(void *arg, void *result)
{
    int n = *(int *)arg;
    int code = sil_yield();
    *(int *)result = n + 1;
    return code;
}

static int take_sum(sil_future **futures, int count)
{
    int sum = 0, failed = 0;
    for (int i = 0; i < count; i++) {
        int value = 0;
        int code = sil_take(futures[i], &value, SIL_FOREVER);
        EXPECT_ALLOWED(code);
        if (code == 0 && value != i + 1)
            return sil_fail(UNEXPECTED, "value %d of %d", value, i);
        failed = failed ? failed : code;
        sum += value;
    }
    worked += failed == 0;
    return failed;
}

static int start_children(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_future *futures[20];
    for (int i = 0; i < 20; i++) {
        const sil_go_options options = {
            .name = i % 3 ? NULL : "child",
            .stack_size = (size_t)(16 << 10) << (i % 4 * 2),
            .deadline = i % 5 ? 0 : sil_in(TEST_PATIENCE),
        };
        futures[i] = sil_go_with(&options, add, &i, sizeof i, sizeof i);
    }
    return take_sum(futures, 20);
}

/* sil_run in a loop: its code and its last error agree. */
static void run(sil_task_fn fn)
{
    int code = sil_run(fn, NULL, 0, NULL, 0);
    if (code == UNEXPECTED)
        print_error("%s\n", sil_error_message(sil_last_error()));
    assert_allowed(code);
    if (code != 0 && code != SIL_ENOMEM) /* the error itself may be what there is no memory for */
        assert_code(sil_error_code(sil_last_error()), code);
}

static void children(void)
{
    run(start_children);
}

/* --- waiting in every way ----------------------------------------------------------------------- */

static int add_then(sil_future *source, void *arg, void *result)
{
    (void)arg;
    *(int *)result = *(const int *)sil_future_result(source, NULL) + 1;
    return 0;
}

static int wait_in_every_way(void *arg, void *result)
{
    (void)arg, (void)result;
    enum { COUNT = 20 };
    sil_future *futures[COUNT];
    int first = 0;
    for (int i = 0; i < COUNT; i++)
        futures[i] = sil_go(add, &i, sizeof i, sizeof i);
    int code = sil_wait(futures, COUNT, SIL_FIRST_COMPLETED, SIL_FOREVER, NULL);
    EXPECT_ALLOWED(code);
    sil_future *all = sil_all(futures, COUNT);
    sil_future *race = sil_race(futures, COUNT);
    sil_future *then = sil_then(futures[3], sil_loop_current(), add_then, NULL, 0, sizeof(int));
    sil_future *here = sil_then(futures[4], NULL, add_then, NULL, 0, sizeof(int));
    sil_as_completed *iterator = sil_as_completed_create(futures, COUNT);
    for (sil_future *future; iterator;) {
        code = sil_as_completed_next(iterator, &future, SIL_FOREVER);
        if (code == SIL_EEND)
            break;
        EXPECT_ALLOWED(code);
    }
    sil_as_completed_destroy(iterator);
    EXPECT_ALLOWED(sil_take(all, NULL, SIL_FOREVER));
    EXPECT_ALLOWED(sil_take(race, &first, SIL_FOREVER));
    EXPECT_ALLOWED(sil_take(then, &first, SIL_FOREVER));
    EXPECT_ALLOWED(sil_take(here, &first, SIL_FOREVER));
    EXPECT_ALLOWED(sil_sleep(sil_in(1e-4)));
    return take_sum(futures, COUNT);
}

static void waits(void)
{
    run(wait_in_every_way);
}

/* --- others ------------------------------------------------------------------------------------- */

static int add_there(void *arg, void *result)
{
    return sil_take(sil_go(add, arg, sizeof(int), sizeof(int)), result, SIL_FOREVER);
}

static int use_others(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_executor *loop = sil_loop_thread(NULL);
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_future *futures[9];
    for (int i = 0; i < 9; i++) {
        const sil_go_options there = {.loop = loop};
        futures[i] = i % 3 == 0 && loop   ? sil_go_with(&there, add_there, &i, sizeof i, sizeof i)
                     : i % 3 == 1 && pool ? sil_submit(pool, add, &i, sizeof i, sizeof i)
                                          : sil_thread_start(NULL, add, &i, sizeof i, sizeof i);
    }
    int code = take_sum(futures, 9);
    EXPECT_ALLOWED(sil_executor_close(loop));
    EXPECT_ALLOWED(sil_executor_close(pool));
    return code;
}

static void others(void)
{
    run(use_others);
}

/* --- what still runs ---------------------------------------------------------------------------- */

static int begun, ended;

static int wait_for_the_end(void *arg, void *result)
{
    (void)arg, (void)result;
    begun++;
    (void)sil_sleep(SIL_FOREVER);
    (void)sil_yield();
    (void)sil_take(sil_thread_start(NULL, task_nothing, NULL, 0, 0), NULL, SIL_FOREVER);
    ended++;
    return 0;
}

static int leave_some(void *arg, void *result)
{
    (void)arg, (void)result;
    for (int i = 0; i < 10; i++)
        sil_future_release(sil_go(wait_for_the_end, NULL, 0, 0));
    return sil_yield();
}

static void left(void)
{
    begun = ended = 0;
    run(leave_some);
    assert_int_equal(begun, ended);
    worked += begun == 10;
}

static int cancel_some(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_future *futures[10];
    for (int i = 0; i < 10; i++)
        futures[i] = sil_go(wait_for_the_end, NULL, 0, 0);
    (void)sil_yield();
    for (int i = 0; i < 10; i++)
        (void)sil_future_cancel(futures[i]);
    for (int i = 0; i < 10; i++)
        EXPECT_ALLOWED(sil_take(futures[i], NULL, SIL_FOREVER));
    return 0;
}

static void cancelled(void)
{
    begun = ended = 0;
    run(cancel_some);
    assert_int_equal(begun, ended);
    worked += begun == 10;
}

/* --- loops of other kinds ----------------------------------------------------------------------- */

static int close_own(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_executor_close(sil_loop_current());
}

static void loop_thread(void)
{
    for (int inside = 0; inside <= 1; inside++) {
        sil_executor *loop = sil_loop_thread(NULL);
        if (!was_made(loop))
            return;
        sil_future *futures[5];
        for (int i = 0; i < 5; i++)
            futures[i] = sil_submit(loop, add, &i, sizeof i, sizeof i);
        for (int i = 0; i < 5; i++) {
            int value = 0;
            if (take_allowed(futures[i], &value) == 0)
                assert_int_equal(value, i + 1);
        }
        sil_future *closer = inside ? sil_submit(loop, close_own, NULL, 0, 0) : NULL;
        if (!inside || take_allowed(closer, NULL) != 0)
            assert_code(sil_executor_close(loop), 0);
        worked++;
    }
}

static void bounded(void)
{
    sil_loop_options options = {.max_pending = 1, .name = "bounded"};
    sil_executor *loop = sil_loop_thread(&options);
    if (!was_made(loop))
        return;
    sil_future *futures[6];
    for (int i = 0; i < 6; i++)
        futures[i] = sil_submit(loop, add, &i, sizeof i, sizeof i);
    for (int i = 0; i < 6; i++)
        (void)take_allowed(futures[i], NULL);
    assert_code(sil_executor_close(loop), 0);
    worked++;
}

static void attached(void)
{
    uv_loop_t uv;
    assert_int_equal(uv_loop_init(&uv), 0);
    sil_executor *loop = sil_loop_attach(&uv, NULL);
    if (was_made(loop)) {
        sil_future *futures[5];
        for (int i = 0; i < 5; i++)
            futures[i] = sil_submit(loop, add, &i, sizeof i, sizeof i);
        assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
        for (int i = 0; i < 5; i++)
            (void)take_allowed(futures[i], NULL);
        assert_code(sil_executor_close(loop), 0);
        worked++;
    }
    assert_int_equal(uv_loop_close(&uv), 0);
}

static int main_of_interruptible(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_sleep(sil_in(1e-4));
}

static void interruptible(void)
{
    sil_loop_options options = {.interruptible = true};
    int code = sil_run_with(&options, main_of_interruptible, NULL, 0, NULL, 0);
    assert_allowed(code);
    worked += code == 0;
}

/* --- each --------------------------------------------------------------------------------------- */

static void survive_all(void (*scenario)(void))
{
    worked = 0;
    survive(scenario);
    fail_each_point(SIL__FAULT_SYSTEM, scenario);
    assert_true(worked > 0);
}

static void test_children(void **state)
{
    (void)state;
    survive_all(children);
}

static void test_waits(void **state)
{
    (void)state;
    survive_all(waits);
}

static void test_others(void **state)
{
    (void)state;
    survive_all(others);
}

static void test_left_and_cancelled(void **state)
{
    (void)state;
    survive_all(left);
    survive_all(cancelled);
}

static void test_loop_thread(void **state)
{
    (void)state;
    survive_all(loop_thread);
    survive_all(bounded);
}

static void test_attached(void **state)
{
    (void)state;
    survive_all(attached);
}

static void test_interruptible(void **state)
{
    (void)state;
    survive_all(interruptible);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_children),           TEST(test_waits),       TEST(test_others),
        TEST(test_left_and_cancelled), TEST(test_loop_thread), TEST(test_attached),
        TEST(test_interruptible),
    };
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv keeps two descriptors from then on */
    return test_run("faults around loops", tests);
}
