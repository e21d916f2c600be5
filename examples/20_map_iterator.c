/* SPDX-License-Identifier: MIT */
/*
 * A lazy map: inputs without end, results in order, and only a few of them in memory.
 * Teaches sil_map_iterator: it pulls inputs as room comes free, and one may stop at any time.
 */
#include <stdio.h>

#include <sillon/sillon.h>

enum { WANTED = 10, BUFFER = 4 };

static int next_number(void *user, void *arg)
{
    int *pulled = user;
    *(int *)arg = ++*pulled;
    return 0; /* SIL_EEND would say that there are no more */
}

/* The number of divisors of arg. */
static int divisors(void *arg, void *result)
{
    int n = *(int *)arg;
    for (int d = 1; d <= n; d++)
        *(int *)result += n % d == 0; /* a result starts as zeros */
    return 0;
}

int main(void)
{
    int pulled = 0;
    const sil_map_options options = {
        .fn = divisors,
        .arg_size = sizeof(int),
        .result_size = sizeof(int),
        .input = next_number,
        .user = &pulled,
        .buffer = BUFFER,
    };
    sil_executor *pool = sil_thread_pool(NULL);
    sil_map_iterator *it = sil_map_iterator_create(pool, &options);

    int seen = 0, count;
    while (seen < WANTED && sil_map_next(it, &count, SIL_FOREVER) == 0)
        printf("%d has %d divisor%s\n", ++seen, count, count == 1 ? "" : "s");
    sil_map_iterator_destroy(it); /* cancels what has not started */
    sil_executor_close(pool);

    bool bounded = pulled <= WANTED + BUFFER;
    printf("no more than %d numbers were pulled: %s\n", WANTED + BUFFER, bounded ? "yes" : "no");
    return seen == WANTED && bounded ? 0 : 1;
}
