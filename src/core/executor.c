/* SPDX-License-Identifier: MIT */
/*
 * Executors: checks what users hand in, makes the tasks, and calls the engine.
 *
 * A closed executor is not freed at once but kept among the last KEPT ones, with operations that
 * refuse: closing twice and submitting afterwards are common mistakes, and get an answer.
 */
#include "core/executor.h"

#include <stddef.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fork.h"
#include "base/lock.h"
#include "core/context.h"
#include "core/error.h"
#include "core/wait.h"

#define KEPT 64
/* Futures of a bulk submit are made and handed over in groups of so many. */
#define GROUP 64

/* --- closed executors ---------------------------------------------------------------------- */

static void closed_submit(sil_executor *executor, sil_future *const *tasks, size_t count)
{
    (void)executor;
    for (size_t i = 0; i < count; i++) {
        (void)sil_task_fail(tasks[i], SIL_ESHUTDOWN, "the executor is closed");
        sil_future_release(tasks[i]);
    }
}

static int closed_shutdown(sil_executor *executor, bool cancel_pending, sil_deadline until)
{
    (void)executor, (void)cancel_pending, (void)until;
    return 0;
}

static int closed_close(sil_executor *executor)
{
    (void)executor;
    return sil__fail(SIL_ESHUTDOWN, "the executor was closed before");
}

static void closed_stats(sil_executor *executor, sil_executor_stats *out)
{
    (void)executor, (void)out;
}

static const sil_executor_ops closed_ops = {
    .size = sizeof closed_ops,
    .kind = "closed",
    .shares_memory = true, /* let whoever asks get as far as submit, which says what is wrong */
    .submit = closed_submit,
    .shutdown = closed_shutdown,
    .close = closed_close,
    .stats = closed_stats,
};

static struct {
    struct sil__lock lock;
    /* Guarded by lock: oldest first. */
    sil_executor *first;
    sil_executor *last;
    size_t count;
} retired;

static void retired_in_child(void)
{
    retired.lock = (struct sil__lock){0};
}

__attribute__((constructor)) static void prepare(void)
{
    sil__fork_on_child(retired_in_child);
}

/* A thread that goes on meanwhile may retire one more. */
__attribute__((destructor)) static void program_ends(void)
{
    sil__lock_take(&retired.lock);
    sil_executor *executor = retired.first;
    retired.first = retired.last = NULL;
    retired.count = 0;
    sil__lock_drop(&retired.lock);
    while (executor) {
        sil_executor *next = executor->next_retired;
        sil__free(executor);
        executor = next;
    }
}

void sil_executor_init(sil_executor *executor, const sil_executor_ops *ops, unsigned workers)
{
    *executor =
        (sil_executor){.ops = ops, .generation = sil__fork_generation(), .workers = workers};
    if (ops->size < sizeof *ops)
        return; /* compiled with an older table */
    executor->attend = ops->attend;
    executor->blocks = ops->blocks;
}

/* Atomic, since a task may close its executor while another thread, mistaken, uses it. */
static const sil_executor_ops *ops_of(const sil_executor *executor)
{
    return __atomic_load_n(&executor->ops, __ATOMIC_ACQUIRE);
}

bool sil_executor_inside(const sil_executor *executor)
{
    return sil__context_runs(sil__context(), executor);
}

void sil_executor_disown(sil_executor *executor)
{
    __atomic_store_n(&executor->ops, &closed_ops, __ATOMIC_RELEASE);
}

void sil_executor_retire(sil_executor *executor)
{
    sil_executor_disown(executor);
    executor->next_retired = NULL;
    sil_executor *oldest = NULL;
    sil__lock_take(&retired.lock);
    if (retired.last)
        retired.last->next_retired = executor;
    else
        retired.first = executor;
    retired.last = executor;
    if (++retired.count > KEPT) {
        oldest = retired.first;
        retired.first = oldest->next_retired;
        retired.count--;
    }
    sil__lock_drop(&retired.lock);
    sil__free(oldest);
}

