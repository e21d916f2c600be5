/* SPDX-License-Identifier: MIT */
/*
 * A program without a C library, for jobs that take no time of their own: what is measured then is
 * who starts them. Where we do not know the machine's calls, it is a static program of libc's.
 *
 *     BARE_PROGRAM { ... bare_exit(); }
 */
#ifndef BENCH_COMMAND_BARE_H
#define BENCH_COMMAND_BARE_H

#include <sys/syscall.h>

#if defined(__x86_64__) && defined(BARE)

static inline long bare_call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__) && defined(BARE)

static inline long bare_call(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}

#else
#include <unistd.h>
#define bare_call syscall
#undef BARE
#endif

#ifdef BARE
#define BARE_PROGRAM   \
    void _start(void); \
    void _start(void)
#else
#define BARE_PROGRAM int main(void)
#endif

static inline _Noreturn void bare_exit(void)
{
    for (;;)
        (void)bare_call(SYS_exit_group, 0, 0, 0);
}

#endif
