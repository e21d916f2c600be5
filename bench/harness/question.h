/* SPDX-License-Identifier: MIT */
/*
 * A question: one thing measured, the same way for each peer. And a request: a question put once,
 * with its size, its workers and how often to repeat it.
 *
 * To add a question: write questions/NAME.c, declare it here, and list it in harness/main.c and
 * in runner/plan.py.
 */
#ifndef BENCH_QUESTION_H
#define BENCH_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/adapter.h"

struct question;

struct request {
    const struct adapter *peer;
    const struct question *question;
    long n;
    int workers;
    int repetitions;
};

struct question {
    const char *name;
    const char *help; /**< what N is, and what is printed */
    bool submits;     /**< makes tasks from outside: to be put through adapter.inside */
    long idle_ns;     /**< round trips: how long to sleep before each */
    bool futures;     /**< of two forms, the one with a handle each */
    int (*run)(const struct request *request); /**< 0, or 1 after a wrong result */
};

/** Print one measured value: "peer,question,workers,metric,value". */
void report(const struct request *request, const char *metric, double value);

/** Print that this peer cannot do this. @return 0 */
int report_unsupported(const struct request *request);

/** Say on stderr that a result is wrong. @return 1 */
int report_wrong(const struct request *request, double got, double wanted);

/** Zeroed memory for count handles of the peer, each page touched; ends the program if none. */
void *handles_new(const struct adapter *peer, long count);

/** The i-th handle of such memory. */
static inline void *handle_at(const struct adapter *peer, void *handles, long i)
{
    return (char *)handles + (size_t)i * peer->handle_size;
}

extern const struct question question_fork_join;
extern const struct question question_n_queens;
extern const struct question question_post;
extern const struct question question_submit;
extern const struct question question_bulk;
extern const struct question question_bulk_futures;
extern const struct question question_round_trip;
extern const struct question question_round_trip_idle;
extern const struct question question_trickle;
extern const struct question question_loop;
extern const struct question question_memory;
extern const struct question question_memory_futures;
extern const struct question question_growth;
extern const struct question question_growth_futures;
extern const struct question question_workers;

/* Of pools of processes; round_trip, round_trip_idle and submit are asked of them too. */
extern const struct question question_map;
extern const struct question question_copy;
extern const struct question question_copy_untouched;
extern const struct question question_shared;
extern const struct question question_start;
extern const struct question question_death;
extern const struct question question_innocents;
extern const struct question question_limit;
extern const struct question question_count;

/* Of event loops. */
extern const struct question question_yield;
extern const struct question question_go;
extern const struct question question_message;
extern const struct question question_message_limit;
extern const struct question question_asleep;
extern const struct question question_beside;
extern const struct question question_offload;
extern const struct question question_idle;
extern const struct question question_timers;

#endif
