/* SPDX-License-Identifier: MIT */
/*
 * Values for JSON: text of any bytes, seconds, moments.
 */
#include <stdlib.h>
#include <string.h>

#include <sillon/deadline.h>

#include "record/recorder.h"
#include "support/test.h"

static void assert_json(json_t *value, const char *expected)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
    json_decref(value);
}

static void test_text_is_a_string_when_it_is_utf8(void **state)
{
    (void)state;
    assert_json(record_text("", 0), "\"\"");
    assert_json(record_text(NULL, 0), "\"\"");
    assert_json(record_text("a\"\n\t\\", 5), "\"a\\\"\\n\\t\\\\\"");
    assert_json(record_text("a\0b", 3), "\"a\\u0000b\"");
    assert_json(record_text("\xc3\xa9\xf0\x9f\x99\x82", 6), "\"\xc3\xa9\xf0\x9f\x99\x82\"");
}

static void test_text_is_base64_when_it_is_not_utf8(void **state)
{
    (void)state;
    assert_json(record_text("\xff", 1), "{\"base64\":\"/w==\"}");
    assert_json(record_text("\xff\xfe", 2), "{\"base64\":\"//4=\"}");
    assert_json(record_text("\xff\0a", 3), "{\"base64\":\"/wBh\"}");
    assert_json(record_text("any carnal pleas\xc3", 17),
                "{\"base64\":\"YW55IGNhcm5hbCBwbGVhc8M=\"}");
    assert_json(record_text("\xed\xa0\x80", 3), "{\"base64\":\"7aCA\"}"); /* a surrogate */
    assert_json(record_text("\xc0\xaf", 2), "{\"base64\":\"wK8=\"}");     /* longer than needed */
    assert_json(record_text("\xf4\x90\x80\x80", 4), "{\"base64\":\"9JCAgA==\"}"); /* no such one */
}

static void test_seconds_are_those_that_were_meant(void **state)
{
    (void)state;
    assert_json(record_seconds(0.1), "0.1");
    assert_json(record_seconds(0.1 + 0.2), "0.3");
    assert_json(record_seconds(2), "2.0");
    assert_json(record_seconds(1234567.123456), "1234567.123456");
    assert_json(record_seconds(0.0000004), "0.0");
    assert_json(record_seconds(-0.25), "-0.25");
    double zero = 0;
    assert_json(record_seconds(zero / zero), "0.0");
    assert_json(record_seconds(1 / zero), "0.0");
}

/* The moments are of the same clock, so one a day ahead is a day ahead. */
static void test_time_is_in_utc(void **state)
{
    (void)state;
    char now[32], soon[32], earlier[32];
    assert_ptr_equal(record_time(now, 0), now);
    assert_int_equal(strlen(now), strlen("2026-11-21T10:00:00.123Z"));
    const int64_t day = INT64_C(86400) * 1000000000;
    (void)record_time(soon, sil_clock() + 2 * day);
    (void)record_time(earlier, sil_clock() - 2 * day);
    assert_true(strcmp(earlier, now) < 0);
    assert_true(strcmp(now, soon) < 0);
    assert_int_equal(now[10], 'T');
    assert_int_equal(now[23], 'Z');
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_text_is_a_string_when_it_is_utf8),
        TEST(test_text_is_base64_when_it_is_not_utf8),
        TEST(test_seconds_are_those_that_were_meant),
        TEST(test_time_is_in_utc),
    };
    return test_run("values of records", tests);
}
