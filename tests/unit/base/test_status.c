/* SPDX-License-Identifier: MIT */
/*
 * Status codes: every one has a name and a message, and none can be taken for an errno value.
 */
#include <sillon/status.h>
#include <sillon/version.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"

static void test_every_code_has_its_name_and_message(void **state)
{
    (void)state;
#define CHECK(name, number, text)                                   \
    assert_string_equal(sil_status_name(SIL_##name), "SIL_" #name); \
    assert_string_equal(sil_strerror(SIL_##name), text);
    SIL_STATUS_MAP(CHECK)
#undef CHECK
}

static void test_codes_lie_apart_from_errno_and_from_each_other(void **state)
{
    (void)state;
    static const int codes[] = {
#define NUMBER(name, number, text) number,
        SIL_STATUS_MAP(NUMBER)
#undef NUMBER
    };
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        assert_true(codes[i] < -4096);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(codes[i], codes[k]);
    }
}

static void test_errno_values_of_either_sign(void **state)
{
    (void)state;
    assert_string_equal(sil_strerror(ENOENT), strerror(ENOENT));
    assert_string_equal(sil_strerror(-ENOENT), strerror(ENOENT));
    assert_string_equal(sil_status_name(ERANGE), "ERANGE");
    assert_string_equal(sil_status_name(-ERANGE), "ERANGE");
}

static void test_success_and_unknown_codes(void **state)
{
    (void)state;
    assert_string_equal(sil_strerror(0), "success");
    assert_null(sil_status_name(0));
    assert_string_equal(sil_strerror(123456), "error 123456");
    assert_string_equal(sil_strerror(-123456), "error -123456");
    assert_non_null(sil_strerror(INT_MIN));
    assert_non_null(sil_strerror(INT_MAX));
    assert_null(sil_status_name(INT_MIN));
    assert_null(sil_status_name(INT_MAX));
}

static void test_version_is_that_of_the_header(void **state)
{
    (void)state;
    char version[32];
    (void)snprintf(version, sizeof version, "%d.%d.%d", SIL_VERSION_MAJOR, SIL_VERSION_MINOR,
                   SIL_VERSION_PATCH);
    assert_string_equal(sil_version(), version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_code_has_its_name_and_message),
        TEST(test_codes_lie_apart_from_errno_and_from_each_other),
        TEST(test_errno_values_of_either_sign),
        TEST(test_success_and_unknown_codes),
        TEST(test_version_is_that_of_the_header),
    };
    return test_run("status", tests);
}
