/* SPDX-License-Identifier: MIT */
/*
 * Fibers, by ucontext, whatever the library was configured with.
 */
#undef SIL__CONTEXT_BOOST
#include "unit/coro/fiber_cases.h"
