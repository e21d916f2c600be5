/* SPDX-License-Identifier: MIT */
/*
 * The switch by ucontext, which also sets the signal mask, by system calls. Part of fiber.h.
 *
 * A fiber's ucontext_t lies on top of its stack; that of a thread's own lies in the frame that
 * switches away.
 */
#ifndef SIL__CORO_FIBER_UCONTEXT_H
#define SIL__CORO_FIBER_UCONTEXT_H

#include <stdint.h>
#include <ucontext.h>

/* A pointer in two parts: all that makecontext is sure to pass on is int. */
static inline void sil__fiber_enter(unsigned high, unsigned low)
{
    SIL__FIBER_OUTERMOST;
    struct sil__fiber *self = (struct sil__fiber *)((uintptr_t)high << 16 << 16 | low);
    sil__fiber_begin(self, self->peer);
}

static inline void sil__fiber_make(struct sil__fiber *fiber)
{
    size_t used = (sizeof(ucontext_t) + 63) & ~(size_t)63;
    ucontext_t *context = (ucontext_t *)((char *)fiber->low + fiber->size - used);
    (void)getcontext(context); /* it fails for bad addresses only */
    context->uc_stack.ss_sp = (void *)fiber->low;
    context->uc_stack.ss_size = fiber->size - used;
    context->uc_link = NULL;
    uintptr_t self = (uintptr_t)fiber;
    makecontext(context, (void (*)(void))sil__fiber_enter, 2, (unsigned)(self >> 16 >> 16),
                (unsigned)self);
    fiber->context = context;
}

/* Returns who switched back to from. */
SIL__FIBER_INLINE struct sil__fiber *sil__fiber_jump(struct sil__fiber *from, struct sil__fiber *to)
{
    ucontext_t own;
    bool is_own = !from->context;
    if (is_own) {
        own.uc_stack = (stack_t){0}; /* AddressSanitizer looks at it */
        from->context = &own;
    }
    to->peer = from;
    (void)swapcontext(from->context, to->context);
    if (is_own)
        from->context = NULL;
    return from->peer;
}

#endif
