/* SPDX-License-Identifier: MIT */
/*
 * make's jobserver: tokens, a byte each, in a pipe that all who start jobs share. Who has been started
 * has one already; for each further job at the same time one is taken out, and put back at its end.
 *
 * I1  Each byte that was taken is put back, the same one, on every path that ends us but SIGKILL:
 *     who ends the program calls jobserver_close first.
 * I2  The pipe is shared with others: none of its flags is changed.
 */
#ifndef CLI_MAP_JOBSERVER_H
#define CLI_MAP_JOBSERVER_H

#include <stddef.h>

struct jobserver;

/**
 * Find the one in MAKEFLAGS, or be one.
 *
 * @param mode  "auto" or "": take part if MAKEFLAGS names one that is there; "serve": be one, for programs
 *              that know of named pipes (make from 4.4 on, ninja 1.13, cargo); "off", NULL: neither.
 * @param jobs  serve: how many may run at the same time, over all.
 * @param out   returns owned: jobserver_close. NULL: there is none.
 * @return 0; an errno value.
 */
int jobserver_open(const char *mode, size_t jobs, struct jobserver **out);

/** "MAKEFLAGS=...", for the environment of jobs; NULL: as ours. Borrowed. */
const char *jobserver_makeflags(const struct jobserver *server);

/** May one more be started, beside so many that run? @param server  NULL allowed, here and below.
 *  @return 0: yes, and there is a token for it; else seconds after which to ask again. */
double jobserver_may_start(struct jobserver *server, size_t running);

/** Only so many run now: put back what is not needed. */
void jobserver_settle(struct jobserver *server, size_t running);

/** Put back all. @param server  takes. */
void jobserver_close(struct jobserver *server);

#endif
