/* SPDX-License-Identifier: MIT */
/*
 * Progress: how far is a task that runs for long?
 * Teaches sil_progress in the task, sil_future_progress and sil_future_describe outside, and a
 * loop that awaits a little at a time.
 */
#include <stdatomic.h>
#include <stdio.h>

#include <sillon/sillon.h>

enum { FRAMES = 4 };

static atomic_uint_fast64_t shown; /* the task goes no faster than it is watched */

static int encode(void *arg, void *result)
{
    (void)arg;
    for (uint64_t frame = 1; frame <= FRAMES; frame++) {
        *(uint64_t *)result += frame;
        sil_progress(frame, FRAMES);
        while (atomic_load(&shown) < frame && !sil_cancelled())
            sil_sleep(sil_in(0.001));
    }
    return 0;
}

static void describe(const sil_future *f)
{
    char line[80];
    sil_future_describe(f, line, sizeof line);
    puts(line);
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(NULL);
    sil_future *f = sil_submit_with(pool, &(sil_submit_options){.name = "encode"}, encode, NULL, 0,
                                    sizeof(uint64_t));
    while (!sil_future_done(f)) {
        (void)sil_await(f, sil_in(0.002)); /* its end, or the moment: we look again in any case */
        uint64_t done, total;
        sil_future_progress(f, &done, &total);
        if (done > atomic_load(&shown)) {
            printf("%3d %% ", (int)(100 * done / total));
            describe(f);
            atomic_store(&shown, done);
        }
    }
    describe(f);
    bool ok = sil_future_code(f) == 0 && atomic_load(&shown) == FRAMES;
    sil_future_release(f);
    sil_executor_close(pool);
    return ok ? 0 : 1;
}
