/* SPDX-License-Identifier: MIT */
/*
 * Which jobs the options ask for.
 */
#include "bench/plan.h"

#include <stdio.h>

#include "command.h"
#include "support/test.h"

static const struct texts no_urls = {0};

/* What was typed; NULL: nothing. */
struct typed {
    const char *modes, *workers, *word;
};

static char *copy(const char *text, char room[64])
{
    if (text == NULL)
        return NULL;
    (void)snprintf(room, 64, "%s", text);
    return room;
}

static int make(const struct bench_options *typed_options, struct typed typed,
                const struct texts *urls, struct comparison *out)
{
    char modes[64], workers[64], text[64];
    char *word = copy(typed.word, text);
    struct words words = {.list = &word, .count = word != NULL ? 1 : 0};
    struct bench_options options = *typed_options;
    options.modes = copy(typed.modes, modes);
    options.workers = copy(typed.workers, workers);
    *out = (struct comparison){0};
    return plan_make(&options, &words, urls, 4, out);
}

static void test_plan_has_all_modes_by_default(void **state)
{
    (void)state;
    struct bench_options options = bench_defaults;
    struct comparison plan;
    assert_int_equal(make(&options, (struct typed){0}, &no_urls, &plan), OPTIONS_OK);
    size_t count;
    const struct series *cpu = comparison_kind(&plan, true, &count);
    assert_int_equal(count, 1 + 3 + 3 + 1); /* seq; 1, 2, 4 twice; async */
    assert_int_equal(cpu[0].job.mode, MODE_SEQ);
    assert_int_equal(cpu[3].job.workers, 4);
    assert_int_equal(cpu[3].job.tasks, 64);
    const struct series *io = comparison_kind(&plan, false, &count);
    assert_int_equal(count, 4);
    assert_int_equal(io[3].job.mode, MODE_ASYNC);
    assert_int_equal(io[3].job.workers, 50);
    assert_int_equal(io[3].job.tasks, 500);
    comparison_fini(&plan);
}

static void test_plan_measures_some_where_all_would_take_long(void **state)
{
    (void)state;
    struct bench_options options = bench_defaults;
    struct comparison plan;
    assert_int_equal(make(&options, (struct typed){.word = "io"}, &no_urls, &plan), OPTIONS_OK);
    assert_true(series_scaled(&plan.list[0]));
    assert_int_equal(plan.list[0].job.tasks, 15); /* of 50 ms in 0.75 s */
    assert_int_equal(plan.list[0].wanted, 500);
    assert_false(series_scaled(&plan.list[1]));
    comparison_fini(&plan);
    options.io_latency = 30;
    assert_int_equal(make(&options, (struct typed){.word = "io"}, &no_urls, &plan), OPTIONS_OK);
    assert_int_equal(plan.list[0].job.tasks, 1);
    comparison_fini(&plan);
}

static void test_plan_takes_workers_once_each(void **state)
{
    (void)state;
    struct bench_options options = bench_defaults;
    struct comparison plan;
    const struct typed typed = {.modes = "threads", .workers = "3,7,3", .word = "cpu"};
    assert_int_equal(make(&options, typed, &no_urls, &plan), OPTIONS_OK);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.list[0].job.workers, 3);
    assert_int_equal(plan.list[1].job.workers, 7);
    comparison_fini(&plan);
}

static void test_plan_loads_each_url_once_by_default(void **state)
{
    (void)state;
    struct bench_options options = bench_defaults;
    struct comparison plan;
    char a[] = "http://a/", b[] = "http://b/";
    char *list[] = {a, b};
    assert_int_equal(make(&options, (struct typed){.word = "io"}, &(struct texts){list, 2}, &plan),
                     OPTIONS_OK);
    assert_int_equal(plan.list[0].job.kind, WORK_URLS);
    assert_int_equal(plan.list[0].job.tasks, 2);
    assert_true(series_ideal(&plan, &plan.list[0]) == 0);
    comparison_fini(&plan);
}

static void test_plan_refuses_what_makes_no_sense(void **state)
{
    (void)state;
    static const struct typed bad[] = {
        {.modes = "fibers"},
        {.modes = "seq,"},
        {.modes = ""},
        {.workers = "0"},
        {.workers = "1,,2"},
        {.workers = "1025"},
        {.workers = "two"},
        {.word = "disk"},
        {.workers = "-1"},
        {.workers = ""},
        {.workers = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct comparison plan;
        assert_int_equal(make(&bench_defaults, bad[i], &no_urls, &plan), STATUS_BAD_USAGE);
        comparison_fini(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_plan_has_all_modes_by_default),
        TEST(test_plan_measures_some_where_all_would_take_long),
        TEST(test_plan_takes_workers_once_each),
        TEST(test_plan_loads_each_url_once_by_default),
        TEST(test_plan_refuses_what_makes_no_sense),
    };
    return test_run("bench plan", tests);
}
