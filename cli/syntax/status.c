/* SPDX-License-Identifier: MIT */
/*
 * Which exit status says more, see command.h.
 */
#include "command.h"

static int weight(enum status status)
{
    switch (status) {
    case STATUS_DONE:
        return 0;
    case STATUS_SOME_FAILED:
        return 1;
    case STATUS_STOPPED:
        return 2;
    case STATUS_WRONG_CHECKSUM:
        return 3;
    case STATUS_LOCAL_FAILURE:
        return 4;
    case STATUS_BAD_USAGE:
        return 5;
    case STATUS_CANNOT_EXECUTE:
        return 6;
    case STATUS_NOT_FOUND:
        return 7;
    }
    return 0;
}

enum status status_worse(enum status a, enum status b)
{
    return weight(a) >= weight(b) ? a : b;
}
