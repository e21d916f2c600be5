/* SPDX-License-Identifier: MIT */
/*
 * What can be asked of a TLS stream.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "tls/tls.h"

static struct sil__tls *tls_of(const sil_stream *stream)
{
    return sil_stream_transport(stream, &sil__tls_ops);
}

int sil_tls_own(sil_stream *stream)
{
    struct sil__tls *tls = tls_of(stream);
    if (!tls)
        return sil_fail(SIL_EINVAL, "sil_tls_own: it is no TLS stream");
    tls->owns = true;
    return 0;
}

const char *sil_tls_protocol(const sil_stream *stream)
{
    const struct sil__tls *tls = tls_of(stream);
    return tls ? tls->protocol : NULL;
}

const char *sil_tls_version(const sil_stream *stream)
{
    const struct sil__tls *tls = tls_of(stream);
    return tls ? SSL_get_version(tls->ssl) : NULL;
}

const char *sil_tls_cipher(const sil_stream *stream)
{
    const struct sil__tls *tls = tls_of(stream);
    return tls ? SSL_get_cipher_name(tls->ssl) : NULL;
}

/* In RFC 2253's way, but with letters outside ASCII as they are. NULL: no memory. */
static char *text_of(const X509_NAME *name)
{
    char *text = NULL;
    char *data;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long size = BIO_get_mem_data(bio, &data);
        text = OPENSSL_strndup(size > 0 ? data : "", size > 0 ? (size_t)size : 0);
    }
    BIO_free(bio);
    ERR_clear_error();
    return text;
}

const char *sil_tls_peer(const sil_stream *stream)
{
    struct sil__tls *tls = tls_of(stream);
    const X509 *certificate = tls ? SSL_get0_peer_certificate(tls->ssl) : NULL;
    if (certificate && !tls->peer)
        tls->peer = text_of(X509_get_subject_name(certificate));
    return certificate ? tls->peer : NULL;
}

const char *sil_tls_peer_error(const sil_stream *stream)
{
    const struct sil__tls *tls = tls_of(stream);
    if (!tls)
        return "this is no TLS stream";
    if (!SSL_get0_peer_certificate(tls->ssl))
        return "it has shown no certificate";
    long verified = SSL_get_verify_result(tls->ssl);
    return verified == X509_V_OK ? NULL : X509_verify_cert_error_string(verified);
}

SSL *sil_tls_ssl(const sil_stream *stream)
{
    const struct sil__tls *tls = tls_of(stream);
    return tls ? tls->ssl : NULL;
}
