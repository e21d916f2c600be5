/* SPDX-License-Identifier: MIT */
/*
 * The sandbox as a table: which system calls are let through, and a compiler that makes of it a
 * program for the kernel's filter (seccomp(2), SECCOMP_MODE_FILTER).
 *
 * By hand, for a library that does it (libseccomp) would be loaded into every program that links
 * this one and add to the start of every worker, for one filter.
 *
 * To let a call through: add a line to sandbox_rules.c. Several lines for one call: one that holds
 * is enough.
 */
#ifndef SIL__PROCESS_SANDBOX_FILTER_H
#define SIL__PROCESS_SANDBOX_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum sil__sandbox_check {
    SIL__CHECK_NONE,
    SIL__CHECK_BITS, /* (lower half & mask) == value. The kernel takes no more of an int */
    SIL__CHECK_NULL, /* the whole argument is 0 */
    SIL__CHECK_PID,  /* lower half == the process's own pid */
};

struct sil__sandbox_test {
    uint8_t check; /* an enum sil__sandbox_check */
    uint8_t argument;
    uint32_t mask;
    uint32_t value;
};

#define SIL__SANDBOX_TESTS 2

struct sil__sandbox_rule {
    uint32_t call;
    int error;                                          /* 0: let through; or fails with it */
    struct sil__sandbox_test tests[SIL__SANDBOX_TESTS]; /* all must hold; NONE ends them */
};

/* Those of both sandboxes, and those only of READ_ONLY (sandbox_rules.c). Returns borrowed, valid
 * for ever. */
const struct sil__sandbox_rule *sil__sandbox_rules(bool reading, size_t *out_count);

/*
 * The program. rules: sorted by call in place. pid: of SIL__CHECK_PID. Returns owned (sil__free);
 * NULL: no memory, no error set.
 */
struct sock_filter *sil__sandbox_compile(struct sil__sandbox_rule *rules, size_t count, pid_t pid,
                                         size_t *out_length);

#endif
