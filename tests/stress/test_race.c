/* SPDX-License-Identifier: MIT */
/*
 * Races: cancel against start, submit against shutdown, completion against callbacks and
 * timeouts. Each future must end exactly once, whoever wins.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <stdatomic.h>

#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

/* Cancels some futures in turn, and notes what it was told. */
enum { BATCH = 64 };

struct canceller {
    sil_future *futures[BATCH];
    int codes[BATCH];
};

static void *cancel_all(void *arg)
{
    struct canceller *canceller = arg;
    for (int i = 0; i < BATCH; i++) {
        random_yield_here();
        canceller->codes[i] = sil_future_cancel(canceller->futures[i]);
    }
    return NULL;
}

static void test_cancel_races_with_start(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    for (int round = 0; round < TEST_SCALE(1500); round++) {
        atomic_uint runs = 0;
        atomic_uint called = 0;
        struct canceller canceller;
        for (int i = 0; i < BATCH; i++) {
            canceller.futures[i] = submit_count(pool, &runs);
            (void)sil_future_add_done_callback(canceller.futures[i], count_done, &called);
        }
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, cancel_all, &canceller), 0);
        unsigned succeeded = 0;
        for (int i = 0; i < BATCH; i++)
            succeeded += sil_await(canceller.futures[BATCH - 1 - i], SIL_FOREVER) == 0;
        (void)pthread_join(thread, NULL);
        eventually(called == BATCH);
        assert_int_equal(runs, succeeded);
        for (int i = 0; i < BATCH; i++) {
            int code = sil_future_code(canceller.futures[i]);
            assert_code(code, canceller.codes[i] == 0 ? SIL_ECANCELLED : 0);
            sil_future_release(canceller.futures[i]);
        }
    }
    assert_code(sil_executor_close(pool), 0);
}

/* Submits until it is refused. */
struct submitter {
    sil_executor *pool;
    atomic_uint *runs;
    atomic_uint *called;
    unsigned succeeded;
    unsigned cancelled;
    unsigned refused;
    unsigned wrong;
};

static void *submit_until_refused(void *arg)
{
    struct submitter *submitter = arg;
    enum { MOST = 3000 };
    static _Thread_local sil_future *futures[MOST];
    int count = 0;
    while (count < MOST && submitter->refused == 0) {
        sil_future *future = submit_count(submitter->pool, submitter->runs);
        (void)sil_future_add_done_callback(future, count_done, submitter->called);
        if (sil_future_done(future) && sil_future_code(future) == SIL_ESHUTDOWN)
            submitter->refused++;
        futures[count++] = future;
        random_yield_here();
    }
    for (int i = 0; i < count; i++) {
        int code = sil_take(futures[i], NULL, SIL_FOREVER);
        submitter->succeeded += code == 0;
        submitter->cancelled += code == SIL_ECANCELLED;
        submitter->wrong += code != 0 && code != SIL_ECANCELLED && code != SIL_ESHUTDOWN;
    }
    return NULL;
}

static void race_submit_with_shutdown(bool cancel_pending, unsigned seed)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    atomic_uint runs = 0;
    atomic_uint called = 0;
    struct submitter submitters[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        submitters[i] = (struct submitter){.pool = pool, .runs = &runs, .called = &called};
        assert_int_equal(pthread_create(&threads[i], NULL, submit_until_refused, &submitters[i]),
                         0);
    }
    eventually(atomic_load(&runs) >= seed % 50);
    assert_code(sil_executor_shutdown(pool, cancel_pending, SIL_FOREVER), 0);
    unsigned runs_at_shutdown = runs;
    unsigned succeeded = 0;
    unsigned ended = 0;
    for (int i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
        succeeded += submitters[i].succeeded;
        ended += submitters[i].succeeded + submitters[i].cancelled + submitters[i].refused;
        assert_int_equal(submitters[i].wrong, 0);
        assert_true(cancel_pending || submitters[i].cancelled == 0);
    }
    assert_int_equal(runs, runs_at_shutdown); /* nothing runs after the shutdown */
    assert_int_equal(runs, succeeded);
    assert_code(sil_executor_close(pool), 0);
    assert_int_equal(called, ended);
}

