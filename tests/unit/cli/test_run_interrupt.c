/* SPDX-License-Identifier: MIT */
/*
 * Signals to a run: each is told, what was ignored stays ignored, and the end is the signal's.
 */
#include "run/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/child.h"
#include "unit/coro/scenario.h"

/* What was called, a letter each: s S (stop, again), z (suspend), c (resume), + - q. */
struct calls {
    char text[64];
    size_t size;
    int signal; /* the last one */
};

static void call(struct calls *calls, char letter)
{
    if (calls->size + 1 < sizeof(calls->text))
        calls->text[calls->size++] = letter;
}

static void on_stop(void *user, int signal, bool again)
{
    ((struct calls *)user)->signal = signal;
    call(user, again ? 'S' : 's');
}

static void on_suspend(void *user)
{
    call(user, 'z');
}

static void on_resume(void *user)
{
    call(user, 'c');
}

static void on_jobs(void *user, int change)
{
    call(user, change > 0 ? '+' : '-');
}

static void on_describe(void *user)
{
    call(user, 'q');
}

static struct interrupt_plan plan_for(struct calls *calls)
{
    return (struct interrupt_plan){calls, on_stop, on_suspend, on_resume, on_jobs, on_describe};
}

/* Send it to ourselves, and wait until one more call has been made. */
static void deliver(struct calls *calls, int signal)
{
    size_t before = calls->size;
    (void)kill(getpid(), signal);
    while (calls->size == before)
        (void)sil_sleep(sil_in(1e-3));
}

SCENARIO(each_signal_is_told)
{
    (void)arg, (void)result;
    struct calls calls = {{0}, 0, 0};
    struct interrupt_plan plan = plan_for(&calls);
    struct interrupt *interrupt = interrupt_create(&plan);
    EXPECT(interrupt != NULL);
    EXPECT(interrupt_signal(interrupt) == 0);
    deliver(&calls, SIGUSR1);
    deliver(&calls, SIGUSR2);
    deliver(&calls, SIGQUIT);
    deliver(&calls, SIGCONT);
    EXPECT(interrupt_signal(interrupt) == 0);
    deliver(&calls, SIGTERM);
    EXPECT(calls.signal == SIGTERM);
    deliver(&calls, SIGINT);
    EXPECT(calls.signal == SIGINT);
    deliver(&calls, SIGHUP);
    EXPECT(interrupt_signal(interrupt) == SIGTERM);
    EXPECT(strcmp(calls.text, "+-qcsSS") == 0);
    interrupt_destroy(interrupt);
    return 0;
}

static struct sigaction action_of(int signal)
{
    struct sigaction action;
    (void)sigaction(signal, NULL, &action);
    return action;
}

SCENARIO(signals_do_again_what_they_did_when_it_is_gone)
{
    (void)arg, (void)result;
    struct calls calls = {{0}, 0, 0};
    struct interrupt_plan plan = plan_for(&calls);
    struct interrupt *interrupt = interrupt_create(&plan);
    EXPECT(interrupt != NULL);
    EXPECT(action_of(SIGUSR1).sa_handler != SIG_DFL);
    interrupt_destroy(interrupt);
    EXPECT(action_of(SIGUSR1).sa_handler == SIG_DFL);
    EXPECT(action_of(SIGTSTP).sa_handler == SIG_DFL);
    interrupt_destroy(NULL);
    return 0;
}

SCENARIO(what_was_ignored_stays_ignored)
{
    (void)arg, (void)result;
    struct calls calls = {{0}, 0, 0};
    struct interrupt_plan plan = plan_for(&calls);
    (void)signal(SIGHUP, SIG_IGN);
    struct interrupt *interrupt = interrupt_create(&plan);
    EXPECT(interrupt != NULL);
    EXPECT(action_of(SIGHUP).sa_handler == SIG_IGN);
    (void)kill(getpid(), SIGHUP);
    deliver(&calls, SIGTERM);
    EXPECT(strcmp(calls.text, "s") == 0);
    interrupt_destroy(interrupt);
    (void)signal(SIGHUP, SIG_DFL);
    return 0;
}

