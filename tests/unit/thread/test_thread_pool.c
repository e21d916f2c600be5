/* SPDX-License-Identifier: MIT */
/*
 * The thread pool's options: workers, names, initializer, and what it refuses.
 */
#include <sillon/thread_pool.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "support/self.h"
#include "support/tasks.h"
#include "support/test.h"

static void close_pool(sil_executor *pool)
{
    assert_code(sil_executor_close(pool), 0);
}

static void test_workers_default_to_the_cpus_of_this_process(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(NULL);
    sil_executor *other = sil_thread_pool(&(sil_thread_pool_options){.name = "other"});
    sil_executor_stats stats;
    assert_true(sil_process_cpu_count() >= 1);
    assert_int_equal(sil_executor_workers(pool), sil_process_cpu_count());
    assert_int_equal(sil_executor_workers(other), sil_process_cpu_count());
    assert_code(sil_executor_stats_get(pool, &stats), 0);
    assert_int_equal(stats.workers, sil_process_cpu_count());
    assert_string_equal(sil_executor_kind(pool), "thread pool");
    close_pool(pool);
    close_pool(other);
}

static void test_no_thread_before_there_is_a_task(void **state)
{
    (void)state;
    unsigned before = self_threads("");
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 8});
    assert_int_equal(self_threads(""), before);
    assert_code(sil_take(submit_nothing(pool), NULL, SIL_FOREVER), 0);
    assert_in_range(self_threads(""), before + 1, before + 2);
    close_pool(pool);
}

static void test_bad_options_are_refused(void **state)
{
    (void)state;
    const sil_thread_pool_options bad[] = {
        {.workers = 32768},
        {.workers = UINT32_MAX},
        {.max_threads = 32768},
        {.workers = 4, .max_threads = 3},
        {.when_full = (sil_when_full)9},
        {.reserved = {0, 0, 0, 1}},
        {.reserved = {1}},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_null(sil_thread_pool(&bad[i]));
        assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
        assert_string_not_equal(sil_error_message(sil_last_error()), "");
    }
    sil_executor *pool =
        sil_thread_pool(&(sil_thread_pool_options){.workers = 32767, .max_threads = 32767});
    assert_non_null(pool);
    assert_code(sil_take(submit_nothing(pool), NULL, SIL_FOREVER), 0);
    close_pool(pool);
}

/* result: the kernel's name of the thread. */
static int tell_thread_name(void *arg, void *result)
{
    (void)pthread_getname_np(pthread_self(), result, 16);
    if (arg != NULL)
        gate_wait(*(struct gate **)arg);
    return 0;
}

/* The names of two workers that run at the same time. */
static void get_names(const char *pool_name, char names[2][16])
{
    char copy[64];
    (void)strncpy(copy, pool_name, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2, .name = copy});
    (void)memset(copy, '?', sizeof copy - 1);
    struct gate gate;
    struct gate *arg = &gate;
    gate_init(&gate);
    sil_future *futures[2];
    for (int i = 0; i < 2; i++)
        futures[i] = sil_submit(pool, tell_thread_name, &arg, sizeof arg, 16);
    gate_wait_for_arrivals(&gate, 2);
    gate_open(&gate);
    for (int i = 0; i < 2; i++)
        assert_code(sil_take(futures[i], names[i], SIL_FOREVER), 0);
    close_pool(pool);
    gate_fini(&gate);
}

static void test_threads_are_named_after_the_pool(void **state)
{
    (void)state;
    char names[2][16];
    get_names("decode", names);
    assert_true(strcmp(names[0], "decode-0") == 0 || strcmp(names[1], "decode-0") == 0);
    assert_true(strcmp(names[0], "decode-1") == 0 || strcmp(names[1], "decode-1") == 0);
    get_names("0123456789abcdefghijklmn", names); /* cut, but still told apart */
    assert_int_equal(strncmp(names[0], "0123456789", 10), 0);
    assert_int_equal(strncmp(names[1], "0123456789", 10), 0);
    assert_string_not_equal(names[0], names[1]);

    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    assert_code(sil_take(sil_submit(pool, tell_thread_name, NULL, 0, 16), names[0], SIL_FOREVER),
                0);
    assert_string_equal(names[0], "sillon-0");
    close_pool(pool);
}

static void test_stack_size_is_honoured(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 65536, 4 << 20};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        sil_executor *pool =
            sil_thread_pool(&(sil_thread_pool_options){.workers = 1, .stack_size = sizes[i]});
        assert_non_null(pool);
        assert_code(sil_take(submit_nothing(pool), NULL, SIL_FOREVER), 0);
        close_pool(pool);
    }
}

/* What an initializer does: counts, marks its thread, and fails from one call on. */
struct initializer {
    atomic_uint calls;
    unsigned fail_from; /* 0: never */
};

static _Thread_local bool initialized;

static int initialize(void *arg)
{
    struct initializer *initializer = arg;
    unsigned call = atomic_fetch_add(&initializer->calls, 1) + 1;
    initialized = true;
    return initializer->fail_from != 0 && call >= initializer->fail_from
               ? sil_fail(ENODEV, "no device")
               : 0;
}

