/* SPDX-License-Identifier: MIT */
/*
 * Progress as JSON, an object a line, for programs:
 *     {"type":"progress","time":1.003,"done":12,"failed":3,"total":2000,"running":8,"waiting":0,
 *      "retries":0,"items_per_second":35.2,"bytes":4096,"bytes_per_second":1024.0,"eta":42.0,
 *      "state":null,"last":false}
 * total, eta and state are null where they are not known; without the two of bytes if the command does not
 * count them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "output/screen_impl.h"

static double interval(const struct screen_setup *setup)
{
    return setup->json;
}

/* A number as JSON has it, also where the decimal point is a comma. */
static const char *number(char out[32], double value)
{
    if (!(value >= 0 && value < 1e15))
        return "null";
    uint64_t thousandths = (uint64_t)(value * 1000 + 0.5);
    (void)snprintf(out, 32, "%" PRIu64 ".%03" PRIu64, thousandths / 1000, thousandths % 1000);
    return out;
}

static const char *whole(char out[32], uint64_t value)
{
    if (value == 0)
        return "null";
    (void)snprintf(out, 32, "%" PRIu64, value);
    return out;
}

static void look(struct screen *screen, const struct screen_figures *figures, bool last)
{
    const struct rates *rates = &screen->rates;
    char time[32], total[32], items[32], speed[32], left[32], bytes[96] = "", line[512];
    if (!figures->no_bytes)
        (void)snprintf(bytes, sizeof(bytes), "\"bytes\":%" PRIu64 ",\"bytes_per_second\":%s,",
                       figures->bytes, number(speed, rates_bytes(rates)));
    const char *quote = figures->state ? "\"" : "";
    int size = snprintf(
        line, sizeof(line),
        "{\"type\":\"progress\",\"time\":%s,\"done\":%" PRIu64 ",\"failed\":%" PRIu64
        ",\"total\":%s,\"running\":%" PRIu64 ",\"waiting\":%" PRIu64 ",\"retries\":%" PRIu64
        ",\"items_per_second\":%s,%s\"eta\":%s,\"state\":%s%s%s,\"last\":%s}\n",
        number(time, rates_seconds(rates)), figures->done, figures->failed,
        whole(total, figures->total), figures->running, figures->waiting, figures->retries,
        number(items, rates_items(rates)), bytes, number(left, rates_left(rates, figures->total)),
        quote, figures->state ? figures->state : "null", quote, last ? "true" : "false");
    if (size > 0 && (size_t)size < sizeof(line))
        (void)channel_write(screen, screen->progress_channel,
                            &(struct piece){.bytes = line, .fd = -1, .size = (uint64_t)size});
}

const struct progress_kind progress_json = {interval, look, false};
