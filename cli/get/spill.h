/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a file that came before their turn: in a file without a name, a ring, in which each byte's
 * place follows from its place in the file.
 *
 * I1  What is in it is less than room bytes apart: who writes sees to that.
 * I2  It has no name: whatever ends the process, nothing is left of it.
 */
#ifndef CLI_GET_SPILL_H
#define CLI_GET_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include <sillon/file.h>

struct spill {
    sil_file *file; /**< NULL: not open */
    uint64_t room;
};

/*
 * All in a coroutine, which alone waits; they return 0, SIL_ECANCELLED, SIL_ENOMEM or an errno value.
 */

/**
 * @param name  the file for which it is, relative to folder: it comes to lie beside that.
 * @param left  so many bytes are still to come to that file: ENOSPC if there is no place for both.
 */
int spill_open(struct spill *spill, const char *folder, const char *name, uint64_t room,
               uint64_t left);
void spill_close(struct spill *spill);

/** @param at  where the bytes stand in the file. */
int spill_write(struct spill *spill, uint64_t at, const char *bytes, size_t size);
int spill_read(struct spill *spill, uint64_t at, char *bytes, size_t size);

#endif
