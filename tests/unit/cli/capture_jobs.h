/* SPDX-License-Identifier: MIT */
/*
 * Jobs for tests of map/capture.h: shell lines that are run with a capture's descriptors.
 */
#ifndef TESTS_UNIT_CLI_CAPTURE_JOBS_H
#define TESTS_UNIT_CLI_CAPTURE_JOBS_H

#include "unit/coro/scenario.h"

#include "fake_screen.h"
#include "map/outputs.h"

#define MEBI ((uint64_t)1 << 20)

/** One that has been started. Its standard input is a pipe: it can be made to wait by `read x`. */
struct running {
    struct capture *capture;
    sil_program *program;
};

static inline int job_start(struct outputs *outputs, uint64_t seq, const char *tag,
                            const char *line, struct running *out)
{
    out->capture = capture_begin(outputs, seq, tag);
    if (out->capture == NULL)
        return sil_error_code(sil_last_error());
    out->program = sil_program_start(&(sil_program_options){
        .arguments = (const char *const[]){"/bin/sh", "-c", line, NULL},
        .input = SIL_PIPE,
        .output = capture_descriptor(out->capture, 1),
        .error = capture_descriptor(out->capture, 2),
    });
    if (out->program == NULL)
        return sil_error_code(sil_last_error());
    capture_started(out->capture);
    return 0;
}

/** Let one `read` of its go on. */
static inline int job_poke(struct running *job)
{
    return sil_write(sil_program_input(job->program), "\n", 1, sil_in(TEST_PATIENCE));
}

static inline int job_wait(struct running *job)
{
    int code = sil_program_wait(job->program, NULL, sil_in(TEST_PATIENCE));
    sil_program_close(job->program);
    capture_ended(job->capture);
    return code;
}

/** From its start to its end, not delivered. */
static inline int job_do(struct outputs *outputs, uint64_t seq, const char *tag, const char *line,
                         struct capture **out)
{
    struct running job;
    int code = job_start(outputs, seq, tag, line, &job);
    if (code == 0)
        code = job_wait(&job);
    *out = job.capture;
    return code;
}

/** A job that writes that and ends, without a program. */
static inline struct capture *job_play(struct outputs *outputs, uint64_t seq, const char *output)
{
    struct capture *capture = capture_begin(outputs, seq, NULL);
    size_t size = strlen(output);
    if (capture != NULL && write(capture_descriptor(capture, 1), output, size) != (ssize_t)size)
        abort();
    if (capture != NULL)
        capture_ended(capture);
    return capture;
}

/* --- coroutines that wait in it -------------------------------------------------------------- */

struct delivery {
    struct capture *capture;
    int *out_error;
};

static inline int deliver_fn(void *arg, void *result)
{
    (void)result;
    const struct delivery *self = arg;
    *self->out_error = capture_deliver(self->capture, false);
    return 0;
}

static inline sil_future *go_deliver(struct capture *capture, int *out_error)
{
    *out_error = -1;
    return sil_go(deliver_fn, &(struct delivery){capture, out_error}, sizeof(struct delivery), 0);
}

struct admission {
    struct outputs *outputs;
    uint64_t seq;
};

static inline int admit_fn(void *arg, void *result)
{
    (void)result;
    const struct admission *self = arg;
    return outputs_admit(self->outputs, self->seq);
}

static inline sil_future *go_admit(struct outputs *outputs, uint64_t seq)
{
    return sil_go(admit_fn, &(struct admission){outputs, seq}, sizeof(struct admission), 0);
}

#endif
