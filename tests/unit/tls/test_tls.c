/* SPDX-License-Identifier: MIT */
/*
 * TLS streams: bytes in both directions, and what can be asked.
 */
#include <sillon/tls.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "unit/tls/pair.h"

/* --- coroutines ---------------------------------------------------------------------------- */

/* Byte at this place of everything that is sent. */
static char byte_at(size_t place)
{
    return (char)((place * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

struct moving {
    sil_stream *stream;
    size_t size;
    size_t most; /* bytes in a piece */
    unsigned seed;
};

static int co_send(void *arg, void *result)
{
    (void)result;
    const struct moving *moving = arg;
    struct random random = {moving->seed};
    char *piece = malloc(moving->most);
    int code = 0;
    for (size_t sent = 0; code == 0 && sent < moving->size;) {
        size_t size = 1 + random_below(&random, moving->most);
        size = size < moving->size - sent ? size : moving->size - sent;
        for (size_t i = 0; i < size; i++)
            piece[i] = byte_at(sent + i);
        size_t half = random_below(&random, size + 1);
        const struct iovec parts[] = {{piece, half}, {NULL, 0}, {piece + half, size - half}};
        code = random_below(&random, 3) == 0
                   ? sil_write_buffered(moving->stream, piece, size, SIL_FOREVER)
                   : sil_write_parts(moving->stream, parts, 3, SIL_FOREVER);
        sent += size;
    }
    if (code == 0)
        code = sil_stream_shutdown(moving->stream, SIL_FOREVER);
    free(piece);
    return code;
}

/* It all came, in order, and then an end. */
static int co_receive(void *arg, void *result)
{
    (void)result;
    const struct moving *moving = arg;
    struct random random = {moving->seed};
    char *piece = malloc(moving->most);
    size_t received = 0;
    size_t wrong = 0;
    int code;
    for (;;) {
        size_t got;
        size_t size = 1 + random_below(&random, moving->most);
        code = sil_read(moving->stream, piece, size, &got, SIL_FOREVER);
        if (code != 0)
            break;
        for (size_t i = 0; i < got; i++)
            wrong += piece[i] != byte_at(received + i);
        received += got;
    }
    free(piece);
    EXPECT_CODE(code, SIL_EEND);
    EXPECT(wrong == 0);
    EXPECT(received == moving->size);
    return 0;
}

static int move_both_ways(const struct pair *pair, size_t size, size_t most)
{
    struct moving movings[4];
    sil_future *futures[4];
    for (unsigned i = 0; i < 4; i++) {
        movings[i] = (struct moving){pair->tls[i / 2], size, most, i + 1};
        futures[i] = sil_go(i % 2 ? co_send : co_receive, &movings[i], sizeof movings[i], 0);
    }
    int code = sil_gather(futures, 4, SIL_GATHER_FIRST_ERROR, SIL_FOREVER);
    for (int i = 0; i < 4; i++)
        sil_future_release(futures[i]);
    return code;
}

/* --- bytes ----------------------------------------------------------------------------------- */

SCENARIO(a_conversation)
{
    (void)arg, (void)result;
    struct pair pair;
    char byte;
    const char *line;
    size_t size;
    ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR); /* others' errors are no business of ours */
    EXPECT_CODE(pair_open(&pair), 0);
    EXPECT_CODE(put(pair.tls[CLIENT], "hello"), 0);
    EXPECT(comes(pair.tls[SERVER], "hello"));
    ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
    EXPECT_CODE(sil_read(pair.tls[SERVER], &byte, 1, &size, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_stream_printf(pair.tls[SERVER], SIL_FOREVER, "%d\n", 42), 0);
    EXPECT_CODE(sil_flush(pair.tls[SERVER], SIL_FOREVER), 0);
    EXPECT_CODE(sil_read_line(pair.tls[CLIENT], 100, &line, &size, SIL_FOREVER), 0);
    EXPECT(size == 2 && strcmp(line, "42") == 0);
    EXPECT_CODE(sil_stream_shutdown(pair.tls[CLIENT], SIL_FOREVER), 0);
    EXPECT_CODE(sil_stream_shutdown(pair.tls[CLIENT], SIL_FOREVER), 0);
    EXPECT_CODE(put(pair.tls[CLIENT], "more"), SIL_ETLS);
    EXPECT_CODE(put(pair.tls[SERVER], "the other direction goes on"), 0);
    EXPECT_CODE(sil_read_all(pair.tls[SERVER], 100, &line, &size, SIL_FOREVER), 0);
    EXPECT(size == 0);
    EXPECT_CODE(sil_read_line(pair.tls[SERVER], 100, &line, &size, SIL_FOREVER), SIL_EEND);
    pair_close(&pair);
    return 0;
}

static int both_ways(size_t size, size_t most, size_t piece, bool tls12)
{
    struct pair pair = {0};
    EXPECT_CODE(sil_socketpair(&pair.plain[CLIENT], &pair.plain[SERVER]), 0);
    for (int side = 0; piece > 0 && side < 2; side++)
        make_trouble(&pair.plain[side], 7 + (unsigned)side)->most = piece;
    sil_tls_config *client =
        must(sil_tls_client_config(&(sil_tls_options){.ca_pem = identities.ca.certificate_pem}));
    if (tls12)
        SSL_CTX_set_max_proto_version(sil_tls_config_context(client), TLS1_2_VERSION);
    EXPECT_CODE(pair_begin(&pair, client, configs.server, "localhost"), 0);
    sil_tls_config_destroy(client);
    EXPECT(strcmp(sil_tls_version(pair.tls[SERVER]), tls12 ? "TLSv1.2" : "TLSv1.3") == 0);
    int code = move_both_ways(&pair, size, most);
    pair_close(&pair);
    return code;
}

SCENARIO(megabytes_both_ways_at_once)
{
    (void)arg, (void)result;
    for (int tls12 = 0; tls12 < 2; tls12++) {
        EXPECT_PART(both_ways(TEST_SCALE(16) << 20, 100000, 0, tls12));
        EXPECT_PART(both_ways(TEST_SCALE(8) << 20, 40000, 9000, tls12));
        EXPECT_PART(both_ways(TEST_SCALE(400) << 10, 3000, 7, tls12));
    }
    return 0;
}

SCENARIO(tls_within_tls)
{
    (void)arg, (void)result;
    struct pair outer;
    struct pair inner = {0};
    EXPECT_CODE(pair_open(&outer), 0);
    for (int side = 0; side < 2; side++) {
        EXPECT_CODE(sil_tls_own(outer.tls[side]), 0);
        inner.plain[side] = outer.tls[side];
    }
    EXPECT_CODE(pair_begin(&inner, configs.client, configs.server, "localhost"), 0);
    EXPECT(sil_stream_fd(inner.tls[CLIENT]) == sil_stream_fd(outer.plain[CLIENT]));
    int code = move_both_ways(&inner, TEST_SCALE(1 << 20), 30000);
    pair_close(&inner);
    return code;
}

static int co_accept_in_the_middle(void *arg, void *result)
{
    const struct accepting *accepting = arg;
    const char *line;
    EXPECT_CODE(sil_read_line(accepting->plain, 100, &line, NULL, SIL_FOREVER), 0);
    EXPECT(strcmp(line, "STARTTLS") == 0);
    return co_accept(arg, result);
}

/* What was not flushed goes before, and what was read too far is not lost. */
SCENARIO(tls_begins_in_the_middle)
{
    (void)arg, (void)result;
    struct pair pair = {0};
    EXPECT_CODE(sil_socketpair(&pair.plain[CLIENT], &pair.plain[SERVER]), 0);
    EXPECT_CODE(sil_stream_printf(pair.plain[CLIENT], SIL_FOREVER, "STARTTLS\n"), 0);
    struct accepting accepting = {pair.plain[SERVER], configs.server, &pair};
    sil_future *future = sil_go(co_accept_in_the_middle, &accepting, sizeof accepting, 0);
    EXPECT_CODE(sil_tls_connect(pair.plain[CLIENT], configs.client, "localhost", &pair.tls[CLIENT],
                                SIL_FOREVER),
                0);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(put(pair.tls[SERVER], "250 ok"), 0);
    EXPECT(comes(pair.tls[CLIENT], "250 ok"));
    pair_close(&pair);
    return 0;
}

SCENARIO(closing_beneath_ends_the_handshake)
{
    (void)arg, (void)result;
    struct pair pair = {0};
    EXPECT_CODE(sil_socketpair(&pair.plain[CLIENT], &pair.plain[SERVER]), 0);
    struct accepting accepting = {pair.plain[SERVER], configs.server, &pair};
    sil_future *future = sil_go(co_accept, &accepting, sizeof accepting, 0);
    give_way(3);
    EXPECT(!sil_future_done(future));
    pair_close(&pair);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECLOSED);
    return 0;
}

/* --- what can be asked ----------------------------------------------------------------------- */

static int negotiate(const char *const *ours, const char *const *theirs, const char *agreed)
{
    struct pair pair;
    sil_tls_config *client = must(sil_tls_client_config(
        &(sil_tls_options){.ca_pem = identities.ca.certificate_pem, .protocols = ours}));
    sil_tls_config *server = must(sil_tls_server_config(
        &(sil_tls_options){.certificate_pem = identities.localhost.pem, .protocols = theirs}));
    int code = pair_open_with(&pair, client, server, "localhost");
    if (code == 0) {
        const char *got = sil_tls_protocol(pair.tls[CLIENT]);
        EXPECT(agreed ? got && strcmp(got, agreed) == 0 : !got);
        got = sil_tls_protocol(pair.tls[SERVER]);
        EXPECT(agreed ? got && strcmp(got, agreed) == 0 : !got);
    } else {
        EXPECT(has(pair.messages[CLIENT], "no application protocol"));
    }
    pair_close(&pair);
    sil_tls_config_destroy(client);
    sil_tls_config_destroy(server);
    return code;
}

SCENARIO(protocols_are_agreed_on)
{
    (void)arg, (void)result;
    static const char *const h1[] = {"http/1.1", NULL};
    static const char *const h2[] = {"h2", NULL};
    static const char *const h2_or_h1[] = {"h2", "http/1.1", NULL};
    static const char *const h1_or_h2[] = {"http/1.1", "h2", NULL};
    static const char *const none[] = {NULL};
    EXPECT_CODE(negotiate(h2_or_h1, h2_or_h1, "h2"), 0);
    EXPECT_CODE(negotiate(h2_or_h1, h1_or_h2, "http/1.1"), 0);
    EXPECT_CODE(negotiate(h1, h2_or_h1, "http/1.1"), 0);
    EXPECT_CODE(negotiate(h2, h2_or_h1, "h2"), 0);
    EXPECT_CODE(negotiate(NULL, h2, NULL), 0);
    EXPECT_CODE(negotiate(none, h2, NULL), 0);
    EXPECT_CODE(negotiate(h2, NULL, NULL), 0);
    EXPECT_CODE(negotiate(h2, h1, NULL), SIL_ETLS);
    return 0;
}

SCENARIO(what_can_be_asked)
{
    (void)arg, (void)result;
    struct pair pair;
    EXPECT_CODE(pair_open(&pair), 0);
    EXPECT(strcmp(sil_tls_version(pair.tls[CLIENT]), "TLSv1.3") == 0);
    EXPECT(strncmp(sil_tls_cipher(pair.tls[CLIENT]), "TLS_", 4) == 0);
    EXPECT(strcmp(sil_tls_peer(pair.tls[CLIENT]), "CN=localhost") == 0);
    EXPECT(sil_tls_peer(pair.tls[CLIENT]) == sil_tls_peer(pair.tls[CLIENT]));
    EXPECT(!sil_tls_peer_error(pair.tls[CLIENT]));
    EXPECT(!sil_tls_peer(pair.tls[SERVER]));
    EXPECT(has(sil_tls_peer_error(pair.tls[SERVER]), "no certificate"));
    EXPECT(SSL_is_server(sil_tls_ssl(pair.tls[SERVER])));
    EXPECT(sil_stream_fd(pair.tls[CLIENT]) == sil_stream_fd(pair.plain[CLIENT]));
    pair_close(&pair);
    return 0;
}

SCENARIO(what_is_no_tls)
{
    (void)arg, (void)result;
    sil_stream *a;
    sil_stream *b;
    sil_stream *out = NULL;
    EXPECT_CODE(sil_socketpair(&a, &b), 0);
    EXPECT(!sil_tls_protocol(a) && !sil_tls_version(a) && !sil_tls_cipher(a) && !sil_tls_peer(a));
    EXPECT(!sil_tls_ssl(a) && !sil_tls_ssl(NULL) && sil_tls_peer_error(a));
    EXPECT_CODE(sil_tls_own(a), SIL_EINVAL);
    EXPECT_CODE(sil_tls_connect(a, NULL, "localhost", &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_connect(a, configs.server, "localhost", &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_connect(a, configs.client, NULL, &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_connect(a, configs.client, "", &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_connect(a, configs.client, "local%host", &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_connect(a, configs.client, "localhost", NULL, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_connect(NULL, configs.client, "localhost", &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_accept(a, configs.client, &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_accept(a, NULL, &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_accept(NULL, configs.server, &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_connect_to("localhost", "1", NULL, NULL, &out, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_tls_connect_to("localhost", NULL, configs.client, NULL, &out, SIL_NOW),
                SIL_EINVAL);
    EXPECT(!out);
    char name[300];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    EXPECT_CODE(sil_tls_connect(a, configs.client, name, &out, SIL_NOW), SIL_EINVAL);
    sil_stream_close(a);
    sil_stream_close(b);
    return 0;
}

static void test_not_outside_coroutines(void **state)
{
    (void)state;
    sil_stream *out;
    assert_code(sil_tls_connect_to("127.0.0.1", "1", configs.client, NULL, &out, SIL_NOW),
                SIL_ENOTASK);
}

int main(void)
{
    begin_tls_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_a_conversation),
        TEST(test_megabytes_both_ways_at_once),
        TEST(test_tls_within_tls),
        TEST(test_tls_begins_in_the_middle),
        TEST(test_closing_beneath_ends_the_handshake),
        TEST(test_protocols_are_agreed_on),
        TEST(test_what_can_be_asked),
        TEST(test_what_is_no_tls),
        TEST(test_not_outside_coroutines),
    };
    return test_exit(end_tls_scenarios(test_run_group("tls.tls", tests, COUNT_OF(tests))));
}
