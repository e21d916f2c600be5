/* SPDX-License-Identifier: MIT */
/*
 * Stack overflows: what a program is told whose coroutine touched its guard.
 *
 * There is one handler a process, and a chain: it passes everything on to the handler that was there,
 * overflows too, once it has told of them. So a sanitizer's report, or a crash handler of the program,
 * comes after our message, and without one the kernel ends the program and dumps it as ever.
 *
 * I1: what the handler reads of others' stacks may be unmapped at any time; of the stack that the
 *     calling thread overflowed it may not (stack_slab.h).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "coro/stack.h"
#include "coro/stack_slab.h"

/* Room for handlers of the program's too; what they do not use is not touched. */
#define ALTERNATE_SIZE ((size_t)64 << 10)
#define MESSAGE_SIZE 256
#define NAME_SHOWN 64

/* Written before the handler is installed. */
static struct sigaction before_segv;
static struct sigaction before_bus;

static _Atomic(sil__stack_name_fn) name_of_stack;
static _Thread_local void *alternate; /* ours, or NULL */

/* --- the message: only what signal handlers may call --------------------------------------- */

struct line {
    char text[MESSAGE_SIZE];
    size_t length;
};

static void line_add(struct line *line, const char *text, size_t most)
{
    for (; *text && most > 0 && line->length < sizeof line->text; text++, most--)
        line->text[line->length++] = *text;
}

static void line_add_number(struct line *line, unsigned number)
{
    char digits[12];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    line_add(line, digits + at, sizeof digits);
}

static void tell(const struct sil__stack *stack)
{
    static const char units[][8] = {" KiB", " MiB", " GiB"};
    unsigned size = 16U << 2 * stack->size_class;
    unsigned unit = 0;
    for (; size >= 1024; size /= 1024)
        unit++;
    sil__stack_name_fn name_of = atomic_load_explicit(&name_of_stack, memory_order_relaxed);
    const char *name = name_of ? name_of(stack) : "";

    struct line line = {.length = 0};
    line_add(&line, "sillon: stack overflow in ", MESSAGE_SIZE);
    if (*name) {
        line_add(&line, "coroutine '", MESSAGE_SIZE);
        line_add(&line, name, NAME_SHOWN);
        line_add(&line, "'", MESSAGE_SIZE);
    } else {
        line_add(&line, "a coroutine", MESSAGE_SIZE);
    }
    line_add(&line, " (", MESSAGE_SIZE);
    line_add_number(&line, size);
    line_add(&line, units[unit], MESSAGE_SIZE);
    line_add(&line, " of stack): start it with a larger stack_size\n", MESSAGE_SIZE);
    if (write(STDERR_FILENO, line.text, line.length) < 0)
        return; /* there is nobody to tell that to */
}

/* --- the handler --------------------------------------------------------------------------- */

/* As if the program had no handler: the kernel ends it, with the registers of the fault. */
static void end_by_default(int number, const siginfo_t *info)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    (void)sigaction(number, &action, NULL);
    /* A fault happens again when we return; what somebody sent does not. */
    if (info->si_code <= 0)
        (void)raise(number);
}

static void pass_on(int number, siginfo_t *info, void *context)
{
    const struct sigaction *before = number == SIGSEGV ? &before_segv : &before_bus;
    bool takes_info = before->sa_flags & SA_SIGINFO;
    if (!takes_info && before->sa_handler == SIG_IGN && info->si_code <= 0)
        return;
    if (!takes_info && (before->sa_handler == SIG_DFL || before->sa_handler == SIG_IGN)) {
        end_by_default(number, info); /* the kernel lets nobody ignore a fault */
        return;
    }
    sigset_t mask;
    (void)pthread_sigmask(SIG_BLOCK, &before->sa_mask, &mask);
    if (takes_info)
        before->sa_sigaction(number, info, context);
    else
        before->sa_handler(number);
    (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void handle(int number, siginfo_t *info, void *context)
{
    int error = errno;
    const struct sil__stack *stack = info->si_code > 0 ? sil__stack_slab_find(info->si_addr) : NULL;
    if (stack)
        tell(stack);
    pass_on(number, info, context);
    errno = error;
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    (void)sigemptyset(&action.sa_mask);
    /* Asked first, as a signal may come before the second call is back. */
    (void)sigaction(SIGSEGV, NULL, &before_segv);
    (void)sigaction(SIGBUS, NULL, &before_bus);
    (void)sigaction(SIGSEGV, &action, NULL);
    (void)sigaction(SIGBUS, &action, NULL);
}

void sil__stack_watch(sil__stack_name_fn name_of)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    atomic_store_explicit(&name_of_stack, name_of, memory_order_relaxed);
    (void)pthread_once(&once, install);

    stack_t now;
    if (alternate || sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE))
        return;
    /* Without memory an overflow ends the program all the same, only in silence. */
    alternate = sil__alloc_raw(ALTERNATE_SIZE);
    stack_t ours = {.ss_sp = alternate, .ss_size = ALTERNATE_SIZE};
    if (alternate && sigaltstack(&ours, NULL) != 0)
        sil__stack_unwatch_thread();
}

void sil__stack_unwatch_thread(void)
{
    if (!alternate)
        return;
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == alternate) {
        stack_t none = {.ss_flags = SS_DISABLE};
        (void)sigaltstack(&none, NULL);
    }
    sil__free(alternate);
    alternate = NULL;
}

_Noreturn void sil__stack_report(const struct sil__stack *stack)
{
    tell(stack);
    (void)raise(SIGSEGV);
    abort(); /* a handler of the program's came back from that */
}
