/* SPDX-License-Identifier: MIT */
/*
 * TLS servers: many connections at once, in one loop and in several that share their configs.
 */
#include <sillon/tls.h>

#include <stdio.h>
#include <string.h>

#include "support/gate.h"
#include "unit/tls/pair.h"

enum { CONNECTIONS = 100, SIZE = 20000 };

/* --- a server that sends back what comes ----------------------------------------------------- */

static int echo(sil_stream *plain, void *config)
{
    sil_stream *stream;
    char buffer[4096];
    size_t got;
    int code = sil_tls_accept(plain, config, &stream, SIL_FOREVER);
    if (code != 0)
        return code;
    while (code == 0) {
        code = sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER);
        if (code == 0)
            code = sil_write(stream, buffer, got, SIL_FOREVER);
    }
    if (code == SIL_EEND)
        code = sil_stream_shutdown(stream, SIL_FOREVER);
    sil_stream_close(stream);
    return code;
}

static int co_serve(void *arg, void *result)
{
    (void)result;
    return sil_server_serve(*(sil_server **)arg, echo, configs.server, SIL_FOREVER);
}

/* --- clients ----------------------------------------------------------------------------------- */

struct visit {
    const char *host;
    char service[8];
    sil_tls_config *config;
    int seed;
    int *at_once; /* so many are connected; all wait for all. NULL: they do not */
};

static int co_visit(void *arg, void *result)
{
    (void)result;
    const struct visit *visit = arg;
    sil_stream *stream;
    char *sent = malloc(SIZE);
    char *back = malloc(SIZE);
    size_t got;
    EXPECT_PART(
        sil_tls_connect_to(visit->host, visit->service, visit->config, NULL, &stream, SIL_FOREVER));
    if (visit->at_once)
        ++*visit->at_once;
    while (visit->at_once && *visit->at_once < CONNECTIONS)
        EXPECT_PART(sil_yield());
    for (int i = 0; i < SIZE; i++)
        sent[i] = (char)(visit->seed * i);
    EXPECT_PART(sil_write(stream, sent, SIZE, SIL_FOREVER));
    EXPECT_PART(sil_read_exactly(stream, back, SIZE, NULL, SIL_FOREVER));
    EXPECT(memcmp(sent, back, SIZE) == 0);
    EXPECT_PART(sil_stream_shutdown(stream, SIL_FOREVER));
    EXPECT_CODE(sil_read(stream, back, 1, &got, SIL_FOREVER), SIL_EEND);
    sil_stream_close(stream);
    free(sent);
    free(back);
    return 0;
}

static int visit_all(struct visit visit, int count)
{
    sil_group *group = sil_group_open("visitors");
    for (int i = 0; i < count; i++) {
        visit.seed = i;
        (void)sil_group_go(group, co_visit, &visit, sizeof visit, 0);
    }
    int code = sil_group_wait(group, SIL_FOREVER);
    sil_group_close(group);
    return code;
}

SCENARIO(many_connections_at_once)
{
    (void)arg, (void)result;
    sil_server *server;
    int at_once = 0;
    EXPECT_CODE(sil_listen("127.0.0.1", "0", NULL, &server, SIL_FOREVER), 0);
    sil_future *serving = sil_go(co_serve, &server, sizeof(sil_server *), 0);
    struct visit visit = {.host = "127.0.0.1", .config = configs.client, .at_once = &at_once};
    (void)snprintf(visit.service, sizeof visit.service, "%u", sil_server_port(server));
    EXPECT_PART(visit_all(visit, CONNECTIONS));
    EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(serving, NULL, SIL_FOREVER), 0);
    sil_server_stats stats;
    EXPECT_CODE(sil_server_stats_get(server, &stats), 0);
    EXPECT(stats.accepted == CONNECTIONS && stats.failed == 0);
    sil_server_close(server);
    return 0;
}

