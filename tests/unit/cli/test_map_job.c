/* SPDX-License-Identifier: MIT */
/*
 * Jobs: real programs, how they end and how they are ended.
 */
#include "map/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support/leftovers.h"
#include "unit/coro/scenario.h"

#define WORDS(...) ((char *const *)(const char *const[]){__VA_ARGS__, NULL})
#define SHELL(script) WORDS("sh", "-c", (script))

enum { SLOTS = 16 };

static struct family *family;

/* The family is there before the loop is, as in the command. */
static void run_with_family(sil_task_fn scenario)
{
    family = family_create(SLOTS);
    assert_non_null(family);
    run_scenario(scenario);
    assert_int_equal(family_signal(family, 0), 0);
    family_destroy(family);
    eventually(leftovers_collect());
}

#define FAMILY_SCENARIO(name)                 \
    static int name(void *arg, void *result); \
    static void test_##name(void **state)     \
    {                                         \
        (void)state;                          \
        run_with_family(name);                \
    }                                         \
    static int name(void *arg, void *result)

static struct job job_of(char *const *words)
{
    return (struct job){.words = words,
                        .family = family,
                        .input = SIL_NULL,
                        .seq = 5,
                        .slot = 2,
                        .attempt = 1,
                        .kill_after = TEST_PATIENCE};
}

static struct job_end run(struct job job)
{
    struct job_end end;
    job_run(&job, &end);
    return end;
}

static const char *describe(const struct job_end *end)
{
    static char text[128];
    return job_describe(text, sizeof text, end);
}

/* --- by itself ----------------------------------------------------------------------------- */

FAMILY_SCENARIO(job_tells_how_it_ended)
{
    (void)arg, (void)result;
    struct job_end end = run(job_of(SHELL("exit 3")));
    EXPECT(end.outcome == JOB_EXITED && end.code == 3 && end.pid > 0);
    EXPECT(strcmp(describe(&end), "exit 3") == 0);
    EXPECT(end.spawned <= end.started && end.started <= end.ended);
    EXPECT(end.peak > 0);
    end = run(job_of(SHELL("kill -SEGV $$")));
    EXPECT(end.outcome == JOB_SIGNALLED && end.signal == SIGSEGV);
    EXPECT(strcmp(describe(&end), "killed by SIGSEGV") == 0);
    end = run(job_of(SHELL("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")));
    EXPECT(end.outcome == JOB_EXITED && end.code == 0 && end.user + end.system > 0);
    EXPECT(leftovers_no_children() == false); /* the guardian */
    return 0;
}

FAMILY_SCENARIO(job_tells_why_it_could_not_start)
{
    (void)arg, (void)result;
    struct job_end end = run(job_of(WORDS("no-such-program-anywhere")));
    EXPECT(end.outcome == JOB_NOT_STARTED && end.error == ENOENT && end.pid == 0);
    EXPECT(strstr(describe(&end), "cannot execute: ") != NULL);
    end = run(job_of(WORDS("/etc/passwd")));
    EXPECT(end.outcome == JOB_NOT_STARTED && end.error == EACCES);
    struct job stopped = job_of(SHELL("exit 0"));
    job_signal(&stopped, SIGTERM);
    end = run(stopped);
    EXPECT(end.outcome == JOB_NOT_STARTED && end.error == ECANCELED);
    return 0;
}

FAMILY_SCENARIO(job_finds_its_number_and_a_group_of_its_own)
{
    (void)arg, (void)result;
    struct job job = job_of(SHELL("[ $SILLON_SEQ = 5 ] && [ $SILLON_SLOT = 2 ] &&"
                                  "[ $SILLON_TRY = 1 ] && [ -n \"$SILLON_RUN\" ] && [ $A = b ] &&"
                                  "read -r pid name state parent group rest </proc/self/stat &&"
                                  "[ $pid = $group ] || exit 9; exit 0"));
    job.more_environment = (const char *const[]){"A=b", NULL};
    struct job_end end = run(job);
    EXPECT_CODE(end.code, 0);
    return 0;
}

FAMILY_SCENARIO(job_is_nice)
{
    (void)arg, (void)result;
    /* It is told after it has started: it waits for that. */
    struct job job = job_of(SHELL("until [ $(nice) -gt 4 ]; do :; done"));
    job.nice = 5;
    struct job_end end = run(job);
    EXPECT_CODE(end.code, 0);
    return 0;
}

/* --- by us --------------------------------------------------------------------------------- */

/* A job that writes to descriptor 3, which all of its processes have: what comes out at the other end
 * says how far they are, and its end that none is left. */
