/* SPDX-License-Identifier: MIT */
/*
 * sil_thread_start: one task on a thread of its own.
 */
#include <sillon/thread.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "support/self.h"
#include "support/tasks.h"
#include "support/test.h"

static sil_future *start(const char *name, sil_task_fn fn, const void *arg, size_t arg_size,
                         size_t result_size)
{
    return sil_thread_start(&(sil_thread_options){.name = name}, fn, arg, arg_size, result_size);
}

static void test_result_error_and_name(void **state)
{
    (void)state;
    int value = 0;
    sil_future *future = start("loner", task_square, &(int){9}, sizeof(int), sizeof(int));
    assert_string_equal(sil_future_name(future), "loner");
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 81);

    future = start("loner", task_fail_with_message, &(int){EIO}, sizeof(int), 0);
    assert_code(sil_await(future, SIL_FOREVER), EIO);
    const sil_error *error = sil_future_error(future);
    assert_string_equal(sil_error_message(error), "5 is bad");
    assert_string_equal(sil_error_task(error), "loner");
    assert_string_equal(sil_error_worker(error), "loner");
    sil_future_release(future);

    assert_code(sil_take(sil_thread_start(NULL, task_nothing, NULL, 0, 0), NULL, SIL_FOREVER), 0);
}

static int tell_names(void *arg, void *result)
{
    (void)arg;
    char *names = result;
    (void)pthread_getname_np(pthread_self(), names, 16);
    (void)strncpy(names + 16, sil_current_name(), 47);
    return 0;
}

static void test_thread_bears_the_first_15_bytes_of_the_name(void **state)
{
    (void)state;
    char names[64];
    sil_future *future = start("download of everything", tell_names, NULL, 0, sizeof names);
    assert_code(sil_take(future, names, SIL_FOREVER), 0);
    assert_string_equal(names, "download of eve");
    assert_string_equal(names + 16, "download of everything");
}

static void test_runs_on_a_thread_of_its_own(void **state)
{
    (void)state;
    enum { THREADS = 20 };
    struct gate gate;
    struct gate *arg = &gate;
    gate_init(&gate);
    unsigned before = self_threads("");
    sil_future *futures[THREADS];
    for (int i = 0; i < THREADS; i++)
        futures[i] = start("loner", task_gate, &arg, sizeof arg, 0);
    gate_wait_for_arrivals(&gate, THREADS); /* all at the same time */
    assert_int_equal(self_threads("loner"), THREADS);
    assert_int_equal(sil_future_state(futures[0]), SIL_RUNNING);
    gate_open(&gate);
    for (int i = 0; i < THREADS; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    eventually(self_threads("") <= before);
    gate_fini(&gate);
}

static void test_cancel_is_a_request(void **state)
{
    (void)state;
    struct gate gate;
    struct gate *arg = &gate;
    gate_init(&gate);
    gate_open(&gate);
    sil_future *future = start("loner", task_until_cancelled, &arg, sizeof arg, 0);
    gate_wait_for_arrivals(&gate, 1);
    assert_code(sil_future_cancel(future), SIL_EINPROGRESS);
    assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    gate_fini(&gate);
}

static void test_cancel_at_once_never_hangs(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(200); i++) {
        sil_future *future = start("loner", task_until_cancelled, NULL, 0, 0);
        int code = sil_future_cancel(future);
        assert_true(code == 0 || code == SIL_EINPROGRESS);
        assert_code(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    }
}

static void test_released_task_still_runs(void **state)
{
    (void)state;
    struct latch latch;
    latch_init(&latch, 10);
    atomic_uint count = 0;
    atomic_uint *arg = &count;
    for (int i = 0; i < 10; i++) {
        sil_future *future = start(NULL, task_count, &arg, sizeof arg, 0);
        assert_code(sil_future_add_done_callback(future, latch_down_done, &latch), 0);
        sil_future_release(future);
    }
    latch_wait(&latch);
    assert_int_equal(count, 10);
    latch_fini(&latch);
}

/* Starts a thread, submits to a pool, and awaits both. */
static int await_others(void *arg, void *result)
{
    sil_executor *pool = *(sil_executor **)arg;
    int values[2] = {0};
    sil_future *in_pool = submit_int(pool, task_int, 30);
    sil_future *on_thread = start("inner", task_int, &(int){12}, sizeof(int), sizeof(int));
    int code = sil_take(in_pool, &values[0], SIL_FOREVER);
    int other_code = sil_take(on_thread, &values[1], sil_in(TEST_PATIENCE));
    *(int *)result = values[0] + values[1];
    return code != 0 ? code : other_code;
}

static void test_awaits_and_is_awaited_anywhere(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    int value = 0;
    sil_future *future = start("outer", await_others, &pool, sizeof pool, sizeof(int));
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 42);
    value = 0;
    future = sil_submit(pool, await_others, &pool, sizeof pool, sizeof(int));
    assert_code(sil_take(future, &value, SIL_FOREVER), 0);
    assert_int_equal(value, 42);
    assert_code(sil_executor_close(pool), 0);
}

static int use_stack(void *arg, void *result)
{
    (void)arg;
    volatile char block[3 << 20];
    for (size_t i = 0; i < sizeof block; i += 1024)
        block[i] = 1;
    *(int *)result = block[1024];
    return 0;
}

static void test_stack_size_is_honoured(void **state)
{
    (void)state;
    int value = 0;
    sil_thread_options large = {.stack_size = 16 << 20};
    assert_code(
        sil_take(sil_thread_start(&large, use_stack, NULL, 0, sizeof value), &value, SIL_FOREVER),
        0);
    assert_int_equal(value, 1);
    sil_thread_options tiny = {.stack_size = 1};
    assert_code(sil_take(sil_thread_start(&tiny, task_nothing, NULL, 0, 0), NULL, SIL_FOREVER), 0);
}

static void test_bad_input_gives_a_failed_future(void **state)
{
    (void)state;
    sil_thread_options reserved = {.reserved = {1, 0}};
    assert_code(sil_take(sil_thread_start(NULL, NULL, NULL, 0, 0), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(start(NULL, task_nothing, NULL, 4, 0), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(start(NULL, task_nothing, "x", SIZE_MAX, 0), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(start(NULL, task_nothing, NULL, 0, SIZE_MAX), NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_take(sil_thread_start(&reserved, task_nothing, NULL, 0, 0), NULL, SIL_FOREVER),
                SIL_EINVAL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_result_error_and_name),
        TEST(test_thread_bears_the_first_15_bytes_of_the_name),
        TEST(test_runs_on_a_thread_of_its_own),
        TEST(test_cancel_is_a_request),
        TEST(test_cancel_at_once_never_hangs),
        TEST(test_released_task_still_runs),
        TEST(test_awaits_and_is_awaited_anywhere),
        TEST(test_stack_size_is_honoured),
        TEST(test_bad_input_gives_a_failed_future),
    };
    return test_run("thread", tests);
}
