/* SPDX-License-Identifier: MIT */
/*
 * Sizes, times and rates: what people type is read, and nothing else; what is shown is short.
 */
#include "text/units.h"

#include <math.h>
#include <string.h>

#include "support/test.h"

static void test_number_is_digits_alone(void **state)
{
    (void)state;
    uint64_t number = 7;
    assert_true(unit_read_number("0", 0, 9, &number) && number == 0);
    assert_true(unit_read_number("18446744073709551615", 0, UINT64_MAX, &number));
    assert_true(number == UINT64_MAX);
    static const char *const bad[] = {"",
                                      " 5",
                                      "5 ",
                                      "-1",
                                      "+1",
                                      "0x10",
                                      "1e3",
                                      "1.0",
                                      "five",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    number = 7;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(unit_read_number(bad[i], 0, UINT64_MAX, &number));
    assert_false(unit_read_number("10", 0, 9, &number));
    assert_false(unit_read_number("1", 2, 9, &number));
    assert_true(number == 7);
}

struct reading {
    const char *text;
    double expected; /* negative: it is none */
};

static void assert_readings(bool (*read)(const char *text, double *out),
                            const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double value = -7;
        bool is_one = read(readings[i].text, &value);
        double expected = readings[i].expected, distance = value - (expected < 0 ? -7 : expected);
        if (is_one != (expected >= 0) || distance > 1e-9 || distance < -1e-9)
            fail_msg("'%s' gave %g, not %g", readings[i].text, value, expected);
    }
}

static void test_seconds_take_their_units(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"500ms", 0.5}, {"3", 3},      {"1.5s", 1.5},       {"2m", 120},  {"1h", 3600},
        {"0", 0},       {".5", 0.5},   {"8784h", 31622400}, {"1H", 3600}, {"8785h", -1},
        {"", -1},       {".", -1},     {"-1", -1},          {"inf", -1},  {"nan", -1},
        {"0x1p3", -1},  {"1.2.3", -1}, {"1d", -1},          {"1 s", -1},  {"1e9", -1},
        {" 1", -1},     {"1s ", -1},
    };
    assert_readings(unit_read_seconds, readings, COUNT_OF(readings));
}

static void test_rate_is_a_second_or_a_minute(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"5", 5},     {"10/s", 10}, {"90/m", 1.5}, {"1800/h", 0.5}, {"0.5", 0.5},
        {"0", 0},     {"", -1},     {"/s", -1},    {"10/", -1},     {"10/d", -1},
        {"-1/s", -1}, {"10s", -1},  {"x", -1},     {"10/s/s", -1},
    };
    assert_readings(unit_read_rate, readings, COUNT_OF(readings));
}

static void test_percent_is_more_than_none(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {"50%", 50}, {"12.5%", 12.5}, {"300%", 300}, {"0%", -1},       {"50", -1},
        {"%", -1},   {"-5%", -1},     {"5%%", -1},   {"2000000%", -1},
    };
    assert_readings(unit_read_percent, readings, COUNT_OF(readings));
}

static void test_size_counts_by_1024(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},           {"10", 10},
        {"64K", 65536},     {"64k", 65536},
        {"1M", 1048576},    {"1.5M", 1572864},
        {"2G", 2147483648}, {"1T", UINT64_C(1) << 40},
        {"0.5K", 512},      {"9007199254740991", UINT64_C(9007199254740991)},
    };
    uint64_t size = 7;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(unit_read_size(good[i].text, &size));
        assert_true(size == good[i].bytes);
    }
    static const char *const bad[] = {"",   "K",   "-1",  "1KB", "1KiB",     "1 K",
                                      "1P", "0x1", "inf", "1e3", "8388608T", "1.2.3"};
    size = 7;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(unit_read_size(bad[i], &size));
    assert_true(size == 7);
}

static void test_bytes_are_shown_short(void **state)
{
    (void)state;
    char text[UNIT_TEXT_SIZE];
    assert_string_equal(unit_bytes(text, 0), "0 B");
    assert_string_equal(unit_bytes(text, 999), "999 B");
    assert_string_equal(unit_bytes(text, 1000), "1.0 KiB");
    assert_string_equal(unit_bytes(text, 1024 * 999.96), "1.0 MiB");
    assert_string_equal(unit_bytes(text, 1536 * 1024.0), "1.5 MiB");
    assert_true(strlen(unit_bytes(text, 1e30)) < UNIT_TEXT_SIZE);
}

static void test_clock_is_a_dash_when_unknown(void **state)
{
    (void)state;
    char text[UNIT_TEXT_SIZE];
    assert_string_equal(unit_clock(text, 0), "0:00");
    assert_string_equal(unit_clock(text, 42.4), "0:42");
    assert_string_equal(unit_clock(text, 725), "12:05");
    assert_string_equal(unit_clock(text, 10807), "3:00:07");
    assert_string_equal(unit_clock(text, -1), "-");
    assert_string_equal(unit_clock(text, 1e18), "-");
    assert_string_equal(unit_clock(text, (double)NAN), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_number_is_digits_alone),       TEST(test_seconds_take_their_units),
        TEST(test_rate_is_a_second_or_a_minute), TEST(test_percent_is_more_than_none),
        TEST(test_size_counts_by_1024),          TEST(test_bytes_are_shown_short),
        TEST(test_clock_is_a_dash_when_unknown),
    };
    return test_run("units", tests);
}