/* --- submitting ---------------------------------------------------------------------------- */

/* 0, or why nothing can be submitted with these arguments; the last error says it too. */
static int check(const struct sil__task_spec *spec)
{
    const sil_submit_options *options = spec->options;
    if (!spec->executor)
        return sil__fail(SIL_EINVAL, "submit: the executor is NULL");
    if (!spec->fn && !(spec->kind && spec->kind->run))
        return sil__fail(SIL_EINVAL, "submit: the function is NULL");
    if (!spec->arg && spec->arg_size > 0)
        return sil__fail(SIL_EINVAL, "submit: the argument is NULL, but has a size");
    if (options && (options->priority < SIL_PRIORITY_LOW || options->priority > SIL_PRIORITY_HIGH ||
                    options->deadline < 0 || !(options->timeout >= 0) || options->reserved))
        return sil__fail(SIL_EINVAL, "submit: an option is out of range");
    if (spec->executor->generation != sil__fork_generation())
        return sil__fail(SIL_EFORKED, "the executor was made before a fork: its workers are in "
                                      "the parent");
    return 0;
}

/* In a sil_deadline_scope what is submitted ends with it: the options, with that deadline. */
static void inherit_deadline(struct sil__task_spec *spec, sil_submit_options *room)
{
    sil_deadline deadline = sil__context()->deadline;
    *room = spec->options ? *spec->options : (sil_submit_options){0};
    if (room->deadline == 0 || deadline < room->deadline)
        room->deadline = deadline;
    spec->options = room;
}

static sil_future *submit_in_scope(struct sil__task_spec spec)
{
    sil_submit_options options;
    inherit_deadline(&spec, &options);
    sil_future *future = check(&spec) == 0 ? sil__future_create(&spec, 2) : NULL;
    if (!future)
        return sil__future_failed_last();
    sil__submit_task(future);
    return future;
}

sil_future *sil__submit(const struct sil__task_spec *spec)
{
    if (sil__context()->deadline != 0)
        return submit_in_scope(*spec);
    sil_future *future = check(spec) == 0 ? sil__future_create(spec, 2) : NULL;
    if (!future)
        return sil__future_failed_last();
    sil__submit_task(future);
    return future;
}

void sil__submit_task(sil_future *task)
{
    sil_executor *executor = task->executor;
    ops_of(executor)->submit(executor, &task, 1);
}

sil_future *sil_submit(sil_executor *executor, sil_task_fn fn, const void *arg, size_t arg_size,
                       size_t result_size)
{
    return sil_submit_with(executor, NULL, fn, arg, arg_size, result_size);
}

sil_future *sil_submit_with(sil_executor *executor, const sil_submit_options *options,
                            sil_task_fn fn, const void *arg, size_t arg_size, size_t result_size)
{
    return sil__submit(&(struct sil__task_spec){
        .executor = executor,
        .options = options,
        .fn = fn,
        .arg = arg,
        .arg_size = arg_size,
        .result_size = result_size,
    });
}

/* Make one group; how many could be handed over is returned, the others have failed. */
static size_t make_group(struct sil__task_spec *spec, size_t count, sil_future **out_futures,
                         sil_future **tasks)
{
    size_t made = 0;
    for (size_t i = 0; i < count; i++) {
        out_futures[i] = sil__future_create(spec, 2);
        if (out_futures[i])
            tasks[made++] = out_futures[i];
        else
            out_futures[i] = sil__future_failed_last();
        if (spec->arg_size)
            spec->arg = (const unsigned char *)spec->arg + spec->arg_size;
    }
    return made;
}

