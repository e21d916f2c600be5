/* SPDX-License-Identifier: MIT */
/*
 * TLS streams: how they end, by the other side or by ours, and who waits in them then.
 */
#include <sillon/tls.h>

#include <openssl/ssl.h>

#include "unit/tls/pair.h"

/* --- ends ------------------------------------------------------------------------------------ */

SCENARIO(an_end_without_a_word_is_an_error)
{
    (void)arg, (void)result;
    sil_tls_config *tolerant = must(sil_tls_client_config(
        &(sil_tls_options){.ca_pem = identities.ca.certificate_pem, .allow_truncation = true}));
    for (int tolerates = 0; tolerates < 2; tolerates++) {
        struct pair pair;
        char buffer[16];
        size_t got;
        EXPECT_CODE(pair_open_with(&pair, tolerates ? tolerant : configs.client, configs.server,
                                   "localhost"),
                    0);
        EXPECT_CODE(put(pair.tls[SERVER], "half of"), 0);
        sil_stream_close(pair.tls[SERVER]);
        sil_stream_close(pair.plain[SERVER]);
        pair.tls[SERVER] = pair.plain[SERVER] = NULL;
        EXPECT(comes(pair.tls[CLIENT], "half of"));
        for (int i = 0; i < 2; i++) {
            EXPECT_CODE(sil_read(pair.tls[CLIENT], buffer, sizeof buffer, &got, SIL_FOREVER),
                        tolerates ? SIL_EEND : SIL_ETLS);
            EXPECT(tolerates || last_error_has("cut off"));
        }
        if (!tolerates)
            EXPECT_CODE(put(pair.tls[CLIENT], "x"), SIL_ETLS);
        pair_close(&pair);
    }
    /* In a handshake it is no end that could be tolerated. */
    sil_stream *a;
    sil_stream *b;
    sil_stream *out;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    sil_stream_close(b);
    EXPECT_CODE(sil_tls_connect(a, tolerant, "localhost", &out, SIL_FOREVER), EPIPE);
    EXPECT(last_error_has("'localhost'"));
    sil_stream_close(a);
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT_CODE(sil_stream_shutdown(b, SIL_FOREVER), 0);
    EXPECT_CODE(sil_tls_connect(a, tolerant, "localhost", &out, SIL_FOREVER), SIL_ETLS);
    EXPECT(last_error_has("'localhost'") && last_error_has("ended it"));
    sil_stream_close(a);
    sil_stream_close(b);
    sil_tls_config_destroy(tolerant);
    return 0;
}

SCENARIO(changed_bytes_are_an_error)
{
    (void)arg, (void)result;
    struct pair pair;
    char buffer[16];
    size_t got;
    EXPECT_CODE(pair_open(&pair), 0);
    EXPECT_CODE(sil_write(pair.plain[CLIENT],
                          "\x17\x03\x03\x00\x20garbage garbage garbage garbage!", 37, SIL_FOREVER),
                0);
    EXPECT_CODE(sil_read(pair.tls[SERVER], buffer, sizeof buffer, &got, SIL_FOREVER), SIL_ETLS);
    EXPECT(last_error_has("bad record mac"));
    EXPECT_CODE(put(pair.tls[SERVER], "x"), SIL_ETLS);
    EXPECT(last_error_has("bad record mac"));
    EXPECT_CODE(sil_stream_shutdown(pair.tls[SERVER], SIL_FOREVER), SIL_ETLS);
    EXPECT_CODE(sil_read(pair.tls[CLIENT], buffer, sizeof buffer, &got, SIL_FOREVER), SIL_ETLS);
    EXPECT(last_error_has("alert bad record mac"));
    pair_close(&pair);
    return 0;
}

static int co_read_one(void *arg, void *result)
{
    size_t got;
    return sil_read(*(sil_stream **)arg, result, 1, &got, SIL_FOREVER);
}

static int co_write_until_full(void *arg, void *result)
{
    (void)result;
    static const char block[30000];
    int code = 0;
    while (code == 0)
        code = sil_write(*(sil_stream **)arg, block, sizeof block, SIL_FOREVER);
    return code;
}

/* Both coroutines that wait in it come out, whoever owns the stream beneath. */
SCENARIO(closing_ends_the_waits)
{
    (void)arg, (void)result;
    for (int owns = 0; owns < 2; owns++) {
        struct pair pair;
        EXPECT_CODE(pair_open(&pair), 0);
        sil_future *reader = sil_go(co_read_one, &pair.tls[CLIENT], sizeof(sil_stream *), 1);
        sil_future *writer =
            sil_go(co_write_until_full, &pair.tls[CLIENT], sizeof(sil_stream *), 0);
        give_way(20);
        EXPECT(!sil_future_done(reader) && !sil_future_done(writer));
        if (owns) {
            EXPECT_CODE(sil_tls_own(pair.tls[CLIENT]), 0);
            pair.plain[CLIENT] = NULL;
        }
        sil_stream_close(pair.tls[CLIENT]);
        pair.tls[CLIENT] = NULL;
        EXPECT_CODE(sil_take(reader, NULL, SIL_FOREVER), SIL_ECLOSED);
        EXPECT_CODE(sil_take(writer, NULL, SIL_FOREVER), SIL_ECLOSED);
        pair_close(&pair);
    }
    return 0;
}

