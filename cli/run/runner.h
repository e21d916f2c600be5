/* SPDX-License-Identifier: MIT */
/*
 * The runner: items, some at a time, until there are no more. What get and map have in common.
 *
 *     input --> feeder --> ready --> slots (coroutines) --> ended
 *                            ^          |
 *                            +-- wait --+   to be tried again; a waiting item holds no slot
 *
 * I1  At most `jobs` items run at once, and of a group (a host) at most its limit; an item that
 *     must wait for its group lets others pass.
 * I2  The input is read only as far ahead as `ahead` says.
 * I3  Each item the input gave is told to `ended` once, on every path.
 * I4  All of it is on one loop, in coroutines: callbacks may wait, and need no locks.
 */
#ifndef CLI_RUN_RUNNER_H
#define CLI_RUN_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sillon/deadline.h>

#include "syntax/options.h"

struct runner;
struct runner_item;

/** Items that share a limit. The owner's storage; all zero but for limit; it outlives the run. */
struct runner_group {
    size_t limit;       /**< that run at once; may be changed any time: runner_wake */
    size_t running;     /**< for the runner */
    int64_t not_before; /**< sil_clock(): none is started before (a host that asked for peace) */
    double rate;        /**< starts a second; 0: as many as there are */
    int64_t next_start; /**< for the runner, as all below */
    struct runner_item *first, **last;
    struct runner_group *next_ready;
};

/** The head of get's and of map's items. */
struct runner_item {
    struct runner_item *next;   /**< for the runner */
    struct runner_group *group; /**< NULL: none */
    int64_t due;                /**< sil_clock(): when it may be tried again */
    int64_t read_at;            /**< sil_clock() when it came from the input */
    int64_t started_at;         /**< sil_clock() of this try */
    unsigned tries;             /**< begun */
    unsigned slot;              /**< where it runs, from 1; the lowest that was free */
};

enum runner_verdict {
    ITEM_OK,
    ITEM_SKIPPED, /**< done before, nothing to do */
    ITEM_FAILED,
    ITEM_AGAIN,   /**< is to be tried again at item->due, if the run goes on until then; the caller
                       has seen to it that tries are left. If not: ITEM_STOPPED */
    ITEM_STOPPED, /**< neither: the run ended before it did */
};

struct runner_plan {
    void *user;
    /** The next item; waits for it if it must. NULL: there are no more, or reading failed, or the run
     *  is being stopped. @param user, as below. Runs in a coroutine, one call at a time. */
    struct runner_item *(*next)(void *user);
    /** One try. In a coroutine of the slot's. */
    enum runner_verdict (*run)(void *user, struct runner_item *item);
    /** It has ended: takes the item. Not ITEM_AGAIN. */
    void (*ended)(void *user, struct runner_item *item, enum runner_verdict verdict);
    /** Called once, when no more items are to be started: make next() return soon. NULL allowed. */
    void (*stopping)(void *user);
    /** Called when a halt or a stop says that what runs is to end now: make run() return soon. */
    void (*interrupt)(void *user, int signal);
    size_t jobs;
    size_t ahead; /**< items read before a slot is free for them; at least 1 */
    double delay; /**< seconds between two starts */
    double rate;  /**< starts a second; 0: no limit */
    struct halt halt;
    sil_deadline deadline; /**< SIL_FOREVER, or when the run is stopped */
    /** May another one be started now? NULL: always. Otherwise seconds to ask again after; 0: yes.
     *  (load and memory limits, jobserver) */
    double (*may_start)(void *user);
};

/** Figures for the status line. */
struct runner_counts {
    uint64_t read, ok, skipped, failed, stopped, retries;
    size_t running, waiting; /**< waiting: to be tried again */
    bool input_ended;
    int64_t started_at; /**< sil_clock() */
};

/** How many items have ended by themselves. */
static inline uint64_t runner_done(const struct runner_counts *counts)
{
    return counts->ok + counts->skipped + counts->failed;
}

/** Why a run ended before its input did. */
enum runner_stop { RUNNER_WENT_ON, RUNNER_HALTED, RUNNER_DEADLINE, RUNNER_SIGNAL, RUNNER_LOCAL };

/** @param plan  borrows, until destroy. @return returns owned; NULL: out of memory. In a coroutine. */
struct runner *runner_create(const struct runner_plan *plan);
/** @param runner  takes; NULL allowed. It does not run. */
void runner_destroy(struct runner *runner);

/** Until all items have ended. @return why it ended early. */
enum runner_stop runner_run(struct runner *runner);

/** Start no more items; with a signal other than 0 interrupt those that run, too. The first reason
 *  counts. Any coroutine of the loop. */
void runner_stop(struct runner *runner, enum runner_stop why, int signal);

/** Is it being stopped? */
bool runner_stopping(const struct runner *runner);

/** More or fewer slots, from now on; at least 1. */
void runner_set_jobs(struct runner *runner, size_t jobs);
size_t runner_jobs(const struct runner *runner);

/** A group's limit or not_before has changed. */
void runner_wake(struct runner *runner);

const struct runner_counts *runner_counts(const struct runner *runner);

/** The items that run now, by slot: for the status lines and for SIGQUIT. @return the next one that
 *  runs, from slot on (1 to begin); NULL: no more. */
struct runner_item *runner_item_at(const struct runner *runner, unsigned slot);

/** The index-th of them, from 0. @return NULL: there are not so many, or no runner. */
struct runner_item *runner_nth_running(const struct runner *runner, size_t index);

/**
 * When to try again: full jitter, from 0 to min(most, first * 2^(tries - 1)) seconds from now.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param least  seconds; a server's Retry-After.
 */
int64_t runner_backoff(unsigned tries, double first, double most, double least);

#endif
