/* SPDX-License-Identifier: MIT */
/*
 * Talking with a child program: a coroutine for each pipe, all under one wait that leaves none of
 * them behind.
 */
#include <errno.h>

#include <sillon/coro.h>
#include <sillon/group.h>

#include "base/alloc.h"
#include "coro/enter.h"
#include "coro/program.h"

struct talk {
    sil_program *program;
    const void *input;
    size_t input_size;
    size_t limit;
    const char *text[3]; /* of output and error; borrowed */
    size_t size[3];
};

static int feed(void *arg, void *result)
{
    (void)result;
    struct talk *talk = *(struct talk **)arg;
    int code = 0;
    if (talk->input_size > 0)
        code = sil_write(talk->program->pipes[0], talk->input, talk->input_size, SIL_FOREVER);
    if (code != 0 && code != EPIPE)
        return code;
    (void)sil_program_end_input(talk->program); /* EPIPE: it has enough */
    return 0;
}

static int drain(struct talk *talk, int number)
{
    return sil_read_all(talk->program->pipes[number], talk->limit, &talk->text[number],
                        &talk->size[number], SIL_FOREVER);
}

static int drain_output(void *arg, void *result)
{
    (void)result;
    return drain(*(struct talk **)arg, 1);
}

static int drain_error(void *arg, void *result)
{
    (void)result;
    return drain(*(struct talk **)arg, 2);
}

static int talk_with(struct talk *talk, sil_deadline until)
{
    static const sil_task_fn fns[3] = {feed, drain_output, drain_error};
    sil_future *futures[3];
    size_t count = 0;
    for (int i = 0; i < 3; i++)
        if (talk->program->pipes[i])
            futures[count++] = sil_go(fns[i], (void *)&talk, sizeof talk, 0);
    int code = sil_gather(futures, count, SIL_GATHER_FIRST_ERROR, until);
    while (count > 0)
        sil_future_release(futures[--count]);
    return code == 0 ? sil_program_wait(talk->program, NULL, until) : code;
}

int sil_program_communicate(sil_program *program, const void *input, size_t input_size,
                            size_t limit, const char **out_output, size_t *out_output_size,
                            const char **out_error, size_t *out_error_size, sil_deadline until)
{
    if (!program || (!input && input_size > 0))
        return sil__fail(SIL_EINVAL, "sil_program_communicate: NULL");
    int code = sil__enter(program->loop, "sil_program_communicate");
    if (code != 0)
        return code;
    if (input && !program->pipes[0])
        return sil__fail(SIL_EINVAL, "sil_program_communicate: the input of '%s' is no pipe",
                         program->name);
    struct talk talk = {
        .program = program,
        .input = input,
        .input_size = input_size,
        .limit = limit ? limit : SIL__SIZE_LIMIT,
        .text = {"", "", ""},
    };
    code = talk_with(&talk, until);
    if (code != 0)
        return code;
    if (out_output)
        *out_output = talk.text[1];
    if (out_output_size)
        *out_output_size = talk.size[1];
    if (out_error)
        *out_error = talk.text[2];
    if (out_error_size)
        *out_error_size = talk.size[2];
    return 0;
}
