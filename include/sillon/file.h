/* SPDX-License-Identifier: MIT */
/*
 * Files, without holding up a loop.
 *
 *     char *text;
 *     size_t size;
 *     int code = sil_file_read_all("config", 1 << 20, &text, &size, SIL_FOREVER);
 *
 * The kernel knows no way to wait for a file, so in a coroutine each operation is run by a thread
 * (the loop's blocking executor, sil_loop_options) while the coroutine waits; what is to be read
 * and lies in memory already is read at once. Everywhere else, on threads and in tasks of pools,
 * the calls do their work where they stand.
 *
 * An operation that has begun cannot be taken back: the kernel may be at the caller's buffer. So
 * in a coroutine a deadline or a cancel gives up one that has not begun (SIL_ETIMEDOUT,
 * SIL_ECANCELLED: nothing has happened), and one that has begun is waited for; a cancel then ends
 * the next wait of the coroutine. Outside coroutines, where all begins at once, deadlines say
 * nothing.
 *
 * A named pipe, a terminal or another such device is opened with O_NONBLOCK, since a thread that
 * waits for it would be missing for as long: opening does not wait for the other end (to write,
 * with nobody there to read, is ENXIO); a read gets the part that is there, or EAGAIN; a write may
 * end with EAGAIN. sil_fd_wait with sil_file_descriptor waits until there is more.
 *
 * Errors of the system are errno's codes: ENOENT, ENOSPC, EMFILE and so on. A write beyond the
 * limit for the size of files (RLIMIT_FSIZE) is EFBIG only if the program ignores SIGXFSZ, which
 * ends it otherwise.
 */
#ifndef SILLON_FILE_H
#define SILLON_FILE_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sil_file sil_file;

SIL_BEGIN_DECLS

/**
 * Open a file.
 *
 * @param path   borrows.
 * @param flags  those of open(2), from <fcntl.h>: O_RDONLY, O_RDWR | O_CREAT and so on.
 * @param mode   permissions for O_CREAT, as open(2); 0: 0666. The umask is taken off.
 * @return returns owned: sil_file_close. NULL with sil_last_error: SIL_EINVAL; SIL_ENOMEM;
 *         SIL_EAGAIN no thread; SIL_ETIMEDOUT; SIL_ECANCELLED; an errno value.
 * @threads any
 * @blocks  until it is done; in a coroutine only the coroutine waits. So do those below
 */
SIL_API sil_file *sil_file_open(const char *path, int flags, unsigned mode, sil_deadline until);

/**
 * Read from the present position, which moves on.
 *
 * @param buffer   borrows.
 * @param out_got  receives how much was read: less than size only at the end of the file, and of
 *                 what is no regular file.
 * @return 0; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ENOMEM; SIL_EAGAIN; SIL_EINVAL; an errno value, and
 *         it is not known how far the position has moved.
 * @threads one
 * @blocks  as above
 */
SIL_API int sil_file_read(sil_file *file, void *buffer, size_t size, size_t *out_got,
                          sil_deadline until);

/**
 * Read from an offset in bytes; the position stays.
 *
 * @return as sil_file_read.
 * @threads any
 * @blocks  as above
 */
SIL_API int sil_file_read_at(sil_file *file, void *buffer, size_t size, uint64_t offset,
                             size_t *out_got, sil_deadline until);

/**
 * Write all of it at the present position, which moves on.
 *
 * @param data  borrows.
 * @return as sil_file_read; after an errno value a part may have been written.
 * @threads one
 * @blocks  as above
 */
SIL_API int sil_file_write(sil_file *file, const void *data, size_t size, sil_deadline until);

/**
 * Write all of it at an offset in bytes; the position stays. With O_APPEND the kernel writes at
 * the end.
 *
 * @return as sil_file_write.
 * @threads any
 * @blocks  as above
 */
SIL_API int sil_file_write_at(sil_file *file, const void *data, size_t size, uint64_t offset,
                              sil_deadline until);

/**
 * How long the file is now, in bytes.
 *
 * @return as sil_file_read.
 * @threads any
 * @blocks  as above
 */
SIL_API int sil_file_size(sil_file *file, uint64_t *out_size, sil_deadline until);

/**
 * Make the file so many bytes long: cut it off, or fill up with zeros.
 *
 * @return as sil_file_read.
 * @threads any
 * @blocks  as above
 */
SIL_API int sil_file_truncate(sil_file *file, uint64_t size, sil_deadline until);

/**
 * Have everything that was written on the disk: fsync(2).
 *
 * @return as sil_file_read.
 * @threads any
 * @blocks  as above
 */
SIL_API int sil_file_sync(sil_file *file, sil_deadline until);

/**
 * Its descriptor, for other calls.
 *
 * @return returns borrowed; valid until sil_file_close. -1 for NULL.
 * @threads any
 */
SIL_API int sil_file_descriptor(const sil_file *file);

/**
 * Close it, in any case; a caller who is cancelled waits, too.
 *
 * @param file  takes; NULL allowed. Nobody else may be using it.
 * @return 0; an errno value: something that was written before is lost.
 * @threads one
 * @blocks  as above
 */
SIL_API int sil_file_close(sil_file *file);

/**
 * Read a whole file. A deadline or a cancel stops it on its way, too. A named pipe is read until
 * nobody has it open to write: nothing, if nobody has.
 *
 * @param path      borrows.
 * @param limit     most bytes; 0: no limit.
 * @param out_data  receives what is in it, and a zero byte behind: owned, free().
 * @param out_size  receives the bytes, without the zero; NULL allowed.
 * @return 0; SIL_ETOOLONG it is longer than limit; else as sil_file_open.
 * @threads any
 * @blocks  as above
 */
SIL_API int sil_file_read_all(const char *path, size_t limit, char **out_data, size_t *out_size,
                              sil_deadline until);

/**
 * Write a whole file, new or in place of what is there: under another name beside it (.sil-, 16
 * digits, ~), to the disk, then renamed. So whoever opens path finds the old file or the new one,
 * never a part, also after a crash; and when this fails, by a deadline or a cancel on its way too,
 * the old one. A symbolic link stays: what it leads to is replaced.
 *
 * The new file has the owner, group and permissions of the old one, and nobody else can read it
 * before. Where the system does not let us give it away it is ours, without the set-id bits; and
 * if not even the group could be kept, ours may do no more than others may. Access lists and other
 * attributes are not kept. Where there was no file it has 0666, the umask taken off.
 *
 * @param path  borrows. Only a regular file is replaced: SIL_EINVAL for a device or a pipe, EISDIR,
 *              and ENOENT for a link that leads nowhere.
 * @param data  borrows.
 * @return as sil_file_open.
 * @threads any
 * @blocks  as above
 */
SIL_API int sil_file_write_all(const char *path, const void *data, size_t size, sil_deadline until);

SIL_END_DECLS

#endif
