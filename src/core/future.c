/* SPDX-License-Identifier: MIT */
/*
 * The life of a future: made, counted, looked at, freed. Transitions are in state.c.
 */
#include "core/future.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fork.h"
#include "base/recycle.h"
#include "base/trace.h"
#include "core/context.h"
#include "core/error.h"

#define LARGE ((size_t)64 * 1024)

/* What submit answers when there is no memory for an answer. Never freed, and never other. */
static sil_future no_memory = {.word = SIL__ONE_REF | SIL_FINISHED, .code = SIL_ENOMEM};

/* Small ones begin at a cache line and share it with no other. */
static sil_future *create_block(size_t size, bool large)
{
    const size_t line = 64;
    size_t whole = (size + line - 1) / line * line;
    bool recycled = whole <= SIL__RECYCLE_MOST;
    sil_future *future = recycled ? sil__recycle_take(whole)
                         : large  ? sil__alloc(size)
                                  : sil__alloc_raw(size);
    if (future)
        future->recycled = recycled ? (uint16_t)whole : 0;
    return future;
}

static void free_block(sil_future *future)
{
    if (future->recycled)
        sil__recycle_give(future, future->recycled);
    else
        sil__free(future);
}

/* What it held and must be dropped next is returned: a chain is freed without recursion. */
static sil_future *destroy(sil_future *future)
{
    sil_future *next = future->kind && future->kind->destroy ? future->kind->destroy(future) : NULL;
    struct sil__details *details = atomic_load_explicit(&future->details, memory_order_relaxed);
    if (details) {
        sil__error_release(atomic_load_explicit(&details->error, memory_order_relaxed));
        if (details->block)
            details->block_free(details->block);
        if (details->arg)
            details->arg_free(details->arg);
        /* Where a value really lies is never itself such a link: this does not go deeper. */
        sil_future_release(details->value_from);
        sil__free(details);
    }
    free_block(future);
    return next;
}

/* Room for a name given at submit, and for all that comes later. */
static struct sil__details *create_details(const sil_submit_options *options)
{
    size_t size = options->name ? strlen(options->name) + 1 : 0;
    struct sil__details *details = sil__alloc(sizeof *details + size);
    if (!details)
        return NULL;
    details->deadline = options->deadline;
    details->timeout = options->timeout;
    details->retries = options->retries;
    if (options->name) {
        memcpy(details->name, options->name, size);
        details->named = true;
    }
    return details;
}

/* What of a task lies with its engine. */
struct outside {
    void *arg; /* NULL: the argument does not */
    bool result;
    void (*free)(void *block);
};

/* Tasks of the library's own keep to their bytes. Where there is no room outside, so do others. */
static struct outside take_outside(const struct sil__task_spec *spec)
{
    struct outside outside = {0};
    const sil_block_ops *blocks = spec->executor ? spec->executor->blocks : NULL;
    if (!blocks || (spec->kind && !spec->items))
        return outside;
    outside.free = blocks->free;
    outside.result = spec->result_size >= blocks->least;
    if (spec->arg_size >= blocks->least)
        outside.arg = blocks->alloc(spec->executor, spec->arg_size);
    return outside;
}

static bool take_details(sil_future *future, const struct sil__task_spec *spec,
                         const struct outside *outside)
{
    static const sil_submit_options none;
    const sil_submit_options *options = spec->options ? spec->options : &none;
    future->priority = (int8_t)options->priority;
    if (!options->name && options->deadline == 0 && options->timeout == 0 &&
        options->retries == 0 && !outside->arg && !spec->items && !sil__trace_library())
        return true;
    struct sil__details *details = create_details(options);
    if (!details)
        return false;
    details->items = spec->items;
    /* One that waits for others is not queued yet. */
    if (sil__trace_library() && spec->executor && !(spec->kind && spec->kind->inputs))
        details->queued_at = sil__clock_now();
    details->arg = outside->arg;
    details->arg_free = outside->free;
    atomic_store_explicit(&future->details, details, memory_order_relaxed);
    return true;
}

static void put_arg(void *room, const struct sil__task_spec *spec)
{
    if (spec->arg && spec->arg_size)
        memcpy(room, spec->arg, spec->arg_size);
    else if (spec->arg_size)
        memset(room, 0, spec->arg_size);
}

