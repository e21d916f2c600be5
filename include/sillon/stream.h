/* SPDX-License-Identifier: MIT */
/*
 * Streams: bytes to and from a socket, a pipe or a terminal, for coroutines.
 *
 *     sil_stream *stream;
 *     int code = sil_connect("example.org", "80", NULL, &stream, sil_in(10));
 *     code = sil_write(stream, request, request_size, sil_in(10));
 *     code = sil_read_line(stream, 8192, &line, &size, sil_in(10));
 *     sil_stream_close(stream);
 *
 * A stream belongs to the loop of the coroutine that made it, and only that loop's coroutines use it:
 * one may read while another writes. Several may write: what one call writes stays together, and they
 * take turns in the order in which they came. A second reader gets SIL_EBUSY.
 *
 * Everything that may wait takes a deadline, and returns
 *     0;  SIL_EEND there is nothing more to read: the other side has ended it;
 *     SIL_ETIMEDOUT;  SIL_ECANCELLED;  SIL_ECLOSED it was closed by another coroutine meanwhile;
 *     an errno value (ECONNRESET, EPIPE ...);  SIL_ENOMEM;  SIL_ENOTASK the caller is no coroutine of
 *     its loop;  SIL_EINVAL.
 * A deadline that has passed ends a call also while the other side keeps up. With SIL_NOW nothing waits:
 * what can be done at once is done. A read that ends with an error has
 * taken nothing from the stream, unless it says otherwise. A write that does may have written a part,
 * and nobody can tell how much the other side will see: all there is to do is to close.
 *
 * TLS and other transports are streams too: stream_impl.h.
 */
#ifndef SILLON_STREAM_H
#define SILLON_STREAM_H

#include <sillon/address.h>
#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

typedef struct sil_stream sil_stream;

/** All zero is the default. */
typedef struct sil_connect_options {
    int family;     /**< AF_INET or AF_INET6: only this one; 0: both */
    double stagger; /**< seconds one attempt is alone before the next begins beside it; 0: 0.25 */
    const sil_address
        *local; /**< borrows: where to connect from, so only to addresses of its family;
                                   its port may be 0; NULL: any */
} sil_connect_options;

SIL_BEGIN_DECLS

/* --- where they come from ---------------------------------------------------------------------- */

/**
 * Connect by TCP to the first address of a host that answers: IPv6 and IPv4 addresses are tried in
 * turns, each a moment after the one before, the first that connects wins, and the others are given up
 * (RFC 8305).
 *
 * @param host        borrows: a name, or an address as text; NULL: this machine.
 * @param service     borrows: a port number, or the name of one ("http").
 * @param options     borrows; NULL for the defaults.
 * @param out_stream  returns owned: sil_stream_close.
 * @return 0; SIL_ENOHOST the name cannot be looked up; ECONNREFUSED and so on: what the most telling
 *         attempt ended with (host and service are in the message); EAFNOSUPPORT the host has no
 *         address of the family of .local; as all here.
 * @threads coroutine
 * @blocks  until the deadline; only the coroutine waits. So do all below that take a deadline
 */
SIL_API int sil_connect(const char *host, const char *service, const sil_connect_options *options,
                        sil_stream **out_stream, sil_deadline until);

/**
 * Connect to a socket in the file system; "@name" is one in Linux's abstract name space.
 *
 * @param path        borrows.
 * @param out_stream  returns owned: sil_stream_close.
 * @return 0; ENOENT; ECONNREFUSED; EACCES; SIL_ETOOLONG more than 107 bytes; as all here.
 * @threads coroutine
 */
SIL_API int sil_connect_unix(const char *path, sil_stream **out_stream, sil_deadline until);

/**
 * A stream for a descriptor of yours: a socket, a pipe, a terminal, a pidfd, a file.
 *
 * It is not made non-blocking, since others may share it: pipes and terminals are opened anew for us
 * (sil_stream_fd tells the number they have then), and sockets stay as they are. Regular files are always
 * ready: reading and writing them may hold up the loop for as long as the disk needs.
 *
 * @param fd          takes; after a failure it is still yours, and as it was.
 * @param out_stream  returns owned: sil_stream_close, which closes fd.
 * @return 0; EBADF; EEXIST this loop has a stream for it, or waits for it, already; SIL_ENOMEM;
 *         SIL_ENOTASK; SIL_EINVAL; an errno value.
 * @threads coroutine
 */
