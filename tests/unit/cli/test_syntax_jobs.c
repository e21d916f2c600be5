/* SPDX-License-Identifier: MIT */
/*
 * How many jobs: numbers, parts of the CPUs, the environment, the limit of open files; and which
 * exit status says more.
 */
#include <stdlib.h>
#include <sys/resource.h>

#include <sillon/thread_pool.h>

#include "command.h"
#include "support/test.h"
#include "syntax/options.h"
#include "syntax/values.h"

static size_t count(const char *text)
{
    struct jobs jobs = {.kind = JOBS_DEFAULT};
    if (text != NULL)
        assert_true(value_read_jobs(text, &jobs));
    return jobs_count(&jobs, 5);
}

static void test_jobs_are_what_was_typed(void **state)
{
    (void)state;
    size_t cpus = sil_process_cpu_count();
    (void)unsetenv("SILLON_JOBS");
    assert_int_equal(count(NULL), 5);
    assert_int_equal(count("8"), 8);
    assert_int_equal(count("65536"), 65536);
    assert_int_equal(count("100%"), cpus);
    assert_int_equal(count("300%"), 3 * cpus);
    assert_int_equal(count("0.001%"), 1);
    assert_int_equal(count("+2"), cpus + 2);
    assert_int_equal(count("+65536"), 65536);
}

static void test_jobs_are_the_environments_when_not_given(void **state)
{
    (void)state;
    (void)setenv("SILLON_JOBS", "7", 1);
    assert_int_equal(count(NULL), 7);
    assert_int_equal(count("8"), 8);
    (void)setenv("SILLON_JOBS", "nonsense", 1);
    assert_int_equal(count(NULL), 5);
    (void)unsetenv("SILLON_JOBS");
}

static void test_jobs_are_limited_by_files_when_0(void **state)
{
    (void)state;
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 264;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(count("0"), 50);
    limit.rlim_cur = 10;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(count("0"), 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_jobs_are_refused_when_no_number(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "-1", "-2%", "%",  "+",     "++1",  "1.5", "x",
                                      "8x", "0%", "+5%", " 8", "65537", "nan%", "1e3"};
    struct jobs jobs = {.kind = JOBS_MORE, .number = 42};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(value_read_jobs(bad[i], &jobs));
    assert_true(jobs.kind == JOBS_MORE && jobs.number > 41);
}

static void test_status_worse_is_the_one_that_says_more(void **state)
{
    (void)state;
    static const enum status order[] = {
        STATUS_DONE,          STATUS_SOME_FAILED, STATUS_STOPPED,        STATUS_WRONG_CHECKSUM,
        STATUS_LOCAL_FAILURE, STATUS_BAD_USAGE,   STATUS_CANNOT_EXECUTE, STATUS_NOT_FOUND};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        for (size_t k = 0; k < COUNT_OF(order); k++)
            assert_int_equal(status_worse(order[i], order[k]), order[i > k ? i : k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_jobs_are_what_was_typed),
        TEST(test_jobs_are_the_environments_when_not_given),
        TEST(test_jobs_are_limited_by_files_when_0),
        TEST(test_jobs_are_refused_when_no_number),
        TEST(test_status_worse_is_the_one_that_says_more),
    };
    return test_run("jobs", tests);
}
