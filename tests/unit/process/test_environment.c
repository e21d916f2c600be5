/* SPDX-License-Identifier: MIT */
/*
 * Environments made of this process's and a list of changes.
 */
#include "process/environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "support/test.h"

/* The value of a name; NULL: it is not there. Counts how often it is. */
static const char *value_of(char **environment, const char *name, int *out_count)
{
    const char *value = NULL;
    size_t length = strlen(name);
    *out_count = 0;
    for (; *environment; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') {
            value = *environment + length + 1;
            ++*out_count;
        }
    }
    return value;
}

static void assert_value(const char *const *changes, const char *name, const char *expected)
{
    char **environment = sil__environment_create(changes);
    assert_non_null(environment);
    int count = 0;
    const char *value = value_of(environment, name, &count);
    if (expected) {
        assert_int_equal(count, 1);
        assert_string_equal(value, expected);
    } else {
        assert_int_equal(count, 0);
    }
    sil__free(environment);
}

static int begin(void **state)
{
    (void)setenv("SIL_TEST_A", "ours", 1);
    (void)unsetenv("SIL_TEST_AB");
    return test_begin(state);
}

static void test_no_changes_give_ours(void **state)
{
    (void)state;
    const char *const none[] = {NULL};
    assert_value(NULL, "SIL_TEST_A", "ours");
    assert_value(none, "SIL_TEST_A", "ours");
}

static void test_a_change_replaces_adds_and_removes(void **state)
{
    (void)state;
    const char *const changes[] = {"SIL_TEST_A=theirs=1", "SIL_TEST_AB=", NULL};
    assert_value(changes, "SIL_TEST_A", "theirs=1");
    assert_value(changes, "SIL_TEST_AB", "");
    const char *const removal[] = {"SIL_TEST_A", "SIL_TEST_AB", NULL};
    assert_value(removal, "SIL_TEST_A", NULL);
    assert_value(removal, "SIL_TEST_AB", NULL);
}

static void test_a_name_that_begins_like_another_is_another(void **state)
{
    (void)state;
    const char *const changes[] = {"SIL_TEST_AB=1", "SIL_TEST_", NULL};
    assert_value(changes, "SIL_TEST_A", "ours");
}

static void test_the_last_change_of_a_name_counts(void **state)
{
    (void)state;
    const char *const twice[] = {"SIL_TEST_A=1", "SIL_TEST_A=2", NULL};
    assert_value(twice, "SIL_TEST_A", "2");
    const char *const removed[] = {"SIL_TEST_A=1", "SIL_TEST_A", NULL};
    assert_value(removed, "SIL_TEST_A", NULL);
    const char *const back[] = {"SIL_TEST_A", "SIL_TEST_A=3", NULL};
    assert_value(back, "SIL_TEST_A", "3");
}

static void test_a_process_without_environment_has_the_changes(void **state)
{
    (void)state;
    char **ours = environ;
    const char *const changes[] = {"SIL_TEST_A=1", NULL};
    environ = NULL;
    char **environment = sil__environment_create(changes);
    environ = ours;
    assert_non_null(environment);
    assert_string_equal(environment[0], "SIL_TEST_A=1");
    assert_null(environment[1]);
    sil__free(environment);
}

static void test_changes_without_a_name_are_not_valid(void **state)
{
    (void)state;
    const char *const good[] = {"A=", "B", "C=x=y", NULL};
    const char *const empty[] = {"A=1", "", NULL};
    const char *const nameless[] = {"=value", NULL};
    assert_true(sil__environment_valid(NULL));
    assert_true(sil__environment_valid(good));
    assert_false(sil__environment_valid(empty));
    assert_false(sil__environment_valid(nameless));
}

#ifdef SIL_FAULTS
static void test_no_memory_gives_null(void **state)
{
    (void)state;
    sil__fault_arm(SIL__FAULT_ALLOC, 1, false);
    assert_null(sil__environment_create(NULL));
    sil__fault_reset();
}
#endif

#define ENVIRONMENT_TEST(function) cmocka_unit_test_setup_teardown(function, begin, test_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENVIRONMENT_TEST(test_no_changes_give_ours),
        ENVIRONMENT_TEST(test_a_change_replaces_adds_and_removes),
        ENVIRONMENT_TEST(test_a_name_that_begins_like_another_is_another),
        ENVIRONMENT_TEST(test_the_last_change_of_a_name_counts),
        ENVIRONMENT_TEST(test_a_process_without_environment_has_the_changes),
        ENVIRONMENT_TEST(test_changes_without_a_name_are_not_valid),
#ifdef SIL_FAULTS
        ENVIRONMENT_TEST(test_no_memory_gives_null),
#endif
    };
    return test_run("environment", tests);
}
