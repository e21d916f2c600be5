/* SPDX-License-Identifier: MIT */
/*
 * What synchronises, without memory: nothing is made by halves, and what a queue has no room for stays
 * its caller's.
 */
#include <sillon/sync.h>

#include "every_point.h"

static void creation(void)
{
    sil_mutex *mutex = sil_mutex_create("m");
    sil_condition *condition = sil_condition_create("c");
    sil_event *event = sil_event_create("e");
    sil_semaphore *semaphore = sil_semaphore_create("s", 1, 1);
    sil_barrier *barrier = sil_barrier_create("b", 2);
    sil_queue *queue = sil_queue_create(&(sil_queue_options){.name = "q", .item_size = 8});
    if (mutex && condition) {
        assert_code(sil_mutex_lock(mutex, SIL_FOREVER), 0);
        assert_code(sil_mutex_lock(mutex, SIL_FOREVER), SIL_EDEADLK);
        assert_code(sil_condition_wait(condition, mutex, sil_in(1e-6)), SIL_ETIMEDOUT);
        assert_code(sil_mutex_unlock(mutex), 0);
    }
    if (event)
        assert_code(sil_event_wait(event, 1), SIL_ETIMEDOUT);
    if (barrier)
        assert_code(sil_barrier_wait(barrier, NULL, SIL_NOW), SIL_ETIMEDOUT);
    sil_mutex_destroy(mutex);
    sil_condition_destroy(condition);
    sil_event_destroy(event);
    sil_semaphore_destroy(semaphore);
    sil_barrier_destroy(barrier);
    sil_queue_destroy(queue);
}

static void creation_says_why(void)
{
    sil_event *event = sil_event_create("e");
    if (was_made(event))
        sil_event_destroy(event);
    sil_queue *queue = sil_queue_create(&(sil_queue_options){.item_size = 8});
    if (was_made(queue))
        sil_queue_destroy(queue);
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Puts more than fit at first: what was refused is not in it, what was not, is. */
static void queue(void)
{
    for (int order = SIL_QUEUE_FIFO; order <= SIL_QUEUE_PRIORITY; order++) {
        sil_queue *made = sil_queue_create(&(sil_queue_options){
            .item_size = sizeof(int), .order = (sil_queue_order)order, .compare = compare});
        if (!was_made(made))
            continue;
        int put = 0;
        for (int item = 0; item < 500; item++) {
            int code = sil_queue_put(made, &item, SIL_FOREVER);
            assert_allowed(code);
            put += code == 0;
        }
        assert_int_equal(sil_queue_size(made), put);
        int item;
        for (; put > 0; put--) {
            assert_code(sil_queue_get(made, &item, SIL_NOW), 0);
            assert_code(sil_queue_task_done(made), 0);
        }
        assert_code(sil_queue_get(made, &item, SIL_NOW), SIL_ETIMEDOUT);
        assert_code(sil_queue_join(made, SIL_NOW), 0);
        sil_queue_destroy(made);
    }
}

/* A poll that misses asks for no memory: it is done often. */
static void test_polls_need_no_memory(void **state)
{
    (void)state;
    sil_mutex *mutex = sil_mutex_create("m");
    sil_event *event = sil_event_create("e");
    sil_semaphore *semaphore = sil_semaphore_create("s", 0, 0);
    sil_queue *full =
        sil_queue_create(&(sil_queue_options){.item_size = sizeof(int), .max_items = 1});
    int item = 0;
    assert_code(sil_queue_put(full, &item, SIL_NOW), 0);
    assert_code(sil_mutex_lock(mutex, SIL_NOW), 0);
    sil_condition *condition = sil_condition_create("c");
    sil__fault_reset();
    assert_code(sil_event_wait(event, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_semaphore_acquire(semaphore, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_queue_put(full, &item, SIL_NOW), SIL_EFULL);
    assert_code(sil_queue_join(full, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_queue_get(full, &item, SIL_NOW), 0);
    assert_code(sil_queue_get(full, &item, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_condition_wait(condition, mutex, SIL_NOW), SIL_ETIMEDOUT);
    assert_int_equal(sil__fault_hits(SIL__FAULT_ALLOC), 0);
    assert_code(sil_mutex_unlock(mutex), 0);
    sil_mutex_destroy(mutex);
    sil_event_destroy(event);
    sil_semaphore_destroy(semaphore);
    sil_condition_destroy(condition);
    sil_queue_destroy(full);
}

static void test_creation(void **state)
{
    (void)state;
    survive(creation);
    survive(creation_says_why);
}

static void test_queue(void **state)
{
    (void)state;
    survive(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_creation),
        TEST(test_queue),
        TEST(test_polls_need_no_memory),
    };
    return test_run("sync", tests);
}
