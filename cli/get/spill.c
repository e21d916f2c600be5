/* SPDX-License-Identifier: MIT */
/*
 * The spill, see spill.h.
 */
#include "get/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/status.h>

enum { MOST_TRIES = 100 };

/* File systems that know no files without names: one whose name is gone at once. */
static int open_named(struct spill *spill, const char *folder)
{
    static unsigned count;
    char path[4200];
    for (int i = 0; i < MOST_TRIES; i++) {
        (void)snprintf(path, sizeof(path), "%s/.sillon-%ld-%u~", folder, (long)getpid(), count++);
        spill->file = sil_file_open(path, O_CREAT | O_EXCL | O_RDWR, 0600, SIL_FOREVER);
        if (spill->file != NULL) {
            (void)unlink(path);
            return 0;
        }
        if (sil_error_code(sil_last_error()) != EEXIST)
            break;
    }
    return sil_error_code(sil_last_error());
}

static int open_in(struct spill *spill, const char *folder)
{
    spill->file = sil_file_open(folder, O_TMPFILE | O_RDWR, 0600, SIL_FOREVER);
    if (spill->file != NULL)
        return 0;
    int code = sil_error_code(sil_last_error());
    return code == EOPNOTSUPP || code == EISDIR || code == EINVAL ? open_named(spill, folder)
                                                                  : code;
}

static int look_for_place(const struct spill *spill, uint64_t left)
{
    struct statvfs status;
    if (fstatvfs(sil_file_descriptor(spill->file), &status) != 0)
        return 0; /* it will show */
    uint64_t ahead = spill->room < left ? spill->room : left;
    return (left + ahead) / status.f_frsize < status.f_bavail ? 0 : ENOSPC;
}

int spill_open(struct spill *spill, const char *folder, const char *name, uint64_t room,
               uint64_t left)
{
    char path[4096];
    const char *slash = strrchr(name, '/');
    int before = slash == NULL ? 0 : (int)(slash - name) + 1;
    *spill = (struct spill){.room = room};
    int length = name[0] == '/' ? snprintf(path, sizeof(path), "%.*s", before, name)
                                : snprintf(path, sizeof(path), "%s/%.*s", folder, before, name);
    if (length < 0 || (size_t)length >= sizeof(path))
        return ENAMETOOLONG;
    int code = open_in(spill, path);
    if (code == ENOENT && slash != NULL) /* folders in the name may not be there yet */
        code = open_in(spill, folder);
    if (code == 0)
        code = look_for_place(spill, left);
    if (code != 0)
        spill_close(spill);
    return code;
}

void spill_close(struct spill *spill)
{
    if (spill->file != NULL)
        (void)sil_file_close(spill->file);
    spill->file = NULL;
}

/* How many of them lie behind each other, from *out_place on. */
static size_t piece_of(const struct spill *spill, uint64_t at, size_t size, uint64_t *out_place)
{
    *out_place = at % spill->room;
    uint64_t behind = spill->room - *out_place;
    return size < behind ? size : (size_t)behind;
}

int spill_write(struct spill *spill, uint64_t at, const char *bytes, size_t size)
{
    int code = 0;
    while (size > 0 && code == 0) {
        uint64_t place;
        size_t piece = piece_of(spill, at, size, &place);
        code = sil_file_write_at(spill->file, bytes, piece, place, SIL_FOREVER);
        at += piece;
        bytes += piece;
        size -= piece;
    }
    return code;
}

int spill_read(struct spill *spill, uint64_t at, char *bytes, size_t size)
{
    int code = 0;
    while (size > 0 && code == 0) {
        uint64_t place;
        size_t got = 0, piece = piece_of(spill, at, size, &place);
        code = sil_file_read_at(spill->file, bytes, piece, place, &got, SIL_FOREVER);
        if (code == 0 && got < piece)
            code = sil_fail(EIO, "what was put aside of a file is no longer there");
        at += piece;
        bytes += piece;
        size -= piece;
    }
    return code;
}
