/* SPDX-License-Identifier: MIT */
/*
 * The modules loaded in this process: which one an address lies in, which one is that of an
 * identity. Both look at all of them, for microseconds; who asks often remembers the answers.
 *
 * Identities: the build-id, of 8 to 32 bytes; a module without one is known by a hash of its code,
 * 32 bytes. Shorter ones are not taken for an identity: they are somebody's constant.
 */
#ifndef SIL__PROCESS_MODULE_FIND_H
#define SIL__PROCESS_MODULE_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "process/module.h"

/* Segments of code of one module that are looked at; linkers make one. */
#define SIL__CODE_SPANS 4

struct sil__span {
    uintptr_t start;
    uintptr_t end;
};

static inline bool sil__span_holds(const struct sil__span *span, uintptr_t address)
{
    return address >= span->start && address < span->end;
}

struct sil__loaded {
    uintptr_t base; /* what offsets count from */
    bool program;   /* it is the program, which is never unloaded */
    uint32_t code_count;
    struct sil__span code[SIL__CODE_SPANS];
    const uint8_t *build_id;   /* where its first page has it; NULL if there is none there */
    uint64_t generation;       /* as of now */
    struct sil__module module; /* path: as the loader knows it, "" for the program */
};

/*
 * The module with code at this address. 0, or a code with an error set: SIL_EINVAL no module's
 * code lies there, SIL_ENOTSUP it cannot be identified.
 */
int sil__loaded_at(uintptr_t address, struct sil__loaded *out);

/* The module of this identity; false: it is not loaded. */
bool sil__loaded_as(const struct sil__module *identity, struct sil__loaded *out);

/* Changes whenever a module is loaded or unloaded. */
uint64_t sil__loaded_generation(void);

/* Is there code of the program, not of a library? */
bool sil__loaded_in_program(uintptr_t address);

/* The path of the file that is mapped at an address. False: none is, or it does not fit. */
bool sil__mapped_path(uintptr_t address, char *out, size_t size);

#endif
