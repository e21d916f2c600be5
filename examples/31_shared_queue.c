/* SPDX-License-Identifier: MIT */
/*
 * Two processes at work on a stream: one puts numbers into a queue, this one takes them out.
 * Teaches sil_shared_queue: bounded, so that a fast producer waits for a slow consumer; closed by
 * the producer when there is no more; whole whenever one of them is killed.
 */
#include <stdio.h>

#include <sillon/sillon.h>

enum { MOST_WAITING = 4 };

typedef struct reading {
    int minute;
    double degrees;
} reading;

static int measure(void *arg, void *result)
{
    (void)result;
    sil_shared_queue *queue = *(sil_shared_queue **)arg;
    for (int minute = 0; minute < 60; minute++) {
        reading r = {minute, 20 + (minute % 7) * 0.5};
        int code = sil_shared_queue_push(queue, &r, SIL_FOREVER); /* waits while it is full */
        if (code != 0)
            return 1;
    }
    sil_shared_queue_close(queue);
    return 0;
}

int main(void)
{
    sil_shared_queue *queue = sil_shared_queue_create(sizeof(reading), MOST_WAITING);
    if (queue == NULL)
        return 1;
    /* The queue lies in shared memory: hand over the pointer. */
    sil_process *producer = sil_process_start(NULL, measure, (void *)&queue, sizeof queue);
    if (producer == NULL) {
        fprintf(stderr, "%s\n", sil_error_message(sil_last_error()));
        return 1;
    }

    reading r;
    int count = 0;
    double sum = 0;
    int code;
    while ((code = sil_shared_queue_pop(queue, &r, sil_in(30))) == 0) {
        count++;
        sum += r.degrees;
    }
    if (code == SIL_EEND)
        printf("%d readings, %.2f degrees on average\n", count, sum / count);

    sil_process_join(producer, SIL_FOREVER);
    code = sil_process_exit_code(producer);
    sil_process_destroy(producer);
    sil_shared_queue_destroy(queue);
    return code;
}
