/* SPDX-License-Identifier: MIT */
/*
 * Signals to a running get or map: a coroutine that listens, and tells the owner.
 *
 * I1  What was ignored when the program began (nohup, a background job's SIGINT) stays ignored.
 * I2  The first INT, TERM or HUP asks to stop; the second one, or patience running out, ends at
 * once.
 * I3  Who has stopped in good order then dies of the same signal, so that a shell sees it.
 *
 * SIGWINCH is the screen's.
 */
#ifndef CLI_RUN_INTERRUPT_H
#define CLI_RUN_INTERRUPT_H

#include <stdbool.h>

/** What is done about each; all in one coroutine, one after the other: the next signal is heard
 *  when the call has returned. NULL: the signal does what it does otherwise. None may call
 *  interrupt_destroy. */
struct interrupt_plan {
    void *user;
    void (*stop)(void *user, int signal, bool again); /**< INT, TERM, HUP; again: not the first */
    void (*suspend)(void *user);                      /**< TSTP came; the program stops after it */
    void (*resume)(
        void *user); /**< it goes on; also after a STOP that nobody told us of, and perhaps
                                     more than once */
    void (*jobs)(void *user, int change); /**< USR1: +1, USR2: -1 */
    void (*describe)(void *user);         /**< QUIT */
};

struct interrupt;

/** @param plan  borrows, until destroy. In a coroutine. @return returns owned; NULL: no memory or
 *  descriptors, with sil_last_error. */
struct interrupt *interrupt_create(const struct interrupt_plan *plan);
/** @param interrupt  takes; NULL allowed. */
void interrupt_destroy(struct interrupt *interrupt);

/** The signal that first asked to stop; 0: none. */
int interrupt_signal(const struct interrupt *interrupt);

/** End the program as that signal does, SIGPIPE too. After everything has been put in order. Any
 *  thread; no interrupt needed. */
_Noreturn void interrupt_die(int signal);

#endif
