/* SPDX-License-Identifier: MIT */
/*
 * What fails: in which part of the work, with which code and which words, and whether it may pass.
 *
 * Names are looked up here: missing.test is not there, and slow.test is not found before the gate opens.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>

#include "unit/http/site.h"

static struct gate slow_gate;

/* In place of the C library's: libcurl calls this one. */
__attribute__((__visibility__("default"))) int getaddrinfo(const char *node, const char *service,
                                                           const struct addrinfo *hints,
                                                           struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && strcmp(node, "missing.test") == 0)
        return EAI_NONAME;
    if (node && strcmp(node, "slow.test") == 0) {
        gate_wait(&slow_gate);
        return EAI_NONAME;
    }
    return real(node, service, hints, out);
}

struct expected {
    int code;
    sil_http_failure_kind kind;
    bool may_pass;
    const char *message; /* a part of it */
};

static int fails(sil_http_client *client, const char *url, struct expected expected)
{
    sil_http_response *page;
    EXPECT_CODE(sil_http_get(client, url, 0, &page, soon()), expected.code);
    EXPECT_PART_OF(last_message(), expected.message);
    EXPECT(sil_http_failure(page) == expected.kind);
    EXPECT(sil_http_may_pass(page) == expected.may_pass);
    char byte;
    size_t got;
    EXPECT_CODE(sil_http_read(page, &byte, 1, &got), expected.code); /* and says so again */
    EXPECT_PART_OF(last_message(), expected.message);
    sil_http_close(page);
    return 0;
}

/* With one client for all options that are the default. */
static int fails_plainly(const char *url, struct expected expected)
{
    sil_http_client *client = sil_http_client_create(NULL);
    EXPECT(client != NULL);
    EXPECT_PART(fails(client, url, expected));
    EXPECT_PART(fails(client, url, expected)); /* a recycled response, too */
    sil_http_response *page;
    EXPECT_CODE(sil_http_get(client, site_url("/page/x"), 0, &page, soon()), 0);
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    (void)bind(descriptor, (struct sockaddr *)&address, size);
    (void)getsockname(descriptor, (struct sockaddr *)&address, &size);
    (void)close(descriptor);
    return ntohs(address.sin_port);
}

SCENARIO(nobody_listens)
{
    (void)arg, (void)result;
    int port = free_port();
    char message[80];
    (void)snprintf(message, sizeof message, "cannot connect to 127.0.0.1:%d: Connection refused",
                   port);
    return fails_plainly(url_at(port, "/"),
                         (struct expected){ECONNREFUSED, SIL_HTTP_FAILED_CONNECT, true, message});
}

SCENARIO(a_name_is_missing)
{
    (void)arg, (void)result;
    return fails_plainly(
        "http://missing.test/",
        (struct expected){SIL_ENOHOST, SIL_HTTP_FAILED_NAME, true, "missing.test"});
}

SCENARIO(what_is_no_url)
{
    (void)arg, (void)result;
    static const char *const urls[] = {"http://",         "ftp://127.0.0.1/x",  "a b c",
                                       "http://x:99999/", "file:///etc/passwd", ""};
    for (size_t i = 0; i < COUNT_OF(urls); i++)
        EXPECT_PART(fails_plainly(
            urls[i], (struct expected){SIL_EHTTP, SIL_HTTP_FAILED_URL, false, "not a URL"}));
    return 0;
}

SCENARIO(bodies_are_cut_short)
{
    (void)arg, (void)result;
    struct expected shortened = {SIL_EHTTP, SIL_HTTP_FAILED_SHORT, true, "500 of 1000 bytes"};
    EXPECT_PART(fails_plainly(site_url("/cut/1000"), shortened));
    shortened.message = "cut short";
    EXPECT_PART(fails_plainly(site_url("/cutchunked/1000"), shortened));
    EXPECT_PART(fails_plainly(site_url("/cut/1000000"), shortened));
    return 0;
}

static int plays_and_fails(const char *answer, enum then then, struct expected expected)
{
    struct script script = {.answer = answer, .then = then};
    EXPECT_PART(script_start(&script));
    EXPECT_PART(fails_plainly(url_at(script.port, "/"), expected));
    script_end(&script);
    return 0;
}

