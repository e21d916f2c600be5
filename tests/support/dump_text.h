/* SPDX-License-Identifier: MIT */
/*
 * Dumps as text, for tests that look for lines in them.
 */
#ifndef TESTS_SUPPORT_DUMP_TEXT_H
#define TESTS_SUPPORT_DUMP_TEXT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/dump.h>
#include <sillon/status.h>

/** A dump; to be freed. NULL: it failed. */
static inline char *dump_text(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int code = out ? sil_dump(out) : SIL_ENOMEM;
    if (out)
        (void)fclose(out);
    if (code == 0)
        return text;
    free(text);
    return NULL;
}

/** The line that holds both, in memory that lasts until the next call of the thread; "" if there is none. */
static inline const char *dump_line(const char *text, const char *part, const char *also)
{
    static _Thread_local char found[400];
    for (const char *line = text; line && *line;) {
        const char *end = strchr(line, '\n');
        size_t length = end ? (size_t)(end - line) : strlen(line);
        if (length < sizeof found) {
            memcpy(found, line, length);
            found[length] = '\0';
            if (strstr(found, part) && strstr(found, also))
                return found;
        }
        line = end ? end + 1 : NULL;
    }
    found[0] = '\0';
    return found;
}

/** Is there such a line in a dump made now? */
static inline bool dump_has(const char *part, const char *also)
{
    char *text = dump_text();
    bool has = text && dump_line(text, part, also)[0];
    free(text);
    return has;
}

/** How far the line that holds the part is indented; -1: there is none. */
static inline int dump_depth(const char *text, const char *part)
{
    enum { STATE_AND_TIME = 24 };
    const char *line = dump_line(text, part, "");
    if (strlen(line) < STATE_AND_TIME)
        return -1;
    return (int)strspn(line + STATE_AND_TIME, " ") / 2;
}

#endif
