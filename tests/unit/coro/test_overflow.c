/* SPDX-License-Identifier: MIT */
/*
 * What a program says and how it ends when a coroutine's stack overflows, and that other faults end
 * as ever. Each in a forked child, whose standard error the test reads.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "coro/fiber.h"
#include "coro/stack.h"
#include "coro/stack_guard.h"

#include "support/child.h"
#include "support/test.h"

enum { ENDED_BY_OURS = 42 };

/* What was there before the frame of the tests put its own in place. */
static struct sigaction original;

static char text[64 << 10];
static int text_pipe[2];

static int in_child(void *run)
{
    struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)dup2(text_pipe[1], STDERR_FILENO);
    (void)signal(SIGSEGV, SIG_DFL);
    (void)signal(SIGBUS, SIG_DFL);
    return (*(int (**)(void))run)();
}

/* How run ended; what it wrote is in text. */
static int ends(int (*run)(void))
{
    assert_int_equal(pipe2(text_pipe, O_CLOEXEC), 0);
    int end = child_run(in_child, (void *)&run);
    (void)close(text_pipe[1]);
    size_t length = 0;
    for (ssize_t got = 1; got > 0; length += (size_t)got) {
        got = read(text_pipe[0], text + length, sizeof text - 1 - length);
        assert_true(got >= 0);
    }
    text[length] = '\0';
    (void)close(text_pipe[0]);
    return end;
}

/* --- a coroutine in two lines -------------------------------------------------------------- */

struct coroutine {
    struct sil__stack stack;
    struct sil__fiber fiber;
    const char *name;
};

static struct sil__stacks stacks;
static struct sil__fiber own;
static struct coroutine *coroutine;

static const char *name_of(const struct sil__stack *stack)
{
    return ((const struct coroutine *)stack)->name;
}

static int recurse(int depth) /* NOLINT(misc-no-recursion): that is what overflows */
{
    volatile char frame[512];
    memset((char *)frame, depth & 127, sizeof frame);
    return depth > 0 ? recurse(depth - 1) + frame[3] : 0;
}

static void overflow(void)
{
    (void)recurse(INT32_MAX);
    sil__fiber_leave(&coroutine->fiber, &own);
}

/* Returns if no handler ends the program. */
static int overflow_as(const char *name, unsigned size_class)
{
    sil__stacks_init(&stacks);
    sil__fiber_init_own(&own);
    coroutine = (struct coroutine *)sil__stacks_take(&stacks, size_class);
    CHECK(coroutine != NULL);
    coroutine->name = name;
    sil__fiber_init(&coroutine->fiber, coroutine->stack.low, coroutine->stack.size, overflow);
    sil__fiber_switch(&own, &coroutine->fiber);
    return 0;
}

static int overflow_deep(void)
{
    sil__stack_watch(name_of);
    return overflow_as("deep", 1);
}

static int overflow_nameless(void)
{
    sil__stack_watch(name_of);
    return overflow_as("", 3);
}

static int overflow_map(void)
{
    sil__guard_limit(SIL__GUARD_MAP);
    sil__stack_watch(name_of);
    return overflow_as("mapped", 0);
}

static int overflow_unwatched(void)
{
    return overflow_as("unseen", 1);
}

static const char deep_message[] = "sillon: stack overflow in coroutine 'deep' (64 KiB of stack): "
                                   "start it with a larger stack_size\n";

static void test_overflow_names_the_coroutine(void **state)
{
    (void)state;
    assert_int_equal(ends(overflow_deep), -SIGSEGV);
    assert_string_equal(text, deep_message);
    assert_int_equal(ends(overflow_map), -SIGSEGV);
    assert_string_equal(text, "sillon: stack overflow in coroutine 'mapped' (16 KiB of stack): "
                              "start it with a larger stack_size\n");
    assert_int_equal(ends(overflow_nameless), -SIGSEGV);
    assert_string_equal(text, "sillon: stack overflow in a coroutine (1 MiB of stack): "
                              "start it with a larger stack_size\n");
}

static void test_overflow_is_silent_when_nobody_watches(void **state)
{
    (void)state;
    assert_int_equal(ends(overflow_unwatched), -SIGSEGV);
    assert_string_equal(text, "");
}

static int report(void)
{
    sil__stack_watch(name_of);
    sil__stacks_init(&stacks);
    coroutine = (struct coroutine *)sil__stacks_take(&stacks, 1);
    CHECK(coroutine != NULL);
    coroutine->name = "deep";
    sil__stack_report(&coroutine->stack);
}

static void test_report_ends_the_program_likewise(void **state)
{
    (void)state;
    assert_int_equal(ends(report), -SIGSEGV);
    assert_string_equal(text, deep_message);
}