SCENARIO(servers_misbehave)
{
    (void)arg, (void)result;
    struct expected ended = {SIL_EHTTP, SIL_HTTP_FAILED_SHORT, true, "without an answer"};
    EXPECT_PART(plays_and_fails("", THEN_CLOSE, ended));
    EXPECT_PART(plays_and_fails("", THEN_RESET, ended));
    EXPECT_PART(plays_and_fails("HTTP/1.1 200 OK\r\nX: y\r\nContent-Le", THEN_CLOSE, ended));
    ended.message = "3 of 10 bytes";
    EXPECT_PART(
        plays_and_fails("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", THEN_CLOSE, ended));
    ended.message = ""; /* a reset may overtake what was sent before */
    EXPECT_PART(
        plays_and_fails("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", THEN_RESET, ended));
    struct expected nonsense = {SIL_EHTTP, SIL_HTTP_FAILED_PROTOCOL, false, "is not HTTP"};
    EXPECT_PART(plays_and_fails("220 this is not HTTP\r\n", THEN_CLOSE, nonsense));
    EXPECT_PART(plays_and_fails("HTTP/1.1 abc\r\n\r\n", THEN_CLOSE, nonsense));
    nonsense.message = "";
    EXPECT_PART(plays_and_fails("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                                THEN_CLOSE, nonsense));
    return 0;
}

SCENARIO(bodies_end_with_the_connection)
{
    (void)arg, (void)result;
    struct script script = {.answer = "HTTP/1.0 200 OK\r\n\r\nall of it"};
    sil_http_client *client = sil_http_client_create(NULL);
    EXPECT_PART(script_start(&script));
    sil_http_response *page;
    EXPECT_CODE(sil_http_get(client, url_at(script.port, "/"), 0, &page, soon()), 0);
    EXPECT_TEXT(sil_http_body(page, NULL), "all of it");
    EXPECT_TEXT(sil_http_protocol(page), "1.0");
    sil_http_close(page);
    sil_http_client_destroy(client);
    script_end(&script);
    return 0;
}

SCENARIO(who_says_nothing_has_stalled)
{
    (void)arg, (void)result;
    struct expected stalled = {SIL_ETIMEDOUT, SIL_HTTP_FAILED_STALL, true, "stalled: no byte for"};
    sil_http_client *client = sil_http_client_create(&(sil_http_client_options){.stall = 0.1});
    EXPECT_PART(fails(client, site_url("/hang"), stalled));
    struct script script = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                            .then = THEN_HOLD};
    EXPECT_PART(script_start(&script));
    EXPECT_PART(fails(client, url_at(script.port, "/"), stalled));
    sil_http_client_destroy(client);
    client =
        sil_http_client_create(&(sil_http_client_options){.stall = 0.2, .stall_rate = 1000000});
    stalled.message = "fewer than 1000000 bytes a second";
    EXPECT_PART(fails(client, site_url("/slow/1000000"), stalled));
    sil_http_client_destroy(client);
    script_end(&script);
    return 0;
}

SCENARIO(who_does_not_read_lets_nobody_stall)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(&(sil_http_client_options){.stall = 0.1});
    sil_http_response *page;
    sil_http_request request = {.url = site_url("/size/3000000")};
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT_CODE(sil_sleep(sil_in(0.4)), 0);
    EXPECT_CODE(sil_http_read_all(page, 0), 0);
    EXPECT(sil_http_received(page) == 3000000);
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(deadlines_are_for_the_whole)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(NULL);
    sil_http_response *page;
    EXPECT_CODE(sil_http_get(client, site_url("/hang"), 0, &page, sil_in(0.05)), SIL_ETIMEDOUT);
    EXPECT(sil_http_failure(page) == SIL_HTTP_FAILED_STALL);
    EXPECT(sil_http_status(page) == 0);
    sil_http_close(page);
    EXPECT_CODE(sil_http_get(client, site_url("/slow/1000000"), 0, &page, sil_in(0.3)),
                SIL_ETIMEDOUT);
    EXPECT(sil_http_status(page) == 200);
    sil_http_close(page);
    EXPECT_CODE(sil_http_get(client, site_url("/page/x"), 0, &page, SIL_NOW), SIL_ETIMEDOUT);
    sil_http_close(page);
    sil_deadline outer = sil_deadline_scope(sil_in(0.05));
    EXPECT_CODE(sil_http_get(client, site_url("/hang"), 0, &page, SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(names_take_too_long)
{
    (void)arg, (void)result;
    gate_init(&slow_gate);
    sil_http_client *client =
        sil_http_client_create(&(sil_http_client_options){.connect_timeout = 0.1});
    EXPECT_PART(fails(
        client, "http://slow.test/",
        (struct expected){SIL_ETIMEDOUT, SIL_HTTP_FAILED_NAME, true, "cannot look up slow.test"}));
    sil_http_client_destroy(client); /* does not wait for the look-up */
    client = sil_http_client_create(NULL);
    sil_http_response *page;
    EXPECT_CODE(sil_http_get(client, "http://slow.test/", 0, &page, sil_in(0.05)), SIL_ETIMEDOUT);
    sil_http_close(page);
    sil_http_client_destroy(client);
    gate_open(&slow_gate);
    return 0;
}

SCENARIO(connecting_takes_too_long)
{
    (void)arg, (void)result;
    /* Two connections that nobody accepts fill the backlog: more are not answered. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int full[4];
    for (int i = 0; i < 4; i++)
        full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    EXPECT(bind(full[0], (struct sockaddr *)&address, size) == 0 && listen(full[0], 0) == 0);
    (void)getsockname(full[0], (struct sockaddr *)&address, &size);
    for (int i = 1; i < 4; i++)
        (void)connect(full[i], (struct sockaddr *)&address, size);
    sil_http_client *client =
        sil_http_client_create(&(sil_http_client_options){.connect_timeout = 0.2});
    EXPECT_PART(fails(
        client, url_at(ntohs(address.sin_port), "/"),
        (struct expected){SIL_ETIMEDOUT, SIL_HTTP_FAILED_CONNECT, true, "no answer for 0.2 s"}));
    sil_http_client_destroy(client);
    for (int i = 0; i < 4; i++)
        (void)close(full[i]);
    return 0;
}

static int co_get(void *arg, void *result)
{
    struct {
        sil_http_client *client;
        const char *url;
    } *asked = arg;
    sil_http_response *page;
    int code = sil_http_get(asked->client, asked->url, 0, &page, soon());
    sil_http_close(page);
    return (void)result, code;
}

/* Who waits for a connection does not connect, and does not stall. */
SCENARIO(queueing_is_no_failure)
{
    (void)arg, (void)result;
    struct script script = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    sil_http_client *client = sil_http_client_create(
        &(sil_http_client_options){.max_connections = 1, .connect_timeout = 0.1, .stall = 0.2});
    EXPECT_PART(script_start(&script));
    sil_http_response *page;
    sil_http_request request = {.url = site_url("/slow/12000")};
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    struct {
        sil_http_client *client;
        const char *url;
    } asked = {client, url_at(script.port, "/")};
    sil_future *other = sil_go(co_get, &asked, sizeof asked, 0);
    EXPECT_CODE(sil_http_read_all(page, 0), 0); /* takes 0.6 s */
    sil_http_close(page);
    EXPECT_CODE(sil_take(other, NULL, SIL_FOREVER), 0);
    sil_http_client_destroy(client);
    script_end(&script);
    return 0;
}

SCENARIO(retry_after_is_a_number_or_a_date)
{
    (void)arg, (void)result;
    static const struct {
        const char *text;
        double least, most;
    } cases[] = {{"Retry-After: 7\r\n", 7, 7},
                 {"Retry-After: 0\r\n", 0, 0},
                 {"Retry-After: Wed, 01 Jan 2020 00:00:00 GMT\r\n", 0, 0},
                 {"Retry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n", 1e8, 1e10},
                 {"Retry-After: soon\r\n", -1, -1},
                 {"", -1, -1}};
    sil_http_client *client = sil_http_client_create(NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char answer[200];
        (void)snprintf(answer, sizeof answer, "HTTP/1.1 503 No\r\n%sContent-Length: 0\r\n\r\n",
                       cases[i].text);
        struct script script = {.answer = answer};
        EXPECT_PART(script_start(&script));
        sil_http_response *page;
        EXPECT_CODE(sil_http_get(client, url_at(script.port, "/"), 0, &page, soon()), 0);
        double seconds = sil_http_retry_after(page);
        EXPECT(seconds >= cases[i].least && seconds <= cases[i].most && sil_http_may_pass(page));
        sil_http_close(page);
        script_end(&script);
    }
    sil_http_client_destroy(client);
    return 0;
}

int main(void)
{
    begin_http_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_listens),
        TEST(test_a_name_is_missing),
        TEST(test_what_is_no_url),
        TEST(test_bodies_are_cut_short),
        TEST(test_servers_misbehave),
        TEST(test_bodies_end_with_the_connection),
        TEST(test_who_says_nothing_has_stalled),
        TEST(test_who_does_not_read_lets_nobody_stall),
        TEST(test_deadlines_are_for_the_whole),
        TEST(test_names_take_too_long),
        TEST(test_connecting_takes_too_long),
        TEST(test_queueing_is_no_failure),
        TEST(test_retry_after_is_a_number_or_a_date),
    };
    return test_exit(end_http_scenarios(test_run_group("http.failure", tests, COUNT_OF(tests))));
}
