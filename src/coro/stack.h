/* SPDX-License-Identifier: MIT */
/*
 * Stacks for coroutines: slabs of them, used again last-in first-out, guarded.
 *
 *     low: guard page | ... usable ... <- grows down | struct sil__stack and what follows it | colour
 *
 * What lies on top, a struct sil__stack and the bytes that its user wanted behind it, stays what it is
 * while the stack goes from one user to the next: it is zero at first, and never anything else until
 * the whole slab is unmapped.
 *
 * The guard is a page that must not be touched, by MADV_GUARD_INSTALL, which needs no map of its own;
 * else by mprotect, as long as the maps it takes are a small share of vm.max_map_count; else there is
 * a canary, looked at when the stack is given back and by sil__stack_check. The colour, and the stride
 * of 64 KiB and a page, keep the hot ends of many stacks out of each other's cache sets.
 */
#ifndef SIL__CORO_STACK_H
#define SIL__CORO_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that follow struct sil__stack, at most: so that all of the hot end is in one page. */
#define SIL__STACK_EXTRA 768

/* Usable bytes: 16 KiB << 2 * class. */
enum { SIL__STACK_CLASSES = 9 };

struct sil__stack {
    struct sil__stack *next; /* while it is free */
    char *low;               /* the lowest usable byte, above the guard */
    size_t size;             /* usable bytes: up to this struct */
    uint8_t size_class;
    uint8_t guard; /* how */
};

/* The stacks of one thread. Owner thread only. */
struct sil__stacks {
    struct sil__stack *free[SIL__STACK_CLASSES];
    struct sil__stack_slab *slabs;
    size_t live;
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

void sil__stacks_give_slow(struct sil__stacks *stacks, struct sil__stack *stack);

/* takes. Not while the caller runs on it. */
static inline void sil__stacks_give(struct sil__stacks *stacks, struct sil__stack *stack)
{
    stack->next = stacks->free[stack->size_class];
    stacks->free[stack->size_class] = stack;
    stacks->live--;
}

/* Stacks that only have a canary: has it been overwritten? */
bool sil__stack_overflowed(const struct sil__stack *stack);

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

/* The same end for an overflow that was noticed otherwise; does not return. */
_Noreturn void sil__stack_report(const struct sil__stack *stack);

/* The calling thread gives its alternate stack back, if it was ours. */
void sil__stack_unwatch_thread(void);

#endif
