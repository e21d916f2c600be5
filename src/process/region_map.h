/* SPDX-License-Identifier: MIT */
/*
 * The memory of a region: a file without a name, mapped where a process that executes the same
 * program anew is likely to have nothing. Programs, libraries and stacks lie where the kernel puts
 * them; this is far from there.
 */
#ifndef SIL__PROCESS_REGION_MAP_H
#define SIL__PROCESS_REGION_MAP_H

#include <stddef.h>

struct sil__region_memory {
    int fd;
    void *base;
    size_t size;
};

/*
 * size: wanted, 0 for the default; it may become smaller. In multiples of unit. 0, or SIL_ENOMEM
 * with an error set.
 */
int sil__region_map(size_t size, size_t unit, struct sil__region_memory *out);

/* What another process has mapped; base and size are multiples of the page. 0, or a code with an
 * error set: SIL_EAGAIN the address is taken, SIL_ENOMEM. memory: borrows. */
int sil__region_map_again(const struct sil__region_memory *memory);

/* The mapping and the descriptor. */
void sil__region_unmap(const struct sil__region_memory *memory);

#endif
