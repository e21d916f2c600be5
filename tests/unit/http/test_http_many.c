/* SPDX-License-Identifier: MIT */
/*
 * Many requests at once, large bodies and slow readers, limits, and giving up at any moment.
 */
#include "http/http.h"

#include "unit/http/site.h"

static char piece[65537]; /* a prime: pieces that change places are noticed */

static void make_piece(void)
{
    for (size_t i = 0; i < sizeof piece; i++)
        piece[i] = (char)((i * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

static bool is_piece_at(uint64_t at, const char *bytes, size_t size)
{
    while (size > 0) {
        size_t from = (size_t)(at % sizeof piece);
        size_t count = sizeof piece - from < size ? sizeof piece - from : size;
        if (memcmp(piece + from, bytes, count) != 0)
            return false;
        at += count;
        bytes += count;
        size -= count;
    }
    return true;
}

/* A script that sends so many pieces. */
static struct script pieces(char *head, size_t size, size_t count)
{
    (void)snprintf(head, size,
                   "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                   count * sizeof piece);
    return (struct script){
        .answer = head, .piece = piece, .piece_size = sizeof piece, .repeat = count};
}

/* --- at once ------------------------------------------------------------------------------------- */

struct asking {
    sil_http_client *client;
    int number;
    int *out_reused;
};

static int co_ask(void *arg, void *result)
{
    (void)result;
    const struct asking *asking = arg;
    char path[32];
    (void)snprintf(path, sizeof path, "/page/%d", asking->number);
    sil_http_response *page;
    int code = sil_http_get(asking->client, site_url(path), 0, &page, soon());
    (void)snprintf(path, sizeof path, "Documentation of %d\n", asking->number);
    if (code == 0 && strncmp(sil_http_body(page, NULL), path, strlen(path)) != 0)
        code = sil_fail(UNEXPECTED, "another's page");
    *asking->out_reused += sil_http_reused(page);
    sil_http_close(page);
    return code;
}

static int ask_many(sil_http_client_options options, int count, int most)
{
    sil_http_client *client = sil_http_client_create(&options);
    sil_future **futures = calloc((size_t)count, sizeof *futures);
    EXPECT(client && futures);
    int reused = 0;
    for (int i = 0; i < count; i++) {
        struct asking asking = {client, i, &reused};
        futures[i] = sil_go(co_ask, &asking, sizeof asking, 0);
    }
    for (int i = 0; i < count; i++)
        EXPECT_CODE(sil_take(futures[i], NULL, SIL_FOREVER), 0);
    EXPECT(count - reused <= most); /* connections made */
    free(futures);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(many_share_few_connections)
{
    (void)arg, (void)result;
    EXPECT_PART(ask_many((sil_http_client_options){.max_connections = 8}, TEST_SCALE(4000), 8));
    EXPECT_PART(ask_many((sil_http_client_options){.max_per_host = 2}, 50, 2));
    EXPECT_PART(ask_many((sil_http_client_options){.version = SIL_HTTP_1_1}, 200, 64));
    return 0;
}

/* --- large --------------------------------------------------------------------------------------- */

static int read_pieces(sil_http_response *page, size_t size, size_t most, int turns)
{
    char *buffer = malloc(most);
    uint64_t at = 0;
    for (;;) {
        size_t got = 0;
        EXPECT_CODE(sil_http_read(page, buffer, most, &got), 0);
        if (got == 0)
            break;
        EXPECT(is_piece_at(at, buffer, got));
        at += got;
        give_way(turns);
        EXPECT(page->spill.capacity <= 512 * 1024);
    }
    EXPECT(at == size && sil_http_received(page) == size);
    free(buffer);
    return 0;
}

SCENARIO(large_bodies_come_whole_whoever_reads_them)
{
    (void)arg, (void)result;
    static const struct {
        size_t count, most;
        int turns;
    } cases[] = {{1024, 100000, 0}, {100, 1000, 0}, {100, 65536, 20}, {50, 1000000, 1}};
    char head[128];
    sil_http_client *client = sil_http_client_create(NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct script script = pieces(head, sizeof head, cases[i].count);
        EXPECT_PART(script_start(&script));
        sil_http_response *page;
        sil_http_request request = {.url = url_at(script.port, "/")};
        EXPECT_CODE(sil_http_send(client, &request, &page, SIL_FOREVER), 0);
        EXPECT_PART(
            read_pieces(page, cases[i].count * sizeof piece, cases[i].most, cases[i].turns));
        sil_http_close(page);
        script_end(&script);
    }
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(what_nobody_reads_is_held_back)
{
    (void)arg, (void)result;
    char head[128];
    struct script script = pieces(head, sizeof head, 1024);
    sil_http_client *client = sil_http_client_create(NULL);
    EXPECT_PART(script_start(&script));
    sil_http_response *page;
    sil_http_request request = {.url = url_at(script.port, "/")};
    EXPECT_CODE(sil_http_send(client, &request, &page, SIL_FOREVER), 0);
    for (sil_deadline end = soon(); !page->paused && sil_clock() < end;)
        give_way(1);
    EXPECT(page->paused);
    give_way(1000);
    EXPECT(page->spill.end <= 256 * 1024);
    EXPECT_PART(read_pieces(page, 1024 * sizeof piece, 50000, 0));
    sil_http_close(page);
    /* And again, but let go of in the midst. */
    EXPECT_CODE(sil_http_send(client, &request, &page, SIL_FOREVER), 0);
    for (sil_deadline end = soon(); !page->paused && sil_clock() < end;)
        give_way(1);
    sil_http_close(page);
    sil_http_client_destroy(client);
    script_end(&script);
    return 0;
}

/* --- limits of speed ------------------------------------------------------------------------------- */

static int co_size(void *arg, void *result)
{
    (void)result;
    sil_http_response *page;
    int code = sil_http_get(*(sil_http_client **)arg, site_url("/size/50000"), 0, &page, soon());
    sil_http_close(page);
    return code;
}

static double seconds_of_three(sil_http_client_options options)
{
    sil_http_client *client = sil_http_client_create(&options);
    sil_future *futures[3];
    int64_t begun = sil_clock();
    for (int i = 0; i < 3; i++)
        futures[i] = sil_go(co_size, &client, sizeof client, 0);
    int code = 0;
    for (int i = 0; i < 3; i++)
        code |= sil_take(futures[i], NULL, SIL_FOREVER);
    double seconds = (double)(sil_clock() - begun) / 1e9;
    sil_http_client_destroy(client);
    return code == 0 ? seconds : -1;
}

SCENARIO(rates_are_limited)
{
    (void)arg, (void)result;
    /* 150,000 bytes; what is allowed at once is a sixteenth of a second. */
    double all = seconds_of_three((sil_http_client_options){.max_rate = 300000});
    EXPECT(all > 0.35);
    double each = seconds_of_three((sil_http_client_options){.max_rate_each = 200000});
    EXPECT(each > 0.15);
    return 0;
}

/* --- giving up ------------------------------------------------------------------------------------- */

static int co_read_by_pieces(void *arg, void *result)
{
    (void)result;
    struct {
        sil_http_client *client;
        const char *url;
    } *asked = arg;
    sil_http_response *page;
    sil_http_request request = {.url = asked->url};
    int code = sil_http_send(asked->client, &request, &page, SIL_FOREVER);
    char buffer[5000];
    size_t got = 1;
    while (code == 0 && got > 0)
        code = sil_http_read(page, buffer, sizeof buffer, &got);
    if (code == SIL_ECANCELLED && sil_http_failure(page) != SIL_HTTP_FAILED_LOCAL)
        code = UNEXPECTED;
    sil_http_close(page);
    return code;
}

SCENARIO(a_cancel_at_any_moment_leaves_nothing)
{
    (void)arg, (void)result;
    int cancelled = 0, ended = 0;
    sil_http_client *client =
        sil_http_client_create(&(sil_http_client_options){.max_connections = 2});
    for (int turns = 0; turns < 150; turns++) {
        char head[128];
        struct script script = pieces(head, sizeof head, 4);
        EXPECT_PART(script_start(&script));
        struct {
            sil_http_client *client;
            const char *url;
        } asked = {client, url_at(script.port, "/")};
        sil_future *future = sil_go(co_read_by_pieces, &asked, sizeof asked, 0);
        give_way(turns);
        (void)sil_future_cancel(future);
        int code = sil_take(future, NULL, SIL_FOREVER);
        EXPECT(code == 0 || code == SIL_ECANCELLED);
        cancelled += code != 0;
        ended += code == 0;
        script_end(&script);
    }
    EXPECT(cancelled > 5);
    (void)ended; /* on a slow machine perhaps none */
    sil_http_response *page;
    EXPECT_CODE(sil_http_get(client, site_url("/page/x"), 0, &page, soon()), 0);
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(what_waits_for_a_connection_can_be_cancelled)
{
    (void)arg, (void)result;
    sil_http_client *client =
        sil_http_client_create(&(sil_http_client_options){.max_connections = 1});
    sil_http_response *page;
    sil_http_request request = {.url = site_url("/slow/1000000")};
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    struct {
        sil_http_client *client;
        const char *url;
    } asked = {client, site_url("/page/x")};
    sil_future *others[10];
    for (int i = 0; i < 10; i++)
        others[i] = sil_go(co_read_by_pieces, &asked, sizeof asked, 0);
    give_way(10);
    for (int i = 0; i < 10; i += 2) {
        (void)sil_future_cancel(others[i]);
        EXPECT_CODE(sil_take(others[i], NULL, SIL_FOREVER), SIL_ECANCELLED);
    }
    sil_http_close(page); /* makes room */
    for (int i = 1; i < 10; i += 2)
        EXPECT_CODE(sil_take(others[i], NULL, SIL_FOREVER), 0);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(a_cancelled_caller_destroys_its_client)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(NULL);
    sil_http_response *page;
    EXPECT_CODE(sil_http_get(client, site_url("/page/x"), 0, &page, soon()), 0);
    sil_http_close(page);
    sil_deadline outer = sil_deadline_scope(sil_in(-1));
    sil_http_client_destroy(client);
    sil_deadline_restore(outer);
    return 0;
}

SCENARIO(clients_are_apart)
{
    (void)arg, (void)result;
    sil_http_client *clients[20];
    sil_http_response *pages[20];
    for (int i = 0; i < 20; i++) {
        clients[i] = sil_http_client_create(NULL);
        EXPECT_CODE(sil_http_get(clients[i], site_url("/size/30000"), 0, &pages[i], soon()), 0);
    }
    for (int i = 0; i < 20; i++) {
        sil_http_close(pages[i]);
        sil_http_client_destroy(clients[i]);
    }
    return 0;
}

int main(void)
{
    make_piece();
    begin_http_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_many_share_few_connections),
        TEST(test_large_bodies_come_whole_whoever_reads_them),
        TEST(test_what_nobody_reads_is_held_back),
        TEST(test_rates_are_limited),
        TEST(test_a_cancel_at_any_moment_leaves_nothing),
        TEST(test_what_waits_for_a_connection_can_be_cancelled),
        TEST(test_a_cancelled_caller_destroys_its_client),
        TEST(test_clients_are_apart),
    };
    return test_exit(end_http_scenarios(test_run_group("http.many", tests, COUNT_OF(tests))));
}
