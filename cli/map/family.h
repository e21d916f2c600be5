/* SPDX-License-Identifier: MIT */
/*
 * All processes that a run has started, grandchildren included, and how they are ended.
 *
 * Each job leads a process group of its own, and finds SILLON_RUN in its environment: a word that no
 * other run has. Descendants that left the group (setsid) still carry it, and who has lost its parent
 * becomes our child (PR_SET_CHILD_SUBREAPER). So they are found: by group, by the word in
 * /proc/PID/environ, and by descent where that cannot be read.
 *
 * When we are killed (SIGKILL) a guardian does it: a process forked at the start, in a session of its
 * own, that sleeps on a pipe whose other end only we hold. The groups stand in memory it shares.
 *
 * I1  No moment of our death leaves one out. A group is in the table from soon after its leader
 *     executes until that has been waited for; before and behind that the word finds them. (Who leaves
 *     the group, wipes out its environment and outlives its parent, all three, is not found.)
 * I2  The guardian has none of the standard descriptors open: whoever reads our output sees its end.
 */
#ifndef CLI_MAP_FAMILY_H
#define CLI_MAP_FAMILY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "map/kin.h"

struct family;

/**
 * Become a subreaper, fork the guardian. Before any loop or thread.
 *
 * @param slots  how many jobs there can be at the same time.
 * @return returns owned; NULL with errno.
 */
struct family *family_create(size_t slots);

/** The run has ended in good order: the guardian ends, and is waited for. @param family  takes; NULL. */
void family_destroy(struct family *family);

/** "SILLON_RUN=...": for the environment of jobs. Borrowed. */
const char *family_word(const struct family *family);

/**
 * The environment of a job: ours, with SILLON_RUN, SILLON_SEQ, SILLON_SLOT and SILLON_TRY.
 *
 * @param more  borrows: "NAME=value" in place of ours; ends with NULL; NULL: none.
 * @return borrowed until the next call; NULL: out of memory.
 */
const char *const *family_environment(struct family *family, uint64_t seq, unsigned slot,
                                      unsigned attempt, const char *const *more);

/** A job of a slot (from 1 to slots) was started, or (0) has been waited for. Nothing may come between
 *  its start and this: family_reap would take the status of a leader that it does not know. */
void family_set(struct family *family, unsigned slot, pid_t leader);

/** Send a signal to the groups of all slots. @return how many there are. */
size_t family_signal(struct family *family, int signal);

/**
 * Send a signal to all of a job: its group, and whoever carries both the run's word and the job's
 * SILLON_SEQ. Looks through all of /proc.
 *
 * @param slot    whose group; 0: all.
 * @param seq     0: of all jobs.
 * @param signal  0: none, just count.
 * @return how many processes were found outside the groups.
 */
size_t family_signal_all(struct family *family, unsigned slot, uint64_t seq, int signal);

/** Send a signal to those of a job outside the groups that have not been asked: who was begun while the
 *  others were being asked. @return how many there are outside, asked before or now. */
size_t family_ask(struct family *family, uint64_t seq, int signal, struct kin_asked *asked);

/** Take the status of orphans that have ended; never of a leader. */
void family_reap(struct family *family);

#endif
