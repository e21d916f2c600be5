/* SPDX-License-Identifier: MIT */
/*
 * TLS while memory runs out, ours or OpenSSL's: configs, handshakes and calls fail and say so, and nothing
 * is left behind.
 */
#include "every_point.h"

#include <openssl/crypto.h>

#include "unit/tls/pair.h"

/* --- OpenSSL's memory comes by the same point ---------------------------------------------------- */

static void *give(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return sil__fault(SIL__FAULT_ALLOC) ? NULL : malloc(size);
}

static void *give_again(void *block, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return sil__fault(SIL__FAULT_ALLOC) ? NULL : realloc(block, size);
}

static void take_back(void *block, const char *file, int line)
{
    (void)file, (void)line;
    free(block);
}

/* --- scenarios ----------------------------------------------------------------------------------- */

/* OpenSSL's reasons are not always its memory; and one side sees what became of the other. */
static bool is_allowed_here(int code)
{
    return is_allowed(code) || code == SIL_ETLS || code == SIL_ECLOSED || code == SIL_EEND ||
           code == EPIPE || code == ECONNRESET;
}

static void make_configs(void)
{
    static const char *const protocols[] = {"a", "b", NULL};
    sil_tls_config *client =
        sil_tls_client_config(&(sil_tls_options){.ca_pem = identities.ca.certificate_pem,
                                                 .certificate_pem = identities.client.pem,
                                                 .ciphers = "ECDHE+AESGCM",
                                                 .suites = "TLS_AES_128_GCM_SHA256",
                                                 .protocols = protocols});
    if (!client)
        assert_true(is_allowed_here(sil_error_code(sil_last_error())));
    sil_tls_config *server =
        sil_tls_server_config(&(sil_tls_options){.ca_pem = identities.ca.certificate_pem,
                                                 .certificate_pem = identities.localhost.pem,
                                                 .verify = SIL_TLS_VERIFY_REQUIRED,
                                                 .protocols = protocols});
    if (!server)
        assert_true(is_allowed_here(sil_error_code(sil_last_error())));
    sil_tls_config_destroy(client);
    sil_tls_config_destroy(server);
}

static int talk(void *arg, void *result)
{
    (void)arg, (void)result;
    struct pair pair;
    char buffer[16];
    size_t got;
    int code = pair_open(&pair);
    EXPECT(is_allowed_here(code));
    if (code == 0) {
        char text[] = "xy";
        const struct iovec parts[] = {{text, 1}, {text + 1, 1}};
        code = sil_write_parts(pair.tls[CLIENT], parts, 2, SIL_FOREVER);
        EXPECT(is_allowed_here(code));
        if (code == 0)
            code = sil_read(pair.tls[SERVER], buffer, sizeof buffer, &got, SIL_FOREVER);
        EXPECT(is_allowed_here(code));
        EXPECT(code != 0 || got == 2);
        (void)sil_tls_peer(pair.tls[CLIENT]);
        code = sil_stream_shutdown(pair.tls[CLIENT], SIL_FOREVER);
        EXPECT(is_allowed_here(code));
    }
    pair_close(&pair);
    return 0;
}

static void in_loop(void)
{
    int code = sil_run(talk, NULL, 0, NULL, 0);
    if (!is_allowed_here(code)) {
        print_error("%s\n", sil_error_message(sil_last_error()));
        assert_code(code, 0);
    }
}

static void test_configs_survive(void **state)
{
    (void)state;
    fail_each_point(SIL__FAULT_ALLOC, make_configs);
}

static void test_streams_survive(void **state)
{
    (void)state;
    fail_each_point(SIL__FAULT_ALLOC, in_loop);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_configs_survive),
        TEST(test_streams_survive),
    };
    if (CRYPTO_set_mem_functions(give, give_again, take_back) != 1)
        return 1;
    begin_tls_scenarios();
    return test_exit(end_tls_scenarios(test_run_group("tls faults", tests, COUNT_OF(tests))));
}
