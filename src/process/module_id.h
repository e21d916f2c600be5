/* SPDX-License-Identifier: MIT */
/*
 * The identity of a loaded module: its build-id, or a hash of its code.
 */
#ifndef SIL__PROCESS_MODULE_ID_H
#define SIL__PROCESS_MODULE_ID_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/module.h"

/* Where the module has what its file calls address. */
static inline const uint8_t *sil__module_memory(const struct dl_phdr_info *info, ElfW(Addr) address)
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives numbers
    return (const uint8_t *)(info->dlpi_addr + address);
}

/* The build-id in the module's memory; NULL if it has none that can be one. */
const uint8_t *sil__module_build_id(const struct dl_phdr_info *info, size_t *out_size);

/* False: it has no code that can be read. */
bool sil__module_hash(const struct dl_phdr_info *info, uint8_t out[SIL__MODULE_ID_SIZE]);

#endif
