/* SPDX-License-Identifier: MIT */
/*
 * Error objects: immutable, counted, shared by every future the error passes through.
 */
#ifndef SIL__CORE_ERROR_H
#define SIL__CORE_ERROR_H

#include <sillon/error.h>
#include <stdarg.h>
#include <stdatomic.h>

#define SIL__WORKER_NAME_SIZE 16

struct sil_error {
    _Atomic uint32_t refs;

    /* Read-only after create. */
    int code;
    int signal;
    int64_t pid;
    const char *message; /* this and the names lie behind the error, in one block */
    const char *task;    /* or NULL */
    const char *host;    /* or NULL */
    char worker[SIL__WORKER_NAME_SIZE];
};

/*
 * An error that happens here and now, in the calling context's task. Without memory it is a fixed
 * error that says so. format: NULL for the text of the code. Returns owned; never NULL.
 */
sil_error *sil__error_create(int code, const char *task, const char *format, va_list arguments);

/* The same with a message given as it is. */
sil_error *sil__error_create_text(int code, const char *task, const char *message);

/* The same, but it happened where the outcome says. */
struct sil_outcome;
sil_error *sil__error_create_elsewhere(int code, const char *task,
                                       const struct sil_outcome *outcome);

/* The fixed error of a code, for want of memory; returns borrowed, valid for ever. */
sil_error *sil__error_fixed(int code);

sil_error *sil__error_retain(sil_error *error);
void sil__error_release(sil_error *error);

#endif
