/* SPDX-License-Identifier: MIT */
/*
 * Being asked to stop (Ctrl-C, kill) as a future: it ends when the first such signal comes.
 *
 * I1  SIGINT, SIGTERM and SIGHUP are blocked in all threads but one that listens, so no system
 *     call of anybody else is ever interrupted. What was ignored from the start stays ignored.
 * I2  After the first signal they have their default effect again: a second Ctrl-C ends the
 *     program at once, whatever the rest of it is doing.
 * I3  Who has stopped in good order then dies of the same signal, so that a shell sees it.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <sillon/future.h>

struct interrupt;

/**
 * Begin to listen. Call it before there are other threads.
 *
 * @return returns owned: interrupt_destroy. NULL with sil_last_error: out of memory, of threads or
 *         of descriptors.
 */
struct interrupt *interrupt_create(void);

/** Stop listening. The signals stay blocked. @param interrupt  takes; NULL allowed. */
void interrupt_destroy(struct interrupt *interrupt);

/** @return returns borrowed; final once the program has been asked to stop. */
sil_future *interrupt_future(const struct interrupt *interrupt);

/** The signal that asked, 0 so far. */
int interrupt_signal(const struct interrupt *interrupt);

/** A descriptor that is readable for ever once the program has been asked to stop; for poll. */
int interrupt_fd(const struct interrupt *interrupt);

/** As if that signal had come. */
void interrupt_raise(struct interrupt *interrupt, int signal);

/** End the program as that signal does. */
_Noreturn void interrupt_die(int signal);

#endif
