/* SPDX-License-Identifier: MIT */
/*
 * Checksums: as they are typed, listed and made. And the dates of HTTP.
 */
#include "get/sums.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/error.h>

#include "get/hasher.h"
#include "get/http_date.h"
#include "support/test.h"

#define MD5 "900150983cd24fb0d6963f7d28e17f72"
#define SHA1 "a9993e364706816aba3e25717850c26c9cd0d89d"
#define SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA512                                                         \
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
#define BLAKE2B                                                        \
    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1" \
    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
#define OTHER "0000000000000000000000000000000000000000000000000000000000000000"

/* --- digests --------------------------------------------------------------------------------- */

static void test_digests_of_abc_are_those_of_the_standards(void **state)
{
    (void)state;
    static const char *const expected[] = {[DIGEST_SHA256] = SHA256,
                                           [DIGEST_SHA512] = SHA512,
                                           [DIGEST_SHA1] = SHA1,
                                           [DIGEST_MD5] = MD5,
                                           [DIGEST_BLAKE2B] = BLAKE2B};
    for (enum digest_kind kind = DIGEST_SHA256; kind <= DIGEST_BLAKE2B; kind++) {
        struct digest has;
        struct hasher *hasher = hasher_create(kind);
        assert_non_null(hasher);
        assert_true(hasher_feed(hasher, "xyz", 3) && hasher_restart(hasher));
        assert_true(hasher_feed(hasher, "a", 1) && hasher_feed(hasher, "bc", 2));
        assert_true(hasher_end(hasher, &has));
        assert_int_equal(has.kind, kind);
        assert_string_equal(has.hex, expected[kind]);
        hasher_destroy(hasher);
    }
    hasher_destroy(NULL);
}

