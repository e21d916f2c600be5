/* SPDX-License-Identifier: MIT */
/*
 * Conditions between coroutines.
 */
#include "unit/sync/coroutines.h"

enum { MOST = 3 };

struct room {
    sil_mutex *mutex;
    sil_condition *condition;
    bool open;
    bool keep; /* who was notified keeps the mutex until released */
    sil_event *release;
    int order[MOST];
    int count;
};

struct guest {
    struct room *room;
    int number;
    bool reached; /* it waits */
    bool held;    /* it had the mutex when the wait returned */
};

static struct room room_make(void)
{
    return (struct room){.mutex = sil_mutex_create("m"),
                         .condition = sil_condition_create("c"),
                         .release = sil_event_create("release")};
}

static void room_drop(struct room *room)
{
    sil_event_destroy(room->release);
    sil_condition_destroy(room->condition);
    sil_mutex_destroy(room->mutex);
}

static int stay(void *arg, void *result)
{
    (void)result;
    struct guest *self = *(struct guest **)arg;
    struct room *room = self->room;
    int code = sil_mutex_lock(room->mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    self->reached = true;
    code = sil_condition_wait(room->condition, room->mutex, SIL_FOREVER);
    if (code == 0)
        room->order[room->count++] = self->number;
    if (code == 0 && room->keep)
        code = sil_event_wait(room->release, SIL_FOREVER);
    self->held = sil_mutex_unlock(room->mutex) == 0;
    return code;
}

static sil_future *invite(struct guest *guest, struct room *room, int number)
{
    *guest = (struct guest){.room = room, .number = number};
    return go(stay, guest);
}

SCENARIO(condition_wait)
{
    (void)arg, (void)result;
    struct room room = room_make();
    struct guest guests[3];
    sil_future *futures[3];
    room.keep = true;
    for (int i = 0; i < 3; i++)
        futures[i] = invite(&guests[i], &room, i);
    settle();
    EXPECT(room.count == 0);
    EXPECT(!sil_mutex_locked(room.mutex));
    EXPECT_CODE(sil_mutex_lock(room.mutex, SIL_FOREVER), 0);
    EXPECT_CODE(sil_condition_notify(room.condition, 1), 0);
    settle();
    EXPECT(room.count == 0); /* we have the mutex still */
    EXPECT_CODE(sil_mutex_unlock(room.mutex), 0);
    settle();
    EXPECT(room.count == 1 && room.order[0] == 0);
    EXPECT_CODE(sil_condition_notify(room.condition, 2), 0);
    settle();
    EXPECT(room.count == 1); /* the first one keeps it */
    EXPECT(sil_mutex_locked(room.mutex));
    EXPECT_CODE(sil_event_set(room.release), 0);
    for (int i = 0; i < 3; i++) {
        EXPECT_CODE(finish(futures[i]), 0);
        EXPECT(room.order[i] == i);
        EXPECT(guests[i].held);
    }
    room_drop(&room);
    return 0;
}

SCENARIO(condition_wait_cancel)
{
    (void)arg, (void)result;
    struct room room = room_make();
    struct guest guests[2];
    sil_future *first = invite(&guests[0], &room, 0);
    sil_future *second = invite(&guests[1], &room, 1);
    settle();
    (void)sil_future_cancel(first);
    EXPECT_CODE(finish(first), SIL_ECANCELLED);
    EXPECT(guests[0].held);
    EXPECT_CODE(sil_condition_notify(room.condition, 1), 0); /* not for the one that left */
    EXPECT_CODE(finish(second), 0);
    room_drop(&room);
    return 0;
}

/* Cancelled while it waits for the mutex after a notification: the wait has succeeded. */
SCENARIO(condition_wait_cancel_contested)
{
    (void)arg, (void)result;
    struct room room = room_make();
    struct guest guest;
    sil_future *future = invite(&guest, &room, 0);
    settle();
    EXPECT(guest.reached);
    EXPECT_CODE(sil_mutex_lock(room.mutex, SIL_FOREVER), 0);
    EXPECT_CODE(sil_condition_notify(room.condition, 1), 0);
    settle();
    (void)sil_future_cancel(future);
    settle();
    EXPECT(sil_future_state(future) == SIL_RUNNING); /* it is shielded, and wants the mutex */
    EXPECT_CODE(sil_mutex_unlock(room.mutex), 0);
    EXPECT_CODE(finish(future), 0);
    EXPECT(guest.held);
    room_drop(&room);
    return 0;
}

/* The same, but it goes on to wait: that ends with the cancel. */
SCENARIO(condition_wait_cancel_after_notify)
{
    (void)arg, (void)result;
    struct room room = room_make();
    struct guest guest;
    room.keep = true;
    sil_future *future = invite(&guest, &room, 0);
    settle();
    EXPECT_CODE(sil_mutex_lock(room.mutex, SIL_FOREVER), 0);
    EXPECT_CODE(sil_condition_notify(room.condition, 1), 0);
    settle();
    (void)sil_future_cancel(future);
    settle();
    EXPECT_CODE(sil_mutex_unlock(room.mutex), 0);
    EXPECT_CODE(finish(future), SIL_ECANCELLED);
    EXPECT(guest.held);
    room_drop(&room);
    return 0;
}

/* Cancelled without a notification, while another has the mutex: it has the mutex when it ends. */
SCENARIO(condition_cancelled_waiter_gets_the_mutex_back)
{
    (void)arg, (void)result;
    struct room room = room_make();
    struct guest guest;
    sil_future *future = invite(&guest, &room, 0);
    settle();
    EXPECT_CODE(sil_mutex_lock(room.mutex, SIL_FOREVER), 0);
    (void)sil_future_cancel(future);
    settle();
    EXPECT(sil_future_state(future) == SIL_RUNNING);
    EXPECT_CODE(sil_mutex_unlock(room.mutex), 0);
    EXPECT_CODE(finish(future), SIL_ECANCELLED);
    EXPECT(guest.held);
    room_drop(&room);
    return 0;
}

/* One is notified, and cancelled at once: the notification is its, or else the other's. */
SCENARIO(condition_notification_is_not_lost)
{
    (void)arg, (void)result;
    for (int cancel_first = 0; cancel_first <= 1; cancel_first++) {
        struct room room = room_make();
        struct guest guests[2];
        sil_future *futures[2];
        for (int i = 0; i < 2; i++)
            futures[i] = invite(&guests[i], &room, i);
        settle();
        if (cancel_first)
            (void)sil_future_cancel(futures[0]);
        EXPECT_CODE(sil_condition_notify(room.condition, 1), 0);
        if (!cancel_first)
            (void)sil_future_cancel(futures[0]);
        settle();
        EXPECT(room.count == 1);
        EXPECT_CODE(sil_condition_notify(room.condition, 1), 0);
        (void)finish(futures[0]);
        EXPECT_CODE(finish(futures[1]), 0);
        room_drop(&room);
    }
    return 0;
}

static bool is_open(void *user)
{
    return ((struct room *)user)->open;
}

static int stay_until_open(void *arg, void *result)
{
    (void)result;
    struct guest *self = *(struct guest **)arg;
    struct room *room = self->room;
    int code = sil_mutex_lock(room->mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    code = sil_condition_wait_for(room->condition, room->mutex, is_open, room, SIL_FOREVER);
    if (code == 0)
        room->order[room->count++] = self->number;
    (void)sil_mutex_unlock(room->mutex);
    return code;
}

SCENARIO(condition_wait_for)
{
    (void)arg, (void)result;
    struct room room = room_make();
    struct guest guest = {.room = &room, .number = 7};
    sil_future *future = go(stay_until_open, &guest);
    settle();
    EXPECT_CODE(sil_condition_notify(room.condition, 1), 0);
    settle();
    EXPECT(room.count == 0);
    room.open = true;
    EXPECT_CODE(sil_condition_notify(room.condition, 1), 0);
    EXPECT_CODE(finish(future), 0);
    EXPECT(room.count == 1);
    room.open = false;
    future = go(stay_until_open, &guest);
    settle();
    (void)sil_future_cancel(future);
    EXPECT_CODE(finish(future), SIL_ECANCELLED);
    EXPECT(!sil_mutex_locked(room.mutex));
    room_drop(&room);
    return 0;
}

SCENARIO(condition_notify)
{
    (void)arg, (void)result;
    struct room room = room_make();
    struct guest guests[3];
    sil_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = invite(&guests[i], &room, i);
    settle();
    EXPECT_CODE(sil_condition_notify(room.condition, 1), 0);
    settle();
    EXPECT(room.count == 1);
    EXPECT_CODE(sil_condition_notify(room.condition, 1), 0);
    EXPECT_CODE(sil_condition_notify(room.condition, 2048), 0);
    settle();
    EXPECT(room.count == 3);
    for (int i = 0; i < 3; i++) {
        EXPECT(room.order[i] == i);
        EXPECT_CODE(finish(futures[i]), 0);
    }
    room_drop(&room);
    return 0;
}

SCENARIO(condition_timeout_in_block)
{
    (void)arg, (void)result;
    struct room room = room_make();
    EXPECT_CODE(sil_mutex_lock(room.mutex, SIL_FOREVER), 0);
    EXPECT_CODE(sil_condition_wait(room.condition, room.mutex, sil_in(0.005)), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_mutex_unlock(room.mutex), 0);
    room_drop(&room);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_condition_wait),
        TEST(test_condition_wait_cancel),
        TEST(test_condition_wait_cancel_contested),
        TEST(test_condition_wait_cancel_after_notify),
        TEST(test_condition_cancelled_waiter_gets_the_mutex_back),
        TEST(test_condition_notification_is_not_lost),
        TEST(test_condition_wait_for),
        TEST(test_condition_notify),
        TEST(test_condition_timeout_in_block),
    };
    begin_scenarios();
    return test_run("condition_coro", tests);
}
