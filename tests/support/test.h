/* SPDX-License-Identifier: MIT */
/*
 * What every test program includes first: cmocka with the headers it needs, and our additions.
 *
 * Each TEST is bounded in time, and afterwards there must be as many threads and descriptors as
 * before. Asserts are for the test's own thread only: workers write what they saw.
 */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define TEST_TSAN 1
#elif __has_feature(address_sanitizer)
#define TEST_ASAN 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define TEST_TSAN 1
#endif
#ifdef __SANITIZE_ADDRESS__
#define TEST_ASAN 1
#endif

/** How many times slower the tests run here than in a plain build. */
#if defined(TEST_TSAN)
#define TEST_SLOWNESS 10
#elif defined(TEST_ASAN)
#define TEST_SLOWNESS 4
#else
#define TEST_SLOWNESS 1
#endif

/** A count of rounds or items, made smaller where tests run slower; at least 1. */
#define TEST_SCALE(n) ((n) / TEST_SLOWNESS > 0 ? (n) / TEST_SLOWNESS : 1)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** Seconds after which a test, or anything it waits for, counts as hung. */
#define TEST_PATIENCE 60

/** One entry of the array that test_run takes. */
#define TEST(function) cmocka_unit_test_setup_teardown(function, test_begin, test_end)

/** Run an array of TESTs; the value is main's. */
#define test_run(name, tests) test_exit(test_run_group(name, tests, COUNT_OF(tests)))

/** How many of the tests failed. */
int test_run_group(const char *name, const struct CMUnitTest *tests, size_t count);

/** What main returns after so many failures. After any, this ends the program. */
int test_exit(int failed);

/** The fixtures of TEST: start the clock and count what is there; see that no more is left. */
int test_begin(void **state);
int test_end(void **state);

/** Wait a while until there are as few threads as before the test; false: some stay. */
bool test_threads_gone(void);

/** Two codes are equal; says their names if not. */
#define assert_code(actual, expected) \
    test_assert_code((actual), (expected), #actual, __FILE__, __LINE__)

/** The text holds the part; shows both if not. */
#define assert_contains(text, part) test_assert_contains((text), (part), __FILE__, __LINE__)

void test_assert_code(int actual, int expected, const char *what, const char *file, int line);
void test_assert_contains(const char *text, const char *part, const char *file, int line);

/** End the program with a message, from any thread: what we wait for does not come. */
_Noreturn void test_hung(const char *what, const char *file, int line);

/** Real seconds on the monotonic clock, for bounds. */
double test_seconds(void);

/** Give others the processor until the condition holds; only for what nothing can announce. */
#define eventually(condition)                                             \
    do {                                                                  \
        for (double start_ = test_seconds(); !(condition); test_yield())  \
            if (test_seconds() - start_ > TEST_PATIENCE)                  \
                test_hung("never came: " #condition, __FILE__, __LINE__); \
    } while (0)

void test_yield(void);

#endif
