/* SPDX-License-Identifier: MIT */
/*
 * The start of a program that the shared library was loaded with, see process/takeover.h. Not in
 * the static library.
 *
 * The C library's own startup code calls this with main, whatever language the program is written
 * in. We stand before the C library in the order of symbols, and pass everything on.
 */
#include <dlfcn.h>
#include <string.h>

#include <sillon/export.h>

#include "base/assert.h"
#include "process/takeover.h"

typedef int main_function(int argc, char **argv, char **environment);

/* glibc's; musl has no stack_end, does not look at it, and does not mind what it finds there. */
typedef int start_function(main_function *main, int argc, char **argv, void (*init)(void),
                           void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

bool sil__start_called;

SIL_API start_function __libc_start_main;

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    void *symbol = dlsym(RTLD_NEXT, "__libc_start_main");
    SIL_ASSERT(symbol);
    start_function *next;
    memcpy(&next, &symbol, sizeof next);
    sil__start_called = true;
    if (sil__takeover_wanted(argc, argv))
        main = sil__takeover_main;
    return next(main, argc, argv, init, fini, rtld_fini, stack_end);
}
