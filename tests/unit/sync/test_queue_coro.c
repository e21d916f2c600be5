/* SPDX-License-Identifier: MIT */
/*
 * Queues between coroutines, and between coroutines and threads.
 */
#include "unit/sync/coroutines.h"

static sil_queue *create(size_t max_items)
{
    return sil_queue_create(
        &(sil_queue_options){.name = "q", .item_size = sizeof(int), .max_items = max_items});
}

static int put(sil_queue *queue, int item, sil_deadline until)
{
    return sil_queue_put(queue, &item, until);
}

/* The next item; -1: there is none now. */
static int get_now(sil_queue *queue)
{
    int item = -1;
    (void)sil_queue_get(queue, &item, SIL_NOW);
    return item;
}

/* Gets or puts so many items, the numbers from item on. */
struct worker {
    sil_queue *queue;
    int item; /* last got; next to put */
    int count;
    int done;
    sil_deadline until;
};

static int get_some(void *arg, void *result)
{
    (void)result;
    struct worker *self = *(struct worker **)arg;
    for (; self->done < self->count; self->done++) {
        int code = sil_queue_get(self->queue, &self->item, self->until ? self->until : SIL_FOREVER);
        if (code != 0)
            return code;
    }
    return 0;
}

static int put_some(void *arg, void *result)
{
    (void)result;
    struct worker *self = *(struct worker **)arg;
    for (; self->done < self->count; self->done++) {
        int code = put(self->queue, self->item++, SIL_FOREVER);
        if (code != 0)
            return code;
    }
    return 0;
}

static sil_future *start(struct worker *worker, sil_task_fn fn, sil_queue *queue, int item,
                         int count)
{
    *worker = (struct worker){.queue = queue, .item = item, .count = count};
    return go(fn, worker);
}

/* --- get ------------------------------------------------------------------------------------- */

SCENARIO(queue_blocking_get_wait)
{
    (void)arg, (void)result;
    sil_queue *queue = create(0);
    struct worker getter;
    sil_future *future = start(&getter, get_some, queue, -1, 1);
    settle();
    EXPECT(getter.done == 0);
    EXPECT_CODE(put(queue, 1, SIL_NOW), 0);
    EXPECT(getter.item == 1); /* handed over before it runs */
    EXPECT_CODE(finish(future), 0);
    EXPECT(getter.done == 1);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_get_with_waiting_putters)
{
    (void)arg, (void)result;
    sil_queue *queue = create(1);
    struct worker putters[2];
    sil_future *a = start(&putters[0], put_some, queue, 1, 1);
    sil_future *b = start(&putters[1], put_some, queue, 2, 1);
    for (int i = 1; i <= 2; i++) {
        int item = -1;
        EXPECT_CODE(sil_queue_get(queue, &item, SIL_FOREVER), 0);
        EXPECT(item == i);
    }
    EXPECT_CODE(finish(a), 0);
    EXPECT_CODE(finish(b), 0);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_get_cancelled_race)
{
    (void)arg, (void)result;
    sil_queue *queue = create(0);
    struct worker getters[2];
    sil_future *one = start(&getters[0], get_some, queue, -1, 1);
    sil_future *two = start(&getters[1], get_some, queue, -1, 1);
    settle();
    (void)sil_future_cancel(one);
    EXPECT_CODE(finish(one), SIL_ECANCELLED);
    EXPECT_CODE(put(queue, 5, SIL_NOW), 0);
    EXPECT_CODE(finish(two), 0);
    EXPECT(getters[0].item == -1 && getters[1].item == 5);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_why_are_getters_waiting)
{
    (void)arg, (void)result;
    sil_queue *queue = create(1);
    struct worker producer, consumer;
    sil_future *putting = start(&producer, put_some, queue, 0, 5);
    sil_future *getting = start(&consumer, get_some, queue, -1, 5);
    EXPECT_CODE(finish(putting), 0);
    EXPECT_CODE(finish(getting), 0);
    EXPECT(consumer.item == 4);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_cancelled_getters_not_being_held_in_self_getters)
{
    (void)arg, (void)result;
    sil_queue *queue = create(5);
    int item = -1;
    EXPECT_CODE(sil_queue_get(queue, &item, sil_in(0.005)), SIL_ETIMEDOUT);
    EXPECT_CODE(put(queue, 1, SIL_NOW), 0);
    EXPECT(sil_queue_size(queue) == 1);
    EXPECT(item == -1);
    sil_queue_destroy(queue);
    return 0;
}

