/* SPDX-License-Identifier: MIT */
/*
 * Items, one after the other, see urls.h: lines (input/lines.h), patterns, names, checksums.
 */
#include "get/urls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "command.h"
#include "get/glob.h"
#include "get/sums.h"
#include "input/lines.h"
#include "text/harmless.h"

struct urls {
    const struct get_options *options;
    const struct words *words;
    struct names *names;
    struct sums *sums; /* --sums; NULL */
    struct lines *lines;
    struct glob glob;  /* a pattern not used up */
    char *glob_line;   /* owned: the line it stands in; NULL: there is none */
    uint64_t patterns; /* items that lines have more than one of, so far */
    uint64_t line_count;
    bool name_only; /* just looking */
    char error[256];
};

/* --- lines and patterns -------------------------------------------------------------------- */

static struct lines_plan plan_of(const struct get_options *options, const struct words *words)
{
    return (struct lines_plan){.words = words->list,
                               .word_count = words->count,
                               .files = options->input_files.list,
                               .file_count = options->input_files.count,
                               .null = options->null,
                               .skip = true};
}

/* The item of a line, or the first of its pattern. NULL: out of memory. */
static struct get_item *begin_line(struct urls *urls, const struct line *line)
{
    bool jsonl = urls->options->input_format == INPUT_JSONL && line->file != NULL;
    struct get_item *item = NULL;
    if (!urls->options->glob || jsonl || line->reason != NULL) {
        item = item_from_line(line->text, line->size, jsonl, urls->name_only);
        if (item != NULL && line->reason != NULL)
            item_refuse(item, line->reason);
        return item;
    }
    char *pattern = strdup(line->text);
    if (pattern == NULL)
        return NULL;
    const char *wrong = glob_parse(pattern, &urls->glob);
    if (wrong == NULL) {
        urls->glob_line = pattern; /* glob_next has it */
        return NULL;
    }
    free(pattern);
    item = item_from_line(line->text, line->size, false, urls->name_only);
    if (item != NULL)
        item_refuse(item, wrong);
    return item;
}

/* The next of a pattern that is not used up; NULL: there is none. */
static struct get_item *next_of_glob(struct urls *urls)
{
    char *text = urls->glob_line != NULL ? glob_next(&urls->glob) : NULL;
    if (text == NULL) {
        free(urls->glob_line);
        urls->glob_line = NULL;
        return NULL;
    }
    urls->patterns++;
    struct get_item *item = item_from_line(text, strlen(text), false, urls->name_only);
    free(text);
    return item;
}

/* 0, SIL_EEND, or why reading ended. *out: the item, without its name. */
static int next_bare(struct urls *urls, struct get_item **out)
{
    struct line line;
    *out = next_of_glob(urls);
    while (*out == NULL) {
        int code = lines_next(urls->lines, &line);
        if (code != 0)
            return code;
        urls->line_count++;
        *out = begin_line(urls, &line);
        if (*out == NULL)
            *out = next_of_glob(urls);
        if (*out == NULL && urls->glob_line == NULL)
            return sil_fail(SIL_ENOMEM, "out of memory");
        if (line.file == NULL && urls->line_count <= urls->options->checksums.count &&
            !urls->options->glob)
            (void)digest_read(urls->options->checksums.list[urls->line_count - 1],
                              &(*out)->expected);
    }
    return 0;
}

/* --- names --------------------------------------------------------------------------------- */

/* The name that an item asks for, owned; NULL: out of memory, or it is refused. */
static char *wanted_name(const struct get_options *options, struct get_item *item)
{
    if (options->output != NULL)
        return strdup(options->output);
    if (item->name != NULL)
        return name_given(item->name);
    return options->tree ? name_of_tree(item->url.host, item->url.path)
                         : name_of_url(item->url.path);
}

static void claim(struct urls *urls, struct names *names, struct get_item *item)
{
    const struct get_options *options = urls->options;
    char *name = wanted_name(options, item);
    if (name == NULL) {
        item_refuse(item,
                    item->name != NULL ? "the name leads out of the folder" : "out of memory");
        return;
    }
    free(item->name);
    item->name = name;
    const char *owner = NULL;
    if (options->output != NULL)
        return;
    if (options->if_exists == IF_EXISTS_RENAME) {
        item->name = names_claim_numbered(names, name, item->url.shown);
        free(name);
        if (item->name == NULL)
            item_refuse(item, "out of memory");
        return;
    }
    if (names_claim(names, name, item->url.shown, &owner))
        return;
    char why[512], shown[256];
    (void)snprintf(why, sizeof(why), "its name, %s, is that of %s",
                   harmless(shown, sizeof(shown), name), owner != NULL ? owner : "another one");
    item_refuse(item, why);
}

