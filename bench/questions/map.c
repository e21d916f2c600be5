/* SPDX-License-Identifier: MIT */
/*
 * One function over many small inputs, in another process each: what does an item cost when the
 * function does nothing but return its int?
 */
#include <stdlib.h>
#include <unistd.h>

#include "harness/clock.h"
#include "harness/question.h"

static int check(const struct request *request, const int *results)
{
    for (long i = 0; i < request->n; i++)
        if (results[i] != (int)i)
            return report_wrong(request, results[i], (double)i);
    return 0;
}

/* None of the calls ran here: the figures would be those of a plain loop. Not timed. */
static int check_elsewhere(const struct request *request, int *args, int *results)
{
    request->peer->map_pids(args, results, (size_t)request->n);
    for (long i = 0; i < request->n; i++)
        if (results[i] == getpid())
            return report_wrong(request, (double)i, -1);
    return 0;
}

static int run(const struct request *request)
{
    const struct adapter *peer = request->peer;
    size_t n = (size_t)request->n;
    int status = 0;
    if (peer->map == NULL)
        return report_unsupported(request);
    int *args = malloc(n * sizeof *args);
    int *results = calloc(n, sizeof *results);
    if (args == NULL || results == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        args[i] = (int)i;
    peer->start(request->workers);
    peer->map(args, results, n); /* once without measuring: memory is touched, workers are up */
    for (int i = 0; i < request->repetitions && status == 0; i++) {
        for (size_t k = 0; k < n; k++)
            results[k] = -1;
        uint64_t begin = clock_now_ns();
        peer->map(args, results, n);
        report(request, "mitems_per_s", (double)n * 1e3 / (double)(clock_now_ns() - begin));
        status = check(request, results);
    }
    if (status == 0)
        status = check_elsewhere(request, args, results);
    free(args);
    free(results);
    return status;
}

const struct question question_map = {
    .name = "map",
    .help = "N ints through a function in a worker that returns its int: mitems_per_s",
    .run = run,
};
