/* SPDX-License-Identifier: MIT */
/*
 * The pool that our adapters share.
 */
#ifndef BENCH_SILLON_POOL_H
#define BENCH_SILLON_POOL_H

#include <stdint.h>

#include <sillon/sillon.h>

extern sil_executor *pool;

void pool_start(int workers);
void pool_stop(void);
uint64_t pool_stolen(void);

/** End the program when a call of the library fails. */
void pool_must(int code);

#endif
