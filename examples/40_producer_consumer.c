/* SPDX-License-Identifier: MIT */
/*
 * A producer and two consumers over a queue of four places. Teaches sil_queue: who is too fast waits;
 * sil_queue_join waits until all is done; closing ends the consumers. The producer is a thread.
 */
#include <stdio.h>

#include <sillon/sillon.h>

static int produce(void *arg, void *result)
{
    (void)result;
    sil_queue *queue = *(sil_queue **)arg;
    for (int i = 1; i <= 100; i++)
        if (sil_queue_put(queue, &i, SIL_FOREVER) != 0)
            return 1;
    return 0;
}

static int consume(void *arg, void *result)
{
    sil_queue *queue = *(sil_queue **)arg;
    int item, code;
    while ((code = sil_queue_get(queue, &item, SIL_FOREVER)) == 0) {
        *(long *)result += item;
        sil_queue_task_done(queue);
    }
    return code == SIL_EEND ? 0 : code;
}

static int run(void *arg, void *result)
{
    (void)result;
    sil_executor *threads = *(sil_executor **)arg;
    sil_queue *queue =
        sil_queue_create(&(sil_queue_options){.item_size = sizeof(int), .max_items = 4});
    sil_future *consumers[2], *producer;
    for (int i = 0; i < 2; i++)
        consumers[i] = sil_go(consume, (void *)&queue, sizeof queue, sizeof(long));
    producer = sil_submit(threads, produce, (void *)&queue, sizeof queue, 0);

    int code = sil_take(producer, NULL, SIL_FOREVER);
    sil_queue_join(queue, SIL_FOREVER); /* all that was put has been dealt with */
    sil_queue_close(queue);
    long sum = 0, part = 0;
    for (int i = 0; i < 2; i++)
        if (sil_take(consumers[i], &part, SIL_FOREVER) == 0)
            sum += part;
    printf("the sum is %ld\n", sum);
    sil_queue_destroy(queue);
    return code;
}

int main(void)
{
    sil_executor *threads = sil_thread_pool(NULL);
    int code = sil_run(run, (void *)&threads, sizeof threads, NULL, 0);
    sil_executor_close(threads);
    return code != 0;
}
