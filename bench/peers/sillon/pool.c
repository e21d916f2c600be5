/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>

sil_executor *pool;

void pool_start(int workers)
{
    pool = sil_thread_pool(&(sil_thread_pool_options){.workers = (unsigned)workers});
    if (pool == NULL) {
        fprintf(stderr, "sillon: no pool\n");
        exit(1);
    }
}

void pool_stop(void)
{
    (void)sil_executor_close(pool);
}

uint64_t pool_stolen(void)
{
    sil_executor_stats stats;
    pool_must(sil_executor_stats_get(pool, &stats));
    return stats.stolen;
}

void pool_must(int code)
{
    if (code == 0)
        return;
    fprintf(stderr, "sillon: %s\n", sil_strerror(code));
    exit(1);
}