SIL_API int sil_stream_open(int fd, sil_stream **out_stream);

/**
 * A stream for this process's standard input (0), output (1) or error (2). What others see of the
 * descriptor stays as it is: it is not made non-blocking, and closing the stream does not close it.
 * printf and friends have buffers of their own: flush these before, where the order matters.
 *
 * @param out_stream  returns owned: sil_stream_close.
 * @return as sil_stream_open.
 * @threads coroutine
 */
SIL_API int sil_stream_standard(int number, sil_stream **out_stream);

/**
 * A pipe: what is written to one is read from the other.
 *
 * @param out_reader, out_writer  return owned: sil_stream_close.
 * @return 0; EMFILE; ENFILE; SIL_ENOMEM; SIL_ENOTASK; SIL_EINVAL.
 * @threads coroutine
 */
SIL_API int sil_pipe(sil_stream **out_reader, sil_stream **out_writer);

/**
 * Two connected streams: what is written to one is read from the other, both ways.
 *
 * @param out_a, out_b  return owned: sil_stream_close.
 * @return as sil_pipe.
 * @threads coroutine
 */
SIL_API int sil_socketpair(sil_stream **out_a, sil_stream **out_b);

/**
 * End a stream in both directions. What was not flushed is lost: sil_flush first, and
 * sil_stream_shutdown if the other side is to see a proper end of a protocol such as TLS. Coroutines
 * that wait in it get SIL_ECLOSED.
 *
 * @param stream  takes; NULL allowed.
 * @threads home; also when its loop has ended, on the thread it had
 */
SIL_API void sil_stream_close(sil_stream *stream);

/* --- reading ----------------------------------------------------------------------------------- */

/**
 * Read some bytes: at least one, and what is there, at most 256 KiB.
 *
 * @param buffer   receives at most size bytes.
 * @param size     > 0.
 * @param out_got  receives how many.
 * @return 0; SIL_EEND; SIL_EBUSY another coroutine reads; as all here.
 * @threads home
 */
SIL_API int sil_read(sil_stream *stream, void *buffer, size_t size, size_t *out_got,
                     sil_deadline until);

/**
 * Read exactly so many bytes.
 *
 * @param buffer   receives them.
 * @param out_got  receives how many it got, also on failure: so many have been taken from the stream.
 *                 NULL allowed.
 * @return 0; SIL_EEND it ended before; SIL_EBUSY; as all here.
 * @threads home
 */
SIL_API int sil_read_exactly(sil_stream *stream, void *buffer, size_t size, size_t *out_got,
                             sil_deadline until);

/**
 * Read up to and with a delimiter.
 *
 * @param delimiter       borrows delimiter_size bytes, at least one.
 * @param limit           the most bytes to read, the delimiter included.
 * @param out_data        returns borrowed: they lie in the stream, until the next read, or its close.
 * @param out_size        receives how many, the delimiter included.
 * @return 0; SIL_ETOOLONG no delimiter within the limit: nothing was taken, read on with a larger one,
 *         or otherwise; SIL_EEND the stream ended before: what came is still there to be read by others;
 *         SIL_EBUSY; as all here.
 * @threads home
 */
SIL_API int sil_read_until(sil_stream *stream, const void *delimiter, size_t delimiter_size,
                           size_t limit, const char **out_data, size_t *out_size,
                           sil_deadline until);

/**
 * Read a line, without the "\n" or "\r\n" that ends it. What stands behind the last one is a line too,
 * unless it is empty.
 *
 * @param limit     the most bytes to read, the end of the line included. With so many and no end it still
 *                  waits to see whether the stream ends there.
 * @param out_line  returns borrowed: as sil_read_until; a '\0' follows it.
 * @param out_size  receives its length without that; NULL allowed.
 * @return 0; SIL_EEND there are no more lines; SIL_ETOOLONG; SIL_EBUSY; as all here.
 * @threads home
 */
