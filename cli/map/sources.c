/* SPDX-License-Identifier: MIT */
/*
 * The sources of a command line, see sources.h.
 */
#include "map/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "command.h"
#include "map/row.h"

static char standard_input[] = "-";
static char *const only_standard_input[] = {standard_input};

/* --- reading the words ---------------------------------------------------------------------- */

/* What a word begins, ":::" or the like. */
struct marker {
    bool files;  /* :::: */
    bool linked; /* + */
};

/* @param out  untouched if it is none. */
static bool is_marker(const char *word, struct marker *out)
{
    size_t colons = strspn(word, ":");
    const char *rest = word + colons;
    bool plus = strcmp(rest, "+") == 0;
    if ((colons != 3 && colons != 4) || (!plus && rest[0] != '\0'))
        return false;
    *out = (struct marker){.files = colons == 4, .linked = plus};
    return true;
}

void map_words_split(const struct words *words, struct map_words *out)
{
    struct marker marker;
    size_t at = 0;
    while (at < words->count && !is_marker(words->list[at], &marker))
        at++;
    *out = (struct map_words){.command = words->list, .count = at, .sources_at = at};
}

static int no_memory(void)
{
    (void)fputs("sillon map: out of memory\n", stderr);
    return STATUS_LOCAL_FAILURE;
}

/* A supply for it, in the last group or in a new one. STATUS_DONE, or why not. */
static int add_supply(struct sources *sources, const char *word, bool linked, char *const *values,
                      size_t count, char *const *file)
{
    if (linked && sources->count == 0)
        return options_refuse(&map_syntax, word, "there is no source before it to link it to");
    if (!linked) {
        struct group *groups = realloc(sources->groups, (sources->count + 1) * sizeof(*groups));
        if (groups == NULL)
            return no_memory();
        sources->groups = groups;
        groups[sources->count] = (struct group){.keeps = sources->count > 0};
        sources->count++;
    }
    struct group *group = &sources->groups[sources->count - 1];
    struct supply **supplies =
        realloc(group->supplies, (group->count + 1) * sizeof(struct supply *));
    if (supplies == NULL)
        return no_memory();
    group->supplies = supplies;
    supplies[group->count] = supply_open(&sources->format, values, count, file);
    if (supplies[group->count] != NULL) {
        group->count++;
        return STATUS_DONE;
    }
    const sil_error *error = sil_last_error();
    if (sil_error_code(error) == SIL_ENOMEM)
        return no_memory();
    const char *name = file != NULL ? *file : "";
    return options_refuse(&map_syntax, strcmp(name, "-") == 0 ? "standard input" : name, "%s",
                          sil_strerror(sil_error_code(error)));
}

/* The sources behind the command. */
static int add_words(struct sources *sources, const struct words *words, size_t at)
{
    int status = STATUS_DONE;
    while (status == STATUS_DONE && at < words->count) {
        struct marker marker = {0}, next;
        (void)is_marker(words->list[at], &marker);
        const char *word = words->list[at++];
        size_t first = at;
        while (at < words->count && !is_marker(words->list[at], &next))
            at++;
        if (!marker.files)
            status =
                add_supply(sources, word, marker.linked, words->list + first, at - first, NULL);
        else if (first == at)
            status = options_refuse(&map_syntax, word, "no file follows");
        for (size_t i = first; marker.files && status == STATUS_DONE && i < at; i++)
            status = add_supply(sources, word, marker.linked, NULL, 0, words->list + i);
    }
    return status;
}

/* Standard input can be read once. */
static bool is_read_twice(const struct map_options *options, const struct words *words, size_t at)
{
    size_t count = 0;
    for (size_t i = 0; i < options->arg_files.count; i++)
        count += strcmp(options->arg_files.list[i], "-") == 0;
    struct marker marker = {0};
    for (; at < words->count; at++)
        if (!is_marker(words->list[at], &marker))
            count += marker.files && strcmp(words->list[at], "-") == 0;
    return count > 1;
}

/* --- the format ----------------------------------------------------------------------------- */

/* A copy with \t, \n, \r, \0 and \\ replaced. */
static char *read_separator(const char *text, size_t *out_size)
{
    static const char names[] = "tnr0\\", bytes[] = "\t\n\r\0\\";
    char *separator = malloc(strlen(text) + 1);
    if (separator == NULL)
        return NULL;
    char *to = separator;
    for (; *text != '\0'; text++) {
        const char *name = text[0] == '\\' && text[1] != '\0' ? strchr(names, text[1]) : NULL;
        text += name != NULL;
        *to++ = name != NULL ? bytes[name - names] : *text;
    }
    *to = '\0';
    *out_size = (size_t)(to - separator);
    return separator;
}

