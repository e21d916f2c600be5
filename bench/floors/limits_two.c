/* SPDX-License-Identifier: MIT */
#include <linux/membarrier.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "harness/clock.h"
#include "harness/futex.h"
#include "harness/statistics.h"
#include "limits.h"

enum { PINGS = 2000000, ADDS = 5000000, MOST = 20000 };

struct line {
    uint32_t value __attribute__((aligned(128)));
};

static struct line there;
static struct line back;
static uint64_t times[MOST];

static void line_set(struct line *line, uint32_t value)
{
    __atomic_store_n(&line->value, value, __ATOMIC_RELEASE);
}

static void line_await(const struct line *line, uint32_t value)
{
    while (__atomic_load_n(&line->value, __ATOMIC_ACQUIRE) != value)
        cpu_pause();
}

static void *answer(void *arg)
{
    for (uint32_t i = 1; i <= PINGS; i++) {
        line_await(&there, i);
        line_set(&back, i);
    }
    return arg;
}

/* A cache line there, and another one back, both spinning. */
static void cache_line_round_trip(void)
{
    line_set(&there, 0);
    line_set(&back, 0);
    pthread_t thread = limits_thread(answer, NULL);
    uint64_t begin = clock_now_ns();
    for (uint32_t i = 1; i <= PINGS; i++) {
        line_set(&there, i);
        line_await(&back, i);
    }
    limits_print("cache_line_round_trip", 2, "ns", (double)(clock_now_ns() - begin) / PINGS);
    pthread_join(thread, NULL);
}

static void *add(void *arg)
{
    for (int i = 0; i < ADDS; i++)
        __atomic_fetch_add(&there.value, 1u, __ATOMIC_RELAXED);
    return arg;
}

static void contended_add(void)
{
    uint64_t begin = clock_now_ns();
    pthread_t first = limits_thread(add, NULL);
    pthread_t second = limits_thread(add, NULL);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    limits_print("fetch_add_contended", 2, "ns", (double)(clock_now_ns() - begin) / (2.0 * ADDS));
}

/* A blocking round trip: two threads, each asleep while the other one has the turn. */
struct channel {
    const char *name;
    void (*put)(int side);
    void (*take)(int side);
};

static struct line sides[2];
static int pipes[2][2];
static int events[2];

static void futex_put(int side)
{
    line_set(&sides[side], 1);
    futex_wake(&sides[side].value, 1);
}

static void futex_take(int side)
{
    while (__atomic_load_n(&sides[side].value, __ATOMIC_ACQUIRE) != 1)
        futex_wait(&sides[side].value, 0);
    __atomic_store_n(&sides[side].value, 0u, __ATOMIC_RELAXED);
}

static void pipe_put(int side)
{
    if (write(pipes[side][1], "x", 1) != 1)
        abort();
}

static void pipe_take(int side)
{
    char byte;
    if (read(pipes[side][0], &byte, 1) != 1)
        abort();
}

static void event_put(int side)
{
    uint64_t one = 1;
    if (write(events[side], &one, sizeof one) != sizeof one)
        abort();
}

static void event_take(int side)
{
    uint64_t value;
    if (read(events[side], &value, sizeof value) != sizeof value)
        abort();
}

struct echo {
    const struct channel *channel;
    int trips;
};

static void *echo_run(void *arg)
{
    const struct echo *echo = arg;
    for (int i = 0; i < echo->trips; i++) {
        echo->channel->take(0);
        echo->channel->put(1);
    }
    return NULL;
}

static void print_times(const char *what, const char *when, int count)
{
    char name[64];
    statistics_sort(times, (size_t)count);
    snprintf(name, sizeof name, "%s_round_trip_%s", what, when);
    limits_print(name, 2, "p50_ns", (double)statistics_percentile(times, (size_t)count, 50));
    limits_print(name, 2, "p99_ns", (double)statistics_percentile(times, (size_t)count, 99));
}

static void round_trips(const struct channel *channel, bool idle)
{
    struct echo echo = {channel, idle ? 500 : MOST};
    pthread_t thread = limits_thread(echo_run, &echo);
    for (int i = 0; i < echo.trips; i++) {
        if (idle)
            clock_sleep_ns(1000000);
        uint64_t begin = clock_now_ns();
        channel->put(0);
        channel->take(1);
        times[i] = clock_now_ns() - begin;
    }
    pthread_join(thread, NULL);
    print_times(channel->name, idle ? "after_1ms" : "back_to_back", echo.trips);
}

static void blocking_round_trips(void)
{
    static const struct channel channels[] = {
        {"futex", futex_put, futex_take},
        {"pipe", pipe_put, pipe_take},
        {"eventfd", event_put, event_take},
    };
    for (int side = 0; side < 2; side++) {
        events[side] = eventfd(0, 0);
        if (pipe(pipes[side]) != 0 || events[side] < 0)
            abort();
    }
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        round_trips(&channels[i], false);
        round_trips(&channels[i], true);
    }
}

/* From the wake call of a thread that keeps running to the woken thread's first instruction. */
static uint64_t wake_begin;

static void *woken(void *arg)
{
    int count = *(int *)arg;
    for (int i = 0; i < count; i++) {
        uint32_t turn = (uint32_t)(2 * i + 1);
        while (__atomic_load_n(&there.value, __ATOMIC_ACQUIRE) != turn)
            futex_wait(&there.value, turn - 1);
        times[i] = clock_now_ns() - wake_begin;
        line_set(&there, turn + 1);
    }
    return NULL;
}

static void wake_to_run(const char *what, int count, uint64_t gap_ns)
{
    line_set(&there, 0);
    pthread_t thread = limits_thread(woken, &count);
    for (int i = 0; i < count; i++) {
        line_await(&there, (uint32_t)(2 * i));
        uint64_t end = clock_now_ns() + gap_ns;
        while (clock_now_ns() < end)
            cpu_pause();
        wake_begin = clock_now_ns();
        line_set(&there, (uint32_t)(2 * i + 1));
        futex_wake(&there.value, 1);
    }
    pthread_join(thread, NULL);
    statistics_sort(times, (size_t)count);
    limits_print(what, 2, "p50_ns", (double)statistics_percentile(times, (size_t)count, 50));
}

static void *spin_until_set(void *arg)
{
    line_await(arg, 1);
    return NULL;
}

static void membarrier_cost(const char *what)
{
    enum { CALLS = 20000 };
    uint64_t begin = clock_now_ns();
    for (int i = 0; i < CALLS; i++)
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    limits_print(what, 2, "ns", (double)(clock_now_ns() - begin) / CALLS);
}

static void membarriers(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0)
        return;
    membarrier_cost("membarrier_others_idle");
    line_set(&back, 0);
    pthread_t thread = limits_thread(spin_until_set, &back);
    clock_sleep_ns(20000000);
    membarrier_cost("membarrier_other_running");
    line_set(&back, 1);
    pthread_join(thread, NULL);
}

void limits_two_threads(void)
{
    cache_line_round_trip();
    contended_add();
    blocking_round_trips();
    wake_to_run("futex_wake_to_run_after_2us", MOST, 2000);
    wake_to_run("futex_wake_to_run_after_20us", MOST, 20000);
    wake_to_run("futex_wake_to_run_after_1ms", 500, 1000000);
    membarriers();
}
