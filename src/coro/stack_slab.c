/* SPDX-License-Identifier: MIT */
/*
 * Slabs of stacks, see stack_slab.h.
 */
#include "coro/stack_slab.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "coro/fiber.h"
#include "coro/stack_guard.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#ifdef SIL__FIBER_ASAN
#define FRAMES_GROW 4
#else
#define FRAMES_GROW 1
#endif

#define SMALLEST ((size_t)16 << 10)
#define GUARD ((size_t)16 << 10)
#define SLAB_SIZE ((size_t)16 << 20)
#define SLAB_COUNT 256
#define COLOURS 16
#define COLOUR ((size_t)128)
/* On top of a stack, below its colour. */
#define HEAD (sizeof(struct sil__stack) + SIL__STACK_EXTRA)

_Static_assert((COLOURS - 1) * COLOUR + HEAD + 1024 + 256 <= 4096, "the hot end is one page");

/* A free stack may still have a few frames on it, in which its fiber is parked. */
#define KEPT ((size_t)4096 * FRAMES_GROW)

#define CLASS_MASK ((uintptr_t)15)
_Static_assert(SIL__STACK_CLASSES <= CLASS_MASK, "class + 1 fits below a page's address");

/* Pushed to; never taken from. */
static _Atomic(struct sil__stack_slab *) all;

/* Somebody uses the description, but nothing is mapped. */
static char nowhere;

static size_t page_size(void)
{
    return (size_t)getpagesize();
}

static size_t up_to_page(size_t size)
{
    return (size + page_size() - 1) & ~(page_size() - 1);
}

static size_t guard_size(void)
{
    return up_to_page(GUARD);
}

static size_t usable_size(unsigned size_class)
{
    return SMALLEST << 2 * size_class;
}

static size_t stride_of(unsigned size_class)
{
    return guard_size() + up_to_page(usable_size(size_class) * FRAMES_GROW) + page_size();
}

static unsigned count_of(unsigned size_class)
{
    size_t count = SLAB_SIZE / usable_size(size_class);
    return count > SLAB_COUNT ? SLAB_COUNT : count > 1 ? (unsigned)count : 1;
}

static unsigned class_of(const char *place)
{
    return (unsigned)((uintptr_t)place & CLASS_MASK) - 1;
}

static char *base_of(char *place)
{
    return place - ((uintptr_t)place & CLASS_MASK);
}

static struct sil__stack *stack_at(char *place, size_t index)
{
    char *top = base_of(place) + (index + 1) * stride_of(class_of(place));
    return (struct sil__stack *)(top - index % COLOURS * COLOUR - HEAD);
}

/* A description that nobody uses, or a new one. */
static struct sil__stack_slab *describe(void)
{
    struct sil__stack_slab *first = atomic_load_explicit(&all, memory_order_acquire);
    for (struct sil__stack_slab *slab = first; slab; slab = slab->listed) {
        char *of_nobody = NULL;
        /* Acquire pairs with the release in unmap: what its last user wrote is past. */
        if (atomic_compare_exchange_strong_explicit(&slab->place, &of_nobody, &nowhere,
                                                    memory_order_acquire, memory_order_relaxed))
            return slab;
    }
    struct sil__stack_slab *slab = sil__alloc(sizeof *slab);
    if (!slab)
        return NULL;
    atomic_store_explicit(&slab->place, &nowhere, memory_order_relaxed);
    slab->listed = first;
    /* Release pairs with the acquires of who walks the list. */
    while (!atomic_compare_exchange_weak_explicit(&all, &slab->listed, slab, memory_order_release,
                                                  memory_order_relaxed))
        ;
    return slab;
}

static char *map(size_t size)
{
    if (sil__fault(SIL__FAULT_SYSTEM))
        return NULL;
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    (void)madvise(base, size, MADV_NOHUGEPAGE); /* it fails where there are none */
    return base;
}

struct sil__stack_slab *sil__stack_slab_map(unsigned size_class)
{
    struct sil__stack_slab *slab = describe();
    if (!slab)
        return NULL;
    char *base = map(count_of(size_class) * stride_of(size_class));
    if (!base) {
        atomic_store_explicit(&slab->place, NULL, memory_order_release);
        return NULL;
    }
    slab->next = NULL;
    slab->idle = NULL;
    slab->idle_count = 0;
    slab->cut = 0;
    slab->count = count_of(size_class);
    /* Release pairs with the acquire in find. */
    atomic_store_explicit(&slab->place, base + size_class + 1, memory_order_release);
    return slab;
}

void sil__stack_slab_unmap(struct sil__stack_slab *slab, void (*forget)(struct sil__stack *stack))
{
    char *place = atomic_load_explicit(&slab->place, memory_order_relaxed);
    for (unsigned i = 0; i < slab->cut; i++) {
        struct sil__stack *stack = stack_at(place, i);
        if (forget)
            forget(stack);
        VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
        sil__guard_release(stack->guard);
    }
    size_t size = slab->count * stride_of(class_of(place));
    sil__fiber_unpoison(base_of(place), size);
    /* Before the addresses are anybody else's: who finds its own stack must not find this slab. */
    atomic_store_explicit(&slab->place, &nowhere, memory_order_release);
    (void)munmap(base_of(place), size);
    atomic_store_explicit(&slab->place, NULL, memory_order_release);
}

struct sil__stack *sil__stack_slab_cut(struct sil__stack_slab *slab)
{
    char *place = atomic_load_explicit(&slab->place, memory_order_relaxed);
    unsigned index = slab->cut++;
    char *bottom = base_of(place) + index * stride_of(class_of(place));
    struct sil__stack *stack = stack_at(place, index);
    stack->low = bottom + guard_size();
    stack->size = (size_t)((char *)stack - stack->low);
    stack->slab = slab;
    stack->size_class = (uint8_t)class_of(place);
    stack->guard = (uint8_t)sil__guard_install(bottom, guard_size());
    stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->low, stack);
    return stack;
}

void sil__stack_slab_clean(struct sil__stack *stack)
{
    size_t below = (stack->size - KEPT) & ~(page_size() - 1); /* low begins a page */
    (void)madvise(stack->low, below, MADV_DONTNEED);
}

struct sil__stack *sil__stack_slab_find(const void *address)
{
    struct sil__stack_slab *slab = atomic_load_explicit(&all, memory_order_acquire);
    for (; slab; slab = slab->listed) {
        char *place = atomic_load_explicit(&slab->place, memory_order_acquire);
        if (!place || place == &nowhere)
            continue;
        size_t stride = stride_of(class_of(place));
        size_t offset = (uintptr_t)address - (uintptr_t)base_of(place);
        if (offset >= count_of(class_of(place)) * stride || offset % stride >= guard_size())
            continue;
        struct sil__stack *stack = stack_at(place, (unsigned)(offset / stride));
        return stack->low ? stack : NULL;
    }
    return NULL;
}