static bool set_identity(struct get_item *item)
{
    size_t size = strlen(item->url.text) + strlen(item->name) + 2;
    item->identity = malloc(size);
    if (item->identity == NULL)
        return false;
    (void)snprintf(item->identity, size, "%s\t%s", item->url.text, item->name);
    return true;
}

struct get_item *urls_next(struct urls *urls)
{
    struct get_item *item = NULL;
    int code = next_bare(urls, &item);
    if (code != 0) {
        if (code != SIL_EEND && code != SIL_ECANCELLED)
            (void)snprintf(urls->error, sizeof(urls->error), "%s",
                           sil_error_message(sil_last_error()));
        return NULL;
    }
    if (item->refused == NULL)
        claim(urls, urls->names, item);
    if (item->refused == NULL && !set_identity(item))
        item_refuse(item, "out of memory");
    if (item->refused == NULL && urls->sums != NULL && item->expected.kind == DIGEST_NONE)
        sums_find(urls->sums, item->name, &item->expected);
    return item;
}

/* --- looking at all of it beforehand ------------------------------------------------------- */

static bool can_be_read_twice(const struct get_options *options)
{
    struct stat about;
    for (size_t i = 0; i < options->input_files.count; i++) {
        const char *file = options->input_files.list[i];
        if (strcmp(file, "-") == 0 || stat(file, &about) != 0 || !S_ISREG(about.st_mode))
            return false;
    }
    return true;
}

/* STATUS_DONE, or how to end. @param quick  takes all for URLs: a clash may be none, and is not told. */
static int look_for_clash(const struct urls *urls, bool quick)
{
    int status = 0;
    struct lines_plan plan = plan_of(urls->options, urls->words);
    struct urls look = {.options = urls->options, .words = urls->words, .name_only = quick};
    look.names = names_create();
    if (look.names != NULL && urls->options->part_suffix != NULL)
        names_set_suffix(look.names, urls->options->part_suffix);
    look.lines = look.names != NULL ? lines_create(&plan) : NULL;
    struct get_item *item = NULL;
    while (look.lines != NULL && status == 0 && next_bare(&look, &item) == 0) {
        if (item->refused == NULL) {
            claim(&look, look.names, item);
            if (item->refused != NULL)
                status = quick ? STATUS_BAD_USAGE
                               : options_refuse(&get_syntax, item->url.shown, "%s", item->refused);
        }
        item_destroy(item);
    }
    lines_destroy(look.lines);
    names_destroy(look.names);
    free(look.glob_line);
    return status;
}

static int find_clashes(const struct urls *urls)
{
    bool quick = !urls->options->tree; /* whose names have the host in them */
    int status = look_for_clash(urls, quick);
    return quick && status != 0 ? look_for_clash(urls, false) : status;
}

/* --- opening ------------------------------------------------------------------------------- */

struct urls *urls_open(const struct get_options *options, const struct words *words,
                       struct names *names, int *out_status)
{
    struct urls *urls = calloc(1, sizeof(*urls));
    *out_status = 5;
    if (urls == NULL) {
        (void)fprintf(stderr, "sillon get: out of memory\n");
        return NULL;
    }
    *urls = (struct urls){.options = options, .words = words, .names = names};
    if (options->part_suffix != NULL)
        names_set_suffix(names, options->part_suffix);
    struct lines_plan plan = plan_of(options, words);
    urls->lines = lines_create(&plan);
    if (urls->lines == NULL) {
        *out_status = options_refuse(&get_syntax, "-i", "%s", sil_error_message(sil_last_error()));
        goto fail;
    }
    if (options->sums != NULL && (urls->sums = sums_open(options->sums)) == NULL) {
        *out_status =
            options_refuse(&get_syntax, "--sums", "%s", sil_error_message(sil_last_error()));
        goto fail;
    }
    if (options->output == NULL && !options->glob && can_be_read_twice(options) &&
        (*out_status = find_clashes(urls)) != 0)
        goto fail;
    return urls;
fail:
    urls_destroy(urls);
    return NULL;
}

void urls_destroy(struct urls *urls)
{
    if (urls == NULL)
        return;
    lines_destroy(urls->lines);
    sums_destroy(urls->sums);
    free(urls->glob_line);
    free(urls);
}

void urls_stop(struct urls *urls)
{
    lines_stop(urls->lines);
}

uint64_t urls_total(const struct urls *urls)
{
    return urls->options->glob ? 0 : lines_total(urls->lines);
}

const char *urls_error(const struct urls *urls)
{
    return urls->error[0] != '\0' ? urls->error : NULL;
}
