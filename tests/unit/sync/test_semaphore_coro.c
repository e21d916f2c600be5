/* SPDX-License-Identifier: MIT */
/*
 * Semaphores between coroutines.
 */
#include "unit/sync/coroutines.h"

#include <string.h>

struct pool {
    sil_semaphore *semaphore;
    char order[32];
};

static void note(struct pool *pool, char letter)
{
    size_t length = strlen(pool->order);
    if (length + 1 < sizeof pool->order)
        pool->order[length] = letter;
}

struct user {
    struct pool *pool;
    char letter;
    int rounds;   /* acquires so often, and releases each but the last */
    bool yields;  /* lets others run before it releases */
    bool release; /* the last one, too */
};

static int use(void *arg, void *result)
{
    (void)result;
    struct user *self = *(struct user **)arg;
    for (int i = 0; i < self->rounds; i++) {
        int code = sil_semaphore_acquire(self->pool->semaphore, SIL_FOREVER);
        if (code != 0)
            return code;
        note(self->pool, (char)(i ? self->letter - 'a' + 'A' : self->letter));
        if (self->yields)
            (void)sil_yield();
        if ((i + 1 < self->rounds || self->release) &&
            (code = sil_semaphore_release(self->pool->semaphore, 1)) != 0)
            return code;
    }
    return 0;
}

static sil_future *start(struct user *user, struct pool *pool, char letter)
{
    *user = (struct user){.pool = pool, .letter = letter, .rounds = 1};
    return go(use, user);
}

