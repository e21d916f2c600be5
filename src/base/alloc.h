/* SPDX-License-Identifier: MIT */
/*
 * Memory: malloc with a fault point, and sizes that cannot overflow.
 */
#ifndef SIL__BASE_ALLOC_H
#define SIL__BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Larger sizes are refused as a caller's mistake before anything is added to them: 256 GiB. */
#define SIL__SIZE_LIMIT ((size_t)1 << 38)

/* Zeroed memory, aligned for any type; NULL when there is none. */
void *sil__alloc(size_t size);

/* Zeroed memory that begins at a cache line, for what several threads write. */
void *sil__alloc_lines(size_t size);

/* As sil__alloc, without the zeros. */
void *sil__alloc_raw(size_t size);

void *sil__alloc_array(size_t count, size_t size);

/*
 * Zeroed memory that begins at a multiple of its size, a power of two of at least a page; only the
 * pages that are touched are taken. Freed by sil__free_range.
 */
void *sil__alloc_range(size_t size);
void sil__free_range(void *block, size_t size);

/* NULL allowed. */
void sil__free(void *block);

/* A copy of text, or NULL. */
char *sil__alloc_text(const char *text);

/* count * size, in *out; false when it exceeds the limit. */
static inline bool sil__size_mul(size_t count, size_t size, size_t *out)
{
    return !__builtin_mul_overflow(count, size, out) && *out <= SIL__SIZE_LIMIT;
}

/* Rounded up to the strictest alignment a type may need. */
static inline size_t sil__size_align(size_t size)
{
    return (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
}

#endif
