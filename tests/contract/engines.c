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

static int refuse(void *arg)
{
    (void)arg;
    return 77;
}

static sil_executor *create_broken_pool(void)
{
    return sil_thread_pool(&(sil_thread_pool_options){.workers = 2, .initializer = refuse});
}

#define POOL (ASYNCHRONOUS | SHARES_MEMORY | AWAITS_OWN)

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
    {0},
};
