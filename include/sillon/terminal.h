/* SPDX-License-Identifier: MIT */
/*
 * Terminals: is it one, how large is it, one key at a time.
 *
 *     sil_terminal *terminal = sil_terminal_open(STDIN_FILENO);
 *     sil_terminal_set_raw(terminal, true);
 *     sil_read(sil_terminal_stream(terminal), &key, 1, &got, SIL_FOREVER);
 *     ...
 *     sil_terminal_close(terminal);
 *
 * A terminal in raw mode is put back when it is closed, and when the program ends by exit or by
 * returning from main; not when a signal kills it: whoever wants that catches the signal (signals.h).
 */
#ifndef SILLON_TERMINAL_H
#define SILLON_TERMINAL_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <sillon/stream.h>
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
 * Use a terminal. The descriptor stays as it is: other programs that share it see nothing of ours but
 * the mode.
 *
 * @param fd  borrows: until sil_terminal_close.
 * @return returns owned: sil_terminal_close. NULL with sil_last_error: ENOTTY it is none; SIL_ENOMEM;
 *         SIL_EINVAL not a descriptor.
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
 * @threads coroutine: always of the same loop
 * @blocks  until the deadline
 */
SIL_API int sil_terminal_resized(sil_terminal *terminal, unsigned *out_columns, unsigned *out_rows,
                                 sil_deadline until);

/**
 * Raw mode: each key is read at once, as it is; nothing is shown by itself, and no key raises a signal.
 * Off: as it was when it was opened.
 *
 * @return 0; SIL_EINVAL; an errno value.
 * @threads one
 */
SIL_API int sil_terminal_set_raw(sil_terminal *terminal, bool raw);

/**
 * A stream that reads from it and writes to it.
 *
 * @return returns borrowed; valid until sil_terminal_close. NULL with sil_last_error: SIL_ENOTASK;
 *         SIL_ENOMEM; SIL_EINVAL; an errno value.
 * @threads coroutine: always of the same loop
 */
SIL_API sil_stream *sil_terminal_stream(sil_terminal *terminal);

/**
 * Let go of it; its mode is as it was when it was opened.
 *
 * @param terminal  takes; NULL allowed. Nobody else may be using it.
 * @threads one; coroutine: of the same loop, if it was resized or has a stream
 */
SIL_API void sil_terminal_close(sil_terminal *terminal);

SIL_END_DECLS

#endif
