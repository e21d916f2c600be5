/* SPDX-License-Identifier: MIT */
/*
 * One process: a function of this program, or a program, beside this one.
 * Teaches sil_process_start (the function's value is the exit code), memory that both see,
 * sil_process_run with its output in a pipe, and that how a process ended is a number.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <sillon/sillon.h>

struct job {
    int from, to;
    long *sum; /* shared: a pointer to it means the same in both processes */
};

static int sum_up(void *arg, void *result)
{
    (void)result; /* NULL: for results see process_pool.h */
    struct job *job = arg;
    for (int i = job->from; i <= job->to; i++)
        *job->sum += i;
    return job->from > job->to ? 1 : 0;
}

/* An exit code, or minus the signal. */
static int how_it_ended(sil_process *process)
{
    int code = sil_process_join(process, SIL_FOREVER); /* SIL_EINVAL if it did not start */
    return code == 0 ? sil_process_exit_code(process) : code;
}

int main(void)
{
    struct job job = {1, 1000, sil_shared_alloc(sizeof(long))};
    int ends[2];
    if (job.sum == NULL || pipe(ends) != 0)
        return 1;
    *job.sum = 0;
    sil_process *function = sil_process_start(NULL, sum_up, &job, sizeof job);
    int code = how_it_ended(function);
    printf("the function ended with %d, and found %ld\n", code, *job.sum);

    const char *const shell[] = {"sh", "-c", "echo hello from sh; kill -TERM $$", NULL};
    const sil_process_options options = {.standard_output = ends[1]};
    sil_process *program = sil_process_run(&options, shell);
    char text[64] = "";
    close(ends[1]);
    if (program != NULL && read(ends[0], text, sizeof text - 1) > 0)
        printf("the program says: %s", text);
    if (how_it_ended(program) == -SIGTERM)
        printf("the program was ended by SIGTERM\n");

    sil_process_destroy(program);
    sil_process_destroy(function);
    sil_shared_free(job.sum);
    close(ends[0]);
    return code;
}
