/* SPDX-License-Identifier: MIT */
/*
 * How the low end of a stack is guarded, see stack_guard.h.
 */
#include "coro/stack_guard.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* The map of a slab in two, and one between: what one guard adds. */
#define MAPS_A_GUARD 2
#define USUAL_MAPS 65530

/* The canary is just below the lowest usable byte, where the first overrun goes. */
#define CANARY_WORDS 8
#define CANARY UINT64_C(0x5a17c0de5a17c0de)

static _Atomic int best_kind = SIL__GUARD_MARKER;

static long file_number(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return length > 0 ? strtol(text, NULL, 10) : 0;
}

static long file_lines(const char *path)
{
    char text[4096];
    long lines = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    for (ssize_t length; (length = read(fd, text, sizeof text)) > 0;)
        for (ssize_t i = 0; i < length; i++)
            lines += text[i] == '\n';
    (void)close(fd);
    return lines;
}

/* How many more maps guards may take, in all of the process. */
static _Atomic long *maps_left(void)
{
    static _Atomic long left = -1;
    if (atomic_load_explicit(&left, memory_order_relaxed) < 0) {
        long limit = file_number("/proc/sys/vm/max_map_count");
        long free_maps = (limit > 0 ? limit : USUAL_MAPS) - file_lines("/proc/self/maps");
        long unset = -1;
        (void)atomic_compare_exchange_strong_explicit(&left, &unset,
                                                      free_maps > 0 ? free_maps / 4 : 0,
                                                      memory_order_relaxed, memory_order_relaxed);
    }
    return &left;
}

static bool map_taken(void)
{
    _Atomic long *left = maps_left();
    long now = atomic_load_explicit(left, memory_order_relaxed);
    do {
        if (now < MAPS_A_GUARD)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(left, &now, now - MAPS_A_GUARD,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static void give_map(void)
{
    (void)atomic_fetch_add_explicit(maps_left(), MAPS_A_GUARD, memory_order_relaxed);
}

enum sil__guard sil__guard_install(char *low, size_t size)
{
    int kind = atomic_load_explicit(&best_kind, memory_order_relaxed);
    if (kind == SIL__GUARD_MARKER) {
        if (madvise(low, size, MADV_GUARD_INSTALL) == 0)
            return SIL__GUARD_MARKER;
        kind = SIL__GUARD_MAP;
        atomic_store_explicit(&best_kind, kind,
                              memory_order_relaxed); /* it need not be asked again */
    }
    if (kind == SIL__GUARD_MAP && map_taken()) {
        if (mprotect(low, size, PROT_NONE) == 0)
            return SIL__GUARD_MAP;
        give_map();
    }
    uint64_t *canary = (uint64_t *)(low + size) - CANARY_WORDS;
    for (int i = 0; i < CANARY_WORDS; i++)
        canary[i] = CANARY;
    return SIL__GUARD_CANARY;
}

void sil__guard_release(enum sil__guard guard)
{
    if (guard == SIL__GUARD_MAP)
        give_map();
}

void sil__guard_limit(enum sil__guard best)
{
    atomic_store_explicit(&best_kind, best, memory_order_relaxed);
}

bool sil__stack_canary_dead(const struct sil__stack *stack)
{
    const uint64_t *canary = (const uint64_t *)stack->low - CANARY_WORDS;
    for (int i = 0; i < CANARY_WORDS; i++)
        if (canary[i] != CANARY)
            return true;
    return false;
}
