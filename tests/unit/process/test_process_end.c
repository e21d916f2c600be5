/* SPDX-License-Identifier: MIT */
/*
 * How processes are ended: by signals, with their object, and with the process that started them.
 */
#include <sillon/sillon.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "support/child.h"
#include "support/test.h"

/* arg: a descriptor. Says that it runs, and goes on for ever. */
static int run_for_ever(void *arg, void *result)
{
    (void)result;
    if (write(*(int *)arg, "+", 1) != 1)
        return 1;
    for (;;)
        (void)pause();
}

enum kind { FUNCTION, PROGRAM, KINDS };

static sil_process *start_kind(enum kind kind, int say, bool outlives_us)
{
    const sil_process_options options = {.descriptors = &say,
                                         .descriptor_count = 1,
                                         .standard_output = kind == PROGRAM ? say : 0,
                                         .outlives_us = outlives_us};
    if (kind == FUNCTION)
        return sil_process_start(&options, run_for_ever, &say, sizeof say);
    return sil_process_run(&options,
                           (const char *const[]){"sh", "-c", "printf +; exec sleep 1000", NULL});
}

/* A process, and a pipe it has the other end of. */
struct running {
    sil_process *process;
    int heard;
};

static struct running start_running(enum kind kind)
{
    int ends[2];
    char said = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct running running = {start_kind(kind, ends[1], false), ends[0]};
    assert_non_null(running.process);
    (void)close(ends[1]);
    assert_int_equal(read(running.heard, &said, 1), 1);
    assert_int_equal(said, '+');
    return running;
}

/* --- signals ------------------------------------------------------------------------------- */

static void check_end(struct running *running, int signal_number)
{
    assert_code(sil_process_join(running->process, SIL_FOREVER), 0);
    assert_int_equal(sil_process_exit_code(running->process), -signal_number);
    assert_code(sil_process_terminate(running->process), SIL_EALREADY);
    sil_process_destroy(running->process);
    (void)close(running->heard);
}

static void test_signals(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct running running = start_running(kind);
        assert_code(sil_process_signal(running.process, 0), 0);
        assert_code(sil_process_signal(running.process, -1), SIL_EINVAL);
        assert_code(sil_process_signal(running.process, 1000), SIL_EINVAL);
        assert_code(sil_process_exit_code(running.process), SIL_EINPROGRESS);
        assert_code(sil_process_signal(running.process, SIGUSR1), 0);
        check_end(&running, SIGUSR1);

        running = start_running(kind);
        assert_code(sil_process_terminate(running.process), 0);
        check_end(&running, SIGTERM);

        running = start_running(kind);
        assert_code(sil_process_kill(running.process), 0);
        check_end(&running, SIGKILL);
    }
}

/* --- the object ---------------------------------------------------------------------------- */

static bool is_there(int64_t pid)
{
    return kill((pid_t)pid, 0) == 0;
}

static void test_destroy_kills(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct running running = start_running(kind);
        int64_t pid = sil_process_pid(running.process);
        assert_true(is_there(pid));
        sil_process_destroy(running.process);
        assert_false(is_there(pid));
        (void)close(running.heard);
    }
}

static void test_destroy_lets_go_of_what_outlives_us(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        int ends[2];
        char said = 0;
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        sil_process *process = start_kind(kind, ends[1], true);
        assert_non_null(process);
        int64_t pid = sil_process_pid(process);
        sil_process_destroy(process);
        (void)close(ends[1]);
        assert_int_equal(read(ends[0], &said, 1), 1);
        assert_true(is_there(pid));
        /* When it has ended, the next destroy buries it. */
        assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
        eventually((sil_process_destroy(NULL), !is_there(pid)));
        (void)close(ends[0]);
    }
}

/* --- the process that started it ----------------------------------------------------------- */

struct parent {
    enum kind kind;
    bool outlives_us;
    bool stopped;
    int say;
    int listen;
};

/* In a fork: start one, and be killed. */
static int start_and_die(void *arg)
{
    struct parent *parent = arg;
    char said = 0;
    sil_process *process = start_kind(parent->kind, parent->say, parent->outlives_us);
    CHECK(process != NULL);
    CHECK(read(parent->listen, &said, 1) == 1 && said == '+');
    if (parent->stopped)
        CHECK(sil_process_signal(process, SIGSTOP) == 0);
    CHECK(sil_process_exit_code(process) == SIL_EINPROGRESS);
    pid_t pid = (pid_t)sil_process_pid(process);
    CHECK(write(parent->say, &pid, sizeof pid) == sizeof pid);
    (void)raise(SIGKILL);
    return 0;
}

static pid_t leave_orphan(struct parent parent, int *out_listen)
{
    int ends[2];
    pid_t pid = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    parent.say = ends[1];
    parent.listen = ends[0];
    assert_int_equal(child_run(start_and_die, &parent), -SIGKILL);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
    *out_listen = ends[0];
    return pid;
}

static void test_it_dies_with_us(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        for (int stopped = 0; stopped <= 1; stopped++) {
            int listen;
            char said;
            (void)leave_orphan((struct parent){.kind = kind, .stopped = stopped}, &listen);
            assert_int_equal(read(listen, &said, 1), 0); /* all that had the other end are gone */
            (void)close(listen);
        }
    }
}

static void test_it_outlives_us_if_asked_to(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        int listen;
        char said;
        pid_t pid = leave_orphan((struct parent){.kind = kind, .outlives_us = true}, &listen);
        assert_true(is_there(pid));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(read(listen, &said, 1), 0);
        (void)close(listen);
    }
}

/* The kernel would take it for the end of us all. */
static void *start_in_thread(void *arg)
{
    static struct running running;
    running = start_running(*(enum kind *)arg);
    return &running;
}

static void test_a_thread_that_ends_takes_nothing_with_it(void **state)
{
    (void)state;
    for (enum kind kind = 0; kind < KINDS; kind++) {
        pthread_t thread;
        void *result;
        assert_int_equal(pthread_create(&thread, NULL, start_in_thread, &kind), 0);
        (void)pthread_join(thread, &result);
        struct running running = *(struct running *)result;
        assert_code(sil_process_join(running.process, sil_in(0.05)), SIL_ETIMEDOUT);
        assert_code(sil_process_terminate(running.process), 0);
        check_end(&running, SIGTERM);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_signals),
        TEST(test_destroy_kills),
        TEST(test_destroy_lets_go_of_what_outlives_us),
        TEST(test_it_dies_with_us),
        TEST(test_it_outlives_us_if_asked_to),
        TEST(test_a_thread_that_ends_takes_nothing_with_it),
    };
    return test_run("process end", tests);
}
