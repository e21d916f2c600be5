/* SPDX-License-Identifier: MIT */
/*
 * The version: what this header was written for, and what the library at hand is.
 */
#ifndef SILLON_VERSION_H
#define SILLON_VERSION_H

#include <sillon/export.h>

#define SIL_VERSION_MAJOR 0
#define SIL_VERSION_MINOR 1
#define SIL_VERSION_PATCH 0

SIL_BEGIN_DECLS

/**
 * The version of the library that is loaded, as "major.minor.patch".
 *
 * @return returns borrowed; valid for ever.
 * @threads any
 */
SIL_API const char *sil_version(void);

SIL_END_DECLS

#endif
