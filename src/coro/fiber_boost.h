/* SPDX-License-Identifier: MIT */
/*
 * The switch by Boost.Context. Part of fiber.h.
 *
 * Its header is C++ and its functions are C; we declare them ourselves, and the build tries them once
 * (cmake/SillonContext.cmake). A jump leaves the callee-saved registers on the stack it leaves, and
 * hands the place to the other side, which stores it.
 */
#ifndef SIL__CORO_FIBER_BOOST_H
#define SIL__CORO_FIBER_BOOST_H

struct sil__transfer {
    void *context;
    void *data;
};

__attribute__((visibility("hidden"))) struct sil__transfer jump_fcontext(void *to, void *data);
__attribute__((visibility("hidden"))) void *make_fcontext(void *top, size_t size,
                                                          void (*begin)(struct sil__transfer));

/*
 * jump_fcontext leaves by a jump, not a return: called in the common way it would leave an entry in the
 * processor's stack of return addresses, and the returns of the coroutine that goes on would all be
 * predicted wrongly, which costs more than the switch itself (28 ns a yield instead of 10). So we jump
 * into it, too. Not in the red zone: the compiler does not know that something is pushed here. What a
 * call may change is changed, the x87 registers too; the control words are kept.
 */
#if defined(__x86_64__) && defined(__LP64__)
#if defined(__AVX512F__)
#define SIL__FIBER_MORE_CLOBBERS                                                                  \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",   \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", \
        "k7"
#else
#define SIL__FIBER_MORE_CLOBBERS
#endif

SIL__FIBER_INLINE struct sil__transfer sil__fiber_jump_to(void *to, void *data)
{
    struct sil__transfer transfer;
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "jmp %P[jump]\n"
                     "1:\n\t"
                     "leaq 128(%%rsp), %%rsp"
                     : "=a"(transfer.context), "=d"(transfer.data), "+D"(to), "+S"(data)
                     : [jump] "i"(jump_fcontext)
                     : "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
                       "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                       "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)",
                       "st(7)", "memory", "cc" SIL__FIBER_MORE_CLOBBERS);
    return transfer;
}
#else
SIL__FIBER_INLINE struct sil__transfer sil__fiber_jump_to(void *to, void *data)
{
    return jump_fcontext(to, data);
}
#endif

static inline void sil__fiber_enter(struct sil__transfer transfer)
{
    SIL__FIBER_OUTERMOST;
    struct sil__fiber *from = transfer.data;
    from->context = transfer.context;
    sil__fiber_begin(from->peer, from);
}

static inline void sil__fiber_make(struct sil__fiber *fiber)
{
    fiber->context = make_fcontext((char *)fiber->low + fiber->size, fiber->size, sil__fiber_enter);
}

/* Returns who switched back to from. */
SIL__FIBER_INLINE struct sil__fiber *sil__fiber_jump(struct sil__fiber *from, struct sil__fiber *to)
{
    from->peer = to; /* for one that begins, and has nobody else to ask who it is */
    struct sil__transfer transfer = sil__fiber_jump_to(to->context, from);
    struct sil__fiber *last = transfer.data;
    last->context = transfer.context;
    return last;
}

#endif
