/* SPDX-License-Identifier: MIT */
/*
 * A part's last job: checked and given its name, or cleaned away.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "get/part.h"

enum { MOST_NUMBERS = 100000 };

static enum part_verdict failed(struct part *part, int error, enum part_step step)
{
    part_set_error(part, error, step);
    return PART_NOT_WRITTEN;
}

static enum part_verdict check(struct part *part)
{
    if (part_error(part) != 0 || part_prepare(part, true) != 0)
        return PART_NOT_WRITTEN;
    if (part->length != STORE_UNKNOWN && part->size != part->length)
        return PART_WRONG_LENGTH;
    if (part->kind == PART_FILE && part->file.size != part->size)
        return failed(part, EIO, STEP_WRITE);
    if (part->hashes == DIGEST_NONE)
        return PART_GOOD;
    if ((part->hashed == 0 && !hasher_restart(part->hasher)) || part->hashed != part->size ||
        !hasher_end(part->hasher, &part->digest))
        return failed(part, ENOTSUP, STEP_DIGEST);
    bool same =
        part->expected.kind == DIGEST_NONE || strcmp(part->digest.hex, part->expected.hex) == 0;
    return same ? PART_GOOD : PART_WRONG_CHECKSUM;
}

/* --- the name -------------------------------------------------------------------------------- */

/* NAME, or if that is taken NAME.1 and so on. */
static int rename_numbered(struct part *part)
{
    int error = part->final_name == NULL ? part_file_rename(&part->file, part->name, false)
                                         : part_file_rename(&part->file, part->final_name, false);
    for (unsigned number = 1; error == EEXIST && number < MOST_NUMBERS; number++) {
        free(part->final_name);
        if (asprintf(&part->final_name, "%s.%u", part->name, number) < 0) {
            part->final_name = NULL;
            return ENOMEM;
        }
        error = part_file_rename(&part->file, part->final_name, false);
    }
    return error;
}

static int give_name(struct part *part)
{
    int if_exists = part->store->options->if_exists;
    if (if_exists == IF_EXISTS_RENAME)
        return rename_numbered(part);
    return part_file_rename(&part->file, part->name,
                            if_exists == IF_EXISTS_REPLACE || if_exists == IF_EXISTS_RESUME);
}

static enum part_verdict finish_file(struct part *part)
{
    const struct get_options *options = part->store->options;
    struct part_file *file = &part->file;
    if (part->changed >= 0 && !options->no_mtime) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)part->changed}};
        (void)futimens(file->fd, times); /* a time is no reason to fail */
    }
    int error = part_file_flush(file, options->fsync);
    if (error != 0)
        return failed(part, error, STEP_WRITE);
    error = give_name(part);
    if (error != 0)
        return failed(part, error, error == EEXIST ? STEP_NAME : STEP_WRITE);
    part->named = true;
    if (file->has_meta)
        (void)unlinkat(file->folder, file->meta_name, 0);
    if (options->fsync)
        error =
            part_file_sync_folders(file, part->final_name == NULL ? part->name : part->final_name);
    return error == 0 ? PART_GOOD : failed(part, error, STEP_WRITE);
}

/* Is what is there of use to a later run? */
static bool is_worth_keeping(const struct part *part)
{
    return part->file.has_meta && part->file.size > 0 && !(part->cut && part->from == 0) &&
           part_can_resume(part);
}

void part_finish(struct part *part)
{
    part->verdict = check(part);
    if (part->verdict == PART_GOOD && part->kind == PART_FILE)
        part->verdict = finish_file(part);
    part->keep = part->verdict == PART_NOT_WRITTEN ||
                 (part->verdict == PART_WRONG_LENGTH && part->size < part->length);
    part_clean_up(part);
}

void part_clean_up(struct part *part)
{
    if (part->file.fd < 0)
        return;
    if (part->kind == PART_FILE)
        part_file_close(&part->file, !part->named && !(part->keep && is_worth_keeping(part)));
    else
        (void)close(part->file.fd);
    part->file.fd = -1;
}
