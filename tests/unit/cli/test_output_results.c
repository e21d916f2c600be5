/* SPDX-License-Identifier: MIT */
/*
 * Results reach standard output whole and in order, whatever it is and however slowly it is read, and
 * nobody but the writer waits.
 */
#include "screen_rig.h"

enum { LARGE = 1 << 20 };

static struct rig rig;

/* --- coroutines ------------------------------------------------------------------------------ */

struct job {
    char letter;
    size_t size;
    int fd; /* < 0: letters */
};

static int order_of_ends[64], ends;

static int write_job(void *arg, void *result)
{
    (void)result;
    const struct job *job = arg;
    int error;
    if (job->fd >= 0) {
        error = screen_out_file(rig.screen, job->fd, 3, job->size);
    } else {
        char *bytes = malloc(job->size);
        memset(bytes, job->letter, job->size);
        error = screen_out(rig.screen, bytes, job->size);
        free(bytes);
    }
    order_of_ends[ends++] = job->letter;
    return error;
}

static sil_future *go_job(struct job job)
{
    return sil_go(write_job, &job, sizeof job, 0);
}

static sil_future *go_letters(char letter, size_t size)
{
    return go_job((struct job){letter, size, -1});
}

/* --- what it leads to ------------------------------------------------------------------------ */

SCENARIO(out_is_written_at_once_when_it_is_a_file)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    int file = memfd_create("out", MFD_CLOEXEC), kept = pattern_file(LARGE);
    rig_init(&rig, file, file);
    EXPECT_CODE(rig_open(&rig), 0);
    sil_future *other = sil_go(task_nothing, NULL, 0, 0);
    EXPECT_CODE(screen_out(rig.screen, "one\n", 4), 0);
    EXPECT_CODE(screen_out_file(rig.screen, kept, 5, LARGE - 5), 0);
    screen_say(rig.screen, "%s", "two");
    EXPECT(!sil_future_done(other)); /* nobody has waited */
    EXPECT(lseek(kept, 0, SEEK_CUR) == LARGE);
    EXPECT_CODE(sil_take(other, NULL, SIL_FOREVER), 0);
    rig_close(&rig);
    EXPECT(lseek(file, 0, SEEK_SET) == 0);
    seen_read(&seen, file);
    EXPECT(seen.size == 4 + LARGE - 5 + strlen("sillon test: two\n"));
    EXPECT(memcmp(seen.text, "one\n", 4) == 0 && is_pattern(seen.text + 4, 5, LARGE - 5));
    EXPECT(strcmp(seen.text + LARGE - 1, "sillon test: two\n") == 0);
    close_both((int[]){file, kept});
    seen_fini(&seen);
    return 0;
}

SCENARIO(file_is_copied_when_output_is_appended_to)
{
    (void)arg, (void)result;
    char path[] = "/tmp/sillon-output-XXXXXX";
    struct seen seen = {0};
    int file = mkstemp(path), kept = pattern_file(LARGE);
    EXPECT(file >= 0 && unlink(path) == 0);
    EXPECT(fcntl(file, F_SETFL, O_APPEND) == 0);
    rig_init(&rig, file, 2);
    EXPECT_CODE(rig_open(&rig), 0);
    EXPECT_CODE(screen_out_file(rig.screen, kept, 1, LARGE - 1), 0);
    rig_close(&rig);
    EXPECT(lseek(file, 0, SEEK_SET) == 0);
    seen_read(&seen, file);
    EXPECT(seen.size == LARGE - 1 && is_pattern(seen.text, 1, LARGE - 1));
    close_both((int[]){file, kept});
    seen_fini(&seen);
    return 0;
}

