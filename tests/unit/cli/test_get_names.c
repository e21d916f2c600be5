/* SPDX-License-Identifier: MIT */
/*
 * Names: they stay in the folder, and no two files get the same.
 */
#include "get/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

struct pair {
    const char *from, *to;
};

static void check_of_url(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *name = name_of_url(pairs[i].from);
        assert_non_null(name);
        assert_string_equal(name, pairs[i].to);
        free(name);
    }
}

static void test_name_is_the_last_part_of_the_path(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"", "index.html"},
        {"/", "index.html"},
        {"/a/b/", "index.html"},
        {"/a.iso", "a.iso"},
        {"/x/y/a.iso", "a.iso"},
        {"/a%20b", "a b"},
        {"/%C3%BC", "\xc3\xbc"},
        {"/100%", "100%"},
        {"/%4", "%4"},
        {"/%zz", "%zz"},
        {"a", "a"},
    };
    check_of_url(pairs, COUNT_OF(pairs));
}

static void test_name_stays_in_the_folder_whatever_the_url(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"/..", "_."},
        {"/.", "_"},
        {"/%2e%2e", "_."},
        {"/%2E%2E%2Fpasswd", "_._passwd"},
        {"/%2Fetc%2Fpasswd", "_etc_passwd"},
        {"/.bashrc", "_bashrc"},
        {"/-rf", "_rf"},
        {"/~root", "_root"},
        {"/a%00b", "a_b"},
        {"/a%0Ab", "a_b"},
        {"/a%1B[2J", "a_[2J"},
        {"/a%ff", "a_"},
        {"/%e2%80%ae", "_"},
        {"/-", "_"},
    };
    check_of_url(pairs, COUNT_OF(pairs));
    char url[2000];
    memset(url, 'x', sizeof url);
    url[0] = '/';
    url[sizeof url - 1] = '\0';
    char *name = name_of_url(url);
    assert_int_equal(strlen(name), 200);
    free(name);
}

static void test_tree_keeps_host_and_path(void **state)
{
    (void)state;
    static const struct {
        const char *host, *path, *name;
    } cases[] = {
        {"example.org", "", "example.org/index.html"},
        {"example.org", "/", "example.org/index.html"},
        {"example.org", "/a/b.txt", "example.org/a/b.txt"},
        {"example.org", "/a//b/", "example.org/a/b/index.html"},
        {"example.org", "/../../etc/x", "example.org/_./_./etc/x"},
        {"example.org", "/%2e%2e/%2f/x", "example.org/_./_/x"},
        {"..", "/x", "_./x"},
        {"[::1]", "/x", "[::1]/x"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *name = name_of_tree(cases[i].host, cases[i].path);
        assert_non_null(name);
        assert_string_equal(name, cases[i].name);
        free(name);
    }
}

static void test_given_name_is_taken_when_it_stays_in_the_folder(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"a", "a"},       {"./a", "a"},   {".//a", "a"},  {"a/b", "a/b"}, {"a//b", "a/b"},
        {"a/./b", "a/b"}, {"...", "..."}, {"..a", "..a"}, {"a..", "a.."}, {".hidden", ".hidden"},
        {"-x", "-x"},     {"a b", "a b"}, {"a/-", "a/-"}, {"././x", "x"},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        assert_null(name_trouble(pairs[i].from));
        char *name = name_given(pairs[i].from);
        assert_non_null(name);
        assert_string_equal(name, pairs[i].to);
        free(name);
    }
    static const char *const bad[] = {"",       "/",    "/a",   "..",    "../a",  "a/..",
                                      "a/../b", "a/",   ".",    "./",    "./.",   "-",
                                      "./-",    "a\nb", "\x1b", "a//..", "././-", "\xe2\x80\xae"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_non_null(name_trouble(bad[i]));
        assert_null(name_given(bad[i]));
    }
}

/* --- claims ---------------------------------------------------------------------------------- */

static bool taken_by(struct names *names, const char *name, const char *url)
{
    const char *owner = NULL;
    return !names_claim(names, name, "other", &owner) && owner != NULL && strcmp(owner, url) == 0;
}

static void test_name_is_given_once(void **state)
{
    (void)state;
    const char *owner;
    struct names *names = names_create();
    assert_true(names_claim(names, "a", "http://x/a", &owner));
    assert_true(names_claim(names, "b", "http://x/b", &owner));
    assert_true(taken_by(names, "a", "http://x/a"));
    assert_true(taken_by(names, "b", "http://x/b"));
    assert_true(names_claim(names, "A", "http://x/A", &owner));
    names_destroy(names);
    names_destroy(NULL);
}

static void test_what_stands_beside_a_file_is_its_own(void **state)
{
    (void)state;
    const char *owner;
    struct names *names = names_create();
    assert_true(names_claim(names, "a", "1", &owner));
    assert_true(taken_by(names, "a.part", "1"));
    assert_true(taken_by(names, "a.part.meta", "1"));
    assert_true(names_claim(names, "b.part", "2", &owner));
    assert_true(taken_by(names, "b", "2"));
    assert_true(names_claim(names, "c.part.meta", "3", &owner));
    assert_true(taken_by(names, "c", "3"));
    assert_true(names_claim(names, ".part", "4", &owner));
    names_destroy(names);

    names = names_create();
    names_set_suffix(names, "~");
    assert_true(names_claim(names, "a", "1", &owner));
    assert_true(names_claim(names, "a.part", "2", &owner));
    assert_true(taken_by(names, "a~", "1"));
    names_destroy(names);
}

static void test_file_is_no_folder_of_another(void **state)
{
    (void)state;
    const char *owner;
    struct names *names = names_create();
    assert_true(names_claim(names, "h/a/b", "1", &owner));
    assert_true(names_claim(names, "h/a/c", "2", &owner));
    assert_true(taken_by(names, "h/a", "1"));
    assert_true(taken_by(names, "h", "1"));
    assert_true(taken_by(names, "h/a/b/c", "1"));
    assert_true(names_claim(names, "/abs/x", "3", &owner));
    names_destroy(names);
}

static void test_numbers_go_on_where_names_are_taken(void **state)
{
    (void)state;
    const char *owner;
    struct names *names = names_create();
    static const char *const expected[] = {"a", "a.1", "a.3", "a.4"};
    assert_true(names_claim(names, "a.2", "own name", &owner));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        char *name = names_claim_numbered(names, "a", "url");
        assert_non_null(name);
        assert_string_equal(name, expected[i]);
        free(name);
    }
    names_destroy(names);
}

static void test_many_names_are_told_apart(void **state)
{
    (void)state;
    const char *owner;
    struct names *names = names_create();
    char name[32];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            (void)snprintf(name, sizeof name, "file-%d", i);
            assert_int_equal(names_claim(names, name, name, &owner), round == 0);
            if (round == 1)
                assert_string_equal(owner, name);
        }
    names_destroy(names);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_name_is_the_last_part_of_the_path),
        TEST(test_name_stays_in_the_folder_whatever_the_url),
        TEST(test_tree_keeps_host_and_path),
        TEST(test_given_name_is_taken_when_it_stays_in_the_folder),
        TEST(test_name_is_given_once),
        TEST(test_what_stands_beside_a_file_is_its_own),
        TEST(test_file_is_no_folder_of_another),
        TEST(test_numbers_go_on_where_names_are_taken),
        TEST(test_many_names_are_told_apart),
    };
    return test_run("names", tests);
}
