/* SPDX-License-Identifier: MIT */
/*
 * TLS as a transport (stream_impl.h).
 *
 * Reading and writing wait for the side beneath of the same name, but for the moments in which TLS has a
 * message of its own to send before it can read on: then both may wait for one side beneath, where only one
 * can. The other one waits for that one's coming back, and tries again.
 */
#include <openssl/crypto.h>
#include <string.h>
#include <sys/socket.h>

#include "tls/tls.h"

/* What one record holds. */
#define RECORD ((size_t)SSL3_RT_MAX_PLAIN_LENGTH)

/* --- waiting --------------------------------------------------------------------------------- */

static int wait_beneath(struct sil__tls *tls, sil_side side, sil_deadline until, const char *what)
{
    if (tls->waiting[side]) {
        if (!tls->others[side])
            tls->others[side] = sil_event_create("tls");
        if (!tls->others[side])
            return sil_error_code(sil_last_error());
        (void)sil_event_clear(tls->others[side]);
        return sil_event_wait(tls->others[side], until);
    }
    tls->waiting[side] = true;
    int code = sil_stream_wait(tls->beneath, side, until, what);
    tls->waiting[side] = false;
    if (tls->others[side])
        (void)sil_event_set(tls->others[side]);
    return code;
}

int sil__tls_wait(struct sil__tls *tls, sil_side side, sil_deadline until, const char *what)
{
    return wait_beneath(tls, tls->wants[side] == SIL__TLS_TO_READ ? SIL_READING : SIL_WRITING,
                        until, what);
}

/* Is it worth reading, though nobody has tried? */
static bool may_read(const struct sil__tls *tls)
{
    return tls->broken != 0 || SSL_has_pending(tls->ssl) ||
           (SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN);
}

static int wait_for(void *transport, sil_side side, sil_deadline until, const char *what)
{
    struct sil__tls *tls = transport;
    if (tls->wants[side] != SIL__TLS_NOTHING)
        return sil__tls_wait(tls, side, until, what);
    if (side == SIL_WRITING || may_read(tls))
        return 0;
    return wait_beneath(tls, SIL_READING, until, what);
}

/* --- reading and writing --------------------------------------------------------------------- */

static int read_some(void *transport, void *buffer, size_t size, size_t *out_got)
{
    static const char what[] = "reading by TLS";
    struct sil__tls *tls = transport;
    *out_got = 0;
    if (tls->broken != 0)
        return sil__tls_fail_again(tls, what);
    sil__tls_begin(tls, SIL_READING);
    int result = SSL_read_ex(tls->ssl, buffer, size, out_got);
    return sil__tls_end(tls, SIL_READING, result, what);
}

/* As much of the parts as one record holds, one behind the other. */
static void *gather(const struct iovec *parts, int count, size_t size)
{
    char *record = OPENSSL_malloc(size);
    size_t used = 0;
    for (int i = 0; record && i < count && used < size; i++) {
        size_t some = parts[i].iov_len < size - used ? parts[i].iov_len : size - used;
        if (some > 0)
            memcpy(record + used, parts[i].iov_base, some);
        used += some;
    }
    return record;
}

/* A try that fell short is to be made again with the same bytes: so it is, as the parts are the same. */
static int write_some(void *transport, const struct iovec *parts, int count, size_t *out_put)
{
    static const char what[] = "writing by TLS";
    struct sil__tls *tls = transport;
    *out_put = 0;
    if (tls->broken != 0)
        return sil__tls_fail_again(tls, what);
    while (count > 1 && parts->iov_len == 0) {
        parts++;
        count--;
    }
    const void *data = parts->iov_base;
    size_t size = parts->iov_len;
    void *record = NULL;
    if (size < RECORD && count > 1) {
        for (int i = 1; i < count && size < RECORD; i++)
            size += parts[i].iov_len;
        size = size < RECORD ? size : RECORD;
        data = record = gather(parts, count, size);
        if (!record)
            return sil_fail(SIL_ENOMEM, NULL);
    }
    sil__tls_begin(tls, SIL_WRITING);
    int result = SSL_write_ex(tls->ssl, data, size, out_put);
    int code = sil__tls_end(tls, SIL_WRITING, result, what);
    OPENSSL_free(record);
    return code;
}

/* --- ends ------------------------------------------------------------------------------------ */

/* Only TLS's own end: what is beneath goes on, since the other direction may need it. */
static int shut_down(void *transport, sil_deadline until)
{
    static const char what[] = "sil_stream_shutdown";
    struct sil__tls *tls = transport;
    while (!tls->told_end) {
        if (tls->broken != 0)
            return sil__tls_fail_again(tls, what);
        sil__tls_begin(tls, SIL_WRITING);
        int result = SSL_shutdown(tls->ssl);
        tls->told_end = result >= 0; /* 0: the other side has not told its end */
        int code = tls->told_end ? 0 : sil__tls_end(tls, SIL_WRITING, result, what);
        if (code == 0 && !tls->told_end)
            code = sil__tls_wait(tls, SIL_WRITING, until, what);
        if (code != 0)
            return code;
        if (tls->closed) /* I3; our caller says so */
            return 0;
    }
    return 0;
}

/* Who waits beneath must come out; there is no other way with a stream that is not ours to close. */
static void close_tls(void *transport)
{
    struct sil__tls *tls = transport;
    tls->closed = true;
    if (tls->owns)
        sil_stream_close(tls->beneath);
    else if (tls->waiting[SIL_READING] || tls->waiting[SIL_WRITING])
        (void)shutdown(sil_stream_fd(tls->beneath), SHUT_RDWR);
}

void sil__tls_free(struct sil__tls *tls)
{
    SSL_free(tls->ssl);
    sil_event_destroy(tls->others[SIL_READING]);
    sil_event_destroy(tls->others[SIL_WRITING]);
    OPENSSL_free(tls->protocol);
    OPENSSL_free(tls->peer);
    sil_tls_config_destroy(tls->config);
    OPENSSL_free(tls);
}

static void destroy(void *transport)
{
    sil__tls_free(transport);
}

static int descriptor(const void *transport)
{
    const struct sil__tls *tls = transport;
    return tls->closed ? -1 : sil_stream_fd(tls->beneath);
}

const sil_transport_ops sil__tls_ops = {
    .size = sizeof(sil_transport_ops),
    .kind = "tls",
    .read_some = read_some,
    .write_some = write_some,
    .wait = wait_for,
    .shutdown = shut_down,
    .close = close_tls,
    .destroy = destroy,
    .descriptor = descriptor,
};
