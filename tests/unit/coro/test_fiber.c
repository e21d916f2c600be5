/* SPDX-License-Identifier: MIT */
/*
 * Fibers, by the switch that the library was configured with.
 */
#include "unit/coro/fiber_cases.h"
