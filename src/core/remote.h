/* SPDX-License-Identifier: MIT */
/*
 * A task that came from another process: its future is not here, so the ambient calls of task.h ask
 * whoever runs it.
 */
#ifndef SIL__CORE_REMOTE_H
#define SIL__CORE_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lies in the runner's memory while the task runs; all members required, but for the name. */
struct sil__remote {
    const char *name;
    bool (*cancelled)(struct sil__remote *remote);
    void (*progress)(struct sil__remote *remote, uint64_t done, uint64_t total);
    /* As sil_result_alloc; sets an error when it returns NULL. */
    void *(*result_alloc)(struct sil__remote *remote, size_t size);
};

#endif
