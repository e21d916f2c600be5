/* SPDX-License-Identifier: MIT */
/*
 * Futexes, see futex.h and futex(2).
 */
#include "base/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* How often a sleeper looks at the fake clock. */
#define FAKE_CLOCK_LOOK (SIL__SECOND / 1000)

static long futex(_Atomic uint32_t *word, int operation, uint32_t value,
                  const struct timespec *until)
{
    return syscall(SYS_futex, word, operation, value, until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static int64_t real_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SIL__SECOND + now.tv_nsec;
}

static bool futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t until, int flag)
{
    const int wait = FUTEX_WAIT_BITSET | flag;
    if (until == INT64_MAX) {
        futex(word, wait, expected, NULL);
        return true;
    }
    if (sil__clock_now() >= until)
        return false;
    bool fake = sil__clock_is_fake();
    int64_t moment = fake ? real_now() + FAKE_CLOCK_LOOK : until;
    struct timespec timeout = {.tv_sec = moment / SIL__SECOND, .tv_nsec = moment % SIL__SECOND};
    int saved = errno;
    bool in_time = futex(word, wait, expected, &timeout) == 0 || errno != ETIMEDOUT || fake;
    errno = saved;
    return in_time;
}

bool sil__futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t until)
{
    return futex_wait(word, expected, until, FUTEX_PRIVATE_FLAG);
}

void sil__futex_wake(_Atomic uint32_t *word, int count)
{
    futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, (uint32_t)count, NULL);
}

bool sil__futex_wait_shared(_Atomic uint32_t *word, uint32_t expected, int64_t until)
{
    return futex_wait(word, expected, until, 0);
}

void sil__futex_wake_shared(_Atomic uint32_t *word, int count)
{
    futex(word, FUTEX_WAKE, (uint32_t)count, NULL);
}
