/* SPDX-License-Identifier: MIT */
/*
 * Everything at once, at random: submits, nested submits, cancels, short awaits, combinations and
 * callbacks, from several threads over two pools. What each future ends with is checked against
 * what it was asked to do, and every callback is counted.
 */
#include <sillon/sillon.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "support/random.h"
#include "support/tasks.h"
#include "support/test.h"

enum { DRIVERS = 4, OPERATIONS = TEST_SCALE(60000), HELD = 16 };

static sil_executor *pools[2];
static atomic_uint callbacks_added;
static atomic_uint callbacks_run;

/* What a task is to do; its result, if it has one, is the seed plus one. */
struct job {
    uint64_t seed;
    int depth;
    bool fails;
};

static int work(void *arg, void *result);

static int check(int code, uint64_t value, const struct job *job)
{
    if (code == SIL_ECANCELLED)
        return 0;
    if (job->fails)
        return code == ERANGE ? 0 : EPROTO;
    return code == 0 && value == job->seed + 1 ? 0 : EPROTO;
}

/* Submits one or two children, sometimes cancels one, and checks what comes of them. */
static int work_with_children(const struct job *job, struct random *random)
{
    struct job below[2];
    sil_future *children[2];
    size_t count = 1 + random_below(random, 2);
    int code = 0;
    for (size_t i = 0; i < count; i++) {
        below[i] = (struct job){random_next(random), job->depth - 1, random_below(random, 8) == 0};
        children[i] = sil_submit(pools[random_below(random, 2)], work, &below[i], sizeof below[i],
                                 sizeof(uint64_t));
        random_yield(random);
    }
    if (random_below(random, 8) == 0)
        (void)sil_future_cancel(children[0]);
    if (random_below(random, 4) == 0)
        (void)sil_wait(children, count, SIL_FIRST_COMPLETED, sil_in(1e-5), NULL);
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0;
        int child_code = sil_take(children[i], &value, SIL_FOREVER);
        if (check(child_code, value, &below[i]) != 0)
            code = EPROTO;
    }
    return code;
}

static int work(void *arg, void *result)
{
    struct job *job = arg;
    struct random random = {job->seed};
    random_yield(&random);
    if (job->depth > 0) {
        int code = work_with_children(job, &random);
        if (code != 0)
            return code;
    }
    if (sil_cancelled())
        return SIL_ECANCELLED;
    if (job->fails)
        return sil_fail(ERANGE, "as asked");
    *(uint64_t *)result = job->seed + 1;
    return 0;
}

static int add_nothing(sil_future *source, void *arg, void *result)
{
    (void)arg;
    *(uint64_t *)result = *(const uint64_t *)sil_future_result(source, NULL);
    return 0;
}

/* A thread with some futures in its hands, doing one thing or another to them. */
struct driver {
    struct random random;
    unsigned wrong;
    unsigned held;
    struct job jobs[HELD];
    sil_future *futures[HELD];
};

static void drive_submit(struct driver *driver)
{
    struct random *random = &driver->random;
    struct job job = {random_next(random), (int)random_below(random, 3),
                      random_below(random, 8) == 0};
    sil_submit_options options = {.priority = (sil_priority)((int)random_below(random, 3) - 1)};
    sil_future *future = sil_submit_with(pools[random_below(random, 2)], &options, work, &job,
                                         sizeof job, sizeof(uint64_t));
    if (random_below(random, 4) == 0) {
        sil_executor *where = random_below(random, 2) == 0 ? NULL : pools[0];
        sil_future *next = sil_then(future, where, add_nothing, NULL, 0, sizeof(uint64_t));
        sil_future_release(future);
        future = next;
    }
    driver->jobs[driver->held] = job;
    driver->futures[driver->held++] = future;
}

static void drive_take(struct driver *driver)
{
    size_t which = random_below(&driver->random, driver->held);
    uint64_t value = 0;
    int code = sil_take(driver->futures[which], &value, SIL_FOREVER);
    driver->wrong += check(code, value, &driver->jobs[which]) != 0;
    driver->held--;
    driver->futures[which] = driver->futures[driver->held];
    driver->jobs[which] = driver->jobs[driver->held];
}

static void drive_combine(struct driver *driver)
{
    size_t count = 1 + random_below(&driver->random, driver->held);
    sil_future *combined;
    switch (random_below(&driver->random, 3)) {
    case 0:
        combined = sil_all(driver->futures, count);
        break;
    case 1:
        combined = sil_any(driver->futures, count);
        break;
    default:
        combined = sil_race(driver->futures, count);
        break;
    }
    int code = sil_take(combined, NULL, sil_in(2e-5));
    driver->wrong += code != 0 && code != SIL_ETIMEDOUT && code != ERANGE && code != SIL_ECANCELLED;
}

static void drive_callback(struct driver *driver)
{
    sil_future *future = driver->futures[random_below(&driver->random, driver->held)];
    (void)atomic_fetch_add(&callbacks_added, 1);
    driver->wrong += sil_future_add_done_callback(future, count_done, &callbacks_run) != 0;
}

static void drive_wait(struct driver *driver)
{
    sil_wait_for what = (sil_wait_for)random_below(&driver->random, 3);
    int code = sil_wait(driver->futures, driver->held, what, sil_in(1e-5), NULL);
    driver->wrong += code != 0 && code != SIL_ETIMEDOUT;
}

static void *drive(void *arg)
{
    struct driver *driver = arg;
    for (int i = 0; i < OPERATIONS; i++) {
        size_t dice = random_below(&driver->random, 16);
        if (driver->held == 0 || (dice < 6 && driver->held < HELD))
            drive_submit(driver);
        else if (dice < 10)
            drive_take(driver);
        else if (dice == 10)
            (void)sil_future_cancel(driver->futures[random_below(&driver->random, driver->held)]);
        else if (dice == 11)
            drive_combine(driver);
        else if (dice == 12)
            drive_callback(driver);
        else if (dice == 13)
            drive_wait(driver);
        else
            (void)sil_await(driver->futures[0], sil_in(1e-6));
    }
    while (driver->held > 0)
        drive_take(driver);
    return NULL;
}

static void test_everything_at_once(void **state)
{
    (void)state;
    pools[0] = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    pools[1] = sil_thread_pool(
        &(sil_thread_pool_options){.workers = 1, .max_pending = 4, .when_full = SIL_FULL_BLOCK});
    callbacks_added = 0;
    callbacks_run = 0;
    static struct driver drivers[DRIVERS];
    pthread_t threads[DRIVERS];
    for (unsigned i = 0; i < DRIVERS; i++) {
        drivers[i] = (struct driver){.random = {i + 1}};
        assert_int_equal(pthread_create(&threads[i], NULL, drive, &drivers[i]), 0);
    }
    for (unsigned i = 0; i < DRIVERS; i++)
        (void)pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < DRIVERS; i++)
        assert_int_equal(drivers[i].wrong, 0);
    for (int i = 0; i < 2; i++) {
        sil_executor_stats stats;
        assert_code(sil_executor_shutdown(pools[i], false, SIL_FOREVER), 0);
        assert_code(sil_executor_stats_get(pools[i], &stats), 0);
        assert_int_equal(stats.submitted, stats.done);
    }
    for (int i = 0; i < 2; i++)
        assert_code(sil_executor_close(pools[i]), 0);
    assert_int_equal(callbacks_run, callbacks_added);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_everything_at_once),
    };
    return test_run("mix", tests);
}