SCENARIO(semaphore_acquire)
{
    (void)arg, (void)result;
    struct pool pool = {.semaphore = sil_semaphore_create("s", 3, 0)};
    struct user users[4];
    sil_future *futures[4];
    EXPECT_CODE(sil_semaphore_acquire(pool.semaphore, SIL_FOREVER), 0);
    EXPECT_CODE(sil_semaphore_acquire(pool.semaphore, SIL_FOREVER), 0);
    EXPECT(sil_semaphore_value(pool.semaphore) == 1);
    for (int i = 0; i < 3; i++)
        futures[i] = start(&users[i], &pool, (char)('a' + i));
    settle();
    EXPECT(strcmp(pool.order, "a") == 0);
    EXPECT(sil_semaphore_value(pool.semaphore) == 0);
    futures[3] = start(&users[3], &pool, 'd');
    EXPECT_CODE(sil_semaphore_release(pool.semaphore, 1), 0);
    EXPECT_CODE(sil_semaphore_release(pool.semaphore, 1), 0);
    EXPECT(sil_semaphore_value(pool.semaphore) == 0); /* both are somebody's */
    settle();
    EXPECT(strcmp(pool.order, "abc") == 0);
    EXPECT_CODE(sil_semaphore_release(pool.semaphore, 1), 0);
    for (int i = 0; i < 4; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(strcmp(pool.order, "abcd") == 0);
    sil_semaphore_destroy(pool.semaphore);
    return 0;
}

SCENARIO(semaphore_acquire_cancel)
{
    (void)arg, (void)result;
    struct pool pool = {.semaphore = sil_semaphore_create(NULL, 0, 0)};
    struct user user;
    sil_future *future = start(&user, &pool, 'a');
    settle();
    (void)sil_future_cancel(future);
    EXPECT_CODE(finish(future), SIL_ECANCELLED);
    EXPECT_CODE(sil_semaphore_release(pool.semaphore, 1), 0);
    EXPECT(sil_semaphore_value(pool.semaphore) == 1);
    sil_semaphore_destroy(pool.semaphore);
    return 0;
}

SCENARIO(semaphore_acquire_cancel_before_awoken)
{
    (void)arg, (void)result;
    struct pool pool = {.semaphore = sil_semaphore_create(NULL, 0, 0)};
    struct user users[4];
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = start(&users[i], &pool, (char)('a' + i));
    settle();
    (void)sil_future_cancel(futures[0]);
    (void)sil_future_cancel(futures[1]);
    settle();
    EXPECT_CODE(sil_semaphore_release(pool.semaphore, 1), 0);
    settle();
    EXPECT(strcmp(pool.order, "c") == 0);
    (void)sil_future_cancel(futures[3]);
    EXPECT_CODE(finish(futures[0]), SIL_ECANCELLED);
    EXPECT_CODE(finish(futures[1]), SIL_ECANCELLED);
    EXPECT_CODE(finish(futures[2]), 0);
    EXPECT_CODE(finish(futures[3]), SIL_ECANCELLED);
    sil_semaphore_destroy(pool.semaphore);
    return 0;
}

/* Cancelled, and given one before it runs: it has it, and nobody hangs who could go on. */
SCENARIO(semaphore_acquire_hang)
{
    (void)arg, (void)result;
    struct pool pool = {.semaphore = sil_semaphore_create(NULL, 0, 0)};
    struct user users[2];
    sil_future *one = start(&users[0], &pool, 'a');
    sil_future *two = start(&users[1], &pool, 'b');
    users[0].release = true;
    settle();
    (void)sil_future_cancel(one);
    EXPECT_CODE(sil_semaphore_release(pool.semaphore, 1), 0);
    EXPECT_CODE(finish(one), 0);
    EXPECT_CODE(finish(two), 0);
    EXPECT(strcmp(pool.order, "ab") == 0);
    EXPECT(sil_semaphore_value(pool.semaphore) == 0);
    sil_semaphore_destroy(pool.semaphore);
    return 0;
}

static int use_and_cancel(void *arg, void *result)
{
    (void)result;
    struct user *self = *(struct user **)arg;
    int code = sil_semaphore_acquire(self->pool->semaphore, SIL_FOREVER);
    if (code != 0)
        return code;
    (void)sil_yield();
    return sil_semaphore_release(self->pool->semaphore, 1);
}

SCENARIO(semaphore_acquire_no_hang)
{
    (void)arg, (void)result;
    struct pool pool = {.semaphore = sil_semaphore_create(NULL, 1, 0)};
    struct user users[2] = {{.pool = &pool}, {.pool = &pool}};
    sil_future *first = go(use_and_cancel, &users[0]);
    sil_future *second = start(&users[1], &pool, 'b');
    users[1].release = true;
    EXPECT_CODE(finish(first), 0);
    (void)sil_future_cancel(second); /* it has it by now */
    int code = finish(second);
    EXPECT(code == 0 || code == SIL_ECANCELLED);
    EXPECT_CODE(sil_semaphore_acquire(pool.semaphore, sil_in(1)), 0);
    sil_semaphore_destroy(pool.semaphore);
    return 0;
}

SCENARIO(semaphore_acquire_fifo_order)
{
    (void)arg, (void)result;
    struct pool pool = {.semaphore = sil_semaphore_create(NULL, 1, 0)};
    struct user users[3];
    sil_future *futures[3];
    for (int i = 0; i < 3; i++) {
        futures[i] = start(&users[i], &pool, (char)('a' + i));
        users[i].rounds = 2;
        users[i].yields = users[i].release = true;
    }
    for (int i = 0; i < 3; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    EXPECT(strcmp(pool.order, "abcABC") == 0);
    sil_semaphore_destroy(pool.semaphore);
    return 0;
}

SCENARIO(semaphore_acquire_fifo_order_2)
{
    (void)arg, (void)result;
    struct pool pool = {.semaphore = sil_semaphore_create(NULL, 1, 0)};
    struct user users[3];
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = start(&users[i], &pool, (char)('a' + i));
    users[1].rounds = 2; /* it releases, and acquires again, after the third */
    settle();
    EXPECT_CODE(sil_semaphore_release(pool.semaphore, 1), 0);
    EXPECT_CODE(sil_semaphore_release(pool.semaphore, 1), 0);
    for (int i = 0; i < 3; i++)
        EXPECT_CODE(finish(futures[i]), 0);
    /* The third has had its own since the release, though it runs last. */
    EXPECT(strcmp(pool.order, "abBc") == 0);
    EXPECT(sil_semaphore_value(pool.semaphore) == 0);
    sil_semaphore_destroy(pool.semaphore);
    return 0;
}

SCENARIO(semaphore_acquire_fifo_order_3)
{
    (void)arg, (void)result;
    struct pool pool = {.semaphore = sil_semaphore_create(NULL, 0, 0)};
    struct user users[3];
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = start(&users[i], &pool, (char)('a' + i));
    settle();
    (void)sil_future_cancel(futures[0]);
    settle();
    EXPECT_CODE(sil_semaphore_release(pool.semaphore, 2), 0);
    EXPECT_CODE(finish(futures[0]), SIL_ECANCELLED);
    EXPECT_CODE(finish(futures[1]), 0);
    EXPECT_CODE(finish(futures[2]), 0);
    EXPECT(strcmp(pool.order, "bc") == 0);
    sil_semaphore_destroy(pool.semaphore);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_semaphore_acquire),
        TEST(test_semaphore_acquire_cancel),
        TEST(test_semaphore_acquire_cancel_before_awoken),
        TEST(test_semaphore_acquire_hang),
        TEST(test_semaphore_acquire_no_hang),
        TEST(test_semaphore_acquire_fifo_order),
        TEST(test_semaphore_acquire_fifo_order_2),
        TEST(test_semaphore_acquire_fifo_order_3),
    };
    begin_scenarios();
    return test_run("semaphore_coro", tests);
}
