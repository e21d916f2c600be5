/* SPDX-License-Identifier: MIT */
/*
 * Requests and answers: what is sent, what comes, and what can be asked about it.
 */
#include "unit/http/site.h"

SCENARIO(get_gives_the_body_and_all_about_it)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(NULL);
    EXPECT(client != NULL);
    sil_http_response *page;
    size_t size;
    char peer[32];
    (void)snprintf(peer, sizeof peer, "127.0.0.1:%d", site.port);
    EXPECT_CODE(sil_http_get(client, site_url("/page/this"), 0, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 200);
    EXPECT_PART_OF(sil_http_body(page, &size), "Documentation of this");
    EXPECT(size == sil_http_length(page) && size == sil_http_received(page));
    EXPECT(strlen(sil_http_body(page, NULL)) == size);
    EXPECT_TEXT(sil_http_protocol(page), "1.1");
    EXPECT_TEXT(sil_http_header(page, "accept-ranges"), "bytes");
    EXPECT(sil_http_header(page, "No-Such") == NULL);
    EXPECT_TEXT(sil_http_url(page), site_url("/page/this"));
    EXPECT_TEXT(sil_http_peer(page), peer);
    EXPECT(!sil_http_reused(page));
    EXPECT(sil_http_retry_after(page) < 0);
    EXPECT(sil_http_failure(page) == SIL_HTTP_NO_FAILURE && !sil_http_may_pass(page));
    sil_http_times times;
    sil_http_times_get(page, &times);
    EXPECT(times.begun > 0 && times.queued >= 0 && times.name >= 0 && times.tls < 0);
    EXPECT(times.sent > 0 && times.sent <= times.first && times.first <= times.ended);
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(any_status_is_an_answer)
{
    (void)arg, (void)result;
    static const struct {
        int status;
        bool may_pass;
    } cases[] = {{404, false}, {408, true}, {425, true}, {429, true}, {500, true},
                 {501, false}, {502, true}, {503, true}, {504, true}, {403, false}};
    sil_http_client *client = sil_http_client_create(NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char path[32];
        sil_http_response *page;
        (void)snprintf(path, sizeof path, "/status/%d", cases[i].status);
        EXPECT_CODE(sil_http_get(client, site_url(path), 0, &page, soon()), 0);
        EXPECT(sil_http_status(page) == cases[i].status);
        EXPECT(sil_http_may_pass(page) == cases[i].may_pass);
        EXPECT_TEXT(sil_http_body(page, NULL), "The body of an error page.\n");
        EXPECT(sil_http_reused(page) == (i > 0));
        sil_http_close(page);
    }
    EXPECT_TEXT(sil_http_status_text(404), "Not Found");
    EXPECT_TEXT(sil_http_status_text(299), "");
    sil_http_client_destroy(client);
    return 0;
}

static int echo(sil_http_client *client, const sil_http_request *request, const char *const *parts)
{
    sil_http_response *page;
    sil_http_request asked = *request;
    asked.url = site_url("/echo");
    EXPECT_CODE(sil_http_send(client, &asked, &page, soon()), 0);
    EXPECT_CODE(sil_http_read_all(page, 0), 0);
    for (; *parts; parts++) {
        const char *part = *parts[0] == '!' ? *parts + 1 : *parts;
        bool there = strstr(sil_http_body(page, NULL), part) != NULL;
        if (there == (*parts[0] == '!'))
            return sil_fail(UNEXPECTED, "%s in: %s", *parts, sil_http_body(page, NULL));
    }
    sil_http_close(page);
    return 0;
}

#define ECHO(client, parts, ...) \
    EXPECT_PART(                 \
        echo(client, &(sil_http_request){__VA_ARGS__}, (const char *const[]){PARTS parts, NULL}))
#define PARTS(...) __VA_ARGS__

SCENARIO(requests_say_what_they_were_told_to)
{
    (void)arg, (void)result;
    sil_http_client *client =
        sil_http_client_create(&(sil_http_client_options){.user_agent = "tester/1"});
    const char *const headers[] = {"X-One: 1", "User-Agent: other", "Accept:", NULL};
    ECHO(client, ("GET /echo\n", "User-Agent: tester/1", "(body): 0\n", "!Range", "!Auth"), 0);
    ECHO(client, ("X-One: 1\n", "User-Agent: other\n", "!tester", "!Accept:"), .headers = headers);
    ECHO(client, ("POST /echo\n", "(body): 5\n"), .body = "hello", .body_size = 5);
    ECHO(client, ("PUT /echo\n", "(body): 5\n"), .method = "PUT", .body = "hello", .body_size = 5);
    ECHO(client, ("POST /echo\n", "Content-Length: 0\n"), .method = "POST");
    ECHO(client, ("DELETE /echo\n", "(body): 0\n"), .method = "DELETE");
    ECHO(client, ("Range: bytes=5-\n", "!If-Range"), .range_from = 5);
    ECHO(client, ("Range: bytes=0-9\n"), .range_to = 9);
    ECHO(client, ("Range: bytes=5-9\n", "If-Range: \"a\"\n"), .range_from = 5, .range_to = 9,
         .if_range = "\"a\"");
    ECHO(client, ("Authorization: Bearer abc\n"), .bearer = "abc");
    ECHO(client, ("gzip"), .compressed = true);
    /* Nothing of those before is left. */
    ECHO(client,
         ("GET /echo\n", "tester/1", "Accept: */*", "!X-One", "!Range", "!Authorization", "!gzip",
          "(body): 0\n"),
         0);
    sil_http_response *page;
    const char *const broken[] = {"X-One: 1\r\nX-Two: 2", NULL};
    EXPECT_CODE(sil_http_send(client,
                              &(sil_http_request){.url = site_url("/echo"), .headers = broken},
                              &page, soon()),
                SIL_EINVAL);
    EXPECT(page == NULL);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(head_has_no_body)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(NULL);
    sil_http_response *page;
    for (int i = 0; i < 2; i++) { /* the second on the same connection */
        sil_http_request request = {.url = site_url("/size/5000"), .method = "HEAD"};
        EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
        EXPECT(sil_http_length(page) == 5000);
        EXPECT_CODE(sil_http_read_all(page, 0), 0);
        EXPECT(sil_http_received(page) == 0);
        sil_http_close(page);
    }
    EXPECT_CODE(sil_http_get(client, site_url("/size/5000"), 0, &page, soon()), 0);
    EXPECT(sil_http_received(page) == 5000);
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(basic_and_digest_are_negotiated)
{
    (void)arg, (void)result;
    struct script script = {.answer = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
                                      "Content-Length: 2\r\nConnection: close\r\n\r\nno"};
    sil_http_client *client = sil_http_client_create(NULL);
    EXPECT_PART(script_start(&script));
    sil_http_response *page;
    sil_http_request request = {.url = url_at(script.port, "/"), .user = "me:secret"};
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 401 && script.served == 2);
    EXPECT_PART_OF(script.head, "Authorization: Basic bWU6c2VjcmV0\r\n");
    EXPECT_CODE(sil_http_read_all(page, 0), 0);
    EXPECT_TEXT(sil_http_body(page, NULL), "no");
    sil_http_close(page);
    script.answer = "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"1\"\r\n"
                    "Content-Length: 0\r\nConnection: close\r\n\r\n";
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 401 && script.served == 4);
    EXPECT_PART_OF(script.head, "Authorization: Digest username=\"me\"");
    sil_http_close(page);
    sil_http_client_destroy(client);
    script_end(&script);
    return 0;
}