SCENARIO(reader_gets_what_was_sent_when_the_file_is_used_again)
{
    (void)arg, (void)result;
    enum { PIPE_FULL = 1 << 16 };
    static char other[PIPE_FULL];
    struct seen seen = {0};
    int fds[2], kept = pattern_file(PIPE_FULL);
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rig_init(&rig, fds[1], 2);
    EXPECT_CODE(rig_open(&rig), 0);
    EXPECT_CODE(screen_out_file(rig.screen, kept, 0, PIPE_FULL), 0);
    EXPECT(ftruncate(kept, 0) == 0 && pwrite(kept, other, PIPE_FULL, 0) == PIPE_FULL);
    seen_read(&seen, fds[0]);
    EXPECT(seen.size == PIPE_FULL && is_pattern(seen.text, 0, PIPE_FULL));
    rig_close(&rig);
    close_both(fds);
    (void)close(kept);
    seen_fini(&seen);
    return 0;
}

/* A pipe that was given to us by somebody else cannot be opened anew. */
static void forbid_reopening(void)
{
    struct outlet *outlet = &rig.screen->out.outlet;
    (void)close(outlet->fd);
    outlet->fd = outlet->number;
    outlet->gentle = true;
}

/* Nobody reads at first; others go on; then all of it comes. */
static int write_to_slow_reader(const int fds[2], bool gentle)
{
    struct seen seen = {0};
    int kept = pattern_file(LARGE + 3), flags = fcntl(fds[1], F_GETFL);
    ends = 0;
    rig_init(&rig, fds[1], 2);
    EXPECT_CODE(rig_open(&rig), 0);
    if (gentle)
        forbid_reopening();
    sil_future *writers[] = {go_letters('x', LARGE), go_job((struct job){'f', LARGE, kept}),
                             go_job((struct job){'s', 100, kept})};
    give_way(50);
    EXPECT(ends == 0);
    SOON((seen_read(&seen, fds[0]), seen.size == 2 * LARGE + 100));
    for (size_t i = 0; i < COUNT_OF(writers); i++)
        EXPECT_CODE(sil_take(writers[i], NULL, SIL_FOREVER), 0);
    EXPECT(fcntl(fds[1], F_GETFL) == flags); /* others have it, too */
    rig_close(&rig);
    EXPECT(strspn(seen.text, "x") >= LARGE);
    EXPECT(is_pattern(seen.text + LARGE, 3, LARGE) && is_pattern(seen.text + 2 * LARGE, 3, 100));
    (void)close(kept);
    seen_fini(&seen);
    return 0;
}

SCENARIO(others_go_on_when_nobody_reads_the_pipe)
{
    (void)arg, (void)result;
    int fds[2];
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    int code = write_to_slow_reader(fds, false);
    close_both(fds);
    return code;
}

SCENARIO(others_go_on_when_nobody_reads_a_strangers_pipe)
{
    (void)arg, (void)result;
    int fds[2];
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    int code = write_to_slow_reader(fds, true);
    close_both(fds);
    return code;
}

SCENARIO(others_go_on_when_nobody_reads_the_socket)
{
    (void)arg, (void)result;
    int fds[2];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    int code = write_to_slow_reader(fds, false);
    close_both(fds);
    return code;
}

/* --- one after the other --------------------------------------------------------------------- */

SCENARIO(results_stay_whole_and_in_order_when_many_write)
{
    (void)arg, (void)result;
    enum { WRITERS = 26, SIZE = 30000 };
    struct seen seen = {0};
    sil_future *writers[WRITERS];
    int fds[2];
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rig_init(&rig, fds[1], 2);
    EXPECT_CODE(rig_open(&rig), 0);
    ends = 0;
    for (int i = 0; i < WRITERS; i++)
        writers[i] = go_letters((char)('a' + i), (size_t)(SIZE + i));
    for (int i = 0; i < WRITERS; i++) {
        SOON((seen_read(&seen, fds[0]), sil_future_done(writers[i])));
        EXPECT_CODE(sil_take(writers[i], NULL, SIL_FOREVER), 0);
    }
    seen_read(&seen, fds[0]);
    const char *at = seen.text;
    for (int i = 0; i < WRITERS; i++) {
        EXPECT(order_of_ends[i] == 'a' + i);
        EXPECT(strspn(at, (char[]){(char)('a' + i), '\0'}) == (size_t)(SIZE + i));
        at += SIZE + i;
    }
    EXPECT(*at == '\0');
    rig_close(&rig);
    close_both(fds);
    seen_fini(&seen);
    return 0;
}