int sil__submit_many(struct sil__task_spec spec, size_t count, sil_future **out_futures)
{
    sil_submit_options options;
    if (sil__context()->deadline != 0)
        inherit_deadline(&spec, &options);
    int code = check(&spec);
    for (size_t i = 0; code != 0 && i < count; i++)
        out_futures[i] = sil__future_failed_last();
    if (code != 0)
        return code;
    for (size_t done = 0; done < count; done += GROUP) {
        sil_future *tasks[GROUP];
        size_t group = count - done < GROUP ? count - done : GROUP;
        size_t made = make_group(&spec, group, out_futures + done, tasks);
        if (made > 0)
            ops_of(spec.executor)->submit(spec.executor, tasks, made);
    }
    return 0;
}

static int first_refused(sil_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int code = sil_future_code(futures[i]);
        /* One that ran already and failed was accepted, its runner tells, or that it was sent; and so
         * was one that was cancelled meanwhile. */
        if (code != SIL_EINPROGRESS && code != 0 && code != SIL_ECANCELLED &&
            !atomic_load_explicit(&futures[i]->runner, memory_order_relaxed) &&
            !(atomic_load_explicit(&futures[i]->word, memory_order_relaxed) & SIL__STATE_SENT)) {
            sil__context_set_error(sil__error_retain((sil_error *)sil_future_error(futures[i])));
            return code;
        }
    }
    return 0;
}

int sil_submit_many(sil_executor *executor, const sil_submit_options *options, sil_task_fn fn,
                    const void *args, size_t arg_size, size_t result_size, size_t count,
                    sil_future **out_futures)
{
    if ((!out_futures && count > 0) || count > SIL__SIZE_LIMIT / sizeof(sil_future *))
        return sil__fail(SIL_EINVAL, "sil_submit_many: no room for the futures, or too many");
    struct sil__task_spec spec = {
        .executor = executor,
        .options = options,
        .fn = fn,
        .arg = args,
        .arg_size = arg_size,
        .result_size = result_size,
    };
    if (count == 0)
        return 0;
    int code = sil__submit_many(spec, count, out_futures);
    return code != 0 ? code : first_refused(out_futures, count);
}

/* --- posting ------------------------------------------------------------------------------- */

int sil__post_tasks(sil_executor *executor, sil_task_fn fn, const void *args, size_t arg_size,
                    size_t count)
{
    int code = 0;
    /* Nobody would hear that it was too late for one: what is posted outlasts the scope. */
    struct sil__context *context = sil__context();
    sil_deadline scope = context->deadline;
    context->deadline = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        sil_future *future = sil_submit(executor, fn, args, arg_size, 0);
        code = first_refused(&future, 1);
        sil_future_release(future);
        if (arg_size)
            args = (const unsigned char *)args + arg_size;
    }
    context->deadline = scope;
    return code;
}

typedef int (*post_fn)(sil_executor *executor, sil_task_fn fn, const void *args, size_t arg_size,
                       size_t count);

/* Engines compiled with an older table of operations have none. */
static post_fn post_of(const sil_executor *executor)
{
    const sil_executor_ops *ops = ops_of(executor);
    return ops->size > offsetof(sil_executor_ops, post) && ops->post ? ops->post : sil__post_tasks;
}

int sil_post_many(sil_executor *executor, sil_task_fn fn, const void *args, size_t arg_size,
                  size_t count)
{
    int code = check(&(struct sil__task_spec){
        .executor = executor, .fn = fn, .arg = args, .arg_size = arg_size});
    size_t bytes;
    if (code == 0 && (!sil__size_mul(count, arg_size, &bytes) || bytes > SIL__SIZE_LIMIT ||
                      count > SIL__SIZE_LIMIT))
        code =
            sil__fail(SIL_EINVAL, "post: %zu arguments of %zu bytes are too many", count, arg_size);
    if (code != 0 || count == 0)
        return code;
    return post_of(executor)(executor, fn, args, arg_size, count);
}

