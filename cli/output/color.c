/* SPDX-License-Identifier: MIT */
/*
 * Whether to use colours: what was typed, then what the environment asks for (no-color.org,
 * bixense.com/clicolors), then whether a terminal is there to show them.
 */
#include <stdlib.h>
#include <string.h>

#include "output/live.h"
#include "output/screen.h"

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0';
}

bool color_wanted(int color_mode, int fd)
{
    if (color_mode != COLOR_AUTO)
        return color_mode == COLOR_ALWAYS;
    if (is_set("NO_COLOR"))
        return false;
    return is_set("CLICOLOR_FORCE") || is_set("FORCE_COLOR") || live_possible(fd);
}
