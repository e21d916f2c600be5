/* SPDX-License-Identifier: MIT */
/*
 * A mutex whose holder ends without unlocking: nobody waits for it for ever.
 */
#include <sillon/sync.h>

#include "unit/sync/crowd.h"

static int lock(void *mutex)
{
    return sil_mutex_lock(mutex, SIL_FOREVER);
}

static void test_mutex_of_an_ended_thread_is_lost(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create("lost");
    struct member member = {0};
    crowd_start(&member, lock, mutex);
    assert_code(crowd_join(&member), 0);
    assert_true(sil_mutex_locked(mutex));
    const sil_deadline untils[] = {SIL_NOW, sil_in(1000), SIL_FOREVER};
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        assert_code(sil_mutex_lock(mutex, untils[i]), SIL_EDEADLK);
        assert_contains(sil_error_message(sil_last_error()), "'lost'");
        assert_contains(sil_error_message(sil_last_error()), "ended");
    }
    assert_code(sil_mutex_unlock(mutex), SIL_EINVAL);
    sil_mutex_destroy(mutex);
}

struct holder {
    sil_mutex *mutexes[3];
    struct gate locked;
    struct gate end;
};

static int hold_until_the_end(void *arg)
{
    struct holder *holder = arg;
    int code = 0;
    for (int i = 0; i < 3 && code == 0; i++)
        code = sil_mutex_lock(holder->mutexes[i], SIL_FOREVER);
    if (code == 0)
        code = sil_mutex_unlock(holder->mutexes[1]);
    gate_open(&holder->locked);
    gate_wait(&holder->end);
    return code;
}

static int lock_for_long(void *mutex)
{
    return sil_mutex_lock(mutex, sil_in(1000));
}

static void test_mutex_waiters_are_told_when_the_holder_ends(void **state)
{
    (void)state;
    struct holder holder;
    gate_init(&holder.locked);
    gate_init(&holder.end);
    for (int i = 0; i < 3; i++)
        holder.mutexes[i] = sil_mutex_create("left behind");
    struct member owner = {0}, first = {0}, second = {0}, third = {0};
    crowd_start(&owner, hold_until_the_end, &holder);
    gate_wait(&holder.locked);
    crowd_queue(&first, lock, holder.mutexes[0]);
    crowd_queue(&second, lock_for_long, holder.mutexes[0]);
    crowd_queue(&third, lock_for_long, holder.mutexes[2]);
    gate_open(&holder.end);
    assert_code(crowd_join(&owner), 0);
    assert_code(crowd_join(&first), SIL_EDEADLK);
    assert_code(crowd_join(&second), SIL_EDEADLK);
    assert_code(crowd_join(&third), SIL_EDEADLK);
    assert_code(sil_mutex_lock(holder.mutexes[1], SIL_FOREVER), 0);
    assert_code(sil_mutex_unlock(holder.mutexes[1]), 0);
    for (int i = 0; i < 3; i++)
        sil_mutex_destroy(holder.mutexes[i]);
    gate_fini(&holder.locked);
    gate_fini(&holder.end);
}

/* Waits for a notification without the mutex, and then cannot have it back. */
struct notified {
    sil_mutex *mutex;
    sil_condition *condition;
};

static int wait_for_notification(void *arg)
{
    struct notified *notified = arg;
    int code = sil_mutex_lock(notified->mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    return sil_condition_wait(notified->condition, notified->mutex, SIL_FOREVER);
}

static int notify_and_end(void *arg)
{
    struct notified *notified = arg;
    int code = sil_mutex_lock(notified->mutex, SIL_FOREVER);
    return code == 0 ? sil_condition_notify(notified->condition, 1) : code;
}

static void test_mutex_lost_to_a_condition_wait(void **state)
{
    (void)state;
    struct notified notified = {sil_mutex_create("gone"), sil_condition_create(NULL)};
    struct member waiter = {0}, notifier = {0};
    crowd_queue(&waiter, wait_for_notification, &notified);
    crowd_start(&notifier, notify_and_end, &notified);
    assert_code(crowd_join(&notifier), 0);
    assert_code(crowd_join(&waiter), SIL_EDEADLK);
    sil_condition_destroy(notified.condition);
    sil_mutex_destroy(notified.mutex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mutex_of_an_ended_thread_is_lost),
        TEST(test_mutex_waiters_are_told_when_the_holder_ends),
        TEST(test_mutex_lost_to_a_condition_wait),
    };
    return test_run("mutex_ended", tests);
}
