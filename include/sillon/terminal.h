/* SPDX-License-Identifier: MIT */
/*
 * Terminals: is it one, how large is it, one key at a time. Reading and writing is stream.h's.
 *
 *     sil_stream_standard(0, &keys);
 *     sil_terminal *terminal = sil_terminal_open(0);
 *     sil_terminal_set_raw(terminal, true);
 *     ... sil_read(keys, &key, 1, &got, SIL_FOREVER) ...
 *     sil_terminal_close(terminal);
 *
 * A terminal in raw mode is put back when it is closed, and when the program ends by exit or by
 * returning from main; not when a signal kills it: whoever wants that catches the signal
 * (signals.h).
 */
#ifndef SILLON_TERMINAL_H
#define SILLON_TERMINAL_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stdbool.h>

typedef struct sil_terminal sil_terminal;

SIL_BEGIN_DECLS

/**
 * Is this descriptor a terminal?
 *
 * @threads any
 */
SIL_API bool sil_terminal_is(int fd);

/**
 * Use a terminal.
 *
 * @param fd  borrows: until sil_terminal_close.
 * @return returns owned: sil_terminal_close. NULL with sil_last_error: ENOTTY it is none;
 *         SIL_ENOMEM; SIL_EINVAL not a descriptor.
 * @threads any
 */
SIL_API sil_terminal *sil_terminal_open(int fd);

/**
 * How large it is now.
 *
 * @param out_columns  receives characters in a row. NULL allowed, here and below.
 * @param out_rows     receives rows.
 * @return 0; SIL_EINVAL; an errno value.
 * @threads one
 */
SIL_API int sil_terminal_size(sil_terminal *terminal, unsigned *out_columns, unsigned *out_rows);

/**
 * Wait until its size is another than this object last told (at first: than when it was opened).
 *
 * @param out_columns  receives the new size.
 * @return 0; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ENOTASK; SIL_ENOMEM; SIL_EAGAIN no descriptors;
 *         SIL_EINVAL; an errno value.
 * @threads coroutine, always of the same loop
 * @blocks  until the deadline
 */
SIL_API int sil_terminal_resized(sil_terminal *terminal, unsigned *out_columns, unsigned *out_rows,
                                 sil_deadline until);

/**
 * Raw mode: each key is read at once, as it is; nothing is shown by itself, and no key raises a
 * signal. Off: as it was when it was opened.
 *
 * @return 0; SIL_EINVAL; an errno value.
 * @threads one
 */
SIL_API int sil_terminal_set_raw(sil_terminal *terminal, bool raw);

/**
 * Let go of it; its mode is as it was when it was opened.
 *
 * @param terminal  takes; NULL allowed. Nobody else may be using it.
 * @threads one; home if sil_terminal_resized was called
 */
SIL_API void sil_terminal_close(sil_terminal *terminal);

SIL_END_DECLS

#endif
