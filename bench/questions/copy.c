/* SPDX-License-Identifier: MIT */
/*
 * How fast do large arguments and results come over? One task with so many bytes of each; the task
 * copies the one to the other, or touches neither. What is counted is the argument and the result,
 * once each, whatever lies between. The first time is told apart from later ones.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/clock.h"
#include "harness/question.h"

static unsigned char *bytes_new(size_t size)
{
    unsigned char *bytes = malloc(size);
    if (bytes == NULL)
        abort();
    memset(bytes, 1, size);
    return bytes;
}

static void fill(unsigned char *arg, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        arg[i] = (unsigned char)(i * 7 + (i >> 12) + seed);
    memcpy(arg, &size, sizeof size);
}

/* A copy, or what a result begins with: zeros. */
static int check(const struct request *request, const unsigned char *arg,
                 const unsigned char *result, bool touch)
{
    for (size_t i = 0; i < (size_t)request->n; i++)
        if (result[i] != (touch ? arg[i] : 0))
            return report_wrong(request, result[i], touch ? arg[i] : 0);
    return 0;
}

static int put(const struct request *request, bool touch)
{
    const struct adapter *peer = request->peer;
    size_t size = (size_t)request->n;
    int status = 0;
    if (peer->copy == NULL)
        return report_unsupported(request);
    if (size < sizeof size)
        return report_wrong(request, (double)size, sizeof size);
    unsigned char *arg = bytes_new(size);
    unsigned char *result = bytes_new(size);
    peer->start(request->workers);
    for (int i = 0; i <= request->repetitions && status == 0; i++) {
        fill(arg, size, (unsigned)i);
        memset(result, 1, size); /* so that an old result is not taken for a new one */
        uint64_t begin = clock_now_ns();
        peer->copy(arg, result, size, touch);
        double gb_per_s = 2.0 * (double)size / (double)(clock_now_ns() - begin);
        /* The first touches memory that nobody has touched, and may have to start a worker. */
        report(request, i == 0 ? "first_gb_per_s" : "gb_per_s", gb_per_s);
        status = check(request, arg, result, touch);
    }
    free(arg);
    free(result);
    return status;
}

static int run(const struct request *request)
{
    return put(request, true);
}

static int run_untouched(const struct request *request)
{
    return put(request, false);
}

const struct question question_copy = {
    .name = "copy",
    .help = "a task copies its N bytes of argument to its result: gb_per_s of both, first_gb_per_s",
    .run = run,
};

const struct question question_copy_untouched = {
    .name = "copy_untouched",
    .help = "the same, but the task touches neither: gb_per_s of both",
    .run = run_untouched,
};
