/* SPDX-License-Identifier: MIT */
/*
 * The frame around each test. A test that hangs ends the program by SIGALRM, with a message
 * where a signal handler may run (not under ThreadSanitizer, which defers handlers); the last
 * RUN line of cmocka names it. After a failure the program leaves by _exit: a failed test may
 * have left threads behind that would only blur the report.
 */
#include "support/test.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sillon/status.h>

#include "support/self.h"

#ifdef TEST_TSAN
/* A forked child may start threads: some tests do just that. And a process that ends need not wait a
 * second for races of the threads it leaves. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
    return "die_after_fork=0:atexit_sleep_ms=0";
}
#endif

static unsigned threads_before;
static unsigned descriptors_before;

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
    say("the test of the last RUN line hangs\n");
    abort();
}

/* ThreadSanitizer starts a thread of its own beside the first of ours: let that be now. */
static void *do_nothing(void *arg)
{
    return arg;
}

static void start_first_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, do_nothing, NULL) == 0)
        (void)pthread_join(thread, NULL);
}

int test_run_group(const char *name, const struct CMUnitTest *tests, size_t count)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
#ifndef TEST_TSAN
    (void)signal(SIGALRM, on_alarm);
#else
    (void)on_alarm;
#endif
    start_first_thread();
    return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

int test_exit(int failed)
{
    if (failed != 0) {
        (void)fflush(NULL);
        _exit(EXIT_FAILURE);
    }
    return EXIT_SUCCESS;
}

int test_begin(void **state)
{
    (void)state;
    (void)alarm(TEST_PATIENCE + 40); /* what is bounded by TEST_PATIENCE says more: let it */
    threads_before = self_threads("");
    descriptors_before = self_descriptors();
    return 0;
}

/* A joined thread may stay listed for a moment, and a pool closed by its own task goes away a
 * moment later. */
bool test_threads_gone(void)
{
    double start = test_seconds();
    while (self_threads("") > threads_before && test_seconds() - start < TEST_PATIENCE / 10.0)
        test_yield();
    return self_threads("") <= threads_before;
}

int test_end(void **state)
{
    (void)state;
    if (!test_threads_gone()) {
        print_error("threads left behind: %u, before %u\n", self_threads(""), threads_before);
        return -1;
    }
    if (self_descriptors() != descriptors_before) {
        print_error("descriptors: %u, before %u\n", self_descriptors(), descriptors_before);
        return -1;
    }
    (void)alarm(0);
    return 0;
}

static const char *name_of(int code)
{
    const char *name = code == 0 ? "success" : sil_status_name(code);
    return name != NULL ? name : "?";
}

void test_assert_code(int actual, int expected, const char *what, const char *file, int line)
{
    if (actual == expected)
        return;
    print_error("%s is %d (%s), not %d (%s)\n", what, actual, name_of(actual), expected,
                name_of(expected));
    _fail(file, line);
}

void test_assert_contains(const char *text, const char *part, const char *file, int line)
{
    if (text != NULL && strstr(text, part) != NULL)
        return;
    print_error("\"%s\" is not in \"%s\"\n", part, text != NULL ? text : "(null)");
    _fail(file, line);
}

void test_hung(const char *what, const char *file, int line)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

double test_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void test_yield(void)
{
    (void)sched_yield();
}
