/* SPDX-License-Identifier: MIT */
/*
 * Events between threads.
 */
#include <sillon/sync.h>

#include "unit/sync/crowd.h"

static int wait_for_ever(void *event)
{
    return sil_event_wait(event, SIL_FOREVER);
}

static int wait_for_long(void *event)
{
    return sil_event_wait(event, sil_in(1000));
}

static void test_event_wait_on_set(void **state)
{
    (void)state;
    sil_event *event = sil_event_create("e");
    assert_non_null(event);
    assert_false(sil_event_is_set(event));
    assert_code(sil_event_wait(event, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_event_wait(event, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_contains(sil_error_message(sil_last_error()), "'e'");
    assert_code(sil_event_set(event), 0);
    assert_code(sil_event_set(event), 0);
    assert_true(sil_event_is_set(event));
    assert_code(sil_event_wait(event, SIL_NOW), 0);
    assert_code(sil_event_wait(event, SIL_FOREVER), 0);
    sil_event_destroy(event);
}

static void test_event_clear(void **state)
{
    (void)state;
    sil_event *event = sil_event_create(NULL);
    assert_code(sil_event_set(event), 0);
    assert_code(sil_event_clear(event), 0);
    assert_false(sil_event_is_set(event));
    assert_code(sil_event_wait(event, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_event_clear(event), 0);
    sil_event_destroy(event);
    assert_code(sil_event_set(NULL), SIL_EINVAL);
    assert_code(sil_event_clear(NULL), SIL_EINVAL);
    assert_code(sil_event_wait(NULL, SIL_NOW), SIL_EINVAL);
    assert_false(sil_event_is_set(NULL));
    sil_event_destroy(NULL);
}

static void test_event_wait(void **state)
{
    (void)state;
    sil_event *event = sil_event_create(NULL);
    struct member members[4] = {0};
    for (int i = 0; i < 4; i++)
        crowd_queue(&members[i], i % 2 ? wait_for_long : wait_for_ever, event);
    assert_code(sil_event_set(event), 0);
    for (int i = 0; i < 4; i++)
        assert_code(crowd_join(&members[i]), 0);
    sil_event_destroy(event);
}

static void test_event_clear_with_waiters(void **state)
{
    (void)state;
    sil_event *event = sil_event_create(NULL);
    struct member member = {0};
    crowd_queue(&member, wait_for_ever, event);
    assert_code(sil_event_set(event), 0);
    assert_code(sil_event_clear(event), 0); /* whether or not it runs by now */
    assert_code(crowd_join(&member), 0);
    assert_false(sil_event_is_set(event));
    sil_event_destroy(event);
}

static void set_meanwhile(void *event)
{
    assert_code(sil_event_set(event), 0);
    assert_code(sil_event_clear(event), 0);
}

static void test_event_set_at_the_deadline_counts(void **state)
{
    (void)state;
    static const int codes[] = {SIL_ETIMEDOUT, SIL_ECANCELLED};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        sil_event *event = sil_event_create(NULL);
        struct puppet puppet;
        puppet_init(&puppet, set_meanwhile, event, codes[i]);
        assert_code(puppet_call(&puppet, wait_for_long, event), 0);
        puppet_fini(&puppet);
        sil_event_destroy(event);
    }
}

static void test_event_wait_cancel(void **state)
{
    (void)state;
    sil_event *event = sil_event_create(NULL);
    struct puppet puppet;
    puppet_init(&puppet, NULL, NULL, SIL_ECANCELLED);
    assert_code(puppet_call(&puppet, wait_for_ever, event), SIL_ECANCELLED);
    puppet.context.cancel_due = true;
    assert_code(sil_event_set(event), 0); /* nobody is in line */
    assert_code(puppet_call(&puppet, wait_for_ever, event), SIL_ECANCELLED);
    assert_code(puppet_call(&puppet, wait_for_ever, event), 0);
    puppet_fini(&puppet);
    sil_event_destroy(event);
}

static int wait_task(void *arg, void *result)
{
    (void)result;
    return sil_event_wait(*(sil_event **)arg, SIL_FOREVER);
}

static int set_task(void *arg, void *result)
{
    (void)result;
    return sil_event_set(*(sil_event **)arg);
}

/* A worker that waits lets another take its place. */
static void test_event_is_set_behind_a_worker_that_waits(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_event *event = sil_event_create(NULL);
    sil_future *waiters[3];
    for (int i = 0; i < 3; i++)
        waiters[i] = sil_submit(pool, wait_task, &event, sizeof event, 0);
    sil_future *setter = sil_submit(pool, set_task, &event, sizeof event, 0);
    for (int i = 0; i < 3; i++)
        assert_code(sil_take(waiters[i], NULL, SIL_FOREVER), 0);
    assert_code(sil_take(setter, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    sil_event_destroy(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_event_wait_on_set),
        TEST(test_event_clear),
        TEST(test_event_wait),
        TEST(test_event_clear_with_waiters),
        TEST(test_event_set_at_the_deadline_counts),
        TEST(test_event_wait_cancel),
        TEST(test_event_is_set_behind_a_worker_that_waits),
    };
    return test_run("event", tests);
}
