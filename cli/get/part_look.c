/* SPDX-License-Identifier: MIT */
/*
 * What of a file is there already: its final name, and what an earlier run has left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "get/http_date.h"
#include "get/part.h"

/* A file may be changed twice in a second, and clocks differ (RFC 9110 8.8.2.2). */
enum { SECONDS_UNTIL_STRONG = 60, MOST_NUMBERS = 100000 };

/* --- validators ------------------------------------------------------------------------------ */

static void copy_text(char *out, size_t size, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    if (length >= size) /* half a validator is none */
        length = 0;
    memset(out, 0, size);
    for (size_t i = 0; i < length; i++)
        out[i] = text[i];
}

void part_set_validators(struct part *part, const char *etag, const char *modified)
{
    int64_t changed;
    copy_text(part->etag, sizeof(part->etag), etag);
    copy_text(part->modified, sizeof(part->modified), modified);
    part->strong_date = http_date_read(part->modified, &changed) &&
                        changed + SECONDS_UNTIL_STRONG <= (int64_t)time(NULL);
}

static bool is_strong(const char *etag)
{
    size_t size = strlen(etag);
    return size >= 2 && etag[0] == '"' && etag[size - 1] == '"'; /* a weak one begins with W/ */
}

const char *part_validator(const struct part *part)
{
    if (part->kind == PART_DEVICE)
        return "";
    return is_strong(part->etag) ? part->etag : part->strong_date ? part->modified : "";
}

bool part_can_resume(const struct part *part)
{
    return part->kind == PART_FILE && part_validator(part)[0] != '\0';
}

/* --- the final name -------------------------------------------------------------------------- */

static void fail(struct part *part, int error, enum part_step step)
{
    part_set_error(part, error, step);
}

/* A checksum says more than anything a server could. */
static void check_whole(struct part *part)
{
    struct store_found *found = part->found;
    int fd = openat(part->store->folder, part->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        found->whole = false;
        return;
    }
    int error =
        hasher_restart(part->hasher) ? hasher_feed_file(part->hasher, fd, found->size) : ENOTSUP;
    struct digest has = {.kind = DIGEST_NONE};
    found->done =
        error == 0 && hasher_end(part->hasher, &has) && strcmp(has.hex, part->expected.hex) == 0;
    found->whole = found->done;
    part->digest = has;
    (void)close(fd);
}

static void found_whole(struct part *part, const struct stat *status)
{
    struct store_found *found = part->found;
    const struct get_options *options = part->store->options;
    found->whole = true;
    found->size = (uint64_t)status->st_size;
    if (options->if_exists == IF_EXISTS_FAIL)
        fail(part, EEXIST, STEP_NAME);
    else if (options->if_exists == IF_EXISTS_SKIP)
        found->done = true;
    else if (options->if_exists == IF_EXISTS_RESUME && part->expected.kind != DIGEST_NONE)
        check_whole(part);
}

static void open_device(struct part *part)
{
    /* Not blocking, or a FIFO that nobody reads would take a thread for ever. */
    int fd = openat(part->store->folder, part->name, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        fail(part, errno, STEP_WRITE);
    part->kind = PART_DEVICE;
    part->file.fd = fd;
}

static void look_at_name(struct part *part)
{
    struct stat status;
    int folder = part->store->folder;
    if (fstatat(folder, part->name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT)
            fail(part, errno, STEP_WRITE);
        return;
    }
    /* A link that leads to a file is replaced, and that file left alone. */
    if (S_ISLNK(status.st_mode) && fstatat(folder, part->name, &status, 0) != 0)
        return;
    if (S_ISDIR(status.st_mode))
        fail(part, EEXIST, STEP_FOLDER);
    else if (S_ISREG(status.st_mode))
        found_whole(part, &status);
    else
        open_device(part);
    const struct get_options *options = part->store->options;
    if (part->found->whole && options->if_exists == IF_EXISTS_RESUME && !options->no_mtime)
        (void)http_date_write(part->found->modified, (int64_t)status.st_mtime);
}

/* The first number that is free now. */
static void choose_name(struct part *part)
{
    for (unsigned number = 1; number < MOST_NUMBERS; number++) {
        free(part->final_name);
        if (asprintf(&part->final_name, "%s.%u", part->name, number) < 0) {
            part->final_name = NULL;
            fail(part, ENOMEM, STEP_WRITE);
            return;
        }
        if (faccessat(part->store->folder, part->final_name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            return;
    }
}

/* --- what an earlier run has left ------------------------------------------------------------ */

/* opened: by the quick look, not locked; or -1. */
static void look_at_part(struct part *part, int opened)
{
    struct part_file *file = &part->file;
    struct store_found *found = part->found;
    int error = opened >= 0 ? part_file_adopt(file, opened) : part_file_open(file);
    if (error == ENOENT)
        return;
    if (error != 0) {
        fail(part, error, error == EBUSY ? STEP_LOCK : STEP_WRITE);
        return;
    }
    file->has_meta = true; /* until we know better */
    struct part_meta meta = {.url = part->url};
    if (file->size == 0 || !part_file_read_meta(file, &meta) || file->size > meta.length)
        return;
    part_set_validators(part, meta.etag, meta.modified);
    if (!part_can_resume(part)) {
        part_set_validators(part, NULL, NULL);
        return;
    }
    part->length = found->length = meta.length;
    part->size = found->resume = file->size;
    memset(found->modified, 0, sizeof(found->modified));
    if (is_strong(part->etag))
        memcpy(found->etag, part->etag, sizeof(found->etag));
    if (part->strong_date)
        memcpy(found->modified, part->modified, sizeof(found->modified));
}

void part_look(struct part *part)
{
    int opened = part->file.fd;
    part->file.fd = -1;
    look_at_name(part);
    if (part->error == 0 && part->kind == PART_FILE && !part->found->done)
        look_at_part(part, opened);
    else if (opened >= 0)
        (void)close(opened);
    if (part->error == 0 && part->found->whole &&
        part->store->options->if_exists == IF_EXISTS_RENAME)
        choose_name(part);
}

bool part_look_quickly(struct part *part, struct store_found *found)
{
    struct stat status;
    int folder = part->store->folder;
    if (fstatat(folder, part->name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        found->done = S_ISREG(status.st_mode) && part->store->options->if_exists == IF_EXISTS_SKIP;
        found->whole = found->done;
        found->size = found->done ? (uint64_t)status.st_size : 0;
        return found->done;
    }
    if (errno != ENOENT)
        return false;
    part->file.fd = openat(folder, part->file.part_name,
                           O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return part->file.fd < 0 && errno == ENOENT;
}
