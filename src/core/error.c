/* SPDX-License-Identifier: MIT */
/*
 * Error objects, see error.h.
 *
 * When there is no memory for an error there is still an answer: a fixed object that is never
 * freed. It cannot carry the code, which the future has anyway.
 */
#include "core/error.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "core/context.h"

static sil_error no_memory = {
    .refs = 1,
    .code = SIL_ENOMEM,
    .message = "out of memory, also for the message of the error",
    .worker = "unknown",
};

sil_error *sil__error_no_memory(void)
{
    return &no_memory;
}

/* All but the message, for which *out_message has room for message_size bytes. */
static sil_error *create(int code, const char *task, size_t message_size, char **out_message)
{
    size_t task_size = task ? strlen(task) + 1 : 0;
    sil_error *error = sil__alloc(sizeof *error + message_size + task_size);
    if (!error)
        return &no_memory;
    char *text = (char *)(error + 1);
    atomic_init(&error->refs, 1);
    error->code = code;
    error->pid = getpid();
    error->message = *out_message = text;
    sil__thread_name(error->worker, sizeof error->worker);
    if (task)
        error->task = memcpy(text + message_size, task, task_size);
    return error;
}

sil_error *sil__error_create(int code, const char *task, const char *format, va_list arguments)
{
    if (!format)
        return sil__error_create_text(code, task, sil_strerror(code));
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        return sil__error_create_text(code, task, format);
    size_t size = (size_t)length + 1;
    char *message = NULL;
    sil_error *error = create(code, task, size, &message);
    if (message)
        (void)vsnprintf(message, size, format, arguments);
    return error;
}

sil_error *sil__error_create_text(int code, const char *task, const char *message)
{
    size_t size = strlen(message) + 1;
    char *copy = NULL;
    sil_error *error = create(code, task, size, &copy);
    if (copy)
        memcpy(copy, message, size);
    return error;
}

sil_error *sil__error_retain(sil_error *error)
{
    if (error && error != &no_memory)
        atomic_fetch_add_explicit(&error->refs, 1, memory_order_relaxed);
    return error;
}

void sil__error_release(sil_error *error)
{
    if (!error || error == &no_memory)
        return;
    /* Release orders our reads before the free; acquire makes the last one see them done. */
    if (atomic_fetch_sub_explicit(&error->refs, 1, memory_order_acq_rel) == 1)
        sil__free(error);
}

int sil_error_code(const sil_error *error)
{
    return error ? error->code : 0;
}

const char *sil_error_message(const sil_error *error)
{
    return error ? error->message : "";
}

const char *sil_error_task(const sil_error *error)
{
    return error ? error->task : NULL;
}

const char *sil_error_worker(const sil_error *error)
{
    return error ? error->worker : "";
}

int64_t sil_error_pid(const sil_error *error)
{
    return error ? error->pid : 0;
}

const char *sil_error_host(const sil_error *error)
{
    return error ? error->host : NULL;
}

int sil_error_signal(const sil_error *error)
{
    return error ? error->signal : 0;
}
