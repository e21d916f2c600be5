/* SPDX-License-Identifier: MIT */
/*
 * A pool is closed while tasks of another pool end whose followers it was to run: each follower
 * runs, or fails with SIL_ESHUTDOWN, and nobody touches what is gone (AddressSanitizer sees).
 */
#include <sillon/sillon.h>

#include "support/test.h"

enum { SOURCES = 4, ROUNDS = 4000 };

static int succeed(void *arg, void *result)
{
    (void)arg;
    (void)result;
    return 0;
}

static int follow(sil_future *source, void *arg, void *result)
{
    (void)source;
    (void)arg;
    (void)result;
    return 0;
}

struct pair {
    sil_future *source;
    sil_future *follower;
};

static void start(struct pair *pairs, sil_executor *first, sil_executor *second)
{
    for (int i = 0; i < SOURCES; i++) {
        pairs[i].source = sil_submit(first, succeed, NULL, 0, 0);
        pairs[i].follower = sil_then(pairs[i].source, second, follow, NULL, 0, 0);
    }
}

static void finish(struct pair *pairs, int other_code)
{
    for (int i = 0; i < SOURCES; i++) {
        assert_code(sil_take(pairs[i].source, NULL, SIL_FOREVER), 0);
        int code = sil_take(pairs[i].follower, NULL, SIL_FOREVER);
        assert_true(code == 0 || code == other_code);
    }
}

static void test_followers_of_a_pool_that_closes(void **state)
{
    (void)state;
    sil_executor *first = sil_thread_pool(&(sil_thread_pool_options){.workers = 4});
    for (int round = 0; round < TEST_SCALE(ROUNDS); round++) {
        sil_executor *second = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
        struct pair pairs[SOURCES];
        start(pairs, first, second); /* the workers of the first have been here, ... */
        finish(pairs, 0);
        start(pairs, first, second); /* ... and come again */
        assert_code(sil_executor_close(second), 0);
        finish(pairs, SIL_ESHUTDOWN);
    }
    assert_code(sil_executor_close(first), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_followers_of_a_pool_that_closes),
    };
    return test_run("closing before followers", tests);
}
