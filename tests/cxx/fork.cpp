// SPDX-License-Identifier: MIT
// Fork-join from C++: fib by function pointer and in the inline form.
#include <cstdio>

#include <sillon/sillon.h>

namespace
{
struct call {
    sil_child child;
    int n;
    long result;
};

call call_of(int n)
{
    call c{};
    c.n = n;
    return c;
}

void by_pointer(sil_lane lane, void *arg)
{
    call *c = static_cast<call *>(arg);
    if (c->n < 2) {
        c->result = c->n;
        return;
    }
    call a = call_of(c->n - 1);
    call b = call_of(c->n - 2);
    sil_fork(&lane, &a.child, by_pointer, &a);
    by_pointer(lane, &b);
    sil_join(&lane, &a.child);
    c->result = a.result + b.result;
}

void inline_child(sil_lane lane, void *arg);

long inline_form(sil_lane lane, int n)
{
    if (n < 2)
        return n;
    if (!sil_fork_wanted(&lane))
        return inline_form(lane, n - 1) + inline_form(lane, n - 2);
    call task = call_of(n - 1);
    sil_fork(&lane, &task.child, inline_child, &task);
    long b = inline_form(lane, n - 2);
    long a = sil_join_here(&lane, &task.child) ? inline_form(lane, n - 1) : task.result;
    return a + b;
}

void inline_child(sil_lane lane, void *arg)
{
    call *c = static_cast<call *>(arg);
    c->result = inline_form(lane, c->n);
}

bool gives_6765(sil_executor *pool, sil_fork_fn fn)
{
    call c = call_of(20);
    return sil_fork_run(pool, fn, &c) == 0 && c.result == 6765;
}
} // namespace

int main()
{
    sil_thread_pool_options options = {};
    options.workers = 2;
    sil_executor *pool = sil_thread_pool(&options);
    bool good = gives_6765(pool, by_pointer) && gives_6765(pool, inline_child);
    if (!good)
        std::fprintf(stderr, "fib(20) is 6765\n");
    return sil_executor_close(pool) == 0 && good ? 0 : 1;
}
