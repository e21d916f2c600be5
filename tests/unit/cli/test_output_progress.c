/* SPDX-License-Identifier: MIT */
/*
 * Progress that is no bar: plain lines, JSON; which kind is chosen; and what the figures become.
 */
#include "output/bar.h"
#include "pseudo_terminal.h"
#include "screen_rig.h"

static struct rig rig;
static int fds[2];

static int open_mode(enum progress_mode mode)
{
    if (pipe2(fds, O_CLOEXEC) != 0)
        return errno;
    rig_init(&rig, 1, fds[1]);
    rig.options.progress = (int)mode;
    rig.figures = (struct screen_figures){.total = 8, .no_bytes = true};
    return rig_open(&rig);
}

static void close_mode(void)
{
    rig_close(&rig);
    close_both(fds);
}

static void look_again(void)
{
    size_t looks = rig.looks;
    SOON(rig.looks > looks + 2);
}

/* --- plain ----------------------------------------------------------------------------------- */

static size_t count_lines(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

SCENARIO(plain_tells_each_quarter_once)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    EXPECT_CODE(open_mode(PROGRESS_PLAIN), 0);
    for (rig.figures.done = 0; rig.figures.done < 8; rig.figures.done++)
        look_again();
    look_again();
    rig_close(&rig);
    seen_read(&seen, fds[0]);
    EXPECT(count_lines(seen.text, "\n") == 4);
    EXPECT(strncmp(seen.text, "sillon test: 2/8 (25 %)  ", 25) == 0);
    EXPECT(strstr(seen.text, ": 4/8 (50 %)  ") && strstr(seen.text, ": 6/8 (75 %)  "));
    EXPECT(strstr(seen.text, ": 8/8 (100 %)  ") && strstr(seen.text, "  ETA 0:00\n"));
    EXPECT(!strchr(seen.text, '\033') && !strchr(seen.text, '\r'));
    close_mode();
    seen_fini(&seen);
    return 0;
}

SCENARIO(plain_tells_the_last_figures_when_it_ends_early)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    EXPECT_CODE(open_mode(PROGRESS_PLAIN), 0);
    rig.figures.done = 3;
    rig.figures.failed = 1;
    look_again();
    rig.figures.total = 0; /* as if it were not known */
    rig.figures.done = 5;
    look_again();
    rig_close(&rig);
    seen_read(&seen, fds[0]);
    EXPECT(count_lines(seen.text, "\n") == 2);
    EXPECT(strstr(seen.text, ": 3/8 (37 %)  1 failed  "));
    EXPECT(strstr(seen.text, ": 5 done  1 failed  ") && !strstr(seen.text, ": 5/"));
    close_mode();
    seen_fini(&seen);
    return 0;
}

SCENARIO(plain_tells_now_and_then)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rig_init(&rig, 1, fds[1]);
    rig.options.progress = PROGRESS_PLAIN;
    rig.setup.line = 0.001;
    EXPECT_CODE(rig_open(&rig), 0);
    SOON((seen_read(&seen, fds[0]), count_lines(seen.text, ": 0 done  0 B/s\n") >= 3));
    close_mode();
    seen_fini(&seen);
    return 0;
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* Does it begin like the pattern, with a number for each "#"? */
static bool is_like(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '#') {
            size_t digits = strspn(text, "0123456789.");
            if (digits == 0)
                return false;
            text += digits;
        } else if (*text++ != *pattern) {
            return false;
        }
    }
    return true;
}

