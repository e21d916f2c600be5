/* SPDX-License-Identifier: MIT */
/*
 * Coroutines on a loop of libuv that somebody else runs, beside that one's own timers and handles.
 */
#include <sillon/loop.h>

#include <uv.h>

#include "scenario.h"

struct mine {
    uv_loop_t uv;
    sil_executor *loop;
};

static void attach(struct mine *mine)
{
    assert_int_equal(uv_loop_init(&mine->uv), 0);
    mine->loop = sil_loop_attach(&mine->uv, &(sil_loop_options){.name = "mine"});
    assert_non_null(mine->loop);
    assert_ptr_equal(sil_loop_uv(mine->loop), &mine->uv);
}

static void detach(struct mine *mine)
{
    assert_code(sil_executor_close(mine->loop), 0);
    assert_false(uv_loop_alive(&mine->uv));
    assert_int_equal(uv_loop_close(&mine->uv), 0); /* nothing of ours is left in it */
}

static void test_uv_run_goes_on_as_long_as_there_are_coroutines(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    assert_false(uv_loop_alive(&mine.uv));
    assert_int_equal(uv_run(&mine.uv, UV_RUN_DEFAULT), 0); /* nothing to be done: it returns */
    for (int round = 0; round < 3; round++) {
        tally = (struct tally){0};
        sil_future *future = submit_int(mine.loop, co_int, 5);
        sil_submit_options options = {.deadline = sil_in(5e-3)};
        struct tally *counts = &tally;
        sil_future *sleeper =
            sil_submit_with(mine.loop, &options, co_forever, (void *)&counts, sizeof counts, 0);
        assert_true(uv_loop_alive(&mine.uv));
        assert_int_equal(uv_run(&mine.uv, UV_RUN_DEFAULT), 0);
        int value = 0;
        assert_code(sil_take(future, &value, SIL_NOW), 0);
        assert_int_equal(value, 5);
        assert_code(sil_take(sleeper, NULL, SIL_NOW), SIL_ETIMEDOUT);
        assert_int_equal(tally.ended, tally.begun);
    }
    detach(&mine);
}

static void test_it_may_be_run_piece_by_piece(void **state)
{
    (void)state;
    static const uv_run_mode modes[] = {UV_RUN_ONCE, UV_RUN_NOWAIT};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct mine mine;
        attach(&mine);
        sil_future *future = submit_int(mine.loop, co_int, 5);
        while (!sil_future_done(future))
            (void)uv_run(&mine.uv, modes[i]);
        while (uv_run(&mine.uv, modes[i]) != 0)
            continue;
        assert_code(sil_take(future, NULL, SIL_NOW), 0);
        detach(&mine);
    }
}

/* --- beside others ---------------------------------------------------------------------------- */

static int ticks;
static sil_promise *kept_promise;
static sil_executor *submit_to;
static sil_future *submitted;

static void on_tick(uv_timer_t *timer)
{
    if (++ticks == 3) {
        /* Callbacks are no coroutines: they may leave work, and keep promises. */
        (void)sil_promise_resolve(kept_promise, &(int){ticks});
        submitted = submit_int(submit_to, task_square, ticks);
    }
    if (ticks == 5)
        uv_close((uv_handle_t *)timer, NULL);
}

