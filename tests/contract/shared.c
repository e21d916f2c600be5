/* SPDX-License-Identifier: MIT */
/*
 * Memory that tests share with the tasks of the engine under test, wherever those run; and the frame
 * around each test, which gives it back and sees that no process is left behind.
 *
 * A worker process never calls contract_begin: its board is what the pool's initializer told it.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "contract.h"

static void *blocks[32];
static void *board;
static bool had_children; /* a test before left them, and has failed */

static bool is_shared(void)
{
    return (contract_engine()->capabilities & SHARES_MEMORY) != 0;
}

static void *allocate(size_t size)
{
    return is_shared() ? malloc(size) : sil_shared_alloc(size);
}

static void give_back(void *block)
{
    if (is_shared())
        free(block);
    else
        sil_shared_free(block);
}

void *contract_shared(size_t size)
{
    size_t at = 0;
    while (at < COUNT_OF(blocks) && blocks[at] != NULL)
        at++;
    assert_true(at < COUNT_OF(blocks));
    blocks[at] = allocate(size);
    assert_non_null(blocks[at]);
    (void)memset(blocks[at], 0, size);
    return blocks[at];
}

void contract_unshare(void *block)
{
    size_t at = 0;
    while (at < COUNT_OF(blocks) && blocks[at] != block)
        at++;
    assert_true(at < COUNT_OF(blocks));
    blocks[at] = NULL;
    give_back(block);
}

struct gate *contract_gate(void)
{
    struct gate *gate = contract_shared(sizeof *gate);
    gate_init(gate);
    return gate;
}

struct latch *contract_latch(unsigned count)
{
    struct latch *latch = contract_shared(sizeof *latch);
    latch_init(latch, count);
    return latch;
}

atomic_uint *contract_count(void)
{
    atomic_uint *count = contract_shared(sizeof *count);
    atomic_init(count, 0);
    return count;
}

void *contract_board(void)
{
    return board;
}

int contract_take_board(void *arg)
{
    board = *(void **)arg;
    return 0;
}

static bool has_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static bool children_gone(void)
{
    double start = test_seconds();
    while (has_children() && test_seconds() - start < TEST_PATIENCE / 10.0)
        test_yield();
    return !has_children();
}

int contract_begin(void **state)
{
    int failed = test_begin(state);
    had_children = has_children();
    board = contract_shared(CONTRACT_BOARD_SIZE);
    return failed;
}

int contract_end(void **state)
{
    /* A task that closed its own executor may be on its way out still; and what a failed test
     * left running would write to what is given back. */
    bool settled = test_threads_gone();
    for (size_t at = 0; at < COUNT_OF(blocks); at++)
        if (settled && blocks[at] != NULL)
            contract_unshare(blocks[at]);
    board = NULL;
    if (!had_children && !children_gone()) {
        print_error("processes left behind\n");
        return -1;
    }
    return test_end(state);
}