SCENARIO(nobody_comes_between_begin_and_end)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    int fds[2];
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rig_init(&rig, fds[1], fds[1]);
    EXPECT_CODE(rig_open(&rig), 0);
    ends = 0;
    EXPECT_CODE(screen_out_begin(rig.screen), 0);
    sil_future *other = go_letters('o', 3);
    EXPECT_CODE(screen_out(rig.screen, "a", 1), 0);
    give_way(10);
    EXPECT_CODE(screen_out_begin(rig.screen), 0);
    EXPECT_CODE(screen_out(rig.screen, "b", 1), 0);
    screen_out_end(rig.screen);
    give_way(10);
    EXPECT_CODE(screen_out(rig.screen, "c\n", 2), 0);
    screen_say(rig.screen, "m"); /* it cannot be told where it goes, but it is whole */
    screen_out_end(rig.screen);
    EXPECT_CODE(sil_take(other, NULL, SIL_FOREVER), 0);
    seen_read(&seen, fds[0]);
    EXPECT(strcmp(seen.text, "abc\nsillon test: m\nooo") == 0);
    rig_close(&rig);
    close_both(fds);
    seen_fini(&seen);
    return 0;
}

/* --- cancelled ------------------------------------------------------------------------------- */

SCENARIO(cancel_takes_back_what_waits_and_not_what_has_begun)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    int fds[2];
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rig_init(&rig, fds[1], 2);
    EXPECT_CODE(rig_open(&rig), 0);
    ends = 0;
    sil_future *begun = go_letters('b', LARGE), *waiting = go_letters('w', LARGE);
    sil_future *last = go_letters('l', 10);
    give_way(5);
    (void)sil_future_cancel(begun);
    (void)sil_future_cancel(waiting);
    (void)sil_await(waiting, SIL_FOREVER);
    EXPECT_CODE(sil_future_code(waiting), ECANCELED);
    give_way(5);
    EXPECT(!sil_future_done(begun));
    SOON((seen_read(&seen, fds[0]), sil_future_done(last)));
    seen_read(&seen, fds[0]);
    EXPECT_CODE(sil_take(begun, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(last, NULL, SIL_FOREVER), 0);
    sil_future_release(waiting);
    EXPECT(seen.size == LARGE + 10 && strspn(seen.text, "b") == LARGE);
    EXPECT_CODE(screen_error(rig.screen), 0);
    rig_close(&rig);
    close_both(fds);
    seen_fini(&seen);
    return 0;
}

static int write_in_scope(void *arg, void *result)
{
    (void)arg, (void)result;
    char bytes[200000];
    memset(bytes, 's', sizeof bytes);
    sil_deadline outer = sil_deadline_scope(SIL_NOW);
    int error = screen_out(rig.screen, bytes, sizeof bytes);
    sil_deadline_restore(outer);
    return error;
}

SCENARIO(end_of_a_scope_does_not_cut_what_has_begun)
{
    (void)arg, (void)result;
    struct seen seen = {0};
    int fds[2];
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rig_init(&rig, fds[1], 2);
    EXPECT_CODE(rig_open(&rig), 0);
    const sil_go_options options = {.stack_size = 1 << 20};
    sil_future *begun = sil_go_with(&options, write_in_scope, NULL, 0, 0);
    sil_future *late = sil_go_with(&options, write_in_scope, NULL, 0, 0);
    give_way(3); /* awaited, the second would be begun first */
    EXPECT_CODE(sil_take(late, NULL, SIL_FOREVER), ETIMEDOUT);
    SOON((seen_read(&seen, fds[0]), sil_future_done(begun)));
    seen_read(&seen, fds[0]);
    EXPECT_CODE(sil_take(begun, NULL, SIL_FOREVER), 0);
    EXPECT(seen.size == 200000);
    rig_close(&rig);
    close_both(fds);
    seen_fini(&seen);
    return 0;
}

/* --- failures -------------------------------------------------------------------------------- */

