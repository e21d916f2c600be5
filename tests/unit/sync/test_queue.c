/* SPDX-License-Identifier: MIT */
/*
 * Queues: what comes out, in which order, and who waits; between threads.
 */
#include <sillon/sync.h>

#include <string.h>

#include "unit/sync/crowd.h"

static int compare_ints(const void *a, const void *b)
{
    int left = *(const int *)a;
    int right = *(const int *)b;
    return (left > right) - (left < right);
}

static sil_queue *create(sil_queue_order order, size_t max_items)
{
    sil_queue *queue = sil_queue_create(&(sil_queue_options){.name = "q",
                                                             .item_size = sizeof(int),
                                                             .max_items = max_items,
                                                             .order = order,
                                                             .compare = compare_ints});
    assert_non_null(queue);
    return queue;
}

static int put(sil_queue *queue, int item, sil_deadline until)
{
    return sil_queue_put(queue, &item, until);
}

/* The next item, which is there. */
static int get(sil_queue *queue)
{
    int item = -1;
    assert_code(sil_queue_get(queue, &item, SIL_NOW), 0);
    return item;
}

struct user {
    sil_queue *queue;
    sil_deadline until; /* 0: for ever */
    int item;
};

static int put_one(void *arg)
{
    struct user *user = arg;
    return put(user->queue, user->item, user->until ? user->until : SIL_FOREVER);
}

static int get_one(void *arg)
{
    struct user *user = arg;
    return sil_queue_get(user->queue, &user->item, user->until ? user->until : SIL_FOREVER);
}

/* --- without waiting ------------------------------------------------------------------------- */

