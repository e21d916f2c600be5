/* SPDX-License-Identifier: MIT */
/*
 * The engines that are put to the test.
 */
#include "contract.h"
#include "lone_thread.h"

static sil_executor *create_pool_of_1(void)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = 1, .name = "contract"});
}

static sil_executor *create_pool_of_2(void)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = 2, .name = "contract"});
}

static sil_executor *create_pool_of_4(void)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = 4, .name = "contract"});
}

static sil_executor *create_bounded(sil_when_full when_full)
{
    return sil_thread_pool(&(sil_thread_pool_options){
        .workers = 2, .name = "contract", .max_pending = CONTRACT_BOUND, .when_full = when_full});
}

static sil_executor *create_blocking(void)
{
    return create_bounded(SIL_FULL_BLOCK);
}

static sil_executor *create_failing(void)
{
    return create_bounded(SIL_FULL_FAIL);
}

static sil_executor *create_calling(void)
{
    return create_bounded(SIL_FULL_CALLER);
}

static sil_executor *create_loop(void)
{
    return sil_loop_thread(&(sil_loop_options){.name = "contract"});
}

static sil_executor *create_bounded_loop(sil_when_full when_full)
{
    return sil_loop_thread(&(sil_loop_options){
        .name = "contract", .max_pending = CONTRACT_BOUND, .when_full = when_full});
}

static sil_executor *create_blocking_loop(void)
{
    return create_bounded_loop(SIL_FULL_BLOCK);
}

static sil_executor *create_failing_loop(void)
{
    return create_bounded_loop(SIL_FULL_FAIL);
}

static sil_executor *create_calling_loop(void)
{
    return create_bounded_loop(SIL_FULL_CALLER);
}

static int refuse(void *arg)
{
    (void)arg;
    return 77;
}

static sil_executor *create_broken_pool(void)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = 2, .initializer = refuse});
}

/* The board is what a worker must know before its first task. */
static sil_executor *create_processes(sil_process_pool_options options)
{
    void *board = contract_board();
    options.name = "contract";
    options.initializer = contract_take_board;
    options.initializer_arg = &board;
    options.initializer_arg_size = sizeof board;
    return sil_process_pool(&options);
}

static sil_executor *create_1_process(void)
{
    return create_processes((sil_process_pool_options){.workers = 1});
}

static sil_executor *create_2_processes(void)
{
    return create_processes((sil_process_pool_options){.workers = 2});
}

#ifndef TEST_TSAN
static sil_executor *create_2_forked(void)
{
    return create_processes((sil_process_pool_options){.workers = 2, .start = SIL_START_FORK});
}
#endif

static sil_executor *create_bounded_processes(sil_when_full when_full)
{
    return create_processes((sil_process_pool_options){
        .workers = 2, .max_pending = CONTRACT_BOUND, .when_full = when_full});
}

static sil_executor *create_blocking_processes(void)
{
    return create_bounded_processes(SIL_FULL_BLOCK);
}

static sil_executor *create_failing_processes(void)
{
    return create_bounded_processes(SIL_FULL_FAIL);
}

static sil_executor *create_calling_processes(void)
{
    return create_bounded_processes(SIL_FULL_CALLER);
}

static sil_executor *create_broken_processes(void)
{
    return sil_process_pool(&(sil_process_pool_options){.workers = 2, .initializer = refuse});
}

#define POOL (ASYNCHRONOUS | SHARES_MEMORY | AWAITS_OWN)
#define PROCESS_POOL (ASYNCHRONOUS | PROCESSES)

const struct contract_engine contract_engines[] = {
    {"inline", sil_inline_executor, SHARES_MEMORY | TAKES_ALL | AWAITS_OWN, NULL},
    {"lone thread", lone_thread_create, ASYNCHRONOUS | SHARES_MEMORY | TAKES_ALL | ONE_WORKER,
     NULL},
    {"pool of 1", create_pool_of_1, POOL | TAKES_ALL | ONE_WORKER, NULL},
    {"pool of 2", create_pool_of_2, POOL | PARALLEL | TAKES_ALL | CAN_BREAK, create_broken_pool},
    {"pool of 4", create_pool_of_4, POOL | PARALLEL | TAKES_ALL, NULL},
    {"pool that blocks", create_blocking, POOL | PARALLEL | TAKES_ALL | FULL_BLOCKS, NULL},
    {"pool that refuses", create_failing, POOL | PARALLEL | FULL_FAILS, NULL},
    {"pool that calls", create_calling, POOL | PARALLEL | TAKES_ALL | FULL_CALLS, NULL},
    {"loop", create_loop, POOL | TAKES_ALL | ONE_WORKER, NULL},
    {"loop that blocks", create_blocking_loop, POOL | TAKES_ALL | FULL_BLOCKS, NULL},
    {"loop that refuses", create_failing_loop, POOL | FULL_FAILS, NULL},
    {"loop that calls", create_calling_loop, POOL | TAKES_ALL | FULL_CALLS, NULL},
    {"processes of 1", create_1_process, PROCESS_POOL | TAKES_ALL | ONE_WORKER, NULL},
    {"processes of 2", create_2_processes, PROCESS_POOL | PARALLEL | TAKES_ALL | CAN_BREAK,
     create_broken_processes},
    {"processes that block", create_blocking_processes,
     PROCESS_POOL | PARALLEL | TAKES_ALL | FULL_BLOCKS, NULL},
    {"processes that refuse", create_failing_processes, PROCESS_POOL | PARALLEL | FULL_FAILS, NULL},
    {"processes that call", create_calling_processes,
     PROCESS_POOL | PARALLEL | TAKES_ALL | FULL_CALLS, NULL},
#ifndef TEST_TSAN /* it cannot tell a forked child from the threads there were before */
    {"forked processes of 2", create_2_forked, PROCESS_POOL | PARALLEL | TAKES_ALL | FORKED, NULL},
#endif
    {0},
};