/* Cancelled when the item is its already: it is not dropped, and the cancel comes next. */
SCENARIO(queue_get_cancel_drop_one_pending_reader)
{
    (void)arg, (void)result;
    sil_queue *queue = create(0);
    struct worker reader;
    sil_future *future = start(&reader, get_some, queue, -1, 2);
    settle();
    EXPECT_CODE(put(queue, 1, SIL_NOW), 0);
    EXPECT_CODE(put(queue, 2, SIL_NOW), 0);
    (void)sil_future_cancel(future);
    EXPECT_CODE(finish(future), SIL_ECANCELLED);
    EXPECT(reader.done == 1 && reader.item == 1);
    EXPECT(get_now(queue) == 2);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_get_cancel_drop_many_pending_readers)
{
    (void)arg, (void)result;
    sil_queue *queue = create(0);
    struct worker readers[3];
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = start(&readers[i], get_some, queue, -1, 1);
    settle();
    (void)sil_future_cancel(futures[0]);
    settle();
    EXPECT_CODE(put(queue, 1, SIL_NOW), 0);
    EXPECT_CODE(put(queue, 2, SIL_NOW), 0);
    EXPECT_CODE(finish(futures[0]), SIL_ECANCELLED);
    EXPECT_CODE(finish(futures[1]), 0);
    EXPECT_CODE(finish(futures[2]), 0);
    EXPECT(readers[1].item == 1 && readers[2].item == 2);
    sil_queue_destroy(queue);
    return 0;
}

/* --- put ------------------------------------------------------------------------------------- */

SCENARIO(queue_blocking_put_wait)
{
    (void)arg, (void)result;
    sil_queue *queue = create(1);
    struct worker putter;
    sil_future *future = start(&putter, put_some, queue, 1, 2);
    settle();
    EXPECT(putter.done == 1);
    EXPECT(get_now(queue) == 1);
    EXPECT_CODE(finish(future), 0);
    EXPECT(get_now(queue) == 2);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_maxsize)
{
    (void)arg, (void)result;
    sil_queue *queue = create(2);
    struct worker putter;
    sil_future *future = start(&putter, put_some, queue, 0, 3);
    settle();
    EXPECT(putter.done == 2);
    EXPECT(sil_queue_size(queue) == 2);
    EXPECT(get_now(queue) == 0);
    EXPECT(sil_queue_size(queue) == 2); /* the third one is in, its putter has not run yet */
    settle();
    EXPECT(putter.done == 3);
    EXPECT(get_now(queue) == 1);
    EXPECT(get_now(queue) == 2);
    EXPECT_CODE(finish(future), 0);
    sil_queue_destroy(queue);
    return 0;
}

