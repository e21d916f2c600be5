/* SPDX-License-Identifier: MIT */
/*
 * Runs a scenario with each point that can fail failing in turn, alone and with all after it.
 *
 * A scenario is a piece of a program that copes with failure: it asserts that each code it gets
 * is 0 or one that tells of the failure, awaits what it started, and gives everything back. That
 * nothing hangs, crashes or leaks is seen by the alarm of TEST and by the sanitizers.
 */
#ifndef TESTS_FAULT_EVERY_POINT_H
#define TESTS_FAULT_EVERY_POINT_H

#include "base/fault.h"

#include <sillon/sillon.h>

#include "support/tasks.h"
#include "support/test.h"

/** Most points of one scenario that are tried; when there are more, every second one, and so on. */
enum { MOST_POINTS = TEST_SCALE(1000) };

/** A code that a caller may see when memory or threads run out. */
static inline bool is_allowed(int code)
{
    return code == 0 || code == SIL_ENOMEM || code == SIL_EAGAIN;
}

#define assert_allowed(code) test_assert_allowed((code), #code, __FILE__, __LINE__)

static inline void test_assert_allowed(int code, const char *what, const char *file, int line)
{
    if (!is_allowed(code))
        test_assert_code(code, SIL_ENOMEM, what, file, line);
}

/** Something that is NULL after a failure: if so, the last error must say why. */
static inline bool was_made(const void *made)
{
    if (made == NULL)
        assert_true(is_allowed(sil_error_code(sil_last_error())));
    return made != NULL;
}

/** Await and release; the code must be allowed. */
static inline int take_allowed(sil_future *future, void *out)
{
    assert_non_null(future);
    int code = sil_take(future, out, SIL_FOREVER);
    assert_allowed(code);
    return code;
}

static inline void fail_each_point(enum sil__fault_site site, void (*scenario)(void))
{
    sil__fault_reset();
    scenario();
    uint64_t points = sil__fault_hits(site) + 3; /* threads may pass a few more another time */
    uint64_t step = points / MOST_POINTS + 1;
    for (int all_later = 0; all_later <= 1; all_later++) {
        for (uint64_t nth = 1; nth <= points; nth += step) {
            sil__fault_reset();
            sil__fault_arm(site, nth, all_later);
            scenario();
        }
    }
    sil__fault_reset();
    scenario(); /* and afterwards all is well again */
}

/** Every point of every kind. */
static inline void survive(void (*scenario)(void))
{
    fail_each_point(SIL__FAULT_ALLOC, scenario);
    fail_each_point(SIL__FAULT_THREAD, scenario);
}

#endif
