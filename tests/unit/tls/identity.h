/* SPDX-License-Identifier: MIT */
/*
 * Certificates and keys, made when they are needed: a CA that signs, and what it signs, good and bad.
 */
#ifndef TESTS_UNIT_TLS_IDENTITY_H
#define TESTS_UNIT_TLS_IDENTITY_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY (24L * 60 * 60)

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char *certificate_pem;
    char *key_pem;
    char *pem; /* both */
};

/* All that tests need; made by make_identities. */
__attribute__((unused)) static struct {
    struct identity ca;
    struct identity other_ca;
    struct identity localhost; /* for this name, and for 127.0.0.1 and ::1 */
    struct identity wrong;     /* for another name */
    struct identity expired;
    struct identity stranger; /* for localhost, by other_ca */
    struct identity client;
} identities;

static inline _Noreturn void identity_failed(const char *what)
{
    (void)fprintf(stderr, "cannot make certificates: %s\n", what);
    abort();
}

static inline char *identity_text(const struct identity *identity, int certificate, int key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    if (!bio || (certificate && PEM_write_bio_X509(bio, identity->certificate) != 1) ||
        (key && PEM_write_bio_PrivateKey(bio, identity->key, NULL, NULL, 0, NULL, NULL) != 1))
        identity_failed("PEM");
    long size = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)size);
    BIO_free(bio);
    return text;
}

static inline void identity_extend(const struct identity *identity, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    if (!extension || X509_add_ext(identity->certificate, extension, -1) != 1)
        identity_failed(value);
    X509_EXTENSION_free(extension);
}

/* issuer: NULL: itself, and it may sign others. names: as "DNS:localhost"; NULL: none. It is valid from
 * ten days before so many days from now, until then. */
static inline struct identity make_identity(const struct identity *issuer, const char *common_name,
                                            const char *names, long days)
{
    static long serial = 1;
    struct identity made = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
    const struct identity *by = issuer ? issuer : &made;
    X509 *certificate = made.certificate;
    if (!made.key || !certificate)
        identity_failed("a key");
    X509_NAME *subject = X509_get_subject_name(certificate);
    if (X509_set_version(certificate, 2) != 1 || X509_set_pubkey(certificate, made.key) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++) != 1 ||
        !X509_gmtime_adj(X509_getm_notBefore(certificate), (days - 10) * DAY) ||
        !X509_gmtime_adj(X509_getm_notAfter(certificate), days * DAY) ||
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                   -1, -1, 0) != 1 ||
        X509_set_issuer_name(certificate, X509_get_subject_name(by->certificate)) != 1)
        identity_failed(common_name);
    identity_extend(&made, NID_basic_constraints,
                    issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names)
        identity_extend(&made, NID_subject_alt_name, names);
    if (X509_sign(certificate, by->key, EVP_sha256()) == 0)
        identity_failed("a signature");
    made.certificate_pem = identity_text(&made, 1, 0);
    made.key_pem = identity_text(&made, 0, 1);
    made.pem = identity_text(&made, 1, 1);
    return made;
}

static inline void free_identity(const struct identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
    free(identity->certificate_pem);
    free(identity->key_pem);
    free(identity->pem);
}

static inline void make_identities(void)
{
    const char *local = "DNS:localhost,IP:127.0.0.1,IP:::1";
    identities.ca = make_identity(NULL, "sillon test CA", NULL, 5);
    identities.other_ca = make_identity(NULL, "another CA", NULL, 5);
    identities.localhost = make_identity(&identities.ca, "localhost", local, 5);
    identities.wrong = make_identity(&identities.ca, "elsewhere", "DNS:elsewhere.example", 5);
    identities.expired = make_identity(&identities.ca, "localhost", local, -1);
    identities.stranger = make_identity(&identities.other_ca, "localhost", local, 5);
    identities.client = make_identity(&identities.ca, "J\xc3\xbcrgen", NULL, 5);
}

static inline void free_identities(void)
{
    free_identity(&identities.ca);
    free_identity(&identities.other_ca);
    free_identity(&identities.localhost);
    free_identity(&identities.wrong);
    free_identity(&identities.expired);
    free_identity(&identities.stranger);
    free_identity(&identities.client);
}

#endif