SCENARIO(json_is_an_object_a_line)
{
    (void)arg, (void)result;
    static const char first[] =
        "{\"type\":\"progress\",\"time\":#,\"done\":0,\"failed\":0,\"total\":8,\"running\":0,"
        "\"waiting\":0,\"retries\":0,\"items_per_second\":0.000,\"eta\":null,\"state\":null,"
        "\"last\":false}\n";
    static const char last[] =
        "{\"type\":\"progress\",\"time\":#,\"done\":7,\"failed\":2,\"total\":null,\"running\":1,"
        "\"waiting\":0,\"retries\":3,\"items_per_second\":#,\"bytes\":4096,"
        "\"bytes_per_second\":#,\"eta\":null,\"state\":\"stopping\",\"last\":true}\n";
    struct seen seen = {0};
    EXPECT_CODE(open_mode(PROGRESS_JSON), 0);
    SOON((seen_read(&seen, fds[0]), count_lines(seen.text, "\n") > 0));
    rig.figures = (struct screen_figures){
        .done = 7, .failed = 2, .bytes = 4096, .running = 1, .retries = 3, .state = "stopping"};
    rig_close(&rig);
    seen_read(&seen, fds[0]);
    EXPECT(is_like(seen.text, first));
    EXPECT(count_lines(seen.text, "\n") == count_lines(seen.text, "{\"type\":\"progress\","));
    seen.text[--seen.size] = '\0';
    char *line = strrchr(seen.text, '\n') + 1;
    seen.text[seen.size] = '\n';
    EXPECT(is_like(line, last));
    close_mode();
    seen_fini(&seen);
    return 0;
}

SCENARIO(json_goes_to_a_descriptor_of_its_own)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rig_init(&rig, 1, 2);
    rig.options.progress = PROGRESS_JSON;
    rig.options.progress_fd = (uint64_t)fds[1];
    EXPECT_CODE(rig_open(&rig), 0);
    SOON((seen_read(&seen, fds[0]), count_lines(seen.text, "\"last\":false}\n") > 2));
    close_mode();
    seen_fini(&seen);
    return 0;
}

SCENARIO(descriptor_for_json_must_be_open)
{
    (void)arg, (void)result;
    rig_init(&rig, 1, 2);
    rig.options.progress = PROGRESS_JSON;
    rig.options.progress_fd = 987;
    EXPECT_CODE(rig_open(&rig), EBADF);
    return 0;
}

SCENARIO(end_does_not_wait_for_long_when_nobody_reads_json)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rig_init(&rig, 1, 2);
    rig.options.progress = PROGRESS_JSON;
    rig.options.progress_fd = (uint64_t)fds[1];
    rig.setup.json = 0;
    rig.setup.grace = 0.001;
    EXPECT_CODE(rig_open(&rig), 0);
    /* Until the pipe is full and the ticker waits: it looks no more. */
    SOON(turn_is_taken(rig.screen->own.turn));
    close_mode();
    seen_fini(&seen);
    return 0;
}

/* --- which kind ------------------------------------------------------------------------------ */

static const struct progress_kind *chosen(int err, enum progress_mode mode, unsigned quiet)
{
    rig_init(&rig, 1, err);
    rig.options.progress = (int)mode;
    rig.options.quiet = quiet;
    rig.setup.first = 1000000;
    if (rig_open(&rig) != 0)
        return NULL;
    const struct progress_kind *kind = rig.screen->progress;
    rig_close(&rig);
    return kind;
}

SCENARIO(kind_is_chosen_by_what_was_typed_and_what_is_there)
{
    (void)arg, (void)result;
    static struct pseudo pseudo;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    EXPECT(pseudo_open(&pseudo, 24, 80));
    EXPECT(chosen(pseudo.fd, PROGRESS_AUTO, 0) == &progress_bar);
    EXPECT(chosen(pseudo.fd, PROGRESS_AUTO, 1) == NULL);
    EXPECT(chosen(pseudo.fd, PROGRESS_BAR, 2) == NULL);
    EXPECT(chosen(pseudo.fd, PROGRESS_NONE, 0) == NULL);
    EXPECT(chosen(pseudo.fd, PROGRESS_PLAIN, 0) == &progress_plain);
    EXPECT(chosen(null, PROGRESS_AUTO, 0) == NULL);
    EXPECT(chosen(null, PROGRESS_BAR, 0) == &progress_plain);
    EXPECT(chosen(null, PROGRESS_JSON, 0) == &progress_json);
    (void)setenv("TERM", "dumb", 1);
    EXPECT(chosen(pseudo.fd, PROGRESS_AUTO, 0) == NULL);
    (void)unsetenv("TERM");
    EXPECT(chosen(pseudo.fd, PROGRESS_AUTO, 0) == NULL);
    pseudo_close(&pseudo);
    (void)close(null);
    return 0;
}

