/* SPDX-License-Identifier: MIT */
/*
 * Closing the sandbox, see limits.h. What it lets through stands in sandbox_rules.c.
 *
 * It holds for all threads of the process, those started before too, and cannot be opened again;
 * programs could not be executed with more privileges any more, if they could be executed at all.
 * Descriptors that are open stay usable: a sandbox is only as tight as what was left open.
 */
#include "process/limits.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sillon/process_pool.h>
#include <sillon/status.h>

#include "base/alloc.h"
#include "core/context.h"
#include "process/sandbox_filter.h"

/* 0; -1 with errno; the id of a thread that could not be taken along. */
static long set_filter(const struct sock_fprog *program)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program);
}

/* Returns owned; NULL: no memory. */
static struct sock_filter *build(sil_sandbox sandbox, size_t *out_length)
{
    size_t common_count;
    size_t reading_count;
    const struct sil__sandbox_rule *common = sil__sandbox_rules(false, &common_count);
    const struct sil__sandbox_rule *reading = sil__sandbox_rules(true, &reading_count);
    if (sandbox == SIL_SANDBOX_COMPUTE)
        reading_count = 0;
    struct sil__sandbox_rule *rules = sil__alloc_array(common_count + reading_count, sizeof *rules);
    if (!rules)
        return NULL;
    memcpy(rules, common, common_count * sizeof *rules);
    memcpy(rules + common_count, reading, reading_count * sizeof *rules);
    struct sock_filter *code =
        sil__sandbox_compile(rules, common_count + reading_count, getpid(), out_length);
    sil__free(rules);
    return code;
}

int sil__sandbox_enter(sil_sandbox sandbox)
{
    if (sandbox == SIL_SANDBOX_NONE)
        return 0;
    size_t length;
    struct sock_filter *code = build(sandbox, &length);
    if (!code)
        return sil__fail(SIL_ENOMEM, "no memory for the sandbox");
    struct sock_fprog program = {.len = (unsigned short)length, .filter = code};
    long result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? set_filter(&program) : -1;
    int error = errno;
    sil__free(code);
    if (result > 0)
        return sil__fail(SIL_ENOTSUP, "the sandbox could not be closed: thread %ld has one already",
                         result);
    if (result < 0)
        return sil__fail(SIL_ENOTSUP, "the sandbox could not be closed: %s", sil_strerror(error));
    return 0;
}

bool sil__sandbox_supported(void)
{
    /* A kernel that knows filters and the flag gets as far as reading the program. */
    return set_filter(NULL) == -1 && errno == EFAULT;
}
