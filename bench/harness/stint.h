/* SPDX-License-Identifier: MIT */
/*
 * A stint: what a task in another process is told to do, and what it says about it. All by value,
 * and on the clock that all processes share.
 */
#ifndef BENCH_STINT_H
#define BENCH_STINT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum stint_kind {
    STINT_SLEEP,   /**< amount nanoseconds; 0: nothing */
    STINT_COUNT,   /**< so many steps of pure computing */
    STINT_DIE,     /**< kill its own process: SIGKILL */
    STINT_ENDLESS, /**< compute until killed */
};

struct stint {
    enum stint_kind kind;
    uint64_t amount;
};

struct stint_report {
    int64_t pid;
    uint64_t begin_ns; /**< when the task began */
    uint64_t end_ns;
};

void stint_do(const struct stint *stint, struct stint_report *out);

#ifdef __cplusplus
}
#endif

#endif