static void test_submit_races_with_shutdown(void **state)
{
    (void)state;
    for (unsigned round = 0; round < TEST_SCALE(200); round++)
        race_submit_with_shutdown(round % 2, round * 7);
}

static void *await_with_tiny_deadlines(void *arg)
{
    struct random random = {3};
    int code;
    do {
        code = sil_await(arg, sil_in(1e-6 * (double)random_below(&random, 20)));
    } while (code == SIL_ETIMEDOUT);
    return code == 0 ? NULL : arg;
}

static void test_timeouts_race_with_completion(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(1000); round++) {
        sil_promise *promise;
        sil_future *future = promise_int(&promise);
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, await_with_tiny_deadlines, future),
                             0);
        for (int i = 0; i < round % 50; i++)
            random_yield_here();
        assert_code(sil_promise_resolve(promise, NULL), 0);
        sil_promise_destroy(promise);
        for (int i = 0; i < 2; i++) {
            void *failure = NULL;
            (void)pthread_join(threads[i], &failure);
            assert_null(failure);
        }
        sil_future_release(future);
    }
}

/* Builds combinations over futures that end meanwhile, and cancels some. */
static void *combine_and_cancel(void *arg)
{
    sil_future **inputs = arg;
    for (int i = 0; i < 20; i++) {
        sil_future *combined = i % 3 == 0   ? sil_all(inputs, 3)
                               : i % 3 == 1 ? sil_any(inputs, 3)
                                            : sil_race(inputs, 3);
        random_yield_here();
        if (i == 19)
            (void)sil_future_cancel(combined);
        sil_future_release(combined);
    }
    return NULL;
}

static void test_combinations_race_with_their_inputs(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(1000); round++) {
        sil_promise *promises[3];
        sil_future *inputs[3];
        for (int i = 0; i < 3; i++)
            inputs[i] = promise_int(&promises[i]);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, combine_and_cancel, inputs), 0);
        for (int i = 0; i < 3; i++) {
            random_yield_here();
            (void)sil_promise_resolve(promises[i], &i);
        }
        (void)pthread_join(thread, NULL);
        for (int i = 0; i < 3; i++) {
            assert_true(sil_future_done(inputs[i]));
            sil_promise_destroy(promises[i]);
            sil_future_release(inputs[i]);
        }
    }
}

/* Waits and iterators that come and go while their futures end. */
static void *wait_and_iterate(void *arg)
{
    sil_future **inputs = arg;
    for (int i = 0; i < 20; i++) {
        sil_future *future = NULL;
        sil_as_completed *it = sil_as_completed_create(inputs, 3);
        random_yield_here();
        if (i % 2 == 0)
            (void)sil_as_completed_next(it, &future, sil_in(1e-6));
        (void)sil_wait(inputs, 3, (sil_wait_for)(i % 3), sil_in(1e-6), NULL);
        sil_as_completed_destroy(it);
    }
    return NULL;
}

static void test_waits_come_and_go_while_futures_end(void **state)
{
    (void)state;
    for (int round = 0; round < TEST_SCALE(1000); round++) {
        sil_promise *promises[3];
        sil_future *inputs[3];
        for (int i = 0; i < 3; i++)
            inputs[i] = promise_int(&promises[i]);
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, wait_and_iterate, inputs), 0);
        for (int i = 0; i < 3; i++) {
            random_yield_here();
            (void)sil_promise_resolve(promises[i], &i);
        }
        for (int i = 0; i < 2; i++)
            (void)pthread_join(threads[i], NULL);
        for (int i = 0; i < 3; i++) {
            sil_promise_destroy(promises[i]);
            sil_future_release(inputs[i]);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_cancel_races_with_start),
        TEST(test_submit_races_with_shutdown),
        TEST(test_timeouts_race_with_completion),
        TEST(test_combinations_race_with_their_inputs),
        TEST(test_waits_come_and_go_while_futures_end),
    };
    return test_run("races", tests);
}
