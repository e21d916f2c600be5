/* SPDX-License-Identifier: MIT */
/*
 * Fibers: places where execution can go on, each with a stack of its own, and the switch between them.
 * No idea of coroutines, loops or futures.
 *
 * Two implementations behind one interface, chosen when the library is configured: the symbols of
 * Boost.Context, which are plain C (fiber_boost.h: 5 ns a switch, obeys the ABI), and ucontext, which
 * runs anywhere (fiber_ucontext.h: 220 ns). Sanitizers are told of every switch (fiber_sanitize.h).
 * All of it is inline: a call less is a tenth of a switch.
 *
 * I1: the struct stays where it is while the fiber is in use, and until whoever got control after
 *     its last switch has it.
 * I2: a fiber stays on the thread it began on: compilers keep the addresses of thread-local variables
 *     across calls.
 *
 * An implementation provides sil__fiber_make and sil__fiber_jump.
 */
#ifndef SIL__CORO_FIBER_H
#define SIL__CORO_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct sil__fiber {
    void *context;           /* while it does not run: where it goes on */
    struct sil__fiber *peer; /* the implementation's, during a switch */
    void (*entry)(void);
    /* For the sanitizers. */
    const void *low;
    size_t size;
    void *fake_stack;
    void *tsan;
};

#include "coro/fiber_sanitize.h"

/* Where a fiber begins: self, switched to by from. */
static void sil__fiber_begin(struct sil__fiber *self, struct sil__fiber *from);

/* In the first function on a stack: backtraces end here. */
#if !defined(__GCC_HAVE_DWARF2_CFI_ASM)
#define SIL__FIBER_OUTERMOST
#elif defined(__x86_64__)
#define SIL__FIBER_OUTERMOST __asm__ volatile(".cfi_undefined rip")
#elif defined(__aarch64__)
#define SIL__FIBER_OUTERMOST __asm__ volatile(".cfi_undefined x30")
#else
#define SIL__FIBER_OUTERMOST
#endif

#ifdef SIL__CONTEXT_BOOST
#include "coro/fiber_boost.h"
#else
#include "coro/fiber_ucontext.h"
#endif

static inline void sil__fiber_begin(struct sil__fiber *self, struct sil__fiber *from)
{
    sil__fiber_arrives(self, from);
    self->entry();
    __builtin_unreachable();
}

/*
 * Make a fiber that begins in entry, on the stack of size bytes that ends at low + size (16-byte
 * aligned). entry must not return: it ends with a switch for good.
 */
static inline void sil__fiber_init(struct sil__fiber *fiber, void *low, size_t size,
                                   void (*entry)(void))
{
    fiber->entry = entry;
    fiber->low = low;
    fiber->size = size;
    fiber->fake_stack = NULL;
    fiber->tsan = sil__fiber_tsan_create();
    sil__fiber_make(fiber);
}

/* The calling thread's own stack, to switch away from and back to. */
static inline void sil__fiber_init_own(struct sil__fiber *fiber)
{
    memset(fiber, 0, sizeof *fiber);
    fiber->tsan = sil__fiber_tsan_own();
}

/* What init made for the sanitizers; not from itself, and not for a thread's own. */
static inline void sil__fiber_fini(struct sil__fiber *fiber)
{
    sil__fiber_tsan_destroy(fiber->tsan);
    fiber->tsan = NULL;
}

/* Leave from, which runs, and go on in to. Returns when somebody switches to from. */
static inline void sil__fiber_switch(struct sil__fiber *from, struct sil__fiber *to)
{
    sil__fiber_departs(&from->fake_stack, to);
    struct sil__fiber *last = sil__fiber_jump(from, to);
    sil__fiber_arrives(from, last);
}

/* The same for ever: from is never gone on with. */
_Noreturn static inline void sil__fiber_leave(struct sil__fiber *from, struct sil__fiber *to)
{
    sil__fiber_unpoison_frames();
    /* From here on AddressSanitizer has taken the variables of this frame away. */
    sil__fiber_departs(NULL, to);
    (void)sil__fiber_jump(from, to);
    __builtin_unreachable();
}

#endif
