/* SPDX-License-Identifier: MIT */
/*
 * What stops a stack at its low end. The best that can be had, for each stack:
 *
 *   marker  MADV_GUARD_INSTALL (Linux 6.13): the pages must not be touched, and it costs no map
 *   map     mprotect: the same, for two maps a stack, of which a process may have 65530; so only as
 *           long as all such stacks together take a quarter of what was left when we began
 *   canary  bytes that are looked at later
 */
#ifndef SIL__CORO_STACK_GUARD_H
#define SIL__CORO_STACK_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "coro/stack.h"

/* Guard size bytes that begin at low. */
enum sil__guard sil__guard_install(char *low, size_t size);

/* The stack is about to be unmapped. */
void sil__guard_release(enum sil__guard guard);

/* Test only: nothing better than this from now on. */
void sil__guard_limit(enum sil__guard best);

#endif
