/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL's calls, and where they get their bytes from: a BIO that tries the stream beneath.
 *
 * A cancel of the coroutine may be delivered by such a try. To OpenSSL that is as if nothing were there,
 * so its state stays whole; our caller gets the cancel.
 */
#include <openssl/bio.h>
#include <openssl/err.h>

#include "tls/tls.h"

/* --- the BIO --------------------------------------------------------------------------------- */

/* Nothing moved: what does that mean to OpenSSL? */
static int nothing(BIO *bio, struct sil__tls *tls, int code, int retry)
{
    tls->said = code;
    if (code == 0 || code == SIL_ECANCELLED)
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    return -1;
}

static int read_beneath(BIO *bio, char *buffer, int size)
{
    struct sil__tls *tls = BIO_get_data(bio);
    size_t got = 0;
    BIO_clear_retry_flags(bio);
    int code = sil_stream_try_read(tls->beneath, buffer, (size_t)size, &got);
    tls->ended = code == SIL_EEND;
    if (tls->ended)
        return 0;
    return code == 0 && got > 0 ? (int)got : nothing(bio, tls, code, BIO_FLAGS_READ);
}

static int write_beneath(BIO *bio, const char *data, int size)
{
    struct sil__tls *tls = BIO_get_data(bio);
    size_t put = 0;
    BIO_clear_retry_flags(bio);
    int code =
        sil_stream_try_write(tls->beneath, &(struct iovec){(void *)data, (size_t)size}, 1, &put);
    return code == 0 && put > 0 ? (int)put : nothing(bio, tls, code, BIO_FLAGS_WRITE);
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    const struct sil__tls *tls = BIO_get_data(bio);
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return tls->ended;
    default:
        return 0;
    }
}

static BIO_METHOD *make_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sillon stream");
    if (!method)
        return NULL;
    (void)BIO_meth_set_read(method, read_beneath);
    (void)BIO_meth_set_write(method, write_beneath);
    (void)BIO_meth_set_ctrl(method, control);
    return method;
}

/* Made once, for good. */
static const BIO_METHOD *the_method(void)
{
    static _Atomic(BIO_METHOD *) kept;
    /* Acquire, also in a failed exchange, pairs with the release of who made it. */
    BIO_METHOD *method = atomic_load_explicit(&kept, memory_order_acquire);
    if (method)
        return method;
    BIO_METHOD *made = make_method();
    if (!made || atomic_compare_exchange_strong_explicit(&kept, &method, made, memory_order_acq_rel,
                                                         memory_order_acquire))
        return made;
    BIO_meth_free(made);
    return method;
}

BIO *sil__tls_bio(struct sil__tls *tls)
{
    const BIO_METHOD *method = the_method();
    BIO *bio = method ? BIO_new(method) : NULL;
    if (bio) {
        BIO_set_data(bio, tls);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* --- calls ----------------------------------------------------------------------------------- */

void sil__tls_begin(struct sil__tls *tls, sil_side side)
{
    tls->wants[side] = SIL__TLS_NOTHING;
    tls->said = 0;
    tls->ended = false;
    ERR_clear_error();
}

/* Why? The code is kept for all later calls. What the stream beneath said is the reason if OpenSSL has
 * none: else it only did not take the alert that told the other side. */
static int break_down(struct sil__tls *tls, const char *what)
{
    if (tls->said != 0 && tls->said != SIL_ECANCELLED && ERR_peek_error() == 0) {
        tls->broken = tls->said; /* the last error is set */
        return tls->said;
    }
    tls->broken = sil__tls_reason(&tls->reason);
    if (tls->ended && tls->broken == SIL_ETLS)
        tls->reason = "the connection has ended without TLS's own end: it may have been cut off";
    if (tls->said == SIL_ECANCELLED)
        return tls->said;
    return sil_fail(tls->broken, "%s: %s", what, tls->reason);
}

int sil__tls_end(struct sil__tls *tls, sil_side side, int result, const char *what)
{
    if (result > 0)
        return 0;
    int error = SSL_get_error(tls->ssl, result);
    switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        if (tls->said != 0)
            return tls->said;
        tls->wants[side] = error == SSL_ERROR_WANT_READ ? SIL__TLS_TO_READ : SIL__TLS_TO_WRITE;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        if (tls->said == 0)
            return sil_fail(SIL_EEND, "the stream has ended");
        /* The other side's end came before, and now a write failed. */
        return break_down(tls, what);
    default:
        return break_down(tls, what);
    }
}

int sil__tls_fail_again(const struct sil__tls *tls, const char *what)
{
    return sil_fail(tls->broken, "%s: it has failed before: %s", what,
                    tls->reason ? tls->reason : sil_strerror(tls->broken));
}
