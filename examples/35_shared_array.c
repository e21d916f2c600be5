/* SPDX-License-Identifier: MIT */
/*
 * A large array that two processes fill, a half each, and this one adds up.
 * Teaches sil_shared_alloc: such memory lies at the same address in every worker, so a pointer to
 * it goes through an argument as it is, and nothing is copied.
 */
#include <stdio.h>

#include <sillon/sillon.h>

enum { COUNT = 4000000 };

typedef struct band {
    uint64_t *numbers;
    size_t from, to;
} band;

static int fill(void *arg, void *result)
{
    (void)result;
    const band *b = arg;
    for (size_t i = b->from; i < b->to; i++)
        b->numbers[i] = 2 * i + 1;
    return 0;
}

int main(void)
{
    uint64_t *numbers = sil_shared_alloc(COUNT * sizeof *numbers); /* 32 MB */
    if (numbers == NULL) {
        fprintf(stderr, "%s\n", sil_error_message(sil_last_error()));
        return 1;
    }
    sil_executor *pool = sil_process_pool(&(sil_process_pool_options){.workers = 2});
    band halves[] = {{numbers, 0, COUNT / 2}, {numbers, COUNT / 2, COUNT}};
    int code = sil_map(pool, fill, halves, sizeof *halves, NULL, 0, 2);
    sil_executor_close(pool);

    uint64_t sum = 0;
    for (size_t i = 0; code == 0 && i < COUNT; i++)
        sum += numbers[i];
    printf("the sum of the first %d odd numbers is %llu\n", COUNT, (unsigned long long)sum);
    sil_shared_free(numbers);
    return code;
}
