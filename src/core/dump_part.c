/* SPDX-License-Identifier: MIT */
/*
 * Parts of a dump: how they are filled.
 *
 * What lies in them is copied, so that they can be read when all they tell of is gone. Without memory a
 * part is not whole, and says so.
 */
#include "core/dump.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "core/remote.h"

/* Names are cut after so many bytes. */
#define LONGEST_NAME 60
#define LONGEST_TEXT 240
/* Combined futures of combined futures: so deep. */
#define DEPTH 6

struct sil__part *sil__part_create(void)
{
    struct sil__part *part = sil__alloc(sizeof *part);
    if (part)
        (void)sil__part_text(part, "%s", "");
    return part;
}

void sil__part_destroy(struct sil__part *part)
{
    sil__free(part->nodes);
    sil__free(part->ids);
    sil__free(part->text);
    sil__free(part);
}

/* Room for more of an array's elements. */
static bool grow(struct sil__part *part, void **array, size_t *room, size_t count, size_t more,
                 size_t size)
{
    if (count + more <= *room)
        return true;
    size_t wanted = 2 * *room > count + more ? 2 * *room : count + more + 16;
    size_t bytes;
    void *larger =
        wanted <= UINT32_MAX && sil__size_mul(wanted, size, &bytes) ? sil__alloc_raw(bytes) : NULL;
    if (!larger) {
        part->failed = true;
        return false;
    }
    if (count > 0)
        memcpy(larger, *array, count * size);
    sil__free(*array);
    *array = larger;
    *room = wanted;
    return true;
}

static uint32_t add_text(struct sil__part *part, const char *text, size_t length)
{
    void *array = part->text;
    if (!grow(part, &array, &part->text_room, part->text_size, length + 1, 1))
        return 0;
    part->text = array;
    uint32_t offset = (uint32_t)part->text_size;
    memcpy(part->text + offset, text, length);
    part->text[offset + length] = '\0';
    part->text_size += length + 1;
    return offset;
}

