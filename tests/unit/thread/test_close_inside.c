/* SPDX-License-Identifier: MIT */
/*
 * Pools closed from inside, tasks run by their submitters, and figures that add up at the end.
 */
#include <sillon/combine.h>
#include <sillon/promise.h>
#include <sillon/thread_pool.h>

#include <pthread.h>

#include "support/tasks.h"
#include "support/test.h"

struct closer {
    sil_executor *pool;
    struct gate gate;
};

static int close_then_pass_the_gate(void *arg, void *result)
{
    (void)result;
    struct closer *closer = *(struct closer **)arg;
    int code = sil_executor_close(closer->pool);
    gate_wait(&closer->gate);
    return code;
}

static void test_closed_by_its_task_it_answers_as_closed_at_once(void **state)
{
    (void)state;
    struct closer closer = {.pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1})};
    struct closer *arg = &closer;
    gate_init(&closer.gate);
    sil_future *task =
        sil_submit(closer.pool, close_then_pass_the_gate, &arg, sizeof(struct closer *), 0);
    gate_wait_for_arrivals(&closer.gate, 1);
    assert_code(sil_executor_close(closer.pool), SIL_ESHUTDOWN);
    assert_code(sil_take(submit_nothing(closer.pool), NULL, SIL_FOREVER), SIL_ESHUTDOWN);
    assert_code(sil_executor_shutdown(closer.pool, true, SIL_FOREVER), 0);
    gate_open(&closer.gate);
    assert_code(sil_take(task, NULL, SIL_FOREVER), 0);
    gate_fini(&closer.gate);
}

/* A pool whose one worker is held at the gate, with a full queue. */
static sil_executor *full_pool(struct gate *gate, sil_future *held[2])
{
    sil_executor *pool = sil_thread_pool(
        &(sil_thread_pool_options){.workers = 1, .max_pending = 1, .when_full = SIL_FULL_CALLER});
    gate_init(gate);
    held[0] = submit_gate(pool, gate);
    gate_wait_for_arrivals(gate, 1);
    held[1] = submit_gate(pool, gate);
    return pool;
}

static int open_and_close(void *arg, void *result)
{
    (void)result;
    struct closer *closer = *(struct closer **)arg;
    gate_open(&closer->gate);
    return sil_executor_close(closer->pool);
}

static void test_submitter_that_runs_a_task_may_close_in_it(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(500); i++) {
        sil_future *held[2];
        struct closer closer;
        struct closer *arg = &closer;
        closer.pool = full_pool(&closer.gate, held);
        sil_future *run_here =
            sil_submit(closer.pool, open_and_close, &arg, sizeof(struct closer *), 0);
        assert_code(sil_take(run_here, NULL, SIL_NOW), 0);
        assert_code(sil_take(held[0], NULL, SIL_FOREVER), 0);
        assert_code(sil_take(held[1], NULL, SIL_FOREVER), 0);
        gate_fini(&closer.gate);
    }
}

struct submitter {
    sil_executor *pool;
    struct gate inside;
    _Atomic bool ended;
};

static int pass_and_say_so(void *arg, void *result)
{
    (void)result;
    struct submitter *submitter = *(struct submitter **)arg;
    gate_wait(&submitter->inside);
    atomic_store(&submitter->ended, true);
    return 0;
}

static void *submit_here(void *argument)
{
    struct submitter *submitter = argument;
    sil_future_release(
        sil_submit(submitter->pool, pass_and_say_so, &submitter, sizeof(struct submitter *), 0));
    return NULL;
}

static void test_shutdown_waits_for_tasks_their_submitters_run(void **state)
{
    (void)state;
    sil_future *held[2];
    struct gate gate;
    struct submitter submitter = {.pool = full_pool(&gate, held)};
    gate_init(&submitter.inside);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, submit_here, &submitter), 0);
    gate_wait_for_arrivals(&submitter.inside, 1);
    gate_open(&gate);
    assert_code(sil_await(held[1], SIL_FOREVER), 0);
    assert_code(sil_executor_shutdown(submitter.pool, false, sil_in(0.01)), SIL_ETIMEDOUT);
    gate_open(&submitter.inside);
    assert_code(sil_executor_shutdown(submitter.pool, false, SIL_FOREVER), 0);
    assert_true(atomic_load(&submitter.ended));
    sil_executor_stats stats;
    assert_code(sil_executor_stats_get(submitter.pool, &stats), 0);
    assert_int_equal(stats.submitted, 3);
    assert_int_equal(stats.done, 3);
    assert_int_equal(stats.running, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sil_future_release(held[0]);
    sil_future_release(held[1]);
    assert_code(sil_executor_close(submitter.pool), 0);
    gate_fini(&gate);
    gate_fini(&submitter.inside);
}

static int nothing_more(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)arg;
    (void)result;
    return 0;
}

static void *resolve(void *promise)
{
    (void)sil_promise_resolve(promise, NULL);
    return NULL;
}

/* Whoever awaits what follows cannot know of the thread that submitted it. */
static void test_close_waits_for_whoever_submits_what_follows(void **state)
{
    (void)state;
    for (int i = 0; i < TEST_SCALE(2000); i++) {
        sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
        sil_promise *promise = sil_promise_create(NULL, 0);
        sil_future *first = sil_promise_future(promise);
        sil_future *next = sil_then(first, pool, nothing_more, NULL, 0, 0);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, resolve, promise), 0);
        assert_code(sil_take(next, NULL, SIL_FOREVER), 0);
        assert_code(sil_executor_close(pool), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        sil_future_release(first);
        sil_promise_destroy(promise);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_closed_by_its_task_it_answers_as_closed_at_once),
        TEST(test_submitter_that_runs_a_task_may_close_in_it),
        TEST(test_shutdown_waits_for_tasks_their_submitters_run),
        TEST(test_close_waits_for_whoever_submits_what_follows),
    };
    return test_run("close inside", tests);
}
