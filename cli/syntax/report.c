/* SPDX-License-Identifier: MIT */
/*
 * The words of the options that get and map share, see report.h.
 */
#include "syntax/report.h"

const char *const progress_choices[] = {
    [PROGRESS_AUTO] = "auto", [PROGRESS_BAR] = "bar",   [PROGRESS_PLAIN] = "plain",
    [PROGRESS_JSON] = "json", [PROGRESS_NONE] = "none", NULL,
};

const char *const color_choices[] = {
    [COLOR_AUTO] = "auto",
    [COLOR_ALWAYS] = "always",
    [COLOR_NEVER] = "never",
    NULL,
};
