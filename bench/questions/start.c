/* SPDX-License-Identifier: MIT */
/*
 * How long until a new pool is all there? From making it until each worker has answered a task; it
 * is closed outside the timing. The parent has threads and so much resident memory.
 *
 * For each worker to get one task the tasks must overlap, so they sleep; what the one slept that
 * answered last is taken off again.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/clock.h"
#include "harness/question.h"

enum { THREADS = 4, MOST_WORKERS = 64, SLEEP_NS = 50000000 };

static void *thread_sleep(void *arg)
{
    for (;;)
        pause();
    return arg;
}

/* The threads and the memory stay until the program ends. */
static void parent_grow(long mib)
{
    size_t size = (size_t)mib << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    (void)madvise(memory, size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < size; i += 4096)
        memory[i] = 1;
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, thread_sleep, NULL) != 0)
            abort();
    }
}

/* @return nanoseconds; 0 after a wrong result */
static uint64_t start_once(const struct request *request, void *handles)
{
    const struct adapter *peer = request->peer;
    const struct stint stint = {.kind = STINT_SLEEP, .amount = SLEEP_NS};
    struct stint_report reports[MOST_WORKERS];
    struct stint_report last = {0};
    bool wrong = false;
    uint64_t begin = clock_now_ns();
    peer->start(request->workers);
    for (int i = 0; i < request->workers; i++)
        peer->submit_stint(handle_at(peer, handles, i), &stint);
    for (int i = 0; i < request->workers; i++)
        wrong |= peer->get_stint(handle_at(peer, handles, i), &reports[i]) != 0;
    uint64_t end = clock_now_ns();
    for (int i = 0; i < request->workers; i++) {
        if (reports[i].end_ns > last.end_ns)
            last = reports[i];
        for (int k = 0; k < i; k++)
            wrong |= reports[i].pid == reports[k].pid;
    }
    return wrong ? 0 : end - begin - (last.end_ns - last.begin_ns);
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    if (peer->submit_stint == NULL || peer->stop == NULL || request->workers > MOST_WORKERS)
        return report_unsupported(request);
    parent_grow(request->n);
    void *handles = handles_new(peer, request->workers);
    int status = 0;
    for (int i = 0; i <= request->repetitions && status == 0; i++) {
        uint64_t ns = start_once(request, handles);
        peer->stop();
        if (ns > 0)
            report(request, i == 0 ? "first_ms" : "ms", (double)ns * 1e-6);
        else
            status = report_wrong(request, 1, request->workers);
    }
    free(handles);
    return status;
}

const struct question question_start = {
    .name = "start",
    .help = "a pool until each worker has answered; parent of N MiB: first_ms, ms (later ones)",
    .run = run,
};
