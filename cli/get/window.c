/* SPDX-License-Identifier: MIT */
/*
 * Downloads under way, see window.h.
 */
#include "get/window.h"

#include <stdlib.h>

#include <sillon/wait.h>

bool window_init(struct window *window, size_t capacity)
{
    *window = (struct window){.capacity = capacity};
    window->entries = calloc(capacity, sizeof(window->entries[0]));
    window->waited_for = calloc(capacity + 2, sizeof(window->waited_for[0]));
    if (window->entries != NULL && window->waited_for != NULL)
        return true;
    window_fini(window);
    return false;
}

void window_fini(struct window *window)
{
    free(window->entries);
    free(window->waited_for);
    *window = (struct window){0};
}

void window_add(struct window *window, sil_executor *pool, struct download *download)
{
    sil_submit_options options = {.name = download->name};
    window->entries[window->count++] = (struct window_entry){
        .future = sil_submit_with(pool, &options, download_task, &download, sizeof(download),
                                  sizeof(struct download_result)),
        .download = download,
    };
}

void window_wait(struct window *window, sil_future *first, sil_future *second, sil_deadline until)
{
    size_t count = 0;
    if (first != NULL)
        window->waited_for[count++] = first;
    if (second != NULL)
        window->waited_for[count++] = second;
    for (size_t i = 0; i < window->count; i++)
        window->waited_for[count++] = window->entries[i].future;
    (void)sil_wait(window->waited_for, count, SIL_FIRST_COMPLETED, until, NULL);
}

bool window_remove_done(struct window *window, struct window_entry *out)
{
    /* In the order in which they were submitted, the rest moving up: what runs stays in front. */
    for (size_t i = 0; i < window->count; i++) {
        if (!sil_future_done(window->entries[i].future))
            continue;
        *out = window->entries[i];
        window->count--;
        for (; i < window->count; i++)
            window->entries[i] = window->entries[i + 1];
        return true;
    }
    return false;
}

void window_cancel(struct window *window)
{
    for (size_t i = 0; i < window->count; i++)
        (void)sil_future_cancel(window->entries[i].future);
}
