/* SPDX-License-Identifier: MIT */
/*
 * URLs: the short way for plain ones gives what libcurl's parser gives.
 */
#include "get/url.h"

#include <stdlib.h>
#include <string.h>

#include "support/test.h"

static void check(const char *word, const char *text, const char *origin, const char *path)
{
    struct url url;
    const char *reason = url_parse(word, &url);
    if (reason != NULL)
        print_error("%s: %s\n", word, reason);
    assert_null(reason);
    assert_string_equal(url.text, text);
    assert_string_equal(url.origin, origin);
    assert_string_equal(url.path, path);
    url_fini(&url);
}

static void test_plain_ones_stay_as_they_are(void **state)
{
    (void)state;
    check("http://example.org/", "http://example.org/", "http://example.org:80", "/");
    check("https://example.org/a/b.iso?x=1&y=2", "https://example.org/a/b.iso?x=1&y=2",
          "https://example.org:443", "/a/b.iso");
    check("http://127.0.0.1:8080/f%20g", "http://127.0.0.1:8080/f%20g", "http://127.0.0.1:8080",
          "/f%20g");
    check("http://a.b:80/x", "http://a.b:80/x", "http://a.b:80", "/x");
}

static void test_others_are_brought_into_form(void **state)
{
    (void)state;
    check("http://example.org", "http://example.org/", "http://example.org:80", "/");
    check("HTTP://example.org/x", "http://example.org/x", "http://example.org:80", "/x");
    check("http://127.1/x", "http://127.0.0.1/x", "http://127.0.0.1:80", "/x");
    check("http://0x7f000001/x", "http://127.0.0.1/x", "http://127.0.0.1:80", "/x");
    check("http://h/a/../b", "http://h/b", "http://h:80", "/b");
    check("http://h/a b", "http://h/a%20b", "http://h:80", "/a%20b");
    check("http://h/a#part", "http://h/a", "http://h:80", "/a");
    check("http://[::1]:81/x", "http://[::1]:81/x", "http://[::1]:81", "/x");
}

static void test_passwords_are_not_shown(void **state)
{
    (void)state;
    struct url url;
    assert_null(url_parse("http://joe:secret@h/x", &url));
    assert_string_equal(url.text, "http://joe:secret@h/x");
    assert_null(strstr(url.shown, "secret"));
    assert_non_null(strstr(url.shown, "joe"));
    url_fini(&url);
}

static void test_nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const words[] = {"",          "example.org",     "ftp://h/x",
                                        "http://",   "http://h:99999/", "http://h:0x/",
                                        "file:///x", "http://a b.c/x",  "http://h:/:/"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) - 1; i++) {
        struct url url;
        assert_non_null(url_parse(words[i], &url));
        url_fini(&url);
    }
}

static void test_quick_path_is_the_path(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"http://h/a/b?c#d", "/a/b"},
                                           {"http://h?c", "/"},
                                           {"http://h", "/"},
                                           {"nonsense", "/"},
                                           {"http://h/a#b/c", "/a"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char *path = url_quick_path(pairs[i][0]);
        assert_string_equal(path, pairs[i][1]);
        free(path);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_plain_ones_stay_as_they_are), TEST(test_others_are_brought_into_form),
        TEST(test_passwords_are_not_shown),     TEST(test_nonsense_is_refused),
        TEST(test_quick_path_is_the_path),
    };
    return test_run("URLs of get", tests);
}
