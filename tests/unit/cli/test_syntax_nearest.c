/* SPDX-License-Identifier: MIT */
/*
 * The word that was meant: near ones are found, far ones are not offered.
 */
#include "syntax/nearest.h"

#include <string.h>

#include "support/test.h"

static const char *const words[] = {"input", "jobs",       "per-host", "retries",
                                    "json",  "retry-wait", "stall",    "quiet"};

static const char *nearest(const char *typed)
{
    struct nearest found = nearest_begin(typed, strlen(typed));
    for (size_t i = 0; i < COUNT_OF(words); i++)
        nearest_offer(&found, words[i]);
    return found.found != NULL ? found.found : "none";
}

static void test_nearest_is_found_when_a_slip_away(void **state)
{
    (void)state;
    assert_string_equal(nearest("perhost"), "per-host");
    assert_string_equal(nearest("per-hots"), "per-host");
    assert_string_equal(nearest("per-hostt"), "per-host");
    assert_string_equal(nearest("job"), "jobs");
    assert_string_equal(nearest("jsno"), "json");
    assert_string_equal(nearest("retrys"), "retries");
    assert_string_equal(nearest("quite"), "quiet");
    assert_string_equal(nearest("json"), "json");
}

static void test_nearest_completes_a_beginning(void **state)
{
    (void)state;
    assert_string_equal(nearest("retry"), "retry-wait");
    assert_string_equal(nearest("in"), "input");
}

static void test_nearest_is_none_when_far(void **state)
{
    (void)state;
    assert_string_equal(nearest(""), "none");
    assert_string_equal(nearest("frob"), "none");
    assert_string_equal(nearest("x"), "none");
    assert_string_equal(nearest("sillon"), "none");
    char longer[4096];
    memset(longer, 'j', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_string_equal(nearest(longer), "none");
}

static void test_nearest_sees_only_its_length(void **state)
{
    (void)state;
    struct nearest found = nearest_begin("jobz=jobs", 4);
    nearest_offer(&found, "jobs");
    assert_string_equal(found.found, "jobs");
    assert_int_equal(found.slips, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nearest_is_found_when_a_slip_away),
        TEST(test_nearest_completes_a_beginning),
        TEST(test_nearest_is_none_when_far),
        TEST(test_nearest_sees_only_its_length),
    };
    return test_run("nearest", tests);
}
