/* SPDX-License-Identifier: MIT */
/*
 * Map: one function over a whole array, on all processors.
 * Teaches sil_map: it cuts the array into chunks, waits, and stops at the first error.
 */
#include <stdio.h>

#include <sillon/sillon.h>

/* How many steps does n take to 1, if even numbers are halved and odd ones become 3n + 1? */
static int collatz_steps(void *arg, void *result)
{
    unsigned long n = *(unsigned long *)arg;
    if (n == 0)
        return sil_fail(SIL_EINVAL, "0 never gets to 1");
    int steps = 0;
    for (; n != 1; steps++)
        n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    *(int *)result = steps;
    return 0;
}

int main(void)
{
    unsigned long starts[] = {1, 6, 7, 27, 97, 871, 6171, 77031};
    enum { COUNT = sizeof starts / sizeof *starts };
    int steps[COUNT];

    sil_executor *pool = sil_thread_pool(NULL);
    int code = sil_map(pool, collatz_steps, starts, sizeof *starts, steps, sizeof *steps, COUNT);
    if (code == 0)
        for (int i = 0; i < COUNT; i++)
            printf("%5lu takes %3d steps\n", starts[i], steps[i]);

    starts[3] = 0; /* and now with a bad one among them */
    if (sil_map(pool, collatz_steps, starts, sizeof *starts, steps, sizeof *steps, COUNT) != 0)
        printf("error: %s\n", sil_error_message(sil_last_error()));
    sil_executor_close(pool);
    return code == 0 ? 0 : 1;
}