/* --- figures --------------------------------------------------------------------------------- */

static const int64_t SECOND = 1000000000;

static const char *line_of(const struct rates *rates, const struct screen_figures *figures,
                           bool percent)
{
    static char text[256];
    struct screen_line line = {.text = text, .size = sizeof text};
    bar_write(&line, figures, rates, percent);
    return text;
}

static void test_line_has_what_matters_first(void **state)
{
    (void)state;
    struct rates rates = {0};
    struct screen_figures figures = {.total = 2000};
    assert_string_equal(line_of(&rates, &figures, false), "0/2000  0 B/s  ETA -");
    for (int64_t i = 1; i <= 40; i++) {
        figures.done = (uint64_t)i * 10;
        figures.bytes = (uint64_t)i * 4096 * 1024;
        rates_add(&rates, i * SECOND, &figures);
    }
    figures.failed = 3;
    figures.retries = 1;
    figures.waiting = 2;
    assert_string_equal(line_of(&rates, &figures, false),
                        "400/2000  3 failed  4.0 MiB/s  ETA 2:40  1 retry  2 waiting");
    figures = (struct screen_figures){.done = 400, .no_bytes = true};
    assert_string_equal(line_of(&rates, &figures, true), "400 done  10.0/s");
}

static void test_rate_follows_the_last_seconds(void **state)
{
    (void)state;
    struct rates rates = {0};
    struct screen_figures figures = {0};
    for (int64_t i = 1; i <= 400; i++) { /* ten times faster in the last 10 of 40 seconds */
        figures.done += i <= 300 ? 1 : 10;
        figures.bytes += i <= 300 ? 100 : 1000;
        rates_add(&rates, i * SECOND / 10, &figures);
    }
    assert_float_equal(rates_items(&rates), 100, 5);
    assert_float_equal(rates_bytes(&rates), 10000, 500);
    figures.bytes = 0; /* a try begins anew */
    rates_add(&rates, 40 * SECOND + 1, &figures);
    assert_float_equal(rates_bytes(&rates), 0, 0);
}

static void test_time_left_is_known_when_items_take_long(void **state)
{
    (void)state;
    struct rates rates = {0};
    struct screen_figures figures = {0};
    for (int64_t i = 1; i <= 1200; i++) { /* one a minute */
        figures.done = (uint64_t)i / 600;
        rates_add(&rates, i * SECOND / 10, &figures);
    }
    assert_float_equal(rates_left(&rates, 10), 8 * 60, 1);
    assert_float_equal(rates_left(&rates, 2), 0, 0);
    assert_true(rates_left(&rates, 0) < 0);
    assert_float_equal(rates_seconds(&rates), 120, 0.001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_plain_tells_each_quarter_once),
        TEST(test_plain_tells_the_last_figures_when_it_ends_early),
        TEST(test_plain_tells_now_and_then),
        TEST(test_json_is_an_object_a_line),
        TEST(test_json_goes_to_a_descriptor_of_its_own),
        TEST(test_descriptor_for_json_must_be_open),
        TEST(test_end_does_not_wait_for_long_when_nobody_reads_json),
        TEST(test_kind_is_chosen_by_what_was_typed_and_what_is_there),
        TEST(test_line_has_what_matters_first),
        TEST(test_rate_follows_the_last_seconds),
        TEST(test_time_left_is_known_when_items_take_long),
    };
    begin_scenarios();
    return test_run("output progress", tests);
}