static void test_digest_is_read_when_it_is_one(void **state)
{
    (void)state;
    struct digest digest;
    assert_true(digest_read("sha256:" SHA256, &digest));
    assert_int_equal(digest.kind, DIGEST_SHA256);
    assert_true(digest_read("SHA1=A9993E364706816ABA3E25717850C26C9CD0D89D", &digest));
    assert_string_equal(digest.hex, SHA1);
    assert_true(digest_read("blake2b:" BLAKE2B, &digest) && digest.kind == DIGEST_BLAKE2B);
    assert_true(digest_read("sha512=" SHA512, &digest) && digest.kind == DIGEST_SHA512);
    assert_true(digest_read("md5:" MD5, &digest) && digest.kind == DIGEST_MD5);
    assert_string_equal(digest_name(DIGEST_BLAKE2B), "blake2b");
    static const char *const bad[] = {"",
                                      "sha256",
                                      "sha256:",
                                      ":" SHA256,
                                      "none:",
                                      "crc32:00000000",
                                      "sha256:" MD5,
                                      "sha256:" SHA256 "0",
                                      "md5:900150983cd24fb0d6963f7d28e17f7g",
                                      "md5: 900150983cd24fb0d6963f7d28e17f7"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(digest_read(bad[i], &digest));
}

/* --- lists ----------------------------------------------------------------------------------- */

static struct sums *open_text(const char *text, size_t size)
{
    char path[] = "/tmp/sillon-test-sums-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    (void)close(fd);
    struct sums *sums = sums_open(path);
    (void)unlink(path);
    return sums;
}

static void assert_sum(const struct sums *sums, const char *name, enum digest_kind kind,
                       const char *hex)
{
    struct digest digest;
    assert_true(sums_find(sums, name, &digest));
    assert_int_equal(digest.kind, kind);
    assert_string_equal(digest.hex, hex);
}

static void test_list_is_read_in_all_its_forms(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf# a comment\n"
        "\n" SHA256 "  a\n" SHA1 " *b c\n" MD5 "  ./d\r\n" SHA512 "  e/f\n"
        "SHA256 (g (1)) = " SHA256 "\n"
        "BLAKE2b (h) = " BLAKE2B "\n"
        "SHA384 (h) = 00\n"
        "\\" SHA256 "  i\\nj\\\\k\n"
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD  l";
    struct digest digest;
    struct sums *sums = open_text(text, sizeof text - 1);
    assert_non_null(sums);
    assert_sum(sums, "a", DIGEST_SHA256, SHA256);
    assert_sum(sums, "./a", DIGEST_SHA256, SHA256);
    assert_sum(sums, "b c", DIGEST_SHA1, SHA1);
    assert_sum(sums, "d", DIGEST_MD5, MD5);
    assert_sum(sums, "e/f", DIGEST_SHA512, SHA512);
    assert_sum(sums, "f", DIGEST_SHA512, SHA512);
    assert_sum(sums, "host/path/f", DIGEST_SHA512, SHA512);
    assert_sum(sums, "g (1)", DIGEST_SHA256, SHA256);
    assert_sum(sums, "h", DIGEST_BLAKE2B, BLAKE2B);
    assert_sum(sums, "i\nj\\k", DIGEST_SHA256, SHA256);
    assert_sum(sums, "l", DIGEST_SHA256, SHA256);
    assert_false(sums_find(sums, "z", &digest));
    assert_false(sums_find(sums, "", &digest));
    sums_destroy(sums);
    sums_destroy(NULL);
}

static void test_signed_list_is_read_without_its_signature(void **state)
{
    (void)state;
    static const char text[] = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
                               "SHA256 (a) = " SHA256 "\n-----BEGIN PGP SIGNATURE-----\n\n"
                               "iQIzBAEBCAAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n";
    struct sums *sums = open_text(text, sizeof text - 1);
    assert_non_null(sums);
    assert_sum(sums, "a", DIGEST_SHA256, SHA256);
    sums_destroy(sums);
}

static void test_strongest_of_several_counts(void **state)
{
    (void)state;
    static const char text[] = MD5 "  a\n" SHA512 "  a\n" SHA256 "  a\n" SHA256 "  a\n";
    struct sums *sums = open_text(text, sizeof text - 1);
    assert_non_null(sums);
    assert_sum(sums, "a", DIGEST_SHA512, SHA512);
    sums_destroy(sums);
}

static void test_last_part_is_not_enough_when_two_have_it(void **state)
{
    (void)state;
    static const char text[] = SHA256 "  x/a\n" OTHER "  y/a\n";
    struct digest digest;
    struct sums *sums = open_text(text, sizeof text - 1);
    assert_non_null(sums);
    assert_false(sums_find(sums, "a", &digest));
    assert_sum(sums, "y/a", DIGEST_SHA256, OTHER);
    sums_destroy(sums);
}

static void test_list_is_refused_when_a_line_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "no checksum is in it"},
        {"# nothing\n", "no checksum is in it"},
        {SHA256 "  a\nhello\n", ":2: this is no line with a checksum"},
        {SHA256 "0  a\n", ":1: this"},
        {SHA256 "  \n", ":1: this"},
        {SHA256 " a\n", ":1: this"},
        {SHA256 "  ./\n", ":1: this"},
        {"SHA256 (a) = " MD5 "\n", ":1: this"},
        {"SHA256 (a) " SHA256 "\n", ":1: this"},
        {"two words (a) = " SHA256 "\n", ":1: this"},
        {SHA256 "  a\n" OTHER "  a\n", "two different checksums of a"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_null(open_text(cases[i].text, strlen(cases[i].text)));
        assert_contains(sil_error_message(sil_last_error()), cases[i].why);
    }
    static const char with_nul[] = MD5 "  a\0b\n";
    assert_null(open_text(with_nul, sizeof with_nul - 1));
    assert_null(sums_open("/nonexistent/sums"));
    assert_contains(sil_error_message(sil_last_error()), "cannot read /nonexistent/sums");
}

/* --- dates ----------------------------------------------------------------------------------- */

static void test_date_is_read_in_all_its_forms(void **state)
{
    (void)state;
    static const char *const good[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int64_t seconds = 0;
        assert_true(http_date_read(good[i], &seconds));
        assert_int_equal(seconds, 784111777);
    }
    static const char *const bad[] = {"",
                                      "now",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 GMT+1",
                                      "Sun, 06 Foo 1994 08:49:37 GMT",
                                      "Sun, 46 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 25:49:37 GMT"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t seconds = 5;
        assert_false(http_date_read(bad[i], &seconds));
        assert_int_equal(seconds, 5);
    }
}

static void test_date_that_is_written_can_be_read(void **state)
{
    (void)state;
    char text[HTTP_DATE_TEXT];
    assert_string_equal(http_date_write(text, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
    for (int64_t moment = 0; moment < INT64_C(4000000000); moment += 12345679) {
        int64_t back = 0;
        assert_true(http_date_read(http_date_write(text, moment), &back));
        assert_int_equal(back, moment);
    }
    assert_string_equal(http_date_write(text, INT64_MAX), "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_digests_of_abc_are_those_of_the_standards),
        TEST(test_digest_is_read_when_it_is_one),
        TEST(test_list_is_read_in_all_its_forms),
        TEST(test_signed_list_is_read_without_its_signature),
        TEST(test_strongest_of_several_counts),
        TEST(test_last_part_is_not_enough_when_two_have_it),
        TEST(test_list_is_refused_when_a_line_is_wrong),
        TEST(test_date_is_read_in_all_its_forms),
        TEST(test_date_that_is_written_can_be_read),
    };
    return test_run("checksums", tests);
}
