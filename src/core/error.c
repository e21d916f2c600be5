/* SPDX-License-Identifier: MIT */
/*
 * Error objects, see error.h.
 *
 * When there is no memory for an error there is still an answer: a fixed object for each code that
 * has a name, without origin, never freed. A task's own codes without a name share one.
 */
#include "core/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sillon/executor_impl.h>
#include <sillon/status.h>

#include "base/alloc.h"
#include "core/context.h"

#define ERRNO_MAX 160
#define STATUS_FIRST (-SIL_EINVAL)

enum {
#define FIXED_INDEX(name, number, text) FIXED_##name,
    SIL_STATUS_MAP(FIXED_INDEX)
#undef FIXED_INDEX
        STATUS_COUNT
};

/* The library's codes, errno values, negative errno values, and one for the rest. */
enum { FIXED_ERRNO = STATUS_COUNT, FIXED_NEGATIVE = FIXED_ERRNO + ERRNO_MAX };
enum { FIXED_REST = FIXED_NEGATIVE + ERRNO_MAX, FIXED_COUNT };

/* Written while the library is loaded. */
static sil_error fixed[FIXED_COUNT];

static void fix(int index, int code, const char *message)
{
    fixed[index] = (sil_error){.refs = 1, .code = code, .message = message, .worker = "unknown"};
}

__attribute__((constructor)) static void prepare(void)
{
    for (int i = 0; i < STATUS_COUNT; i++)
        fix(i, -(STATUS_FIRST + i), sil_strerror(-(STATUS_FIRST + i)));
    for (int i = 0; i < ERRNO_MAX; i++) {
        bool known = sil_status_name(i) != NULL;
        fix(FIXED_ERRNO + i, i, known ? sil_strerror(i) : "unknown error");
        fix(FIXED_NEGATIVE + i, -i, fixed[FIXED_ERRNO + i].message);
    }
    fix(FIXED_REST, SIL_ENOMEM, "out of memory, also for the message of the error");
}

static bool is_fixed(const sil_error *error)
{
    return error >= fixed && error < fixed + FIXED_COUNT;
}

sil_error *sil__error_fixed(int code)
{
    int index = FIXED_REST;
    if (code <= -STATUS_FIRST && code > -STATUS_FIRST - STATUS_COUNT)
        index = -code - STATUS_FIRST;
    else if (code > 0 && code < ERRNO_MAX)
        index = FIXED_ERRNO + code;
    else if (code < 0 && code > -ERRNO_MAX)
        index = FIXED_NEGATIVE - code;
    return &fixed[index];
}

/* All but the message, for which *out_message has room for message_size bytes. */
static sil_error *create(int code, const char *task, size_t message_size, char **out_message)
{
    size_t task_size = task ? strlen(task) + 1 : 0;
    sil_error *error = sil__alloc(sizeof *error + message_size + task_size);
    if (!error)
        return sil__error_fixed(code);
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
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it does not follow va_copy
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

sil_error *sil__error_create_elsewhere(int code, const char *task, const sil_outcome *outcome)
{
    const char *message = outcome->message ? outcome->message : sil_strerror(code);
    sil_error *error = sil__error_create_text(code, task, message);
    if (is_fixed(error))
        return error;
    error->signal = outcome->signal;
    if (outcome->pid != 0)
        error->pid = outcome->pid;
    if (outcome->worker)
        (void)snprintf(error->worker, sizeof error->worker, "%s", outcome->worker);
    return error;
}

sil_error *sil__error_retain(sil_error *error)
{
    if (error && !is_fixed(error))
        atomic_fetch_add_explicit(&error->refs, 1, memory_order_relaxed);
    return error;
}

void sil__error_release(sil_error *error)
{
    if (!error || is_fixed(error))
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
