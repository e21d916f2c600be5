/* SPDX-License-Identifier: MIT */
/*
 * Live lines on a terminal: what a user sees of them, and that what is written scrolls above them.
 */
#include "pseudo_terminal.h"
#include "screen_rig.h"

static struct rig rig;
static struct pseudo pseudo;

/* 12 of 2000, with the bar; its rates are what they are, so lines are compared up to there. */
static int open_bar(unsigned rows, unsigned columns, bool out_too)
{
    if (!pseudo_open(&pseudo, rows, columns))
        return errno;
    int out = out_too ? pseudo.fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
    rig_init(&rig, out, pseudo.fd);
    rig.options.progress = PROGRESS_BAR;
    rig.figures = (struct screen_figures){.done = 12, .total = 2000, .no_bytes = true};
    return rig_open(&rig);
}

static void close_bar(void)
{
    rig_close(&rig);
    if (rig.setup.out != pseudo.fd)
        (void)close(rig.setup.out);
    pseudo_close(&pseudo);
}

/* Does a row begin like this? */
static bool row_begins(unsigned row, const char *text)
{
    pseudo_read(&pseudo);
    return strncmp(pseudo_row(&pseudo, row), text, strlen(text)) == 0;
}

SCENARIO(bar_is_drawn_and_taken_away)
{
    (void)arg, (void)result;
    rig.rows = 0;
    EXPECT_CODE(open_bar(10, 60, false), 0);
    rig.rows = 2;
    rig.figures.failed = 3;
    SOON(row_begins(0, "12/2000  3 failed  ") && row_begins(2, "row 1"));
    EXPECT(strstr(pseudo_row(&pseudo, 0), "/s  ETA ") != NULL);
    EXPECT(row_begins(1, "row 0") && row_begins(3, ""));
    EXPECT(pseudo.row == 0 && pseudo.column == 0); /* see live.h, I1 */
    rig.rows = 1;
    SOON(pseudo_says(&pseudo, 2, ""));
    EXPECT(row_begins(1, "row 0"));
    screen_destroy(rig.screen);
    rig.screen = NULL;
    for (unsigned row = 0; row < 10; row++)
        EXPECT(pseudo_says(&pseudo, row, ""));
    EXPECT(pseudo.row == 0 && pseudo.column == 0 && pseudo.strange == 0 && pseudo.colors == 0);
    close_bar();
    return 0;
}

SCENARIO(nothing_is_drawn_when_nothing_changes)
{
    (void)arg, (void)result;
    EXPECT_CODE(open_bar(10, 60, false), 0);
    rig.figures = (struct screen_figures){.total = 5, .no_bytes = true};
    SOON(pseudo_says(&pseudo, 0, "0/5  0.0/s  ETA -"));
    size_t bytes = pseudo.bytes, looks = rig.looks;
    SOON(rig.looks > looks + 20);
    pseudo_read(&pseudo);
    EXPECT(pseudo.bytes == bytes);
    pseudo_resize(&pseudo, 10, 50); /* who knows what it shows now */
    SOON((pseudo_read(&pseudo), pseudo.bytes > bytes));
    close_bar();
    return 0;
}

SCENARIO(lines_are_cut_and_rows_spared_when_the_terminal_is_small)
{
    (void)arg, (void)result;
    EXPECT_CODE(open_bar(8, 20, false), 0);
    rig.rows = 100;
    rig.row = "0123456789\tabcdef\033[2J";
    SOON(pseudo_says(&pseudo, 5, "row 4 0123456789?ab"));
    EXPECT(pseudo_says(&pseudo, 6, "") && row_begins(0, "12/2000  "));
    pseudo_resize(&pseudo, 6, 40);
    SOON(pseudo_says(&pseudo, 3, "row 2 0123456789?abcdef?[2J") && pseudo_says(&pseudo, 4, ""));
    pseudo_resize(&pseudo, 3, 10);
    SOON(pseudo_says(&pseudo, 0, "12/2000  ") || pseudo_says(&pseudo, 0, "12/2000"));
    SOON(pseudo_says(&pseudo, 1, ""));
    EXPECT(pseudo.wraps == 0 && pseudo.strange == 0);
    close_bar();
    return 0;
}

