/* SPDX-License-Identifier: MIT */
/*
 * How a worker begins, see begin.h; and how it ends when it was told to leave.
 */
#include "process/begin.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "core/context.h"
#include "core/error.h"
#include "process/region.h"
#include "process/worker.h"

static struct sil__worker worker;

/* --- what the process is ------------------------------------------------------------------- */

/* Ours from now on: a group of its own, no descriptors of the helper's, but for the heaps', which
 * a pool of a task's own passes on; its end with the helper's. */
static void separate(const struct sil__helper *helper, struct sil__start start)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)close(helper->socket);
    (void)close(helper->signals);
    if (helper->parent >= 0)
        (void)close(helper->parent);
    (void)signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    char name[SIL__WORKER_NAME_SIZE];
    int room = (int)sizeof name - 1 - (start.index > 999 ? 5 : start.index > 99 ? 4 : 3);
    (void)snprintf(name, sizeof name, "%.*s-%u", room, helper->hello.name, start.index);
    (void)prctl(PR_SET_NAME, name);
}

/* A page that a fork leaves behind: whoever finds 0 there is a copy. */
static volatile uint32_t *create_witness(void)
{
    static uint32_t always = 1;
    void *page = mmap(NULL, SIL__PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || madvise(page, SIL__PAGE, MADV_WIPEONFORK) != 0)
        return &always;
    *(uint32_t *)page = 1;
    return page;
}

/* --- shared memory for tasks --------------------------------------------------------------- */

static void *hook_alloc(size_t size)
{
    if (*worker.witness != 1) {
        sil__fail(SIL_EFORKED, "the pool gives memory only to its worker, not to a fork of it");
        return NULL;
    }
    if (worker.hello->region_base != 0) {
        sil__fail(SIL_ENOTSUP, "there is no shared memory in a sandbox");
        return NULL;
    }
    return sil__answer_alloc(&worker, size);
}

static void hook_free(void *block)
{
    if (*worker.witness == 1 && worker.hello->region_base == 0)
        sil__answer_free(&worker, block);
}

static const struct sil__region_hooks hooks = {.alloc = hook_alloc, .free = hook_free};

/* --- getting ready, and the end ------------------------------------------------------------ */

static int run_initializer(const struct sil__hello *hello)
{
    if (!hello->initialized)
        return 0;
    sil_task_fn fn = sil__decode(worker.decoder, &hello->initializer);
    if (!fn)
        return sil_error_code(sil_last_error());
    void *arg = NULL;
    if (hello->initializer_arg_size > 0) {
        arg = sil__alloc(hello->initializer_arg_size);
        if (!arg)
            return sil__fail(SIL_ENOMEM, "no memory for the initializer's argument");
        memcpy(arg, worker.control->initializer_arg, hello->initializer_arg_size);
    }
    int (*initializer)(void *arg) = (int (*)(void *))(void (*)(void))fn;
    return initializer(arg);
}

/* What it printed is seen. Handlers of the program's end run where the program was executed for us
 * alone; in a fork of it they are not ours to run, and in a sandbox
 * they may not do what they want. */
static _Noreturn void end_worker(void)
{
    if (!worker.hello->forked && worker.hello->limits.sandbox == SIL_SANDBOX_NONE)
        exit(0);
    (void)fflush(NULL);
    _exit(0);
}

static _Noreturn void give_up(int code)
{
    if (sil_error_code(sil_last_error()) == code)
        sil__answer_text(&worker, sil_error_message(sil_last_error()));
    struct sil__answer *answer = sil__answer_begin(&worker);
    answer->kind = SIL__ANSWER_BROKEN;
    answer->code = code;
    sil__answer_send(&worker, answer);
    end_worker();
}

_Noreturn void sil__worker_begin(struct sil__helper *helper, struct sil__start start,
                                 int channel_fd)
{
    worker.hello = &helper->hello;
    worker.control = helper->control;
    worker.decoder = helper->decoder;
    worker.channel =
        mmap(NULL, sizeof *worker.channel, PROT_READ | PROT_WRITE, MAP_SHARED, channel_fd, 0);
    (void)close(channel_fd);
    if (worker.channel == MAP_FAILED)
        _exit(1);
    separate(helper, start);
    if (getppid() != helper->self)
        _exit(1); /* the helper went before it could take us along */
    if (helper->hello.forked)
        __fpurge(stdout); /* what the program had not written yet is its own to write */
    worker.witness = create_witness();
    worker.spin_credit = 1;
    sil__heap_hooks(&hooks);

    int code = sil__limits_apply(&helper->hello.limits);
    if (code == 0)
        code = run_initializer(&helper->hello);
    if (code == 0)
        code = sil__sandbox_enter((sil_sandbox)helper->hello.limits.sandbox);
    if (code != 0)
        give_up(code);
    struct sil__answer *answer = sil__answer_begin(&worker);
    answer->kind = SIL__ANSWER_READY;
    answer->size = (uint64_t)getpid();
    sil__answer_send(&worker, answer);
    sil__worker_loop(&worker);
    end_worker();
}