static void test_queue_create_looks_at_its_options(void **state)
{
    (void)state;
    const sil_queue_options bad[] = {
        {.item_size = 0},
        {.item_size = 4, .order = SIL_QUEUE_PRIORITY},
        {.item_size = 4, .order = (sil_queue_order)7, .compare = compare_ints},
        {.item_size = SIZE_MAX},
        {.item_size = SIZE_MAX, .order = SIL_QUEUE_PRIORITY, .compare = compare_ints},
    };
    assert_null(sil_queue_create(NULL));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_null(sil_queue_create(&bad[i]));
        assert_code(sil_error_code(sil_last_error()), SIL_EINVAL);
    }
    int item = 0;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 0);
    assert_code(sil_queue_put(NULL, &item, SIL_NOW), SIL_EINVAL);
    assert_code(sil_queue_put(queue, NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_queue_get(NULL, &item, SIL_NOW), SIL_EINVAL);
    assert_code(sil_queue_get(queue, NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_queue_task_done(NULL), SIL_EINVAL);
    assert_code(sil_queue_join(NULL, SIL_NOW), SIL_EINVAL);
    assert_code(sil_queue_close(NULL), SIL_EINVAL);
    assert_int_equal(sil_queue_size(NULL), 0);
    sil_queue_destroy(NULL);
    sil_queue_destroy(queue);
}

static void test_queue_order(void **state)
{
    (void)state;
    static const int items[] = {1, 3, 2};
    static const int expected[][3] = {
        [SIL_QUEUE_FIFO] = {1, 3, 2},
        [SIL_QUEUE_LIFO] = {2, 3, 1},
        [SIL_QUEUE_PRIORITY] = {1, 2, 3},
    };
    for (size_t order = 0; order < COUNT_OF(expected); order++) {
        sil_queue *queue = create((sil_queue_order)order, 0);
        for (int i = 0; i < 3; i++)
            assert_code(put(queue, items[i], SIL_FOREVER), 0);
        assert_int_equal(sil_queue_size(queue), 3);
        for (int i = 0; i < 3; i++)
            assert_int_equal(get(queue), expected[order][i]);
        assert_int_equal(sil_queue_size(queue), 0);
        sil_queue_destroy(queue);
    }
}

static void test_queue_nonblocking_get_exception(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 0);
    int item = 77;
    assert_code(sil_queue_get(queue, &item, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_queue_get(queue, &item, sil_in(0)), SIL_ETIMEDOUT);
    assert_code(sil_queue_get(queue, &item, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_contains(sil_error_message(sil_last_error()), "'q'");
    assert_int_equal(item, 77);
    sil_queue_destroy(queue);
}

static void test_queue_nonblocking_put_exception(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 1);
    assert_code(put(queue, 1, SIL_NOW), 0);
    assert_code(put(queue, 2, SIL_NOW), SIL_EFULL);
    assert_code(put(queue, 2, sil_in(0)), SIL_ETIMEDOUT);
    assert_code(put(queue, 2, sil_in(0.01)), SIL_ETIMEDOUT);
    assert_int_equal(get(queue), 1);
    assert_int_equal(sil_queue_size(queue), 0);
    sil_queue_destroy(queue);
}

/* Items of every size, also those that are copied by a call. */
static void test_queue_keeps_items_of_any_size(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 100; size += size < 20 ? 1 : 40) {
        sil_queue *queue = sil_queue_create(&(sil_queue_options){.item_size = size});
        unsigned char in[101];
        unsigned char out[101];
        for (unsigned round = 0; round < 40; round++) {
            memset(in, (int)round, sizeof in);
            assert_code(sil_queue_put(queue, in, SIL_NOW), 0);
        }
        for (unsigned round = 0; round < 40; round++) {
            memset(in, (int)round, sizeof in);
            memset(out, 0xee, sizeof out);
            assert_code(sil_queue_get(queue, out, SIL_NOW), 0);
            assert_memory_equal(out, in, size);
            assert_int_equal(out[size], 0xee);
        }
        sil_queue_destroy(queue);
    }
}

/* --- waiting --------------------------------------------------------------------------------- */

static void test_queue_get_waits_in_line(void **state)
{
    (void)state;
    for (int order = SIL_QUEUE_FIFO; order <= SIL_QUEUE_PRIORITY; order++) {
        sil_queue *queue = create((sil_queue_order)order, 0);
        struct member members[3] = {0};
        struct user users[3];
        for (int i = 0; i < 3; i++) {
            users[i] = (struct user){queue, i % 2 ? sil_in(1000) : 0, -1};
            crowd_queue(&members[i], get_one, &users[i]);
        }
        for (int i = 0; i < 3; i++)
            assert_code(put(queue, 10 - i, SIL_NOW), 0);
        for (int i = 0; i < 3; i++) {
            assert_code(crowd_join(&members[i]), 0);
            assert_int_equal(users[i].item, 10 - i);
        }
        assert_int_equal(sil_queue_size(queue), 0);
        sil_queue_destroy(queue);
    }
}

static void test_queue_put_waits_in_line(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 2);
    struct member members[3] = {0};
    struct user users[3];
    assert_code(put(queue, 0, SIL_NOW), 0);
    assert_code(put(queue, 1, SIL_NOW), 0);
    for (int i = 0; i < 3; i++) {
        users[i] = (struct user){queue, i % 2 ? sil_in(1000) : 0, i + 2};
        crowd_queue(&members[i], put_one, &users[i]);
    }
    assert_int_equal(sil_queue_size(queue), 2);
    for (int i = 0; i < 5; i++) {
        assert_code(put(queue, 99, SIL_NOW), SIL_EFULL); /* nobody overtakes */
        assert_int_equal(get(queue), i);
        if (i >= 3)
            break;
    }
    for (int i = 0; i < 3; i++)
        assert_code(crowd_join(&members[i]), 0);
    assert_int_equal(sil_queue_size(queue), 1);
    sil_queue_destroy(queue);
}

/* What waits to be put into a full priority queue takes its rank when it gets in. */
static void test_queue_put_waits_for_a_priority_queue(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_PRIORITY, 2);
    assert_code(put(queue, 5, SIL_NOW), 0);
    assert_code(put(queue, 7, SIL_NOW), 0);
    struct member member = {0};
    struct user user = {queue, 0, 6};
    crowd_queue(&member, put_one, &user);
    assert_int_equal(get(queue), 5);
    assert_code(crowd_join(&member), 0);
    assert_int_equal(get(queue), 6);
    assert_int_equal(get(queue), 7);
    sil_queue_destroy(queue);
}