/* --- other faults, other handlers ---------------------------------------------------------- */

static int touch_forbidden_page(void)
{
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    *(volatile char *)page = 1;
    return 0;
}

static int fault_elsewhere(void)
{
    sil__stack_watch(name_of);
    return touch_forbidden_page();
}

static int be_sent_one(void)
{
    sil__stack_watch(name_of);
    (void)raise(SIGSEGV);
    return 0;
}

static int be_sent_an_ignored_one(void)
{
    (void)signal(SIGSEGV, SIG_IGN);
    sil__stack_watch(name_of);
    (void)raise(SIGSEGV);
    return ENDED_BY_OURS;
}

static int fault_ignored(void)
{
    (void)signal(SIGSEGV, SIG_IGN);
    return fault_elsewhere();
}

static void test_other_faults_end_as_before(void **state)
{
    (void)state;
    assert_int_equal(ends(fault_elsewhere), -SIGSEGV);
    assert_int_equal(ends(be_sent_one), -SIGSEGV);
    assert_int_equal(ends(be_sent_an_ignored_one), ENDED_BY_OURS);
    assert_int_equal(ends(fault_ignored), -SIGSEGV);
    assert_string_equal(text, "");
}

static void plain_handler(int number)
{
    _exit(number == SIGSEGV ? ENDED_BY_OURS : 1);
}

/* Told where the fault was, with the signals blocked that it wanted. */
static void info_handler(int number, siginfo_t *info, void *context)
{
    sigset_t blocked;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    _exit(number == SIGSEGV && info->si_addr && context && sigismember(&blocked, SIGUSR2)
              ? ENDED_BY_OURS
              : 1);
}

static void install_info_handler(void)
{
    struct sigaction action = {.sa_sigaction = info_handler, .sa_flags = SA_SIGINFO};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaddset(&action.sa_mask, SIGUSR2);
    (void)sigaction(SIGSEGV, &action, NULL);
}

static int fault_with_plain_handler(void)
{
    (void)signal(SIGSEGV, plain_handler);
    return fault_elsewhere();
}

static int fault_with_info_handler(void)
{
    install_info_handler();
    return fault_elsewhere();
}

static int overflow_with_info_handler(void)
{
    install_info_handler();
    return overflow_deep();
}

static void test_handler_that_was_there_gets_its_faults(void **state)
{
    (void)state;
    assert_int_equal(ends(fault_with_plain_handler), ENDED_BY_OURS);
    assert_string_equal(text, "");
    assert_int_equal(ends(fault_with_info_handler), ENDED_BY_OURS);
    assert_string_equal(text, "");
    assert_int_equal(ends(overflow_with_info_handler), ENDED_BY_OURS);
    assert_string_equal(text, deep_message);
}

static int overflow_with_original_handler(void)
{
    (void)sigaction(SIGSEGV, &original, NULL);
    return overflow_deep();
}

/* A sanitizer's, if there is one. */
static void test_handler_of_the_runtime_comes_after_ours(void **state)
{
    (void)state;
    assert_int_not_equal(ends(overflow_with_original_handler), 0);
    assert_int_equal(strncmp(text, deep_message, strlen(deep_message)), 0);
#ifdef TEST_ASAN
    assert_contains(text, "AddressSanitizer");
#endif
}

/* --- the alternate stack ------------------------------------------------------------------- */

static int watch_and_unwatch(void)
{
    static char mine[128 << 10];
    const stack_t none = {.ss_flags = SS_DISABLE};
    const stack_t theirs = {.ss_sp = mine, .ss_size = sizeof mine};
    stack_t now;
    (void)sigaltstack(&none, NULL);
    sil__stack_watch(name_of);
    sil__stack_watch(name_of);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0);
    sil__stack_unwatch_thread();
    sil__stack_unwatch_thread();
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == SS_DISABLE);

    (void)sigaltstack(&theirs, NULL);
    sil__stack_watch(name_of);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == mine);
    sil__stack_unwatch_thread();
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == mine);
    return 0;
}

static void test_alternate_stack_is_given_back_if_it_was_ours(void **state)
{
    (void)state;
    assert_int_equal(ends(watch_and_unwatch), 0);
}

int main(void)
{
    (void)sigaction(SIGSEGV, NULL, &original);
    const struct CMUnitTest tests[] = {
        TEST(test_overflow_names_the_coroutine),
        TEST(test_overflow_is_silent_when_nobody_watches),
        TEST(test_report_ends_the_program_likewise),
        TEST(test_other_faults_end_as_before),
        TEST(test_handler_that_was_there_gets_its_faults),
        TEST(test_handler_of_the_runtime_comes_after_ours),
        TEST(test_alternate_stack_is_given_back_if_it_was_ours),
    };
    return test_run("overflow", tests);
}
