/* SPDX-License-Identifier: MIT */
/*
 * Semaphores between threads.
 */
#include <sillon/sync.h>

#include "unit/sync/crowd.h"

static int acquire(void *semaphore)
{
    return sil_semaphore_acquire(semaphore, SIL_FOREVER);
}

static int acquire_for_long(void *semaphore)
{
    return sil_semaphore_acquire(semaphore, sil_in(1000));
}

static void test_semaphore_initial_value_zero(void **state)
{
    (void)state;
    sil_semaphore *semaphore = sil_semaphore_create("s", 0, 0);
    assert_non_null(semaphore);
    assert_int_equal(sil_semaphore_value(semaphore), 0);
    assert_code(sil_semaphore_acquire(semaphore, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_semaphore_acquire(semaphore, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_contains(sil_error_message(sil_last_error()), "'s'");
    assert_code(sil_semaphore_release(semaphore, 2), 0);
    assert_int_equal(sil_semaphore_value(semaphore), 2);
    assert_code(sil_semaphore_acquire(semaphore, SIL_NOW), 0);
    assert_code(sil_semaphore_acquire(semaphore, SIL_FOREVER), 0);
    assert_int_equal(sil_semaphore_value(semaphore), 0);
    sil_semaphore_destroy(semaphore);
}

static void test_semaphore_semaphore_value(void **state)
{
    (void)state;
    assert_null(sil_semaphore_create(NULL, 2, 1));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_semaphore_acquire(NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_semaphore_release(NULL, 1), SIL_EINVAL);
    assert_int_equal(sil_semaphore_value(NULL), 0);
    sil_semaphore_destroy(NULL);
}

static void test_semaphore_release_not_acquired(void **state)
{
    (void)state;
    sil_semaphore *semaphore = sil_semaphore_create("bounded", 2, 3);
    assert_code(sil_semaphore_release(semaphore, 2), SIL_EINVAL);
    assert_contains(sil_error_message(sil_last_error()), "'bounded'");
    assert_int_equal(sil_semaphore_value(semaphore), 2);
    assert_code(sil_semaphore_release(semaphore, 0), 0);
    assert_code(sil_semaphore_release(semaphore, 1), 0);
    assert_code(sil_semaphore_release(semaphore, 1), SIL_EINVAL);
    sil_semaphore_destroy(semaphore);
    semaphore = sil_semaphore_create(NULL, 1, 0);
    assert_code(sil_semaphore_release(semaphore, SIZE_MAX), SIL_EINVAL);
    assert_code(sil_semaphore_release(semaphore, SIZE_MAX - 1), 0);
    assert_true(sil_semaphore_value(semaphore) == SIZE_MAX);
    sil_semaphore_destroy(semaphore);
}

static void test_semaphore_release_no_waiters(void **state)
{
    (void)state;
    sil_semaphore *semaphore = sil_semaphore_create(NULL, 1, 1);
    for (int i = 0; i < 100; i++) {
        assert_code(sil_semaphore_acquire(semaphore, SIL_FOREVER), 0);
        assert_int_equal(sil_semaphore_value(semaphore), 0);
        assert_code(sil_semaphore_release(semaphore, 1), 0);
        assert_int_equal(sil_semaphore_value(semaphore), 1);
    }
    sil_semaphore_destroy(semaphore);
}

static void test_semaphore_acquire(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    sil_semaphore *semaphore = sil_semaphore_create(NULL, 0, 0);
    struct member members[COUNT] = {0};
    for (int i = 0; i < COUNT; i++)
        crowd_queue(&members[i], i % 2 ? acquire_for_long : acquire, semaphore);
    assert_code(sil_semaphore_release(semaphore, 1), 0);
    assert_code(crowd_join(&members[0]), 0); /* the first one, and nobody else */
    assert_code(sil_semaphore_acquire(semaphore, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_semaphore_release(semaphore, 2), 0);
    assert_code(crowd_join(&members[1]), 0);
    assert_code(crowd_join(&members[2]), 0);
    assert_code(sil_semaphore_release(semaphore, 3), 0);
    assert_code(crowd_join(&members[3]), 0);
    assert_code(crowd_join(&members[4]), 0);
    assert_int_equal(sil_semaphore_value(semaphore), 1);
    sil_semaphore_destroy(semaphore);
}

static void release_meanwhile(void *semaphore)
{
    assert_code(sil_semaphore_release(semaphore, 1), 0);
}

static void test_semaphore_given_at_the_deadline_is_kept(void **state)
{
    (void)state;
    static const int codes[] = {SIL_ETIMEDOUT, SIL_ECANCELLED};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        sil_semaphore *semaphore = sil_semaphore_create(NULL, 0, 1);
        struct puppet puppet;
        puppet_init(&puppet, release_meanwhile, semaphore, codes[i]);
        assert_code(puppet_call(&puppet, acquire, semaphore), 0);
        assert_int_equal(sil_semaphore_value(semaphore), 0);
        puppet_fini(&puppet);
        sil_semaphore_destroy(semaphore);
    }
}

static void test_semaphore_acquire_cancel(void **state)
{
    (void)state;
    sil_semaphore *semaphore = sil_semaphore_create(NULL, 0, 0);
    struct puppet puppet;
    puppet_init(&puppet, NULL, NULL, SIL_ECANCELLED);
    assert_code(puppet_call(&puppet, acquire, semaphore), SIL_ECANCELLED);
    assert_code(sil_semaphore_release(semaphore, 1), 0);
    assert_int_equal(sil_semaphore_value(semaphore), 1); /* nobody in line took it */
    puppet.context.cancel_due = true;
    assert_code(puppet_call(&puppet, acquire, semaphore), SIL_ECANCELLED);
    assert_int_equal(sil_semaphore_value(semaphore), 1);
    puppet_fini(&puppet);
    sil_semaphore_destroy(semaphore);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_semaphore_initial_value_zero),
        TEST(test_semaphore_semaphore_value),
        TEST(test_semaphore_release_not_acquired),
        TEST(test_semaphore_release_no_waiters),
        TEST(test_semaphore_acquire),
        TEST(test_semaphore_given_at_the_deadline_is_kept),
        TEST(test_semaphore_acquire_cancel),
    };
    return test_run("semaphore", tests);
}
