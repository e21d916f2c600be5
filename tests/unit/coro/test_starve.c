/* SPDX-License-Identifier: MIT */
/*
 * A coroutine that never has to wait, whatever it does, still does not keep the loop to itself: others,
 * timers and other threads' words have their turn.
 */
#include <sillon/coro.h>

#include <sillon/sync.h>

#include "scenario.h"

/* More often than that nobody may do what could wait, and be alone. */
enum { PATIENCE = 100000 };

static sil_future *final;
static sil_mutex *mutex;
static sil_semaphore *semaphore;
static sil_event *event;
static sil_queue *queue;

static int await_final(void)
{
    return sil_await(final, SIL_FOREVER);
}

static int await_final_in_time(void)
{
    return sil_await(final, sil_in(60));
}

static int take_inline(void)
{
    return sil_take(sil_future_retain(final), NULL, SIL_FOREVER);
}

static int wait_final(void)
{
    return sil_wait(&final, 1, SIL_ALL_COMPLETED, SIL_FOREVER, NULL);
}

static int race_final(void)
{
    return sil_wait(&final, 1, SIL_FIRST_COMPLETED, SIL_FOREVER, NULL);
}

static int sleep_in_the_past(void)
{
    return sil_sleep(sil_in(0));
}

static int yield(void)
{
    return sil_yield();
}

static int go(void)
{
    return sil_take(sil_go(task_nothing, NULL, 0, 0), NULL, SIL_FOREVER);
}

static int lock(void)
{
    int code = sil_mutex_lock(mutex, SIL_FOREVER);
    return code != 0 ? code : sil_mutex_unlock(mutex);
}

static int acquire(void)
{
    int code = sil_semaphore_acquire(semaphore, SIL_FOREVER);
    return code != 0 ? code : sil_semaphore_release(semaphore, 1);
}

static int wait_for_event(void)
{
    return sil_event_wait(event, SIL_FOREVER);
}

static int put_and_get(void)
{
    int item = 0;
    int code = sil_queue_put(queue, &item, SIL_FOREVER);
    return code != 0 ? code : sil_queue_get(queue, &item, SIL_FOREVER);
}

static int (*const ways[])(void) = {
    await_final,    await_final_in_time,
    take_inline,    wait_final,
    race_final,     sleep_in_the_past,
    yield,          go,
    lock,           acquire,
    wait_for_event, put_and_get,
};

static int tell(void *arg, void *result)
{
    (void)result;
    **(bool **)arg = true;
    return 0;
}

static int sleep_and_tell(void *arg, void *result)
{
    int code = sil_sleep(sil_in(1e-3));
    return code != 0 ? code : tell(arg, result);
}

static int await_thread_and_tell(void *arg, void *result)
{
    sil_future *thread = sil_thread_start(NULL, task_nothing, NULL, 0, 0);
    int code = sil_take(thread, NULL, SIL_FOREVER);
    return code != 0 ? code : tell(arg, result);
}

/* Do it until the other has told; so often at most, unless that is a matter of time. */
static int beside(sil_task_fn other, int (*way)(void), long most)
{
    bool told = false;
    bool *teller = &told;
    sil_future *future = sil_go(other, (void *)&teller, sizeof teller, 0);
    long count = 0;
    for (; !told && (most == 0 || count < most); count++)
        EXPECT_CODE(way(), 0);
    EXPECT(told);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    return 0;
}

static int make(void)
{
    final = sil_go(task_nothing, NULL, 0, 0);
    EXPECT_CODE(sil_await(final, SIL_FOREVER), 0);
    mutex = sil_mutex_create("m");
    semaphore = sil_semaphore_create("s", 1, 1);
    event = sil_event_create("e");
    queue = sil_queue_create(&(sil_queue_options){.item_size = sizeof(int)});
    EXPECT(mutex && semaphore && event && queue);
    EXPECT_CODE(sil_event_set(event), 0);
    return 0;
}

static void unmake(void)
{
    sil_future_release(final);
    sil_mutex_destroy(mutex);
    sil_semaphore_destroy(semaphore);
    sil_event_destroy(event);
    sil_queue_destroy(queue);
}

SCENARIO(others_have_their_turn)
{
    (void)arg, (void)result;
    int code = make();
    for (size_t i = 0; code == 0 && i < COUNT_OF(ways); i++)
        code = beside(tell, ways[i], PATIENCE);
    unmake();
    return code;
}

SCENARIO(timers_have_their_turn)
{
    (void)arg, (void)result;
    int code = make();
    for (size_t i = 0; code == 0 && i < COUNT_OF(ways); i++)
        code = beside(sleep_and_tell, ways[i], 0);
    unmake();
    return code;
}

SCENARIO(threads_have_their_say)
{
    (void)arg, (void)result;
    int code = make();
    for (size_t i = 0; code == 0 && i < COUNT_OF(ways); i++)
        code = beside(await_thread_and_tell, ways[i], 0);
    unmake();
    return code;
}

static int do_for_ever(void *arg, void *result)
{
    (void)result;
    int (*way)(void) = *(int (**)(void))arg;
    int code;
    do {
        code = way();
    } while (code == 0);
    EXPECT_CODE(code, SIL_ECANCELLED);
    return sil_cancelled() ? code : UNEXPECTED;
}

/* Does it notice that it was cancelled? Not what finds its answer there: it does not wait. */
SCENARIO(cancel_gets_through)
{
    (void)arg, (void)result;
    static int (*const heedful[])(void) = {sleep_in_the_past, yield,          lock,
                                           acquire,           wait_for_event, put_and_get};
    int code = make();
    for (size_t i = 0; code == 0 && i < COUNT_OF(heedful); i++) {
        sil_future *future = sil_go(do_for_ever, (void *)&heedful[i], sizeof heedful[i], 0);
        EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
        EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    }
    unmake();
    return code;
}

/* SIL_NOW never waits: nothing else runs meanwhile. */
SCENARIO(polls_let_nobody_in)
{
    (void)arg, (void)result;
    int code = make();
    bool told = false;
    bool *teller = &told;
    sil_future *future = sil_go(tell, (void *)&teller, sizeof teller, 0);
    size_t done = 0;
    for (int i = 0; code == 0 && i < 1000; i++) {
        EXPECT_CODE(sil_await(final, SIL_NOW), 0);
        EXPECT_CODE(sil_await(future, SIL_NOW), SIL_ETIMEDOUT);
        EXPECT_CODE(sil_wait(&final, 1, SIL_ALL_COMPLETED, SIL_NOW, &done), 0);
        EXPECT_CODE(sil_sleep(SIL_NOW), 0);
        EXPECT_CODE(sil_event_wait(event, SIL_NOW), 0);
    }
    EXPECT(!told);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    unmake();
    return code;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_others_have_their_turn), TEST(test_timers_have_their_turn),
        TEST(test_threads_have_their_say), TEST(test_cancel_gets_through),
        TEST(test_polls_let_nobody_in),
    };
    begin_scenarios();
    return test_run("those that never wait", tests);
}
