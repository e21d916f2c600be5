/* SPDX-License-Identifier: MIT */
/*
 * Hello: hand a function to a pool of threads and take its result.
 * Teaches sil_thread_pool, sil_submit, sil_take and sil_fail.
 */
#include <errno.h>
#include <stdio.h>

#include <sillon/sillon.h>

/* A task: reads its own copy of the argument, fills the result, returns 0 or an error code. */
static int square(void *arg, void *result)
{
    int n = *(int *)arg;
    if (n > 46340)
        return sil_fail(ERANGE, "%d squared does not fit an int", n);
    *(int *)result = n * n;
    return 0;
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(NULL);
    sil_future *f = sil_submit(pool, square, &(int){12}, sizeof(int), sizeof(int));
    int y;
    if (sil_take(f, &y, SIL_FOREVER) == 0) /* await, copy the value out, release */
        printf("%d\n", y);
    sil_executor_close(pool); /* waits for what was submitted */
}
