/* SPDX-License-Identifier: MIT */
/*
 * Starting a thread of the library's own.
 */
#ifndef SIL__BASE_SPAWN_H
#define SIL__BASE_SPAWN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Start a joinable thread with all signals blocked but those of its own faults. stack_size: bytes,
 * 0 for the system's default. False: no thread.
 */
bool sil__spawn(pthread_t *thread, size_t stack_size, void *(*main)(void *), void *argument);

#endif
