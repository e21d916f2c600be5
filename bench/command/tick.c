/* SPDX-License-Identifier: MIT */
/*
 * A job that leaves a byte: appended to the file "ticks" in the folder it runs in, so that the
 * file's size says how many jobs were started, whatever who starts them may claim.
 */
#include <fcntl.h>

#include "command/bare.h"

BARE_PROGRAM
{
    long file = bare_call(SYS_openat, AT_FDCWD, (long)"ticks", O_WRONLY | O_APPEND);
    (void)bare_call(SYS_write, file, (long)"x", 1);
    bare_exit();
}
