/* SPDX-License-Identifier: MIT */
/*
 * The main program of each C and C++ peer: puts one question to the adapter it is linked with.
 *
 *     bench_PEER QUESTION N WORKERS [REPETITIONS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/question.h"

static const struct question *const questions[] = {
    &question_fork_join,  &question_n_queens,
    &question_post,       &question_submit,
    &question_bulk,       &question_bulk_futures,
    &question_round_trip, &question_round_trip_idle,
    &question_trickle,    &question_loop,
    &question_memory,     &question_memory_futures,
    &question_growth,     &question_growth_futures,
    &question_workers,    &question_map,
    &question_copy,       &question_copy_untouched,
    &question_shared,     &question_start,
    &question_death,      &question_innocents,
    &question_limit,      &question_count,
    &question_yield,      &question_go,
    &question_message,    &question_message_limit,
    &question_asleep,     &question_beside,
    &question_offload,    &question_idle,
    &question_timers,
};

enum { QUESTIONS = sizeof questions / sizeof questions[0] };

struct job {
    struct request request;
    int status;
};

static const struct question *question_find(const char *name)
{
    for (size_t i = 0; i < QUESTIONS; i++)
        if (strcmp(questions[i]->name, name) == 0)
            return questions[i];
    return NULL;
}

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s QUESTION N WORKERS [REPETITIONS]\n", program);
    fprintf(stderr, "prints lines of peer,question,workers,metric,value. QUESTION is one of\n");
    for (size_t i = 0; i < QUESTIONS; i++)
        fprintf(stderr, "  %-16s %s\n", questions[i]->name, questions[i]->help);
    return 2;
}

static void job_run(void *arg)
{
    struct job *job = arg;
    job->status = job->request.question->run(&job->request);
}

int main(int argc, char **argv)
{
    const struct adapter *peer = &bench_adapter;
    const struct question *question = argc > 1 ? question_find(argv[1]) : NULL;
    if (question == NULL || argc < 4)
        return usage(argv[0]);
    struct job job = {
        .request =
            {
                .peer = peer,
                .question = question,
                .n = atol(argv[2]),
                .workers = atoi(argv[3]),
                .repetitions = argc > 4 ? atoi(argv[4]) : 5,
            },
    };
    if (job.request.n < 1 || job.request.workers < 1 || job.request.repetitions < 1)
        return usage(argv[0]);
    if (question->submits && peer->inside != NULL)
        peer->inside(job.request.workers, job_run, &job);
    else
        job_run(&job);
    if (peer->stop != NULL)
        peer->stop();
    return job.status;
}