static int see_initialized(void *arg, void *result)
{
    *(bool *)result = initialized;
    if (arg != NULL)
        gate_wait(*(struct gate **)arg);
    return 0;
}

static sil_executor *create_with_initializer(struct initializer *initializer, unsigned workers)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){
        .workers = workers, .initializer = initialize, .initializer_arg = initializer});
    assert_non_null(pool);
    return pool;
}

static void test_initializer_runs_first_on_each_worker(void **state)
{
    (void)state;
    struct initializer initializer = {.fail_from = 0};
    sil_executor *pool = create_with_initializer(&initializer, 3);
    assert_int_equal(initializer.calls, 0);
    struct gate gate;
    struct gate *arg = &gate;
    gate_init(&gate);
    sil_future *futures[20];
    for (int i = 0; i < 20; i++)
        futures[i] = sil_submit(pool, see_initialized, &arg, sizeof arg, sizeof(bool));
    gate_wait_for_arrivals(&gate, 3);
    gate_open(&gate);
    for (int i = 0; i < 20; i++) {
        bool seen = false;
        assert_code(sil_take(futures[i], &seen, SIL_FOREVER), 0);
        assert_true(seen);
    }
    close_pool(pool);
    assert_int_equal(initializer.calls, 3);
    gate_fini(&gate);
}

static void test_spare_workers_are_initialized_too(void **state)
{
    (void)state;
    struct initializer initializer = {.fail_from = 0};
    sil_executor *pool = create_with_initializer(&initializer, 1);
    sil_promise *promise;
    sil_future *value = promise_int(&promise);
    sil_future *blocked = submit_await(pool, value);
    bool seen = false;
    sil_future *future = sil_submit(pool, see_initialized, NULL, 0, sizeof seen);
    assert_code(sil_take(future, &seen, SIL_FOREVER), 0);
    assert_true(seen);
    assert_code(sil_promise_resolve(promise, NULL), 0);
    assert_code(sil_take(blocked, NULL, SIL_FOREVER), 0);
    sil_promise_destroy(promise);
    sil_future_release(value);
    close_pool(pool);
    assert_in_range(initializer.calls, 1, 2);
}

static void test_failing_initializer_breaks_the_pool(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers += 3) {
        struct initializer initializer = {.fail_from = 1};
        sil_executor *pool = create_with_initializer(&initializer, workers);
        for (int i = 0; i < 10; i++) {
            sil_future *future = submit_nothing(pool);
            assert_code(sil_await(future, SIL_FOREVER), SIL_EBROKEN);
            assert_contains(sil_error_message(sil_future_error(future)), "initializer");
            sil_future_release(future);
        }
        close_pool(pool);
    }
}

static void test_initializer_that_fails_later_leaves_running_tasks_alone(void **state)
{
    (void)state;
    struct initializer initializer = {.fail_from = 2};
    sil_executor *pool = create_with_initializer(&initializer, 2);
    struct gate gate;
    gate_init(&gate);
    sil_future *running = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 1);
    sil_future *pending[5];
    for (int i = 0; i < 5; i++)
        pending[i] = submit_nothing(pool);
    for (int i = 0; i < 5; i++)
        assert_code(sil_take(pending[i], NULL, SIL_FOREVER), SIL_EBROKEN);
    assert_code(sil_take(submit_nothing(pool), NULL, SIL_FOREVER), SIL_EBROKEN);
    gate_open(&gate);
    assert_code(sil_take(running, NULL, SIL_FOREVER), 0);
    close_pool(pool);
    gate_fini(&gate);
}

static int await_own_child(void *arg, void *result)
{
    sil_executor *pool = *(sil_executor **)arg;
    return sil_take(submit_int(pool, task_int, 5), result, SIL_FOREVER);
}

static void test_several_pools_are_independent(void **state)
{
    (void)state;
    sil_executor *pools[5];
    struct gate gate;
    gate_init(&gate);
    for (int i = 0; i < 5; i++)
        pools[i] = sil_thread_pool(&(sil_thread_pool_options){.workers = 1 + (unsigned)i % 2});
    sil_future *stuck = submit_gate(pools[0], &gate);
    gate_wait_for_arrivals(&gate, 1);
    for (int i = 1; i < 5; i++) {
        int value = 0;
        sil_future *future =
            sil_submit(pools[i], await_own_child, &pools[i], sizeof pools[i], sizeof value);
        assert_code(sil_take(future, &value, SIL_FOREVER), 0);
        assert_int_equal(value, 5);
        close_pool(pools[i]);
    }
    gate_open(&gate);
    assert_code(sil_take(stuck, NULL, SIL_FOREVER), 0);
    close_pool(pools[0]);
    gate_fini(&gate);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_workers_default_to_the_cpus_of_this_process),
        TEST(test_no_thread_before_there_is_a_task),
        TEST(test_bad_options_are_refused),
        TEST(test_threads_are_named_after_the_pool),
        TEST(test_stack_size_is_honoured),
        TEST(test_initializer_runs_first_on_each_worker),
        TEST(test_spare_workers_are_initialized_too),
        TEST(test_failing_initializer_breaks_the_pool),
        TEST(test_initializer_that_fails_later_leaves_running_tasks_alone),
        TEST(test_several_pools_are_independent),
    };
    return test_run("thread pool", tests);
}
