/* SPDX-License-Identifier: MIT */
/*
 * A stream that makes trouble: a transport on another stream that moves bytes in pieces of any size, ends
 * early, holds writes back, fails, or has its user cancelled or timed out in a wait of the test's choice.
 */
#ifndef TESTS_UNIT_TLS_TROUBLE_H
#define TESTS_UNIT_TLS_TROUBLE_H

#include <stdlib.h>

#include <sillon/sillon.h>
#include <sillon/stream_impl.h>

#include "support/random.h"

/* What happens in the nth wait, or the nth try, of all streams that have this plan. */
struct plan {
    unsigned wait_at; /* from 1; 0: never */
    unsigned try_at;
    int code; /* SIL_ECANCELLED: the victim is cancelled; anything else: what the call fails with */
    sil_future *victim;
    unsigned waits; /* so many there were */
    unsigned tries;
};

/* All zero, but for the ends, is no trouble. */
struct trouble {
    sil_stream *inner; /* takes */
    struct random random;
    size_t most;      /* bytes at a time; 0: as many as there are */
    size_t read_end;  /* so many bytes can be read, then the stream ends */
    size_t flip_at;   /* this byte of what is read arrives changed, and no wait is long then, since
                            both sides may wait for the other */
    size_t have_read; /* so many have been */
    size_t have_written; /* and so many written */
    sil_event *writable; /* borrows: while it is not set, nothing can be written; NULL: always */
    struct plan *plan;   /* borrows; NULL: none */
};

static inline size_t trouble_piece(struct trouble *trouble, size_t size)
{
    return trouble->most > 0 && size > 1 ? 1 + random_below(&trouble->random, trouble->most) : size;
}

static inline int trouble_try(struct trouble *trouble)
{
    struct plan *plan = trouble->plan;
    if (!plan || ++plan->tries != plan->try_at)
        return 0;
    return sil_fail(plan->code, "trouble: it fails");
}

static inline int trouble_read(void *transport, void *buffer, size_t size, size_t *out_got)
{
    struct trouble *trouble = transport;
    *out_got = 0;
    int code = trouble_try(trouble);
    if (code != 0)
        return code;
    size_t piece = trouble_piece(trouble, size);
    size_t left = trouble->read_end - trouble->have_read;
    piece = piece < size ? piece : size;
    piece = piece < left ? piece : left;
    if (piece == 0)
        return sil_fail(SIL_EEND, "trouble: it ends");
    code = sil_stream_try_read(trouble->inner, buffer, piece, out_got);
    if (code == 0) {
        if (trouble->flip_at - trouble->have_read < *out_got)
            ((char *)buffer)[trouble->flip_at - trouble->have_read] ^=
                (char)(1 << random_below(&trouble->random, 8));
        trouble->have_read += *out_got;
    }
    return code;
}

static inline int trouble_write(void *transport, const struct iovec *parts, int count,
                                size_t *out_put)
{
    struct trouble *trouble = transport;
    *out_put = 0;
    int code = trouble_try(trouble);
    if (code != 0 || (trouble->writable && !sil_event_is_set(trouble->writable)))
        return code;
    for (int i = 0; i < count; i++) {
        size_t piece = trouble_piece(trouble, parts[i].iov_len);
        if (piece == 0)
            continue;
        piece = piece < parts[i].iov_len ? piece : parts[i].iov_len;
        code = sil_stream_try_write(trouble->inner, &(struct iovec){parts[i].iov_base, piece}, 1,
                                    out_put);
        break;
    }
    if (code == 0)
        trouble->have_written += *out_put;
    return code;
}

static inline int trouble_wait(void *transport, sil_side side, sil_deadline until, const char *what)
{
    struct trouble *trouble = transport;
    struct plan *plan = trouble->plan;
    if (plan && ++plan->waits == plan->wait_at) {
        if (plan->code != SIL_ECANCELLED)
            return sil_fail(plan->code, "trouble: the wait fails");
        (void)sil_future_cancel(plan->victim);
        return sil_sleep(SIL_FOREVER);
    }
    if (side == SIL_WRITING && trouble->writable && !sil_event_is_set(trouble->writable))
        return sil_event_wait(trouble->writable, until);
    if (side == SIL_READING && trouble->have_read == trouble->read_end)
        return 0;
    if (trouble->have_read > trouble->flip_at)
        until = sil_in(0.001);
    return sil_stream_wait(trouble->inner, side, until, what);
}

static inline void trouble_close(void *transport)
{
    sil_stream_close(((struct trouble *)transport)->inner);
}

static inline void trouble_destroy(void *transport)
{
    free(transport);
}

static inline int trouble_descriptor(const void *transport)
{
    return sil_stream_fd(((const struct trouble *)transport)->inner);
}

static const sil_transport_ops trouble_ops = {
    .size = sizeof(sil_transport_ops),
    .kind = "trouble",
    .read_some = trouble_read,
    .write_some = trouble_write,
    .wait = trouble_wait,
    .close = trouble_close,
    .destroy = trouble_destroy,
    .descriptor = trouble_descriptor,
};

/* stream: takes, and gives back the troubled one on it. */
static inline struct trouble *make_trouble(sil_stream **stream, unsigned seed)
{
    struct trouble *trouble = calloc(1, sizeof *trouble);
    if (!trouble)
        abort();
    trouble->inner = *stream;
    trouble->random.state = seed;
    trouble->read_end = trouble->flip_at = SIZE_MAX;
    if (sil_stream_create(&trouble_ops, trouble, stream) != 0)
        abort();
    return trouble;
}

#endif
