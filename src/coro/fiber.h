/* SPDX-License-Identifier: MIT */
/*
 * Fibers: places where execution can go on, each with a stack of its own, and the switch between them.
 * No idea of coroutines, loops or futures.
 *
 * Two implementations behind one interface, chosen when the library is configured: the three symbols of
 * Boost.Context, which are plain C (5 ns a switch, obeys the ABI), and ucontext, which runs anywhere
 * (220 ns). Sanitizers are told of every switch.
 */
#ifndef SIL__CORO_FIBER_H
#define SIL__CORO_FIBER_H

#include <stdbool.h>
#include <stddef.h>

struct sil__fiber {
    void *context; /* while it does not run: where it goes on */
    /* For the sanitizers. */
    const void *low;
    size_t size;
    void *fake_stack;
    void *tsan;
};

/*
 * Make a fiber that begins in entry, on the stack of size bytes that ends at low + size (16-byte
 * aligned). entry must not return: it ends with a switch for good.
 */
void sil__fiber_init(struct sil__fiber *fiber, void *low, size_t size, void (*entry)(void));

/* The calling thread's own stack, to switch away from and back to. */
void sil__fiber_init_own(struct sil__fiber *fiber);

/* What init made for the sanitizers; not from itself. */
void sil__fiber_fini(struct sil__fiber *fiber);

/* Leave from, which runs, and go on in to. Returns when somebody switches to from. */
static inline void sil__fiber_switch(struct sil__fiber *from, struct sil__fiber *to);

/* The same for ever: from is never gone on with. */
static inline void sil__fiber_leave(struct sil__fiber *from, struct sil__fiber *to);

#endif
