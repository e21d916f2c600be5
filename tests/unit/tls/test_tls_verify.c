/* SPDX-License-Identifier: MIT */
/*
 * TLS: who is believed to be whom, and what configs are made of.
 */
#include <sillon/tls.h>

#include <openssl/ssl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/tls/pair.h"

/* --- servers ----------------------------------------------------------------------------------- */

struct refusal {
    const struct identity *identity; /* the server's */
    const char *name;                /* what the client wants */
    const char *reason;              /* NULL: it is accepted */
};

/* A client that verifies nothing gets through, and is told the reason all the same. */
static int try_refusal(const struct refusal *refusal, sil_tls_config *trusting)
{
    struct pair pair;
    sil_tls_config *server =
        must(sil_tls_server_config(&(sil_tls_options){.certificate_pem = refusal->identity->pem}));
    int code = pair_open_with(&pair, configs.client, server, refusal->name);
    EXPECT_CODE(code, refusal->reason ? SIL_ETLS : 0);
    if (refusal->reason) {
        EXPECT(has(pair.messages[CLIENT], refusal->reason));
        EXPECT(has(pair.messages[CLIENT], refusal->name));
        EXPECT(has(pair.messages[CLIENT], "certificate of"));
        EXPECT(pair.codes[SERVER] != 0 && has(pair.messages[SERVER], "alert"));
        EXPECT(!pair.tls[CLIENT] && !pair.tls[SERVER]);
    }
    pair_close(&pair);
    EXPECT_CODE(pair_open_with(&pair, trusting, server, refusal->name), 0);
    const char *why = sil_tls_peer_error(pair.tls[CLIENT]);
    EXPECT(refusal->reason ? why && has(why, refusal->reason) : !why);
    pair_close(&pair);
    sil_tls_config_destroy(server);
    return 0;
}

SCENARIO(servers_are_verified)
{
    (void)arg, (void)result;
    const struct refusal refusals[] = {
        {&identities.localhost, "localhost", NULL},
        {&identities.localhost, "localhost.", NULL},
        {&identities.localhost, "LOCALHOST", NULL},
        {&identities.localhost, "127.0.0.1", NULL},
        {&identities.localhost, "::1%lo", NULL},
        {&identities.localhost, "127.0.0.2", "IP address mismatch"},
        {&identities.localhost, "::2", "IP address mismatch"},
        {&identities.localhost, "localhost.example", "hostname mismatch"},
        {&identities.wrong, "localhost", "hostname mismatch"},
        {&identities.wrong, "127.0.0.1", "IP address mismatch"},
        {&identities.wrong, "elsewhere.example", NULL},
        {&identities.expired, "localhost", "certificate has expired"},
        {&identities.stranger, "localhost", "unable to get local issuer certificate"},
        {&identities.other_ca, "localhost", "self-signed certificate"},
    };
    sil_tls_config *trusting = must(sil_tls_client_config(&(sil_tls_options){
        .ca_pem = identities.ca.certificate_pem, .verify = SIL_TLS_VERIFY_NONE}));
    for (size_t i = 0; i < COUNT_OF(refusals); i++)
        EXPECT_PART(try_refusal(&refusals[i], trusting));
    sil_tls_config_destroy(trusting);
    return 0;
}

SCENARIO(without_verifying_no_name_is_needed)
{
    (void)arg, (void)result;
    struct pair pair;
    sil_tls_config *trusting =
        must(sil_tls_client_config(&(sil_tls_options){.verify = SIL_TLS_VERIFY_NONE}));
    EXPECT_CODE(pair_open_with(&pair, trusting, configs.server, NULL), 0);
    EXPECT(has(sil_tls_peer_error(pair.tls[CLIENT]), "unable to get local issuer certificate"));
    EXPECT(!SSL_get_servername(sil_tls_ssl(pair.tls[SERVER]), TLSEXT_NAMETYPE_host_name));
    pair_close(&pair);
    EXPECT_CODE(pair_open_with(&pair, trusting, configs.server, "some.name."), 0);
    EXPECT(strcmp(SSL_get_servername(sil_tls_ssl(pair.tls[SERVER]), TLSEXT_NAMETYPE_host_name),
                  "some.name") == 0);
    pair_close(&pair);
    EXPECT_CODE(pair_open_with(&pair, trusting, configs.server, "10.0.0.1"), 0);
    EXPECT(!SSL_get_servername(sil_tls_ssl(pair.tls[SERVER]), TLSEXT_NAMETYPE_host_name));
    pair_close(&pair);
    sil_tls_config_destroy(trusting);
    return 0;
}

