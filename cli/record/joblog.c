/* SPDX-License-Identifier: MIT */
/*
 * The joblog, see joblog.h.
 */
#include "record/joblog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char joblog_header[] =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

enum { COLUMN_EXIT = 6, COLUMN_SIGNAL, COLUMN_COMMAND };

static void swap(char *bytes, size_t size, char from, char to)
{
    for (char *at = bytes; (at = memchr(at, from, size - (size_t)(at - bytes))) != NULL;)
        *at = to;
}

static long long integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name)); /* 0 for null and for nothing */
}

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

/* Who failed with neither a code nor a signal, by a time limit say, has -1: as in GNU parallel. */
static long long exit_of(const json_t *object)
{
    long long code = integer(object, "exit");
    const char *status = json_string_value(json_object_get(object, "status"));
    bool ok = status == NULL || strcmp(status, "ok") == 0;
    return code == 0 && !ok && integer(object, "signal") == 0 ? -1 : code;
}

size_t joblog_line(const json_t *object, double began, const void *identity, size_t identity_size,
                   char **out)
{
    /* "start" counts from the beginning of the run, which takes less than 31 years; else it is a
     * moment of the epoch already. */
    double start = number(object, "start");
    if (start < 1e9)
        start += began;
    enum { HEAD = 256 };
    char *line = malloc(HEAD + identity_size + 1);
    if (line == NULL)
        return 0;
    int head =
        snprintf(line, HEAD, "%lld\t:\t%10.3f\t%10.3f\t0\t%lld\t%lld\t%lld\t",
                 integer(object, "seq"), start, number(object, "wall"),
                 integer(object, "stdout_bytes"), exit_of(object), integer(object, "signal"));
    size_t size = (size_t)(head < HEAD ? head : HEAD - 1);
    if (identity_size != 0)
        memcpy(line + size, identity, identity_size);
    swap(line + size, identity_size, '\n', '\0');
    size += identity_size;
    line[size++] = '\n';
    *out = line;
    return size;
}

/* A column that is a number, and all of it. */
static bool column_number(const char *text, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && *end == '\t' && errno == 0;
}

bool joblog_read(char *line, size_t size, struct identity *out_identity,
                 enum record_before *out_before)
{
    const char *end = line + size;
    char *columns[COLUMN_COMMAND + 1] = {line};
    for (int i = 1; i <= COLUMN_COMMAND; i++) {
        char *tab = memchr(columns[i - 1], '\t', (size_t)(end - columns[i - 1]));
        if (tab == NULL)
            return false;
        columns[i] = tab + 1;
    }
    long long seq, code, signal;
    if (!column_number(columns[0], &seq) || !column_number(columns[COLUMN_EXIT], &code) ||
        !column_number(columns[COLUMN_SIGNAL], &signal))
        return false; /* the header, too */
    char *command = columns[COLUMN_COMMAND];
    swap(command, (size_t)(end - command), '\0', '\n');
    *out_identity = identity_make(command, (size_t)(end - command));
    *out_before = code == 0 && signal == 0 ? BEFORE_OK : BEFORE_FAILED;
    return true;
}
