/* SPDX-License-Identifier: MIT */
/*
 * Conditions between threads.
 */
#include <sillon/sync.h>

#include "unit/sync/crowd.h"

struct meeting {
    sil_mutex *mutex;
    sil_condition *condition;
    /* Guarded by the mutex. */
    bool ready;
    unsigned asked; /* how often the predicate was */
    unsigned next;
};

static void meeting_init(struct meeting *meeting)
{
    *meeting =
        (struct meeting){.mutex = sil_mutex_create("m"), .condition = sil_condition_create("c")};
    assert_non_null(meeting->condition);
}

static void meeting_fini(struct meeting *meeting)
{
    assert_false(sil_mutex_locked(meeting->mutex));
    sil_condition_destroy(meeting->condition);
    sil_mutex_destroy(meeting->mutex);
}

struct guest {
    struct meeting *meeting;
    sil_deadline until;
    unsigned number;
    bool held; /* it had the mutex when the wait returned */
};

static int wait_in(void *arg)
{
    struct guest *guest = arg;
    struct meeting *meeting = guest->meeting;
    int code = sil_mutex_lock(meeting->mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    code = sil_condition_wait(meeting->condition, meeting->mutex, guest->until);
    guest->number = meeting->next++;
    guest->held = sil_mutex_unlock(meeting->mutex) == 0;
    return code;
}

static void notify(struct meeting *meeting, size_t count)
{
    assert_code(sil_mutex_lock(meeting->mutex, SIL_FOREVER), 0);
    assert_code(sil_condition_notify(meeting->condition, count), 0);
    assert_code(sil_mutex_unlock(meeting->mutex), 0);
}

static void test_condition_notify(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_init(&meeting);
    struct member members[3] = {0};
    struct guest guests[3];
    for (int i = 0; i < 3; i++) {
        guests[i] = (struct guest){.meeting = &meeting, .until = i ? sil_in(1000) : SIL_FOREVER};
        crowd_queue(&members[i], wait_in, &guests[i]);
    }
    notify(&meeting, 1);
    assert_code(crowd_join(&members[0]), 0);
    assert_int_equal(guests[0].number, 0);
    notify(&meeting, 1);
    assert_code(crowd_join(&members[1]), 0);
    assert_int_equal(guests[1].number, 1);
    notify(&meeting, 2048);
    assert_code(crowd_join(&members[2]), 0);
    notify(&meeting, 1);
    for (int i = 0; i < 3; i++)
        assert_true(guests[i].held);
    meeting_fini(&meeting);
}

static void test_condition_notify_all(void **state)
{
    (void)state;
    enum { COUNT = 6 };
    struct meeting meeting;
    meeting_init(&meeting);
    struct member members[COUNT] = {0};
    struct guest guests[COUNT];
    for (int i = 0; i < COUNT; i++) {
        guests[i] = (struct guest){.meeting = &meeting, .until = SIL_FOREVER};
        crowd_queue(&members[i], wait_in, &guests[i]);
    }
    assert_code(sil_condition_notify(meeting.condition, SIZE_MAX), 0); /* without the mutex */
    for (int i = 0; i < COUNT; i++)
        assert_code(crowd_join(&members[i]), 0);
    assert_int_equal(meeting.next, COUNT);
    meeting_fini(&meeting);
}

static void test_condition_wait_unacquired(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_init(&meeting);
    assert_code(sil_condition_wait(meeting.condition, meeting.mutex, SIL_FOREVER), SIL_EINVAL);
    struct puppet puppet;
    puppet_init(&puppet, NULL, NULL, 0);
    puppet.context.cancel_due = true; /* a mistake is told before a cancel */
    struct guest guest = {.meeting = &meeting, .until = SIL_FOREVER};
    assert_code(puppet_call(&puppet, wait_in, &guest), SIL_ECANCELLED);
    assert_code(sil_condition_wait(NULL, meeting.mutex, SIL_FOREVER), SIL_EINVAL);
    assert_code(sil_condition_wait(meeting.condition, NULL, SIL_FOREVER), SIL_EINVAL);
    assert_code(sil_condition_notify(NULL, 1), SIL_EINVAL);
    sil_condition_destroy(NULL);
    puppet_fini(&puppet);
    meeting_fini(&meeting);
}

static void test_condition_timeout_in_block(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_init(&meeting);
    const sil_deadline untils[] = {SIL_NOW, 1, sil_in(0.01)};
    for (size_t i = 0; i < COUNT_OF(untils); i++) {
        struct guest guest = {.meeting = &meeting, .until = untils[i]};
        assert_code(wait_in(&guest), SIL_ETIMEDOUT);
        assert_true(guest.held);
    }
    /* None of them left a place in the line for this notification. */
    struct member member = {0};
    struct guest guest = {.meeting = &meeting, .until = SIL_FOREVER};
    crowd_queue(&member, wait_in, &guest);
    notify(&meeting, 1);
    assert_code(crowd_join(&member), 0);
    meeting_fini(&meeting);
}

/* --- predicates ------------------------------------------------------------------------------ */

static bool is_ready(void *user)
{
    struct meeting *meeting = user;
    meeting->asked++;
    return meeting->ready;
}

static int wait_for_ready(void *arg)
{
    struct guest *guest = arg;
    struct meeting *meeting = guest->meeting;
    int code = sil_mutex_lock(meeting->mutex, SIL_FOREVER);
    if (code != 0)
        return code;
    code =
        sil_condition_wait_for(meeting->condition, meeting->mutex, is_ready, meeting, guest->until);
    guest->held = sil_mutex_unlock(meeting->mutex) == 0;
    return code;
}

static void test_condition_wait_for(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_init(&meeting);
    struct guest guest = {.meeting = &meeting, .until = SIL_FOREVER};
    struct member member = {0};
    crowd_queue(&member, wait_for_ready, &guest);
    unsigned parked = atomic_load(&crowd_parked);
    notify(&meeting, 1);
    eventually(atomic_load(&crowd_parked) > parked); /* it was false, and it waits again */
    assert_int_equal(meeting.asked, 2);
    assert_code(sil_mutex_lock(meeting.mutex, SIL_FOREVER), 0);
    meeting.ready = true;
    assert_code(sil_condition_notify(meeting.condition, 1), 0);
    assert_code(sil_mutex_unlock(meeting.mutex), 0);
    assert_code(crowd_join(&member), 0);
    assert_true(guest.held);
    assert_int_equal(meeting.asked, 3);
    assert_code(wait_for_ready(&guest), 0); /* true at once */
    assert_int_equal(meeting.asked, 4);
    meeting.ready = false;
    guest.until = sil_in(0.01);
    assert_code(wait_for_ready(&guest), SIL_ETIMEDOUT);
    assert_int_equal(meeting.asked, 6); /* asked once more after the timeout */
    meeting_fini(&meeting);
}

static void test_condition_wait_for_unacquired(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_init(&meeting);
    assert_code(
        sil_condition_wait_for(meeting.condition, meeting.mutex, is_ready, &meeting, SIL_FOREVER),
        SIL_EINVAL);
    assert_code(sil_condition_wait_for(meeting.condition, meeting.mutex, NULL, NULL, SIL_FOREVER),
                SIL_EINVAL);
    assert_int_equal(meeting.asked, 0);
    meeting_fini(&meeting);
}

/* --- a wait that ends twice -------------------------------------------------------------------- */

static void notify_meanwhile(void *user)
{
    struct meeting *meeting = user;
    notify(meeting, 1);
}

/* A notification that comes with a cancel or a timeout is not lost: the wait has succeeded. */
static void test_condition_wait_cancel_after_notify(void **state)
{
    (void)state;
    static const int codes[] = {SIL_ETIMEDOUT, SIL_ECANCELLED};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct meeting meeting;
        meeting_init(&meeting);
        struct puppet puppet;
        puppet_init(&puppet, notify_meanwhile, &meeting, codes[i]);
        struct guest guest = {.meeting = &meeting, .until = SIL_FOREVER};
        assert_code(puppet_call(&puppet, wait_in, &guest), 0);
        assert_true(guest.held);
        puppet_fini(&puppet);
        meeting_fini(&meeting);
    }
}

static void test_condition_wait_cancel(void **state)
{
    (void)state;
    struct meeting meeting;
    meeting_init(&meeting);
    struct puppet puppet;
    puppet_init(&puppet, NULL, NULL, SIL_ECANCELLED);
    struct guest guest = {.meeting = &meeting, .until = SIL_FOREVER};
    assert_code(puppet_call(&puppet, wait_in, &guest), SIL_ECANCELLED);
    assert_true(guest.held);
    assert_int_equal(puppet.waits, 1);
    assert_contains(sil_error_message(puppet.context.last_error), "sil_condition_wait");
    puppet_fini(&puppet);
    /* It left the line. */
    struct member member = {0};
    crowd_queue(&member, wait_in, &guest);
    notify(&meeting, 1);
    assert_code(crowd_join(&member), 0);
    meeting_fini(&meeting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_condition_notify),
        TEST(test_condition_notify_all),
        TEST(test_condition_wait_unacquired),
        TEST(test_condition_timeout_in_block),
        TEST(test_condition_wait_for),
        TEST(test_condition_wait_for_unacquired),
        TEST(test_condition_wait_cancel_after_notify),
        TEST(test_condition_wait_cancel),
    };
    return test_run("condition", tests);
}
