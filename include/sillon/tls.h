/* SPDX-License-Identifier: MIT */
/*
 * TLS: streams that nobody on the way can read or change, by OpenSSL. A library of its own, for those who
 * need it: -lsillon-tls (pkg-config sillon-tls, in CMake sillon::tls).
 *
 *     sil_tls_config *config = sil_tls_client_config(NULL);
 *     sil_stream *stream;
 *     int code = sil_tls_connect_to("example.org", "443", config, NULL, &stream, sil_in(10));
 *     code = sil_write(stream, request, request_size, sil_in(10));
 *     ...
 *     sil_stream_close(stream);
 *     sil_tls_config_destroy(config);
 *
 * and in a handler of sil_server_serve:
 *
 *     static int serve(sil_stream *plain, void *config)
 *     {
 *         sil_stream *stream;
 *         int code = sil_tls_accept(plain, config, &stream, sil_in(10));
 *         if (code != 0)
 *             return code;
 *         ...
 *         code = sil_stream_shutdown(stream, sil_in(10));
 *         sil_stream_close(stream);
 *         return code;
 *     }
 *
 * A TLS stream lies on another stream, any one, and is a stream like any other (stream.h): one coroutine
 * may read while another writes. Besides, its functions return
 *     SIL_ETLS  the handshake or the connection failed; the message has OpenSSL's reason.
 * After that all there is to do is to close it.
 *
 * TLS has an end of its own, which sil_stream_shutdown tells the other side; sil_stream_close does not,
 * for it also ends what failed half-way. So a stream that ends without was cut off, by an error or by an
 * attacker, and a read says SIL_ETLS then, not SIL_EEND.
 *
 * TLS 1.2 and 1.3; no renegotiation, no compression. A handshake computes for about a millisecond, in
 * which the loop runs nothing else, and needs up to 16 KiB of the coroutine's stack.
 */
#ifndef SILLON_TLS_H
#define SILLON_TLS_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <sillon/stream.h>
#include <stdbool.h>

struct ssl_st;
struct ssl_ctx_st;

/** How one side does TLS. Immutable: any number of threads and streams share one. */
typedef struct sil_tls_config sil_tls_config;

/** Must the other side prove who it is? */
typedef enum sil_tls_verify {
    SIL_TLS_VERIFY_DEFAULT,  /**< clients: REQUIRED; servers: NONE */
    SIL_TLS_VERIFY_NONE,     /**< no: so it may be anybody (sil_tls_peer_error tells) */
    SIL_TLS_VERIFY_OPTIONAL, /**< servers: clients may show a certificate, which must be good then */
    SIL_TLS_VERIFY_REQUIRED, /**< by a certificate of somebody we trust; servers by one for the name
                                  that the client was given */
} sil_tls_verify;

/** All zero is a client's default. Files, and texts called pem, hold any number of "-----BEGIN ..."
 *  parts. Everything is read and copied when the config is made. */
typedef struct sil_tls_options {
    /* Whom we trust: what is given here, together. Nothing: as the system does, for clients. */
    const char *ca_file;
    const char
        *ca_directory; /**< as `openssl rehash` makes it; files are read when they are needed */
    const char *ca_pem;
    bool ca_environment; /**< as the system does, but for what the environment's SSL_CERT_FILE and
                              SSL_CERT_DIR name */

    /* Who we are; servers must say. Our own certificate first, then those between it and the root. */
    const char *certificate_file;
    const char *certificate_pem; /**< instead of a file */
    const char *key_file;        /**< NULL: the key stands with the certificate */
    const char *key_pem;         /**< instead of a file */
    const char *key_password;    /**< NULL: it has none */

    sil_tls_verify verify;
    const char *const *protocols; /**< spoken inside (ALPN): "h2", "http/1.1", the best first; ends
                                       with NULL. A server refuses clients that know none of them, and
                                       takes those that do not ask. NULL: nothing is said about it */
    const char *ciphers;          /**< of TLS 1.2, as OpenSSL lists them; NULL: OpenSSL's choice */
    const char *suites;           /**< the same for TLS 1.3 */
    bool allow_truncation; /**< the connection may end without TLS's own end: reads say SIL_EEND */
} sil_tls_options;

SIL_BEGIN_DECLS

/* --- configs ----------------------------------------------------------------------------------- */

/**
 * How a client does TLS.
 *
 * @param options  borrows; NULL for the defaults: it trusts whom the system trusts, and has no
 *                 certificate.
 * @return returns owned: sil_tls_config_destroy. NULL with sil_last_error: SIL_ETLS a certificate or a
 *         key that is none, or do not belong together; ENOENT, EACCES and other errno values: a file
 *         cannot be read; SIL_EINVAL; SIL_ENOMEM.
 * @threads any
 * @blocks  while it reads files
 */
SIL_API sil_tls_config *sil_tls_client_config(const sil_tls_options *options);

/**
 * How a server does TLS.
 *
 * @param options  borrows: with a certificate and its key, and with whom to trust if verify is not NONE.
 * @return as sil_tls_client_config.
 * @threads any
 * @blocks  while it reads files
 */
