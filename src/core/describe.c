/* SPDX-License-Identifier: MIT */
/*
 * A future in one line, as Python's repr does it.
 */
#include <sillon/future.h>

#include <inttypes.h>
#include <stdio.h>

#include <sillon/status.h>

#include "core/future.h"

/* A message of several lines would break the promise of one: only its first is shown. */
#define MESSAGE_MAX 160
#define OUTCOME_SIZE (MESSAGE_MAX + 64)

static int line_length(const char *text)
{
    int length = 0;
    while (length < MESSAGE_MAX && text[length] != '\0' && text[length] != '\n')
        length++;
    return length;
}

static void write_failure(const sil_future *future, char *out, size_t size)
{
    int code = sil_future_code(future);
    const char *message = sil_error_message(sil_future_error(future));
    const char *name = sil_status_name(code);
    char number[16];
    if (!name) {
        (void)snprintf(number, sizeof number, "%d", code);
        name = number;
    }
    (void)snprintf(out, size, " failed: %s (%.*s)", name, line_length(message), message);
}

static void write_outcome(const sil_future *future, char *out, size_t size)
{
    uint64_t done, total;
    size_t bytes;
    switch (sil_future_state(future)) {
    case SIL_PENDING:
        (void)snprintf(out, size, " pending");
        return;
    case SIL_RUNNING:
        sil_future_progress(future, &done, &total);
        if (total)
            (void)snprintf(out, size, " running %" PRIu64 "/%" PRIu64, done, total);
        else if (done)
            (void)snprintf(out, size, " running %" PRIu64, done);
        else
            (void)snprintf(out, size, " running");
        return;
    case SIL_CANCELLED:
        (void)snprintf(out, size, " cancelled");
        return;
    case SIL_FINISHED:
        break;
    }
    if (sil_future_code(future) != 0) {
        write_failure(future, out, size);
        return;
    }
    (void)sil_future_result(future, &bytes);
    (void)snprintf(out, size, " finished: %zu %s", bytes, bytes == 1 ? "byte" : "bytes");
}

int sil_future_describe(const sil_future *future, char *buffer, size_t size)
{
    if (!buffer)
        size = 0;
    if (!future)
        return snprintf(buffer, size, "<sil_future NULL>");
    char outcome[OUTCOME_SIZE];
    write_outcome(future, outcome, sizeof outcome);
    const char *name = sil_future_name(future);
    if (name)
        return snprintf(buffer, size, "<sil_future '%s'%s>", name, outcome);
    return snprintf(buffer, size, "<sil_future%s>", outcome);
}