int sil_post(sil_executor *executor, sil_task_fn fn, const void *arg, size_t arg_size)
{
    if (executor && fn && (arg || arg_size == 0) && arg_size <= SIL__SIZE_LIMIT &&
        executor->generation == sil__fork_generation())
        return post_of(executor)(executor, fn, arg, arg_size, 1);
    return sil_post_many(executor, fn, arg, arg_size, 1); /* says what is wrong */
}

/* --- the rest of the interface ------------------------------------------------------------- */

bool sil__executor_shares_memory(const sil_executor *executor)
{
    return executor && ops_of(executor)->shares_memory;
}

bool sil__executor_takes_items(const sil_executor *executor)
{
    const sil_executor_ops *ops = ops_of(executor);
    return ops->size > offsetof(sil_executor_ops, takes_items) && ops->takes_items;
}

static int check_use(const sil_executor *executor)
{
    if (!executor)
        return sil__fail(SIL_EINVAL, "the executor is NULL");
    if (executor->generation != sil__fork_generation())
        return sil__fail(SIL_EFORKED, "the executor was made before a fork: its workers are in "
                                      "the parent");
    return 0;
}

/* Would waiting for the end of this executor put a thread to sleep that others need? */
static bool must_not_sleep(const struct sil__context *context, sil_executor *executor)
{
    return context->ops->parks && !context->ops->parks(executor);
}

/* Nobody tells of the end but to a thread that sleeps: so look again and again, seldomer each time. */
static int shutdown_parked(struct sil__context *context, sil_executor *executor,
                           bool cancel_pending, sil_deadline until)
{
    static const struct sil__purpose purpose = {.text = "the end of an executor's tasks"};
    const int64_t first = INT64_C(1000000), longest = INT64_C(16000000);
    for (int64_t pause = first;; pause = pause < longest ? 2 * pause : longest) {
        const sil_deadline passed = 1;
        int code = ops_of(executor)->shutdown(executor, cancel_pending, passed);
        int64_t now = sil__clock_now();
        if (code != SIL_ETIMEDOUT || now >= until)
            return code;
        struct sil__waiter waiter;
        sil__waiter_init(&waiter, context);
        waiter.purpose = &purpose;
        code = context->ops->wait(context, &waiter, until - now > pause ? now + pause : until);
        if (code == SIL_ECANCELLED)
            return sil__context_deliver_cancel(context, "sil_executor_shutdown");
    }
}

int sil_executor_shutdown(sil_executor *executor, bool cancel_pending, sil_deadline until)
{
    int code = check_use(executor);
    if (code != 0)
        return code;
    struct sil__context *context = sil__context();
    if (until > SIL_NOW) {
        sil__state_drain(context);
        until = sil__context_until(context, until);
        if (must_not_sleep(context, executor))
            return shutdown_parked(context, executor, cancel_pending, until);
    }
    return ops_of(executor)->shutdown(executor, cancel_pending, until);
}

int sil_executor_close(sil_executor *executor)
{
    if (!executor)
        return 0;
    int code = check_use(executor);
    if (code != 0)
        return code;
    struct sil__context *context = sil__context();
    sil__state_drain(context);
    if (must_not_sleep(context, executor)) {
        context->shielded++;
        (void)shutdown_parked(context, executor, false, SIL_FOREVER);
        context->shielded--;
    }
    return ops_of(executor)->close(executor);
}

int sil_executor_stats_get(sil_executor *executor, sil_executor_stats *out)
{
    if (!executor || !out)
        return sil__fail(SIL_EINVAL, "sil_executor_stats_get: an argument is NULL");
    int code = check_use(executor);
    if (code != 0)
        return code;
    *out = (sil_executor_stats){.workers = executor->workers};
    ops_of(executor)->stats(executor, out);
    return 0;
}

const char *sil_executor_kind(const sil_executor *executor)
{
    return executor ? ops_of(executor)->kind : "";
}

unsigned sil_executor_workers(const sil_executor *executor)
{
    return executor ? executor->workers : 0;
}
