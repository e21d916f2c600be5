/* SPDX-License-Identifier: MIT */
/*
 * Events: who waits is woken, debts are paid or taken back, and a wake that was lost with its waker
 * is made good.
 */
#include "process/shared_event.h"

#include <pthread.h>
#include <unistd.h>

#include <sillon/status.h>

#include "support/self.h"
#include "support/test.h"

struct flag {
    struct sil__event event;
    _Atomic int value;
    pthread_t thread;
    _Atomic pid_t id;
    int code;
};

static int take(void *arg)
{
    struct flag *flag = arg;
    int one = 1;
    return atomic_compare_exchange_strong(&flag->value, &one, 0) ? 0 : SIL_EAGAIN;
}

static uint32_t debt(struct flag *flag)
{
    return (uint32_t)flag->event.word;
}

static void *wait_for_it(void *arg)
{
    struct flag *flag = arg;
    flag->id = gettid();
    flag->code = sil__event_await(&flag->event, take, flag, SIL_FOREVER);
    return NULL;
}

static void start_waiter(struct flag *flag)
{
    assert_int_equal(pthread_create(&flag->thread, NULL, wait_for_it, flag), 0);
    eventually(flag->id != 0 && debt(flag) == 1 && self_asleep(flag->id));
}

static void end_waiter(struct flag *flag)
{
    (void)pthread_join(flag->thread, NULL);
    assert_code(flag->code, 0);
    assert_int_equal(debt(flag), 0);
}

static void test_nobody_waits(void **state)
{
    (void)state;
    struct flag flag = {.value = 1};
    assert_code(sil__event_await(&flag.event, take, &flag, SIL_NOW), 0);
    assert_code(sil__event_await(&flag.event, take, &flag, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil__event_await(&flag.event, take, &flag, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_int_equal(debt(&flag), 0);
    sil__event_wake(&flag.event, 5);
    assert_int_equal(flag.event.word, 0); /* it was not even counted */
}

static void test_a_wake(void **state)
{
    (void)state;
    struct flag flag = {.value = 0};
    start_waiter(&flag);
    flag.value = 1;
    sil__event_wake(&flag.event, 1);
    end_waiter(&flag);
}

/* As if the waker had been killed before it could wake anybody. */
static void test_a_lost_wake(void **state)
{
    (void)state;
    struct flag flag = {.value = 0};
    start_waiter(&flag);
    flag.value = 1;
    end_waiter(&flag);

    /* Or after it had paid. */
    flag.id = 0;
    start_waiter(&flag);
    flag.value = 1;
    atomic_fetch_add(&flag.event.word, (UINT64_C(1) << 32) - 1);
    end_waiter(&flag);
}

/* As if a sleeper had been killed: its debt costs one wake. */
static void test_a_debt_without_a_sleeper(void **state)
{
    (void)state;
    struct flag flag = {.event = {3}};
    for (uint32_t left = 3; left > 0; left--) {
        assert_int_equal(debt(&flag), left);
        sil__event_wake(&flag.event, 1);
    }
    assert_int_equal(debt(&flag), 0);
    start_waiter(&flag);
    flag.value = 1;
    sil__event_wake(&flag.event, 1);
    end_waiter(&flag);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_nobody_waits),
        TEST(test_a_wake),
        TEST(test_a_lost_wake),
        TEST(test_a_debt_without_a_sleeper),
    };
    return test_run("shared event", tests);
}
