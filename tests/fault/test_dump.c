/* SPDX-License-Identifier: MIT */
/*
 * Dumps when memory or threads run out: they say less, and disturb nobody.
 */
#include <signal.h>
#include <stdio.h>

#include "every_point.h"

static int sleeper(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_sleep(SIL_FOREVER);
}

static int awaiter(void *arg, void *result)
{
    (void)result;
    return sil_await(*(sil_future **)arg, SIL_FOREVER);
}

static int dumps(void *arg, void *result)
{
    (void)result;
    FILE *out = *(FILE **)arg;
    sil_future *tasks[2];
    tasks[0] = sil_go_with(&(sil_go_options){.name = "sleeper"}, sleeper, NULL, 0, 0);
    tasks[1] = sil_go_with(NULL, awaiter, &tasks[0], sizeof tasks[0], 0);
    (void)sil_yield();
    int code = sil_dump(out);
    for (int i = 1; i >= 0; i--) {
        (void)sil_future_cancel(tasks[i]);
        (void)sil_await(tasks[i], SIL_FOREVER);
    }
    sil_future_release(tasks[0]);
    sil_future_release(tasks[1]);
    return code;
}

static FILE *nowhere;

static void dump_somewhere(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    assert_allowed(sil_run(dumps, &nowhere, sizeof nowhere, NULL, 0));
    assert_allowed(sil_dump(nowhere));
    assert_allowed(sil_executor_close(pool));
}

static void signal_somewhere(void)
{
    assert_allowed(sil_dump_on_signal(SIGUSR1));
    assert_allowed(sil_dump_on_signal(0));
}

static void test_dump_without_memory(void **state)
{
    (void)state;
    fail_each_point(SIL__FAULT_ALLOC, dump_somewhere);
}

static void test_dump_on_signal_without_thread(void **state)
{
    (void)state;
    fail_each_point(SIL__FAULT_THREAD, signal_somewhere);
}

int main(void)
{
    nowhere = fopen("/dev/null", "w");
    if (!nowhere)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(test_dump_without_memory),
        TEST(test_dump_on_signal_without_thread),
    };
    (void)sil_run(task_nothing, NULL, 0, NULL, 0); /* libuv's descriptors */
    return test_run("fault.dump", tests);
}
