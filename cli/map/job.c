/* SPDX-License-Identifier: MIT */
/*
 * One try of a job, see job.h.
 *
 *     start --> wait for the program --> (ended by us: see that nothing of it is left) --> report
 *                    ^
 *        job_signal, the time limit: a signal, and a coroutine that kills it later
 */
#include "map/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <sillon/coro.h>
#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/program.h>
#include <sillon/status.h>

enum { FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 64 };

static const double kill_patience = 2; /* for those that SIGKILL does not end (an I/O wait) */

/* --- ending it ----------------------------------------------------------------------------- */

static bool is_end(int signal)
{
    return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM ||
           signal == SIGKILL;
}

static int kill_later(void *arg, void *result)
{
    (void)result;
    const struct job *job = *(struct job **)arg; /* I2: job_run waits for us */
    int code = sil_sleep(job->kill_at);
    if (code == 0)
        (void)family_signal_all(job->family, job->slot, job->seq, SIGKILL);
    return code;
}

/* Not by a search of all processes: many may be asked at the same time. */
static void send_to_group(const struct job *job, int signal)
{
    if (job->own_group)
        (void)kill(-job->pid, signal);
    else
        (void)kill(job->pid, signal);
}

static void start_clock(struct job *job)
{
    if (job->ending)
        return;
    job->ending = true;
    job->kill_at = sil_in(job->kill_after);
    job->killer = sil_go(kill_later, &job, sizeof(job), 0);
    if (job->killer == NULL) /* no memory: now, then */
        (void)family_signal_all(job->family, job->slot, job->seq, SIGKILL);
}

static void stop_clock(struct job *job)
{
    if (job->killer == NULL)
        return;
    (void)sil_future_cancel(job->killer);
    while (!sil_future_done(job->killer))
        if (sil_await(job->killer, SIL_FOREVER) == SIL_EDEADLK)
            break;
    sil_future_release(job->killer);
    job->killer = NULL;
}

void job_signal(struct job *job, int signal)
{
    job->asked = signal;
    if (job->pid == 0)
        return;
    if (signal == SIGKILL) {
        job->ending = true;
        job->kill_at = sil_clock();
    }
    if (job->leader_ended)
        return; /* what is left of it is being ended */
    if (signal == SIGKILL) {
        (void)family_signal_all(job->family, job->slot, job->seq, SIGKILL);
        return;
    }
    send_to_group(job, signal);
    if (!is_end(signal))
        return;
    send_to_group(job, SIGCONT); /* who is stopped cannot end */
    start_clock(job);
}

/* Its time is over. */
static void expire(struct job *job)
{
    send_to_group(job, SIGTERM);
    send_to_group(job, SIGCONT);
    start_clock(job);
}

/* --- what is left of it -------------------------------------------------------------------- */

/* Its group keeps its number as long as somebody is in it, and is not asked for any more then (I2). */
static bool send_to_group_left(const struct job *job, bool group_is_there, int signal)
{
    return group_is_there && (kill(-job->pid, signal) == 0 || errno != ESRCH);
}

/* I1. The program has ended, of which we know no end of others. Each of them is asked once, for a
 * second request means haste to some; but one may begin another one while it is being asked. */
static void end_rest(struct job *job)
{
    struct kin_asked asked = {.count = 0};
    /* The group has had its request; but who was begun in the background of a script ignores INT. */
    bool is_deaf = job->asked != 0 && job->asked != SIGTERM;
    bool group = send_to_group_left(job, job->own_group, is_deaf ? SIGTERM : 0);
    group = send_to_group_left(job, group, SIGCONT);
    int64_t give_up = 0;
    for (int pause = FIRST_PAUSE_MS;; pause = pause < LONGEST_PAUSE_MS ? pause * 2 : pause) {
        family_reap(job->family); /* orphans that have ended are in the group until then */
        bool kills = sil_clock() >= job->kill_at;
        group = send_to_group_left(job, group, kills ? SIGKILL : 0);
        size_t left =
            family_ask(job->family, job->seq, kills ? SIGKILL : SIGTERM, kills ? NULL : &asked);
        if (left > 0 && !kills)
            (void)family_signal_all(job->family, job->slot, job->seq, SIGCONT);
        if (kills && give_up == 0)
            give_up = sil_in(kill_patience);
        if ((left == 0 && !group) || (give_up != 0 && sil_clock() >= give_up))
            return;
        if (sil_sleep(sil_in(pause / 1e3)) == SIL_ECANCELLED)
            job->kill_at = sil_clock();
    }
}

/* --- its life ------------------------------------------------------------------------------ */

