/* SPDX-License-Identifier: MIT */
/*
 * A thread of its own for one task, see sillon/thread.h.
 *
 * The thread holds a reference to its task. Whoever drops the last one sees to the thread: an
 * owner joins it (it has nothing left to do but end), the thread itself detaches. So when the
 * future has been awaited and released, the thread is gone.
 */
#include <sillon/thread.h>

#include <string.h>
#include <sys/prctl.h>

#include <sillon/executor_impl.h>

#include "base/alloc.h"
#include "base/fork.h"
#include "base/spawn.h"
#include "core/context.h"
#include "core/future.h"

/* In the task's argument bytes, followed by the user's own argument. */
struct thread {
    pthread_t thread;
    bool started; /* set before anybody else may see the future */
    sil_task_fn fn;
    size_t arg_size;
};

#define THREAD_SIZE sil__size_align(sizeof(struct thread))

static struct thread *thread_of(sil_future *task)
{
    return (struct thread *)task->bytes;
}

static int thread_run(sil_future *task)
{
    const struct thread *thread = thread_of(task);
    return thread->fn(thread->arg_size ? task->bytes + THREAD_SIZE : NULL,
                      sil__future_result_bytes(task));
}

static sil_future *thread_destroy(sil_future *task)
{
    const struct thread *thread = thread_of(task);
    /* In the child of a fork there is no such thread. */
    if (!thread->started || task->generation != sil__fork_generation())
        return NULL;
    if (pthread_equal(thread->thread, pthread_self()))
        pthread_detach(thread->thread);
    else
        pthread_join(thread->thread, NULL);
    return NULL;
}

static const struct sil__future_kind thread_kind = {
    .run = thread_run,
    .destroy = thread_destroy,
};

static void *thread_main(void *argument)
{
    sil_future *task = argument;
    const char *name = sil_future_name(task);
    if (name)
        (void)prctl(PR_SET_NAME, name);
    (void)sil_task_run(task);
    sil_future_release(task);
    return NULL;
}

static int check(const sil_thread_options *options, sil_task_fn fn, const void *arg,
                 size_t arg_size)
{
    if (!fn || (!arg && arg_size > 0))
        return sil__fail(SIL_EINVAL, "sil_thread_start: the function or the argument is NULL");
    if (arg_size > SIL__SIZE_LIMIT)
        return sil__fail(SIL_EINVAL, "sil_thread_start: %zu bytes of argument are too many",
                         arg_size);
    if (options &&
        (options->reserved[0] || options->reserved[1] || options->stack_size > SIL__SIZE_LIMIT))
        return sil__fail(SIL_EINVAL, "sil_thread_start: an option is out of range");
    return 0;
}

sil_future *sil_thread_start(const sil_thread_options *options, sil_task_fn fn, const void *arg,
                             size_t arg_size, size_t result_size)
{
    sil_future *task = NULL;
    const sil_submit_options naming = {.name = options ? options->name : NULL};
    if (check(options, fn, arg, arg_size) == 0)
        task = sil__future_create(&(struct sil__task_spec){.kind = &thread_kind,
                                                           .options = &naming,
                                                           .arg_size = THREAD_SIZE + arg_size,
                                                           .result_size = result_size},
                                  1);
    if (!task)
        return sil__future_failed_last();
    struct thread *thread = thread_of(task);
    thread->fn = fn;
    thread->arg_size = arg_size;
    if (arg_size)
        memcpy(task->bytes + THREAD_SIZE, arg, arg_size);
    sil_future_retain(task);
    thread->started = true; /* seen by the thread, should it be the last to let go */
    if (!sil__spawn(&thread->thread, options ? options->stack_size : 0, thread_main, task)) {
        thread->started = false;
        (void)sil_task_fail(task, SIL_EAGAIN, "no thread could be started");
        sil_future_release(task);
    }
    return task;
}
