/* SPDX-License-Identifier: MIT */
/*
 * What other threads leave for a loop, and how it takes that over.
 */
#include <sillon/status.h>

#include "core/room.h"
#include "coro/loop.h"

static int slot_of(const sil_future *task)
{
    return task->priority == SIL_PRIORITY_NORMAL ? 1 : task->priority > 0 ? 0 : 2;
}

static void append(struct sil__task_list *list, sil_future *task)
{
    task->next = NULL;
    if (list->last)
        list->last->next = task;
    else
        list->first = task;
    list->last = task;
}

/* --- leaving ------------------------------------------------------------------------------- */

/*
 * Something was added, and the lock is held: drop it, and have the loop look. The first to fill the
 * intake wakes the loop; whoever comes before the loop has emptied it need not.
 */
static void drop_filled(struct sil__loop *loop)
{
    struct sil__loop_intake *intake = &loop->intake;
    bool first = !atomic_load_explicit(&intake->filled, memory_order_relaxed);
    if (first) {
        sil__reactor_wake_begin(&loop->reactor);
        /* Sequentially consistent: reactor.c, I1. */
        atomic_store_explicit(&intake->filled, true, memory_order_seq_cst);
    }
    sil__lock_drop(&intake->lock);
    if (first)
        sil__reactor_wake_end(&loop->reactor);
}

/* Those that were cancelled make room: out of the queue, to be dropped without the lock. */
static sil_future *sweep_locked(struct sil__loop_intake *intake)
{
    sil_future *swept = NULL;
    for (int slot = 0; slot < 3; slot++) {
        sil_future *task = intake->tasks[slot].first;
        intake->tasks[slot] = (struct sil__task_list){0};
        while (task) {
            sil_future *next = task->next;
            if (sil__state_ready(task)) {
                append(&intake->tasks[slot], task);
            } else {
                task->next = swept;
                swept = task;
                intake->task_count--;
            }
            task = next;
        }
    }
    return swept;
}

/* Tasks that are in no queue any more, and have not begun: cancelled, if they are not yet. */
static void drop_tasks(struct sil__loop *loop, sil_future *task)
{
    while (task) {
        sil_future *next = task->next;
        (void)sil_task_cancel(task);
        uint64_t here = sil__future_never_ran(task); /* else it is counted where it was begun */
        atomic_fetch_add_explicit(&loop->intake.dropped, here, memory_order_relaxed);
        sil_future_release(task);
        task = next;
    }
}

int sil__intake_task(struct sil__loop *loop, sil_future *task)
{
    struct sil__loop_intake *intake = &loop->intake;
    sil_future *swept = NULL;
    sil__lock_take(&intake->lock);
    int code = intake->closing ? SIL_ESHUTDOWN : 0;
    if (code == 0 && loop->max_pending > 0 && intake->task_count >= loop->max_pending) {
        swept = sweep_locked(intake);
        if (intake->task_count >= loop->max_pending)
            code = SIL_EFULL;
    }
    if (code == 0) {
        append(&intake->tasks[slot_of(task)], task);
        intake->task_count++;
        sil__loop_count(&intake->submitted);
        drop_filled(loop);
    } else {
        sil__lock_drop(&intake->lock);
    }
    drop_tasks(loop, swept);
    return code;
}

void sil__intake_waiter(struct sil__loop *loop, struct sil__waiter *waiter)
{
    struct sil__loop_intake *intake = &loop->intake;
    sil__lock_take(&intake->lock);
    waiter->next = NULL;
    if (intake->woken_last)
        intake->woken_last->next = waiter;
    else
        intake->woken_first = waiter;
    intake->woken_last = waiter;
    drop_filled(loop);
}

void sil__intake_interrupt(struct sil__coroutine *coroutine, enum sil__interrupt why)
{
    struct sil__loop_intake *intake = &coroutine->loop->intake;
    sil__lock_take(&intake->lock);
    coroutine->interrupts |= why;
    if (!atomic_load_explicit(&coroutine->interrupt_queued, memory_order_relaxed)) {
        atomic_store_explicit(&coroutine->interrupt_queued, true, memory_order_relaxed);
        coroutine->next_interrupted = intake->interrupted;
        intake->interrupted = coroutine;
    }
    drop_filled(coroutine->loop);
}

