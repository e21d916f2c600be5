/* SPDX-License-Identifier: MIT */
/*
 * Lines, see lines.h.
 */
#include "input/lines.h"

#include <stdlib.h>
#include <string.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "input/source.h"

struct lines {
    struct lines_plan plan;
    struct source **sources; /* one for each file */
    size_t next_word;
    size_t now;      /* which source is read */
    uint64_t number; /* of the line in it */
    uint64_t given;
    uint64_t total;  /* 0: not known */
    size_t searched; /* so many bytes of the line that is being read have no end in them */
    bool skipping;   /* in a line that was too long, and was given already */
    bool stopped;
};

static const char white_space[] = " \t\r\v\f";

struct lines *lines_create(const struct lines_plan *plan)
{
    struct lines *lines = calloc(1, sizeof(*lines));
    struct source **sources = calloc(plan->file_count + 1, sizeof(*sources));
    if (lines == NULL || sources == NULL) {
        free(sources);
        free(lines);
        (void)sil_fail(SIL_ENOMEM, "out of memory");
        return NULL;
    }
    *lines = (struct lines){.plan = *plan, .sources = sources};
    for (size_t i = 0; i < plan->file_count; i++) {
        sources[i] = source_open(plan->files[i]);
        if (sources[i] == NULL) {
            lines_destroy(lines);
            return NULL;
        }
    }
    if (plan->file_count == 0)
        lines->total = plan->word_count;
    return lines;
}

void lines_destroy(struct lines *lines)
{
    if (lines == NULL)
        return;
    for (size_t i = 0; i < lines->plan.file_count; i++)
        source_close(lines->sources[i]);
    free(lines->sources);
    free(lines);
}

/* Without the blanks around it, and without the mark that some editors begin a file with. */
static void trim(struct line *line)
{
    if (line->number == 1 && line->size >= 3 && memcmp(line->text, "\xef\xbb\xbf", 3) == 0) {
        line->text += 3;
        line->size -= 3;
    }
    while (line->size > 0 && strchr(white_space, line->text[line->size - 1]) != NULL &&
           line->text[line->size - 1] != '\0')
        line->size--;
    line->text[line->size] = '\0';
    size_t blanks = strspn(line->text, white_space);
    line->text += blanks;
    line->size -= blanks;
}

/* Make a line of so many bytes, with a delimiter behind them or the end. false: it is left out. */
static bool cut(struct lines *lines, struct source *source, size_t size, bool delimited,
                struct line *out)
{
    bool rest = lines->skipping;
    lines->skipping = !delimited && size > LINE_LONGEST;
    lines->searched = 0;
    *out = (struct line){
        .text = source->bytes + source->at,
        .size = size < LINE_LONGEST ? size : LINE_LONGEST,
        .file = source->name,
    };
    source_take(source, size + delimited);
    if (rest)
        return false;
    out->number = ++lines->number;
    out->text[out->size] = '\0';
    if (size > LINE_LONGEST)
        out->reason = "the line is too long";
    else if (!lines->plan.null && memchr(out->text, '\0', out->size) != NULL)
        out->reason = "the line has a zero byte";
    if (!lines->plan.skip)
        return true;
    trim(out);
    return out->reason != NULL || (out->size > 0 && out->text[0] != '#');
}

/* How many lines are still in a source of which all has been read. */
static uint64_t count_left(const struct lines *lines, const struct source *source)
{
    char end = lines->plan.null ? '\0' : '\n';
    const char *at = source->bytes + source->at, *last = source->bytes + source->used;
    uint64_t count = 0;
    for (const char *found; at < last && (found = memchr(at, end, (size_t)(last - at))) != NULL;
         at = found + 1)
        count++;
    return count + (at < last);
}

/* The last file was read to its end: now it is known, if no line has to be looked at for it. */
static void learn_total(struct lines *lines, const struct source *source)
{
    bool last = lines->now + 1 == lines->plan.file_count;
    if (source->ended && last && !lines->plan.skip && !lines->skipping && lines->total == 0)
        lines->total = lines->given + count_left(lines, source);
}

/* The next line of the present source. 0; SIL_EEND it has no more; else why not. */
static int next_of(struct lines *lines, struct source *source, struct line *out)
{
    char end = lines->plan.null ? '\0' : '\n';
    for (;;) {
        size_t left = source->used - source->at;
        const char *found = NULL;
        if (left > lines->searched)
            found =
                memchr(source->bytes + source->at + lines->searched, end, left - lines->searched);
        lines->searched = left;
        if (found != NULL || (source->ended && left > 0) || left > LINE_LONGEST) {
            size_t size = found != NULL ? (size_t)(found - source->bytes) - source->at : left;
            if (cut(lines, source, size, found != NULL, out))
                return 0;
            continue;
        }
        int code = source_more(source);
        if (code != 0 && code != SIL_EEND)
            return code;
        learn_total(lines, source);
        if (code == SIL_EEND && source->used == source->at)
            return SIL_EEND;
    }
}

static int next_line(struct lines *lines, struct line *out)
{
    while (lines->now < lines->plan.file_count) {
        int code = next_of(lines, lines->sources[lines->now], out);
        if (code != SIL_EEND)
            return code;
        source_close(lines->sources[lines->now]);
        lines->sources[lines->now++] = NULL;
        lines->number = 0;
        lines->searched = 0;
        lines->skipping = false;
    }
    lines->total = lines->given;
    return SIL_EEND;
}

int lines_next(struct lines *lines, struct line *out)
{
    if (lines->stopped)
        return SIL_ECANCELLED;
    int code = 0;
    if (lines->next_word < lines->plan.word_count) {
        char *word = lines->plan.words[lines->next_word++];
        *out = (struct line){.text = word, .size = strlen(word)};
    } else {
        code = next_line(lines, out);
    }
    lines->given += code == 0;
    return code;
}

void lines_stop(struct lines *lines)
{
    lines->stopped = true;
    for (size_t i = lines->now; i < lines->plan.file_count; i++)
        source_stop(lines->sources[i]);
}

uint64_t lines_total(const struct lines *lines)
{
    return lines->total;
}
