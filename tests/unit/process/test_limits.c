/* SPDX-License-Identifier: MIT */
/*
 * Limits: which options are taken, and what they do to a process.
 */
#include "process/limits.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sillon/error.h>
#include <sillon/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "support/child.h"
#include "support/self.h"
#include "support/test.h"

#define MIB ((size_t)1 << 20)

/* CPU_SETSIZE is less than there are in musl. */
#define CPUS ((unsigned)(8 * sizeof(cpu_set_t)))
/* No machine that runs the tests has this one. */
#define MISSING_CPU (CPUS - 1)

static unsigned first_cpu(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        for (unsigned i = 0; i < CPUS; i++)
            if (CPU_ISSET(i, &set))
                return i;
    return 0;
}

/* --- options ------------------------------------------------------------------------------- */

static void test_take_nothing_is_all_zero(void **state)
{
    (void)state;
    static const struct sil__limits none;
    sil_process_pool_options options = {0};
    struct sil__limits limits;
    memset(&limits, 0xff, sizeof limits);
    assert_code(sil__limits_take(&options, &limits), 0);
    assert_memory_equal(&limits, &none, sizeof limits);
}

static void test_take_everything(void **state)
{
    (void)state;
    if (!sil__sandbox_supported())
        skip();
    unsigned cpus[] = {first_cpu(), MISSING_CPU};
    sil_process_pool_options options = {.memory_limit = 5 * MIB,
                                        .cpu_limit = INT_MAX / 2,
                                        .niceness = 19,
                                        .cpus = cpus,
                                        .cpu_count = COUNT_OF(cpus),
                                        .sandbox = SIL_SANDBOX_COMPUTE};
    cpu_set_t before;
    cpu_set_t after;
    struct sil__limits limits;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_code(sil__limits_take(&options, &limits), 0);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
    assert_int_equal(limits.memory, 5 * MIB);
    assert_int_equal(limits.cpu_seconds, INT_MAX / 2);
    assert_int_equal(limits.niceness, 19);
    assert_int_equal(limits.sandbox, SIL_SANDBOX_COMPUTE);
    assert_true(limits.pinned);
    assert_int_equal(CPU_COUNT(&limits.cpus), 2);
    assert_true(CPU_ISSET(cpus[0], &limits.cpus));
}

static void test_take_refuses_what_is_out_of_range(void **state)
{
    (void)state;
    static const unsigned too_large[] = {0, CPUS};
    static const unsigned missing[] = {MISSING_CPU};
    const struct {
        sil_process_pool_options options;
        const char *message;
    } bad[] = {
        {{.niceness = -1}, "niceness of -1"},
        {{.niceness = 20}, "niceness of 20"},
        {{.cpu_limit = INT_MAX / 2 + 1U}, "cpu_limit of 1073741824 seconds"},
        {{.cpus = too_large, .cpu_count = 2}, "no CPU 1024"},
        {{.cpus = too_large, .cpu_count = 0}, "cpu_count"},
        {{.cpus = NULL, .cpu_count = 1}, "cpu_count"},
        {{.cpus = missing, .cpu_count = 1}, "none of the CPUs"},
        {{.sandbox = (sil_sandbox)3}, "sandbox 3"},
        {{.sandbox = (sil_sandbox)-1}, "sandbox -1"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct sil__limits limits;
        struct sil__limits untouched;
        memset(&limits, 0x5a, sizeof limits);
        memset(&untouched, 0x5a, sizeof untouched);
        assert_code(sil__limits_take(&bad[i].options, &limits), SIL_EINVAL);
        assert_contains(sil_error_message(sil_last_error()), bad[i].message);
        assert_memory_equal(&limits, &untouched, sizeof limits);
    }
}

/* --- applied, in a child ------------------------------------------------------------------- */

static int apply_nothing(void *arg)
{
    (void)arg;
    struct sil__limits limits = {0};
    struct rlimit before;
    struct rlimit after;
    CHECK(getrlimit(RLIMIT_CPU, &before) == 0);
    CHECK(sil__limits_apply(&limits) == 0);
    sil__limits_begin_task(&limits);
    CHECK(getrlimit(RLIMIT_CPU, &after) == 0);
    CHECK(before.rlim_cur == after.rlim_cur && before.rlim_max == after.rlim_max);
    return 0;
}

static void test_apply_nothing_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(child_run(apply_nothing, NULL), 0);
}

/* The sanitizers' own memory alone is more than any limit. */
static void skip_if_sanitized(void)
{
#if defined(TEST_ASAN) || defined(TEST_TSAN)
    skip();
#endif
}

static int use_memory(void *arg)
{
    (void)arg;
    struct sil__limits limits = {.memory = 128 * MIB};
    struct rlimit limit;
    CHECK(sil__limits_apply(&limits) == 0);
    CHECK(getrlimit(RLIMIT_DATA, &limit) == 0);
    CHECK(limit.rlim_cur == 128 * MIB && limit.rlim_max == 128 * MIB);
    void *large = malloc(256 * MIB);
    CHECK(!large);
    void *small = malloc(16 * MIB);
    CHECK(small);
    memset(small, 1, 16 * MIB);
    free(small);
    /* A second one can only lower it. */
    limits.memory = 1024 * MIB;
    CHECK(sil__limits_apply(&limits) == 0);
    CHECK(getrlimit(RLIMIT_DATA, &limit) == 0);
    CHECK(limit.rlim_cur == 128 * MIB);
    return 0;
}

