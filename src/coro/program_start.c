/* SPDX-License-Identifier: MIT */
/*
 * Starting a child program: sil_program_start.
 *
 * What can fail is done before the program begins, as far as possible: one that has begun has to be
 * killed if its end cannot be watched.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "coro/enter.h"
#include "coro/program.h"
#include "coro/stream.h"

#define DEFAULT_GRACE 5.0

struct start {
    const sil_program_options *options;
    const char *program;
    int child_ends[3]; /* -1: none; owned */
};

/* The program to look up; NULL with the last error set: the options make no sense. */
static const char *check(const sil_program_options *options)
{
    const char *const *arguments = options ? options->arguments : NULL;
    const char *program = arguments ? arguments[0] : NULL;
    if (program && options->program)
        program = options->program;
    if (!program || program[0] == '\0') {
        sil__fail(SIL_EINVAL, "sil_program_start: no program");
        return NULL;
    }
    if (options->input < SIL_NULL || options->output < SIL_NULL || options->error < SIL_MERGE) {
        sil__fail(SIL_EINVAL, "sil_program_start: not a descriptor");
        return NULL;
    }
    return program;
}

/* --- pipes --------------------------------------------------------------------------------- */

static int no_pipe(const struct start *start, int error)
{
    int code = error == ENOMEM ? SIL_ENOMEM : SIL_EAGAIN;
    return sil__fail(code, "no pipe for '%s': %s", start->program, strerror(error));
}

static int open_pipe(struct start *start, sil_program *program, int number)
{
    int ends[2];
    errno = EMFILE;
    if (sil__fault(SIL__FAULT_SYSTEM) || pipe2(ends, O_CLOEXEC) != 0)
        return no_pipe(start, errno);
    int ours = number == 0 ? 1 : 0;
    start->child_ends[number] = ends[1 - ours];
    int code = sil__stream_from(ends[ours], 0, &program->pipes[number]); /* nobody shares it */
    if (code != 0)
        (void)close(ends[ours]);
    return code;
}

static int open_pipes(struct start *start, sil_program *program)
{
    const sil_program_options *options = start->options;
    const int wanted[3] = {options->input, options->output, options->error};
    int code = 0;
    for (int i = 0; code == 0 && i < 3; i++)
        if (wanted[i] == SIL_PIPE)
            code = open_pipe(start, program, i);
    program->had_input = program->pipes[0] != NULL;
    return code;
}

static int standard(const struct start *start, int wanted, int number)
{
    switch (wanted) {
    case SIL_INHERIT:
        return SIL__EXECUTE_OURS;
    case SIL_PIPE:
        return start->child_ends[number];
    case SIL_NULL:
        return SIL__EXECUTE_NULL;
    case SIL_MERGE:
        return SIL__EXECUTE_MERGE;
    default:
        return wanted;
    }
}

/* --- start --------------------------------------------------------------------------------- */

static int start_child(const struct start *start, sil_program *program)
{
    const sil_program_options *options = start->options;
    const struct sil__execution plan = {
        .program = start->program,
        .arguments = options->arguments,
        .environment = options->environment,
        .directory = options->directory,
        .standard = {standard(start, options->input, 0), standard(start, options->output, 1),
                     standard(start, options->error, 2)},
        .new_group = options->new_group,
        .new_session = options->new_session,
    };
    int code = sil__child_start(&program->child, &plan);
    if (code != 0 || program->child.descriptor < 0)
        return code;
    program->watch = sil__watch_open(program->child.descriptor);
    if (program->watch)
        return 0;
    sil__child_end(&program->child);
    sil__child_fini(&program->child);
    return sil_error_code(sil_last_error());
}

static int start_with_pipes(struct start *start, sil_program *program)
{
    int code = open_pipes(start, program);
    if (code == 0)
        code = start_child(start, program);
    for (int i = 0; i < 3; i++) {
        if (start->child_ends[i] >= 0)
            (void)close(start->child_ends[i]);
        if (code != 0)
            sil_stream_close(program->pipes[i]);
    }
    return code;
}

static sil_program *create(const struct start *start)
{
    const sil_program_options *options = start->options;
    const char *name = options->name ? options->name : start->program;
    size_t size = strlen(name) + 1;
    sil_program *program = sil__alloc(sizeof *program + size);
    if (!program) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    memcpy(program->name, name, size);
    program->loop = sil_loop_current();
    program->grace = options->grace == 0 || isnan(options->grace) ? DEFAULT_GRACE : options->grace;
    return program;
}

sil_program *sil_program_start(const sil_program_options *options)
{
    const char *name = check(options);
    if (!name || sil__enter(sil_loop_current(), "sil_program_start") != 0)
        return NULL;
    struct start start = {
        .options = options,
        .program = name,
        .child_ends = {-1, -1, -1},
    };
    sil_program *program = create(&start);
    if (program && start_with_pipes(&start, program) != 0) {
        sil__free(program);
        program = NULL;
    }
    return program;
}
