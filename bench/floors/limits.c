/* SPDX-License-Identifier: MIT */
/*
 * The machine's facts, run once for bench/RESULTS.md: what no scheduler on it can be below.
 */
#include "limits.h"

#include <stdio.h>
#include <stdlib.h>

void limits_print(const char *what, int threads, const char *unit, double value)
{
    printf("limits,%s,%d,%s,%.4g\n", what, threads, unit, value);
    fflush(stdout);
}

pthread_t limits_thread(void *(*body)(void *arg), void *arg)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, arg) != 0)
        abort();
    return thread;
}

int main(void)
{
    limits_one_thread();
    limits_two_threads();
    return 0;
}
