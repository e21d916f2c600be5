/* SPDX-License-Identifier: MIT */
/*
 * Redirects, and what must not follow them: credentials to others, and from HTTPS to plain HTTP.
 */
#include "unit/http/site.h"

/* A certificate for "localhost", signed by itself, and its key. */
static const char identity[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBATCBtKADAgECAgEBMAUGAytlcDAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEy\n"
    "MDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDAqMAUGAytlcAMhAOGSVM4P8pNGtWC6QSuYgf0TfRmn\n"
    "Eyg/3pEICsb8AfrJoykwJzAPBgNVHRMBAf8EBTADAQH/MBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAFBgMrZXADQQDz\n"
    "gTRb7wG0OnVja/3uyja2raX0So6gekaJ0uoIif8TLvttNQHIavLzFW9HP/Ae/HmivT7QYXNY2YKxkucGk2wM\n"
    "-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEICyRnRA10zUzMf9KN6lEUFdeuIuqtcJmw0y5Mnfd5t4i\n-----END PRIVATE KEY-----\n";

static char identity_file[] = "/tmp/sil-http-XXXXXX";
static struct site secure;

static const char *secure_url(const char *path)
{
    static char urls[2][1024];
    static unsigned next;
    char *url = urls[next++ % 2];
    (void)snprintf(url, sizeof urls[0], "https://localhost:%d%s", secure.port, path);
    return url;
}

/* A redirect from a site to a URL. */
static const char *path_to(const char *url)
{
    static char path[600];
    (void)snprintf(path, sizeof path, "/goto?url=%s", url);
    return path;
}

static sil_http_client *secure_client(sil_http_client_options options)
{
    char entry[64];
    (void)snprintf(entry, sizeof entry, "localhost:%d:127.0.0.1", secure.port);
    const char *const resolve[] = {entry, NULL};
    options.resolve = resolve;
    return sil_http_client_create(&options);
}

static int fails(sil_http_client *client, const sil_http_request *request, int code,
                 sil_http_failure_kind kind, const char *message)
{
    sil_http_response *page;
    EXPECT_CODE(sil_http_send(client, request, &page, soon()), code);
    EXPECT_PART_OF(last_message(), message);
    EXPECT(sil_http_failure(page) == kind && !sil_http_may_pass(page));
    sil_http_close(page);
    return 0;
}

SCENARIO(redirects_are_followed_so_many_times)
{
    (void)arg, (void)result;
    sil_http_client *client = sil_http_client_create(NULL);
    sil_http_response *page;
    sil_http_request request = {.url = site_url("/redirect/3")};
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 200);
    EXPECT_TEXT(sil_http_url(page), site_url("/redirect/0"));
    EXPECT_CODE(sil_http_read_all(page, 0), 0);
    EXPECT_TEXT(sil_http_body(page, NULL), "The end of the redirects.\n");
    sil_http_close(page);
    request.max_redirects = 2;
    EXPECT_PART(
        fails(client, &request, SIL_EHTTP, SIL_HTTP_FAILED_REDIRECT, "more than 2 redirects"));
    request.max_redirects = -1;
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 302);
    EXPECT_TEXT(sil_http_header(page, "Location"), "/redirect/2");
    sil_http_close(page);
    request = (sil_http_request){.url = site_url("/redirect/21")};
    EXPECT_PART(fails(client, &request, SIL_EHTTP, SIL_HTTP_FAILED_REDIRECT, "more than 20"));
    request.url = site_url(path_to("ftp://127.0.0.1/"));
    EXPECT_PART(fails(client, &request, SIL_EHTTP, SIL_HTTP_FAILED_REDIRECT, "not HTTP"));
    request.url = site_url("/goto"); /* a 302 that says no place is an answer */
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 302);
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

static int redirected(sil_http_client *client, sil_http_request request, const char *origin,
                      struct script *to, bool keeps)
{
    char from[700];
    (void)snprintf(from, sizeof from, "%s%s", origin, path_to(url_at(to->port, "/")));
    request.url = from;
    sil_http_response *page;
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT(sil_http_status(page) == 200 && strncmp(to->head, "GET / ", 6) == 0);
    EXPECT((strstr(to->head, "Authorization") != NULL) == keeps);
    EXPECT((strstr(to->head, "Cookie") != NULL) == false);
    sil_http_close(page);
    return 0;
}