SCENARIO(a_range_is_given_only_of_the_same)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(NULL);
    sil_http_response *page;
    char etag[64];
    EXPECT_CODE(sil_http_get(client, site_url("/size/1000"), 0, &page, soon()), 0);
    (void)snprintf(etag, sizeof etag, "%s", sil_http_header(page, "ETag"));
    char bytes[10];
    memcpy(bytes, sil_http_body(page, NULL) + 500, sizeof bytes);
    sil_http_close(page);
    sil_http_request request = {
        .url = site_url("/size/1000"), .range_from = 500, .range_to = 509, .if_range = etag};
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 206 && sil_http_length(page) == 10);
    EXPECT_TEXT(sil_http_header(page, "Content-Range"), "bytes 500-509/1000");
    EXPECT_CODE(sil_http_read_all(page, 0), 0);
    EXPECT(memcmp(sil_http_body(page, NULL), bytes, sizeof bytes) == 0);
    sil_http_close(page);
    request.if_range = "\"other\"";
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 200 && sil_http_length(page) == 1000);
    sil_http_close(page);
    request.if_range = NULL;
    request.range_from = request.range_to = 2000;
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 416);
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(compressed_bodies_are_unpacked)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(NULL);
    sil_http_response *plain, *packed;
    EXPECT_CODE(sil_http_get(client, site_url("/gzip/300000"), 0, &plain, soon()), 0);
    sil_http_request request = {.url = site_url("/gzip/300000"), .compressed = true};
    EXPECT_CODE(sil_http_send(client, &request, &packed, soon()), 0);
    EXPECT_CODE(sil_http_read_all(packed, 0), 0);
    EXPECT_TEXT(sil_http_header(packed, "Content-Encoding"), "gzip");
    EXPECT(sil_http_received(packed) == 300000 && sil_http_length(packed) > 300000);
    EXPECT(memcmp(sil_http_body(packed, NULL), sil_http_body(plain, NULL), 300000) == 0);
    sil_http_close(plain);
    sil_http_close(packed);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(a_limit_is_a_limit)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(NULL);
    sil_http_response *page;
    EXPECT_CODE(sil_http_get(client, site_url("/size/1000"), 999, &page, soon()), SIL_ETOOLONG);
    sil_http_close(page);
    EXPECT_CODE(sil_http_get(client, site_url("/size/1000"), 1000, &page, soon()), 0);
    sil_http_close(page);
    EXPECT_CODE(sil_http_get(client, site_url("/nolength/100001"), 100000, &page, soon()),
                SIL_ETOOLONG);
    EXPECT(sil_http_length(page) == UINT64_MAX);
    sil_http_close(page);
    EXPECT_CODE(sil_http_get(client, site_url("/size/0"), 1, &page, soon()), 0);
    EXPECT_TEXT(sil_http_body(page, NULL), "");
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(heads_are_told_before_bodies_come)
{
    (void)arg, (void)result;
    struct script script = {.answer =
                                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
                                "HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 5\r\n\r\n",
                            .then = THEN_HOLD};
    sil_http_client *client = sil_http_client_create(NULL);
    EXPECT_PART(script_start(&script));
    sil_http_response *page;
    sil_http_request request = {.url = url_at(script.port, "/")};
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 200 && sil_http_received(page) == 0);
    EXPECT_TEXT(sil_http_header(page, "A"), "1, 2");
    EXPECT(sil_http_header(page, "Link") == NULL);
    sil_http_close(page);
    sil_http_client_destroy(client);
    script_end(&script);
    return 0;
}

