/* SPDX-License-Identifier: MIT */
/*
 * oneTBB. Two arenas: one in which the calling thread takes part (fork-join and loops), and one
 * that it submits to from outside.
 */
#include <functional>
#include <memory>
#include <tbb/tbb.h>

#include "harness/adapter.h"
#include "harness/sum.h"

namespace
{

std::unique_ptr<tbb::global_control> control;
std::unique_ptr<tbb::task_arena> inner; /* the caller is one of its workers */
std::unique_ptr<tbb::task_arena> outer; /* the caller stays outside */

void start(int workers)
{
    auto limit = tbb::global_control::max_allowed_parallelism;
    control = std::make_unique<tbb::global_control>(limit, static_cast<size_t>(workers) + 1);
    inner = std::make_unique<tbb::task_arena>(workers, 1u);
    outer = std::make_unique<tbb::task_arena>(workers, 0u);
}

void post(task_fn fn, void *arg)
{
    outer->enqueue([=] { fn(arg); });
}

long fib(int n)
{
    if (n < 2)
        return n;
    long a;
    tbb::task_group group;
    group.run([&a, n] { a = fib(n - 1); });
    long b = fib(n - 2);
    group.wait();
    return a + b;
}

long fib_run(int n)
{
    return inner->execute([=] { return fib(n); });
}

long queens(unsigned all, unsigned columns, unsigned left, unsigned right)
{
    unsigned free = all & ~(columns | left | right);
    if (free == 0)
        return columns == all;
    if ((free & (free - 1)) == 0) /* an only child needs no group */
        return queens(all, columns | free, (left | free) << 1, (right | free) >> 1);
    constexpr int max_queens = 16;
    long found[max_queens];
    int forked = 0;
    tbb::task_group group;
    for (; free & (free - 1); free &= free - 1) {
        unsigned bit = free & -free;
        long *out = &found[forked++];
        group.run(
            [=] { *out = queens(all, columns | bit, (left | bit) << 1, (right | bit) >> 1); });
    }
    long total = queens(all, columns | free, (left | free) << 1, (right | free) >> 1);
    group.wait();
    for (int i = 0; i < forked; i++)
        total += found[i];
    return total;
}

long queens_run(int n)
{
    return inner->execute([=] { return queens((1u << n) - 1, 0, 0, 0); });
}

double sum(const double *values, size_t count)
{
    using range = tbb::blocked_range<size_t>;
    auto piece = [=](const range &r, double sum_so_far) {
        return sum_so_far + sum_range(values, r.begin(), r.end());
    };
    return inner->execute([&] {
        return tbb::parallel_reduce(range(0, count, SUM_GRAIN), 0.0, piece, std::plus<double>());
    });
}

adapter make_adapter()
{
    adapter a{};
    a.name = "onetbb";
    a.start = start;
    a.post = post;
    a.fib = fib_run;
    a.n_queens = queens_run;
    a.sum = sum;
    return a;
}

} // namespace

extern "C" const adapter bench_adapter = make_adapter();
