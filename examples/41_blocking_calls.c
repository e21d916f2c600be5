/* SPDX-License-Identifier: MIT */
/*
 * Calls that block, made from coroutines: on a pool of threads, as any task. Awaiting its future
 * suspends the coroutine only: that is the whole of asyncio's run_in_executor. Teaches that a coroutine
 * awaits futures of every engine; and sil_group, which leaves nothing behind.
 */
#include <stdio.h>
#include <unistd.h>

#include <sillon/sillon.h>

/* From an old library, which knows nothing of loops. */
static int checksum(void *arg, void *result)
{
    unsigned sum = 0;
    usleep(50000);
    for (unsigned i = 0; i < 1000; i++)
        sum = sum * 31 + *(unsigned *)arg + i;
    *(unsigned *)result = sum;
    return 0;
}

static int tick(void *arg, void *result)
{
    (void)arg;
    for (*(int *)result = 0; sil_sleep(sil_in(0.01)) == 0; ++*(int *)result)
        continue;
    return 0; /* it was told to stop: that is fine */
}

static int run(void *arg, void *result)
{
    (void)result;
    sil_executor *threads = *(sil_executor **)arg;
    sil_future *ticks = sil_go(tick, NULL, 0, sizeof(int));

    sil_group *group = sil_group_open("checksums");
    sil_future *sums[4];
    for (unsigned i = 0; i < 4; i++)
        sums[i] = sil_group_submit(group, threads, NULL, checksum, &i, sizeof i, sizeof(unsigned));
    int code = sil_group_wait(group, sil_in(60));
    for (int i = 0; i < 4 && code == 0; i++)
        printf("%d: %08x\n", i, *(const unsigned *)sil_future_result(sums[i], NULL));
    sil_group_close(group);

    int count = 0;
    sil_future_cancel(ticks);
    if (sil_take(ticks, &count, SIL_FOREVER) == 0)
        printf("meanwhile the loop %s\n", count > 0 ? "ticked" : "stood still");
    return code;
}

int main(void)
{
    sil_executor *threads = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    int code = sil_run(run, (void *)&threads, sizeof threads, NULL, 0);
    sil_executor_close(threads);
    return code != 0;
}
