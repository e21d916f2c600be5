/* SPDX-License-Identifier: MIT */
/*
 * The runner: how many at once, in groups, tried again, halted and stopped.
 */
#include "run/runner.h"

#include <sillon/sillon.h>
#include <stdlib.h>
#include <string.h>

#include "unit/coro/scenario.h"

struct thing {
    struct runner_item head;
    uint64_t number;
};

/* What a plan's functions saw. */
static struct world {
    struct runner *runner;
    uint64_t given, count; /* items of the input */
    unsigned fails_until;  /* tries that are to be repeated */
    uint64_t failing;      /* this one fails; 0: none */
    struct runner_group *groups;
    size_t group_count;
    sil_event *gate; /* runs wait for it; NULL: they do not */
    bool endless;    /* the input waits for ever behind its last */
    size_t running, most_running, most_of_group;
    unsigned highest_slot;
    uint64_t begun, ended[5];
    int interrupted;
    sil_event *interrupt_gate;
} world;

static struct runner_item *next(void *user)
{
    (void)user;
    if (world.given == world.count) {
        if (world.endless)
            (void)sil_sleep(SIL_FOREVER);
        return NULL;
    }
    struct thing *thing = calloc(1, sizeof(*thing));
    thing->number = ++world.given;
    if (world.group_count > 0)
        thing->head.group = &world.groups[world.given % world.group_count];
    return &thing->head;
}

static enum runner_verdict run(void *user, struct runner_item *item)
{
    (void)user;
    struct thing *thing = (struct thing *)item;
    world.begun++;
    world.running++;
    if (world.running > world.most_running)
        world.most_running = world.running;
    if (item->group != NULL && item->group->running > world.most_of_group)
        world.most_of_group = item->group->running;
    if (item->slot > world.highest_slot)
        world.highest_slot = item->slot;
    if (world.gate != NULL)
        (void)sil_event_wait(world.gate, SIL_FOREVER);
    else
        give_way(20);
    world.running--;
    if (world.interrupted != 0)
        return ITEM_STOPPED;
    if (thing->number == world.failing)
        return ITEM_FAILED;
    item->due = sil_clock();
    return item->tries <= world.fails_until ? ITEM_AGAIN : ITEM_OK;
}

static void ended(void *user, struct runner_item *item, enum runner_verdict verdict)
{
    (void)user;
    world.ended[verdict]++;
    free(item);
}

static void interrupt(void *user, int signal)
{
    (void)user;
    world.interrupted = signal;
    if (world.gate != NULL)
        (void)sil_event_set(world.gate);
}

static struct runner_plan plan_of(uint64_t count, size_t jobs)
{
    world = (struct world){.count = count};
    return (struct runner_plan){.next = next,
                                .run = run,
                                .ended = ended,
                                .interrupt = interrupt,
                                .jobs = jobs,
                                .ahead = 3,
                                .deadline = SIL_FOREVER};
}

static enum runner_stop run_plan(const struct runner_plan *plan)
{
    world.runner = runner_create(plan);
    enum runner_stop why = runner_run(world.runner);
    return why;
}

SCENARIO(all_items_run_and_no_more_than_so_many_at_once)
{
    (void)arg, (void)result;
    struct runner_plan plan = plan_of(100, 7);
    EXPECT(run_plan(&plan) == RUNNER_WENT_ON);
    EXPECT(world.ended[ITEM_OK] == 100 && world.begun == 100);
    EXPECT(world.most_running == 7 && world.highest_slot == 7);
    const struct runner_counts *counts = runner_counts(world.runner);
    EXPECT(counts->read == 100 && counts->ok == 100 && counts->input_ended);
    runner_destroy(world.runner);
    return 0;
}

SCENARIO(no_input_is_the_end)
{
    (void)arg, (void)result;
    struct runner_plan plan = plan_of(0, 2);
    EXPECT(run_plan(&plan) == RUNNER_WENT_ON);
    EXPECT(world.begun == 0);
    runner_destroy(world.runner);
    return 0;
}

SCENARIO(failed_tries_are_repeated)
{
    (void)arg, (void)result;
    struct runner_plan plan = plan_of(20, 3);
    world.fails_until = 2;
    EXPECT(run_plan(&plan) == RUNNER_WENT_ON);
    EXPECT(world.ended[ITEM_OK] == 20 && world.begun == 60);
    EXPECT(runner_counts(world.runner)->retries == 40);
    EXPECT(runner_counts(world.runner)->waiting == 0);
    runner_destroy(world.runner);
    return 0;
}

