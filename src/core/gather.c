/* SPDX-License-Identifier: MIT */
/*
 * Gathering: a group made of futures that are there already.
 */
#include <sillon/group.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "core/error.h"
#include "core/group.h"
#include "core/wait.h"

static int check(sil_future *const *futures, size_t count, sil_gather_how how)
{
    if ((!futures && count > 0) || count > SIL__SIZE_LIMIT / sizeof(sil_future *) ||
        how < SIL_GATHER_FIRST_ERROR || how > SIL_GATHER_ALL)
        return sil__fail(SIL_EINVAL, "sil_gather: no futures, too many, or an unknown way");
    for (size_t i = 0; i < count; i++) {
        if (!futures[i])
            return sil__fail(SIL_EINVAL, "sil_gather: future %zu is NULL", i);
        if (sil__wait_forked(futures[i]))
            return sil__fail(SIL_EFORKED, "sil_gather: future %zu was made before a fork", i);
    }
    return 0;
}

static bool add_all(sil_group *group, sil_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sil__child *child = sil__group_child();
        if (!child)
            return false;
        (void)sil__group_join(group, child, sil_future_retain(futures[i]), false);
    }
    return true;
}

/* The first in the order given that did not succeed. */
static sil_future *first_failed(sil_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sil_future_code(futures[i]) != 0)
            return futures[i];
    return NULL;
}

/* Without memory: nothing goes on unseen. */
static int give_up(sil_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)sil_future_cancel(futures[i]);
    int code = 0;
    for (size_t i = 0; i < count; i++)
        if (sil__group_wait_out(futures[i], true) != 0)
            code = SIL_EDEADLK;
    if (code != 0)
        return sil__fail(code, "sil_gather: no memory, and some cannot be waited for");
    return sil__fail(SIL_ENOMEM, "sil_gather: no memory to wait for %zu futures", count);
}

static int gather(sil_group *group, sil_future *const *futures, size_t count, sil_gather_how how,
                  sil_deadline until)
{
    if (!group || !add_all(group, futures, count))
        return give_up(futures, count);
    int code = sil__group_wait(group, until);
    if (code != 0)
        return code;
    return sil__group_raise(how == SIL_GATHER_ALL ? first_failed(futures, count)
                                                  : sil__group_first_failed(group));
}

int sil_gather(sil_future *const *futures, size_t count, sil_gather_how how, sil_deadline until)
{
    int code = check(futures, count, how);
    if (code != 0 || count == 0)
        return code;
    sil_group *group =
        sil__group_create(NULL, how == SIL_GATHER_ALL ? SIL__GROUP_NOTHING : SIL__GROUP_ANYTHING);
    code = gather(group, futures, count, how, until);
    sil_group_close(group);
    return code;
}