struct lively {
    struct job job;
    struct job_end end;
    sil_stream *reader;
    sil_future *done;
    int writer;
};

static int run_lively(void *arg, void *result)
{
    (void)result;
    struct lively *lively = *(struct lively **)arg;
    job_run(&lively->job, &lively->end);
    return 0;
}

/* It has written "a" when this returns. */
static int lively_start(struct lively *lively, char *const *words, double kill_after)
{
    int ends[2];
    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    EXPECT_CODE(sil_stream_open(ends[0], &lively->reader), 0);
    lively->job = job_of(words);
    lively->job.input = ends[1];
    lively->job.kill_after = kill_after;
    lively->done = sil_go(run_lively, &lively, sizeof lively, 0);
    EXPECT(lively->done != NULL);
    char byte;
    size_t got;
    while (lively->job.pid == 0 && !sil_future_done(lively->done)) /* or over already */
        EXPECT_CODE(sil_yield(), 0);
    (void)close(ends[1]);
    EXPECT_CODE(sil_read(lively->reader, &byte, 1, &got, sil_in(TEST_PATIENCE)), 0);
    EXPECT(got == 1 && byte == 'a');
    return 0;
}

/* job_run has returned; is nobody of it left? */
static int lively_end(struct lively *lively)
{
    char byte;
    size_t got = 0;
    EXPECT_CODE(sil_await(lively->done, sil_in(TEST_PATIENCE)), 0);
    int code = sil_read(lively->reader, &byte, 1, &got, sil_in(TEST_PATIENCE));
    EXPECT(got == 0 && code != SIL_ETIMEDOUT);
    sil_future_release(lively->done);
    sil_stream_close(lively->reader);
    EXPECT(lively->job.pid == 0 && lively->job.killer == NULL);
    return 0;
}

FAMILY_SCENARIO(signal_ends_all_of_the_group)
{
    (void)arg, (void)result;
    struct lively lively;
    int code = lively_start(&lively, SHELL("exec 3>&0; sleep 1000 & printf a >&3; sleep 1000"),
                            TEST_PATIENCE);
    EXPECT_CODE(code, 0);
    EXPECT(family_signal(family, 0) == 1);
    job_signal(&lively.job, SIGTERM);
    EXPECT_CODE(lively_end(&lively), 0);
    EXPECT(lively.end.outcome == JOB_SIGNALLED && lively.end.signal == SIGTERM);
    EXPECT(lively.job.asked == SIGTERM);
    return 0;
}

FAMILY_SCENARIO(signal_ends_who_left_the_group)
{
    (void)arg, (void)result;
    struct lively lively;
    int code = lively_start(&lively,
                            SHELL("exec 3>&0; setsid sh -c 'printf a >&3; sleep 1000' &"
                                  "sleep 1000"),
                            TEST_PATIENCE);
    EXPECT_CODE(code, 0);
    job_signal(&lively.job, SIGINT);
    job_signal(&lively.job, SIGTERM);
    return lively_end(&lively);
}

FAMILY_SCENARIO(signal_ends_who_is_stopped)
{
    (void)arg, (void)result;
    struct lively lively;
    int code = lively_start(&lively, SHELL("exec 3>&0; printf a >&3; kill -STOP $$; sleep 1000"),
                            TEST_PATIENCE);
    EXPECT_CODE(code, 0);
    job_signal(&lively.job, SIGTERM);
    return lively_end(&lively);
}

static const char deaf[] = "exec 3>&0; trap '' TERM; (trap '' TERM; setsid sleep 1000) &"
                           "printf a >&3; while :; do sleep 1000; done";

FAMILY_SCENARIO(kill_follows_when_a_signal_is_ignored)
{
    (void)arg, (void)result;
    struct lively lively;
    EXPECT_CODE(lively_start(&lively, SHELL(deaf), 0.01), 0);
    job_signal(&lively.job, SIGTERM);
    EXPECT_CODE(lively_end(&lively), 0);
    EXPECT(lively.end.outcome == JOB_SIGNALLED && lively.end.signal == SIGKILL);
    return 0;
}

FAMILY_SCENARIO(kill_waits_for_nothing)
{
    (void)arg, (void)result;
    struct lively lively;
    EXPECT_CODE(lively_start(&lively, SHELL(deaf), TEST_PATIENCE), 0);
    job_signal(&lively.job, SIGTERM);
    job_signal(&lively.job, SIGKILL);
    EXPECT_CODE(lively_end(&lively), 0);
    EXPECT(lively.end.outcome == JOB_SIGNALLED && lively.end.signal == SIGKILL);
    return 0;
}

