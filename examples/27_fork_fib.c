/* SPDX-License-Identifier: MIT */
/*
 * Fork-join: a recursive function whose two calls may run at the same time.
 * Teaches sil_fork_run, sil_fork and sil_join: a fork costs a few stores and no allocation, so
 * even calls as small as these can be forked; and the inline form, in which the compiler sees a
 * plain call.
 */
#include <stdio.h>

#include <sillon/sillon.h>

typedef struct call {
    sil_child child;
    int n;
    long result;
} call;

static void by_pointer(sil_lane lane, void *arg)
{
    call *c = arg;
    if (c->n < 2) {
        c->result = c->n;
        return;
    }
    call a = {.n = c->n - 1}, b = {.n = c->n - 2};
    sil_fork(&lane, &a.child, by_pointer, &a); /* may be taken by another worker, */
    by_pointer(lane, &b);
    sil_join(&lane, &a.child); /* and is run here if it was not */
    c->result = a.result + b.result;
}

static void child(sil_lane lane, void *arg);

static long plain(sil_lane lane, int n)
{
    if (n < 2)
        return n;
    if (!sil_fork_wanted(&lane)) /* enough children wait: two plain calls */
        return plain(lane, n - 1) + plain(lane, n - 2);
    call task = {.n = n - 1};
    sil_fork(&lane, &task.child, child, &task);
    long b = plain(lane, n - 2);
    return b + (sil_join_here(&lane, &task.child) ? plain(lane, n - 1) : task.result);
}

static void child(sil_lane lane, void *arg) /* what runs when another worker takes it */
{
    call *c = arg;
    c->result = plain(lane, c->n);
}

int main(void)
{
    sil_executor *pool = sil_thread_pool(NULL);
    call c = {.n = 30}, d = {.n = 30};
    bool ran = sil_fork_run(pool, by_pointer, &c) == 0 && sil_fork_run(pool, child, &d) == 0;
    printf("fibonacci(30) = %ld = %ld\n", c.result, d.result);
    sil_executor_close(pool);
    return ran && c.result == d.result ? 0 : 1;
}
