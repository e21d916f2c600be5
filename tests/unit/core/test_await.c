/* SPDX-License-Identifier: MIT */
/*
 * Awaiting under odd conditions: deadlines at the edges of time, signals, and callbacks that wait.
 */
#include <sillon/future.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "support/self.h"
#include "support/tasks.h"
#include "support/test.h"

/* A thread that waits for one future in one of several ways. */
struct waiter {
    sil_future *future;
    sil_deadline until;
    int how;
    _Atomic pid_t thread;
    atomic_bool returned;
    int code;
};

enum { BY_AWAIT, BY_WAIT, AS_COMPLETED, BY_SLEEP, WAYS };

static int wait_in_one_way(struct waiter *waiter)
{
    sil_future *yielded = NULL;
    sil_as_completed *it;
    int code;
    switch (waiter->how) {
    case BY_AWAIT:
        return sil_await(waiter->future, waiter->until);
    case BY_WAIT:
        return sil_wait(&waiter->future, 1, SIL_ALL_COMPLETED, waiter->until, NULL);
    case AS_COMPLETED:
        it = sil_as_completed_create(&waiter->future, 1);
        code = sil_as_completed_next(it, &yielded, waiter->until);
        sil_as_completed_destroy(it);
        return code;
    default:
        return sil_sleep(waiter->until);
    }
}

static void *run_waiter(void *arg)
{
    struct waiter *waiter = arg;
    waiter->thread = gettid();
    waiter->code = wait_in_one_way(waiter);
    waiter->returned = true;
    return NULL;
}

static pthread_t start_waiter(struct waiter *waiter)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_waiter, waiter), 0);
    eventually(waiter->returned || (waiter->thread != 0 && self_asleep(waiter->thread)));
    return thread;
}

static void test_deadlines_at_the_end_of_time(void **state)
{
    (void)state;
    static const sil_deadline untils[] = {SIL_FOREVER, SIL_FOREVER - 1, SIL_FOREVER - 999999999,
                                          SIL_FOREVER / 2};
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        for (int how = BY_AWAIT; how < BY_SLEEP; how++) {
            sil_promise *promise;
            sil_future *future = promise_int(&promise);
            struct waiter waiter = {.future = future, .until = untils[i], .how = how};
            pthread_t thread = start_waiter(&waiter);
            assert_false(waiter.returned);
            assert_code(sil_promise_resolve(promise, NULL), 0);
            (void)pthread_join(thread, NULL);
            assert_code(waiter.code, 0);
            sil_promise_destroy(promise);
            sil_future_release(future);
        }
    }
}

static void test_deadlines_before_the_beginning_of_time(void **state)
{
    (void)state;
    static const sil_deadline untils[] = {SIL_NOW, 1, -1, INT64_MIN, INT64_MIN + 1};
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        for (int how = BY_AWAIT; how < WAYS; how++) {
            struct waiter waiter = {.future = future, .until = untils[i], .how = how};
            assert_code(wait_in_one_way(&waiter), how == BY_SLEEP ? 0 : SIL_ETIMEDOUT);
        }
    }
    sil_promise_destroy(promise);
    sil_future_release(future);
}

static atomic_uint signals_handled;

static void on_signal(int number)
{
    (void)number;
    (void)atomic_fetch_add(&signals_handled, 1);
}

/* Interrupts a sleeping thread many times. ThreadSanitizer may defer handlers until it wakes. */
static void interrupt(struct waiter *waiter, pthread_t thread)
{
    for (unsigned i = 0; i < 50 && !waiter->returned; i++) {
        unsigned before = signals_handled;
        assert_int_equal(pthread_kill(thread, SIGUSR1), 0);
#ifndef TEST_TSAN
        eventually(signals_handled != before || waiter->returned);
        eventually(self_asleep(waiter->thread) || waiter->returned);
#else
        (void)before;
#endif
    }
}

static void test_signals_do_not_end_a_wait(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART */
    struct sigaction before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    for (int how = BY_AWAIT; how < WAYS; how++) {
        for (int finite = how == BY_SLEEP; finite <= 1; finite++) {
            sil_promise *promise;
            sil_future *future = promise_int(&promise);
            struct waiter waiter = {.future = future,
                                    .until =
                                        finite ? sil_in(how == BY_SLEEP ? 0.2 : 1e6) : SIL_FOREVER,
                                    .how = how};
            pthread_t thread = start_waiter(&waiter);
            interrupt(&waiter, thread);
            if (how != BY_SLEEP)
                assert_false(waiter.returned);
            assert_code(sil_promise_resolve(promise, NULL), 0);
            (void)pthread_join(thread, NULL);
            assert_code(waiter.code, 0);
            if (how == BY_SLEEP)
                assert_true(sil_clock() >= waiter.until);
            sil_promise_destroy(promise);
            sil_future_release(future);
        }
    }
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

/* A callback that awaits a future which another thread completes. */
struct patient {
    sil_future *other;
    struct gate *gate;
    int code;
};

static void await_other(sil_future *future, void *user)
{
    (void)future;
    struct patient *patient = user;
    gate_wait(patient->gate);
    patient->code = sil_await(patient->other, SIL_FOREVER);
}

static void *resolve_promise(void *arg)
{
    (void)sil_promise_resolve(arg, NULL);
    return NULL;
}

static void test_callback_may_wait_for_another_future(void **state)
{
    (void)state;
    sil_promise *promises[2];
    struct gate gate;
    gate_init(&gate);
    sil_future *first = promise_int(&promises[0]);
    struct patient patient = {promise_int(&promises[1]), &gate, -1};
    assert_code(sil_future_add_done_callback(first, await_other, &patient), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, resolve_promise, promises[0]), 0);
    gate_wait_for_arrivals(&gate, 1);
    gate_open(&gate);
    assert_code(sil_await(first, SIL_FOREVER), 0); /* final, though its callback still waits */
    assert_code(sil_promise_resolve(promises[1], NULL), 0);
    (void)pthread_join(thread, NULL);
    assert_code(patient.code, 0);
    for (int i = 0; i < 2; i++)
        sil_promise_destroy(promises[i]);
    sil_future_release(first);
    sil_future_release(patient.other);
    gate_fini(&gate);
}

static void test_a_thousand_threads_may_await_one_future(void **state)
{
    (void)state;
    enum { THREADS = TEST_SCALE(1000) };
    static struct waiter waiters[THREADS];
    static pthread_t threads[THREADS];
    sil_promise *promise;
    sil_future *future = promise_int(&promise);
    for (int i = 0; i < THREADS; i++) {
        waiters[i] = (struct waiter){.future = future, .until = SIL_FOREVER, .how = i % BY_SLEEP};
        assert_int_equal(pthread_create(&threads[i], NULL, run_waiter, &waiters[i]), 0);
    }
    assert_code(sil_promise_resolve(promise, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_code(waiters[i].code, 0);
    sil_promise_destroy(promise);
    sil_future_release(future);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_deadlines_at_the_end_of_time),
        TEST(test_deadlines_before_the_beginning_of_time),
        TEST(test_signals_do_not_end_a_wait),
        TEST(test_callback_may_wait_for_another_future),
        TEST(test_a_thousand_threads_may_await_one_future),
    };
    return test_run("await", tests);
}
