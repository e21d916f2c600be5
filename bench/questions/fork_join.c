/* SPDX-License-Identifier: MIT */
/*
 * What does a fork and a join cost? Naive Fibonacci: hardly any work, so nearly all of the time is
 * the scheduler's. There is a spawn at every second call.
 */
#include "harness/tree.h"

static int run(const struct request *request)
{
    const struct tree tree = {
        .walk = request->peer->fib,
        .warm_n = 20,
        .result = fib_result(request->n),
        .nodes = fib_calls(request->n),
    };
    return tree_measure(request, &tree);
}

const struct question question_fork_join = {
    .name = "fork_join",
    .help = "fib(N), one spawn and one call at each node: ns_per_call",
    .run = run,
};