static uint32_t add_format(struct sil__part *part, const char *format, va_list arguments)
{
    char text[LONGEST_TEXT];
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it does not see the caller's va_start
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length < 0)
        return 0;
    return add_text(part, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

uint32_t sil__part_text(struct sil__part *part, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    uint32_t offset = add_format(part, format, arguments);
    va_end(arguments);
    return offset;
}

uint32_t sil__part_name(struct sil__part *part, const char *name)
{
    if (!name)
        return 0;
    size_t length = strnlen(name, LONGEST_NAME + 1);
    if (length > LONGEST_NAME) {
        length = LONGEST_NAME;
        /* Not within a character of UTF-8. */
        while (length > LONGEST_NAME - 4 && ((unsigned char)name[length] & 0xc0) == 0x80)
            length--;
    }
    return add_text(part, name, length);
}

void sil__part_add(struct sil__part *part, const struct sil__node *node)
{
    void *array = part->nodes;
    if (!grow(part, &array, &part->node_room, part->node_count, 1, sizeof *node))
        return;
    part->nodes = array;
    part->nodes[part->node_count++] = *node;
}

static void add_id(struct sil__part *part, struct sil__node *node, const void *id)
{
    void *array = part->ids;
    if (!grow(part, &array, &part->id_room, part->id_count, 1, sizeof *part->ids))
        return;
    part->ids = array;
    if (node->count == 0)
        node->first = (uint32_t)part->id_count;
    part->ids[part->id_count++] = id;
    node->count++;
}

/* --- futures that are waited for --------------------------------------------------------------- */

static void add_futures(struct sil__part *part, struct sil__node *node, sil_future *const *futures,
                        size_t count, enum sil__need need, int depth);

/* Whoever has its lock may be waiting for one of ours. */
static bool try_lock(sil_future *future)
{
    uint32_t unlocked = 0;
    return atomic_compare_exchange_strong_explicit(&future->lock.word, &unlocked, 1,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void add_inputs(struct sil__part *part, struct sil__node *node, sil_future *future,
                       int depth)
{
    if (depth == DEPTH || !try_lock(future))
        return;
    if (!sil__future_final(future)) {
        sil_future *const *inputs = NULL;
        enum sil__need need = SIL__NEED_ALL;
        size_t count = future->kind->inputs(future, &inputs, &need);
        add_futures(part, node, inputs, count, need, depth + 1);
    }
    sil__lock_drop(&future->lock);
}

static void take_task(struct sil__part *part, struct sil__node *node, const sil_future *task)
{
    node->task = task;
    node->executor = task->executor;
    node->fn = task->fn;
    node->name = sil__part_name(part, sil_future_name(task));
}

/* Unless a node tells where it runs, this is all that is known of it. */
static void add_stub(struct sil__part *part, sil_future *future, int depth)
{
    struct sil__node node = {.stub = true};
    node.seen = sil__future_phase(future) == SIL_PENDING ? SIL__SEEN_PENDING : SIL__SEEN_RUNNING;
    take_task(part, &node, future);
    bool combined = future->kind && future->kind->inputs;
    if (combined)
        add_inputs(part, &node, future, depth);
    else if (!node.fn && !node.executor)
        node.where = sil__part_text(part, "promise");
    if (!node.name && !node.fn) {
        node.plain = true;
        node.name = sil__part_text(part, "%s", combined ? "combined" : "unnamed");
    }
    sil__part_add(part, &node);
}

static void add_futures(struct sil__part *part, struct sil__node *node, sil_future *const *futures,
                        size_t count, enum sil__need need, int depth)
{
    sil_future *listed[SIL__SIGHT_MOST];
    size_t found = 0;
    node->need = (uint8_t)need;
    for (size_t i = 0; i < count; i++) {
        if (sil__future_final(futures[i]))
            continue;
        if (found < SIL__SIGHT_MOST)
            listed[found++] = futures[i];
        else
            node->more++;
    }
    /* Its own ids first: they stand together. */
    for (size_t i = 0; i < found; i++)
        add_id(part, node, listed[i]);
    for (size_t i = 0; i < found; i++)
        add_stub(part, listed[i], depth);
}

void sil__sight_futures(struct sil__sight *sight, sil_future *const *futures, size_t count,
                        enum sil__need need)
{
    add_futures(sight->part, sight->node, futures, count, need, 0);
}

void sil__sight_more(struct sil__sight *sight, size_t more)
{
    sight->node->more += (uint32_t)more;
}

/* --- other purposes ---------------------------------------------------------------------------- */

void sil__sight_says(struct sil__sight *sight, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sight->node->what = add_format(sight->part, format, arguments);
    va_end(arguments);
}

void sil__sight_held(struct sil__sight *sight, const struct sil__context *holder)
{
    sight->node->holder = holder;
}

void sil__node_waits(struct sil__part *part, struct sil__node *node,
                     const struct sil__context *context, struct sil__waiter *waiter)
{
    node->seen = SIL__SEEN_WAITING;
    if (waiter && sil__waiter_woken(waiter)) {
        /* What it points to may be gone. */
        node->seen = SIL__SEEN_READY;
        node->since = 0;
        return;
    }
    const struct sil__said *said = context->said;
    /* A task that is run meanwhile has purposes of its own. */
    bool more = said && said->frame == __atomic_load_n(&context->frame, __ATOMIC_RELAXED);
    const struct sil__purpose *purpose = more ? said->purpose : waiter ? waiter->purpose : NULL;
    struct sil__sight sight = {.part = part, .node = node};
    if (purpose && purpose->look)
        purpose->look(more ? said->object : waiter->object, waiter, &sight);
    if (!node->what && node->count == 0 && purpose && purpose->text)
        node->what = sil__part_text(part, "%s", purpose->text);
}

/* --- tasks in a context ------------------------------------------------------------------------ */

static const struct sil__frame *next_task(const struct sil__frame *frame)
{
    /* Below a task that is run in parts there is one that says only whose worker it is. */
    while (frame && (frame->over || (!frame->task && !frame->posted && !frame->remote)))
        frame = frame->outer;
    return frame;
}

static void take_frame(struct sil__part *part, struct sil__node *node,
                       const struct sil__frame *frame)
{
    if (frame->task) {
        take_task(part, node, frame->task);
    } else {
        node->task = frame;
        node->fn = frame->posted;
        node->executor = frame->executor;
        node->name = sil__part_name(part, frame->remote ? frame->remote->name : NULL);
    }
}

bool sil__part_context(struct sil__part *part, const struct sil__context *context,
                       struct sil__node *node)
{
    /* Acquire pairs with the release store in sil__context_push. */
    const struct sil__frame *frame = next_task(__atomic_load_n(&context->frame, __ATOMIC_ACQUIRE));
    if (!frame)
        return false;
    node->context = context;
    take_frame(part, node, frame);
    sil__part_add(part, node);
    const void *inner = node->task;
    /* The others wait until those within have ended. */
    for (frame = next_task(frame->outer); frame; frame = next_task(frame->outer)) {
        struct sil__node outer = {.seen = SIL__SEEN_WAITING, .where = node->where};
        take_frame(part, &outer, frame);
        if (outer.task == inner)
            continue;
        add_id(part, &outer, inner);
        sil__part_add(part, &outer);
        inner = outer.task;
    }
    return true;
}
