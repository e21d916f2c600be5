/* SPDX-License-Identifier: MIT */
/*
 * The process pool where it was once wrong: tasks called back from a full ring,
 * workers that will not leave, odd time limits, and shared memory taken in odd places.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/channel.h"
#include "support/gate.h"
#include "support/leftovers.h"
#include "support/tasks.h"
#include "support/test.h"

enum { BLOCK = 200, ROUND = 400, THREADS = 4 };

static sil_executor *open_pool(sil_process_pool_options options)
{
    sil_executor *pool = sil_process_pool(&options);
    assert_non_null(pool);
    return pool;
}

static void close_pool(sil_executor *pool)
{
    assert_code(sil_executor_close(pool), 0);
    assert_true(leftovers_no_children());
}

static struct gate *shared_gate(void)
{
    struct gate *gate = sil_shared_alloc(sizeof *gate);
    assert_non_null(gate);
    gate_init(gate);
    return gate;
}

static sil_deadline soon(void)
{
    return sil_in(TEST_PATIENCE / 3.0);
}

static void finish(sil_future *future)
{
    assert_code(sil_take(future, NULL, soon()), 0);
}

/* --- the ring ------------------------------------------------------------------------------ */

static bool is_stopped(pid_t pid)
{
    char name[64];
    char state = '?';
    (void)snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    (void)fclose(file);
    return state == 'T';
}

static pid_t stop_the_worker(sil_executor *pool)
{
    int64_t pid = 0;
    eventually(sil_process_pool_pids(pool, &pid, 1) == 1);
    assert_true(pid > 1);
    assert_int_equal(kill((pid_t)pid, SIGSTOP), 0);
    eventually(is_stopped((pid_t)pid));
    return (pid_t)pid;
}

static void test_ring_full_of_cancelled_tasks_goes_on(void **state)
{
    (void)state;
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1});
    finish(submit_nothing(pool));
    pid_t pid = stop_the_worker(pool);
    sil_future *futures[SIL__RING + 44];
    for (size_t i = 0; i < COUNT_OF(futures); i++)
        futures[i] = submit_nothing(pool);
    for (size_t i = 0; i < SIL__RING; i++)
        assert_code(sil_future_cancel(futures[i]), 0);
    assert_int_equal(kill(pid, SIGCONT), 0);
    for (size_t i = 0; i < COUNT_OF(futures); i++)
        assert_code(sil_take(futures[i], NULL, soon()), i < SIL__RING ? SIL_ECANCELLED : 0);
    assert_code(sil_executor_shutdown(pool, false, soon()), 0);
    close_pool(pool);
}

static void test_rounds_of_mixed_priorities_all_end(void **state)
{
    (void)state;
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 2});
    static const sil_priority priorities[] = {SIL_PRIORITY_LOW, SIL_PRIORITY_NORMAL,
                                              SIL_PRIORITY_HIGH};
    for (double start = test_seconds(); test_seconds() - start < 1;) {
        sil_future *futures[ROUND];
        for (int i = 0; i < ROUND; i++) {
            sil_submit_options options = {.priority = priorities[i % 3]};
            futures[i] = sil_submit_with(pool, &options, task_int, &i, sizeof i, sizeof i);
        }
        for (int i = 0; i < ROUND; i++) {
            int value = -1;
            assert_code(sil_take(futures[i], &value, soon()), 0);
            assert_int_equal(value, i);
        }
    }
    close_pool(pool);
}

/* --- workers that will not leave ----------------------------------------------------------- */

static void hang(void)
{
    for (;;)
        (void)pause();
}

static int hang_at_exit(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return atexit(hang);
}

static void test_worker_that_hangs_after_its_last_task_is_replaced(void **state)
{
    (void)state;
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1, .tasks_per_worker = 1});
    finish(sil_submit(pool, hang_at_exit, NULL, 0, 0));
    finish(submit_nothing(pool));
    close_pool(pool);
}

static void test_idle_worker_that_hangs_when_let_go_is_ended(void **state)
{
    (void)state;
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1, .idle_time = 0.05});
    finish(sil_submit(pool, hang_at_exit, NULL, 0, 0));
    eventually(sil_process_pool_pids(pool, NULL, 0) == 0);
    finish(submit_nothing(pool));
    close_pool(pool);
}

/* --- time limits --------------------------------------------------------------------------- */

static void test_timeout_of_ages_never_comes(void **state)
{
    (void)state;
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1});
    sil_submit_options options = {.timeout = 1e300};
    struct gate *gate = shared_gate();
    sil_future *future = sil_submit_with(pool, &options, task_gate, &gate, sizeof gate, 0);
    gate_wait_for_arrivals(gate, 1);
    assert_code(sil_await(future, sil_in(0.05)), SIL_ETIMEDOUT);
    assert_false(sil_future_done(future));
    gate_open(gate);
    finish(future);
    close_pool(pool);
    sil_shared_free(gate);
}

