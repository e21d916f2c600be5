/* SPDX-License-Identifier: MIT */
/*
 * How long a worker looks for work before it sleeps.
 *
 * Waking a sleeper costs both sides microseconds, so it pays to look a little longer if work comes
 * at once; if it does not, looking burns a core for nothing. The pool remembers how long its
 * workers were idle lately (base/spin.h), so a trickle of tasks costs no more than their wake-ups,
 * and a burst is caught after its first tasks.
 *
 * Spinners count as searching: nobody is woken while there is one (crew.h, I3).
 */
#include "base/spin.h"
#include "thread/crew.h"
#include "thread/pool.h"

/* Looks with a pause between, together about a tenth of what waking a thread takes. */
#define MOMENT 24

static int credit_of(const struct sil__pool *pool)
{
    return atomic_load_explicit(&pool->spin_credit, memory_order_relaxed);
}

/* Two workers that do this at the same time may lose a note: it is a guess anyway. */
static void note_wait(struct sil__pool *pool, enum sil__spin_wait wait)
{
    atomic_store_explicit(&pool->spin_credit, sil__spin_credit(credit_of(pool), wait),
                          memory_order_relaxed);
}

bool sil__crew_wait_for_searcher(const struct sil__pool *pool, struct sil__crew crew)
{
    for (int i = 0; i < MOMENT && crew.searching == 0 && sil__crew_active(crew) > 0; i++) {
        sil__spin_pause();
        crew = sil__crew_look(pool);
    }
    return crew.searching > 0;
}

bool sil__crew_spin(struct sil__worker *worker)
{
    struct sil__pool *pool = worker->pool;
    worker->idle_since = sil__spin_now();
    if (credit_of(pool) <= 0 || sil__crew_look(pool).searching > pool->max_spinners)
        return false;
    struct sil__spin spin;
    sil__spin_begin(&spin);
    do {
        if (sil__crew_has_work(pool)) {
            if (spin.shared)
                note_wait(pool, SIL__SPIN_VAIN);
            return true;
        }
    } while (sil__spin_again(&spin));
    note_wait(pool, SIL__SPIN_VAIN);
    return false;
}

void sil__crew_busy_again(struct sil__worker *worker)
{
    if (worker->idle_since == 0)
        return;
    bool is_short = sil__spin_now() - worker->idle_since < SIL__SPIN_TIME;
    note_wait(worker->pool, is_short ? SIL__SPIN_SHORT : SIL__SPIN_LONG);
    worker->idle_since = 0;
}
