/* SPDX-License-Identifier: MIT */
/*
 * Stacks for coroutines: slabs of them, used again last-in first-out, guarded.
 *
 *     low: guard | ... usable ... <- grows down | struct sil__stack and what follows it | colour
 *
 * What lies on top, a struct sil__stack and the bytes that its user wanted behind it, stays what it is
 * while the stack goes from one user to the next: it is zero at first, and never anything else until
 * the whole slab is unmapped.
 *
 * The guard is 16 KiB that must not be touched, enough to stop functions with large variables too; how
 * that is done is told in stack_guard.h. The colour keeps the hot ends of many stacks out of each
 * other's cache sets: the top is lowered by 128 bytes more for each, 16 times over. What is on top,
 * the colour and the first 1 KiB of calls lie in one page, which is what a stack costs that parks
 * early. It comes on top of the usable bytes, which therefore are never less than asked for.
 *
 * Memory goes back by sil__stacks_trim, called now and then: free stacks that were not wanted since
 * the last call lose the pages below their hot end, and a slab of which all are such is unmapped.
 */
#ifndef SIL__CORO_STACK_H
#define SIL__CORO_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that follow struct sil__stack, at most: so that all of the hot end is in one page. */
#define SIL__STACK_EXTRA 768

/* Usable bytes: 16 KiB << 2 * class; four times as many under AddressSanitizer. */
enum { SIL__STACK_CLASSES = 9 };

struct sil__stack_slab;

/* What is below low; see stack_guard.h. */
enum sil__guard { SIL__GUARD_MARKER, SIL__GUARD_MAP, SIL__GUARD_CANARY };

struct sil__stack {
    _Alignas(64) struct sil__stack *next; /* while it is free */
    char *low;                            /* the lowest usable byte, above the guard */
    size_t size;                          /* usable bytes: up to this struct */
    struct sil__stack_slab *slab;
    uint8_t size_class;
    uint8_t guard; /* enum sil__guard */
    unsigned valgrind_id;
};

/* The stacks of one thread. Owner thread only. */
struct sil__stacks {
    struct sil__stack *free[SIL__STACK_CLASSES];
    struct sil__stack *cold[SIL__STACK_CLASSES]; /* not wanted since the last trim */
    struct sil__stack_slab *slabs[SIL__STACK_CLASSES];
    size_t live;
    size_t idle; /* that lie in their slabs, cold for long */

    /* Called for each stack that was ever taken, before it is unmapped; NULL: nothing to do. */
    void (*forget)(struct sil__stack *stack);
};

/* The class of stacks with so many usable bytes at least; SIL__STACK_CLASSES: none is so large. */
unsigned sil__stack_class(size_t bytes);

void sil__stacks_init(struct sil__stacks *stacks);

/* Unmap all; each has been given back. */
void sil__stacks_fini(struct sil__stacks *stacks);

/* NULL without memory. Passes SIL__FAULT_SYSTEM when a slab is mapped. */
struct sil__stack *sil__stacks_take_slow(struct sil__stacks *stacks, unsigned size_class);

static inline struct sil__stack *sil__stacks_take(struct sil__stacks *stacks, unsigned size_class)
{
    struct sil__stack *stack = stacks->free[size_class];
    if (!stack)
        return sil__stacks_take_slow(stacks, size_class);
    stacks->free[size_class] = stack->next;
    stacks->live++;
    return stack;
}

bool sil__stack_canary_dead(const struct sil__stack *stack);

/* Has it been overrun? For stacks that only have a canary. */
static inline bool sil__stack_overflowed(const struct sil__stack *stack)
{
    return __builtin_expect(stack->guard == SIL__GUARD_CANARY, 0) && sil__stack_canary_dead(stack);
}

/* The same end as by a touched guard, for an overflow that was noticed otherwise; does not return. */
_Noreturn void sil__stack_report(const struct sil__stack *stack);

/* takes. Not while the caller runs on it. */
static inline void sil__stacks_give(struct sil__stacks *stacks, struct sil__stack *stack)
{
    if (sil__stack_overflowed(stack))
        sil__stack_report(stack);
    stack->next = stacks->free[stack->size_class];
    stacks->free[stack->size_class] = stack;
    stacks->live--;
}

/*
 * Give memory back to the system: a bounded piece of work (about a millisecond), of what was not
 * wanted since the last call. To be called once a second or so, and not by a coroutine. True: there is
 * more to give back, if it is still not wanted the next time: so an idle loop should wake up for that.
 */
bool sil__stacks_trim(struct sil__stacks *stacks);

/*
 * How overflows are told: the name of who uses the stack, for the signal handler, which calls it on
 * the thread that overflowed; async-signal-safe. Never NULL.
 */
typedef const char *(*sil__stack_name_fn)(const struct sil__stack *stack);

/*
 * From now on a touched guard ends the program with a message that names whose stack it was. Installs a
 * handler for SIGSEGV and SIGBUS, once a process; all else goes on to the handler that was there. The
 * calling thread gets an alternate signal stack, if it has none.
 */
void sil__stack_watch(sil__stack_name_fn name_of);

/* The calling thread gives its alternate stack back, if it was ours. */
void sil__stack_unwatch_thread(void);

#endif