static void test_timeout_below_a_nanosecond_is_one(void **state)
{
    (void)state;
    struct gate *gate = shared_gate(); /* which stays closed */
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1});
    sil_submit_options options = {.timeout = 1e-10};
    sil_future *future = sil_submit_with(pool, &options, task_gate, &gate, sizeof gate, 0);
    assert_code(sil_await(future, soon()), SIL_ETIMEDOUT);
    assert_true(sil_future_done(future));
    sil_future_release(future);
    close_pool(pool);
    pool = open_pool((sil_process_pool_options){.workers = 1, .task_timeout = 1e-10});
    future = submit_gate(pool, gate);
    assert_code(sil_await(future, soon()), SIL_ETIMEDOUT);
    assert_true(sil_future_done(future));
    sil_future_release(future);
    close_pool(pool);
    sil_shared_free(gate);
}

/* --- shared memory in odd places ----------------------------------------------------------- */

static void *use_blocks(void *arg)
{
    int number = *(int *)arg;
    for (size_t i = 0; i < TEST_SCALE(2000); i++) {
        size_t size = 300 + i % 700;
        unsigned char *block = sil_shared_alloc(size);
        if (block == NULL)
            return arg;
        (void)memset(block, number, size);
        bool whole = true;
        for (size_t k = 0; k < size; k++)
            whole &= block[k] == number;
        sil_shared_free(block);
        if (!whole)
            return arg;
    }
    return NULL;
}

/* Its code: how many of its threads went wrong. */
static int use_blocks_in_threads(void *arg, void *result)
{
    (void)arg;
    (void)result;
    pthread_t threads[THREADS];
    int numbers[THREADS];
    int wrong = 0;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i + 1;
        if (pthread_create(&threads[i], NULL, use_blocks, &numbers[i]) != 0)
            return -1;
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        wrong += failed != NULL;
    }
    return wrong;
}

static void test_threads_of_a_task_share_its_memory_calls(void **state)
{
    (void)state;
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1});
    for (int i = 0; i < 3; i++)
        finish(sil_submit(pool, use_blocks_in_threads, NULL, 0, 0));
    finish(submit_nothing(pool));
    close_pool(pool);
}

static char *block_of_initializer; /* in a worker */

static int take_a_block(void *arg)
{
    (void)arg;
    block_of_initializer = sil_shared_alloc(BLOCK);
    if (block_of_initializer == NULL)
        return 1;
    (void)memset(block_of_initializer, 'i', BLOCK);
    return 0;
}

static int tell_block(void *arg, void *result)
{
    (void)arg;
    *(char **)result = block_of_initializer;
    return 0;
}

static void test_block_of_an_initializer_outlives_a_failed_task(void **state)
{
    (void)state;
    sil_executor *pool =
        open_pool((sil_process_pool_options){.workers = 1, .initializer = take_a_block});
    assert_code(sil_take(submit_int(pool, task_fail, 5), NULL, soon()), 5);
    char *block = NULL;
    assert_code(sil_take(sil_submit(pool, tell_block, NULL, 0, sizeof block), &block, soon()), 0);
    assert_non_null(block);
    char *other = sil_shared_alloc(BLOCK);
    assert_non_null(other);
    assert_ptr_not_equal(block, other);
    (void)memset(other, 'o', BLOCK);
    for (size_t i = 0; i < BLOCK; i++)
        assert_int_equal(block[i], 'i');
    sil_shared_free(other);
    sil_shared_free(block);
    close_pool(pool);
}

/* Both take memory; the child ends with the task function, or before. */
static int allocate_on_both_sides_of_a_fork(void *arg, void *result)
{
    (void)arg;
    (void)result;
    pid_t child = fork();
    char *bytes = sil_result_alloc(1000);
    if (bytes != NULL)
        (void)memset(bytes, 7, 1000);
    return child < 0 || (child > 0 && bytes == NULL);
}

static void test_child_of_a_task_does_not_disturb_its_memory_calls(void **state)
{
    (void)state;
#ifdef TEST_TSAN /* which knows no threads in the child of a program with threads */
    (void)allocate_on_both_sides_of_a_fork;
    skip();
#else
    sil_executor *pool = open_pool((sil_process_pool_options){.workers = 1});
    for (int i = 0; i < 20; i++)
        finish(sil_submit(pool, allocate_on_both_sides_of_a_fork, NULL, 0, 1000));
    finish(submit_nothing(pool));
    close_pool(pool);
#endif
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_ring_full_of_cancelled_tasks_goes_on),
        TEST(test_rounds_of_mixed_priorities_all_end),
        TEST(test_worker_that_hangs_after_its_last_task_is_replaced),
        TEST(test_idle_worker_that_hangs_when_let_go_is_ended),
        TEST(test_timeout_of_ages_never_comes),
        TEST(test_timeout_below_a_nanosecond_is_one),
        TEST(test_threads_of_a_task_share_its_memory_calls),
        TEST(test_block_of_an_initializer_outlives_a_failed_task),
        TEST(test_child_of_a_task_does_not_disturb_its_memory_calls),
    };
    return test_run("process pool", tests);
}
