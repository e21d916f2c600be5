/* SPDX-License-Identifier: MIT */
/*
 * Configs: OpenSSL's SSL_CTX, counted, since streams keep theirs.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#include "tls/tls.h"

/* --- protocols (ALPN) -------------------------------------------------------------------------- */

/* A server's choice: the first of ours that the client knows. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *theirs, unsigned theirs_size, void *user)
{
    (void)ssl;
    const sil_tls_config *config = user;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_size, config->protocols, config->protocols_size, theirs,
                              theirs_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int set_protocols(sil_tls_config *config, const char *const *protocols, const char *what)
{
    enum { MOST = 255, MOST_OF_ALL = 65535 };
    size_t size = 0;
    for (const char *const *name = protocols; name && *name; name++) {
        size_t length = strlen(*name);
        if (length == 0 || length > MOST || size + 1 + length > MOST_OF_ALL)
            return sil_fail(SIL_EINVAL, "%s: a protocol's name has 1 to 255 bytes", what);
        size += 1 + length;
    }
    if (size == 0)
        return 0;
    config->protocols = OPENSSL_malloc(size);
    if (!config->protocols)
        return sil_fail(SIL_ENOMEM, NULL);
    config->protocols_size = (unsigned)size;
    unsigned char *to = config->protocols;
    for (const char *const *name = protocols; *name; name++) {
        size_t length = strlen(*name);
        *to++ = (unsigned char)length;
        memcpy(to, *name, length);
        to += length;
    }
    if (config->server) {
        SSL_CTX_set_alpn_select_cb(config->context, choose_protocol, config);
        return 0;
    }
    bool set = SSL_CTX_set_alpn_protos(config->context, config->protocols, (unsigned)size) == 0;
    return set ? 0 : sil_fail(SIL_ENOMEM, NULL);
}

/* --- options ----------------------------------------------------------------------------------- */

static sil_tls_verify verify_of(const sil_tls_options *options, bool server)
{
    if (options->verify == SIL_TLS_VERIFY_DEFAULT)
        return server ? SIL_TLS_VERIFY_NONE : SIL_TLS_VERIFY_REQUIRED;
    return options->verify;
}

/* What makes no sense; NULL: it does. */
static const char *nonsense(const sil_tls_options *options, bool server)
{
    sil_tls_verify verify = verify_of(options, server);
    bool certificate = options->certificate_file || options->certificate_pem;
    bool trusts = options->ca_file || options->ca_directory || options->ca_pem;
    if (verify < SIL_TLS_VERIFY_NONE || verify > SIL_TLS_VERIFY_REQUIRED)
        return "there is no such verify";
    if (options->certificate_file && options->certificate_pem)
        return "the certificate is given twice";
    if (options->key_file && options->key_pem)
        return "the key is given twice";
    if (!certificate && (server || options->key_file || options->key_pem))
        return "there is no certificate";
    if (!server && verify == SIL_TLS_VERIFY_OPTIONAL)
        return "servers show a certificate always: verify cannot be optional";
    if (server && verify != SIL_TLS_VERIFY_NONE && !trusts)
        return "whose certificates are good? ca_file, ca_directory or ca_pem must say";
    return NULL;
}

static void set_basics(const sil_tls_config *config, const sil_tls_options *options)
{
    SSL_CTX *context = config->context;
    /* The system's own policy may be stricter. */
    if (SSL_CTX_get_min_proto_version(context) < TLS1_2_VERSION)
        (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    if (options->allow_truncation)
        SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1); /* else each record costs two reads */
    SSL_CTX_set_keylog_callback(context,
                                NULL); /* some builds begin with what the environment says */
    /* Clients resume with tickets, which need no memory of ours. */
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_id_context(context, (const unsigned char *)"sillon", 6);

    static const int modes[] = {
        [SIL_TLS_VERIFY_NONE] = SSL_VERIFY_NONE,
        [SIL_TLS_VERIFY_OPTIONAL] = SSL_VERIFY_PEER,
        [SIL_TLS_VERIFY_REQUIRED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    SSL_CTX_set_verify(context, modes[verify_of(options, config->server)], NULL);
}

static int refuse_ciphers(const char *list, const char *what)
{
    const char *reason;
    int code = sil__tls_reason(&reason) == SIL_ENOMEM ? SIL_ENOMEM : SIL_EINVAL;
    return sil_fail(code, "%s: '%s': %s", what, list, reason);
}

static int set_ciphers(SSL_CTX *context, const sil_tls_options *options, const char *what)
{
    if (options->ciphers && SSL_CTX_set_cipher_list(context, options->ciphers) != 1)
        return refuse_ciphers(options->ciphers, what);
    if (options->suites && SSL_CTX_set_ciphersuites(context, options->suites) != 1)
        return refuse_ciphers(options->suites, what);
    return 0;
}

/* --- life -------------------------------------------------------------------------------------- */

static int set_up(sil_tls_config *config, const sil_tls_options *options, const char *what)
{
    ERR_clear_error();
    config->context = SSL_CTX_new(config->server ? TLS_server_method() : TLS_client_method());
    if (!config->context) {
        const char *reason;
        int code = sil__tls_reason(&reason);
        return sil_fail(code, "%s: %s", what, reason);
    }
    set_basics(config, options);
    config->verifies = verify_of(options, config->server) == SIL_TLS_VERIFY_REQUIRED;
    int code = sil__tls_trust(config->context, options, config->server, what);
    if (code == 0)
        code = sil__tls_introduce(config->context, options, what);
    if (code == 0)
        code = set_ciphers(config->context, options, what);
    if (code == 0)
        code = set_protocols(config, options->protocols, what);
    return code;
}

static sil_tls_config *create(const sil_tls_options *options, bool server, const char *what)
{
    static const sil_tls_options defaults;
    if (!options)
        options = &defaults;
    const char *wrong = nonsense(options, server);
    if (wrong) {
        (void)sil_fail(SIL_EINVAL, "%s: %s", what, wrong);
        return NULL;
    }
    /* Its clean-up at exit would pull the rug from under loops that still run on other threads. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    sil_tls_config *config = OPENSSL_zalloc(sizeof *config);
    if (!config) {
        (void)sil_fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    atomic_init(&config->refs, 1);
    config->server = server;
    if (set_up(config, options, what) == 0)
        return config;
    sil_tls_config_destroy(config);
    return NULL;
}

sil_tls_config *sil_tls_client_config(const sil_tls_options *options)
{
    return create(options, false, "sil_tls_client_config");
}

sil_tls_config *sil_tls_server_config(const sil_tls_options *options)
{
    return create(options, true, "sil_tls_server_config");
}

SSL_CTX *sil_tls_config_context(const sil_tls_config *config)
{
    return config ? config->context : NULL;
}

void sil__tls_config_retain(sil_tls_config *config)
{
    atomic_fetch_add_explicit(&config->refs, 1, memory_order_relaxed);
}

void sil_tls_config_destroy(sil_tls_config *config)
{
    /* Release orders our use before the free; acquire makes the last one see it done. */
    if (!config || atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(config->context);
    OPENSSL_free(config->protocols);
    OPENSSL_free(config);
}
