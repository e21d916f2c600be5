/* SPDX-License-Identifier: MIT */
/*
 * What sanitizers are told about fibers; nothing in other builds. Part of fiber.h.
 *
 * AddressSanitizer must know which stack it is on, and keeps a "fake stack" a fiber for what it
 * remembers of functions that returned. It also tells the bounds of the stack one comes from: that is
 * how those of a thread's own become known. ThreadSanitizer has a call stack and a clock for each
 * fiber. Valgrind is told where the stacks are (stack.c), and finds out the rest.
 */
#ifndef SIL__CORO_FIBER_SANITIZE_H
#define SIL__CORO_FIBER_SANITIZE_H

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SIL__FIBER_ASAN 1
#elif __has_feature(thread_sanitizer)
#define SIL__FIBER_TSAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SIL__FIBER_ASAN 1
#endif
#ifdef __SANITIZE_THREAD__
#define SIL__FIBER_TSAN 1
#endif

#ifdef SIL__FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SIL__FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* Memory that was a stack holds what functions marked that never returned: no longer. */
static inline void sil__fiber_unpoison(const void *low, size_t size)
{
#ifdef SIL__FIBER_ASAN
    __asan_unpoison_memory_region(low, size);
#endif
    (void)low;
    (void)size;
}

/* The same for the frames that the running fiber leaves for good. */
static inline void sil__fiber_unpoison_frames(void)
{
#ifdef SIL__FIBER_ASAN
    __asan_handle_no_return();
#endif
}

/*
 * What is done between the moment ThreadSanitizer is told and the switch itself: a call there would be
 * entered in one fiber's call stack and left in the other's.
 */
#define SIL__FIBER_INLINE static inline __attribute__((always_inline))

/* The last thing before a switch. fake_stack: where to keep it; NULL to free it, it is the end. */
SIL__FIBER_INLINE void sil__fiber_departs(void **fake_stack, struct sil__fiber *to)
{
#if defined(SIL__FIBER_ASAN)
    __sanitizer_start_switch_fiber(fake_stack, to->low, to->size);
#elif defined(SIL__FIBER_TSAN)
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
    (void)fake_stack;
    (void)to;
}

/* The first thing after it, in self, which it came to. */
static inline void sil__fiber_arrives(struct sil__fiber *self, struct sil__fiber *from)
{
#ifdef SIL__FIBER_ASAN
    __sanitizer_finish_switch_fiber(self->fake_stack, &from->low, &from->size);
#endif
    (void)self;
    (void)from;
}

static inline void *sil__fiber_tsan_create(void)
{
#ifdef SIL__FIBER_TSAN
    return __tsan_create_fiber(0);
#else
    return NULL;
#endif
}

static inline void *sil__fiber_tsan_own(void)
{
#ifdef SIL__FIBER_TSAN
    return __tsan_get_current_fiber();
#else
    return NULL;
#endif
}

static inline void sil__fiber_tsan_destroy(void *tsan)
{
#ifdef SIL__FIBER_TSAN
    if (tsan)
        __tsan_destroy_fiber(tsan);
#endif
    (void)tsan;
}

#endif
