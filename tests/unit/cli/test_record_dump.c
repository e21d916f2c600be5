/* SPDX-License-Identifier: MIT */
/*
 * JSON as text: what jansson reads back is what went in.
 */
#include "record/dump.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/random.h"
#include "support/test.h"

static void check_text(json_t *value, const char *expected)
{
    struct dump dump = {0};
    assert_true(dump_json(&dump, value));
    assert_int_equal(dump.size, strlen(expected));
    assert_memory_equal(dump.bytes, expected, dump.size);
    free(dump.bytes);
    json_decref(value);
}

static void test_values_have_their_usual_text(void **state)
{
    (void)state;
    check_text(json_object(), "{}");
    check_text(json_array(), "[]");
    check_text(json_pack("{s:i,s:s,s:[i,b,b,n]}", "b", 7, "a", "x", "c", -1, 1, 0),
               "{\"b\":7,\"a\":\"x\",\"c\":[-1,true,false,null]}");
}

static void test_text_is_escaped(void **state)
{
    (void)state;
    check_text(json_string("a\"b\\c\n\r\t\b\f\x01\x1f"
                           "\xc3\xa9/"),
               "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001f\xc3\xa9/\"");
    check_text(json_stringn("a\0b", 3), "\"a\\u0000b\"");
}

static void test_numbers(void **state)
{
    (void)state;
    check_text(json_integer(INT64_MIN), "-9223372036854775808");
    check_text(json_integer(INT64_MAX), "9223372036854775807");
    check_text(json_real(0), "0.0");
    check_text(json_real(1), "1.0");
    check_text(json_real(-0.5), "-0.5");
    check_text(json_real(0.000001), "0.000001");
    check_text(json_real(12.345678), "12.345678");
    check_text(json_real(100), "100.0");
    check_text(json_real(1e300), "1e+300");
}

static void test_random_text_comes_back(void **state)
{
    (void)state;
    struct random random = {5};
    for (int round = 0; round < 500; round++) {
        char text[64];
        size_t size = random_next(&random) % sizeof(text);
        for (size_t i = 0; i < size; i++)
            text[i] = (char)(random_next(&random) % 128);
        json_t *value = json_pack("[s#,f,I]", text, (int)size, (double)round / 1000,
                                  (json_int_t)random_next(&random));
        struct dump dump = {0};
        assert_true(dump_json(&dump, value));
        json_t *back = json_loadb(dump.bytes, dump.size, JSON_ALLOW_NUL, NULL);
        assert_non_null(back);
        assert_int_equal(json_equal(value, back), 1);
        json_decref(back);
        json_decref(value);
        free(dump.bytes);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_values_have_their_usual_text),
        TEST(test_text_is_escaped),
        TEST(test_numbers),
        TEST(test_random_text_comes_back),
    };
    return test_run("JSON as text", tests);
}
