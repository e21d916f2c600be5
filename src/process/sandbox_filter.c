/* SPDX-License-Identifier: MIT */
/*
 * From rules to a program, see sandbox_filter.h and the kernel's seccomp_filter.rst.
 *
 *     other architecture, x32?        EPERM
 *     newer than NEWEST_CALL?         ENOSYS
 *     binary search for the number
 *         one call:  for each rule    its tests, its answer
 *                    none held        EPERM
 *
 * A call whose rule has no tests is one that the kernel remembers (since 5.11): it does not run the
 * program for it again. All others cost some ten instructions.
 *
 * I1: jumps go forward only, and conditional ones, which have eight bits for the distance, stay
 *     within one call; between calls the far jump is used.
 * I2: the accumulator holds the call's number until a rule's tests begin; what is behind them needs
 *     it no more.
 */
#include "process/sandbox_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the sandbox knows the system calls of x86-64 and aarch64 only"
#endif

/*
 * The last one we know of (mseal). A C library newer than us tries newer ones first, and the old
 * ones only when told that there are no such: EPERM would be an answer for good.
 */
#define NEWEST_CALL 462

/* Numbers of the x32 ABI, which come with x86-64's architecture. */
#define X32_CALLS 0x40000000

#define PROLOGUE_LENGTH 8
/* Jump and far jump of the search, the number's test, two tests of four each, two answers. */
#define RULE_LENGTH (2 + 1 + 4 * SIL__SANDBOX_TESTS + 2)

struct program {
    struct sock_filter *code;
    size_t length;
    size_t capacity;
    uint32_t pid;
};

static size_t emit(struct program *program, struct sock_filter instruction)
{
    SIL_ASSERT(program->length < program->capacity);
    program->code[program->length] = instruction;
    return program->length++;
}

static size_t emit_load(struct program *program, size_t offset)
{
    return emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* 0: let through. */
static void emit_answer(struct program *program, int error)
{
    uint32_t answer = error == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | (uint32_t)error;
    (void)emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

/* Go on if (accumulator code value), else skip so many. */
static size_t emit_unless_skip(struct program *program, uint16_t code, uint32_t value, uint8_t skip)
{
    return emit(program,
                (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | code | BPF_K), value, 0, skip));
}

/* --- one call ------------------------------------------------------------------------------ */

/* The test's jumps for when it does not hold are added to jumps. */
static size_t emit_test(struct program *program, const struct sil__sandbox_test *test,
                        size_t *jumps)
{
    size_t count = 0;
    /* Both architectures are little endian: the lower half comes first. */
    size_t low = offsetof(struct seccomp_data, args) + test->argument * sizeof(uint64_t);
    (void)emit_load(program, low);
    if (test->check == SIL__CHECK_BITS && test->mask != UINT32_MAX)
        (void)emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, test->mask));
    uint32_t value = test->check == SIL__CHECK_PID ? program->pid : test->value;
    jumps[count++] = emit_unless_skip(program, BPF_JEQ, value, 0);
    if (test->check == SIL__CHECK_NULL) {
        (void)emit_load(program, low + sizeof(uint32_t));
        jumps[count++] = emit_unless_skip(program, BPF_JEQ, 0, 0);
    }
    return count;
}

static void emit_rule(struct program *program, const struct sil__sandbox_rule *rule)
{
    size_t jumps[2 * SIL__SANDBOX_TESTS];
    size_t count = 0;
    for (size_t i = 0; i < SIL__SANDBOX_TESTS && rule->tests[i].check != SIL__CHECK_NONE; i++)
        count += emit_test(program, &rule->tests[i], jumps + count);
    emit_answer(program, rule->error);
    for (size_t i = 0; i < count; i++)
        program->code[jumps[i]].jf = (uint8_t)(program->length - jumps[i] - 1);
}

static void emit_call(struct program *program, const struct sil__sandbox_rule *rules, size_t count)
{
    size_t jump = emit_unless_skip(program, BPF_JEQ, rules[0].call, 0);
    for (size_t i = 0; i < count; i++)
        emit_rule(program, &rules[i]);
    SIL_ASSERT(program->length - jump - 1 <= UINT8_MAX);
    program->code[jump].jf = (uint8_t)(program->length - jump - 1);
    emit_answer(program, EPERM);
}

/* --- all of them --------------------------------------------------------------------------- */

static void emit_search(struct program *program, const struct sil__sandbox_rule *rules,
                        size_t count)
{
    /* The middle, moved to where a call's rules begin. */
    size_t middle = count / 2;
    while (middle > 0 && rules[middle - 1].call == rules[middle].call)
        middle--;
    if (middle == 0)
        while (middle < count && rules[middle].call == rules[0].call)
            middle++;
    if (middle == count) {
        emit_call(program, rules, count);
        return;
    }
    (void)emit_unless_skip(program, BPF_JGE, rules[middle].call, 1);
    size_t far = emit(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
    emit_search(program, rules, middle);
    program->code[far].k = (uint32_t)(program->length - far - 1);
    emit_search(program, rules + middle, count - middle);
}

static void emit_prologue(struct program *program)
{
    (void)emit_load(program, offsetof(struct seccomp_data, arch));
    (void)emit(program,
               (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    emit_answer(program, EPERM);
    (void)emit_load(program, offsetof(struct seccomp_data, nr));
    (void)emit_unless_skip(program, BPF_JGE, X32_CALLS, 1);
    emit_answer(program, EPERM);
    (void)emit_unless_skip(program, BPF_JGT, NEWEST_CALL, 1);
    emit_answer(program, ENOSYS);
}

static int compare_calls(const void *a, const void *b)
{
    uint32_t first = ((const struct sil__sandbox_rule *)a)->call;
    uint32_t second = ((const struct sil__sandbox_rule *)b)->call;
    return (first > second) - (first < second);
}

struct sock_filter *sil__sandbox_compile(struct sil__sandbox_rule *rules, size_t count, pid_t pid,
                                         size_t *out_length)
{
    struct program program = {.capacity = PROLOGUE_LENGTH + count * RULE_LENGTH,
                              .pid = (uint32_t)pid};
    SIL_ASSERT(count > 0 && program.capacity <= BPF_MAXINSNS);
    program.code = sil__alloc_array(program.capacity, sizeof *program.code);
    if (!program.code)
        return NULL;
    qsort(rules, count, sizeof *rules, compare_calls);
    emit_prologue(&program);
    emit_search(&program, rules, count);
    *out_length = program.length;
    return program.code;
}
