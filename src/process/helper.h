/* SPDX-License-Identifier: MIT */
/*
 * The helper process, from inside.
 */
#ifndef SIL__PROCESS_HELPER_H
#define SIL__PROCESS_HELPER_H

#include <sys/types.h>

#include "process/channel.h"
#include "process/nursery.h"

/* A worker that has not been reaped. */
struct sil__nursling {
    pid_t pid;
    struct sil__start start;
};

struct sil__helper {
    pid_t self;
    int socket;
    int signals;
    int parent; /* a pidfd; -1: there is none, only the socket tells */
    struct sil__hello hello;
    struct sil__control *control;
    struct sil__decoder *decoder;
    struct sil__nursling *nurslings;
    unsigned count;
    unsigned room;
};

#endif