/* What the system trusts, and nothing else. The environment counts only where it is told to. */
SCENARIO(the_environment_is_not_read_unless_told)
{
    (void)arg, (void)result;
    char path[] = "/tmp/sillon_tls_XXXXXX";
    int fd = mkstemp(path);
    EXPECT(fd >= 0);
    const char *text = identities.ca.certificate_pem;
    EXPECT(write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
    EXPECT(setenv("SSL_CERT_FILE", path, 1) == 0);
    for (int told = 0; told < 2; told++) {
        struct pair pair;
        sil_tls_config *client =
            must(sil_tls_client_config(told ? &(sil_tls_options){.ca_environment = true} : NULL));
        int code = pair_open_with(&pair, client, configs.server, "localhost");
        EXPECT_CODE(code, told ? 0 : SIL_ETLS);
        EXPECT(told || has(pair.messages[CLIENT], "unable to get local issuer"));
        pair_close(&pair);
        sil_tls_config_destroy(client);
    }
    EXPECT(unsetenv("SSL_CERT_FILE") == 0 && unlink(path) == 0);
    return 0;
}

/* --- clients ----------------------------------------------------------------------------------- */

/* TLS 1.2 and 1.3 differ in when the client learns that it was refused. */
static int try_client(const struct identity *identity, sil_tls_verify verify, int version,
                      const char *reason)
{
    struct pair pair;
    char byte;
    size_t got;
    sil_tls_config *server = must(sil_tls_server_config(
        &(sil_tls_options){.certificate_pem = identities.localhost.certificate_pem,
                           .key_pem = identities.localhost.key_pem,
                           .ca_pem = identities.ca.certificate_pem,
                           .verify = verify}));
    SSL_CTX_set_max_proto_version(sil_tls_config_context(server), version);
    sil_tls_config *client = must(sil_tls_client_config(
        &(sil_tls_options){.ca_pem = identities.ca.certificate_pem,
                           .certificate_pem = identity ? identity->pem : NULL}));
    int code = pair_open_with(&pair, client, server, "localhost");
    EXPECT_CODE(pair.codes[SERVER], reason ? SIL_ETLS : 0);
    if (reason) {
        EXPECT(has(pair.messages[SERVER], reason) && has(pair.messages[SERVER], "a client"));
        if (pair.codes[CLIENT] == 0)
            EXPECT_CODE(sil_read(pair.tls[CLIENT], &byte, 1, &got, SIL_FOREVER), SIL_ETLS);
    } else {
        EXPECT_CODE(code, 0);
        const char *who = sil_tls_peer(pair.tls[SERVER]);
        EXPECT(identity ? who && strcmp(who, "CN=J\xc3\xbcrgen") == 0 : !who);
        EXPECT((sil_tls_peer_error(pair.tls[SERVER]) == NULL) == (identity != NULL));
    }
    pair_close(&pair);
    sil_tls_config_destroy(server);
    sil_tls_config_destroy(client);
    return 0;
}

SCENARIO(clients_are_verified)
{
    (void)arg, (void)result;
    const struct identity *good = &identities.client;
    const struct identity *bad = &identities.stranger;
    const sil_tls_verify optional = SIL_TLS_VERIFY_OPTIONAL;
    const sil_tls_verify required = SIL_TLS_VERIFY_REQUIRED;
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (int i = 0; i < 2; i++) {
        EXPECT_PART(try_client(good, required, versions[i], NULL));
        EXPECT_PART(try_client(good, optional, versions[i], NULL));
        EXPECT_PART(try_client(NULL, optional, versions[i], NULL));
        EXPECT_PART(try_client(NULL, required, versions[i], "did not return a certificate"));
        EXPECT_PART(try_client(bad, required, versions[i], "unable to get local issuer"));
        EXPECT_PART(try_client(bad, optional, versions[i], "unable to get local issuer"));
    }
    return 0;
}

/* --- configs ----------------------------------------------------------------------------------- */

static void assert_refused(sil_tls_config *config, int code, const char *part)
{
    if (config)
        sil_tls_config_destroy(config);
    assert_null(config);
    assert_code(sil_error_code(sil_last_error()), code);
    assert_contains(sil_error_message(sil_last_error()), part);
}

#define SERVER_CONFIG(...) sil_tls_server_config(&(sil_tls_options){__VA_ARGS__})
#define CLIENT_CONFIG(...) sil_tls_client_config(&(sil_tls_options){__VA_ARGS__})

static void test_nonsense_is_refused(void **state)
{
    (void)state;
    const char *pem = identities.localhost.pem;
    static const char *const empty_name[] = {"h2", "", NULL};
    assert_refused(sil_tls_server_config(NULL), SIL_EINVAL, "no certificate");
    assert_refused(CLIENT_CONFIG(.key_pem = pem), SIL_EINVAL, "no certificate");
    assert_refused(CLIENT_CONFIG(.verify = SIL_TLS_VERIFY_OPTIONAL), SIL_EINVAL, "optional");
    assert_refused(CLIENT_CONFIG(.verify = (sil_tls_verify)9), SIL_EINVAL, "verify");
    assert_refused(CLIENT_CONFIG(.protocols = empty_name), SIL_EINVAL, "protocol");
    assert_refused(CLIENT_CONFIG(.ciphers = "none of these"), SIL_EINVAL, "none of these");
    assert_refused(CLIENT_CONFIG(.suites = "nor these"), SIL_EINVAL, "nor these");
    assert_refused(SERVER_CONFIG(.certificate_pem = pem, .certificate_file = "x"), SIL_EINVAL,
                   "twice");
    assert_refused(SERVER_CONFIG(.certificate_pem = pem, .key_pem = pem, .key_file = "x"),
                   SIL_EINVAL, "twice");
    assert_refused(SERVER_CONFIG(.certificate_pem = pem, .verify = SIL_TLS_VERIFY_REQUIRED),
                   SIL_EINVAL, "ca_file");
    sil_tls_config_destroy(NULL);
    assert_null(sil_tls_config_context(NULL));
}

static void test_what_is_no_certificate(void **state)
{
    (void)state;
    const char *pem = identities.localhost.pem;
    const char *certificate = identities.localhost.certificate_pem;
    char broken[200];
    (void)snprintf(broken, sizeof broken, "%s", certificate);
    assert_refused(CLIENT_CONFIG(.ca_pem = ""), SIL_ETLS, "no start line");
    assert_refused(CLIENT_CONFIG(.ca_pem = "garbage"), SIL_ETLS, "no start line");
    assert_refused(CLIENT_CONFIG(.ca_pem = broken), SIL_ETLS, "bad end line");
    assert_refused(CLIENT_CONFIG(.ca_pem = identities.ca.key_pem), SIL_ETLS, "no start line");
    assert_refused(SERVER_CONFIG(.certificate_pem = certificate), SIL_ETLS, "a text");
    assert_refused(SERVER_CONFIG(.certificate_pem = certificate, .key_pem = identities.ca.key_pem),
                   SIL_ETLS, "key values mismatch");
    assert_refused(SERVER_CONFIG(.certificate_pem = pem, .key_pem = "garbage"), SIL_ETLS, "a text");
    assert_refused(CLIENT_CONFIG(.ca_file = "/nowhere"), ENOENT, "'/nowhere'");
    assert_refused(CLIENT_CONFIG(.ca_directory = "/nowhere"), ENOENT, "'/nowhere'");
    assert_refused(SERVER_CONFIG(.certificate_file = "/nowhere"), ENOENT, "'/nowhere'");
    assert_refused(SERVER_CONFIG(.certificate_pem = pem, .key_file = "/nowhere"), ENOENT,
                   "'/nowhere'");
    assert_refused(SERVER_CONFIG(.certificate_file = "/dev/null"), SIL_ETLS, "'/dev/null'");
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
}

/* Files, a key with a password, and a directory by hashes. */
static sil_tls_config *from_files[2];

SCENARIO(files_do_as_texts_do)
{
    (void)arg, (void)result;
    struct pair pair;
    EXPECT_CODE(pair_open_with(&pair, from_files[CLIENT], from_files[SERVER], "localhost"), 0);
    pair_close(&pair);
    return 0;
}

static void test_files(void **state)
{
    char directory[] = "/tmp/sillon_tls_XXXXXX";
    char certificate[64];
    char key[64];
    char ca[64];
    assert_non_null(mkdtemp(directory));
    (void)snprintf(certificate, sizeof certificate, "%s/certificate", directory);
    (void)snprintf(key, sizeof key, "%s/key", directory);
    (void)snprintf(
        ca, sizeof ca, "%s/%08lx.0", directory,
        X509_NAME_hash_ex(X509_get_subject_name(identities.ca.certificate), NULL, NULL, NULL));
    write_text(certificate, identities.localhost.certificate_pem);
    write_text(ca, identities.ca.certificate_pem);
    BIO *bio = BIO_new_file(key, "w");
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, identities.localhost.key, EVP_aes_128_cbc(),
                                                   "secret", 6, NULL, NULL),
                     1);
    BIO_free(bio);

    assert_refused(SERVER_CONFIG(.certificate_file = certificate, .key_file = key), SIL_ETLS, key);
    assert_refused(
        SERVER_CONFIG(.certificate_file = certificate, .key_file = key, .key_password = "wrong"),
        SIL_ETLS, key);
    from_files[SERVER] = must(
        SERVER_CONFIG(.certificate_file = certificate, .key_file = key, .key_password = "secret"));
    from_files[CLIENT] = must(CLIENT_CONFIG(.ca_directory = directory));
    test_files_do_as_texts_do(state);
    sil_tls_config_destroy(from_files[CLIENT]);
    from_files[CLIENT] = must(CLIENT_CONFIG(.ca_file = ca, .ca_pem = identities.other_ca.pem));
    test_files_do_as_texts_do(state);
    sil_tls_config_destroy(from_files[CLIENT]);
    sil_tls_config_destroy(from_files[SERVER]);
    assert_int_equal(unlink(certificate) | unlink(key) | unlink(ca) | rmdir(directory), 0);
}

static void test_a_config_is_as_strict_as_it_must(void **state)
{
    (void)state;
    assert_true(SSL_CTX_get_min_proto_version(sil_tls_config_context(configs.client)) >=
                TLS1_2_VERSION);
    assert_true(SSL_CTX_get_options(sil_tls_config_context(configs.server)) &
                SSL_OP_NO_RENEGOTIATION);
    assert_null(SSL_CTX_get_keylog_callback(sil_tls_config_context(configs.client)));
    sil_tls_config *config =
        must(CLIENT_CONFIG(.ciphers = "ECDHE+AESGCM", .suites = "TLS_AES_128_GCM_SHA256"));
    sil_tls_config_destroy(config);
}

int main(void)
{
    begin_tls_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_servers_are_verified),
        TEST(test_without_verifying_no_name_is_needed),
        TEST(test_the_environment_is_not_read_unless_told),
        TEST(test_clients_are_verified),
        TEST(test_nonsense_is_refused),
        TEST(test_what_is_no_certificate),
        TEST(test_files),
        TEST(test_a_config_is_as_strict_as_it_must),
    };
    return test_exit(end_tls_scenarios(test_run_group("tls.verify", tests, COUNT_OF(tests))));
}
