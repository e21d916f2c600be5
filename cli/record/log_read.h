/* SPDX-License-Identifier: MIT */
/*
 * Reading a log of an earlier run: what became of each item.
 *
 * I1  A line at a time: memory is taken for the identities alone.
 * I2  A line that says nothing of an item, the broken last one too, is passed over.
 * I3  The last line of an item counts.
 */
#ifndef CLI_RECORD_LOG_READ_H
#define CLI_RECORD_LOG_READ_H

#include "record/identity.h"
#include "record/recorder.h"

/**
 * @param tsv    a joblog (joblog.h), else JSON Lines.
 * @param table  receives an enum record_before for each item.
 * @return 0, also if there is no such file, or it is no regular file; or an errno value.
 */
int log_read(const char *path, bool tsv, struct identity_table *table);

/** What a line of JSON says. @return false: nothing. */
bool log_read_object(const char *line, size_t size, struct identity *out_identity,
                     enum record_before *out_before);

#endif
