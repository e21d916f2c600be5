/* SPDX-License-Identifier: MIT */
/*
 * What a user's first program does: squares 12 on a thread pool and prints 144.
 */
#include <stdio.h>

#include <sillon/sillon.h>

static int square(void *arg, void *result)
{
    int n = *(int *)arg;
    *(int *)result = n * n;
    return 0;
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(NULL);
    sil_future *future = sil_submit(pool, square, &(int){12}, sizeof(int), sizeof(int));
    int squared = 0;
    int code = sil_take(future, &squared, SIL_FOREVER);
    if (code == 0)
        printf("%d\n", squared);
    else
        printf("%s\n", sil_strerror(code));
    return sil_executor_close(pool) != 0 || code != 0;
}
