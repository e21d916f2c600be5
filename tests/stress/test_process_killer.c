/* SPDX-License-Identifier: MIT */
/*
 * A process pool whose workers somebody kills all the time: every task ends, with its value or with
 * an error that names the signal; and if tasks may be run again, all end with their values.
 */
#include <sillon/sillon.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "support/leftovers.h"
#include "support/random.h"
#include "support/test.h"

enum { WORKERS = 2, TASKS = TEST_SCALE(10000), ROUNDS = TEST_SCALE(20) };

/* From one kill to the next. */
enum { PAUSE = TEST_SLOWNESS > 1 ? 15000000 : 5000000 };

/* --- the killer ---------------------------------------------------------------------------- */

struct killer {
    sil_executor *pool;
    atomic_bool ends;
    unsigned kills;
    int clock;
    struct random random;
    pthread_t thread;
};

static void *kill_now_and_then(void *arg)
{
    struct killer *killer = arg;
    while (!killer->ends) {
        uint64_t ticks;
        if (read(killer->clock, &ticks, sizeof ticks) < 0)
            break;
        int64_t pids[WORKERS];
        size_t count = sil_process_pool_pids(killer->pool, pids, WORKERS);
        if (count > 0 && kill((pid_t)pids[random_below(&killer->random, count)], SIGKILL) == 0)
            killer->kills++;
    }
    return NULL;
}

static void start_killer(struct killer *killer, sil_executor *pool, uint64_t seed)
{
    const struct itimerspec pace = {.it_value = {.tv_nsec = PAUSE},
                                    .it_interval = {.tv_nsec = PAUSE}};
    *killer = (struct killer){.pool = pool, .random = {seed}};
    killer->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    assert_int_equal(timerfd_settime(killer->clock, 0, &pace, NULL), 0);
    assert_int_equal(pthread_create(&killer->thread, NULL, kill_now_and_then, killer), 0);
}

static unsigned stop_killer(struct killer *killer)
{
    killer->ends = true;
    (void)pthread_join(killer->thread, NULL);
    (void)close(killer->clock);
    return killer->kills;
}

/* --- tasks --------------------------------------------------------------------------------- */

static uint64_t stir(uint64_t number)
{
    struct random random = {number};
    for (uint64_t left = number % 4000; left > 0; left--)
        number ^= random_next(&random);
    return number;
}

static int stir_task(void *arg, void *result)
{
    *(uint64_t *)result = stir(*(uint64_t *)arg);
    return 0;
}

/* True: it was lost, to a SIGKILL. */
static bool take(sil_future *future, uint64_t number)
{
    uint64_t value = 0;
    int code = sil_await(future, SIL_FOREVER);
    if (code == 0) {
        assert_code(sil_take(future, &value, SIL_NOW), 0);
        assert_true(value == stir(number));
        return false;
    }
    assert_code(code, SIL_EBROKEN);
    assert_int_equal(sil_error_signal(sil_future_error(future)), SIGKILL);
    sil_future_release(future);
    return true;
}

/* How many were lost. */
static unsigned run(unsigned retries, uint64_t round, unsigned *out_kills)
{
    sil_executor *pool =
        sil_process_pool(&(sil_process_pool_options){.workers = WORKERS, .retries = retries});
    assert_non_null(pool);
    sil_future **futures = calloc(TASKS, sizeof(sil_future *));
    struct killer killer;
    unsigned lost = 0;
    start_killer(&killer, pool, round);
    for (uint64_t i = 0; i < TASKS; i++)
        futures[i] = sil_submit(pool, stir_task, &i, sizeof i, sizeof i);
    for (uint64_t i = 0; i < TASKS; i++)
        lost += take(futures[i], i);
    *out_kills += stop_killer(&killer);
    free(futures);
    assert_code(sil_executor_close(pool), 0);
    assert_true(leftovers_no_children());
    assert_int_equal(leftovers_mappings("memfd:sillon"), 0);
    return lost;
}

static void test_every_task_ends(void **state)
{
    (void)state;
    unsigned lost = 0;
    unsigned kills = 0;
    for (uint64_t round = 0; round < ROUNDS; round++)
        lost += run(0, round, &kills);
    assert_true(kills > 0);
    assert_true(lost <= kills);
    print_message("%u workers killed, %u tasks lost\n", kills, lost);
}

static void test_every_task_succeeds_when_run_again(void **state)
{
    (void)state;
    unsigned kills = 0;
    for (uint64_t round = 0; round < ROUNDS; round++)
        assert_int_equal(run(1000, round, &kills), 0);
    assert_true(kills > 0);
    print_message("%u workers killed\n", kills);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_every_task_ends),
        TEST(test_every_task_succeeds_when_run_again),
    };
    return test_run("killer", tests);
}
