/* SPDX-License-Identifier: MIT */
/*
 * C++ exceptions that are being handled go with the coroutine: the C++ runtime keeps a list of them for
 * each thread (__cxa_eh_globals, Itanium C++ ABI: Exception Handling, 2.2.2), and a coroutine that waits
 * inside a catch block must find its own when it goes on. Nothing to do in programs without that runtime.
 */
#ifndef SIL__CORO_CXX_H
#define SIL__CORO_CXX_H

#include <stddef.h>

struct sil__cxx {
    void *caught;
    unsigned uncaught;
};

struct sil__cxx *sil__cxx_globals(void) __asm__("__cxa_get_globals") __attribute__((weak));

/* What the calling thread has now. */
static inline struct sil__cxx sil__cxx_save(void)
{
    return __builtin_expect(sil__cxx_globals != NULL, 0) ? *sil__cxx_globals()
                                                         : (struct sil__cxx){0};
}

static inline void sil__cxx_restore(struct sil__cxx saved)
{
    if (__builtin_expect(sil__cxx_globals != NULL, 0))
        *sil__cxx_globals() = saved;
}

#endif
