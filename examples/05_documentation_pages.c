/* SPDX-License-Identifier: MIT */
/*
 * Documentation pages by name, each printed as soon as it is there.
 * Teaches sil_as_completed (futures in the order in which they end) and names for tasks, by
 * which a future that comes back is told from the others.
 */
#include <stdio.h>

#include <sillon/sillon.h>

typedef struct page {
    const char *name;
    double wait; /* seconds until the answer */
    int words;
} page;

static const page pages[] = {
    {"future", 0.06, 1540}, {"executor", 0.02, 1310},   {"promise", 0.04, 520},
    {"map", 0.01, 770},     {"thread_pool", 0.05, 640}, {"combine", 0.03, 690},
};
enum { COUNT = sizeof pages / sizeof *pages };

static int fetch(void *arg, void *result)
{
    const page *wanted = arg;
    *(int *)result = wanted->words;
    return sil_sleep(sil_in(wanted->wait));
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = COUNT});
    sil_future *futures[COUNT];
    for (int i = 0; i < COUNT; i++)
        futures[i] = sil_submit_with(pool, &(sil_submit_options){.name = pages[i].name}, fetch,
                                     &pages[i], sizeof(page), sizeof(int));

    sil_as_completed *ended = sil_as_completed_create(futures, COUNT);
    sil_future *f;
    int words = 0, count = 0;
    for (; sil_as_completed_next(ended, &f, SIL_FOREVER) == 0; count++) {
        const int *result = sil_future_result(f, NULL); /* NULL: it failed */
        printf("%-12s %d words, %zu more to come\n", sil_future_name(f), result ? *result : 0,
               sil_as_completed_left(ended));
        words += result ? *result : 0;
    }
    sil_as_completed_destroy(ended);

    for (int i = 0; i < COUNT; i++)
        sil_future_release(futures[i]);
    sil_executor_close(pool);
    printf("%d pages, %d words\n", count, words);
    return count == COUNT && words == 5470 ? 0 : 1;
}