static int error_of(int code)
{
    switch (code) {
    case SIL_ENOMEM:
        return ENOMEM;
    case SIL_EAGAIN:
        return EAGAIN;
    case SIL_ECANCELLED:
        return ECANCELED;
    default:
        return code > 0 ? code : EINVAL;
    }
}

static sil_program *start(struct job *job, struct job_end *out)
{
    const char *const *environment =
        family_environment(job->family, job->seq, job->slot, job->attempt, job->more_environment);
    out->error = environment == NULL ? ENOMEM : job->asked != 0 ? ECANCELED : 0;
    if (out->error == 0 && job->words[0][0] == '\0')
        out->error = ENOENT; /* as a shell has it */
    if (out->error != 0)
        return NULL;
    job->own_group = job->input != SIL_INHERIT;
    sil_program *program = sil_program_start(&(sil_program_options){
        .arguments = (const char *const *)job->words,
        .environment = environment,
        .input = job->input,
        .output = job->capture ? capture_descriptor(job->capture, 1) : SIL_INHERIT,
        .error = job->capture ? capture_descriptor(job->capture, 2) : SIL_INHERIT,
        .new_group = job->own_group,
        .grace = job->kill_after > 0 ? job->kill_after : -1,
    });
    if (program == NULL) {
        out->error = error_of(sil_error_code(sil_last_error()));
        return NULL;
    }
    job->pid = (pid_t)sil_program_pid(program);
    family_set(job->family, job->slot, job->pid);
    if (job->nice > 0)
        (void)setpriority(job->own_group ? PRIO_PGRP : PRIO_PROCESS, (id_t)job->pid,
                          getpriority(PRIO_PROCESS, 0) + (int)job->nice);
    return program;
}

/* @return its status. */
static int wait_for_end(struct job *job, sil_program *program, struct job_end *out)
{
    int status = 0;
    sil_deadline until = job->timeout > 0 ? sil_in(job->timeout) : SIL_FOREVER;
    int code;
    while ((code = sil_program_wait(program, &status, until)) != 0) {
        until = SIL_FOREVER;
        if (code == SIL_ECANCELLED) {
            job_signal(job, SIGKILL);
            continue;
        }
        if (code != SIL_ETIMEDOUT)
            break;
        if (!job->ending) {
            out->outcome = JOB_TIMED_OUT;
            expire(job);
        }
    }
    return code == 0 ? status : SIL_EALREADY;
}

static void tell_status(struct job_end *out, int status)
{
    if (status == SIL_EALREADY) /* somebody took it away: how it ended nobody knows */
        out->code = 255;
    else if (status >= 0)
        out->code = status;
    else
        out->signal = -status;
    if (out->outcome != JOB_TIMED_OUT)
        out->outcome = out->signal != 0 ? JOB_SIGNALLED : JOB_EXITED;
}

static void tell_usage(struct job_end *out, const sil_program *program)
{
    sil_program_usage usage;
    if (sil_program_usage_get(program, &usage) != 0)
        return;
    out->user = usage.user_seconds;
    out->system = usage.system_seconds;
    out->peak = usage.peak_memory;
}

void job_run(struct job *job, struct job_end *out)
{
    *out = (struct job_end){.outcome = JOB_NOT_STARTED, .timeout = job->timeout};
    job->ending = false;
    job->killer = NULL;
    job->leader_ended = false;
    out->started = out->ended = out->spawned = sil_clock();
    sil_program *program = start(job, out);
    if (program == NULL)
        return;
    out->started = sil_clock();
    out->pid = job->pid;
    out->outcome = JOB_EXITED;
    if (job->capture != NULL)
        capture_started(job->capture);
    int status = wait_for_end(job, program, out);
    out->ended = sil_clock();
    family_set(job->family, job->slot, 0);
    job->leader_ended = true;
    tell_status(out, status);
    tell_usage(out, program);
    sil_program_close(program);
    stop_clock(job);
    if (job->ending)
        end_rest(job);
    job->pid = 0;
}

/* --- in words ------------------------------------------------------------------------------ */

const char *job_describe(char *out, size_t size, const struct job_end *end)
{
    const char *name = end->outcome == JOB_SIGNALLED ? sigabbrev_np(end->signal) : NULL;
    switch (end->outcome) {
    case JOB_EXITED:
        (void)snprintf(out, size, "exit %d", end->code);
        break;
    case JOB_SIGNALLED:
        if (name != NULL)
            (void)snprintf(out, size, "killed by SIG%s", name);
        else
            (void)snprintf(out, size, "killed by signal %d", end->signal);
        break;
    case JOB_TIMED_OUT:
        (void)snprintf(out, size, "timed out after %g s", end->timeout);
        break;
    case JOB_NOT_STARTED:
        (void)snprintf(out, size, "cannot execute: %s", sil_strerror(end->error));
        break;
    }
    return out;
}
