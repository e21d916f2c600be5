/* SPDX-License-Identifier: MIT */
/*
 * The queue, see queue.h.
 */
#include "process/queue.h"

#include "core/future.h"

static unsigned list_of(const sil_future *task)
{
    return (unsigned)(SIL_PRIORITY_HIGH - sil_task_priority(task));
}

void sil__queue_append(struct sil__queue *queue, sil_future *task)
{
    unsigned list = list_of(task);
    task->next = NULL;
    if (queue->lists[list].last)
        queue->lists[list].last->next = task;
    else
        queue->lists[list].first = task;
    queue->lists[list].last = task;
    queue->count++;
}

void sil__queue_prepend(struct sil__queue *queue, sil_future *task)
{
    unsigned list = list_of(task);
    task->next = queue->lists[list].first;
    queue->lists[list].first = task;
    if (!queue->lists[list].last)
        queue->lists[list].last = task;
    queue->count++;
}

sil_future *sil__queue_peek(const struct sil__queue *queue)
{
    for (unsigned list = 0; list < SIL__PRIORITIES; list++)
        if (queue->lists[list].first)
            return queue->lists[list].first;
    return NULL;
}

sil_future *sil__queue_take(struct sil__queue *queue)
{
    sil_future *task = sil__queue_peek(queue);
    if (!task)
        return NULL;
    unsigned list = list_of(task);
    queue->lists[list].first = task->next;
    if (!task->next)
        queue->lists[list].last = NULL;
    task->next = NULL;
    queue->count--;
    return task;
}

sil_future *sil__queue_take_all(struct sil__queue *queue)
{
    sil_future *first = NULL;
    sil_future **end = &first;
    for (sil_future *task; (task = sil__queue_take(queue)); end = &task->next)
        *end = task;
    return first;
}

sil_future *sil__queue_sweep(struct sil__queue *queue)
{
    struct sil__queue kept = {.count = 0};
    sil_future *swept = NULL;
    for (sil_future *task; (task = sil__queue_take(queue));) {
        if (sil__future_final(task)) {
            task->next = swept;
            swept = task;
        } else {
            sil__queue_append(&kept, task);
        }
    }
    *queue = kept;
    return swept;
}
