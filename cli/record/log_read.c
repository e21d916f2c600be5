/* SPDX-License-Identifier: MIT */
/*
 * Reading a log, see log_read.h.
 */
#include "record/log_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/joblog.h"

enum {
    BLOCK = 1 << 16,
    LONGEST = 1 << 26, /* a longer line is not ours: one that is no log has no line ends, perhaps */
};

/* --- a line of JSON ------------------------------------------------------------------------- */

static bool is_key(const char *text, size_t size, const char *key)
{
    return size == strlen(key) && memcmp(text, key, size) == 0;
}

static bool before_of(const char *status, size_t size, enum record_before *out)
{
    static const struct {
        const char *status;
        enum record_before before;
    } known[] = {
        {"ok", BEFORE_OK},          {"skipped", BEFORE_OK},    {"failed", BEFORE_FAILED},
        {"timeout", BEFORE_FAILED}, {"killed", BEFORE_FAILED}, {"stopped", BEFORE_NOTHING},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (is_key(status, size, known[i].status)) {
            *out = known[i].before;
            return true;
        }
    }
    return false;
}

/* The quote that ends a string; from: behind the one that opens it. NULL: it has no end. */
static const char *string_end(const char *from, const char *end)
{
    for (const char *at = from; (at = memchr(at, '"', (size_t)(end - at))) != NULL; at++) {
        size_t slashes = 0;
        while (at - slashes > from && at[-(ptrdiff_t)slashes - 1] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return at;
    }
    return NULL;
}

static bool is_before_colon(const char *at, const char *end)
{
    while (at < end && *at == ' ')
        at++;
    return at < end && *at == ':';
}

struct member {
    const char *value; /* NULL: there is none that is a string */
    size_t size;
};

/*
 * The two members of an object, by counting brackets and passing over strings: a parser takes 20
 * times as long, which is seconds for a log of a million lines. Of a line that is broken off the
 * brackets stay open.
 */
static bool find_members(const char *line, size_t size, struct member *id, struct member *status)
{
    const char *end = line + size;
    struct member *wanted = NULL;
    int depth = 0;
    for (const char *at = line; at < end; at++) {
        if (depth == 0 && (at != line || *at != '{'))
            return false;
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        if (depth == 0)
            return at + 1 == end;
        if (*at != '"')
            continue;
        const char *text = at + 1;
        at = string_end(text, end);
        if (at == NULL)
            return false;
        size_t length = (size_t)(at - text);
        if (depth == 1 && is_before_colon(at + 1, end)) {
            wanted = is_key(text, length, "id") ? id : NULL;
            if (is_key(text, length, "status"))
                wanted = status;
        } else if (depth == 1 && wanted != NULL) {
            *wanted = (struct member){text, length};
            wanted = NULL;
        }
    }
    return false;
}

bool log_read_object(const char *line, size_t size, struct identity *out_identity,
                     enum record_before *out_before)
{
    struct member id = {0}, status = {0};
    return find_members(line, size, &id, &status) && id.value != NULL && status.value != NULL &&
           identity_read(id.value, id.size, out_identity) &&
           before_of(status.value, status.size, out_before);
}

/* --- lines ---------------------------------------------------------------------------------- */

struct reader {
    bool tsv;
    struct identity_table *table;
    char *rest; /* the beginning of a line whose end has not been read */
    size_t rest_size, rest_room;
    bool too_long; /* that line is: what is read of it is dropped */
};

static int take_line(struct reader *reader, char *line, size_t size)
{
    struct identity identity;
    enum record_before before;
    bool found = reader->tsv ? joblog_read(line, size, &identity, &before)
                             : log_read_object(line, size, &identity, &before);
    return !found || identity_table_set(reader->table, identity, before) ? 0 : ENOMEM;
}

static int keep(struct reader *reader, const char *part, size_t size)
{
    if (reader->too_long || size > LONGEST - reader->rest_size) {
        reader->too_long = true;
        return 0;
    }
    if (reader->rest == NULL || reader->rest_size + size > reader->rest_room) {
        size_t room = 2 * (reader->rest_size + size);
        char *grown = realloc(reader->rest, room);
        if (grown == NULL)
            return ENOMEM;
        reader->rest = grown;
        reader->rest_room = room;
    }
    memcpy(reader->rest + reader->rest_size, part, size);
    reader->rest_size += size;
    return 0;
}

static int take_block(struct reader *reader, char *block, size_t size)
{
    char *at = block, *end = block + size, *feed;
    int error = 0;
    while (error == 0 && (feed = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (reader->rest_size == 0 && !reader->too_long) {
            error = take_line(reader, at, (size_t)(feed - at));
        } else {
            error = keep(reader, at, (size_t)(feed - at));
            if (error == 0 && !reader->too_long)
                error = take_line(reader, reader->rest, reader->rest_size);
            reader->rest_size = 0;
            reader->too_long = false;
        }
        at = feed + 1;
    }
    return error == 0 && at < end ? keep(reader, at, (size_t)(end - at)) : error;
}

static int read_lines(struct reader *reader, int fd)
{
    char *block = malloc(BLOCK);
    if (block == NULL)
        return ENOMEM;
    int error = 0;
    for (;;) {
        ssize_t got = read(fd, block, BLOCK);
        if (got > 0)
            error = take_block(reader, block, (size_t)got);
        else if (got < 0 && errno != EINTR)
            error = errno;
        if (got == 0 || error != 0)
            break;
    }
    /* A last line without an end is whole if it is an object, but a joblog's may lack a part. */
    if (error == 0 && reader->rest_size > 0 && !reader->too_long && !reader->tsv)
        error = take_line(reader, reader->rest, reader->rest_size);
    free(block);
    free(reader->rest);
    return error;
}

int log_read(const char *path, bool tsv, struct identity_table *table)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return errno == ENOENT ? 0 : errno;
    if (!S_ISREG(about.st_mode))
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = read_lines(&(struct reader){.tsv = tsv, .table = table}, fd);
    (void)close(fd);
    return error;
}
