/* SPDX-License-Identifier: MIT */
/*
 * Traces that begin and end while tasks, coroutines and threads come and go: each is a whole file,
 * and of what it holds, each bar is one of the tasks.
 */
#include <unistd.h>

#include "support/tasks.h"
#include "support/test.h"
#include "support/trace_text.h"

enum { TRACES = TEST_SCALE(150), TASKS = 300, THREADS = 20 };

static char path[] = "/tmp/trace-XXXXXX";
static atomic_bool stopping;

static int yield_some(void *arg, void *result)
{
    (void)arg, (void)result;
    for (int i = 0; i < 3; i++)
        (void)sil_yield();
    return 0;
}

static int coroutines(void *arg, void *result)
{
    (void)arg, (void)result;
    while (!atomic_load(&stopping)) {
        sil_future *futures[TASKS];
        for (int i = 0; i < TASKS; i++)
            futures[i] = sil_go(yield_some, NULL, 0, 0);
        for (int i = 0; i < TASKS; i++)
            (void)sil_take(futures[i], NULL, SIL_FOREVER);
    }
    return 0;
}

static int run_loop(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_run(coroutines, NULL, 0, NULL, 0);
}

static int threads(void *arg, void *result)
{
    (void)arg, (void)result;
    while (!atomic_load(&stopping)) {
        sil_future *futures[THREADS];
        for (int i = 0; i < THREADS; i++)
            futures[i] = sil_thread_start(NULL, task_nothing, NULL, 0, 0);
        for (int i = 0; i < THREADS; i++)
            (void)sil_take(futures[i], NULL, SIL_FOREVER);
    }
    return 0;
}

static int submits(void *arg, void *result)
{
    (void)result;
    sil_executor *pool = *(sil_executor **)arg;
    while (!atomic_load(&stopping)) {
        sil_future *futures[TASKS];
        for (int i = 0; i < TASKS; i++)
            futures[i] = submit_int(pool, task_square, i);
        for (int i = 0; i < TASKS; i++)
            (void)sil_take(futures[i], NULL, SIL_FOREVER);
    }
    return 0;
}

static void test_traces_begin_and_end_while_work_goes_on(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    sil_future *busy[] = {
        sil_thread_start(NULL, run_loop, NULL, 0, 0),
        sil_thread_start(NULL, threads, NULL, 0, 0),
        sil_thread_start(NULL, submits, (void *)&pool, sizeof pool, 0),
    };
    for (int i = 0; i < TRACES; i++) {
        uint64_t lost;
        /* Now with room, now with hardly any. */
        sil_trace_options options = {.buffer_size = i % 3 == 0 ? 1 : 0};
        assert_code(sil_trace_start(path, &options), 0);
        for (int turn = 0; turn < i % 10; turn++) {
            sil_trace_counter("turn", turn);
            test_yield();
        }
        assert_code(sil_trace_stop(&lost), 0);
        char *text = trace_read(path);
        assert_non_null(text);
        assert_true(json_is_whole(text));
        assert_true(trace_count(text, "\"turn\"", "") + lost >= (size_t)(i % 10));
        free(text);
    }
    atomic_store(&stopping, true);
    for (size_t i = 0; i < COUNT_OF(busy); i++)
        assert_code(sil_take(busy[i], NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0 || close(fd) != 0)
        return 1;
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv opens two descriptors, once */
    static const struct CMUnitTest tests[] = {TEST(test_traces_begin_and_end_while_work_goes_on)};
    int failed = test_run_group("traces under stress", tests, COUNT_OF(tests));
    (void)unlink(path);
    return test_exit(failed);
}
