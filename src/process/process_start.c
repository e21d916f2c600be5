/* SPDX-License-Identifier: MIT */
/*
 * Running a function in a process of its own: sil_process_start. See function.h for what is said,
 * function.c for the other side.
 */
#include <sillon/process.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "core/context.h"
#include "process/function.h"
#include "process/nursery.h"
#include "process/process_object.h"
#include "process/region.h"
#include "process/takeover.h"

/* Seconds until a program that runs but does not answer counts as one that never will. */
#define PATIENCE 10
/* Once executed anew the program lies elsewhere: an address that was taken may be free then. */
#define TRIES 3

struct start {
    struct sil__spawn spawn;
    struct sil__order order;
    int letter;
    bool again; /* the new process says that another may do better */
};

/* --- the letter ---------------------------------------------------------------------------- */

static bool write_at(int file, const void *bytes, size_t size, uint64_t offset)
{
    const char *from = bytes;
    while (size > 0) {
        ssize_t written = pwrite(file, from, size, (off_t)offset);
        if (written < 0 && errno != EINTR)
            return false;
        size_t done = written > 0 ? (size_t)written : 0;
        from += done;
        offset += done;
        size -= done;
    }
    return true;
}

/* Writing fails where there is no memory; writing to a mapping would kill us. */
static int write_letter(struct start *start, const struct sil__module_table *table, const void *arg)
{
    size_t arg_size = start->order.arg_size;
    errno = EMFILE;
    start->letter = sil__fault(SIL__FAULT_SYSTEM) ? -1 : memfd_create("sillon", MFD_CLOEXEC);
    size_t used = offsetof(struct sil__module_table, modules[start->order.code.module + 1]);
    if (start->letter < 0 || ftruncate(start->letter, (off_t)(SIL__LETTER_ARG + arg_size)) != 0 ||
        !write_at(start->letter, table, used, 0) ||
        !write_at(start->letter, arg, arg_size, SIL__LETTER_ARG))
        return sil__fail_system(errno, "no memory to hand a function over");
    return 0;
}

static int encode(struct start *start, sil_task_fn fn, const void *arg)
{
    struct sil__module_table *table = sil__alloc(sizeof *table);
    struct sil__encoder *encoder = table ? sil__encoder_create(table) : NULL;
    int code = encoder ? sil__encode(encoder, fn, &start->order.code) : sil__fail(SIL_ENOMEM, NULL);
    if (code == 0)
        code = write_letter(start, table, arg);
    sil__encoder_destroy(encoder);
    sil__free(table);
    return code;
}

/* --- the process --------------------------------------------------------------------------- */

static void kill_newborn(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* It waits for our order, so it is still there, and its id its own. */
static int spawn(void *plan, pid_t *out_pid, int *out_descriptor)
{
    const struct start *start = plan;
    pid_t pid;
    int code = sil__spawn_self(&start->spawn, &pid);
    if (code != 0)
        return code;
    errno = EMFILE;
    int descriptor = sil__fault(SIL__FAULT_SYSTEM) ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
    if (descriptor < 0) {
        int error = errno;
        kill_newborn(pid);
        return sil__fail_system(error, "the new process cannot be watched");
    }
    *out_pid = pid;
    *out_descriptor = descriptor;
    return 0;
}

static int no_answer(sil_process *process, int error)
{
    if (error == EAGAIN)
        return sil__fail(SIL_ENOTSUP,
                         "the program, executed anew, did not take the function within %d s",
                         PATIENCE);
    if (error == ENOMEM || error == ENOBUFS || error == ETOOMANYREFS)
        return sil__fail(SIL_ENOMEM, "no memory to hand a function over");
    struct pollfd end = {.fd = process->descriptor, .events = POLLIN};
    (void)poll(&end, 1, PATIENCE * 1000 / 10);
    int code = sil_process_exit_code(process);
    if (code >= 0)
        return sil__fail(SIL_ENOTSUP, "the program, executed anew, exited with %d at once", code);
    if (code > -NSIG)
        return sil__fail(SIL_ENOTSUP, "the program, executed anew, was killed by signal %d at once",
                         -code);
    return sil__fail(SIL_ENOTSUP, "the program, executed anew, did not take the function");
}

/* 0: the function runs. */
static int hand_over(struct start *start, int socket, sil_process *process)
{
    const struct timeval patience = {.tv_sec = PATIENCE};
    (void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int code = sil__heaps_send(socket);
    if (code != 0 && code != SIL_EBROKEN)
        return code;
    struct sil__reply reply;
    errno = 0;
    if (code != 0 ||
        !sil__message_send(socket, &start->order, sizeof start->order, &start->letter, 1) ||
        !sil__message_receive(socket, &reply, sizeof reply, NULL, 0))
        return no_answer(process, errno);
    reply.text[sizeof reply.text - 1] = '\0';
    start->again = reply.code == SIL_EAGAIN;
    return reply.code == 0 ? 0 : sil__fail(reply.code, "%s", reply.text);
}

/* NULL with an error set. */
static sil_process *start_once(struct start *start)
{
    int sockets[2];
    errno = EMFILE;
    if (sil__fault(SIL__FAULT_SYSTEM) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        sil__fail_system(errno, "no socket for a new process");
        return NULL;
    }
    start->again = false;
    start->spawn.socket = sockets[1];
    sil_process *process = sil__process_create(spawn, start, !start->order.dies_with_starter);
    (void)close(sockets[1]);
    if (process && hand_over(start, sockets[0], process) != 0) {
        process->outlives_us = false;
        sil_process_destroy(process);
        process = NULL;
    }
    (void)close(sockets[0]);
    return process;
}

static int check(const sil_process_options *options, sil_task_fn fn, const void *arg,
                 size_t arg_size)
{
    if (!fn || (!arg && arg_size > 0))
        return sil__fail(SIL_EINVAL, "sil_process_start: the function or the argument is NULL");
    if (arg_size > SIL__SIZE_LIMIT)
        return sil__fail(SIL_EINVAL, "sil_process_start: %zu bytes of argument are too many",
                         arg_size);
    return sil__process_check(options, "sil_process_start");
}

sil_process *sil_process_start(const sil_process_options *options, sil_task_fn fn, const void *arg,
                               size_t arg_size)
{
    if (check(options, fn, arg, arg_size) != 0)
        return NULL;
    const sil_process_options defaults = {.name = NULL};
    options = options ? options : &defaults;
    struct start start = {
        .spawn = {.child = SIL__CHILD_FUNCTION,
                  .name = options->name ? options->name : "sillon",
                  .directory = options->directory,
                  .environment = options->environment,
                  .descriptors = options->descriptors,
                  .descriptor_count = options->descriptor_count},
        .order = {.magic = SIL__ORDER_MAGIC,
                  .size = sizeof start.order,
                  .starter = getpid(),
                  .dies_with_starter = !options->outlives_us,
                  .arg_size = arg_size},
        .letter = -1,
    };
    sil__process_standard(options, start.spawn.standard);
    sil_process *process = NULL;
    int code = encode(&start, fn, arg);
    for (int i = 0; i < TRIES && code == 0 && !process && (i == 0 || start.again); i++)
        process = start_once(&start);
    if (start.letter >= 0)
        (void)close(start.letter);
    return process;
}
