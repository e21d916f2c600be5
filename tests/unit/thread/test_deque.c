/* SPDX-License-Identifier: MIT */
/*
 * The work-stealing deque: newest first for its owner, oldest first for thieves, each task once.
 * Tasks are stood in for by numbers: the deque never looks into them.
 */
#include "thread/deque.h"

#include <pthread.h>

#include "base/fault.h"
#include "support/random.h"
#include "support/test.h"

static sil_future *number(uintptr_t value)
{
    return (sil_future *)(value + 1); // NOLINT(performance-no-int-to-ptr)
}

static uintptr_t value_of(sil_future *task)
{
    return (uintptr_t)task - 1;
}

static void test_owner_takes_the_newest_thief_the_oldest(void **state)
{
    (void)state;
    struct sil__deque deque;
    bool lost;
    assert_true(sil__deque_init(&deque));
    assert_null(sil__deque_pop(&deque));
    assert_null(sil__deque_steal(&deque, &lost));
    assert_false(lost);
    for (uintptr_t i = 0; i < 1000; i++) /* grows a few times */
        assert_true(sil__deque_push(&deque, number(i)));
    assert_int_equal(sil__deque_size(&deque), 1000);
    for (uintptr_t i = 0; i < 500; i++) {
        assert_int_equal(value_of(sil__deque_pop(&deque)), 999 - i);
        assert_int_equal(value_of(sil__deque_steal(&deque, &lost)), i);
    }
    assert_null(sil__deque_pop(&deque));
    assert_int_equal(sil__deque_size(&deque), 0);
    sil__deque_fini(&deque);
}

#ifdef SIL_FAULTS
static void test_push_to_a_full_deque_without_memory_fails(void **state)
{
    (void)state;
    struct sil__deque deque;
    assert_true(sil__deque_init(&deque));
    sil__fault_reset();
    sil__fault_arm(SIL__FAULT_ALLOC, 1, true);
    uintptr_t held = 0;
    while (sil__deque_push(&deque, number(held)))
        held++;
    sil__fault_reset();
    assert_true(held > 0);
    for (uintptr_t i = 0; i < held; i++)
        assert_int_equal(value_of(sil__deque_pop(&deque)), held - 1 - i);
    sil__deque_fini(&deque);
}
#endif

enum { THIEVES = 3, TASKS = 200000 };

struct heist {
    struct sil__deque deque;
    _Atomic bool over;
    _Atomic unsigned char taken[TASKS]; /* how often each was taken */
};

static void *steal_until_over(void *argument)
{
    struct heist *heist = argument;
    bool lost;
    while (!atomic_load(&heist->over) || sil__deque_size(&heist->deque) > 0) {
        sil_future *task = sil__deque_steal(&heist->deque, &lost);
        if (task)
            atomic_fetch_add(&heist->taken[value_of(task)], 1);
    }
    return NULL;
}

static void test_each_task_is_taken_once(void **state)
{
    (void)state;
    static struct heist heist;
    struct random random = {7};
    uintptr_t count = TEST_SCALE(TASKS);
    assert_true(sil__deque_init(&heist.deque));
    pthread_t threads[THIEVES];
    for (int i = 0; i < THIEVES; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, steal_until_over, &heist), 0);
    for (uintptr_t next = 0; next < count;) {
        for (size_t burst = random_below(&random, 8) + 1; burst > 0 && next < count; burst--)
            assert_true(sil__deque_push(&heist.deque, number(next++)));
        sil_future *task = random_below(&random, 2) ? sil__deque_pop(&heist.deque) : NULL;
        if (task)
            atomic_fetch_add(&heist.taken[value_of(task)], 1);
    }
    atomic_store(&heist.over, true);
    for (int i = 0; i < THIEVES; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (uintptr_t i = 0; i < count; i++)
        assert_int_equal(heist.taken[i], 1);
    sil__deque_fini(&heist.deque);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_owner_takes_the_newest_thief_the_oldest),
#ifdef SIL_FAULTS
        TEST(test_push_to_a_full_deque_without_memory_fails),
#endif
        TEST(test_each_task_is_taken_once),
    };
    return test_run("deque", tests);
}
