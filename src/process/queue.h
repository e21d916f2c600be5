/* SPDX-License-Identifier: MIT */
/*
 * The tasks a pool has not sent: one first-in-first-out list a priority, linked through the tasks.
 */
#ifndef SIL__PROCESS_QUEUE_H
#define SIL__PROCESS_QUEUE_H

#include <sillon/executor_impl.h>

#define SIL__PRIORITIES 3

struct sil__queue {
    struct {
        sil_future *first;
        sil_future *last;
    } lists[SIL__PRIORITIES]; /* the highest first */
    size_t count;
};

/* References move with the tasks. */
void sil__queue_append(struct sil__queue *queue, sil_future *task);
void sil__queue_prepend(struct sil__queue *queue, sil_future *task);

/* The next; NULL: empty. */
sil_future *sil__queue_take(struct sil__queue *queue);
sil_future *sil__queue_peek(const struct sil__queue *queue);

/* All, as one list through sil_task_next; the queue is empty. */
sil_future *sil__queue_take_all(struct sil__queue *queue);

/* Take out what was cancelled meanwhile, as one list. */
sil_future *sil__queue_sweep(struct sil__queue *queue);

#endif
