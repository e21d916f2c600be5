/* SPDX-License-Identifier: MIT */
/*
 * An outlet: a descriptor that others gave us (1, 2, --progress-fd), written to without holding up the
 * loop.
 *
 * Whether a descriptor blocks is a property of what it refers to, which the shell and our jobs share.
 * So pipes and terminals are opened a second time, non-blocking, for us alone; sockets are asked not to
 * block with each call; and what can be neither is asked whether it is ready, and given no more than it
 * takes then. Files are written to directly. To wait, a coroutine waits for an epoll instance of the
 * outlet's: waiting for the descriptor itself would make it non-blocking for all.
 *
 * I1  The flags of what others share are never changed.
 * I2  What has been begun is finished, whoever is cancelled, unless the outlet is abandoned.
 * I3  After the first error nothing is written any more.
 *
 * One coroutine at a time writes and waits (turn.h); outlet_try may come between only if nobody does.
 */
#ifndef CLI_OUTPUT_OUTLET_H
#define CLI_OUTPUT_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outlet_kind { OUTLET_FILE, OUTLET_PIPE, OUTLET_SOCKET, OUTLET_TERMINAL };

struct outlet {
    int number; /**< as it was given to us */
    int fd;     /**< what is written to: number, or the same opened anew */
    int epoll;  /**< tells when it can be written to; -1: was not needed yet */
    int error;  /**< errno value; 0: none yet */
    enum outlet_kind kind;
    bool gentle;    /**< it may block, so ask before, and give little */
    bool abandoned; /**< whoever is cancelled in it gives up, with ECANCELED as its error */
    char last;      /**< the last byte written by copying; '\n' at first */
    char *buffer;   /**< for copying files; NULL: was not needed yet */
};

/** @param number  borrows. One that is not open: an outlet that has failed with EBADF. */
void outlet_init(struct outlet *outlet, int number);
void outlet_fini(struct outlet *outlet);

/** Write what can be without waiting. @return how much that was: less, also when it fails. */
size_t outlet_try(struct outlet *outlet, const char *bytes, size_t size);

/** Write all of it. In a coroutine. @return 0; an errno value */
int outlet_write(struct outlet *outlet, const char *bytes, size_t size);

/** Write a part of a file, see screen_out_file. In a coroutine. @return as outlet_write; another errno
 *  value than outlet->error: the file cannot be read. */
int outlet_send(struct outlet *outlet, int fd, uint64_t offset, uint64_t size);

/** Do both lead to the same file, pipe or terminal? */
bool outlet_same(const struct outlet *a, const struct outlet *b);

#endif