SIL_API int sil_read_line(sil_stream *stream, size_t limit, const char **out_line, size_t *out_size,
                          sil_deadline until);

/**
 * Read all there is until the end.
 *
 * @param limit     the most bytes to read.
 * @param out_data  returns borrowed: as sil_read_until; a '\0' follows it.
 * @param out_size  receives how many.
 * @return 0; SIL_ETOOLONG there is more than that: nothing was taken; SIL_EBUSY; as all here, but
 *         for SIL_EEND: nothing at all is 0 bytes.
 * @threads home
 */
SIL_API int sil_read_all(sil_stream *stream, size_t limit, const char **out_data, size_t *out_size,
                         sil_deadline until);

/* --- writing ----------------------------------------------------------------------------------- */

/**
 * Write all of it, behind what has been written to the buffer. It waits while the other side does not
 * keep up.
 *
 * @param data  borrows size bytes.
 * @return 0 the system has it all; as all here.
 * @threads home
 */
SIL_API int sil_write(sil_stream *stream, const void *data, size_t size, sil_deadline until);

/**
 * The same for several pieces, one behind the other: together they cost one system call.
 *
 * @param parts  borrows, and what they point to.
 * @return as sil_write.
 * @threads home
 */
SIL_API int sil_write_parts(sil_stream *stream, const struct iovec *parts, size_t count,
                            sil_deadline until);

/**
 * Write to the stream's buffer: for many small pieces. When it is full (16 KiB) it is flushed first.
 *
 * @param data  borrows size bytes; they are copied, or written at once.
 * @return as sil_write. 0: a sil_flush or sil_write will see to it; nothing else does.
 * @threads home
 */
SIL_API int sil_write_buffered(sil_stream *stream, const void *data, size_t size,
                               sil_deadline until);

/**
 * Format text as printf, into the stream's buffer.
 *
 * @param format  borrows.
 * @return as sil_write_buffered.
 * @threads home
 */
SIL_API int sil_stream_printf(sil_stream *stream, sil_deadline until, const char *format, ...)
    SIL_PRINTF(3, 4);

/**
 * Write what the buffer holds.
 *
 * @return as sil_write.
 * @threads home
 */
SIL_API int sil_flush(sil_stream *stream, sil_deadline until);

/**
 * Flush, and tell the other side that nothing more will come: it reads the end. Reading goes on. On a
 * pipe, which has one direction, that is all there is: it is flushed, and ends when it is closed.
 *
 * @return 0; as all here.
 * @threads home
 */
SIL_API int sil_stream_shutdown(sil_stream *stream, sil_deadline until);

/* --- about ------------------------------------------------------------------------------------- */

/**
 * Its descriptor, to ask or set what we do not offer. Do not read, write or close it.
 *
 * @return returns borrowed; valid until sil_stream_close. -1 for NULL.
 * @threads home
 */
SIL_API int sil_stream_fd(const sil_stream *stream);

/**
 * The address of this end.
 *
 * @param out  receives it.
 * @return 0; SIL_ENOTSUP it is no socket; SIL_EINVAL; an errno value.
 * @threads home
 */
SIL_API int sil_stream_local(const sil_stream *stream, sil_address *out);

/**
 * The address of the other end.
 *
 * @return as sil_stream_local; ENOTCONN it is gone.
 * @threads home
 */
SIL_API int sil_stream_peer(const sil_stream *stream, sil_address *out);

/**
 * Send small pieces at once, as connections of ours do from the start, or have the system gather them
 * for a while (false: Nagle's algorithm).
 *
 * @return 0; SIL_ENOTSUP it is no TCP; SIL_EINVAL; an errno value.
 * @threads home
 */
SIL_API int sil_stream_set_nodelay(sil_stream *stream, bool nodelay);

/**
 * Have the system ask now and then whether the other side is still there, while nothing is sent: a
 * connection whose other side is gone fails with ETIMEDOUT then.
 *
 * @param seconds  between two questions, whole ones; four without an answer end it. 0: do not ask, as
 *                 it is from the start.
 * @return as sil_stream_set_nodelay.
 * @threads home
 */
SIL_API int sil_stream_set_keepalive(sil_stream *stream, unsigned seconds);

SIL_END_DECLS

#endif
