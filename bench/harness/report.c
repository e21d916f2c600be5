/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/question.h"

void report(const struct request *request, const char *metric, double value)
{
    printf("%s,%s,%d,%s,%.5g\n", request->peer->name, request->question->name, request->workers,
           metric, value);
    fflush(stdout);
}

int report_unsupported(const struct request *request)
{
    report(request, "unsupported", 0);
    return 0;
}

int report_wrong(const struct request *request, double got, double wanted)
{
    fprintf(stderr, "%s %s: wrong result %g, not %g\n", request->peer->name,
            request->question->name, got, wanted);
    return 1;
}

void *handles_new(const struct adapter *peer, long count)
{
    size_t size = peer->handle_size * (size_t)count;
    size_t rounded = (size + 127) / 128 * 128;
    void *handles = aligned_alloc(128, rounded);
    if (handles == NULL) {
        fprintf(stderr, "no memory for %ld handles\n", count);
        exit(1);
    }
    memset(handles, 1, rounded); /* all zeros could stay one page of the kernel's */
    memset(handles, 0, rounded);
    return handles;
}
