/* SPDX-License-Identifier: MIT */
/*
 * A tree of calls whose size and result are known: what the fork-join questions time.
 */
#ifndef BENCH_TREE_H
#define BENCH_TREE_H

#include "harness/question.h"

struct tree {
    long (*walk)(int n); /**< the peer's; NULL: not expressible */
    int warm_n;          /**< size of one walk that is not timed */
    long result;         /**< what walk(n) must give */
    long nodes;          /**< calls it takes */
};

/** Walk it as often as asked, and report the nanoseconds a node. @return 0, or 1: wrong */
int tree_measure(const struct request *request, const struct tree *tree);

/** Fibonacci number n, and the calls that the naive recursion takes. */
long fib_result(long n);
long fib_calls(long n);

/** Solutions of n queens, and the nodes of the search by bit masks. n: 4 to 14. */
long queens_result(long n);
long queens_nodes(long n);

#endif
