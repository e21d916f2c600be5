/* SPDX-License-Identifier: MIT */
#include "harness/tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness/clock.h"

enum { QUEENS_FIRST = 4, QUEENS_LAST = 14 };

static const struct {
    long result;
    long nodes;
} queens[] = {
    {2, 17},         {10, 54},         {4, 153},           {40, 552},
    {92, 2057},      {352, 8394},      {724, 35539},       {2680, 166926},
    {14200, 856189}, {73712, 4674890}, {365596, 27358553},
};

int tree_measure(const struct request *request, const struct tree *tree)
{
    const struct adapter *peer = request->peer;
    if (tree->walk == NULL)
        return report_unsupported(request);
    peer->start(request->workers);
    (void)tree->walk(tree->warm_n);
    for (int i = 0; i < request->repetitions; i++) {
        uint64_t begin = clock_now_ns();
        long result = tree->walk((int)request->n);
        uint64_t ns = clock_now_ns() - begin;
        if (result != tree->result)
            return report_wrong(request, (double)result, (double)tree->result);
        report(request, "ns_per_call", (double)ns / (double)tree->nodes);
    }
    return 0;
}

long fib_result(long n)
{
    long a = 0;
    long b = 1;
    for (long i = 0; i < n; i++) {
        long next = a + b;
        a = b;
        b = next;
    }
    return a;
}

long fib_calls(long n)
{
    return 2 * fib_result(n + 1) - 1;
}

static size_t queens_index(long n)
{
    if (n < QUEENS_FIRST || n > QUEENS_LAST) {
        fprintf(stderr, "n_queens: N is %d to %d\n", QUEENS_FIRST, QUEENS_LAST);
        exit(2);
    }
    return (size_t)(n - QUEENS_FIRST);
}

long queens_result(long n)
{
    return queens[queens_index(n)].result;
}

long queens_nodes(long n)
{
    return queens[queens_index(n)].nodes;
}
