/* SPDX-License-Identifier: MIT */
/*
 * The picture is XML, whatever stands in URLs, and as large as what can be seen.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "support/test.h"

enum { MANY = 20000 };

static void test_escape_leaves_no_markup(void **state)
{
    (void)state;
    char out[64];
    assert_string_equal(svg_escape(out, sizeof(out), "a<b>&\"c'\n\033"),
                        "a&lt;b&gt;&amp;&quot;c'  ");
    assert_string_equal(svg_escape(out, 7, "ab<<<"), "ab&lt;");
    assert_string_equal(svg_escape(out, 6, "ab<<<"), "ab"); /* whole or not at all */
    assert_string_equal(svg_escape(out, 3, "a\303\251"), "a");
    assert_string_equal(svg_escape(out, 4, "a\303\251"), "a\303\251");
}

/* Skip a tag. @return behind it; NULL: it is not well-formed. @param depth  open elements. */
static const char *skip_tag(const char *at, int *depth)
{
    bool closes = at[1] == '/', declares = at[1] == '?';
    const char *end = at + 1;
    for (bool quoted = false; *end != '\0' && (quoted || *end != '>'); end++) {
        if (*end == '<')
            return NULL;
        quoted = *end == '"' ? !quoted : quoted;
    }
    if (*end == '\0')
        return NULL;
    if (!declares && end[-1] != '/')
        *depth += closes ? -1 : 1;
    return *depth < 0 ? NULL : end + 1;
}

/* Balanced tags, quotes closed, no stray & or >. */
static bool is_well_formed(const char *text)
{
    int depth = 0;
    for (const char *at = text; *at != '\0';) {
        if (*at == '<') {
            at = skip_tag(at, &depth);
            if (at == NULL)
                return false;
            continue;
        }
        if (*at == '&' && strncmp(at, "&lt;", 4) != 0 && strncmp(at, "&gt;", 4) != 0 &&
            strncmp(at, "&amp;", 5) != 0 && strncmp(at, "&quot;", 6) != 0)
            return false;
        if (*at == '>')
            return false;
        at++;
    }
    return depth == 0;
}

/* Workers take turns; each task takes a millisecond. */
static struct series *add_series(struct comparison *comparison, struct job job, uint64_t wanted)
{
    struct series *series = &comparison->list[comparison->count++];
    uint64_t rounds = (job.tasks + job.workers - 1) / job.workers;
    *series = (struct series){.job = job, .wanted = wanted};
    series->last.wall = (double)rounds / 1000;
    measure_add(&series->wall, series->last.wall * (double)wanted / (double)job.tasks);
    series->records = calloc(job.tasks, sizeof(*series->records));
    assert_non_null(series->records);
    for (uint64_t i = 0; i < job.tasks; i++)
        series->records[i] = (struct record){
            .begin = (int64_t)(i / job.workers) * 1000000,
            .end = (int64_t)(i / job.workers) * 1000000 + 990000,
            .worker = (int64_t)(i % job.workers) + 100,
        };
    return series;
}

/* @return returns owned: free. */
static char *draw(const struct comparison *comparison)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    svg_write(comparison, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static struct comparison make(void)
{
    struct comparison comparison = {.cpus = 2, .cpu_work = 0.001};
    comparison.list = calloc(8, sizeof(*comparison.list));
    assert_non_null(comparison.list);
    return comparison;
}

static void test_picture_has_a_panel_for_each_mode(void **state)
{
    (void)state;
    struct comparison comparison = make();
    for (int mode = 0; mode < MODES; mode++)
        add_series(&comparison,
                   (struct job){.mode = (enum bench_mode)mode,
                                .workers = mode == MODE_SEQ || mode == MODE_ASYNC ? 1 : 2,
                                .tasks = 6},
                   6);
    char *text = draw(&comparison);
    assert_true(is_well_formed(text));
    for (int mode = 0; mode < MODES; mode++) {
        char group[32];
        (void)snprintf(group, sizeof(group), "<g class=\"%s\">", mode_names[mode]);
        assert_non_null(strstr(text, group));
    }
    assert_non_null(strstr(text, "6 tasks that compute for 1 ms each, on 2 CPUs"));
    assert_non_null(strstr(text, ", 2.00 times as fast"));
    assert_null(strstr(text, "<script"));
    free(text);
    comparison_fini(&comparison);
}

static void test_picture_escapes_urls(void **state)
{
    (void)state;
    struct comparison comparison = make();
    char url[] = "http://127.0.0.1/?a=<b>&c=\"d\"";
    char *urls[] = {url};
    add_series(
        &comparison,
        (struct job){.kind = WORK_URLS, .workers = 1, .tasks = 3, .urls = urls, .url_count = 1}, 3);
    char *text = draw(&comparison);
    assert_true(is_well_formed(text));
    assert_non_null(strstr(text, "http://127.0.0.1/?a=&lt;b&gt;&amp;c=&quot;d&quot;"));
    free(text);
    comparison_fini(&comparison);
}

static void test_picture_is_cut_and_says_so_when_a_mode_takes_far_longer(void **state)
{
    (void)state;
    struct comparison comparison = make();
    add_series(&comparison, (struct job){.kind = WORK_IO, .workers = 1, .tasks = 40}, 400);
    add_series(&comparison,
               (struct job){.kind = WORK_IO, .mode = MODE_THREADS, .workers = 40, .tasks = 400},
               400);
    char *text = draw(&comparison);
    assert_true(is_well_formed(text));
    assert_non_null(strstr(text, "\342\206\222"));
    assert_non_null(strstr(text, "not measured"));
    free(text);
    comparison_fini(&comparison);
}

static void test_picture_stays_small_when_tasks_are_many(void **state)
{
    (void)state;
    struct comparison comparison = make();
    add_series(&comparison, (struct job){.workers = 1, .tasks = MANY}, MANY);
    char *text = draw(&comparison);
    assert_true(is_well_formed(text));
    assert_true(strlen(text) < 500000);
    free(text);
    comparison_fini(&comparison);
}

static void test_picture_is_one_when_there_is_nothing(void **state)
{
    (void)state;
    struct comparison comparison = make();
    char *text = draw(&comparison);
    assert_true(is_well_formed(text));
    free(text);
    comparison_fini(&comparison);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_escape_leaves_no_markup),
        TEST(test_picture_has_a_panel_for_each_mode),
        TEST(test_picture_escapes_urls),
        TEST(test_picture_is_cut_and_says_so_when_a_mode_takes_far_longer),
        TEST(test_picture_stays_small_when_tasks_are_many),
        TEST(test_picture_is_one_when_there_is_nothing),
    };
    return test_run("bench svg", tests);
}