static void test_queue_cancelled_getters_not_being_held_in_self_getters(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 5);
    struct user user = {queue, 0, -1};
    struct puppet puppet;
    puppet_init(&puppet, NULL, NULL, SIL_ECANCELLED);
    assert_code(puppet_call(&puppet, get_one, &user), SIL_ECANCELLED);
    assert_code(put(queue, 1, SIL_NOW), 0);
    assert_int_equal(sil_queue_size(queue), 1);
    assert_int_equal(user.item, -1);
    puppet_fini(&puppet);
    sil_queue_destroy(queue);
}

static void test_queue_cancelled_puts_not_being_held_in_self_putters(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 1);
    assert_code(put(queue, 1, SIL_NOW), 0);
    struct user user = {queue, 0, 2};
    struct puppet puppet;
    puppet_init(&puppet, NULL, NULL, SIL_ECANCELLED);
    assert_code(puppet_call(&puppet, put_one, &user), SIL_ECANCELLED);
    assert_int_equal(get(queue), 1);
    assert_int_equal(sil_queue_size(queue), 0);
    puppet_fini(&puppet);
    sil_queue_destroy(queue);
}

static void put_meanwhile(void *queue)
{
    assert_code(put(queue, 42, SIL_NOW), 0);
}

static void get_meanwhile(void *queue)
{
    assert_int_equal(get(queue), 1);
}

static void test_queue_item_handed_over_at_the_deadline_is_kept(void **state)
{
    (void)state;
    static const int codes[] = {SIL_ETIMEDOUT, SIL_ECANCELLED};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        sil_queue *queue = create(SIL_QUEUE_FIFO, 1);
        struct user user = {queue, 0, -1};
        struct puppet puppet;
        puppet_init(&puppet, put_meanwhile, queue, codes[i]);
        assert_code(puppet_call(&puppet, get_one, &user), 0);
        assert_int_equal(user.item, 42);
        assert_int_equal(sil_queue_size(queue), 0);
        puppet_fini(&puppet);
        assert_code(put(queue, 1, SIL_NOW), 0);
        user.item = 43;
        puppet_init(&puppet, get_meanwhile, queue, codes[i]);
        assert_code(puppet_call(&puppet, put_one, &user), 0);
        assert_int_equal(get(queue), 43);
        puppet_fini(&puppet);
        sil_queue_destroy(queue);
    }
}

/* --- join and close -------------------------------------------------------------------------- */

static int join(void *queue)
{
    return sil_queue_join(queue, SIL_FOREVER);
}

static void test_queue_task_done_underflow(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 0);
    assert_code(sil_queue_task_done(queue), SIL_EINVAL);
    assert_contains(sil_error_message(sil_last_error()), "'q'");
    assert_code(put(queue, 1, SIL_NOW), 0);
    assert_int_equal(get(queue), 1);
    assert_code(sil_queue_task_done(queue), 0);
    assert_code(sil_queue_task_done(queue), SIL_EINVAL);
    sil_queue_destroy(queue);
}

static void test_queue_join_empty_queue(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 0);
    assert_code(sil_queue_join(queue, SIL_FOREVER), 0);
    assert_code(sil_queue_join(queue, SIL_NOW), 0);
    sil_queue_destroy(queue);
}

static void test_queue_task_done(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    sil_queue *queue = create(SIL_QUEUE_FIFO, 0);
    for (int i = 0; i < COUNT; i++)
        assert_code(put(queue, i, SIL_NOW), 0);
    assert_code(sil_queue_join(queue, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_queue_join(queue, sil_in(0.01)), SIL_ETIMEDOUT);
    struct member members[2] = {0};
    for (int i = 0; i < 2; i++)
        crowd_queue(&members[i], join, queue);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(get(queue), i);
        assert_code(sil_queue_join(queue, SIL_NOW), SIL_ETIMEDOUT);
        assert_code(sil_queue_task_done(queue), 0);
    }
    for (int i = 0; i < 2; i++)
        assert_code(crowd_join(&members[i]), 0);
    assert_code(sil_queue_join(queue, SIL_FOREVER), 0);
    struct puppet puppet;
    puppet_init(&puppet, NULL, NULL, SIL_ECANCELLED);
    assert_code(put(queue, 1, SIL_NOW), 0);
    assert_code(puppet_call(&puppet, join, queue), SIL_ECANCELLED);
    puppet_fini(&puppet);
    sil_queue_destroy(queue);
}