SIL_API sil_tls_config *sil_tls_server_config(const sil_tls_options *options);

/**
 * OpenSSL's own object, to set what we do not offer, before the config is used.
 *
 * @return returns borrowed; valid until sil_tls_config_destroy. NULL for NULL.
 * @threads one
 */
SIL_API struct ssl_ctx_st *sil_tls_config_context(const sil_tls_config *config);

/**
 * Let go of a config. Streams that were made with it go on.
 *
 * @param config  takes; NULL allowed.
 * @threads any
 */
SIL_API void sil_tls_config_destroy(sil_tls_config *config);

/* --- streams ----------------------------------------------------------------------------------- */

/**
 * Begin TLS as the client, on a stream. What its buffer still holds is written before.
 *
 * @param stream       borrows: until the new stream is closed, which leaves this one open: close it
 *                     then, or have it owned (sil_tls_own). Nobody else may use it meanwhile. Only if
 *                     others wait in the new stream when it is closed, its connection ends with it.
 * @param config       keeps; sil_tls_client_config's.
 * @param server_name  borrows: what the server's certificate must be for, a host's name or an address as
 *                     text; names are told to the server, too (SNI). NULL: only where nothing is
 *                     verified.
 * @param out_stream   returns owned: sil_stream_close.
 * @return 0; SIL_ETLS; SIL_ETIMEDOUT; SIL_ECANCELLED; SIL_ECLOSED; an errno value; SIL_ENOMEM;
 *         SIL_ENOTASK; SIL_EINVAL. After a failure there is nothing to do with stream but to close it.
 * @threads coroutine
 * @blocks  until the deadline; only the coroutine waits
 */
SIL_API int sil_tls_connect(sil_stream *stream, sil_tls_config *config, const char *server_name,
                            sil_stream **out_stream, sil_deadline until);

/**
 * Begin TLS as the server, on a stream.
 *
 * @param stream      borrows, as sil_tls_connect.
 * @param config      keeps; sil_tls_server_config's.
 * @param out_stream  returns owned: sil_stream_close.
 * @return as sil_tls_connect.
 * @threads coroutine
 * @blocks  until the deadline; only the coroutine waits
 */
SIL_API int sil_tls_accept(sil_stream *stream, sil_tls_config *config, sil_stream **out_stream,
                           sil_deadline until);

/**
 * sil_connect, and TLS on top of it: one stream to close.
 *
 * @param host        borrows: also what the certificate must be for; NULL: "localhost".
 * @param service     borrows: as sil_connect.
 * @param config      keeps; sil_tls_client_config's.
 * @param options     borrows; NULL for the defaults.
 * @param out_stream  returns owned: sil_stream_close.
 * @return as sil_connect and sil_tls_connect.
 * @threads coroutine
 * @blocks  until the deadline; only the coroutine waits
 */
SIL_API int sil_tls_connect_to(const char *host, const char *service, sil_tls_config *config,
                               const sil_connect_options *options, sil_stream **out_stream,
                               sil_deadline until);

/**
 * Have a TLS stream own the stream beneath it: from now on sil_stream_close of the one closes both.
 *
 * @return 0; SIL_EINVAL it is no TLS stream.
 * @threads home
 */
SIL_API int sil_tls_own(sil_stream *stream);

/* --- about: for what is no TLS stream NULL, but where it says otherwise ---------------------------- */

/**
 * What both sides agreed to speak inside: one of sil_tls_options.protocols.
 *
 * @return returns borrowed; valid until sil_stream_close. NULL: nothing was agreed.
 * @threads home
 */
SIL_API const char *sil_tls_protocol(const sil_stream *stream);

/**
 * "TLSv1.3" or "TLSv1.2".
 *
 * @return returns borrowed; valid for ever.
 * @threads home
 */
SIL_API const char *sil_tls_version(const sil_stream *stream);

/**
 * The cipher, such as "TLS_AES_256_GCM_SHA384".
 *
 * @return returns borrowed; valid for ever.
 * @threads home
 */
SIL_API const char *sil_tls_cipher(const sil_stream *stream);

/**
 * Whom the other side's certificate is for: its subject, such as "CN=example.org,O=Example". Whether that
 * is to be believed says sil_tls_peer_error.
 *
 * @return returns borrowed; valid until sil_stream_close. NULL: it has shown none, or no memory.
 * @threads home
 */
SIL_API const char *sil_tls_peer(const sil_stream *stream);

/**
 * Why the other side has not proven who it is.
 *
 * @return returns borrowed; valid for ever. NULL: it has; so always where SIL_TLS_VERIFY_REQUIRED. A
 *         text, too, for what is no TLS stream.
 * @threads home
 */
SIL_API const char *sil_tls_peer_error(const sil_stream *stream);

/**
 * OpenSSL's own object, to ask what we do not offer. Do not read, write or shut down by it.
 *
 * @return returns borrowed; valid until sil_stream_close.
 * @threads home
 */
SIL_API struct ssl_st *sil_tls_ssl(const sil_stream *stream);

SIL_END_DECLS

#endif