SCENARIO(error_stays_when_the_disk_is_full)
{
    (void)arg, (void)result;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC), kept = pattern_file(LARGE);
    rig_init(&rig, full, 2);
    EXPECT_CODE(rig_open(&rig), 0);
    EXPECT_CODE(screen_error(rig.screen), 0);
    EXPECT_CODE(screen_out_file(rig.screen, kept, 0, LARGE), ENOSPC);
    EXPECT_CODE(screen_error(rig.screen), ENOSPC);
    EXPECT_CODE(screen_out(rig.screen, "a", 1), ENOSPC);
    EXPECT_CODE(screen_out_begin(rig.screen), ENOSPC);
    rig_close(&rig);
    rig_init(&rig, full, 2);
    EXPECT_CODE(rig_open(&rig), 0);
    EXPECT_CODE(screen_out(rig.screen, "a", 1), ENOSPC);
    rig_close(&rig);
    close_both((int[]){full, kept});
    return 0;
}

SCENARIO(all_who_wait_have_epipe_when_the_reader_goes)
{
    (void)arg, (void)result;
    int fds[2], kept = pattern_file(LARGE + 3);
    EXPECT(pipe2(fds, O_CLOEXEC) == 0);
    rig_init(&rig, fds[1], 2);
    EXPECT_CODE(rig_open(&rig), 0);
    ends = 0;
    sil_future *a = go_letters('a', LARGE);
    sil_future *b = go_job((struct job){'b', LARGE, kept});
    give_way(5);
    (void)close(fds[0]);
    EXPECT_CODE(sil_take(a, NULL, SIL_FOREVER), EPIPE);
    EXPECT_CODE(sil_take(b, NULL, SIL_FOREVER), EPIPE);
    EXPECT_CODE(screen_out(rig.screen, "a", 1), EPIPE);
    EXPECT_CODE(screen_error(rig.screen), EPIPE);
    rig_close(&rig);
    rig_init(&rig, fds[1], 2); /* nobody from the start */
    EXPECT_CODE(rig_open(&rig), 0);
    EXPECT_CODE(screen_out_file(rig.screen, kept, 0, LARGE), EPIPE);
    rig_close(&rig);
    close_both((int[]){fds[1], kept});
    return 0;
}

SCENARIO(file_that_is_too_short_is_not_outputs_failure)
{
    (void)arg, (void)result;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC), kept = pattern_file(10);
    int closed = dup(kept);
    (void)close(closed);
    rig_init(&rig, null, closed);
    EXPECT_CODE(rig_open(&rig), 0);
    EXPECT_CODE(screen_out_file(rig.screen, kept, 0, 11), EIO);
    EXPECT_CODE(screen_out_file(rig.screen, closed, 0, 1), EBADF);
    EXPECT_CODE(screen_out_file(rig.screen, kept, 0, 10), 0);
    EXPECT_CODE(screen_out(rig.screen, "", 0), 0);
    EXPECT_CODE(screen_error(rig.screen), 0);
    EXPECT_CODE(screen_err(rig.screen, "a", 1), EBADF); /* as is standard error here */
    screen_say(rig.screen, "nobody hears it");
    rig_close(&rig);
    close_both((int[]){null, kept});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_out_is_written_at_once_when_it_is_a_file),
        TEST(test_file_is_copied_when_output_is_appended_to),
        TEST(test_reader_gets_what_was_sent_when_the_file_is_used_again),
        TEST(test_others_go_on_when_nobody_reads_the_pipe),
        TEST(test_others_go_on_when_nobody_reads_a_strangers_pipe),
        TEST(test_others_go_on_when_nobody_reads_the_socket),
        TEST(test_results_stay_whole_and_in_order_when_many_write),
        TEST(test_nobody_comes_between_begin_and_end),
        TEST(test_cancel_takes_back_what_waits_and_not_what_has_begun),
        TEST(test_end_of_a_scope_does_not_cut_what_has_begun),
        TEST(test_error_stays_when_the_disk_is_full),
        TEST(test_all_who_wait_have_epipe_when_the_reader_goes),
        TEST(test_file_that_is_too_short_is_not_outputs_failure),
    };
    begin_scenarios();
    return test_run("output results", tests);
}