FAMILY_SCENARIO(kill_reaches_who_is_left_when_the_job_has_ended)
{
    (void)arg, (void)result;
    struct lively lively;
    int code = lively_start(&lively,
                            SHELL("exec 3>&0; setsid sh -c \"trap '' TERM; printf a >&3;"
                                  "while :; do sleep 1000; done\" & sleep 1000"),
                            0.05);
    EXPECT_CODE(code, 0);
    job_signal(&lively.job, SIGTERM);
    EXPECT_CODE(lively_end(&lively), 0);
    EXPECT(lively.end.signal == SIGTERM);
    return 0;
}

FAMILY_SCENARIO(cancel_of_the_coroutine_kills_the_job)
{
    (void)arg, (void)result;
    struct lively lively;
    EXPECT_CODE(lively_start(&lively, SHELL(deaf), TEST_PATIENCE), 0);
    (void)sil_future_cancel(lively.done);
    EXPECT_CODE(lively_end(&lively), 0);
    EXPECT(lively.end.outcome == JOB_SIGNALLED && lively.end.signal == SIGKILL);
    return 0;
}

FAMILY_SCENARIO(job_is_ended_when_its_time_is_over)
{
    (void)arg, (void)result;
    struct job job = job_of(WORDS("sleep", "1000"));
    job.timeout = 0.01;
    struct job_end end = run(job);
    EXPECT(end.outcome == JOB_TIMED_OUT && end.signal == SIGTERM);
    EXPECT(strcmp(describe(&end), "timed out after 0.01 s") == 0);
    job = job_of(SHELL("trap '' TERM; while :; do sleep 1000; done"));
    job.timeout = 0.01;
    job.kill_after = 0;
    end = run(job);
    EXPECT(end.outcome == JOB_TIMED_OUT);
    job = job_of(SHELL("exit 0"));
    job.timeout = TEST_PATIENCE;
    end = run(job);
    EXPECT(end.outcome == JOB_EXITED && end.code == 0);
    return 0;
}

FAMILY_SCENARIO(orphans_of_a_job_that_ends_are_let_go_on)
{
    (void)arg, (void)result;
    struct lively lively;
    int code =
        lively_start(&lively, SHELL("exec 3>&0; setsid sh -c 'printf a >&3; sleep 1000' & exit 0"),
                     TEST_PATIENCE);
    EXPECT_CODE(code, 0);
    EXPECT_CODE(sil_await(lively.done, sil_in(TEST_PATIENCE)), 0);
    EXPECT(lively.end.outcome == JOB_EXITED);
    char byte;
    size_t got;
    EXPECT_CODE(sil_read(lively.reader, &byte, 1, &got, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT(family_signal_all(family, 0, lively.job.seq, SIGKILL) >= 1);
    return lively_end(&lively);
}

static int run_one(void *arg, void *result)
{
    (void)result;
    struct job job = job_of(WORDS("true"));
    job.slot = *(unsigned *)arg;
    job.seq = job.slot;
    struct job_end end = run(job);
    EXPECT(end.outcome == JOB_EXITED && end.code == 0);
    family_reap(family);
    return 0;
}

FAMILY_SCENARIO(many_jobs_at_once)
{
    (void)arg, (void)result;
    sil_future *futures[SLOTS];
    for (unsigned i = 0; i < SLOTS; i++) {
        unsigned slot = i + 1;
        futures[i] = sil_go(run_one, &slot, sizeof slot, 0);
    }
    int code = sil_gather(futures, SLOTS, SIL_GATHER_FIRST_ERROR, sil_in(TEST_PATIENCE));
    for (unsigned i = 0; i < SLOTS; i++)
        sil_future_release(futures[i]);
    return code;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_job_tells_how_it_ended),
        TEST(test_job_tells_why_it_could_not_start),
        TEST(test_job_finds_its_number_and_a_group_of_its_own),
        TEST(test_job_is_nice),
        TEST(test_signal_ends_all_of_the_group),
        TEST(test_signal_ends_who_left_the_group),
        TEST(test_signal_ends_who_is_stopped),
        TEST(test_kill_follows_when_a_signal_is_ignored),
        TEST(test_kill_waits_for_nothing),
        TEST(test_kill_reaches_who_is_left_when_the_job_has_ended),
        TEST(test_cancel_of_the_coroutine_kills_the_job),
        TEST(test_job_is_ended_when_its_time_is_over),
        TEST(test_orphans_of_a_job_that_ends_are_let_go_on),
        TEST(test_many_jobs_at_once),
    };
    begin_scenarios();
    return test_run("jobs", tests);
}
