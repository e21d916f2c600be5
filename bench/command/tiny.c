/* SPDX-License-Identifier: MIT */
/*
 * The smallest job: it ends at once, and well.
 */
#include "command/bare.h"

BARE_PROGRAM
{
    bare_exit();
}
