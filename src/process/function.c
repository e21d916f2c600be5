/* SPDX-License-Identifier: MIT */
/*
 * The new process of sil_process_start: it takes the function and its argument, says whether it can
 * run it, and runs it.
 */
#include "process/function.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "core/context.h"
#include "process/nursery.h"
#include "process/region.h"
#include "process/takeover.h"

#define MOST_CODE 255

/* Mapped or made for the function; stays until the process ends. */
struct job {
    struct sil__order order;
    struct sil__module_table *letter;
    struct sil__decoder *decoder;
    sil_task_fn fn;
    void *arg;
};

static int receive(int socket, struct job *job)
{
    int letter;
    int code = sil__heaps_receive(socket);
    if (code != 0)
        return code;
    struct sil__order *order = &job->order;
    if (!sil__message_receive(socket, order, sizeof *order, &letter, 1))
        return sil__fail(SIL_EBROKEN, "who started this process is gone");
    if (order->magic != SIL__ORDER_MAGIC || order->size != sizeof *order || letter < 0)
        return sil__fail(SIL_ENOTSUP, "the program is executed with another build of sillon");
    /* A copy of ours: the function may write to its argument. */
    void *map = mmap(NULL, SIL__LETTER_ARG + order->arg_size, PROT_READ | PROT_WRITE, MAP_PRIVATE,
                     letter, 0);
    (void)close(letter);
    if (map == MAP_FAILED)
        return sil__fail(SIL_ENOMEM, "no memory for an argument of %llu bytes",
                         (unsigned long long)order->arg_size);
    job->letter = map;
    job->arg = order->arg_size > 0 ? (char *)map + SIL__LETTER_ARG : NULL;
    return 0;
}

/* SIGKILL when the starter ends. It may have ended already: then the kernel gave us to another. */
static void die_with(pid_t starter)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid_t parent = getppid();
    if (parent != starter && parent != 0) /* 0: it is in another pid namespace */
        (void)raise(SIGKILL);
}

static int prepare(int socket, struct job *job)
{
    int code = receive(socket, job);
    if (code != 0)
        return code;
    if (job->order.dies_with_starter)
        die_with(job->order.starter);
    job->decoder = sil__decoder_create(job->letter);
    if (!job->decoder)
        return sil__fail(SIL_ENOMEM, NULL);
    job->fn = sil__decode(job->decoder, &job->order.code);
    if (!job->fn)
        return sil_error_code(sil_last_error());
    return 0;
}

int sil__function_main(int socket)
{
    struct job job = {.fn = NULL};
    struct sil__reply reply = {.code = prepare(socket, &job)};
    if (reply.code != 0)
        (void)snprintf(reply.text, sizeof reply.text, "%s", sil_error_message(sil_last_error()));
    bool told = sil__message_send(socket, &reply, sizeof reply, NULL, 0);
    (void)close(socket);
    if (!job.fn || !told)
        return EXIT_FAILURE; /* nobody will ask */
    int code = job.fn(job.arg, NULL);
    sil__decoder_destroy(job.decoder);
    return code < 0 || code > MOST_CODE ? MOST_CODE : code;
}
