/* SPDX-License-Identifier: MIT */
/*
 * Mutexes between threads: one holder, served in order, and nothing lost when a wait ends twice.
 */
#include <sillon/sync.h>

#include "base/clock.h"
#include "unit/sync/crowd.h"

static int lock(void *mutex)
{
    return sil_mutex_lock(mutex, SIL_FOREVER);
}

static int lock_now(void *mutex)
{
    return sil_mutex_lock(mutex, SIL_NOW);
}

static int unlock(void *mutex)
{
    return sil_mutex_unlock(mutex);
}

static int lock_and_unlock(void *mutex)
{
    int code = sil_mutex_lock(mutex, SIL_FOREVER);
    return code == 0 ? sil_mutex_unlock(mutex) : code;
}

/* Runs fn(arg) on a thread of its own; what it returned. */
static int elsewhere(int (*fn)(void *arg), void *arg)
{
    struct member member = {0};
    crowd_start(&member, fn, arg);
    return crowd_join(&member);
}

static void test_mutex_starts_free(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create(NULL);
    assert_non_null(mutex);
    assert_false(sil_mutex_locked(mutex));
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    assert_true(sil_mutex_locked(mutex));
    assert_code(sil_mutex_unlock(mutex), 0);
    assert_false(sil_mutex_locked(mutex));
    assert_code(sil_mutex_lock(mutex, SIL_NOW), 0);
    sil_mutex_destroy(mutex); /* its holder may */
    mutex = sil_mutex_create("fresh");
    assert_code(elsewhere(lock_and_unlock, mutex), 0);
    assert_code(sil_mutex_lock(mutex, SIL_NOW), 0);
    assert_code(sil_mutex_unlock(mutex), 0);
    sil_mutex_destroy(mutex);
    sil_mutex_destroy(NULL);
}

static void test_mutex_release_not_acquired(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create("mine");
    assert_code(sil_mutex_unlock(mutex), SIL_EINVAL);
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    assert_code(elsewhere(unlock, mutex), SIL_EINVAL);
    assert_true(sil_mutex_locked(mutex));
    assert_code(elsewhere(lock_now, mutex), SIL_ETIMEDOUT);
    assert_code(sil_mutex_unlock(mutex), 0);
    assert_code(sil_mutex_unlock(mutex), SIL_EINVAL);
    assert_contains(sil_error_message(sil_last_error()), "'mine'");
    sil_mutex_destroy(mutex);
    assert_code(sil_mutex_lock(NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_mutex_unlock(NULL), SIL_EINVAL);
    assert_false(sil_mutex_locked(NULL));
}

static void test_mutex_release_no_waiters(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create(NULL);
    for (int i = 0; i < 1000; i++) {
        assert_code(sil_mutex_lock(mutex, i % 2 ? SIL_NOW : SIL_FOREVER), 0);
        assert_code(sil_mutex_unlock(mutex), 0);
        if (i == 500) /* from here on it is not one thread's any more */
            assert_code(elsewhere(lock_and_unlock, mutex), 0);
    }
    assert_false(sil_mutex_locked(mutex));
    sil_mutex_destroy(mutex);
}

static void test_mutex_relock_is_a_deadlock(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create("mine");
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    const sil_deadline untils[] = {SIL_NOW, 1, sil_in(1000), SIL_FOREVER};
    for (size_t i = 0; i < COUNT_OF(untils); i++)
        assert_code(sil_mutex_lock(mutex, untils[i]), SIL_EDEADLK);
    assert_contains(sil_error_message(sil_last_error()), "'mine'");
    assert_code(sil_mutex_unlock(mutex), 0);
    sil_mutex_destroy(mutex);
}

/* --- order ----------------------------------------------------------------------------------- */

struct turn {
    sil_mutex *mutex;
    unsigned *next; /* guarded by the mutex */
    unsigned number;
    sil_deadline until;
};

/* Notes its turn; keeps the mutex for as long as that takes. */
static int take_turn(void *arg)
{
    struct turn *turn = arg;
    int code = sil_mutex_lock(turn->mutex, turn->until ? turn->until : SIL_FOREVER);
    if (code != 0)
        return code;
    turn->number = (*turn->next)++;
    return sil_mutex_unlock(turn->mutex);
}

static void test_mutex_acquire(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    sil_mutex *mutex = sil_mutex_create(NULL);
    unsigned next = 0;
    struct member members[COUNT] = {0};
    struct turn turns[COUNT];
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    for (int i = 0; i < COUNT; i++) {
        turns[i] = (struct turn){mutex, &next, 99, 0};
        crowd_queue(&members[i], take_turn, &turns[i]);
    }
    assert_code(sil_mutex_unlock(mutex), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_code(crowd_join(&members[i]), 0);
        assert_int_equal(turns[i].number, i);
    }
    assert_false(sil_mutex_locked(mutex));
    sil_mutex_destroy(mutex);
}

static void test_mutex_cannot_be_had_before_those_who_wait(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create(NULL);
    struct member member = {0};
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    crowd_queue(&member, lock, mutex);
    assert_code(sil_mutex_unlock(mutex), 0);
    /* Whether or not it runs by now: it is the holder. It ends without unlocking. */
    int code = sil_mutex_lock(mutex, SIL_NOW);
    assert_true(code == SIL_ETIMEDOUT || code == SIL_EDEADLK);
    assert_code(crowd_join(&member), 0);
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), SIL_EDEADLK);
    sil_mutex_destroy(mutex);
}

