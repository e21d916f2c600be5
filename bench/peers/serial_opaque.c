/* SPDX-License-Identifier: MIT */
/*
 * Plain C whose recursion the compiler may not inline: each call goes through a pointer that it
 * cannot see through. What a function call costs, and so what a call through a task's function
 * pointer costs at least.
 */
#include "harness/adapter.h"

/* Hides from the compiler what a pointer points to. */
#define OPAQUE(pointer) __asm__("" : "+r"(pointer))

static long fib(int n)
{
    if (n < 2)
        return n;
    long (*function)(int) = fib;
    OPAQUE(function);
    long a = function(n - 1);
    return a + function(n - 2);
}

static long queens(unsigned all, unsigned columns, unsigned left, unsigned right)
{
    if (columns == all)
        return 1;
    long (*function)(unsigned, unsigned, unsigned, unsigned) = queens;
    OPAQUE(function);
    long found = 0;
    for (unsigned free = all & ~(columns | left | right); free != 0; free &= free - 1) {
        unsigned bit = free & -free;
        found += function(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}

static long n_queens(int n)
{
    return queens((1u << n) - 1, 0, 0, 0);
}

static void start(int workers)
{
    (void)workers;
}

const struct adapter bench_adapter = {
    .name = "serial-opaque",
    .start = start,
    .fib = fib,
    .n_queens = n_queens,
};
