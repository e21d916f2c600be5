/* SPDX-License-Identifier: MIT */
/*
 * Memory, see alloc.h.
 */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"

void *sil__alloc(size_t size)
{
    return sil__fault(SIL__FAULT_ALLOC) ? NULL : calloc(1, size ? size : 1);
}

void *sil__alloc_lines(size_t size)
{
    const size_t line = 64;
    size_t whole = (size + line - 1) / line * line;
    void *block = sil__fault(SIL__FAULT_ALLOC) ? NULL : aligned_alloc(line, whole);
    return block ? memset(block, 0, whole) : NULL;
}

void *sil__alloc_raw(size_t size)
{
    return sil__fault(SIL__FAULT_ALLOC) ? NULL : malloc(size ? size : 1);
}

void *sil__alloc_array(size_t count, size_t size)
{
    size_t bytes;
    return sil__size_mul(count, size, &bytes) ? sil__alloc(bytes) : NULL;
}

void *sil__alloc_range(size_t size)
{
    if (sil__fault(SIL__FAULT_ALLOC))
        return NULL;
    /* Twice as much has such a beginning somewhere; what is before and after goes back. */
    char *low = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (low == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)low & (size - 1);
    if (before > 0)
        (void)munmap(low, before);
    (void)munmap(low + before + size, size - before);
    return low + before;
}

void sil__free_range(void *block, size_t size)
{
    if (block)
        (void)munmap(block, size);
}

void sil__free(void *block)
{
    free(block);
}

char *sil__alloc_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = sil__alloc_raw(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}
