/* SPDX-License-Identifier: MIT */
/*
 * The same where nodes have several children and the tree is ragged: all solutions of n queens,
 * by bit masks. Each child but the last is spawned; the last, and an only one, is called.
 */
#include "harness/tree.h"

static int run(const struct request *request)
{
    const struct tree tree = {
        .walk = request->peer->n_queens,
        .warm_n = 8,
        .result = queens_result(request->n),
        .nodes = queens_nodes(request->n),
    };
    return tree_measure(request, &tree);
}

const struct question question_n_queens = {
    .name = "n_queens",
    .help = "solutions of N queens, one task a child, N from 8 to 14: ns_per_call",
    .run = run,
};
