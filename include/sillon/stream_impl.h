/* SPDX-License-Identifier: MIT */
/*
 * The contract between a stream and its transport, for those who write transports: TLS, compression,
 * a transport of a test. Everything of stream.h works on top of one.
 *
 * A transport is an object of yours and a table of operations. To try (read_some, write_some) never
 * suspends; to wait does. That lets a transport that must read in order to write (TLS) run both
 * directions on one stream beneath: it drives its engine with sil_stream_try_read and
 * sil_stream_try_write of that stream, remembers what the engine is short of, and waits for that with
 * sil_stream_wait.
 *
 * The library calls them from coroutines of one loop; at most one reads and at most one writes at a
 * time, also in their waits, but the two mix: between any two calls of the one there may be calls of the
 * other. wait and shutdown may suspend, and then those of the other direction are called meanwhile.
 *
 * To add a transport:
 *   1. fill a sil_transport_ops; read_some, write_some, wait, close and destroy are required;
 *   2. sil_stream_create with your object: it becomes the stream's;
 *   3. close: nothing more will be begun. Whoever is inside wait or shutdown must come out soon: close the
 *      stream beneath, and they get SIL_ECLOSED from it;
 *   4. destroy: nobody is inside any more. Free it.
 */
#ifndef SILLON_STREAM_IMPL_H
#define SILLON_STREAM_IMPL_H

#include <sillon/stream.h>

typedef enum sil_side { SIL_READING, SIL_WRITING } sil_side;

typedef struct sil_transport_ops {
    size_t size;      /**< sizeof(sil_transport_ops): what the transport was compiled with */
    const char *kind; /**< "tls"; for messages */

    /** Read what is there, at most size (> 0) bytes. 0: *out_got bytes; none: wait for SIL_READING.
     *  SIL_EEND; any other code: it has failed, with the last error set (sil_fail). */
    int (*read_some)(void *transport, void *buffer, size_t size, size_t *out_got);

    /** Write some of the parts (count > 0, their sum too). 0: *out_put bytes are on their way; none: wait
     *  for SIL_WRITING. Any other code: it has failed, with the last error set. */
    int (*write_some)(void *transport, const struct iovec *parts, int count, size_t *out_put);

    /** Wait until it is worth trying this side again: at once, if it is. May come back for nothing. After
     *  SIL_ETIMEDOUT the next try must really try: the deadline may have come together with the data.
     *  what: the name of the function its user called. Other codes: as read_some. */
    int (*wait)(void *transport, sil_side side, sil_deadline until, const char *what);

    /** Tell the other side that nothing more will come. NULL: it has no way to. */
    int (*shutdown)(void *transport, sil_deadline until);

    void (*close)(void *transport);
    void (*destroy)(void *transport);

    /** The descriptor at the bottom. NULL: none. */
    int (*descriptor)(const void *transport);
} sil_transport_ops;

SIL_BEGIN_DECLS

/**
 * A stream on a transport.
 *
 * @param ops         borrows; for ever.
 * @param transport   takes.
 * @param out_stream  returns owned: sil_stream_close.
 * @return 0; SIL_ENOMEM; SIL_ENOTASK; SIL_EINVAL.
 * @threads coroutine
 */
SIL_API int sil_stream_create(const sil_transport_ops *ops, void *transport,
                              sil_stream **out_stream);

/**
 * The transport of a stream, if it is of this kind.
 *
 * @return returns borrowed; valid until sil_stream_close. NULL if it is not.
 * @threads home
 */
SIL_API void *sil_stream_transport(const sil_stream *stream, const sil_transport_ops *ops);

/**
 * What can be read now, without waiting; what a stream has in its buffer comes first.
 *
 * @param buffer   receives at most size bytes; size > 0.
 * @param out_got  receives how many; none: sil_stream_wait.
 * @return 0; SIL_EEND; SIL_ECLOSED; SIL_ENOTASK; SIL_EINVAL; an errno value.
 * @threads home
 */
SIL_API int sil_stream_try_read(sil_stream *stream, void *buffer, size_t size, size_t *out_got);

/**
 * Write what can be written now, without waiting. Not while another coroutine writes, nor with anything
 * in the stream's buffer.
 *
 * @param parts    borrows; count > 0.
 * @param out_put  receives how many bytes; none: sil_stream_wait.
 * @return 0; SIL_ECLOSED; SIL_ENOTASK; SIL_EINVAL; an errno value.
 * @threads home
 */
SIL_API int sil_stream_try_write(sil_stream *stream, const struct iovec *parts, size_t count,
                                 size_t *out_put);

/**
 * Wait until it is worth trying this side again. It may come back for nothing. Several may wait for the
 * same side: who is to write may have to wait for something to read.
 *
 * @param what  borrows: the name of what is waiting, for the message of a cancel; NULL allowed.
 * @return 0; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ECLOSED; SIL_ENOTASK; SIL_EINVAL; an errno value.
 * @threads home
 * @blocks  until the deadline; only the coroutine waits
 */
SIL_API int sil_stream_wait(sil_stream *stream, sil_side side, sil_deadline until,
                            const char *what);

SIL_END_DECLS

#endif
