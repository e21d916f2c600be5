/* SPDX-License-Identifier: MIT */
/*
 * NAME.part.meta, see part_file.h: a few lines of text, of which the last says that it is all.
 *
 *     sillon-part 1
 *     length 2147483648
 *     etag "5f3a"
 *     modified Sun, 06 Nov 1994 08:49:37 GMT
 *     url https://example.org/a.iso
 *     end
 *
 * Readable by its owner alone: a URL may hold a key.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "get/part_file.h"
#include "get/store.h"
#include "text/units.h"

#define FIRST_LINE "sillon-part 1"

enum { LONGEST_META = 64 * 1024 };

static bool is_one_line(const char *text)
{
    return strpbrk(text, "\r\n") == NULL;
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

static int create_with(struct part_file *file, const char *text, size_t size)
{
    int fd = openat(file->folder, file->meta_name,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    file->has_meta = true;
    int error = write_all(fd, text, size);
    return close(fd) == 0 || error != 0 ? error : errno;
}

int part_file_write_meta(struct part_file *file, const struct part_meta *meta)
{
    if (!is_one_line(meta->url) || !is_one_line(meta->etag) || !is_one_line(meta->modified))
        return 0;
    char length[24] = "unknown";
    if (meta->length != STORE_UNKNOWN)
        (void)snprintf(length, sizeof(length), "%" PRIu64, meta->length);
    char *text;
    int size = asprintf(&text, FIRST_LINE "\nlength %s\netag %s\nmodified %s\nurl %s\nend\n",
                        length, meta->etag, meta->modified, meta->url);
    if (size < 0)
        return ENOMEM;
    int error = 0;
    if (size < LONGEST_META) {
        /* Not the one that may be there: that could be a link to another file. */
        if (unlinkat(file->folder, file->meta_name, 0) != 0 && errno != ENOENT)
            error = errno;
        if (error == 0)
            error = create_with(file, text, (size_t)size);
    }
    free(text);
    return error;
}

/* --- reading --------------------------------------------------------------------------------- */

/* free(); NULL: there is none that can be read. */
static char *read_text(const struct part_file *file)
{
    int fd = openat(file->folder, file->meta_name,
                    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char *text = fd < 0 ? NULL : malloc(LONGEST_META);
    size_t used = 0;
    ssize_t got = text == NULL ? -1 : 1;
    while (got > 0 && used < LONGEST_META - 1) {
        got = read(fd, text + used, LONGEST_META - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        (void)close(fd);
    if (got != 0) {
        free(text);
        return NULL;
    }
    text[used] = '\0';
    return strlen(text) == used ? text : (free(text), NULL);
}

/* The value of the next line, which must be of that name and have an end; NULL: it is not. */
static char *next_value(char **text, const char *name)
{
    char *line = *text, *end = strchr(line, '\n');
    size_t size = strlen(name);
    if (end == NULL || strncmp(line, name, size) != 0)
        return NULL;
    *end = '\0';
    *text = end + 1;
    return line + size;
}

static bool take(char *out, size_t size, const char *value)
{
    return value != NULL && (size_t)snprintf(out, size, "%s", value) < size;
}

static bool parse(char *text, struct part_meta *meta)
{
    const char *first = next_value(&text, FIRST_LINE);
    const char *length = next_value(&text, "length ");
    if (first == NULL || *first != '\0' || length == NULL)
        return false;
    if (strcmp(length, "unknown") == 0)
        meta->length = STORE_UNKNOWN;
    else if (!unit_read_number(length, 0, STORE_UNKNOWN - 1, &meta->length))
        return false;
    if (!take(meta->etag, sizeof(meta->etag), next_value(&text, "etag ")) ||
        !take(meta->modified, sizeof(meta->modified), next_value(&text, "modified ")))
        return false;
    const char *url = next_value(&text, "url ");
    return url != NULL && strcmp(url, meta->url) == 0 && strcmp(text, "end\n") == 0;
}

bool part_file_read_meta(const struct part_file *file, struct part_meta *meta)
{
    char *text = read_text(file);
    bool good = text != NULL && parse(text, meta);
    free(text);
    return good;
}
