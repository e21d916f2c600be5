/* SPDX-License-Identifier: MIT */
/*
 * TLS streams, from inside: an engine of OpenSSL that stands on a stream, as a transport of another one.
 *
 * OpenSSL asks for bytes and gives bytes through a BIO (bio.c) that tries the stream beneath, and never
 * waits: so no call of it ever suspends, and both directions may be in the midst of one. What a try fell
 * short of is remembered for its side, and waited for by wait (transport.c).
 *
 * I1: the coroutines of one loop use it, one for each side; OpenSSL sees one call at a time.
 * I2: each call of OpenSSL begins with sil__tls_begin and ends with sil__tls_end, with nothing that may
 *     suspend between: errors lie in a queue of the thread.
 * I3: after the stream on top was closed the stream beneath is not touched any more, except by who was
 *     waiting in it.
 */
#ifndef SIL__TLS_TLS_H
#define SIL__TLS_TLS_H

#include <openssl/ssl.h>
#include <sillon/error.h>
#include <sillon/status.h>
#include <sillon/stream_impl.h>
#include <sillon/sync.h>
#include <sillon/tls.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct sil_tls_config {
    _Atomic unsigned refs;

    /* Read-only after create. */
    SSL_CTX *context;
    bool server;
    bool verifies;
    unsigned char *protocols; /* as on the wire: each with its length before it; or NULL */
    unsigned protocols_size;
};

/* What the last try of a side fell short of. */
enum sil__tls_want { SIL__TLS_NOTHING, SIL__TLS_TO_READ, SIL__TLS_TO_WRITE };

struct sil__tls {
    SSL *ssl;
    sil_stream *beneath;
    sil_tls_config *config;      /* keeps: its context refers to it */
    enum sil__tls_want wants[2]; /* by side of ours */
    bool waiting[2];             /* by side beneath: one waits there, */
    sil_event *others[2];        /* and the other one for its coming back; NULL: never needed yet */
    int said;                    /* what the stream beneath failed with in this call */
    bool ended;                  /* the stream beneath has */
    int broken;                  /* nothing can be done any more: the code, */
    const char *reason;          /* and why, in words that live for ever */
    bool told_end;               /* the other side knows that nothing more comes */
    bool owns;                   /* the stream beneath is closed with it */
    bool closed;
    char *protocol; /* agreed on, or NULL */
    char *peer;     /* its subject, once asked for */
};

/* --- error.c ----------------------------------------------------------------------------------- */

/* The reason for OpenSSL's last failure, and the code that fits: SIL_ETLS, SIL_ENOMEM or an errno value.
 * Empties its queue. */
int sil__tls_reason(const char **out_reason);

/* --- bio.c ------------------------------------------------------------------------------------- */

/* A BIO on the stream beneath; NULL: no memory. */
BIO *sil__tls_bio(struct sil__tls *tls);

/* I2: before a call for this side. */
void sil__tls_begin(struct sil__tls *tls, sil_side side);

/* After it. 0: it fell short of something (wants), or succeeded (result > 0). SIL_EEND; any other code: it
 * has failed; with the last error set. what: for the message. */
int sil__tls_end(struct sil__tls *tls, sil_side side, int result, const char *what);

/* It is broken: say so again. */
int sil__tls_fail_again(const struct sil__tls *tls, const char *what);

/* --- transport.c ------------------------------------------------------------------------------- */

extern const sil_transport_ops sil__tls_ops;

/* Wait for what this side fell short of. */
int sil__tls_wait(struct sil__tls *tls, sil_side side, sil_deadline until, const char *what);

void sil__tls_free(struct sil__tls *tls);

/* --- config.c ---------------------------------------------------------------------------------- */

void sil__tls_config_retain(sil_tls_config *config);

/* --- credentials.c ----------------------------------------------------------------------------- */

/* Have the context trust whom the options say, and show what they say. what: for messages. */
int sil__tls_trust(SSL_CTX *context, const sil_tls_options *options, bool server, const char *what);
int sil__tls_introduce(SSL_CTX *context, const sil_tls_options *options, const char *what);

#endif
