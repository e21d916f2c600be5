/* SPDX-License-Identifier: MIT */
/*
 * A file of checksums, as sha256sum and its like write it, or as BSD's sha256:
 *
 *     HEX  name          by the number of digits: md5, sha1, sha256, sha512
 *     HEX *name
 *     SHA256 (name) = HEX
 *
 * A signature around it (PGP) is skipped and NOT checked. A line that is none of these is an
 * error: a checksum that was mistyped must not go unnoticed.
 */
#ifndef CLI_GET_SUMS_H
#define CLI_GET_SUMS_H

#include <stdbool.h>

#include "get/store.h"

struct sums;

/** @return returns owned: sums_destroy; NULL with sil_last_error, which names file and line.
 *  @blocks */
struct sums *sums_open(const char *file);

/** @param sums  takes; NULL allowed. */
void sums_destroy(struct sums *sums);

/**
 * What is expected of a file: of that name in the list, or, if only one has it, of that last part.
 * Of several kinds the strongest.
 *
 * @param out  receives it.
 * @return false: the list does not have it, and out is untouched.
 */
bool sums_find(const struct sums *sums, const char *name, struct digest *out);

#endif
