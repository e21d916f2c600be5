/* SPDX-License-Identifier: MIT */
/*
 * Fork-join in its plain form: sil_fork with a function and its argument, and sil_join, which
 * calls that function if nobody took the child.
 */
#include "forks.h"

#include "pool.h"

struct fib {
    sil_child child;
    long n;
    long result;
};

static void fib(sil_lane lane, void *arg)
{
    struct fib *f = arg;
    if (f->n < 2) {
        f->result = f->n;
        return;
    }
    struct fib a;
    struct fib b;
    a.n = f->n - 1;
    b.n = f->n - 2;
    sil_fork(&lane, &a.child, fib, &a);
    fib(lane, &b);
    sil_join(&lane, &a.child);
    f->result = a.result + b.result;
}

long forks_fib(int n)
{
    struct fib root = {.n = n};
    pool_must(sil_fork_run(pool, fib, &root));
    return root.result;
}

/* A row of the board: which columns and diagonals are taken. */
struct queens {
    sil_child child;
    unsigned all;
    unsigned columns;
    unsigned left;
    unsigned right;
    long found;
};

enum { MAX_QUEENS = 16 };

/* The row below, after a queen was put on the lowest free place. */
static void place(struct queens *child, const struct queens *q, unsigned free)
{
    unsigned bit = free & -free;
    child->all = q->all;
    child->columns = q->columns | bit;
    child->left = (q->left | bit) << 1;
    child->right = (q->right | bit) >> 1;
}

static void queens(sil_lane lane, void *arg)
{
    struct queens *q = arg;
    unsigned free = q->all & ~(q->columns | q->left | q->right);
    struct queens children[MAX_QUEENS];
    int forked = 0;
    q->found = q->columns == q->all;
    if (free == 0)
        return;
    for (; free & (free - 1); free &= free - 1) {
        struct queens *child = &children[forked++];
        place(child, q, free);
        sil_fork(&lane, &child->child, queens, child);
    }
    struct queens last;
    place(&last, q, free);
    queens(lane, &last);
    q->found = last.found;
    while (forked > 0) {
        struct queens *child = &children[--forked];
        sil_join(&lane, &child->child);
        q->found += child->found;
    }
}

long forks_queens(int n)
{
    struct queens root = {.all = (1u << n) - 1};
    pool_must(sil_fork_run(pool, queens, &root));
    return root.found;
}
