/* SPDX-License-Identifier: MIT */
/*
 * Process pools by the hundred in a program whose threads hold the locks of malloc, of stdio and
 * their own all the time: none of it reaches the workers, which would wait for ever.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/leftovers.h"
#include "support/random.h"
#include "support/test.h"

enum { POOLS = TEST_SCALE(200), TASKS = 4 };

static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
static FILE *nowhere;
static atomic_bool ends;

static void *allocate(void *arg)
{
    struct random random = {(uintptr_t)arg};
    void *kept[16] = {NULL};
    while (!ends) {
        size_t at = random_below(&random, COUNT_OF(kept));
        free(kept[at]);
        kept[at] = malloc(1 + random_below(&random, 300000));
        if (kept[at] != NULL)
            *(char *)kept[at] = 1;
    }
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        free(kept[i]);
    return NULL;
}

static void *print(void *arg)
{
    (void)arg;
    while (!ends) {
        flockfile(nowhere);
        flockfile(stderr);
        for (int i = 0; i < 1000; i++)
            (void)fprintf(nowhere, "%d %f\n", i, (double)i);
        funlockfile(stderr);
        funlockfile(nowhere);
    }
    return NULL;
}

static void *lock_own(void *arg)
{
    (void)arg;
    struct random random = {3};
    while (!ends) {
        (void)pthread_mutex_lock(&own);
        for (size_t i = random_below(&random, 1000); i > 0; i--)
            (void)random_next(&random);
        (void)pthread_mutex_unlock(&own);
    }
    return NULL;
}

/* All that others hold here. */
static int use_all(void *arg, void *result)
{
    size_t size = *(size_t *)arg;
    (void)pthread_mutex_lock(&own);
    (void)pthread_mutex_unlock(&own);
    char *text = malloc(size + 1);
    if (text == NULL)
        return 1;
    (void)memset(text, 'x', size);
    text[size] = '\0';
    flockfile(stderr);
    funlockfile(stderr);
    (void)fflush(NULL);
    *(size_t *)result = strlen(text);
    free(text);
    return 0;
}

static void use_a_pool(struct random *random)
{
    sil_executor *pool = sil_process_pool(
        &(sil_process_pool_options){.workers = 1 + (unsigned)random_below(random, 2)});
    assert_non_null(pool);
    sil_future *futures[TASKS];
    size_t sizes[TASKS];
    for (int i = 0; i < TASKS; i++) {
        sizes[i] = random_below(random, 1000000);
        futures[i] = sil_submit(pool, use_all, &sizes[i], sizeof sizes[i], sizeof sizes[i]);
    }
    for (int i = 0; i < TASKS; i++) {
        size_t size = 0;
        assert_code(sil_take(futures[i], &size, SIL_FOREVER), 0);
        assert_int_equal(size, sizes[i]);
    }
    assert_code(sil_executor_close(pool), 0);
}

static void test_locks_that_others_hold(void **state)
{
    (void)state;
    static void *(*const mains[])(void *) = {allocate, print, lock_own, allocate};
    pthread_t threads[COUNT_OF(mains)];
    struct random random = {1};
    nowhere = fopen("/dev/null", "we");
    assert_non_null(nowhere);
    ends = false;
    for (size_t i = 0; i < COUNT_OF(mains); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, mains[i], (void *)i), 0);
    for (int i = 0; i < POOLS; i++)
        use_a_pool(&random);
    ends = true;
    for (size_t i = 0; i < COUNT_OF(mains); i++)
        (void)pthread_join(threads[i], NULL);
    (void)fclose(nowhere);
    assert_true(leftovers_no_children());
}

int main(void)
{
    static const struct CMUnitTest tests[] = {TEST(test_locks_that_others_hold)};
    return test_run("process pools among threads", tests);
}