static int read_format(struct sources *sources, const struct map_options *options)
{
    struct supply_format *format = &sources->format;
    *format = (struct supply_format){
        .null = options->null, .csv = options->csv, .header = options->header && !options->pipe};
    if (options->csv && options->tsv)
        return options_refuse(&map_syntax, "--tsv", "does not go together with --csv");
    if (options->csv && options->null)
        return options_refuse(&map_syntax, "--null", "does not go together with --csv");
    if (options->separator != NULL && options->tsv)
        return options_refuse(&map_syntax, "--tsv", "does not go together with a separator (-d)");
    const char *separator = options->separator;
    if (separator == NULL && (options->tsv || options->csv))
        separator = options->tsv ? "\t" : ",";
    if (separator == NULL)
        return STATUS_DONE;
    sources->separator = read_separator(separator, &format->separator_size);
    if (sources->separator == NULL)
        return no_memory();
    format->separator = sources->separator;
    if (format->separator_size == 0)
        return options_refuse(&map_syntax, separator, "a separator has one byte at least");
    if (options->csv &&
        (format->separator_size > 1 || memchr("\"\r\n", format->separator[0], 4) != NULL))
        return options_refuse(&map_syntax, separator, "cannot separate the fields of --csv");
    return STATUS_DONE;
}

/* --- together ------------------------------------------------------------------------------- */

bool sources_init(struct sources *out, const struct map_options *options, const struct words *words,
                  const struct map_words *split, int *out_status)
{
    *out = (struct sources){0};
    int status = read_format(out, options);
    if (status == STATUS_DONE && is_read_twice(options, words, split->sources_at))
        status = options_refuse(&map_syntax, "-", "standard input can be read only once");
    for (size_t i = 0; status == STATUS_DONE && i < options->arg_files.count; i++)
        status = add_supply(out, "-a", false, NULL, 0, options->arg_files.list + i);
    if (status == STATUS_DONE)
        status = add_words(out, words, split->sources_at);
    if (status == STATUS_DONE && out->count == 0)
        status = add_supply(out, "-", false, NULL, 0, only_standard_input);
    if (status == STATUS_DONE)
        return true;
    sources_fini(out);
    *out_status = status;
    return false;
}

static void group_fini(struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        supply_close(group->supplies[i]);
    free(group->supplies);
    for (size_t i = 0; i < group->kept_count; i++)
        free(group->kept[i]);
    free(group->kept);
    if (!group->keeps)
        free(group->now);
}

void sources_fini(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        group_fini(&sources->groups[i]);
    free(sources->groups);
    free(sources->separator);
    *sources = (struct sources){0};
}

/* --- rows of a group ------------------------------------------------------------------------ */

/* A row of each of those that are linked, as one. */
static int read_linked(struct group *group, struct row **out)
{
    if (group->count == 1)
        return supply_next(group->supplies[0], out);
    struct row **parts = calloc(group->count, sizeof(struct row *));
    int code = parts != NULL ? 0 : SIL_ENOMEM;
    for (size_t i = 0; code == 0 && i < group->count; i++)
        code = supply_next(group->supplies[i], &parts[i]);
    if (code == 0) {
        *out = row_join((const struct row *const *)parts, group->count);
        code = *out != NULL ? 0 : SIL_ENOMEM;
    }
    for (size_t i = 0; parts != NULL && i < group->count; i++)
        free(parts[i]);
    free(parts);
    return code == SIL_ENOMEM ? sil_fail(SIL_ENOMEM, "out of memory") : code;
}

static bool keep(struct group *group, struct row *row)
{
    if (group->kept_count == group->kept_room) {
        size_t room = group->kept_room == 0 ? 16 : 2 * group->kept_room;
        struct row **kept = realloc(group->kept, room * sizeof(struct row *));
        if (kept == NULL)
            return false;
        group->kept = kept;
        group->kept_room = room;
    }
    group->kept[group->kept_count++] = row;
    return true;
}

int group_next(struct group *group)
{
    if (!group->keeps)
        free(group->now);
    group->now = NULL;
    if (group->at < group->kept_count) {
        group->now = group->kept[group->at++];
        return 0;
    }
    if (group->complete)
        return SIL_EEND;
    struct row *row = NULL;
    int code = read_linked(group, &row);
    group->complete = code == SIL_EEND;
    if (code != 0)
        return code;
    if (group->keeps && !keep(group, row)) {
        free(row);
        return sil_fail(SIL_ENOMEM, "out of memory");
    }
    group->at += group->keeps;
    group->now = row;
    return 0;
}

void group_rewind(struct group *group)
{
    group->at = 0;
    group->now = NULL;
}

bool group_total(const struct group *group, uint64_t *out)
{
    *out = group->complete ? group->kept_count : UINT64_MAX;
    if (group->complete && group->keeps)
        return true;
    for (size_t i = 0; i < group->count; i++) {
        uint64_t total;
        if (!supply_total(group->supplies[i], &total))
            return false;
        *out = total < *out ? total : *out;
    }
    return true;
}
