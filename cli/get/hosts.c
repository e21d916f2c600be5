/* SPDX-License-Identifier: MIT */
/*
 * Hosts, see hosts.h.
 */
#include "get/hosts.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/deadline.h>

static int compare(const void *a, const void *b)
{
    const struct host *left = a, *right = b;
    return strcmp(left->origin, right->origin);
}

struct host *hosts_find(struct hosts *hosts, const char *origin)
{
    size_t size = strlen(origin) + 1;
    struct host *fresh = calloc(1, sizeof(*fresh) + size);
    if (fresh == NULL)
        return NULL;
    memcpy(fresh->origin, origin, size);
    struct host **found = tsearch(fresh, &hosts->tree, compare);
    if (found == NULL || *found != fresh) {
        free(fresh);
        return found == NULL ? NULL : *found;
    }
    fresh->group.limit = fresh->most = hosts->limit;
    fresh->group.rate = hosts->rate;
    fresh->number = ++hosts->count;
    return fresh;
}

/* --- those that have too much to do --------------------------------------------------------- */

/* One URL may be out of service alone; so many in a row say that it is the host. */
enum { OVERLOADS_OF_HOST = 3, TOO_MANY_REQUESTS = 429 };

void host_is_overloaded(struct host *host, int status, double wait, int64_t started_at)
{
    int64_t peace = sil_in(wait);
    host->overloads++;
    host->well = 0;
    if ((status == TOO_MANY_REQUESTS || host->overloads >= OVERLOADS_OF_HOST) && wait > 0 &&
        peace > host->group.not_before)
        host->group.not_before = peace;
    /* Requests that were under way together count as one. */
    if (host->shares || started_at < host->cut_at)
        return;
    host->group.limit = (host->group.limit + 1) / 2;
    host->cut_at = sil_clock();
}

bool host_is_well(struct host *host)
{
    host->overloads = 0;
    if (host->shares || host->group.limit >= host->most || ++host->well < host->group.limit)
        return false;
    host->well = 0;
    host->group.limit++;
    return true;
}

void hosts_fini(struct hosts *hosts)
{
    tdestroy(hosts->tree, free);
    hosts->tree = NULL;
}