static void test_mutex_one_in_the_middle_of_the_line_gives_up(void **state)
{
    (void)state;
    sil__clock_fake_start(1000 * SIL__SECOND);
    sil_mutex *mutex = sil_mutex_create("dear");
    unsigned next = 0;
    struct member members[3] = {0};
    struct turn turns[3];
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    for (int i = 0; i < 3; i++) {
        turns[i] = (struct turn){mutex, &next, 99, i == 1 ? sil_in(5) : 0};
        crowd_queue(&members[i], take_turn, &turns[i]);
    }
    sil__clock_fake_advance(6 * SIL__SECOND);
    assert_code(crowd_join(&members[1]), SIL_ETIMEDOUT);
    assert_code(sil_mutex_unlock(mutex), 0);
    assert_code(crowd_join(&members[0]), 0);
    assert_code(crowd_join(&members[2]), 0);
    assert_int_equal(turns[0].number, 0);
    assert_int_equal(turns[2].number, 1);
    sil_mutex_destroy(mutex);
    sil__clock_fake_stop();
}

/* --- a wait that ends twice -------------------------------------------------------------------- */

static void unlock_meanwhile(void *mutex)
{
    assert_code(sil_mutex_unlock(mutex), 0);
}

static void test_mutex_given_at_the_deadline_is_kept(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create(NULL);
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    struct puppet puppet;
    puppet_init(&puppet, unlock_meanwhile, mutex, SIL_ETIMEDOUT);
    assert_code(puppet_call(&puppet, lock, mutex), 0);
    assert_true(sil_mutex_locked(mutex));
    assert_code(sil_mutex_unlock(mutex), SIL_EINVAL);
    assert_code(puppet_call(&puppet, unlock, mutex), 0);
    puppet_fini(&puppet);
    sil_mutex_destroy(mutex);
}

static void test_mutex_finished_waiter_cancelled(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create(NULL);
    sil_mutex *other = sil_mutex_create(NULL);
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), 0);
    struct puppet puppet;
    puppet_init(&puppet, unlock_meanwhile, mutex, SIL_ECANCELLED);
    puppet.context.cancel_due = false;
    assert_code(puppet_call(&puppet, lock, mutex), 0);
    /* The cancel has been asked for, and waits for the next wait. */
    puppet.context.cancel_due = true;
    assert_code(puppet_call(&puppet, lock, other), SIL_ECANCELLED);
    assert_false(puppet.context.cancel_due);
    assert_false(sil_mutex_locked(other));
    assert_code(puppet_call(&puppet, unlock, mutex), 0);
    puppet_fini(&puppet);
    sil_mutex_destroy(mutex);
    sil_mutex_destroy(other);
}

static void test_mutex_cancel_is_delivered_once_and_not_to_a_poll(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create(NULL);
    struct puppet puppet;
    puppet_init(&puppet, NULL, NULL, 0);
    puppet.context.cancel_due = true;
    assert_code(puppet_call(&puppet, lock_now, mutex), 0);
    assert_code(puppet_call(&puppet, unlock, mutex), 0);
    puppet.context.shielded = 1;
    assert_code(puppet_call(&puppet, lock_and_unlock, mutex), 0);
    puppet.context.shielded = 0;
    assert_code(puppet_call(&puppet, lock, mutex), SIL_ECANCELLED);
    assert_contains(sil_error_message(puppet.context.last_error), "sil_mutex_lock");
    assert_code(puppet_call(&puppet, lock_and_unlock, mutex), 0);
    puppet_fini(&puppet);
    sil_mutex_destroy(mutex);
}

static void test_mutex_wait_ends_with_the_scope(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create("slow");
    struct puppet puppet;
    puppet_init(&puppet, NULL, NULL, 0);
    assert_code(puppet_call(&puppet, lock, mutex), 0);
    sil_deadline outer = sil_deadline_scope(sil_in(0.01));
    assert_code(sil_mutex_lock(mutex, SIL_FOREVER), SIL_ETIMEDOUT);
    assert_contains(sil_error_message(sil_last_error()), "slow");
    sil_deadline_restore(outer);
    assert_code(puppet_call(&puppet, unlock, mutex), 0);
    puppet_fini(&puppet);
    sil_mutex_destroy(mutex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mutex_starts_free),
        TEST(test_mutex_release_not_acquired),
        TEST(test_mutex_release_no_waiters),
        TEST(test_mutex_relock_is_a_deadlock),
        TEST(test_mutex_acquire),
        TEST(test_mutex_cannot_be_had_before_those_who_wait),
        TEST(test_mutex_one_in_the_middle_of_the_line_gives_up),
        TEST(test_mutex_given_at_the_deadline_is_kept),
        TEST(test_mutex_finished_waiter_cancelled),
        TEST(test_mutex_cancel_is_delivered_once_and_not_to_a_poll),
        TEST(test_mutex_wait_ends_with_the_scope),
    };
    return test_run("mutex", tests);
}