SCENARIO(what_nobody_wants_is_not_watched)
{
    (void)arg, (void)result;
    struct interrupt_plan nothing = {0};
    struct interrupt *interrupt = interrupt_create(&nothing);
    EXPECT(interrupt != NULL);
    EXPECT(action_of(SIGINT).sa_handler == SIG_DFL);
    EXPECT(action_of(SIGQUIT).sa_handler == SIG_DFL);
    interrupt_destroy(interrupt);
    return 0;
}

SCENARIO(it_is_given_back_when_the_caller_was_cancelled)
{
    (void)arg, (void)result;
    struct calls calls = {{0}, 0, 0};
    struct interrupt_plan plan = plan_for(&calls);
    struct interrupt *interrupt = interrupt_create(&plan);
    EXPECT(interrupt != NULL);
    sil_deadline outer = sil_deadline_scope(1); /* nor may a scope that is over */
    interrupt_destroy(interrupt);
    sil_deadline_restore(outer);
    return 0;
}

/* --- in a child ----------------------------------------------------------------------------- */

static int suspended(void *arg, void *result)
{
    (void)arg, (void)result;
    struct calls calls = {{0}, 0, 0};
    struct interrupt_plan plan = plan_for(&calls);
    struct interrupt *interrupt = interrupt_create(&plan);
    EXPECT(interrupt != NULL);
    (void)kill(getpid(), SIGTSTP);
    while (calls.size < 2)
        EXPECT_CODE(sil_sleep(sil_in(1e-3)), 0);
    EXPECT(strncmp(calls.text, "zc", 2) == 0);
    EXPECT(action_of(SIGTSTP).sa_handler != SIG_DFL);
    interrupt_destroy(interrupt);
    return 0;
}

/* In a group of its own whose parent is in the same session, the test: so it is no orphan. */
static void test_suspend_stops_the_process_and_it_goes_on(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setpgid(0, 0);
        _exit(sil_run(suspended, NULL, 0, NULL, 0) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(WSTOPSIG(status), SIGTSTP);
    assert_int_equal(kill(child, SIGCONT), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int die(void *arg)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    (void)signal(*(int *)arg, SIG_IGN);
    interrupt_die(*(int *)arg);
}

static void test_die_is_by_the_signal_when_it_is_blocked_or_ignored(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        int signal = signals[i];
        assert_int_equal(child_run(die, &signal), -signal);
    }
}

static int stopped(void *arg, void *result)
{
    (void)arg, (void)result;
    struct calls calls = {{0}, 0, 0};
    struct interrupt_plan plan = plan_for(&calls);
    struct interrupt *interrupt = interrupt_create(&plan);
    EXPECT(interrupt != NULL);
    deliver(&calls, SIGTERM);
    interrupt_die(interrupt_signal(interrupt)); /* while it is being watched, even */
}

static int run_stopped(void *arg)
{
    (void)arg;
    return sil_run(stopped, NULL, 0, NULL, 0) & 255;
}

static void test_die_ends_a_loop(void **state)
{
    (void)state;
    assert_int_equal(child_run(run_stopped, NULL), -SIGTERM);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_each_signal_is_told),
        TEST(test_signals_do_again_what_they_did_when_it_is_gone),
        TEST(test_what_was_ignored_stays_ignored),
        TEST(test_what_nobody_wants_is_not_watched),
        TEST(test_it_is_given_back_when_the_caller_was_cancelled),
        TEST(test_suspend_stops_the_process_and_it_goes_on),
        TEST(test_die_is_by_the_signal_when_it_is_blocked_or_ignored),
        TEST(test_die_ends_a_loop),
    };
    begin_scenarios();
    return test_run("signals to a run", tests);
}