static void test_queue_what_is_handed_over_counts_for_join(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 0);
    struct member member = {0};
    struct user user = {queue, 0, -1};
    crowd_queue(&member, get_one, &user);
    assert_code(put(queue, 1, SIL_NOW), 0);
    assert_code(crowd_join(&member), 0);
    assert_code(sil_queue_join(queue, SIL_NOW), SIL_ETIMEDOUT);
    assert_code(sil_queue_task_done(queue), 0);
    assert_code(sil_queue_join(queue, SIL_NOW), 0);
    sil_queue_destroy(queue);
}

static void test_queue_close_lets_what_is_in_it_out(void **state)
{
    (void)state;
    sil_queue *queue = create(SIL_QUEUE_FIFO, 0);
    int item = 0;
    assert_code(put(queue, 1, SIL_NOW), 0);
    assert_code(put(queue, 2, SIL_NOW), 0);
    assert_code(sil_queue_close(queue), 0);
    assert_code(sil_queue_close(queue), SIL_EALREADY);
    assert_code(put(queue, 3, SIL_FOREVER), SIL_ECLOSED);
    assert_int_equal(get(queue), 1);
    assert_code(sil_queue_get(queue, &item, SIL_FOREVER), 0);
    assert_int_equal(item, 2);
    assert_code(sil_queue_get(queue, &item, SIL_FOREVER), SIL_EEND);
    assert_code(sil_queue_get(queue, &item, SIL_NOW), SIL_EEND);
    assert_code(sil_queue_task_done(queue), 0);
    assert_code(sil_queue_task_done(queue), 0);
    assert_code(sil_queue_join(queue, SIL_NOW), 0);
    sil_queue_destroy(queue);
}

static void test_queue_close_ends_the_waits(void **state)
{
    (void)state;
    sil_queue *empty = create(SIL_QUEUE_FIFO, 1);
    sil_queue *full = create(SIL_QUEUE_FIFO, 1);
    assert_code(put(full, 1, SIL_NOW), 0);
    struct member members[4] = {0};
    struct user users[4];
    for (int i = 0; i < 4; i++) {
        users[i] = (struct user){i < 2 ? empty : full, 0, 5};
        crowd_queue(&members[i], i < 2 ? get_one : put_one, &users[i]);
    }
    assert_code(sil_queue_close(empty), 0);
    assert_code(sil_queue_close(full), 0);
    for (int i = 0; i < 4; i++) {
        assert_code(crowd_join(&members[i]), i < 2 ? SIL_EEND : SIL_ECLOSED);
        assert_int_equal(users[i].item, 5);
    }
    assert_int_equal(sil_queue_size(full), 1);
    sil_queue_destroy(empty);
    sil_queue_destroy(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_queue_create_looks_at_its_options),
        TEST(test_queue_order),
        TEST(test_queue_nonblocking_get_exception),
        TEST(test_queue_nonblocking_put_exception),
        TEST(test_queue_keeps_items_of_any_size),
        TEST(test_queue_get_waits_in_line),
        TEST(test_queue_put_waits_in_line),
        TEST(test_queue_put_waits_for_a_priority_queue),
        TEST(test_queue_cancelled_getters_not_being_held_in_self_getters),
        TEST(test_queue_cancelled_puts_not_being_held_in_self_putters),
        TEST(test_queue_item_handed_over_at_the_deadline_is_kept),
        TEST(test_queue_task_done_underflow),
        TEST(test_queue_join_empty_queue),
        TEST(test_queue_task_done),
        TEST(test_queue_what_is_handed_over_counts_for_join),
        TEST(test_queue_close_lets_what_is_in_it_out),
        TEST(test_queue_close_ends_the_waits),
    };
    return test_run("queue", tests);
}
