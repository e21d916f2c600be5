/* SPDX-License-Identifier: MIT */
/*
 * Map as an iterator: a ring of tasks in input order, refilled as results are taken from it.
 *
 * I1: no more than `size` tasks were submitted and not yielded.
 * I2: after an error nothing more is submitted, and what is in the ring was asked to stop; it
 *     stays there until destroy, which waits for it.
 */
#include <sillon/map.h>

#include <string.h>

#include "base/alloc.h"
#include "core/context.h"
#include "core/wait.h"

#define BUFFER_PER_WORKER 4

struct sil_map_iterator {
    sil_executor *executor;
    sil_map_options options; /* name: owned */
    unsigned char *arg;      /* room for what the input function gives */
    sil_future **ring;
    size_t size;
    size_t first; /* the oldest */
    size_t count;
    size_t next_input; /* into options.args */
    bool no_more;
    bool failed;
    int input_code; /* the input function's error, to be told after the results before it */
};

/* The next argument in *out_arg; false when there is none. */
static bool next_input(sil_map_iterator *iterator, const void **out_arg)
{
    const sil_map_options *options = &iterator->options;
    if (options->input) {
        int code = options->input(options->user, iterator->arg);
        if (code != 0 && code != SIL_EEND)
            iterator->input_code =
                code != SIL_ETIMEDOUT
                    ? code
                    : sil__fail(SIL_EBROKEN, "the input failed with SIL_ETIMEDOUT");
        *out_arg = iterator->arg;
        return code == 0;
    }
    if (iterator->next_input == options->count)
        return false;
    *out_arg = options->arg_size
                   ? (const unsigned char *)options->args + iterator->next_input * options->arg_size
                   : NULL;
    iterator->next_input++;
    return true;
}

static void fill(sil_map_iterator *iterator)
{
    const sil_map_options *options = &iterator->options;
    const sil_submit_options submit = {.name = options->name};
    while (!iterator->no_more && iterator->count < iterator->size) {
        const void *arg;
        if (!next_input(iterator, &arg)) {
            iterator->no_more = true;
            return;
        }
        size_t slot = (iterator->first + iterator->count) % iterator->size;
        iterator->ring[slot] =
            sil_submit_with(iterator->executor, options->name ? &submit : NULL, options->fn, arg,
                            options->arg_size, options->result_size);
        iterator->count++;
    }
}

static void cancel_rest(sil_map_iterator *iterator)
{
    iterator->failed = iterator->no_more = true; /* I2 */
    for (size_t i = 0; i < iterator->count; i++)
        (void)sil_future_cancel(iterator->ring[(iterator->first + i) % iterator->size]);
}

static int at_end(sil_map_iterator *iterator)
{
    int code = iterator->input_code;
    iterator->input_code = 0;
    return code ? code : SIL_EEND;
}

static bool valid(const sil_executor *executor, const sil_map_options *options)
{
    size_t bytes;
    return executor && options && options->fn && options->arg_size <= SIL__SIZE_LIMIT &&
           options->result_size <= SIL__SIZE_LIMIT && options->buffer <= SIL__SIZE_LIMIT &&
           sil__size_mul(options->count, options->arg_size, &bytes) &&
           (!options->input || !options->args) &&
           (options->input || options->args || options->count == 0 || options->arg_size == 0) &&
           !options->reserved[0] && !options->reserved[1] && !options->reserved[2] &&
           !options->reserved[3];
}

sil_map_iterator *sil_map_iterator_create(sil_executor *executor, const sil_map_options *options)
{
    if (!valid(executor, options)) {
        sil__fail(SIL_EINVAL, "sil_map_iterator_create: an argument or an option is not valid");
        return NULL;
    }
    sil_map_iterator *iterator = sil__alloc(sizeof *iterator);
    if (!iterator)
        goto fail;
    iterator->executor = executor;
    iterator->options = *options;
    iterator->size = options->buffer ? options->buffer
                                     : (size_t)sil_executor_workers(executor) * BUFFER_PER_WORKER;
    if (iterator->size == 0)
        iterator->size = 1; /* a closed executor: submitting says so */
    iterator->options.name = options->name ? sil__alloc_text(options->name) : NULL;
    iterator->ring = sil__alloc_array(iterator->size, sizeof(sil_future *));
    iterator->arg = sil__alloc(options->arg_size);
    if (iterator->ring && iterator->arg && (!options->name || iterator->options.name))
        return iterator;
    sil_map_iterator_destroy(iterator);
fail:
    sil__fail(SIL_ENOMEM, "no memory for a map iterator");
    return NULL;
}

int sil_map_next(sil_map_iterator *iterator, void *out, sil_deadline until)
{
    if (!iterator)
        return sil__fail(SIL_EINVAL, "sil_map_next: the iterator is NULL");
    if (iterator->failed)
        return SIL_EEND;
    fill(iterator);
    if (iterator->count == 0)
        return at_end(iterator);
    sil_future *oldest = iterator->ring[iterator->first];
    int code = sil_await(oldest, until);
    if (!sil_future_done(oldest))
        return code;
    iterator->first = (iterator->first + 1) % iterator->size;
    iterator->count--;
    if (code == 0) {
        size_t size;
        const void *value = sil_future_result(oldest, &size);
        if (out && size)
            memcpy(out, value,
                   size < iterator->options.result_size ? size : iterator->options.result_size);
        fill(iterator);
    } else {
        cancel_rest(iterator);
        /* These two are our own words here, and mean something else. */
        if (code == SIL_EEND || code == SIL_ETIMEDOUT)
            code = sil__fail(SIL_EBROKEN, "a task failed with %s: %s", sil_status_name(code),
                             sil_error_message(sil_future_error(oldest)));
    }
    sil_future_release(oldest);
    return code;
}

void sil_map_iterator_destroy(sil_map_iterator *iterator)
{
    if (!iterator)
        return;
    cancel_rest(iterator);
    for (size_t i = 0; iterator->ring && i < iterator->count; i++) {
        sil_future *future = iterator->ring[(iterator->first + i) % iterator->size];
        sil__wait_out(future);
        sil_future_release(future);
    }
    sil__free(iterator->ring);
    sil__free(iterator->arg);
    sil__free((char *)iterator->options.name);
    sil__free(iterator);
}
