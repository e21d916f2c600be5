/* SPDX-License-Identifier: MIT */
/*
 * Fork-join with any number of children: all ways to put N queens on a board.
 * Teaches that children are joined in turn, the last one first, and that each node of a search
 * tree can be a child of its own: no cutoff needs to be chosen.
 */
#include <stdio.h>

#include <sillon/sillon.h>

enum { N = 10 };

typedef struct board {
    sil_child child;
    unsigned columns, left, right; /* attacked, one bit a column */
    long solutions;
} board;

static void solve(sil_lane lane, void *arg)
{
    board *b = arg;
    board next[N];
    int count = 0;
    unsigned all = (1u << N) - 1;
    b->solutions = b->columns == all; /* all queens stand */

    for (unsigned free = all & ~(b->columns | b->left | b->right); free; free &= free - 1) {
        unsigned place = free & -free;
        next[count].columns = b->columns | place;
        next[count].left = (b->left | place) << 1;
        next[count].right = (b->right | place) >> 1;
        sil_fork(&lane, &next[count].child, solve, &next[count]);
        count++;
    }
    while (count-- > 0) {
        sil_join(&lane, &next[count].child);
        b->solutions += next[count].solutions;
    }
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(NULL);
    board empty = {.columns = 0};
    int code = sil_fork_run(pool, solve, &empty);
    printf("%d queens: %ld solutions\n", N, empty.solutions);
    sil_executor_close(pool);
    return code == 0 && empty.solutions == 724 ? 0 : 1;
}
