/* SPDX-License-Identifier: MIT */
/*
 * Child programs: their life from start to close.
 */
#include "coro/program.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/alloc.h"
#include "core/dump.h"
#include "core/error.h"
#include "coro/enter.h"

/* --- pipes --------------------------------------------------------------------------------- */

sil_stream *sil_program_input(const sil_program *program)
{
    return program ? program->pipes[0] : NULL;
}

sil_stream *sil_program_output(const sil_program *program)
{
    return program ? program->pipes[1] : NULL;
}

sil_stream *sil_program_error(const sil_program *program)
{
    return program ? program->pipes[2] : NULL;
}

static void close_pipe(sil_program *program, int number)
{
    sil_stream *pipe = program->pipes[number];
    program->pipes[number] = NULL;
    sil_stream_close(pipe);
}

/* As sil__enter, but for what does not wait: a cancel stays due. */
static int check(const sil_program *program, const char *what)
{
    if (!program)
        return sil__fail(SIL_EINVAL, "%s: NULL", what);
    if (sil_loop_current() != program->loop)
        return sil__fail(SIL_ENOTASK, "%s: only coroutines of its loop may call this", what);
    return 0;
}

int sil_program_end_input(sil_program *program)
{
    int code = check(program, "sil_program_end_input");
    if (code != 0)
        return code;
    if (!program->had_input)
        return sil__fail(SIL_EINVAL, "sil_program_end_input: the input of '%s' is no pipe",
                         program->name);
    if (!program->pipes[0])
        return sil__fail(SIL_EALREADY, NULL);
    close_pipe(program, 0);
    return 0;
}

/* --- its end ------------------------------------------------------------------------------- */

int64_t sil_program_pid(const sil_program *program)
{
    return program ? program->child.pid : 0;
}

static void look(const void *object, struct sil__waiter *waiter, struct sil__sight *sight)
{
    (void)waiter;
    const sil_program *program = object;
    sil__sight_says(sight, "end of program '%.60s', process %d", program->name,
                    (int)program->child.pid);
}

static int wait_for_news(sil_program *program, sil_deadline until, const char *what)
{
    static const struct sil__purpose purpose = {.text = "end of a program", .look = look};
    struct sil__context *context = sil__context();
    struct sil__said said;
    /* Its end is told before its status can be taken, when a debugger traces it. */
    sil__watch_drained(program->watch, SIL__WATCH_READ);
    sil__context_say(context, &said, &purpose, program);
    int code = sil__watch_wait(program->watch, SIL__WATCH_READ, until, what);
    sil__context_unsay(context, &said);
    return code;
}

int sil_program_wait(sil_program *program, int *out_status, sil_deadline until)
{
    if (!program)
        return sil__fail(SIL_EINVAL, "sil_program_wait: NULL");
    int code = sil__enter(program->loop, "sil_program_wait");
    while (code == 0 && !sil__child_poll(&program->child))
        code = wait_for_news(program, until, "sil_program_wait");
    if (code == 0 && out_status)
        *out_status = program->child.status;
    return code;
}

int sil_program_usage_get(const sil_program *program, sil_program_usage *out)
{
    int code = check(program, "sil_program_usage_get");
    if (code != 0)
        return code;
    if (!out)
        return sil__fail(SIL_EINVAL, "sil_program_usage_get: NULL");
    const struct sil__child *child = &program->child;
    if (!child->over)
        return sil__fail(SIL_EAGAIN, "sil_program_usage_get: '%s' has not ended", program->name);
    if (child->status == SIL_EALREADY)
        return sil__fail(SIL_EALREADY, "sil_program_usage_get: the status of '%s' was taken away",
                         program->name);
    *out = (sil_program_usage){
        .user_seconds = child->usage.user_seconds,
        .system_seconds = child->usage.system_seconds,
        .peak_memory = child->usage.peak_memory,
    };
    return 0;
}

static int send_signal(sil_program *program, int signal, const char *what)
{
    int code = check(program, what);
    if (code != 0)
        return code;
    code = sil__child_signal(&program->child, signal);
    if (code == 0)
        return 0;
    if (code == SIL_EALREADY)
        return sil__fail(code, "%s: '%s' has ended already", what, program->name);
    return sil__fail(code, "%s: signal %d for '%s': %s", what, signal, program->name,
                     sil_strerror(code));
}

int sil_program_signal(sil_program *program, int signal)
{
    return send_signal(program, signal, "sil_program_signal");
}

int sil_program_terminate(sil_program *program)
{
    return send_signal(program, SIGTERM, "sil_program_terminate");
}

int sil_program_kill(sil_program *program)
{
    return send_signal(program, SIGKILL, "sil_program_kill");
}

/* Where nobody can wait: the loop has ended, say. */
static void stand_still(const sil_program *program, sil_deadline until)
{
    int64_t rest = until == SIL_FOREVER ? -1 : (until - sil_clock()) / 1000000 + 1;
    struct pollfd end = {.fd = program->child.descriptor, .events = POLLIN};
    (void)poll(&end, 1, rest < INT_MAX ? (int)rest : INT_MAX); /* EINTR is an early return */
}

/* Until it is over, or the deadline; false: not yet. */
static bool wait_out(sil_program *program, sil_deadline until)
{
    int code = 0;
    while (!sil__child_poll(&program->child)) {
        if (code == SIL_ETIMEDOUT || sil_clock() >= until)
            return false;
        if (code == 0)
            code = wait_for_news(program, until, "sil_program_close");
        else
            stand_still(program, until);
    }
    return true;
}

void sil__program_end(sil_program *program)
{
    struct sil__context *context = sil__context();
    sil_error *error = sil__error_retain(context->last_error);
    sil_deadline scope = context->deadline;
    context->deadline = 0; /* I2 */
    context->shielded++;
    for (int i = 0; i < 3; i++)
        close_pipe(program, i);
    struct sil__child *child = &program->child;
    bool over = sil__child_poll(child);
    if (!over && program->grace > 0) {
        (void)sil__child_signal(child, SIGTERM);
        over = wait_out(program, sil_in(program->grace));
    }
    if (!over) {
        (void)sil__child_signal(child, SIGKILL);
        (void)wait_out(program, SIL_FOREVER);
    }
    context->shielded--;
    context->deadline = scope;
    sil__context_set_error(error); /* not what our own waits have left */
}

void sil_program_close(sil_program *program)
{
    if (!program)
        return;
    sil__program_end(program);
    sil__watch_close(program->watch);
    sil__child_fini(&program->child);
    sil__free(program);
}

/* --- all in one ---------------------------------------------------------------------------- */

int sil_program_run(const sil_program_options *options, int *out_status, sil_deadline until)
{
    if (options &&
        (options->input == SIL_PIPE || options->output == SIL_PIPE || options->error == SIL_PIPE))
        return sil__fail(SIL_EINVAL, "sil_program_run: nobody would use the pipes");
    sil_program *program = sil_program_start(options);
    if (!program)
        return sil_error_code(sil_last_error());
    int code = sil_program_wait(program, out_status, until);
    sil_program_close(program);
    return code;
}
