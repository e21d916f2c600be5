/* SPDX-License-Identifier: MIT */
/*
 * Fork-join by function pointers (forks.c), for the adapter of sillon.c.
 */
#ifndef BENCH_SILLON_FORKS_H
#define BENCH_SILLON_FORKS_H

long forks_fib(int n);
long forks_queens(int n);

#endif