SCENARIO(credentials_are_for_one_origin)
{
    (void)arg, (void)result;
    struct script script = {
        .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"};
    sil_http_client *client = sil_http_client_create(NULL);
    EXPECT_PART(script_start(&script));
    static const char *const headers[] = {"Authorization: Mine x", "Cookie: a=b", NULL};
    sil_http_request requests[] = {{.bearer = "abc"}, {.user = "me:secret"}, {.headers = headers}};
    char localhost[64];
    (void)snprintf(localhost, sizeof localhost, "http://localhost:%d", site.port);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        EXPECT_PART(redirected(client, requests[i], site_url(""), &script, false)); /* port */
        EXPECT_PART(redirected(client, requests[i], localhost, &script, false));    /* and host */
    }
    sil_http_response *page;
    sil_http_request same = {.url = site_url(path_to("/echo")),
                             .bearer = "abc",
                             .headers = (const char *[]){"Cookie: a=b", NULL}};
    EXPECT_CODE(sil_http_send(client, &same, &page, soon()), 0);
    EXPECT_CODE(sil_http_read_all(page, 0), 0);
    EXPECT_PART_OF(sil_http_body(page, NULL), "Authorization: Bearer abc");
    EXPECT_PART_OF(sil_http_body(page, NULL), "Cookie: a=b");
    sil_http_close(page);
    sil_http_client_destroy(client);
    script_end(&script);
    return 0;
}

SCENARIO(servers_are_verified)
{
    (void)arg, (void)result;
    sil_http_request request = {.url = secure_url("/page/x")};
    sil_http_client *client = secure_client((sil_http_client_options){0});
    EXPECT_PART(fails(client, &request, SIL_ETLS, SIL_HTTP_FAILED_TLS, "no secure connection to"));
    sil_http_client_destroy(client);
    static const sil_http_client_options good[] = {{.ca_file = identity_file}, {.insecure = true}};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        sil_http_response *page;
        client = secure_client(good[i]);
        EXPECT_CODE(sil_http_get(client, request.url, 0, &page, soon()), 0);
        sil_http_times times;
        sil_http_times_get(page, &times);
        EXPECT(times.tls > 0);
        sil_http_close(page);
        EXPECT_CODE(sil_http_get(client, request.url, 0, &page, soon()), 0);
        EXPECT(sil_http_reused(page));
        sil_http_close(page);
        sil_http_client_destroy(client);
    }
    client = secure_client((sil_http_client_options){
        .ca_file = identity_file, .pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="});
    EXPECT_PART(fails(client, &request, SIL_ETLS, SIL_HTTP_FAILED_TLS, "public key"));
    sil_http_client_destroy(client);
    return 0;
}

SCENARIO(https_is_not_left_for_http)
{
    (void)arg, (void)result;
    sil_http_client *client = secure_client((sil_http_client_options){.ca_file = identity_file});
    sil_http_response *page;
    sil_http_request request = {.url = secure_url(path_to(site_url("/page/x")))};
    EXPECT_PART(fails(client, &request, SIL_EHTTP, SIL_HTTP_FAILED_REDIRECT, "from https to"));
    request.allow_downgrade = true;
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT_TEXT(sil_http_url(page), site_url("/page/x"));
    sil_http_close(page);
    request.allow_downgrade = false;
    request.url = site_url(path_to(secure_url("/page/x"))); /* up is no harm */
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    EXPECT_TEXT(sil_http_url(page), secure_url("/page/x"));
    sil_http_close(page);
    char there[512]; /* and from there on never down again */
    (void)snprintf(there, sizeof there, "%s", secure_url("/goto%3Furl="));
    (void)strncat(there, site_url("/page/x"), sizeof there - strlen(there) - 1);
    request.url = site_url(path_to(there));
    EXPECT_PART(fails(client, &request, SIL_EHTTP, SIL_HTTP_FAILED_REDIRECT, "from https to"));
    request.url = site_url(path_to(site_url("/page/y"))); /* which was for that request only */
    EXPECT_CODE(sil_http_send(client, &request, &page, soon()), 0);
    sil_http_close(page);
    sil_http_client_destroy(client);
    return 0;
}

int main(void)
{
    begin_http_scenarios();
    int descriptor = mkstemp(identity_file);
    if (descriptor < 0 || write(descriptor, identity, sizeof identity - 1) < 0)
        abort();
    (void)close(descriptor);
    secure = start_site(identity_file);
    const struct CMUnitTest tests[] = {
        TEST(test_redirects_are_followed_so_many_times),
        TEST(test_credentials_are_for_one_origin),
        TEST(test_servers_are_verified),
        TEST(test_https_is_not_left_for_http),
    };
    int failed = test_run_group("http.redirect", tests, COUNT_OF(tests));
    stop_site(&secure);
    (void)unlink(identity_file);
    return test_exit(end_http_scenarios(failed));
}
