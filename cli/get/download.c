/* SPDX-License-Identifier: MIT */
/*
 * One URL into one file, see download.h.
 */
#include "get/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sillon/deadline.h>
#include <sillon/error.h>

#include "fetch/fetch.h"
#include "get/part_file.h"

struct download *download_create(const struct download_place *place, const char *name, char *url,
                                 const char *shown_url)
{
    struct download *download = malloc(sizeof(*download));
    char *shown = strdup(shown_url);
    if (download == NULL || shown == NULL) {
        free(download);
        free(shown);
        free(url);
        return NULL;
    }
    *download = (struct download){.place = place, .name = name, .url = url, .shown_url = shown};
    return download;
}

void download_destroy(struct download *download)
{
    if (download == NULL)
        return;
    free(download->url);
    free(download->shown_url);
    free(download);
}

static int sink_restart(void *state)
{
    return part_file_restart(state);
}

static int sink_write(void *state, const char *bytes, size_t count)
{
    return part_file_write(state, bytes, count);
}

static int fail_because_it_exists(const struct download *download)
{
    return sil_fail(EEXIST, "%s is there already", download->name);
}

static int fetch_into_file(const struct download *download, struct download_result *out)
{
    const struct download_place *place = download->place;
    struct part_file file;
    int code = part_file_open(&file, place->folder, download->name);
    if (code != 0)
        return code;
    struct fetch_sink sink = {.restart = sink_restart, .write = sink_write, .state = &file};
    code = fetch(place->client, download->url, &sink);
    if (code == 0)
        code = part_file_commit(&file, place->if_exists == IF_EXISTS_REPLACE);
    part_file_close(&file);
    if (code == EEXIST && place->if_exists == IF_EXISTS_SKIP) {
        out->skipped = true; /* another program was faster */
        return 0;
    }
    out->bytes = file.size;
    return code;
}

int download_task(void *arg, void *result)
{
    const struct download *download = *(struct download **)arg;
    struct download_result *out = result;
    int64_t started = sil_clock();
    struct stat about;
    bool exists =
        fstatat(download->place->folder, download->name, &about, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && S_ISDIR(about.st_mode))
        return sil_fail(EISDIR, "%s is a folder", download->name);
    if (exists && download->place->if_exists == IF_EXISTS_FAIL)
        return fail_because_it_exists(download);

    int code = 0;
    out->skipped = exists && download->place->if_exists == IF_EXISTS_SKIP;
    if (!out->skipped)
        code = fetch_into_file(download, out);
    out->seconds = (double)(sil_clock() - started) / 1e9;
    return code;
}