/* A client that wants somebody else gets nothing, and nothing stays open. */
SCENARIO(a_refusal_closes_what_it_opened)
{
    (void)arg, (void)result;
    sil_server *server;
    sil_stream *stream = NULL;
    char service[8];
    EXPECT_CODE(sil_listen("127.0.0.1", "0", NULL, &server, SIL_FOREVER), 0);
    sil_future *serving = sil_go(co_serve, &server, sizeof(sil_server *), 0);
    (void)snprintf(service, sizeof service, "%u", sil_server_port(server));
    sil_tls_config *stranger = must(
        sil_tls_client_config(&(sil_tls_options){.ca_pem = identities.other_ca.certificate_pem}));
    EXPECT_CODE(sil_tls_connect_to("127.0.0.1", service, stranger, NULL, &stream, SIL_FOREVER),
                SIL_ETLS);
    EXPECT(last_error_has("'127.0.0.1'") && last_error_has("issuer"));
    sil_tls_config_destroy(stranger);
    EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(serving, NULL, SIL_FOREVER), 0);
    sil_server_close(server);
    EXPECT_CODE(
        sil_tls_connect_to("127.0.0.1", service, configs.client, NULL, &stream, SIL_FOREVER),
        ECONNREFUSED);
    EXPECT(!stream);
    return 0;
}

/* --- several loops ----------------------------------------------------------------------------- */

static struct gate listening;
static char port[8];
static sil_server *the_server;

static int co_server(void *arg, void *result)
{
    (void)arg, (void)result;
    EXPECT_CODE(sil_listen("127.0.0.1", "0", NULL, &the_server, SIL_FOREVER), 0);
    (void)snprintf(port, sizeof port, "%u", sil_server_port(the_server));
    gate_open(&listening);
    int code = sil_server_serve(the_server, echo, configs.server, SIL_FOREVER);
    sil_server_close(the_server);
    return code;
}

static int co_stop(void *arg, void *result)
{
    (void)arg, (void)result;
    return sil_server_shutdown(the_server, SIL_FOREVER);
}

static int co_visit_all(void *arg, void *result)
{
    (void)arg, (void)result;
    struct visit visit = {.host = "127.0.0.1", .config = configs.client};
    (void)snprintf(visit.service, sizeof visit.service, "%s", port);
    return visit_all(visit, 20);
}

static void test_loops_share_their_configs(void **state)
{
    (void)state;
    enum { LOOPS = 3 };
    sil_executor *loops[LOOPS];
    sil_future *visits[LOOPS];
    gate_init(&listening);
    sil_executor *serving = sil_loop_thread(NULL);
    sil_future *server = sil_submit(serving, co_server, NULL, 0, 0);
    gate_wait(&listening);
    for (int i = 0; i < LOOPS; i++) {
        loops[i] = sil_loop_thread(NULL);
        visits[i] = sil_submit(loops[i], co_visit_all, NULL, 0, 0);
    }
    for (int i = 0; i < LOOPS; i++) {
        int code = sil_await(visits[i], SIL_FOREVER);
        if (code != 0)
            print_error("%s\n", sil_error_message(sil_last_error()));
        assert_code(code, 0);
        sil_future_release(visits[i]);
        assert_code(sil_executor_close(loops[i]), 0);
    }
    assert_code(sil_take(sil_submit(serving, co_stop, NULL, 0, 0), NULL, SIL_FOREVER), 0);
    assert_code(sil_take(server, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(serving), 0);
    gate_fini(&listening);
}

/* --- configs go before streams ------------------------------------------------------------------- */

SCENARIO(streams_outlive_their_configs)
{
    (void)arg, (void)result;
    static const char *const protocols[] = {"x", NULL};
    struct pair pair;
    sil_tls_config *client = must(sil_tls_client_config(
        &(sil_tls_options){.ca_pem = identities.ca.certificate_pem, .protocols = protocols}));
    sil_tls_config *server = must(sil_tls_server_config(
        &(sil_tls_options){.certificate_pem = identities.localhost.pem, .protocols = protocols}));
    EXPECT_CODE(pair_open_with(&pair, client, server, "localhost"), 0);
    sil_tls_config_destroy(client);
    sil_tls_config_destroy(server);
    EXPECT_CODE(put(pair.tls[CLIENT], "still here"), 0);
    EXPECT(comes(pair.tls[SERVER], "still here"));
    pair_close(&pair);
    return 0;
}

int main(void)
{
    begin_tls_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_many_connections_at_once),
        TEST(test_a_refusal_closes_what_it_opened),
        TEST(test_loops_share_their_configs),
        TEST(test_streams_outlive_their_configs),
    };
    return test_exit(end_tls_scenarios(test_run_group("tls.many", tests, COUNT_OF(tests))));
}
