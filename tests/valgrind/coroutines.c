/* SPDX-License-Identifier: MIT */
/*
 * What valgrind watches (check.sh): a program of coroutines that does a little of everything, on stacks
 * of all sizes. It tells valgrind nothing: that where the stacks are is known is the library's doing.
 */
#include <sillon/sillon.h>

#include <stdio.h>
#include <string.h>

/* Does not hold: says so, and fails. */
#define EXPECT(condition)                                            \
    do {                                                             \
        if (!(condition))                                            \
            return sil_fail(1, "line %d: %s", __LINE__, #condition); \
    } while (0)

enum { MANY = 200 };

/* Touches so many kilobytes of stack, and gives way in the middle. */
static int use_stack(void *arg, void *result)
{
    int kilobytes = *(int *)arg;
    char room[1024];
    memset(room, kilobytes, sizeof room);
    int below = 0;
    if (kilobytes > 1) {
        int less = kilobytes - 1;
        int code = use_stack(&less, &below);
        if (code != 0)
            return code;
    }
    int code = kilobytes % 16 ? 0 : sil_yield();
    *(int *)result = below + (room[0] == room[sizeof room - 1]);
    return code;
}

static int use_stacks(void)
{
    static const int kilobytes[] = {4, 40, 200, 800};
    sil_future *futures[MANY];
    for (int i = 0; i < MANY; i++) {
        int size = kilobytes[i % 4];
        const sil_go_options options = {.stack_size = (size_t)(16 << 10) << i % 4 * 2};
        futures[i] = sil_go_with(&options, use_stack, &size, sizeof size, sizeof size);
    }
    for (int i = 0; i < MANY; i++) {
        int sum = 0;
        EXPECT(sil_take(futures[i], &sum, SIL_FOREVER) == 0 && sum == kilobytes[i % 4]);
    }
    return 0;
}

static int sleep_long(void *arg, void *result)
{
    (void)arg, (void)result;
    int code = sil_sleep(SIL_FOREVER);
    (void)sil_sleep(sil_in(1e-3));
    return code;
}

static int be_cancelled(void)
{
    sil_future *futures[MANY];
    for (int i = 0; i < MANY; i++)
        futures[i] = sil_go(sleep_long, NULL, 0, 0);
    EXPECT(sil_yield() == 0);
    for (int i = 0; i < MANY; i++)
        EXPECT(sil_future_cancel(futures[i]) == SIL_EINPROGRESS);
    for (int i = 0; i < MANY; i++)
        EXPECT(sil_take(futures[i], NULL, SIL_FOREVER) == SIL_ECANCELLED);
    return 0;
}

static int add_one(void *arg, void *result)
{
    *(int *)result = *(int *)arg + 1;
    return sil_yield();
}

static int use_others(void)
{
    sil_executor *loop = sil_loop_thread(NULL);
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 2});
    EXPECT(loop && pool);
    for (int i = 0; i < MANY; i++) {
        sil_future *future = sil_submit(i % 2 ? loop : pool, add_one, &i, sizeof i, sizeof i);
        int value = 0;
        EXPECT(sil_take(future, &value, SIL_FOREVER) == 0 && value == i + 1);
    }
    EXPECT(sil_executor_close(loop) == 0 && sil_executor_close(pool) == 0);
    return 0;
}

static int put_some(void *arg, void *result)
{
    (void)result;
    sil_queue *queue = *(sil_queue **)arg;
    int code = 0;
    for (int i = 0; code == 0 && i < MANY; i++)
        code = sil_queue_put(queue, &i, SIL_FOREVER);
    return code == 0 ? sil_queue_close(queue) : code;
}

static int pass_items(void)
{
    sil_queue *queue =
        sil_queue_create(&(sil_queue_options){.item_size = sizeof(int), .max_items = 3});
    EXPECT(queue);
    sil_future *putter = sil_go(put_some, (void *)&queue, sizeof queue, 0);
    int item, code, count = 0;
    while ((code = sil_queue_get(queue, &item, SIL_FOREVER)) == 0)
        EXPECT(item == count++);
    EXPECT(code == SIL_EEND && count == MANY);
    EXPECT(sil_take(putter, NULL, SIL_FOREVER) == 0);
    sil_queue_destroy(queue);
    return 0;
}

static int group_some(void)
{
    sil_group *group = sil_group_open("some");
    EXPECT(group);
    for (int i = 0; i < 20; i++)
        (void)sil_group_go(group, add_one, &i, sizeof i, sizeof i);
    EXPECT(sil_group_wait(group, sil_in(60)) == 0);
    sil_group_close(group);
    return 0;
}

static int everything(void *arg, void *result)
{
    (void)arg, (void)result;
    int (*const parts[])(void) = {use_stacks, be_cancelled, use_others, pass_items, group_some};
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof parts / sizeof parts[0]; i++)
        code = parts[i]();
    sil_future_release(sil_go(sleep_long, NULL, 0, 0)); /* to be cancelled at the end */
    return code == 0 ? sil_yield() : code;
}

int main(void)
{
    for (int i = 0; i < 3; i++) {
        if (sil_run(everything, NULL, 0, NULL, 0) == 0)
            continue;
        (void)fprintf(stderr, "%s\n", sil_error_message(sil_last_error()));
        return 1;
    }
    return 0;
}
