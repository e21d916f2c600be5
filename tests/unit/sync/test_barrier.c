/* SPDX-License-Identifier: MIT */
/*
 * Barriers between threads.
 */
#include <sillon/sync.h>

#include "unit/sync/crowd.h"

struct party {
    sil_barrier *barrier;
    sil_deadline until; /* 0: for ever */
    size_t index;
};

static int meet(void *arg)
{
    struct party *party = arg;
    return sil_barrier_wait(party->barrier, &party->index,
                            party->until ? party->until : SIL_FOREVER);
}

static void test_barrier_barrier_parties(void **state)
{
    (void)state;
    assert_null(sil_barrier_create("nobody", 0));
    assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    assert_code(sil_barrier_wait(NULL, NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_barrier_abort(NULL), SIL_EINVAL);
    assert_code(sil_barrier_reset(NULL), SIL_EINVAL);
    assert_int_equal(sil_barrier_waiting(NULL), 0);
    assert_false(sil_barrier_broken(NULL));
    sil_barrier_destroy(NULL);
}

static void test_barrier_filling_one_task_twice(void **state)
{
    (void)state;
    sil_barrier *barrier = sil_barrier_create("alone", 1);
    for (int i = 0; i < 3; i++) {
        size_t index = 9;
        assert_code(sil_barrier_wait(barrier, &index, i == 2 ? SIL_NOW : SIL_FOREVER), 0);
        assert_int_equal(index, 0);
    }
    assert_int_equal(sil_barrier_waiting(barrier), 0);
    assert_false(sil_barrier_broken(barrier));
    sil_barrier_destroy(barrier);
}

static void test_barrier_filling_tasks_check_return_value(void **state)
{
    (void)state;
    enum { COUNT = 5 };
    sil_barrier *barrier = sil_barrier_create(NULL, COUNT);
    for (int round = 0; round < 3; round++) {
        struct member members[COUNT] = {0};
        struct party parties[COUNT];
        for (unsigned i = 0; i + 1 < COUNT; i++) {
            parties[i] = (struct party){barrier, i % 2 ? sil_in(1000) : 0, 99};
            crowd_queue(&members[i], meet, &parties[i]);
            assert_int_equal(sil_barrier_waiting(barrier), i + 1);
        }
        size_t index = 99;
        assert_code(sil_barrier_wait(barrier, &index, SIL_NOW), 0); /* the last one need not wait */
        assert_int_equal(index, COUNT - 1);
        assert_int_equal(sil_barrier_waiting(barrier), 0);
        for (unsigned i = 0; i + 1 < COUNT; i++) {
            assert_code(crowd_join(&members[i]), 0);
            assert_int_equal(parties[i].index, i);
        }
    }
    assert_false(sil_barrier_broken(barrier));
    sil_barrier_destroy(barrier);
}

static void test_barrier_reset_barrier_while_tasks_waiting(void **state)
{
    (void)state;
    sil_barrier *barrier = sil_barrier_create("b", 3);
    struct member members[2] = {0};
    struct party parties[2] = {{barrier, 0, 99}, {barrier, 0, 99}};
    for (int i = 0; i < 2; i++)
        crowd_queue(&members[i], meet, &parties[i]);
    assert_code(sil_barrier_reset(barrier), 0);
    for (int i = 0; i < 2; i++) {
        assert_code(crowd_join(&members[i]), SIL_EBROKEN);
        assert_int_equal(parties[i].index, 99);
    }
    assert_false(sil_barrier_broken(barrier));
    assert_int_equal(sil_barrier_waiting(barrier), 0);
    sil_barrier_destroy(barrier);
}

static void test_barrier_abort_barrier(void **state)
{
    (void)state;
    sil_barrier *barrier = sil_barrier_create("b", 3);
    struct member member = {0};
    struct party party = {barrier, 0, 99};
    crowd_queue(&member, meet, &party);
    assert_code(sil_barrier_abort(barrier), 0);
    assert_code(crowd_join(&member), SIL_EBROKEN);
    assert_true(sil_barrier_broken(barrier));
    assert_code(sil_barrier_wait(barrier, NULL, SIL_FOREVER), SIL_EBROKEN);
    assert_contains(sil_error_message(sil_last_error()), "'b'");
    assert_code(sil_barrier_reset(barrier), 0);
    assert_false(sil_barrier_broken(barrier));
    member = (struct member){0};
    struct member other = {0};
    struct party second = {barrier, 0, 99};
    crowd_queue(&member, meet, &party);
    crowd_queue(&other, meet, &second);
    assert_code(sil_barrier_wait(barrier, NULL, SIL_FOREVER), 0);
    assert_code(crowd_join(&member), 0);
    assert_code(crowd_join(&other), 0);
    sil_barrier_destroy(barrier);
}

/* Whoever gives up breaks it: by a deadline, a poll, a cancel, and a cancel that was due before. */
static void test_barrier_one_that_gives_up_breaks_it(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        sil_barrier *barrier = sil_barrier_create(NULL, 3);
        struct member member = {0};
        struct party patient = {barrier, 0, 99};
        crowd_queue(&member, meet, &patient);
        struct party party = {barrier, 0, 99};
        struct puppet puppet;
        puppet_init(&puppet, NULL, NULL, SIL_ECANCELLED);
        puppet.context.cancel_due = how == 3;
        if (how == 0)
            assert_code(sil_barrier_wait(barrier, NULL, SIL_NOW), SIL_ETIMEDOUT);
        else if (how == 1)
            assert_code(sil_barrier_wait(barrier, NULL, sil_in(0.01)), SIL_ETIMEDOUT);
        else
            assert_code(puppet_call(&puppet, meet, &party), SIL_ECANCELLED);
        assert_code(crowd_join(&member), SIL_EBROKEN);
        assert_true(sil_barrier_broken(barrier));
        assert_int_equal(sil_barrier_waiting(barrier), 0);
        puppet_fini(&puppet);
        sil_barrier_destroy(barrier);
    }
}

static void come_meanwhile(void *barrier)
{
    assert_code(sil_barrier_wait(barrier, NULL, SIL_FOREVER), 0);
}

static void test_barrier_full_at_the_deadline_is_not_broken(void **state)
{
    (void)state;
    sil_barrier *barrier = sil_barrier_create(NULL, 2);
    struct party party = {barrier, 0, 99};
    struct puppet puppet;
    puppet_init(&puppet, come_meanwhile, barrier, SIL_ETIMEDOUT);
    assert_code(puppet_call(&puppet, meet, &party), 0);
    assert_int_equal(party.index, 0);
    assert_false(sil_barrier_broken(barrier));
    puppet_fini(&puppet);
    sil_barrier_destroy(barrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_barrier_barrier_parties),
        TEST(test_barrier_filling_one_task_twice),
        TEST(test_barrier_filling_tasks_check_return_value),
        TEST(test_barrier_reset_barrier_while_tasks_waiting),
        TEST(test_barrier_abort_barrier),
        TEST(test_barrier_one_that_gives_up_breaks_it),
        TEST(test_barrier_full_at_the_deadline_is_not_broken),
    };
    return test_run("barrier", tests);
}