void sil__intake_close(struct sil__loop *loop, bool cancel_pending, bool orphan)
{
    struct sil__loop_intake *intake = &loop->intake;
    struct sil__task_list cancelled[3] = {0};
    sil__lock_take(&intake->lock);
    intake->closing = true;
    intake->cancel_pending |= cancel_pending;
    intake->orphan |= orphan;
    for (int slot = 0; slot < 3 && cancel_pending; slot++) {
        cancelled[slot] = intake->tasks[slot];
        intake->tasks[slot] = (struct sil__task_list){0};
    }
    if (cancel_pending)
        intake->task_count = 0;
    drop_filled(loop);
    for (int slot = 0; slot < 3; slot++)
        drop_tasks(loop, cancelled[slot].first);
    if (loop->max_pending > 0)
        sil__room_made(); /* whoever waits for room gets an answer */
}

/* --- dumps ---------------------------------------------------------------------------------- */

void sil__intake_ask(struct sil__loop *loop, struct sil__part *part)
{
    sil__lock_take(&loop->intake.lock);
    part->next_asked = loop->intake.asked;
    loop->intake.asked = part;
    drop_filled(loop);
}

bool sil__intake_unask(struct sil__loop *loop, struct sil__part *part)
{
    sil__lock_take(&loop->intake.lock);
    struct sil__part **link = &loop->intake.asked;
    while (*link && *link != part)
        link = &(*link)->next_asked;
    bool found = *link;
    if (found)
        *link = part->next_asked;
    sil__lock_drop(&loop->intake.lock);
    return found;
}

struct sil__part *sil__intake_take_asked(struct sil__loop *loop)
{
    sil__lock_take(&loop->intake.lock);
    struct sil__part *asked = loop->intake.asked;
    loop->intake.asked = NULL;
    sil__lock_drop(&loop->intake.lock);
    return asked;
}

void sil__intake_cancel_main(struct sil__loop *loop)
{
    sil__lock_take(&loop->intake.lock);
    loop->intake.cancel_main = true;
    drop_filled(loop);
}

/* --- taking over --------------------------------------------------------------------------- */

static void take_interrupts_locked(struct sil__loop_intake *intake)
{
    while (intake->interrupted) {
        struct sil__coroutine *coroutine = intake->interrupted;
        intake->interrupted = coroutine->next_interrupted;
        atomic_store_explicit(&coroutine->interrupt_queued, false, memory_order_relaxed);
        uint32_t why = coroutine->interrupts;
        coroutine->interrupts = 0;
        sil__coroutine_interrupted(coroutine, why);
    }
}

static void take_tasks(struct sil__loop *loop, int slot, sil_future *task)
{
    while (task) {
        sil_future *next = task->next;
        (slot == 0 ? sil__loop_push_urgent : sil__loop_push_task)(loop, task);
        task = next;
    }
}

void sil__loop_accept(struct sil__loop *loop)
{
    struct sil__loop_intake *intake = &loop->intake;
    sil__lock_take(&intake->lock);
    struct sil__waiter *waiter = intake->woken_first;
    intake->woken_first = intake->woken_last = NULL;
    struct sil__task_list tasks[3];
    for (int slot = 0; slot < 3; slot++) {
        tasks[slot] = intake->tasks[slot];
        intake->tasks[slot] = (struct sil__task_list){0};
    }
    bool had_tasks = intake->task_count > 0;
    intake->task_count = 0;
    take_interrupts_locked(intake);
    loop->closed = intake->closing;
    bool cancel = intake->cancel_pending;
    intake->cancel_pending = false;
    loop->cancels_main |= intake->cancel_main;
    intake->cancel_main = false;
    /* Those wait for the next turn's beginning, when no coroutine runs: it is to come soon. */
    loop->asked = intake->asked;
    atomic_store_explicit(&intake->filled, loop->asked, memory_order_relaxed);
    sil__lock_drop(&intake->lock);

    while (waiter) {
        struct sil__waiter *next = waiter->next; /* I3: gone when its coroutine goes on */
        sil__coroutine_woken(waiter);
        waiter = next;
    }
    for (int slot = 0; slot < 3; slot++)
        take_tasks(loop, slot, tasks[slot].first);
    loop->cancelling |= cancel; /* each when its turn comes */
    if (had_tasks && loop->max_pending > 0)
        sil__room_made();
}

static bool awaited(struct sil__reactor *reactor)
{
    struct sil__loop *loop =
        (struct sil__loop *)((char *)reactor - offsetof(struct sil__loop, reactor));
    return atomic_load_explicit(&loop->intake.filled, memory_order_seq_cst);
}

const struct sil__reactor_driver sil__loop_driver = {.turn = sil__loop_turn, .awaited = awaited};
