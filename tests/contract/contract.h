/* SPDX-License-Identifier: MIT */
/*
 * The contract suite: what every engine promises (DESIGN 3), as tests that any executor can be
 * passed through. It sees sillon as a user does, by its public headers.
 *
 * To put a new engine to the test: write its `create` in engines.c, add a row to contract_engines
 * and say what it can do. To add a promise: a file with a table of tests, named in contract.c.
 */
#ifndef TESTS_CONTRACT_CONTRACT_H
#define TESTS_CONTRACT_CONTRACT_H

#include <sillon/sillon.h>

#include "support/gate.h"
#include "support/tasks.h"
#include "support/test.h"

/** What an engine can do, and what a test needs. */
enum capability {
    ASYNCHRONOUS = 1 << 0,  /**< submit returns before the task has run */
    PARALLEL = 1 << 1,      /**< two tasks run at the same time */
    SHARES_MEMORY = 1 << 2, /**< tasks see the submitter's memory: its futures, its executors */
    TAKES_ALL = 1 << 3,     /**< no submit is refused for want of room */
    FULL_BLOCKS = 1 << 4,   /**< a full queue (of CONTRACT_BOUND) makes a submit wait, */
    FULL_FAILS = 1 << 5,    /**< ... fails it, */
    FULL_CALLS = 1 << 6,    /**< ... has its thread run the task */
    ONE_WORKER = 1 << 7,    /**< its tasks run one after the other, in an order we can predict */
    AWAITS_OWN = 1 << 8,    /**< a task may await others of the same executor */
    CAN_BREAK = 1 << 9,     /**< create_broken makes one whose workers cannot start */
    PROCESSES = 1 << 10,    /**< tasks run in processes of their own, */
    FORKED = 1 << 11,       /**< ... copies of this one as it was when the executor was made */
};

enum {
    CONTRACT_BOUND = 8,          /**< most tasks pending in a bounded engine; all other tests keep
                                      to it too */
    CONTRACT_BOARD_SIZE = 16384, /**< bytes of the board */
};

/** One engine in one configuration. */
struct contract_engine {
    const char *name;
    sil_executor *(*create)(void);
    unsigned capabilities;
    sil_executor *(*create_broken)(void);
};

/** The engines; the last has no name. */
extern const struct contract_engine contract_engines[];

/** One promise to keep. */
struct contract_test {
    const char *name;
    CMUnitTestFunction function;
    unsigned needs;
};

/** A row of the tables below; the last row is {0}. */
#define PROMISE(test, needed)                                \
    {                                                        \
        .name = #test, .function = (test), .needs = (needed) \
    }

extern const struct contract_test contract_states[];
extern const struct contract_test contract_submit[];
extern const struct contract_test contract_submit_options[];
extern const struct contract_test contract_post[];
extern const struct contract_test contract_post_queue[];
extern const struct contract_test contract_post_inside[];
extern const struct contract_test contract_bounded[];
extern const struct contract_test contract_cancel[];
extern const struct contract_test contract_callbacks[];
extern const struct contract_test contract_waiting[];
extern const struct contract_test contract_wait_many[];
extern const struct contract_test contract_map[];
extern const struct contract_test contract_shutdown[];
extern const struct contract_test contract_closing[];
extern const struct contract_test contract_broken[];
extern const struct contract_test contract_fork[];
extern const struct contract_test contract_errors[];
extern const struct contract_test contract_bad_input[];
extern const struct contract_test contract_crash[];
extern const struct contract_test contract_kill[];
extern const struct contract_test contract_process_data[];

/** The engine under test. */
const struct contract_engine *contract_engine(void);

/** An executor of the engine under test; never NULL. */
sil_executor *contract_create(void);

/** TEST_SCALE for rounds that make an executor each: fewer where that starts processes. */
int contract_rounds(int count);

/** Close, which must succeed. */
void contract_close(sil_executor *executor);

/** Await, which must succeed, and release. */
void contract_finish(sil_future *future);

/**
 * Zeroed memory that the tasks of the engine under test can use, if they are handed a pointer to
 * it. It is given back when the test has ended, or before by contract_unshare.
 */
void *contract_shared(size_t size);
void contract_unshare(void *block);

/** The same, ready for use; to be given back in the same way. */
struct gate *contract_gate(void);
struct latch *contract_latch(unsigned count);
atomic_uint *contract_count(void);

/** Such memory, for tasks whose argument has no room for a pointer: a test and its tasks find it
 * without one. CONTRACT_BOARD_SIZE bytes, zeroed at the beginning of the test. */
void *contract_board(void);

/** Initializer of workers that are processes; arg: void *, the board. */
int contract_take_board(void *arg);

/** The fixtures of a promise: those of TEST, and the memory above. */
int contract_begin(void **state);
int contract_end(void **state);

/** Every worker of an executor, kept busy at a gate. */
struct occupied {
    struct gate *gate;
    unsigned count;
    sil_future *futures[8];
};

void contract_occupy(struct occupied *occupied, sil_executor *executor);
void contract_free(struct occupied *occupied);

#endif
