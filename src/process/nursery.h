/* SPDX-License-Identifier: MIT */
/*
 * What a pool and its helper say to each other, over a SOCK_SEQPACKET socket.
 *
 * The helper is a process between the pool's and the workers': small and without threads, so that
 * it can fork at any time, for little. It starts workers, collects them when they end and tells how
 * they ended, and takes them with it when the pool's process is gone.
 *
 *     pool                               helper
 *     hello (control, region)  ------>
 *     heaps (region.h)         ------>
 *                              <------   ready, or failed
 *     start (channel)          ------>
 *                              <------   started (pidfd), or failed
 *                              <------   ended
 *     closing the socket       ------>   ends, with all that is left of its workers
 */
#ifndef SIL__PROCESS_NURSERY_H
#define SIL__PROCESS_NURSERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/limits.h"
#include "process/module.h"

#define SIL__HELLO_MAGIC 0x53696c31u

struct sil__hello {
    uint32_t magic;
    uint32_t size; /* of this struct */
    uint32_t forked;
    uint32_t initialized; /* there is an initializer */
    struct sil__code initializer;
    uint64_t initializer_arg_size;
    uint64_t control_size;
    uint64_t region_base; /* of the pool's own region, for a sandbox; 0: all heaps follow instead */
    uint64_t region_size;
    struct sil__limits limits;
    char name[32];
};

struct sil__start {
    uint32_t index;
    uint32_t generation;
};

enum sil__news_kind {
    SIL__NEWS_READY = 1,
    SIL__NEWS_FAILED,  /* nothing can be started: code and text */
    SIL__NEWS_STARTED, /* with a pidfd */
    SIL__NEWS_REFUSED, /* this worker could not be started: code is errno's */
    SIL__NEWS_ENDED,
};

struct sil__news {
    uint32_t kind;
    uint32_t index;
    uint32_t generation;
    int32_t pid;
    int32_t status; /* as of waitpid */
    int32_t code;
    char text[200];
};

/* Send or receive one message with up to count descriptors; false: the other side is gone, or it is
 * not what was expected. received ones are closed on exec; -1 for those that did not come. */
bool sil__message_send(int socket, const void *data, size_t size, const int *fds, unsigned count);
bool sil__message_receive(int socket, void *data, size_t size, int *out_fds, unsigned count);

#endif
