/* SPDX-License-Identifier: MIT */
/*
 * An idle pool costs nothing: over five real seconds its threads are not once scheduled, and the
 * process uses no processor time. The wait measures; it synchronises nothing.
 */
#include <sillon/thread_pool.h>

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "support/self.h"
#include "support/tasks.h"
#include "support/test.h"

static void let_seconds_pass(time_t seconds)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec when = {.it_value = {.tv_sec = seconds}};
    assert_int_equal(timerfd_settime(timer, 0, &when, NULL), 0);
    struct pollfd ready = {.fd = timer, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, -1), 1);
    (void)close(timer);
}

static void test_idle_pool_sleeps_in_the_kernel(void **state)
{
    (void)state;
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 4, .name = "idle"});
    struct gate gate;
    gate_init(&gate);
    sil_future *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 4);
    gate_open(&gate);
    for (int i = 0; i < 4; i++)
        assert_code(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    sil_executor_stats stats;
    eventually(sil_executor_stats_get(pool, &stats) == 0 && stats.sleeping == 4);
    let_seconds_pass(1); /* those that count as asleep lie down for good */

    assert_int_equal(self_threads("idle-"), 4);
    uint64_t switches = self_voluntary_switches("idle-");
    double cpu = self_cpu_seconds();
    let_seconds_pass(5);
    assert_int_equal(self_voluntary_switches("idle-") - switches, 0);
    assert_true(self_cpu_seconds() - cpu < 0.05);

    assert_code(sil_take(submit_nothing(pool), NULL, SIL_FOREVER), 0); /* and wakes up again */
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_idle_pool_sleeps_in_the_kernel),
    };
    return test_run("idle pool", tests);
}