SCENARIO(what_is_written_scrolls_above)
{
    (void)arg, (void)result;
    int kept = memfd_create("kept", MFD_CLOEXEC);
    EXPECT(write(kept, "of a file\n", 10) == 10);
    EXPECT_CODE(open_bar(8, 40, true), 0);
    rig.rows = 2;
    SOON(row_begins(2, "row 1"));
    EXPECT_CODE(screen_out(rig.screen, "result\n", 7), 0);
    screen_say(rig.screen, "message");
    SOON(row_begins(4, "row 1"));
    EXPECT_CODE(screen_err_file(rig.screen, kept, 0, 10), 0);
    EXPECT_CODE(screen_out(rig.screen, "no end", 6), 0);
    SOON(row_begins(6, "row 1"));
    static const char *const lines[] = {
        "result", "sillon test: message", "of a file", "no end", "12/2000", "row 0"};
    for (unsigned i = 0; i < COUNT_OF(lines); i++)
        EXPECT(row_begins(i, lines[i]));
    EXPECT_CODE(screen_out(rig.screen, "a\nb\nc\nd\n", 8), 0);
    SOON(row_begins(7, "row 1"));
    EXPECT(row_begins(4, "d") && row_begins(5, "12/2000"));
    EXPECT(strcmp(pseudo.history, "result\nsillon test: message\nof a file\n") == 0);
    EXPECT(pseudo.strange == 0 && strstr(pseudo.history, "12/2000") == NULL);
    close_bar();
    (void)close(kept);
    return 0;
}

SCENARIO(nothing_is_drawn_between_begin_and_end_and_while_suspended)
{
    (void)arg, (void)result;
    EXPECT_CODE(open_bar(8, 40, true), 0);
    SOON(row_begins(0, "12/2000"));
    EXPECT_CODE(screen_out_begin(rig.screen), 0);
    EXPECT_CODE(screen_out(rig.screen, "half ", 5), 0);
    size_t looks = rig.looks;
    SOON(rig.looks > looks + 5);
    EXPECT(pseudo_says(&pseudo, 0, "half") && pseudo_says(&pseudo, 1, ""));
    EXPECT_CODE(screen_out(rig.screen, "line\n", 5), 0);
    screen_out_end(rig.screen);
    SOON(row_begins(1, "12/2000"));
    screen_suspend(rig.screen);
    EXPECT(pseudo_says(&pseudo, 1, "")); /* at once: the program stops next */
    looks = rig.looks;
    SOON(rig.looks > looks + 5);
    EXPECT(pseudo_says(&pseudo, 1, ""));
    screen_resume(rig.screen);
    SOON(row_begins(1, "12/2000"));
    close_bar();
    return 0;
}

static int write_lines(void *arg, void *result)
{
    (void)arg, (void)result;
    int error = 0;
    for (int i = 0; i < 2000 && error == 0; i++) {
        char line[64];
        int size = snprintf(line, sizeof line, "line %d of two thousand\n", i);
        error = screen_out(rig.screen, line, (size_t)size);
    }
    return error;
}

