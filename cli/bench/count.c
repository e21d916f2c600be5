/* SPDX-License-Identifier: MIT */
/*
 * The count loop, see count.h.
 */
#include "bench/count.h"

#include <sillon/error.h>
#include <sillon/status.h>

static int count_task(void *arg, void *result)
{
    const uint64_t steps = *(uint64_t *)arg;
    uint64_t i = 0;
    while (i < steps) {
        i++;
        /* No instruction, but the compiler must take it that i is used here, so that it cannot
         * replace the loop by its result. */
        __asm__ volatile("" : "+r"(i));
    }
    *(uint64_t *)result = i;
    return 0;
}

int count_twice(sil_executor *executor, uint64_t steps)
{
    sil_future *loops[COUNT_LOOPS];
    for (int i = 0; i < COUNT_LOOPS; i++)
        loops[i] = sil_submit(executor, count_task, &steps, sizeof(steps), sizeof(uint64_t));

    int failed = 0;
    for (int i = 0; i < COUNT_LOOPS; i++) {
        uint64_t counted = 0;
        int code = sil_take(loops[i], &counted, SIL_FOREVER);
        if (code == 0 && counted != steps)
            code = sil_fail(SIL_EBROKEN, "a loop counted wrongly");
        failed = failed != 0 ? failed : code;
    }
    return failed;
}
