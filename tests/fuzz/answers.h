/* SPDX-License-Identifier: MIT */
/*
 * The pool's side of the rings, with a worker that writes whatever bytes say.
 */
#ifndef TESTS_FUZZ_ANSWERS_H
#define TESTS_FUZZ_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

/** Let a pool without processes live through what the bytes say, and end. The program aborts if a
 * task has not ended then. How many ended well. */
unsigned fuzz_answers(const uint8_t *bytes, size_t size);

#endif