SCENARIO(others_go_on_when_the_terminal_is_stuck)
{
    (void)arg, (void)result;
    EXPECT_CODE(open_bar(8, 40, true), 0);
    SOON(row_begins(0, "12/2000"));
    sil_future *writer = sil_go(write_lines, NULL, 0, 0);
    size_t looks = rig.looks;
    SOON(rig.looks > looks + 20); /* nobody reads, and the ticker looks at the figures */
    EXPECT(!sil_future_done(writer));
    screen_say(rig.screen, "said meanwhile");
    SOON((pseudo_read(&pseudo), sil_future_done(writer)));
    EXPECT_CODE(sil_take(writer, NULL, SIL_FOREVER), 0);
    SOON(row_begins(pseudo.row, "12/2000") && pseudo.column == 0);
    const char *at = pseudo.history;
    for (int i = 0; i < 1990; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "line %d of two thousand\n", i);
        if (strncmp(at, "sillon test: said meanwhile\n", 28) == 0)
            at += 28;
        EXPECT(strncmp(at, line, strlen(line)) == 0);
        at += strlen(line);
    }
    EXPECT(pseudo.strange == 0);
    close_bar();
    return 0;
}

/* A frame that is cut in half by a full terminal goes on where it was, whatever is written next. */
SCENARIO(frames_are_skipped_and_never_cut_when_the_terminal_is_stuck)
{
    (void)arg, (void)result;
    EXPECT_CODE(open_bar(24, 80, false), 0);
    rig.rows = 20;
    rig.row = "with so much text behind it that the terminal has no room for many";
    SOON(row_begins(20, "row 19"));
    /* So many frames that it is full. */
    for (int i = 0; i < 50; i++) {
        size_t looks = rig.looks;
        rig.figures.done++;
        SOON(rig.looks > looks);
    }
    screen_say(rig.screen, "above");
    SOON(pseudo_says(&pseudo, 0, "sillon test: above"));
    SOON(row_begins(1, "62/2000") && row_begins(21, "row 19"));
    EXPECT(pseudo.strange == 0 && pseudo.wraps == 0 && pseudo.history[0] == '\0');
    close_bar();
    return 0;
}

SCENARIO(colors_are_used_when_wanted)
{
    (void)arg, (void)result;
    EXPECT(pseudo_open(&pseudo, 8, 40));
    rig_init(&rig, pseudo.fd, pseudo.fd);
    rig.options.progress = PROGRESS_BAR;
    rig.options.color = COLOR_ALWAYS;
    rig.figures = (struct screen_figures){.done = 1, .failed = 1, .state = "stopping"};
    rig.rows = 1;
    rig.row = "\033[1mbold";
    EXPECT_CODE(rig_open(&rig), 0);
    SOON(row_begins(0, "1 done  1 failed  stopping  "));
    EXPECT(row_begins(1, "row 0 bold") && pseudo.colors > 3 && pseudo.strange == 0);
    close_bar();
    return 0;
}

SCENARIO(no_mode_of_the_terminal_is_changed)
{
    (void)arg, (void)result;
    struct termios before = {0}, after = {0}; /* parts of it the C library leaves as they are */
    EXPECT_CODE(open_bar(8, 40, true), 0);
    EXPECT(tcgetattr(pseudo.fd, &before) == 0);
    int flags = fcntl(pseudo.fd, F_GETFL);
    SOON(row_begins(0, "12/2000"));
    EXPECT_CODE(screen_out(rig.screen, "x\n", 2), 0);
    EXPECT(tcgetattr(pseudo.fd, &after) == 0 && memcmp(&before, &after, sizeof before) == 0);
    EXPECT(fcntl(pseudo.fd, F_GETFL) == flags);
    close_bar();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bar_is_drawn_and_taken_away),
        TEST(test_nothing_is_drawn_when_nothing_changes),
        TEST(test_lines_are_cut_and_rows_spared_when_the_terminal_is_small),
        TEST(test_what_is_written_scrolls_above),
        TEST(test_nothing_is_drawn_between_begin_and_end_and_while_suspended),
        TEST(test_others_go_on_when_the_terminal_is_stuck),
        TEST(test_frames_are_skipped_and_never_cut_when_the_terminal_is_stuck),
        TEST(test_colors_are_used_when_wanted),
        TEST(test_no_mode_of_the_terminal_is_changed),
    };
    begin_scenarios();
    return test_run("output live", tests);
}