static void test_timers_of_its_user_run_beside_coroutines(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    uv_timer_t timer;
    ticks = 0;
    submit_to = mine.loop;
    sil_future *promised = promise_int(&kept_promise);
    (void)uv_timer_init(&mine.uv, &timer);
    (void)uv_timer_start(&timer, on_tick, 1, 1);
    sil_future *waiter = submit_await(mine.loop, promised);
    assert_int_equal(uv_run(&mine.uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(ticks, 5);
    assert_code(sil_take(waiter, NULL, SIL_NOW), 0);
    int value = 0;
    assert_code(sil_take(submitted, &value, SIL_NOW), 0);
    assert_int_equal(value, 9);
    sil_future_release(promised);
    sil_promise_destroy(kept_promise);
    detach(&mine);
}

static void on_wake(uv_async_t *async)
{
    *(int *)async->data += 1;
}

static int wake_user(void *arg, void *result)
{
    (void)result;
    for (int i = 0; i < 3; i++) {
        (void)uv_async_send(*(uv_async_t **)arg);
        EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
    }
    uv_close(*(uv_handle_t **)arg, NULL);
    return 0;
}

static void test_coroutines_use_its_handles(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    int woken = 0;
    uv_async_t async;
    uv_async_t *handle = &async;
    (void)uv_async_init(&mine.uv, &async, on_wake);
    async.data = &woken;
    sil_future *future = sil_submit(mine.loop, wake_user, (void *)&handle, sizeof handle, 0);
    assert_int_equal(uv_run(&mine.uv, UV_RUN_DEFAULT), 0);
    assert_code(sil_take(future, NULL, SIL_NOW), 0);
    assert_int_equal(woken, 3);
    detach(&mine);
}

/* --- other threads ---------------------------------------------------------------------------- */

static int submit_and_take(void *arg, void *result)
{
    sil_executor *loop = *(sil_executor **)arg;
    int sum = 0;
    for (int i = 0; i < 50; i++) {
        int value = 0;
        EXPECT_CODE(sil_take(submit_int(loop, co_int, i), &value, SIL_FOREVER), 0);
        sum += value;
    }
    *(int *)result = sum;
    return 0;
}

static struct latch threads_left;

static void on_look(uv_timer_t *timer)
{
    if (atomic_load(&threads_left.left) == 0)
        uv_close((uv_handle_t *)timer, NULL);
}

/* libuv does not know that threads may leave something: its user keeps it running. */
static void test_threads_submit_before_and_while_it_runs(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    sil_future *threads[4];
    latch_init(&threads_left, 4);
    for (int i = 0; i < 4; i++) {
        threads[i] = sil_thread_start(NULL, submit_and_take, (void *)&mine.loop, sizeof mine.loop,
                                      sizeof(int));
        assert_code(sil_future_add_done_callback(threads[i], latch_down_done, &threads_left), 0);
    }
    uv_timer_t timer;
    (void)uv_timer_init(&mine.uv, &timer);
    (void)uv_timer_start(&timer, on_look, 1, 1);
    assert_int_equal(uv_run(&mine.uv, UV_RUN_DEFAULT), 0);
    for (int i = 0; i < 4; i++) {
        int sum = 0;
        assert_code(sil_take(threads[i], &sum, SIL_FOREVER), 0);
        assert_int_equal(sum, 1225);
    }
    detach(&mine);
}

static int submit_there(void *arg, void *result)
{
    *(sil_future **)result = submit_int(*(sil_executor **)arg, co_int, 2);
    return 0;
}

static void test_what_a_thread_left_before_is_run_by_the_close(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    sil_future *future = NULL;
    sil_future *thread =
        sil_thread_start(NULL, submit_there, (void *)&mine.loop, sizeof mine.loop, sizeof future);
    assert_code(sil_take(thread, (void *)&future, SIL_FOREVER), 0);
    detach(&mine);
    int value = 0;
    assert_code(sil_take(future, &value, SIL_NOW), 0);
    assert_int_equal(value, 2);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void test_shutdown_runs_it_until_all_has_ended(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    sil_future *futures[10];
    for (int i = 0; i < 10; i++)
        futures[i] = submit_int(mine.loop, co_int, i);
    assert_code(sil_executor_shutdown(mine.loop, false, SIL_FOREVER), 0);
    for (int i = 0; i < 10; i++)
        assert_code(sil_take(futures[i], NULL, SIL_NOW), 0);
    assert_code(sil_take(submit_nothing(mine.loop), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    assert_code(sil_executor_shutdown(mine.loop, true, SIL_FOREVER), 0);
    detach(&mine);
}

static void test_shutdown_has_a_deadline(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    tally = (struct tally){0};
    struct tally *counts = &tally;
    sil_future *sleeper = sil_submit(mine.loop, co_forever, (void *)&counts, sizeof counts, 0);
    while (tally.begun == 0)
        (void)uv_run(&mine.uv, UV_RUN_ONCE);
    sil_deadline until = sil_in(5e-3);
    assert_code(sil_executor_shutdown(mine.loop, false, until), SIL_ETIMEDOUT);
    assert_true(sil_clock() >= until);
    assert_int_equal(tally.begun, 1);
    assert_code(sil_executor_shutdown(mine.loop, false, SIL_NOW), 0);
    assert_code(sil_future_cancel(sleeper), SIL_EINPROGRESS);
    detach(&mine);
    assert_code(sil_take(sleeper, NULL, SIL_NOW), SIL_ECANCELLED);
}

static void test_shutdown_cancels_what_is_pending(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    tally = (struct tally){0};
    struct tally *counts = &tally;
    sil_future *sleeper = sil_submit(mine.loop, co_forever, (void *)&counts, sizeof counts, 0);
    assert_code(sil_executor_shutdown(mine.loop, true, SIL_FOREVER), 0);
    assert_code(sil_take(sleeper, NULL, SIL_NOW), SIL_ECANCELLED);
    assert_int_equal(tally.begun, 0);
    detach(&mine);
}

static int close_own(void *arg, void *result)
{
    (void)result;
    sil_executor *loop = *(sil_executor **)arg;
    EXPECT_CODE(sil_executor_close(loop), SIL_EDEADLK);
    EXPECT_CODE(sil_executor_shutdown(loop, false, SIL_FOREVER), SIL_EDEADLK);
    return 0;
}

static void test_it_is_not_closed_by_its_coroutines(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    sil_future *future = sil_submit(mine.loop, close_own, (void *)&mine.loop, sizeof mine.loop, 0);
    assert_int_equal(uv_run(&mine.uv, UV_RUN_DEFAULT), 0);
    assert_code(sil_take(future, NULL, SIL_NOW), 0);
    detach(&mine);
}

static void test_close_of_one_never_used(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct mine mine;
        attach(&mine);
        detach(&mine);
    }
    assert_null(sil_loop_attach(NULL, NULL));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
}

/* --- two on one ------------------------------------------------------------------------------- */

static int go_to_other(void *arg, void *result)
{
    sil_executor *other = *(sil_executor **)arg;
    int sum = 0;
    for (int i = 0; i < 20; i++) {
        int value = 0;
        EXPECT(sil_loop_current() != other);
        EXPECT_CODE(sil_take(submit_int(other, co_int, i), &value, SIL_FOREVER), 0);
        sum += value;
        EXPECT_CODE(sil_sleep(sil_in(1e-4)), 0);
    }
    *(int *)result = sum;
    return 0;
}

static void test_two_on_one_loop_of_libuv(void **state)
{
    (void)state;
    uv_loop_t uv;
    assert_int_equal(uv_loop_init(&uv), 0);
    sil_executor *loops[3];
    for (int i = 0; i < 3; i++)
        assert_non_null(loops[i] = sil_loop_attach(&uv, NULL));
    sil_future *futures[9];
    for (int i = 0; i < 9; i++)
        futures[i] = sil_submit(loops[i % 3], go_to_other, (void *)&loops[(i + 1 + i / 3 % 2) % 3],
                                sizeof loops[0], sizeof(int));
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    for (int i = 0; i < 9; i++) {
        int sum = 0;
        assert_code(sil_take(futures[i], &sum, SIL_NOW), 0);
        assert_int_equal(sum, 190);
    }
    /* Nothing of theirs is left on the thread. */
    assert_null(sil_loop_current());
    assert_code(sil_run(task_nothing, NULL, 0, NULL, 0), 0);
    static const int order[] = {1, 0, 2};
    for (int i = 0; i < 3; i++)
        assert_code(sil_executor_close(loops[order[i]]), 0);
    assert_code(sil_run(task_nothing, NULL, 0, NULL, 0), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
}

static void test_nor_by_another_on_the_same_thread(void **state)
{
    (void)state;
    struct mine mine;
    attach(&mine);
    sil_executor *other = sil_loop_attach(&mine.uv, NULL);
    assert_non_null(other);
    sil_future *future = sil_submit(other, close_own, (void *)&mine.loop, sizeof mine.loop, 0);
    assert_int_equal(uv_run(&mine.uv, UV_RUN_DEFAULT), 0);
    assert_code(sil_take(future, NULL, SIL_NOW), 0);
    assert_code(sil_executor_close(other), 0);
    detach(&mine);
}

static int run_mine(void *arg, void *result)
{
    (void)arg;
    struct mine mine;
    if (uv_loop_init(&mine.uv) != 0)
        return UNEXPECTED;
    mine.loop = sil_loop_attach(&mine.uv, NULL);
    EXPECT(mine.loop);
    sil_future *futures[50];
    for (int i = 0; i < 50; i++)
        futures[i] = submit_int(mine.loop, co_int, i);
    (void)uv_run(&mine.uv, UV_RUN_DEFAULT);
    int sum = 0, value;
    for (int i = 0; i < 50; i++) {
        EXPECT_CODE(sil_take(futures[i], &value, SIL_NOW), 0);
        sum += value;
    }
    *(int *)result = sum;
    EXPECT_CODE(sil_executor_close(mine.loop), 0);
    EXPECT(uv_loop_close(&mine.uv) == 0);
    return 0;
}

static void test_several_threads_each_with_its_own(void **state)
{
    (void)state;
    sil_future *threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = sil_thread_start(NULL, run_mine, NULL, 0, sizeof(int));
    for (int i = 0; i < 4; i++) {
        int sum = 0;
        assert_code(sil_take(threads[i], &sum, SIL_FOREVER), 0);
        assert_int_equal(sum, 1225);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_uv_run_goes_on_as_long_as_there_are_coroutines),
        TEST(test_it_may_be_run_piece_by_piece),
        TEST(test_timers_of_its_user_run_beside_coroutines),
        TEST(test_coroutines_use_its_handles),
        TEST(test_threads_submit_before_and_while_it_runs),
        TEST(test_what_a_thread_left_before_is_run_by_the_close),
        TEST(test_shutdown_runs_it_until_all_has_ended),
        TEST(test_shutdown_has_a_deadline),
        TEST(test_shutdown_cancels_what_is_pending),
        TEST(test_it_is_not_closed_by_its_coroutines),
        TEST(test_close_of_one_never_used),
        TEST(test_two_on_one_loop_of_libuv),
        TEST(test_nor_by_another_on_the_same_thread),
        TEST(test_several_threads_each_with_its_own),
    };
    begin_scenarios();
    return test_run("coroutines on a loop of libuv", tests);
}
