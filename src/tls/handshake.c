/* SPDX-License-Identifier: MIT */
/*
 * Beginning TLS on a stream: the handshake, after which it is a stream of its own.
 */
#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tls/tls.h"

/* The longest name of a host, with the '\0'. */
enum { HOST = 256 };

/* One handshake. */
struct begin {
    sil_stream *stream;
    sil_tls_config *config;
    const char *name; /* the server's, as a client was given it; or NULL */
    const char *what; /* the function's name */
};

/* --- the server's name ------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* As a certificate has it: without the dot of the root, or the zone of an address. */
static int plain_name(const char *name, char host[HOST], const char *what)
{
    size_t length = strlen(name);
    if (length > 0 && name[length - 1] == '.')
        length--;
    if (length == 0 || length >= HOST)
        return sil_fail(SIL_EINVAL, "%s: '%s' is no host's name", what, name);
    memcpy(host, name, length);
    host[length] = '\0';
    char *zone = strchr(host, '%');
    if (!zone)
        return 0;
    *zone = '\0';
    return is_address(host) ? 0 : sil_fail(SIL_EINVAL, "%s: '%s' is no host's name", what, name);
}

/* The certificate must be for this name. */
static int expect_name(SSL *ssl, const char *name, const char *what)
{
    char host[HOST];
    int code = plain_name(name, host, what);
    if (code != 0)
        return code;
    bool set;
    ERR_clear_error();
    if (is_address(host)) {
        set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    } else {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        set = SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
    }
    if (set)
        return 0;
    const char *reason;
    code = sil__tls_reason(&reason);
    return sil_fail(code, "%s: the name '%s': %s", what, name, reason);
}

/* --- the handshake ----------------------------------------------------------------------------- */

/* NULL with the last error set. */
static struct sil__tls *create(const struct begin *begin)
{
    ERR_clear_error();
    struct sil__tls *tls = OPENSSL_zalloc(sizeof *tls);
    if (!tls) {
        (void)sil_fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    tls->beneath = begin->stream;
    sil__tls_config_retain(begin->config);
    tls->config = begin->config;
    tls->ssl = SSL_new(begin->config->context);
    BIO *bio = tls->ssl ? sil__tls_bio(tls) : NULL;
    if (!bio) {
        const char *reason;
        int code = sil__tls_reason(&reason);
        (void)sil_fail(code, "%s: %s", begin->what, reason);
        sil__tls_free(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, bio, bio);
    if (begin->config->server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    if (!begin->name || expect_name(tls->ssl, begin->name, begin->what) == 0)
        return tls;
    sil__tls_free(tls);
    return NULL;
}

/* It failed with this code: say with whom, and why. */
static int explain(const struct begin *begin, const struct sil__tls *tls, int code)
{
    const char *who = begin->config->server ? "a client" : begin->name ? begin->name : "a server";
    const char *quote = begin->name ? "'" : "";
    const char *reason = tls->reason ? tls->reason : sil_strerror(code);
    long verified = SSL_get_verify_result(tls->ssl);
    switch (code) {
    case SIL_ETIMEDOUT:
        return sil_fail(code, "%s: the handshake with %s%s%s: the deadline came first", begin->what,
                        quote, who, quote);
    case SIL_EEND:
        code = SIL_ETLS; /* there was nothing yet that could have ended well */
        reason = "the other side ended it";
        break;
    case SIL_ETLS:
        break;
    default:
        if (code < 0)
            return code;
    }
    if (verified != X509_V_OK && SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE)
        return sil_fail(code, "%s: the certificate of %s%s%s was refused: %s", begin->what, quote,
                        who, quote, X509_verify_cert_error_string(verified));
    return sil_fail(code, "%s: the handshake with %s%s%s: %s", begin->what, quote, who, quote,
                    reason);
}

static int shake_hands(const struct begin *begin, struct sil__tls *tls, sil_deadline until)
{
    for (;;) {
        sil__tls_begin(tls, SIL_READING);
        int result = SSL_do_handshake(tls->ssl);
        int code = sil__tls_end(tls, SIL_READING, result, begin->what);
        if (code == 0 && result == 1)
            return 0;
        if (code == 0)
            code = sil__tls_wait(tls, SIL_READING, until, begin->what);
        if (code != 0)
            return explain(begin, tls, code);
    }
}

/* What is asked for later, and OpenSSL does not keep as a text. */
static int note(struct sil__tls *tls)
{
    const unsigned char *protocol;
    unsigned size;
    SSL_get0_alpn_selected(tls->ssl, &protocol, &size);
    if (size == 0)
        return 0;
    tls->protocol = OPENSSL_strndup((const char *)protocol, size);
    return tls->protocol ? 0 : sil_fail(SIL_ENOMEM, NULL);
}

static int begin_tls(const struct begin *begin, sil_stream **out_stream, sil_deadline until)
{
    int code = sil_flush(begin->stream, until);
    if (code != 0)
        return code;
    struct sil__tls *tls = create(begin);
    if (!tls)
        return sil_error_code(sil_last_error());
    code = shake_hands(begin, tls, until);
    if (code == 0)
        code = note(tls);
    if (code == 0)
        code = sil_stream_create(&sil__tls_ops, tls, out_stream);
    if (code != 0)
        sil__tls_free(tls);
    return code;
}

/* --- public ------------------------------------------------------------------------------------ */

static int check_client(const sil_tls_config *config, const char *name, sil_stream **out_stream,
                        const char *what)
{
    if (!config || config->server || !out_stream)
        return sil_fail(SIL_EINVAL, "%s: there is no config of a client, or out_stream is NULL",
                        what);
    if (!name && config->verifies)
        return sil_fail(SIL_EINVAL, "%s: for which name must the certificate be?", what);
    return 0;
}

int sil_tls_connect(sil_stream *stream, sil_tls_config *config, const char *server_name,
                    sil_stream **out_stream, sil_deadline until)
{
    const struct begin begin = {stream, config, server_name, "sil_tls_connect"};
    int code = check_client(config, server_name, out_stream, begin.what);
    return code == 0 ? begin_tls(&begin, out_stream, until) : code;
}

int sil_tls_accept(sil_stream *stream, sil_tls_config *config, sil_stream **out_stream,
                   sil_deadline until)
{
    const struct begin begin = {stream, config, NULL, "sil_tls_accept"};
    if (!config || !config->server || !out_stream)
        return sil_fail(SIL_EINVAL, "%s: there is no config of a server, or out_stream is NULL",
                        begin.what);
    return begin_tls(&begin, out_stream, until);
}

int sil_tls_connect_to(const char *host, const char *service, sil_tls_config *config,
                       const sil_connect_options *options, sil_stream **out_stream,
                       sil_deadline until)
{
    struct begin begin = {NULL, config, host ? host : "localhost", "sil_tls_connect_to"};
    int code = check_client(config, begin.name, out_stream, begin.what);
    if (code == 0)
        code = sil_connect(host, service, options, &begin.stream, until);
    if (code != 0)
        return code;
    code = begin_tls(&begin, out_stream, until);
    if (code == 0)
        code = sil_tls_own(*out_stream);
    else
        sil_stream_close(begin.stream);
    return code;
}
