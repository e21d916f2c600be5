/* SPDX-License-Identifier: MIT */
/*
 * File names: which one a URL asks for, and that no two files of a run get the same.
 *
 * I1  A name made here stays in the output folder, whatever a URL or a list of URLs says: no "..",
 *     not absolute, nothing a terminal would obey. Those of URLs are no hidden files either, and no
 *     command takes them for an option.
 * I2  Names depend on the URLs alone, so the same run gives the same names again.
 * I3  A name is given to one URL. So is what the store puts beside the file (NAME.part,
 *     NAME.part.meta); and what is a file's name is no folder of another's.
 */
#ifndef CLI_GET_NAMES_H
#define CLI_GET_NAMES_H

#include <stdbool.h>

/* --- names ------------------------------------------------------------------------------------ */

/**
 * What a URL asks for: the last part of its path.
 *
 * @param path  percent-encoded, without a query; ends in '/' or is "": index.html.
 * @return returns owned: free(); NULL: out of memory.
 */
char *name_of_url(const char *path);

/** The same for --tree: "host/and/all/of/it". */
char *name_of_tree(const char *host, const char *path);

/**
 * A name that a list of URLs gives: as it is, but for "./" and "//". It may have folders.
 *
 * @return returns owned: free(); NULL: it is refused, see name_trouble, or out of memory.
 */
char *name_given(const char *text);

/** Why such a name is refused: borrowed, valid for ever; NULL: it is not. */
const char *name_trouble(const char *text);

/* --- who has which ---------------------------------------------------------------------------- */

struct names;

/** @return returns owned: names_destroy; NULL: out of memory. */
struct names *names_create(void);

/** @param names  takes; NULL allowed. */
void names_destroy(struct names *names);

/** What the store puts behind the names of files on their way; ".part" if this is not called.
 *  Before the first claim. @param suffix  borrows, until destroy. */
void names_set_suffix(struct names *names, const char *suffix);

/**
 * Take a name for a URL.
 *
 * @param url        borrows: copied, to be told to those who want the same name.
 * @param out_owner  receives, on failure: the URL that has taken the name or stands in its way
 *                   (I3), which may be the same URL; borrowed, until destroy. NULL: out of memory.
 * @return is it yours?
 */
bool names_claim(struct names *names, const char *name, const char *url, const char **out_owner);

/** Take the name, or else that with ".1", ".2" and so on: for --if-exists=rename. @return returns
 *  owned: free(); NULL: out of memory. */
char *names_claim_numbered(struct names *names, const char *name, const char *url);

#endif
