/* SPDX-License-Identifier: MIT */
/*
 * The line of the total, "12/2000  3 failed  41.0 MiB/s  ETA 0:42": what matters most comes first, since
 * a narrow terminal cuts off its end.
 */
#ifndef CLI_OUTPUT_BAR_H
#define CLI_OUTPUT_BAR_H

#include "output/rates.h"
#include "output/screen.h"

/** @param percent  how much of the total that is, too. @param line  receives it. */
void bar_write(struct screen_line *line, const struct screen_figures *figures,
               const struct rates *rates, bool percent);

#endif
