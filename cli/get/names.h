/* SPDX-License-Identifier: MIT */
/*
 * File names: which one a URL asks for, and that no two files of a run get the same.
 *
 * I1  A name is a file of the output folder, whatever the URL says: no slash, no "..", no hidden
 *     file, nothing a terminal would obey or a command take for an option.
 * I2  Names depend on the URLs and their order alone, so the same run gives the same names again.
 */
#ifndef CLI_GET_NAMES_H
#define CLI_GET_NAMES_H

struct names;

/** @return returns owned: names_destroy; NULL: out of memory. */
struct names *names_create(void);

/** @param names  takes; NULL allowed. */
void names_destroy(struct names *names);

/**
 * The name for one more file: the one asked for, or that with ".1", ".2" and so on if it was
 * given away.
 *
 * @param last_part  the last part of a URL's path, percent-encoded; "" asks for index.html.
 * @return returns borrowed, valid as long as names; NULL: out of memory.
 */
const char *names_claim(struct names *names, const char *last_part);

#endif