static int co_shutdown(void *arg, void *result)
{
    (void)result;
    return sil_stream_shutdown(*(sil_stream **)arg, SIL_FOREVER);
}

SCENARIO(a_shutdown_waits_as_a_write_does)
{
    (void)arg, (void)result;
    for (int ends = 0; ends < 3; ends++) {
        struct pair pair = {0};
        char byte;
        size_t got;
        EXPECT_CODE(sil_socketpair(&pair.plain[CLIENT], &pair.plain[SERVER]), 0);
        struct trouble *trouble = make_trouble(&pair.plain[CLIENT], 1);
        EXPECT_CODE(pair_begin(&pair, configs.client, configs.server, "localhost"), 0);
        sil_event *writable = trouble->writable = sil_event_create(NULL);
        sil_future *future = sil_go(co_shutdown, &pair.tls[CLIENT], sizeof(sil_stream *), 0);
        give_way(2);
        EXPECT(!sil_future_done(future));
        if (ends == 1) {
            (void)sil_future_cancel(future);
            EXPECT_CODE(sil_await(future, SIL_FOREVER), SIL_ECANCELLED);
        } else if (ends == 2) {
            sil_stream_close(pair.tls[CLIENT]);
            pair.tls[CLIENT] = NULL;
        }
        EXPECT_CODE(sil_event_set(writable), 0);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), ends == 0   ? 0
                                                         : ends == 1 ? SIL_ECANCELLED
                                                                     : SIL_ECLOSED);
        if (ends == 1) /* it can be made up for */
            EXPECT_CODE(sil_stream_shutdown(pair.tls[CLIENT], SIL_FOREVER), 0);
        EXPECT_CODE(sil_read(pair.tls[SERVER], &byte, 1, &got, SIL_FOREVER),
                    ends == 2 ? SIL_ETLS : SIL_EEND);
        pair_close(&pair);
        sil_event_destroy(writable);
    }
    return 0;
}

/* Two coroutines that both need the one side beneath: a message of TLS's own (KeyUpdate) goes out first,
 * and whoever comes may have to see to it. */
SCENARIO(two_wait_for_one_side)
{
    (void)arg, (void)result;
    for (int ends = 0; ends < 3; ends++) {
        struct pair pair = {0};
        EXPECT_CODE(sil_socketpair(&pair.plain[CLIENT], &pair.plain[SERVER]), 0);
        struct trouble *trouble = make_trouble(&pair.plain[CLIENT], 1);
        EXPECT_CODE(pair_begin(&pair, configs.client, configs.server, "localhost"), 0);
        trouble->writable = sil_event_create(NULL);
        EXPECT(SSL_key_update(sil_tls_ssl(pair.tls[CLIENT]), SSL_KEY_UPDATE_REQUESTED) == 1);
        sil_future *writer =
            sil_go(co_write_until_full, &pair.tls[CLIENT], sizeof(sil_stream *), 0);
        give_way(2);
        sil_future *reader = sil_go(co_read_one, &pair.tls[CLIENT], sizeof(sil_stream *), 1);
        give_way(2);
        EXPECT(trouble->have_written > 0);
        EXPECT_CODE(put(pair.tls[SERVER], "!"), 0);
        give_way(2);
        EXPECT(!sil_future_done(reader));
        char byte = 0;
        if (ends == 0)
            EXPECT_CODE(sil_event_set(trouble->writable), 0);
        else if (ends == 1)
            (void)sil_future_cancel(writer); /* and the reader takes its place */
        else
            (void)sil_future_cancel(reader);
        give_way(3);
        EXPECT(sil_future_done(writer) == (ends == 1));
        EXPECT_CODE(sil_event_set(trouble->writable), 0);
        EXPECT_CODE(sil_take(reader, &byte, SIL_FOREVER), ends == 2 ? SIL_ECANCELLED : 0);
        EXPECT(byte == (ends == 2 ? 0 : '!'));
        (void)sil_future_cancel(writer);
        EXPECT_CODE(sil_take(writer, NULL, SIL_FOREVER), SIL_ECANCELLED);
        sil_event *writable = trouble->writable;
        pair_close(&pair);
        sil_event_destroy(writable);
    }
    return 0;
}

int main(void)
{
    begin_tls_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_an_end_without_a_word_is_an_error),
        TEST(test_changed_bytes_are_an_error),
        TEST(test_closing_ends_the_waits),
        TEST(test_a_shutdown_waits_as_a_write_does),
        TEST(test_two_wait_for_one_side),
    };
    return test_exit(end_tls_scenarios(test_run_group("tls.end", tests, COUNT_OF(tests))));
}