static void test_memory_limit_makes_malloc_fail(void **state)
{
    (void)state;
    skip_if_sanitized();
    assert_int_equal(child_run(use_memory, NULL), 0);
}

static int use_too_little_memory(void *arg)
{
    (void)arg;
    struct sil__limits limits = {.memory = 4096};
    CHECK(sil__limits_apply(&limits) == SIL_ENOMEM);
    return 0;
}

static void test_memory_limit_below_what_is_used_fails(void **state)
{
    (void)state;
    skip_if_sanitized();
    assert_int_equal(child_run(use_too_little_memory, NULL), 0);
}

static int be_nice(void *arg)
{
    (void)arg;
    struct sil__limits limits = {.niceness = 5};
    int before = getpriority(PRIO_PROCESS, 0);
    int expected = before + 5 < 19 ? before + 5 : 19;
    CHECK(sil__limits_apply(&limits) == 0);
    CHECK(getpriority(PRIO_PROCESS, 0) == expected);
    limits.niceness = 19;
    CHECK(sil__limits_apply(&limits) == 0);
    CHECK(getpriority(PRIO_PROCESS, 0) == 19);
    return 0;
}

static void test_niceness_is_added(void **state)
{
    (void)state;
    assert_int_equal(child_run(be_nice, NULL), 0);
}

static int be_pinned(void *arg)
{
    (void)arg;
    unsigned cpu = first_cpu();
    sil_process_pool_options options = {.cpus = &cpu, .cpu_count = 1};
    struct sil__limits limits;
    cpu_set_t set;
    CHECK(sil__limits_take(&options, &limits) == 0);
    CHECK(sil__limits_apply(&limits) == 0);
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
    CHECK(CPU_COUNT(&set) == 1 && CPU_ISSET(cpu, &set));
    CPU_ZERO(&limits.cpus);
    CPU_SET(MISSING_CPU, &limits.cpus);
    CHECK(sil__limits_apply(&limits) == SIL_ENOTSUP);
    CHECK(strstr(sil_error_message(sil_last_error()), "CPUs"));
    return 0;
}

static void test_cpus_are_those_given(void **state)
{
    (void)state;
    assert_int_equal(child_run(be_pinned, NULL), 0);
}

/* --- processor time ------------------------------------------------------------------------ */

/* Until the process has used so much, or for ever. */
static void spin(double seconds)
{
    while (seconds <= 0 || self_cpu_seconds() < seconds)
        for (volatile int i = 0; i < 100000; i++)
            ;
}

static int use_processor(void *arg)
{
    volatile bool *got_to_the_last = arg;
    struct sil__limits limits = {.cpu_seconds = 1};
    struct rlimit core = {0};
    struct rlimit limit;
    sigset_t set;
    CHECK(setrlimit(RLIMIT_CORE, &core) == 0);
    sil__limits_begin_task(&limits);
    CHECK(getrlimit(RLIMIT_CPU, &limit) == 0);
    rlim_t first = limit.rlim_cur;
    rlim_t hard = limit.rlim_max;
    CHECK(first > 1 && (double)first >= self_cpu_seconds() + 1);

    /* A task that evades it: its signal must not hit the next one. */
    CHECK(sigemptyset(&set) == 0 && sigaddset(&set, SIGXCPU) == 0);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    spin((double)first + 0.1);
    CHECK(sigpending(&set) == 0 && sigismember(&set, SIGXCPU) == 1);
    sil__limits_begin_task(&limits);
    CHECK(getrlimit(RLIMIT_CPU, &limit) == 0);
    CHECK(limit.rlim_cur > first && limit.rlim_max == hard);
    (void)signal(SIGXCPU, SIG_IGN);

    sil__limits_begin_task(&limits);
    *got_to_the_last = true;
    spin(0);
    return 0;
}

static void test_cpu_limit_kills_and_starts_anew_with_each_task(void **state)
{
    (void)state;
    bool *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    int ended = child_run(use_processor, shared);
    bool got_to_the_last = *shared;
    (void)munmap(shared, 4096);
    assert_int_equal(ended, -SIGXCPU);
    assert_true(got_to_the_last);
}

static int use_processor_below_hard_limit(void *arg)
{
    (void)arg;
    struct sil__limits limits = {.cpu_seconds = 1000};
    struct rlimit limit = {.rlim_cur = 500, .rlim_max = 500};
    CHECK(setrlimit(RLIMIT_CPU, &limit) == 0);
    sil__limits_begin_task(&limits);
    CHECK(getrlimit(RLIMIT_CPU, &limit) == 0);
    CHECK(limit.rlim_cur == 500 && limit.rlim_max == 500);
    return 0;
}

static void test_cpu_limit_stays_below_a_hard_one(void **state)
{
    (void)state;
    assert_int_equal(child_run(use_processor_below_hard_limit, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_take_nothing_is_all_zero),
        TEST(test_take_everything),
        TEST(test_take_refuses_what_is_out_of_range),
        TEST(test_apply_nothing_changes_nothing),
        TEST(test_memory_limit_makes_malloc_fail),
        TEST(test_memory_limit_below_what_is_used_fails),
        TEST(test_niceness_is_added),
        TEST(test_cpus_are_those_given),
        TEST(test_cpu_limit_kills_and_starts_anew_with_each_task),
        TEST(test_cpu_limit_stays_below_a_hard_one),
    };
    return test_run("limits", tests);
}