/* Cancelled when its item is in already: the put has happened, once. */
SCENARIO(queue_put_cancel_drop)
{
    (void)arg, (void)result;
    sil_queue *queue = create(1);
    struct worker putter;
    EXPECT_CODE(put(queue, 1, SIL_NOW), 0);
    sil_future *future = start(&putter, put_some, queue, 2, 1);
    settle();
    EXPECT(get_now(queue) == 1);
    (void)sil_future_cancel(future);
    EXPECT_CODE(finish(future), 0);
    EXPECT(get_now(queue) == 2);
    EXPECT(sil_queue_size(queue) == 0);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_put_cancelled_race)
{
    (void)arg, (void)result;
    sil_queue *queue = create(1);
    struct worker putters[3];
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = start(&putters[i], put_some, queue, i, 1);
    settle();
    EXPECT(putters[0].done == 1 && putters[1].done == 0);
    (void)sil_future_cancel(futures[2]);
    EXPECT_CODE(finish(futures[2]), SIL_ECANCELLED);
    EXPECT(get_now(queue) == 0);
    EXPECT(get_now(queue) == 1);
    EXPECT(get_now(queue) == -1);
    EXPECT_CODE(finish(futures[0]), 0);
    EXPECT_CODE(finish(futures[1]), 0);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_why_are_putters_waiting)
{
    (void)arg, (void)result;
    sil_queue *queue = create(2);
    struct worker putters[4];
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = start(&putters[i], put_some, queue, i, 1);
    settle();
    for (size_t left = sil_queue_size(queue); left > 0; left--)
        EXPECT(get_now(queue) >= 0);
    for (int i = 0; i < 4; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(sil_queue_size(queue) == 2);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_cancelled_puts_not_being_held_in_self_putters)
{
    (void)arg, (void)result;
    sil_queue *queue = create(1);
    struct worker putter;
    EXPECT_CODE(put(queue, 1, SIL_NOW), 0);
    sil_future *future = start(&putter, put_some, queue, 2, 1);
    settle();
    (void)sil_future_cancel(future);
    EXPECT_CODE(finish(future), SIL_ECANCELLED);
    EXPECT(get_now(queue) == 1);
    EXPECT(get_now(queue) == -1);
    sil_queue_destroy(queue);
    return 0;
}

/* --- join and close -------------------------------------------------------------------------- */

static int work_off(void *arg, void *result)
{
    (void)result;
    struct worker *self = *(struct worker **)arg;
    int item;
    int code;
    while ((code = sil_queue_get(self->queue, &item, SIL_FOREVER)) == 0) {
        self->item += item;
        if (item % 7 == 0)
            (void)sil_yield();
        if ((code = sil_queue_task_done(self->queue)) != 0)
            return code;
    }
    return code == SIL_EEND ? 0 : code;
}

SCENARIO(queue_task_done)
{
    (void)arg, (void)result;
    sil_queue *queue = create(0);
    struct worker workers[2];
    sil_future *futures[2];
    for (int i = 0; i < 100; i++)
        EXPECT_CODE(put(queue, i, SIL_NOW), 0);
    for (int i = 0; i < 2; i++)
        futures[i] = start(&workers[i], work_off, queue, 0, 0);
    EXPECT_CODE(sil_queue_join(queue, SIL_FOREVER), 0);
    EXPECT(workers[0].item + workers[1].item == 99 * 100 / 2);
    EXPECT_CODE(sil_queue_close(queue), 0);
    for (int i = 0; i < 2; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    sil_queue_destroy(queue);
    return 0;
}

static int join(void *arg, void *result)
{
    (void)result;
    return sil_queue_join(*(sil_queue **)arg, SIL_FOREVER);
}

SCENARIO(queue_join_cancelled)
{
    (void)arg, (void)result;
    sil_queue *queue = create(0);
    EXPECT_CODE(put(queue, 1, SIL_NOW), 0);
    sil_future *future = go(join, queue);
    settle();
    (void)sil_future_cancel(future);
    EXPECT_CODE(finish(future), SIL_ECANCELLED);
    EXPECT_CODE(sil_queue_task_done(queue), 0);
    sil_queue_destroy(queue);
    return 0;
}

SCENARIO(queue_deadline_of_each_message)
{
    (void)arg, (void)result;
    sil_queue *queue = create(0);
    struct worker producer;
    int item = -1;
    sil_future *future = start(&producer, put_some, queue, 0, 1000);
    for (int i = 0; i < 1000; i++) {
        EXPECT_CODE(sil_queue_get(queue, &item, sil_in(1000)), 0);
        EXPECT(item == i);
    }
    EXPECT_CODE(sil_queue_get(queue, &item, sil_in(0.005)), SIL_ETIMEDOUT);
    EXPECT_CODE(finish(future), 0);
    sil_queue_destroy(queue);
    return 0;
}

/* --- coroutines and threads -------------------------------------------------------------------- */

enum { ITEMS = TEST_SCALE(20000) };

static sil_queue *between;

SCENARIO(get_on_loop)
{
    (void)arg, (void)result;
    long long sum = 0;
    int item;
    for (int i = 0; i < 2 * ITEMS; i++) {
        EXPECT_CODE(sil_queue_get(between, &item, i % 2 ? SIL_FOREVER : sil_in(1000)), 0);
        sum += item;
    }
    EXPECT(sum == (long long)ITEMS * (ITEMS - 1));
    return 0;
}

static void test_queue_between_threads_and_a_loop(void **state)
{
    for (size_t max_items = 0; max_items <= 8; max_items += 8) {
        struct worker workers[2];
        sil_future *threads[2];
        between = create(max_items);
        for (int i = 0; i < 2; i++) {
            workers[i] = (struct worker){.queue = between, .count = ITEMS};
            struct worker *worker = &workers[i];
            threads[i] = sil_thread_start(NULL, put_some, &worker, sizeof worker, 0);
        }
        test_get_on_loop(state);
        for (int i = 0; i < 2; i++)
            assert_code(sil_take(threads[i], NULL, SIL_FOREVER), 0);
        sil_queue_destroy(between);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_queue_blocking_get_wait),
        TEST(test_queue_get_with_waiting_putters),
        TEST(test_queue_get_cancelled_race),
        TEST(test_queue_why_are_getters_waiting),
        TEST(test_queue_cancelled_getters_not_being_held_in_self_getters),
        TEST(test_queue_get_cancel_drop_one_pending_reader),
        TEST(test_queue_get_cancel_drop_many_pending_readers),
        TEST(test_queue_blocking_put_wait),
        TEST(test_queue_maxsize),
        TEST(test_queue_put_cancel_drop),
        TEST(test_queue_put_cancelled_race),
        TEST(test_queue_why_are_putters_waiting),
        TEST(test_queue_cancelled_puts_not_being_held_in_self_putters),
        TEST(test_queue_task_done),
        TEST(test_queue_join_cancelled),
        TEST(test_queue_deadline_of_each_message),
        TEST(test_queue_between_threads_and_a_loop),
    };
    begin_scenarios();
    return test_run("queue_coro", tests);
}
