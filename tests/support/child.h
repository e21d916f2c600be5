/* SPDX-License-Identifier: MIT */
/*
 * A forked child that runs one function and reports by its exit status.
 */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

/**
 * Fork, run fn in the child, and wait for its end. No asserts in there: cmocka's state is the
 * parent's.
 *
 * @return what fn returned (0 .. 255), or minus the signal that ended the child.
 */
int child_run(int (*fn)(void *arg), void *arg);

/** In the child: report this line as the one that failed. */
#define CHECK(condition)           \
    do {                           \
        if (!(condition))          \
            return __LINE__ & 255; \
    } while (0)

#endif
