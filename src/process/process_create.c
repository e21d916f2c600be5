/* SPDX-License-Identifier: MIT */
/*
 * Making a process's object, its keeper, and what both kinds of process begin with. See
 * process_object.h.
 */
#include "process/process_object.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <sillon/error.h>
#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/fork.h"
#include "base/futex.h"
#include "core/context.h"
#include "core/error.h"
#include "process/environment.h"

int sil__fail_system(int error, const char *what)
{
    int code = SIL_ENOTSUP;
    if (error == EAGAIN || error == EMFILE || error == ENFILE)
        code = SIL_EAGAIN;
    else if (error == ENOMEM || error == ENOSPC)
        code = SIL_ENOMEM;
    return sil__fail(code, "%s: %s", what, sil_strerror(error));
}

/* --- options ------------------------------------------------------------------------------- */

static bool is_open(int descriptor)
{
    return descriptor >= 0 && fcntl(descriptor, F_GETFD) >= 0;
}

int sil__process_check(const sil_process_options *options, const char *caller)
{
    if (!options)
        return 0;
    for (size_t i = 0; i < sizeof options->reserved / sizeof options->reserved[0]; i++)
        if (options->reserved[i] != 0)
            return sil__fail(SIL_EINVAL, "%s: an option is out of range", caller);
    if (!sil__environment_valid(options->environment))
        return sil__fail(SIL_EINVAL, "%s: the environment is not valid", caller);
    if (!options->descriptors && options->descriptor_count > 0)
        return sil__fail(SIL_EINVAL, "%s: descriptors is NULL, but has a count", caller);
    for (size_t i = 0; i < options->descriptor_count; i++)
        if (!is_open(options->descriptors[i]))
            return sil__fail(SIL_EINVAL, "%s: descriptor %d is not open", caller,
                             options->descriptors[i]);
    const int standard[] = {options->standard_input, options->standard_output,
                            options->standard_error};
    for (int i = 0; i < 3; i++)
        if (standard[i] != 0 && !is_open(standard[i]))
            return sil__fail(SIL_EINVAL, "%s: descriptor %d is not open", caller, standard[i]);
    return 0;
}

void sil__process_standard(const sil_process_options *options, int out[3])
{
    const int wanted[] = {options->standard_input, options->standard_output,
                          options->standard_error};
    for (int i = 0; i < 3; i++)
        out[i] = wanted[i] == 0 || wanted[i] == i ? -1 : wanted[i];
}

/* --- the keeper ---------------------------------------------------------------------------- */

/* Lies on the stack of whoever creates, until over is set. */
struct birth {
    sil__process_starter starter;
    void *plan;
    sil_process *process;
    int code;
    sil_error *error; /* owned; of the starter, when code is not 0 */
    _Atomic uint32_t over;
};

static void *keep(void *argument)
{
    struct birth *birth = argument;
    sil_process *process = birth->process;
    int code = birth->starter(birth->plan, &process->pid, &process->descriptor);
    birth->code = code;
    if (code != 0)
        birth->error = sil__error_retain((sil_error *)sil_last_error());
    struct pollfd end = {.fd = process->descriptor, .events = POLLIN};
    /* Release pairs with the acquire in create_kept. */
    atomic_store_explicit(&birth->over, 1, memory_order_release);
    sil__futex_wake(&birth->over, 1);
    if (code != 0)
        return NULL;
    (void)prctl(PR_SET_NAME, "sil-keeper");
    while (poll(&end, 1, -1) != 1)
        continue;
    return NULL;
}

/* Signals go to the program's own threads; faults cannot be sent elsewhere. */
static int start_keeper(pthread_t *thread, struct birth *birth)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    if (sil__fault(SIL__FAULT_THREAD))
        return EAGAIN;
    sigset_t all;
    sigset_t former;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    int error = pthread_create(thread, NULL, keep, birth);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    return error;
}

static int create_kept(sil_process *process, sil__process_starter starter, void *plan)
{
    struct birth birth = {.starter = starter, .plan = plan, .process = process};
    if (start_keeper(&process->keeper, &birth) != 0)
        return sil__fail(SIL_EAGAIN, "no thread could be started to look after a process");
    while (atomic_load_explicit(&birth.over, memory_order_acquire) == 0)
        (void)sil__futex_wait(&birth.over, 0, INT64_MAX);
    process->kept = true;
    if (birth.code != 0) {
        (void)pthread_join(process->keeper, NULL);
        sil__context_set_error(birth.error);
    }
    return birth.code;
}

sil_process *sil__process_create(sil__process_starter starter, void *plan, bool outlives_us)
{
    sil_process *process = sil__alloc(sizeof *process);
    if (!process) {
        sil__fail(SIL_ENOMEM, NULL);
        return NULL;
    }
    process->generation = sil__fork_generation();
    process->outlives_us = outlives_us;
    int code = outlives_us ? starter(plan, &process->pid, &process->descriptor)
                           : create_kept(process, starter, plan);
    if (code != 0) {
        sil__free(process);
        return NULL;
    }
    return process;
}
