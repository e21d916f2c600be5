/* SPDX-License-Identifier: MIT */
/*
 * SIL_ASSERT: what must hold inside the library. Checked in the builds that carry fault points
 * (dev and tsan); a promise to the reader, not to the compiler, in the others.
 */
#ifndef SIL__BASE_ASSERT_H
#define SIL__BASE_ASSERT_H

#ifdef SIL_FAULTS
#include <assert.h>
#define SIL_ASSERT(condition) assert(condition)
#else
#define SIL_ASSERT(condition) ((void)0)
#endif

#endif
