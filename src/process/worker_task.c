/* SPDX-License-Identifier: MIT */
/*
 * Running one task in a worker.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/clock.h"
#include "core/context.h"
#include "core/error.h"
#include "core/future.h"
#include "process/worker.h"

static struct sil__worker *worker_of(struct sil__remote *remote)
{
    return (struct sil__worker *)((char *)remote - offsetof(struct sil__worker, remote));
}

/* --- ambient calls ------------------------------------------------------------------------- */

static bool deadline_passed(const struct sil__worker *worker)
{
    int64_t deadline = worker->slot->deadline;
    return deadline != 0 && deadline != SIL_FOREVER && sil__clock_now() >= deadline;
}

static bool cancel_asked(const struct sil__worker *worker)
{
    return atomic_load_explicit(&worker->slot->state, memory_order_relaxed) & SIL__SLOT_CANCEL;
}

static bool task_cancelled(struct sil__remote *remote)
{
    const struct sil__worker *worker = worker_of(remote);
    return cancel_asked(worker) || deadline_passed(worker);
}

static void task_progress(struct sil__remote *remote, uint64_t done, uint64_t total)
{
    struct sil__worker *worker = worker_of(remote);
    struct sil__channel *channel = worker->channel;
    atomic_store_explicit(&channel->progress_done, done, memory_order_relaxed);
    atomic_store_explicit(&channel->progress_total, total, memory_order_relaxed);
    atomic_store_explicit(&channel->progress_of, worker->position + 1, memory_order_release);
}

static void drop_own_result(struct sil__worker *worker)
{
    if (worker->own_result)
        sil__answer_free(worker, worker->own_result);
    worker->own_result = NULL;
    worker->owns_small = false;
}

static void *task_result_alloc(struct sil__remote *remote, size_t size)
{
    struct sil__worker *worker = worker_of(remote);
    drop_own_result(worker);
    void *block = worker->small_result;
    if (size > sizeof worker->small_result) {
        block = worker->own_result = sil__answer_alloc(worker, size);
        if (!block)
            return NULL;
    }
    worker->owns_small = !worker->own_result;
    worker->own_size = size;
    return memset(block, 0, size ? size : 1);
}

/* --- the function -------------------------------------------------------------------------- */

static sil_task_fn find_function(struct sil__worker *worker, const struct sil__slot *slot)
{
    struct sil__code code = {.module = slot->module, .offset = slot->offset};
    size_t place =
        (code.offset >> 4 ^ code.module) % (sizeof worker->known / sizeof *worker->known);
    if (worker->known[place].fn && worker->known[place].code.offset == code.offset &&
        worker->known[place].code.module == code.module)
        return worker->known[place].fn;
    sil_task_fn fn = sil__decode(worker->decoder, &code);
    if (fn) {
        worker->known[place].code = code;
        worker->known[place].fn = fn;
    }
    return fn;
}

static void *result_room(const struct sil__slot *slot, unsigned char *small)
{
    if (slot->result_size == 0)
        return NULL;
    void *room = slot->flags & SIL__TASK_RESULT_BLOCK ? sil__address(slot->result) : small;
    return memset(room, 0, slot->result_size);
}

static int call(struct sil__worker *worker, struct sil__slot *slot, void *result)
{
    sil_task_fn fn = find_function(worker, slot);
    if (!fn)
        return sil_error_code(sil_last_error());
    if (slot->deadline != 0 && deadline_passed(worker))
        return sil__fail(SIL_ETIMEDOUT, "the deadline came before the task was started");
    void *arg = slot->arg_size == 0                 ? NULL
                : slot->flags & SIL__TASK_ARG_BLOCK ? sil__address(slot->arg)
                                                    : slot->bytes;
    int code = slot->flags & SIL__TASK_ITEMS
                   ? sil__items_call(fn, slot->items, arg, slot->arg_size / slot->items, result,
                                     slot->result_size / slot->items)
                   : fn(arg, result);
    if (code == SIL_ECANCELLED && !cancel_asked(worker) && deadline_passed(worker))
        return sil__fail(SIL_ETIMEDOUT, "the deadline came while the task ran");
    return code;
}

/* --- its answer ---------------------------------------------------------------------------- */

static void answer(struct sil__worker *worker, int code, const void *result)
{
    const struct sil__slot *slot = worker->slot;
    if (code != 0 && sil_error_code(sil_last_error()) == code)
        sil__answer_text(worker, sil_error_message(sil_last_error()));
    struct sil__answer *done = sil__answer_begin(worker);
    done->kind = SIL__ANSWER_DONE;
    done->position = worker->position;
    done->code = code;
    done->size = slot->result_size;
    done->block = 0;
    if (worker->own_result || worker->owns_small) {
        done->size = worker->own_size;
        done->block = (uintptr_t)worker->own_result;
        result = worker->small_result;
    } else if (slot->flags & SIL__TASK_RESULT_BLOCK) {
        done->block = slot->result;
    }
    if (code == 0 && !done->block && done->size <= SIL__ANSWER_BYTES && result)
        memcpy(done->bytes, result, done->size);
    worker->own_result = NULL;
    worker->owns_small = false;
    atomic_store_explicit(&worker->channel->passed, worker->position + 1, memory_order_relaxed);
    sil__answer_send_done(worker, done);
}

/* A task that forked has returned twice: here is the copy. */
static void leave_if_copy(const struct sil__worker *worker)
{
    if (*worker->witness != 1)
        _exit(0);
}

void sil__worker_perform(struct sil__worker *worker, struct sil__slot *slot)
{
    struct sil__context *context = sil__context();
    _Alignas(max_align_t) unsigned char small[SIL__ANSWER_BYTES];
    worker->slot = slot;
    worker->position = worker->next;
    worker->remote = (struct sil__remote){
        .cancelled = task_cancelled,
        .progress = task_progress,
        .result_alloc = task_result_alloc,
    };
    if (slot->flags & SIL__TASK_NAMED)
        worker->remote.name = worker->channel->names[worker->position % SIL__RING];
    if (slot->flags & SIL__TASK_TIMED) {
        atomic_store_explicit(&worker->channel->begun_at, sil__clock_now(), memory_order_relaxed);
        atomic_store_explicit(&worker->channel->timed, worker->position + 1, memory_order_release);
    }
    sil__limits_begin_task(&worker->hello->limits);
    struct sil__frame frame = {.remote = &worker->remote, .outer = context->frame};
    sil__context_push(context, &frame);

    void *result = result_room(slot, small);
    int code = call(worker, slot, result);
    leave_if_copy(worker);

    sil__context_pop(context, frame.outer);
    answer(worker, code, result);
    if (context->last_error)
        sil__context_set_error(NULL);
}
