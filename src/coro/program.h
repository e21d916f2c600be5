/* SPDX-License-Identifier: MIT */
/*
 * A child program, from inside: a child process (loop/child.h), its pipes as streams, and a watch
 * of its pidfd.
 *
 * I1: until the child is over, only we take its status, by the pidfd.
 * I2: whoever ends a program, ends the wait itself too: neither a cancel nor a scope's deadline
 *     leaves a child behind.
 */
#ifndef SIL__CORO_PROGRAM_H
#define SIL__CORO_PROGRAM_H

#include <sillon/program.h>

#include "loop/child.h"
#include "loop/watch.h"

struct sil_executor;

struct sil_program {
    struct sil_executor *loop;
    struct sil__child child;
    struct sil__watch *watch; /* of child.descriptor; NULL: it was over at once */
    sil_stream *pipes[3];     /* our ends; NULL: none, or closed */
    bool had_input;           /* pipes[0] was there */
    double grace;
    char name[];
};

/* Our ends of all pipes are closed, and it has ended, by itself or by us (I2). */
void sil__program_end(sil_program *program);

#endif
