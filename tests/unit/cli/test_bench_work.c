/* SPDX-License-Identifier: MIT */
/*
 * The work, in every mode, in runs of their own: each task's answer is what it must be.
 */
#include "bench/work_cpu.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/error.h>

#include "bench/io_server.h"
#include "bench/series.h"
#include "bench/work_io.h"
#include "support/test.h"

enum { TASKS = 12, BELOW = 2000 };

static void test_primes_are_as_many_as_the_sieve_says(void **state)
{
    (void)state;
    assert_int_equal(cpu_count_primes(100), 25);
    for (uint64_t below = 0; below < 200; below++)
        assert_int_equal(cpu_count_primes(below), cpu_count_by_sieve(below));
    assert_int_equal(cpu_count_primes(BELOW), cpu_count_by_sieve(BELOW));
}

/* A machine that needs a nanosecond for each of below^1.5 steps, and that was asked so often. */
static double fake_clock(uint64_t below, void *user)
{
    ++*(int *)user;
    double root = 1;
    for (int i = 0; i < 40; i++)
        root = (root + (double)below / root) / 2;
    return (double)below * root * 1e-9;
}

static void test_calibration_comes_near_and_ends(void **state)
{
    (void)state;
    static const double wanted[] = {1e-4, 1e-3, 0.02, 0.5, 3};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        int asked = 0;
        uint64_t below = cpu_calibrate(wanted[i], fake_clock, &asked);
        double taken = fake_clock(below, &(int){0});
        assert_true(taken > 0.98 * wanted[i] && taken < 1.02 * wanted[i]);
        assert_true(asked < 40);
    }
}

static double stopped_clock(uint64_t below, void *user)
{
    (void)below, (void)user;
    return 0;
}

static void test_calibration_ends_when_the_clock_stands_still(void **state)
{
    (void)state;
    assert_true(cpu_calibrate(1, stopped_clock, NULL) > 0);
}

static void check_job(struct job job, struct answers *answers)
{
    static struct series series;
    struct round_page *page = round_create(TASKS);
    assert_non_null(page);
    for (int mode = 0; mode < MODES; mode++) {
        job.mode = (enum bench_mode)mode;
        series = (struct series){.job = job, .wanted = UINT64_C(2) * TASKS};
        assert_int_equal(round_run(&job, page), 0);
        assert_int_equal(page->usage.code, 0);
        assert_true(series_add(&series, page, answers, true));
        assert_int_equal(series.failed, 0);
        assert_int_equal(series.wrong, 0);
        assert_true(measure_median(&series.wall) > page->usage.wall); /* scaled */
        assert_true(page->usage.memory > 0);
        for (int i = 0; i < TASKS; i++)
            assert_true(series.records[i].begin >= page->usage.begin &&
                        series.records[i].end >= series.records[i].begin);
        free(series.records);
    }
    round_destroy(page, TASKS);
}

static void test_cpu_answers_are_right_in_every_mode(void **state)
{
    (void)state;
    struct answers answers = {.cpu = cpu_count_by_sieve(BELOW)};
    check_job((struct job){.kind = WORK_CPU, .workers = 2, .tasks = TASKS, .below = BELOW},
              &answers);
}

static void test_io_answers_are_right_in_every_mode(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 7, 8, 16383, 16384, 16385, 100003};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct io_server server;
        struct answers answers = {0};
        assert_int_equal(io_server_start(&server, 0.001), 0);
        check_job((struct job){.kind = WORK_IO,
                               .workers = 3,
                               .tasks = TASKS,
                               .latency = 0.001,
                               .size = sizes[i],
                               .port = server.port},
                  &answers);
        io_server_stop(&server);
    }
}

static void test_wrong_answers_and_failures_are_counted(void **state)
{
    (void)state;
    static struct series series;
    struct answers answers = {.cpu = 1};
    struct job job = {.kind = WORK_CPU, .workers = 1, .tasks = TASKS, .below = BELOW};
    struct round_page *page = round_create(TASKS);
    assert_non_null(page);
    series = (struct series){.job = job, .wanted = TASKS};
    assert_int_equal(round_run(&job, page), 0);
    page->records[3].code = 5;
    assert_true(series_add(&series, page, &answers, false));
    assert_int_equal(series.failed, 1);
    assert_int_equal(series.wrong, TASKS - 1);
    round_destroy(page, TASKS);
}

static void test_io_fails_when_nobody_listens(void **state)
{
    (void)state;
    struct io_server server;
    assert_int_equal(io_server_start(&server, 0), 0);
    struct job job = {.kind = WORK_IO, .workers = 2, .tasks = TASKS, .port = server.port};
    io_server_stop(&server);
    struct round_page *page = round_create(TASKS);
    assert_non_null(page);
    for (int mode = 0; mode < MODES; mode++) {
        job.mode = (enum bench_mode)mode;
        assert_int_equal(round_run(&job, page), 0);
        assert_int_not_equal(page->usage.code, 0);
        assert_true(page->usage.message[0] != '\0');
    }
    round_destroy(page, TASKS);
}

/* The one who started it is killed: the pipe that the server has too ends. */
static void test_server_ends_when_its_starter_is_killed(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t starter = fork();
    if (starter == 0) {
        struct io_server server;
        byte = io_server_start(&server, 0) == 0 ? 'y' : 'n';
        (void)!write(ends[1], &byte, 1);
        pause();
        _exit(0);
    }
    assert_true(starter > 0);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(kill(starter, SIGKILL), 0);
    assert_int_equal(waitpid(starter, NULL, 0), starter);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    (void)close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_primes_are_as_many_as_the_sieve_says),
        TEST(test_calibration_comes_near_and_ends),
        TEST(test_calibration_ends_when_the_clock_stands_still),
        TEST(test_cpu_answers_are_right_in_every_mode),
        TEST(test_io_answers_are_right_in_every_mode),
        TEST(test_wrong_answers_and_failures_are_counted),
        TEST(test_io_fails_when_nobody_listens),
        TEST(test_server_ends_when_its_starter_is_killed),
    };
    return test_run("bench work", tests);
}
