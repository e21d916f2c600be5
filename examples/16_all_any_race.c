/* SPDX-License-Identifier: MIT */
/*
 * All, any, race: one future made of many.
 * Teaches sil_all (every value, in order), sil_any (the first success) and sil_race (the first
 * end, good or bad). What it was made of goes on, until you cancel it.
 */
#include <errno.h>
#include <stdio.h>

#include <sillon/sillon.h>

/* A mirror of some archive: its answer, 0 if it is down, or negative if it never answers. */
static int ask(void *arg, void *result)
{
    int answer = *(int *)arg;
    if (answer < 0)
        return sil_sleep(SIL_FOREVER); /* until cancelled */
    if (answer == 0)
        return sil_fail(ECONNREFUSED, "the mirror is down");
    *(int *)result = answer;
    return 0;
}

typedef sil_future *combine_fn(sil_future *const *futures, size_t count);

/* The outcome of asking three mirrors, combined; whoever has not answered then is not needed. */
static int ask_three(sil_executor *pool, combine_fn *combine, const int *answers, int *out)
{
    sil_future *mirrors[3];
    sil_submit_many(pool, NULL, ask, answers, sizeof(int), sizeof(int), 3, mirrors);
    int code = sil_take(combine(mirrors, 3), out, SIL_FOREVER);

    for (int i = 0; i < 3; i++) {
        sil_future_cancel(mirrors[i]); /* too late for those that have ended: no harm */
        sil_future_release(mirrors[i]);
    }
    return code;
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 3});
    int y[3] = {0};
    int all = ask_three(pool, sil_all, (int[]){7, 8, 9}, y);
    printf("all:  %d %d %d\n", y[0], y[1], y[2]);
    int any = ask_three(pool, sil_any, (int[]){0, -1, 5}, y);
    printf("any:  %d, though one is down and one never answers\n", y[0]);
    int race = ask_three(pool, sil_race, (int[]){-1, 0, -1}, y);
    printf("race: %s\n", sil_strerror(race));
    int none = ask_three(pool, sil_any, (int[]){0, 0, 0}, y);
    printf("any:  %s\n", sil_strerror(none));
    sil_executor_close(pool);
    return all == 0 && any == 0 && race == ECONNREFUSED && none == ECONNREFUSED ? 0 : 1;
}
