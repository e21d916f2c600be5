/* SPDX-License-Identifier: MIT */
/*
 * Descriptors in dumps.
 */
#ifndef SIL__LOOP_DUMP_H
#define SIL__LOOP_DUMP_H

#include "core/dump.h"

/* "read of fd 7, peer 127.0.0.1:4711": what is the first word. */
void sil__fd_look(struct sil__sight *sight, const char *what, int fd);

#endif
