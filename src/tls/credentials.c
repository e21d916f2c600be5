/* SPDX-License-Identifier: MIT */
/*
 * Whom a config trusts, and who it says it is: certificates and keys, from files or texts.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <string.h>
#include <unistd.h>

#include "tls/tls.h"

/* A file, or a text. */
struct source {
    const char *file;
    const char *pem;
    const char *what; /* the function's name */
};

static int failed(const struct source *source)
{
    const char *reason;
    int code = sil__tls_reason(&reason);
    return source->file ? sil_fail(code, "%s: '%s': %s", source->what, source->file, reason)
                        : sil_fail(code, "%s: a text: %s", source->what, reason);
}

static BIO *open_source(const struct source *source)
{
    ERR_clear_error();
    return source->file ? BIO_new_file(source->file, "r") : BIO_new_mem_buf(source->pem, -1);
}

/* Never ask the terminal, which is what OpenSSL does by itself. */
static int give_password(char *buffer, int size, int writing, void *user)
{
    (void)writing;
    size_t length = user ? strlen(user) : 0;
    if (length >= (size_t)size)
        return -1;
    memcpy(buffer, user ? user : "", length + 1);
    return (int)length;
}

/* --- certificates ---------------------------------------------------------------------------- */

/* Takes one more certificate, index from 0; 0: it failed. */
typedef int (*take_fn)(SSL_CTX *context, X509 *certificate, int index);

/* Has the last read found no further part? */
static bool at_end(void)
{
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* Each certificate in the source, at least one. */
static int for_each(const struct source *source, SSL_CTX *context, take_fn take)
{
    BIO *bio = open_source(source);
    if (!bio)
        return failed(source);
    int index = 0;
    bool taken = true;
    for (;;) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, give_password, NULL);
        if (!certificate)
            break;
        taken = take(context, certificate, index++) == 1;
        X509_free(certificate);
        if (!taken)
            break;
    }
    int code = 0;
    if (!taken || index == 0 || !at_end())
        code = failed(source);
    BIO_free(bio);
    ERR_clear_error();
    return code;
}

static int take_trusted(SSL_CTX *context, X509 *certificate, int index)
{
    (void)index;
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
}

/* Clients are told whose certificates are good: they may have several of their own. */
static int take_trusted_of_clients(SSL_CTX *context, X509 *certificate, int index)
{
    return take_trusted(context, certificate, index) && SSL_CTX_add_client_CA(context, certificate);
}

static int take_own(SSL_CTX *context, X509 *certificate, int index)
{
    return index == 0 ? SSL_CTX_use_certificate(context, certificate)
                      : (int)SSL_CTX_add1_chain_cert(context, certificate);
}

/* --- trust ----------------------------------------------------------------------------------- */

/* Whom the system trusts. That there is nobody shows when a certificate is verified. */
static int trust_as_system(SSL_CTX *context, bool environment, const char *what)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    bool set;
    if (environment) {
        set = X509_STORE_set_default_paths(store) == 1;
    } else {
        (void)X509_STORE_load_file(store, X509_get_default_cert_file());
        set = X509_STORE_load_path(store, X509_get_default_cert_dir()) == 1;
    }
    const char *reason;
    int code = sil__tls_reason(&reason);
    return set ? 0 : sil_fail(code, "%s: whom the system trusts: %s", what, reason);
}

static int trust_directory(SSL_CTX *context, const char *directory, const char *what)
{
    const struct source source = {.file = directory, .what = what};
    if (access(directory, R_OK | X_OK) != 0) {
        int error = errno;
        return sil_fail(error, "%s: '%s': %s", what, directory, sil_strerror(error));
    }
    ERR_clear_error();
    bool set = X509_STORE_load_path(SSL_CTX_get_cert_store(context), directory) == 1;
    return set ? 0 : failed(&source);
}

int sil__tls_trust(SSL_CTX *context, const sil_tls_options *options, bool server, const char *what)
{
    take_fn take = server ? take_trusted_of_clients : take_trusted;
    int code = 0;
    if (options->ca_file)
        code = for_each(&(struct source){.file = options->ca_file, .what = what}, context, take);
    if (code == 0 && options->ca_pem)
        code = for_each(&(struct source){.pem = options->ca_pem, .what = what}, context, take);
    if (code == 0 && options->ca_directory)
        code = trust_directory(context, options->ca_directory, what);
    if (!options->ca_file && !options->ca_pem && !options->ca_directory && !server)
        code = trust_as_system(context, options->ca_environment, what);
    return code;
}

/* --- who we are ------------------------------------------------------------------------------ */

static int use_key(const struct source *source, SSL_CTX *context, const char *password)
{
    BIO *bio = open_source(source);
    if (!bio)
        return failed(source);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_password, (void *)password);
    int code = 0;
    if (!key || SSL_CTX_use_PrivateKey(context, key) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        code = failed(source);
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return code;
}

int sil__tls_introduce(SSL_CTX *context, const sil_tls_options *options, const char *what)
{
    struct source certificate = {options->certificate_file, options->certificate_pem, what};
    struct source key = {options->key_file, options->key_pem, what};
    if (!certificate.file && !certificate.pem)
        return 0;
    if (!key.file && !key.pem)
        key = certificate;
    int code = for_each(&certificate, context, take_own);
    return code == 0 ? use_key(&key, context, options->key_password) : code;
}
