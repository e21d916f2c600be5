/* SPDX-License-Identifier: MIT */
/*
 * How a function travels to another process of the same program: as the module it is in (the
 * program, or a shared library), known by its build-id, and the offset in it.
 *
 * A module without a build-id is known by a hash of its code. The receiver looks for the module
 * among those it has, then loads it from the path the sender has it from, if it is the same one.
 */
#ifndef SIL__PROCESS_MODULE_H
#define SIL__PROCESS_MODULE_H

#include <stdatomic.h>
#include <stdint.h>

#include <sillon/task.h>

#define SIL__MODULE_ID_SIZE 32
#define SIL__MODULE_PATH_SIZE 472
#define SIL__MODULE_MAX 255

struct sil__module {
    uint32_t id_size; /* bytes of id */
    uint32_t hashed;  /* id is a hash of the code */
    uint8_t id[SIL__MODULE_ID_SIZE];
    char path[SIL__MODULE_PATH_SIZE]; /* ends with 0; "" for the program */
};

/*
 * The modules a sender has told of. Lies in memory shared by sender and receivers; only appended
 * to. The receivers cannot write it.
 */
struct sil__module_table {
    _Atomic uint32_t count; /* entries that are ready; release and acquire */
    uint32_t reserved[127];
    struct sil__module modules[SIL__MODULE_MAX];
};

/* A function, for whoever has the table. */
struct sil__code {
    uint32_t module; /* index in the table */
    uint32_t reserved;
    uint64_t offset;
};

/* --- the sender's side; guarded by a lock of the caller's ---------------------------------- */

/* What the sender remembers, in its private memory: which module an address lies in. */
struct sil__encoder;

/* table: borrows. Returns owned; NULL: no memory, no error set. */
struct sil__encoder *sil__encoder_create(struct sil__module_table *table);
void sil__encoder_destroy(struct sil__encoder *encoder); /* NULL allowed */

/*
 * 0, or a code with an error set: SIL_EINVAL the address is in no module's code, SIL_ENOTSUP the
 * module cannot be identified, has no path that fits, or the table is full. Fast (nanoseconds for
 * the program, tens for a library) for a module met before; never wrong after a dlclose and dlopen
 * that put another module in the same place.
 */
int sil__encode(struct sil__encoder *encoder, sil_task_fn fn, struct sil__code *out);

/* --- the receiver's side; one thread ------------------------------------------------------- */

struct sil__decoder;

/* table: borrows. Returns owned; NULL: no memory, no error set. */
struct sil__decoder *sil__decoder_create(const struct sil__module_table *table);
void sil__decoder_destroy(struct sil__decoder *decoder); /* NULL allowed */

/*
 * The function; loads its module if need be, which then stays loaded for good. NULL with an error
 * set, whose message names the module and says what is wrong: SIL_ENOTSUP it cannot be loaded, or
 * is another build here; SIL_EINVAL no such module in the table, or the offset is not in its code.
 */
sil_task_fn sil__decode(struct sil__decoder *decoder, const struct sil__code *code);

#endif