sil_future *sil__future_create(const struct sil__task_spec *spec, unsigned refs)
{
    if (spec->arg_size > SIL__SIZE_LIMIT || spec->result_size > SIL__SIZE_LIMIT) {
        sil__fail(SIL_EINVAL, "an argument of %zu bytes or a result of %zu is too large",
                  spec->arg_size, spec->result_size);
        return NULL;
    }
    struct outside outside = take_outside(spec);
    size_t arg_room = outside.arg ? 0 : sil__size_align(spec->arg_size);
    size_t result_room = outside.result ? 0 : spec->result_size;
    /* A large result is zeroed by the system, page by page, when it is touched. */
    bool large = result_room > LARGE;
    sil_future *future = create_block(sizeof(sil_future) + arg_room + result_room, large);
    if (!future)
        goto fail;
    bool ready = spec->executor && !(spec->kind && spec->kind->inputs);
    atomic_init(&future->word, refs * SIL__ONE_REF | (ready ? SIL__STATE_READY : 0));
    /* One by one: clearing the whole first costs more than all the rest. */
    future->lock = (struct sil__lock){0};
    future->code = 0;
    future->listeners = NULL;
    future->kind = spec->kind;
    future->executor = spec->executor;
    future->fn = spec->fn;
    future->arg_size = spec->arg_size;
    future->result_size = spec->result_size;
    future->generation = sil__fork_generation();
    future->no_wait = spec->no_wait;
    future->arg_outside = outside.arg != NULL;
    future->result_outside = outside.result;
    future->stack_class = spec->stack_class & 15u;
    future->unused = 0;
    future->next = NULL;
    atomic_init(&future->runner, NULL);
    atomic_init(&future->details, NULL);
    if (!take_details(future, spec, &outside))
        goto fail_details;
    put_arg(outside.arg ? outside.arg : future->bytes, spec);
    if (!large && result_room)
        memset(future->bytes + arg_room, 0, result_room);
    return future;

fail_details:
    free_block(future);
fail:
    if (outside.arg)
        outside.free(outside.arg);
    sil__fail(SIL_ENOMEM, "no memory for a task with %zu bytes of argument and %zu of result",
              spec->arg_size, spec->result_size);
    return NULL;
}

sil_future *sil__future_failed_last(void)
{
    sil_error *error = sil__error_retain(sil__context()->last_error);
    int code = sil_error_code(error);
    sil_future *future = sil__future_create(&(struct sil__task_spec){0}, 1);
    if (!future) {
        sil__error_release(error);
        return &no_memory;
    }
    (void)sil__state_claim(future);
    sil__state_finish(future, code ? code : SIL_ENOMEM, error);
    return future;
}

sil_future *sil__future_failed(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sil__context_set_error(sil__error_create(code, NULL, format, arguments));
    va_end(arguments);
    sil_future *future = sil__future_create(&(struct sil__task_spec){0}, 1);
    if (!future)
        return &no_memory;
    (void)sil__state_claim(future);
    sil__state_finish(future, code, sil__error_retain(sil__context()->last_error));
    return future;
}

struct sil__details *sil__future_details(sil_future *future)
{
    struct sil__details *details = atomic_load_explicit(&future->details, memory_order_acquire);
    if (details || future == &no_memory)
        return details;
    struct sil__details *fresh = create_details(&(sil_submit_options){0});
    if (!fresh)
        return NULL;
    /* Release pairs with the acquire of whoever finds the details. */
    if (atomic_compare_exchange_strong_explicit(&future->details, &details, fresh,
                                                memory_order_acq_rel, memory_order_acquire))
        return fresh;
    sil__free(fresh);
    return details;
}

sil_future *sil_future_retain(sil_future *future)
{
    if (future && future != &no_memory)
        atomic_fetch_add_explicit(&future->word, SIL__ONE_REF, memory_order_relaxed);
    return future;
}

/* True if that was the last one. */
static bool drop_reference(sil_future *future)
{
    /* Acquire: what the others did with it comes before the free. Ours is the last already: nobody can
     * take another. */
    if (atomic_load_explicit(&future->word, memory_order_acquire) < 2 * SIL__ONE_REF)
        return true;
    /* Release: and so does what we did, if another is the last. */
    return atomic_fetch_sub_explicit(&future->word, SIL__ONE_REF, memory_order_acq_rel) <
           2 * SIL__ONE_REF;
}

void sil_future_release(sil_future *future)
{
    while (future && future != &no_memory) {
        if (!drop_reference(future))
            return;
        future = destroy(future);
    }
}

void sil__future_destroy(sil_future *future)
{
    sil_future_release(destroy(future));
}

void *sil__future_result_bytes(sil_future *future)
{
    size_t arg_room = future->arg_outside ? 0 : sil__size_align(future->arg_size);
    return future->result_size && !future->result_outside ? future->bytes + arg_room : NULL;
}

void *sil__future_arg_outside(sil_future *future)
{
    return atomic_load_explicit(&future->details, memory_order_acquire)->arg;
}

bool sil__future_take_block(sil_future *future, void *block, size_t size,
                            void (*block_free)(void *block))
{
    struct sil__details *details = sil__future_details(future);
    if (!details) {
        block_free(block);
        return false;
    }
    if (details->block)
        details->block_free(details->block);
    details->block = block;
    details->block_size = size;
    details->block_free = block_free;
    return true;
}