SCENARIO(misuse_is_refused)
{
    (void)arg, (void)result;
    sil_http_response *page;
    char byte;
    size_t got;
    sil_http_client *client = sil_http_client_create(NULL);
    EXPECT_CODE(sil_http_send(client, &(sil_http_request){0}, &page, soon()), SIL_EINVAL);
    EXPECT_CODE(sil_http_get(NULL, "http://x/", 0, &page, soon()), SIL_EINVAL);
    EXPECT_CODE(sil_http_get(client, "http://x/", 0, NULL, soon()), SIL_EINVAL);
    EXPECT_CODE(sil_http_read(NULL, &byte, 1, &got), SIL_EINVAL);
    EXPECT_CODE(sil_http_read_all(NULL, 0), SIL_EINVAL);
    sil_http_close(NULL);
    sil_http_client_destroy(client);
    sil_http_client_destroy(NULL);
    EXPECT(sil_http_client_create(&(sil_http_client_options){.family = 5}) == NULL);
    EXPECT_CODE(sil_error_code(sil_last_error()), SIL_EINVAL);
    EXPECT(sil_http_client_create(&(sil_http_client_options){.ca_file = "/no/such"}) == NULL);
    EXPECT_CODE(sil_error_code(sil_last_error()), ENOENT);
    return 0;
}

static void test_clients_are_of_coroutines(void **state)
{
    (void)state;
    assert_null(sil_http_client_create(NULL));
    assert_code(sil_error_code(sil_last_error()), SIL_ENOTASK);
}

int main(void)
{
    begin_http_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_get_gives_the_body_and_all_about_it),
        TEST(test_any_status_is_an_answer),
        TEST(test_requests_say_what_they_were_told_to),
        TEST(test_head_has_no_body),
        TEST(test_basic_and_digest_are_negotiated),
        TEST(test_a_range_is_given_only_of_the_same),
        TEST(test_compressed_bodies_are_unpacked),
        TEST(test_a_limit_is_a_limit),
        TEST(test_heads_are_told_before_bodies_come),
        TEST(test_misuse_is_refused),
        TEST(test_clients_are_of_coroutines),
    };
    return test_exit(end_http_scenarios(test_run_group("http", tests, COUNT_OF(tests))));
}
