/* SPDX-License-Identifier: MIT */
/*
 * The stacks of a thread, see stack.h.
 *
 * A free stack is in one of three places: free, whose top was used last; cold, what was in free at the
 * last trim and has not been wanted since; and idle in its slab, what was cold for a whole period. It
 * is looked for in this order. Only idle ones give memory back, and a slab of which all are idle is
 * unmapped. So the hot paths count nothing.
 */
#include "coro/stack.h"

#include <string.h>

#include "base/assert.h"
#include "core/deadlock.h"
#include "coro/stack_slab.h"

/* What a trim may do: to make a stack idle is 1, to unmap one PER_UNMAP. */
#define TRIM_WORK 2048
#define PER_UNMAP 2

unsigned sil__stack_class(size_t bytes)
{
    unsigned size_class = 0;
    while (size_class < SIL__STACK_CLASSES && ((size_t)16 << 10 << 2 * size_class) < bytes)
        size_class++;
    return size_class;
}

void sil__stacks_init(struct sil__stacks *stacks)
{
    memset(stacks, 0, sizeof *stacks);
}

void sil__stacks_fini(struct sil__stacks *stacks)
{
    SIL_ASSERT(stacks->live == 0);
    sil__deadlock_pass();
    for (unsigned i = 0; i < SIL__STACK_CLASSES; i++) {
        for (struct sil__stack_slab *slab = stacks->slabs[i], *next; slab; slab = next) {
            next = slab->next;
            sil__stack_slab_unmap(slab, stacks->forget);
        }
    }
}

/* All that are idle in one slab; NULL if no slab has any. */
static struct sil__stack *take_idle(struct sil__stacks *stacks, unsigned size_class)
{
    struct sil__stack_slab *slab = stacks->idle > 0 ? stacks->slabs[size_class] : NULL;
    while (slab && !slab->idle)
        slab = slab->next;
    if (!slab)
        return NULL;
    struct sil__stack *idle = slab->idle;
    stacks->idle -= slab->idle_count;
    slab->idle = NULL;
    slab->idle_count = 0;
    return idle;
}

/* The first slab is the one with room, if any has. */
static struct sil__stack *take_new(struct sil__stacks *stacks, unsigned size_class)
{
    struct sil__stack_slab *slab = stacks->slabs[size_class];
    if (!slab || slab->cut == slab->count) {
        slab = sil__stack_slab_map(size_class);
        if (!slab)
            return NULL;
        slab->next = stacks->slabs[size_class];
        stacks->slabs[size_class] = slab;
    }
    return sil__stack_slab_cut(slab);
}

struct sil__stack *sil__stacks_take_slow(struct sil__stacks *stacks, unsigned size_class)
{
    struct sil__stack *stack = stacks->cold[size_class];
    if (stack) {
        stacks->cold[size_class] = stack->next;
    } else if ((stack = take_idle(stacks, size_class))) {
        stacks->free[size_class] = stack->next;
    } else {
        stack = take_new(stacks, size_class);
        if (!stack)
            return NULL;
    }
    stacks->live++;
    return stack;
}

/* All stacks of the slab are idle: unmap it, unless it is the last of its class. */
static bool drop(struct sil__stacks *stacks, struct sil__stack_slab *slab, unsigned size_class)
{
    struct sil__stack_slab **link = &stacks->slabs[size_class];
    if (!(*link)->next)
        return false;
    while (*link != slab)
        link = &(*link)->next;
    *link = slab->next;
    stacks->idle -= slab->idle_count;
    sil__deadlock_pass();
    sil__stack_slab_unmap(slab, stacks->forget);
    return true;
}

static void trim_class(struct sil__stacks *stacks, unsigned size_class, int *work)
{
    while (stacks->cold[size_class] && *work > 0) {
        struct sil__stack *stack = stacks->cold[size_class];
        stacks->cold[size_class] = stack->next;
        struct sil__stack_slab *slab = stack->slab;
        stack->next = slab->idle;
        slab->idle = stack;
        slab->idle_count++;
        stacks->idle++;
        int cut = (int)slab->cut;
        *work -= 1;
        if (slab->idle_count == slab->cut && drop(stacks, slab, size_class))
            *work -= cut * PER_UNMAP;
        else
            sil__stack_slab_clean(stack);
    }
}

bool sil__stacks_trim(struct sil__stacks *stacks)
{
    int work = TRIM_WORK;
    bool more = false;
    for (unsigned i = 0; i < SIL__STACK_CLASSES; i++) {
        trim_class(stacks, i, &work);
        if (!stacks->cold[i]) {
            stacks->cold[i] = stacks->free[i];
            stacks->free[i] = NULL;
        }
        more |= stacks->cold[i] != NULL;
    }
    return more;
}