void *sil__future_result_room(sil_future *future)
{
    if (!future->result_outside)
        return sil__future_result_bytes(future);
    const sil_block_ops *blocks = future->executor->blocks;
    void *block = blocks->alloc(future->executor, future->result_size);
    void (*block_free)(void *block) = block ? blocks->free : sil__free;
    if (block)
        memset(block, 0, future->result_size);
    else
        block = sil__alloc(future->result_size);
    return block && sil__future_take_block(future, block, future->result_size, block_free) ? block
                                                                                           : NULL;
}

const sil_future *sil__future_value(const sil_future *future)
{
    const struct sil__details *details =
        atomic_load_explicit(&future->details, memory_order_acquire);
    return details && details->value_from ? details->value_from : future;
}

/* --- looking at it ------------------------------------------------------------------------- */

sil_state sil_future_state(const sil_future *future)
{
    return future ? sil__state_look((sil_future *)future) : SIL_CANCELLED;
}

bool sil_future_done(const sil_future *future)
{
    return !future || sil__future_final(future);
}

int sil_future_code(const sil_future *future)
{
    if (!future)
        return SIL_EINVAL;
    switch (sil__future_phase(future)) {
    case SIL_FINISHED:
        return future->code;
    case SIL_CANCELLED:
        return SIL_ECANCELLED;
    default:
        return SIL_EINPROGRESS;
    }
}

const void *sil_future_result(const sil_future *future, size_t *out_size)
{
    size_t size = 0;
    const void *value = NULL;
    if (sil_future_code(future) == 0) {
        const sil_future *from = sil__future_value(future);
        const struct sil__details *details =
            atomic_load_explicit(&from->details, memory_order_acquire);
        if (details && details->block) {
            size = details->block_size;
            value = size ? details->block : NULL;
        } else {
            size = from->result_size;
            value = sil__future_result_bytes((sil_future *)from);
        }
    }
    if (out_size)
        *out_size = size;
    return value;
}

/* Made on demand: most errors without a message are never looked at. */
const sil_error *sil_future_error(const sil_future *future)
{
    int code = sil_future_code(future);
    if (!future || code == 0 || code == SIL_EINPROGRESS)
        return NULL;
    struct sil__details *details = sil__future_details((sil_future *)future);
    if (!details)
        return sil__error_fixed(code);
    sil_error *error = atomic_load_explicit(&details->error, memory_order_acquire);
    if (error)
        return error;
    sil_error *fresh = sil__error_create_text(code, sil_future_name(future), sil_strerror(code));
    if (atomic_compare_exchange_strong_explicit(&details->error, &error, fresh,
                                                memory_order_acq_rel, memory_order_acquire))
        return fresh;
    sil__error_release(fresh);
    return error;
}

const char *sil_future_name(const sil_future *future)
{
    const struct sil__details *details =
        future ? atomic_load_explicit(&future->details, memory_order_acquire) : NULL;
    return details && details->named ? details->name : NULL;
}

const char *sil__future_label(const sil_future *future, char *buffer, size_t size)
{
    const char *name = sil_future_name(future);
    if (name)
        (void)snprintf(buffer, size, "'%s'", name);
    else
        (void)snprintf(buffer, size, "task %p", (const void *)future);
    return buffer;
}

void sil_future_progress(const sil_future *future, uint64_t *out_done, uint64_t *out_total)
{
    const struct sil__details *details =
        future ? atomic_load_explicit(&future->details, memory_order_acquire) : NULL;
    uint64_t done =
        details ? atomic_load_explicit(&details->progress_done, memory_order_relaxed) : 0;
    uint64_t total =
        details ? atomic_load_explicit(&details->progress_total, memory_order_relaxed) : 0;
    if (future)
        (void)sil__state_progress((sil_future *)future, &done, &total);
    if (out_done)
        *out_done = done;
    if (out_total)
        *out_total = total;
}

static int cancel(sil_future *future, bool force)
{
    int outcome = sil__state_cancel(future, force);
    /* What it is made of: a chain one by one, each kept by the reference handed on. */
    sil_future *next = outcome == 0 && future->kind && future->kind->cancelled
                           ? future->kind->cancelled(future)
                           : NULL;
    while (next) {
        sil_future *input = next;
        next = sil__state_cancel(input, force) == 0 && input->kind && input->kind->cancelled
                   ? input->kind->cancelled(input)
                   : NULL;
        sil_future_release(input);
    }
    return outcome;
}

int sil_future_cancel(sil_future *future)
{
    if (!future)
        return sil__fail(SIL_EINVAL, "sil_future_cancel: the future is NULL");
    return cancel(future, false);
}

int sil_future_kill(sil_future *future)
{
    if (!future)
        return sil__fail(SIL_EINVAL, "sil_future_kill: the future is NULL");
    return cancel(future, true);
}
