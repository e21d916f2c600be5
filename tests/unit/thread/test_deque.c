/* SPDX-License-Identifier: MIT */
/*
 * The work-stealing deque: newest first for its owner, oldest first for thieves, each task once.
 * Cells hold numbers here: the deque never looks into them.
 */
#include "thread/deque.h"

#include <pthread.h>
#include <string.h>

#include "base/fault.h"
#include "support/random.h"
#include "support/test.h"

static struct sil__cell number(uintptr_t value)
{
    return (struct sil__cell){(uintptr_t)SIL__CELL_INLINE << SIL__CELL_SHIFT, value};
}

static bool push(struct sil__deque *deque, uintptr_t value)
{
    struct sil__cell cell = number(value);
    return sil__deque_push(deque, &cell, 1);
}

static bool is_empty(struct sil__deque *deque)
{
    return sil__cell_kind(sil__deque_pop(deque)) == SIL__CELL_NONE;
}

static uintptr_t steal(struct sil__deque *deque)
{
    struct sil__cell cell;
    bool lost;
    assert_int_equal(sil__deque_steal(deque, &cell, 1, &lost), 1);
    return cell.payload;
}

static void test_owner_takes_the_newest_thief_the_oldest(void **state)
{
    (void)state;
    struct sil__deque deque;
    struct sil__cell cell;
    bool lost;
    assert_true(sil__deque_init(&deque));
    assert_true(is_empty(&deque));
    assert_int_equal(sil__deque_steal(&deque, &cell, 1, &lost), 0);
    assert_false(lost);
    for (uintptr_t i = 0; i < 1000; i++) /* grows a few times */
        assert_true(push(&deque, i));
    assert_int_equal(sil__deque_size(&deque), 1000);
    for (uintptr_t i = 0; i < 500; i++) {
        assert_int_equal(sil__deque_pop(&deque).payload, 999 - i);
        assert_int_equal(steal(&deque), i);
    }
    assert_true(is_empty(&deque));
    assert_int_equal(sil__deque_size(&deque), 0);
    sil__deque_fini(&deque);
}

static void test_cells_are_taken_and_put_several_at_once_in_order(void **state)
{
    (void)state;
    struct sil__deque deque;
    struct sil__cell cells[300];
    bool lost;
    assert_true(sil__deque_init(&deque));
    uintptr_t in = 0, out = 0;
    for (size_t count = 1; count < 300; count += 7) {
        for (size_t i = 0; i < count; i++)
            cells[i] = number(in++);
        assert_true(sil__deque_push(&deque, cells, count));
        size_t taken = sil__deque_steal(&deque, cells, count / 2 + 1, &lost);
        assert_int_equal(taken, count / 2 + 1);
        for (size_t i = 0; i < taken; i++)
            assert_int_equal(cells[i].payload, out++);
    }
    assert_int_equal(sil__deque_size(&deque), in - out);
    while (out < in)
        assert_int_equal(steal(&deque), out++);
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
    while (push(&deque, held))
        held++;
    sil__fault_reset();
    assert_true(held > 0);
    for (uintptr_t i = 0; i < held; i++)
        assert_int_equal(sil__deque_pop(&deque).payload, held - 1 - i);
    sil__deque_fini(&deque);
}
#endif

enum { THIEVES = 3, TASKS = 200000 };

struct heist {
    struct sil__deque deque;
    bool fifo; /* its owner never pops: thieves take several */
    _Atomic bool over;
    _Atomic unsigned char taken[TASKS]; /* how often each was taken */
};

static void *steal_until_over(void *argument)
{
    struct heist *heist = argument;
    struct sil__cell cells[8];
    bool lost;
    while (!atomic_load(&heist->over) || sil__deque_size(&heist->deque) > 0) {
        size_t taken = sil__deque_steal(&heist->deque, cells, heist->fifo ? 8 : 1, &lost);
        for (size_t i = 0; i < taken; i++)
            atomic_fetch_add(&heist->taken[cells[i].payload], 1);
    }
    return NULL;
}

static void check_each_is_taken_once(bool fifo)
{
    static struct heist heist;
    struct random random = {7};
    uintptr_t count = TEST_SCALE(TASKS);
    memset(&heist, 0, sizeof heist);
    heist.fifo = fifo;
    assert_true(sil__deque_init(&heist.deque));
    pthread_t threads[THIEVES];
    for (int i = 0; i < THIEVES; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, steal_until_over, &heist), 0);
    for (uintptr_t next = 0; next < count;) {
        for (size_t burst = random_below(&random, 8) + 1; burst > 0 && next < count; burst--)
            assert_true(push(&heist.deque, next++));
        struct sil__cell cell = {0};
        if (!fifo && random_below(&random, 2))
            cell = sil__deque_pop(&heist.deque);
        if (sil__cell_kind(cell) != SIL__CELL_NONE)
            atomic_fetch_add(&heist.taken[cell.payload], 1);
    }
    atomic_store(&heist.over, true);
    for (int i = 0; i < THIEVES; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (uintptr_t i = 0; i < count; i++)
        assert_int_equal(heist.taken[i], 1);
    sil__deque_fini(&heist.deque);
}

static void test_each_cell_is_taken_once(void **state)
{
    (void)state;
    check_each_is_taken_once(false);
}

static void test_each_cell_of_a_fifo_is_taken_once(void **state)
{
    (void)state;
    check_each_is_taken_once(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_owner_takes_the_newest_thief_the_oldest),
        TEST(test_cells_are_taken_and_put_several_at_once_in_order),
#ifdef SIL_FAULTS
        TEST(test_push_to_a_full_deque_without_memory_fails),
#endif
        TEST(test_each_cell_is_taken_once),
        TEST(test_each_cell_of_a_fifo_is_taken_once),
    };
    return test_run("deque", tests);
}