SCENARIO(group_has_its_own_limit_and_lets_others_pass)
{
    (void)arg, (void)result;
    struct runner_group groups[2] = {{.limit = 1}, {.limit = 2}};
    struct runner_plan plan = plan_of(60, 10);
    plan.ahead = 60;
    world.groups = groups;
    world.group_count = 2;
    EXPECT(run_plan(&plan) == RUNNER_WENT_ON);
    EXPECT(world.ended[ITEM_OK] == 60);
    EXPECT(world.most_of_group == 2 && world.most_running == 3);
    EXPECT(groups[0].running == 0 && groups[1].running == 0);
    runner_destroy(world.runner);
    return 0;
}

SCENARIO(halt_soon_lets_running_ones_end)
{
    (void)arg, (void)result;
    struct runner_plan plan = plan_of(100, 4);
    plan.halt = (struct halt){.when = HALT_SOON, .what = HALT_FAIL, .number = 1};
    world.failing = 5;
    world.endless = true;
    EXPECT(run_plan(&plan) == RUNNER_HALTED);
    EXPECT(world.interrupted == 0 && world.ended[ITEM_FAILED] == 1);
    EXPECT(world.ended[ITEM_OK] >= 4 && world.begun < 20);
    uint64_t all = 0;
    for (int i = 0; i < 5; i++)
        all += world.ended[i];
    EXPECT(all == world.given);
    runner_destroy(world.runner);
    return 0;
}

static int stop_when_all_run(void *arg, void *result)
{
    (void)arg, (void)result;
    while (world.running < 4)
        (void)sil_yield();
    runner_stop(world.runner, RUNNER_SIGNAL, 15);
    return 0;
}

SCENARIO(stop_with_a_signal_interrupts)
{
    (void)arg, (void)result;
    struct runner_plan plan = plan_of(100, 4);
    world.gate = sil_event_create(NULL);
    world.endless = true;
    world.runner = runner_create(&plan);
    sil_future *stopper = sil_go(stop_when_all_run, NULL, 0, 0);
    EXPECT(runner_run(world.runner) == RUNNER_SIGNAL);
    EXPECT_CODE(sil_take(stopper, NULL, SIL_FOREVER), 0);
    EXPECT(world.interrupted == 15 && world.begun == 4);
    EXPECT(world.ended[ITEM_STOPPED] == world.given);
    runner_destroy(world.runner);
    sil_event_destroy(world.gate);
    return 0;
}

SCENARIO(deadline_stops_it)
{
    (void)arg, (void)result;
    struct runner_plan plan = plan_of(1, 4);
    world.gate = sil_event_create(NULL);
    plan.deadline = sil_in(0.01);
    EXPECT(run_plan(&plan) == RUNNER_DEADLINE);
    EXPECT(world.interrupted == 15 && world.ended[ITEM_STOPPED] == 1);
    runner_destroy(world.runner);
    sil_event_destroy(world.gate);
    return 0;
}

SCENARIO(delay_spaces_the_starts)
{
    (void)arg, (void)result;
    struct runner_plan plan = plan_of(5, 5);
    plan.delay = 0.005;
    int64_t begun = sil_clock();
    EXPECT(run_plan(&plan) == RUNNER_WENT_ON);
    EXPECT(sil_clock() - begun >= 4 * 5000000);
    runner_destroy(world.runner);
    return 0;
}

SCENARIO(backoff_is_within_its_bounds)
{
    (void)arg, (void)result;
    for (unsigned tries = 1; tries < 20; tries++) {
        int64_t now = sil_clock(), due = runner_backoff(tries, 1, 8, 2);
        double most = tries >= 4 ? 8 : (double)(1u << (tries - 1));
        EXPECT(due >= now + 2000000000);
        EXPECT((double)(due - sil_clock()) <= (2 + most) * 1e9);
    }
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_all_items_run_and_no_more_than_so_many_at_once),
        TEST(test_no_input_is_the_end),
        TEST(test_failed_tries_are_repeated),
        TEST(test_group_has_its_own_limit_and_lets_others_pass),
        TEST(test_halt_soon_lets_running_ones_end),
        TEST(test_stop_with_a_signal_interrupts),
        TEST(test_deadline_stops_it),
        TEST(test_delay_spaces_the_starts),
        TEST(test_backoff_is_within_its_bounds),
    };
    begin_scenarios();
    return test_run("the runner", tests);
}
