/* SPDX-License-Identifier: MIT */
/*
 * What became of each URL, see report.h.
 */
#include "get/report.h"

#include <errno.h>
#include <stdio.h>

#include <sillon/deadline.h>

#include "text/harmless.h"
#include "text/units.h"

enum { SHOWN_URL = 2048, SHOWN_TEXT = 1024 };

void report_file(struct report *report, const char *name, const struct download_result *result)
{
    report->tally.ok += !result->skipped;
    report->tally.skipped += result->skipped;
    report->tally.bytes += result->bytes;
    if (!report->file_lines)
        return;
    char shown[SHOWN_TEXT];
    (void)harmless(shown, sizeof(shown), name);
    live_erase(report->live);
    if (result->skipped)
        (void)printf("skip  %s  already there\n", shown);
    else
        (void)printf("ok    %s  %llu bytes  %.3f s\n", shown, (unsigned long long)result->bytes,
                     result->seconds);
}

void report_failure(struct report *report, const char *url, const char *reason)
{
    char shown_url[SHOWN_URL], shown_reason[SHOWN_TEXT];
    report->tally.failed++;
    live_erase(report->live);
    (void)fprintf(stderr, "FAIL  %s: %s\n", harmless(shown_url, sizeof(shown_url), url),
                  harmless(shown_reason, sizeof(shown_reason), reason));
}

void report_summary(struct report *report, int signal)
{
    live_erase(report->live);
    if (report->quiet)
        return;
    const struct tally *tally = &report->tally;
    double seconds = (double)(sil_clock() - tally->started) / 1e9;
    char bytes[UNIT_TEXT_SIZE], speed[UNIT_TEXT_SIZE];
    (void)fprintf(stderr, "get: %llu ok, %llu failed, %llu skipped, %s in %.2f s (%s/s)\n",
                  (unsigned long long)tally->ok, (unsigned long long)tally->failed,
                  (unsigned long long)tally->skipped, unit_bytes(bytes, (double)tally->bytes),
                  seconds, unit_bytes(speed, seconds > 0 ? (double)tally->bytes / seconds : 0));
    if (signal != 0)
        (void)fprintf(stderr, "get: interrupted, %llu under way were given up\n",
                      (unsigned long long)tally->stopped);
}

void report_flush(struct report *report)
{
    errno = 0;
    if (fflush(stdout) != 0 && report->error == 0)
        report->error = errno;
}
