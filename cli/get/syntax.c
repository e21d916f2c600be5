/* SPDX-License-Identifier: MIT */
/*
 * What may be typed after `sillon get`: options, their defaults, and the help.
 */
#include "get/syntax.h"

#include <stddef.h>

#include "get/download.h"

static const char *const if_exists_choices[] = {
    [IF_EXISTS_SKIP] = "skip",
    [IF_EXISTS_REPLACE] = "replace",
    [IF_EXISTS_FAIL] = "fail",
    NULL,
};

const struct get_options get_defaults = {
    .jobs = 16,
    .if_exists = IF_EXISTS_SKIP,
    .limits = {.connect = 10, .stall = 30, .whole = 0, .retries = 2},
};

#define AT(field) offsetof(struct get_options, field)

static const struct option_record get_records[] = {
    {.group = "Input",
     .name = "input-file",
     .letter = 'i',
     .argument = "FILE",
     .help = "URLs from FILE, one a line ('-': standard input)",
     .kind = OPTION_TEXT,
     .offset = AT(input_file)},
    {.group = "Output",
     .name = "output-dir",
     .letter = 'd',
     .argument = "DIR",
     .help = "where the files go; made if missing (default: .)",
     .kind = OPTION_TEXT,
     .offset = AT(folder)},
    {.group = "Output",
     .name = "if-exists",
     .argument = "WHAT",
     .help = "skip, replace or fail (default: skip)",
     .kind = OPTION_CHOICE,
     .offset = AT(if_exists),
     .choices = if_exists_choices},
    {.group = "Concurrency",
     .name = "jobs",
     .letter = 'j',
     .argument = "N",
     .help = "downloads at the same time (default: 16)",
     .kind = OPTION_NUMBER,
     .offset = AT(jobs),
     .least = 1,
     .most = 1000},
    {.group = "Failure",
     .name = "retries",
     .argument = "N",
     .help = "further tries if it may help (default: 2)",
     .kind = OPTION_NUMBER,
     .offset = AT(limits.retries),
     .least = 0,
     .most = 100},
    {.group = "Failure",
     .name = "timeout",
     .letter = 't',
     .argument = "TIME",
     .help = "longest time of one try (default: 0, no limit)",
     .kind = OPTION_SECONDS,
     .offset = AT(limits.whole)},
    {.group = "Failure",
     .name = "connect-timeout",
     .argument = "TIME",
     .help = "longest time to connect (default: 10s)",
     .kind = OPTION_SECONDS,
     .offset = AT(limits.connect)},
    {.group = "Failure",
     .name = "stall",
     .argument = "TIME",
     .help = "longest time without a byte (default: 30s)",
     .kind = OPTION_SECONDS,
     .offset = AT(limits.stall)},
    {.group = "Report",
     .name = "quiet",
     .letter = 'q',
     .help = "only say what failed",
     .kind = OPTION_FLAG,
     .offset = AT(quiet)},
    {.group = "Report",
     .name = "no-progress",
     .help = "plain lines on a terminal too",
     .kind = OPTION_FLAG,
     .offset = AT(no_progress)},
};

const struct syntax get_syntax = {
    .command = "get",
    .usage = "[OPTION]... URL...\n[OPTION]... -i FILE\n",
    .summary = "Download URLs at the same time, each file whole or not at all.",
    .examples = "  sillon get https://example.org/a.iso https://example.org/b.iso\n"
                "  sillon get -d downloads -j 32 -i urls.txt\n"
                "  grep -o 'https://[^ ]*' notes.txt | sillon get -i - -d downloads\n",
    .options = get_records,
    .option_count = sizeof(get_records) / sizeof(get_records[0]),
    .notes = "A file is named after the last part of its URL's path, index.html if that is\n"
             "empty; a name that an earlier URL of the same run has taken gets .1, .2 and so\n"
             "on. It is written as a hidden .NAME.sillon-part-* file and gets its name when\n"
             "it is whole. In FILE, blank lines and lines that begin with # are skipped.\n"
             "TIME is in seconds, or 500ms, 1.5s, 2m, 1h; 0 is no limit. Further tries follow\n"
             "what may pass: the network, time-outs, HTTP 408, 425, 429, 500, 502, 503, 504.\n"
             "Only http and https are fetched, and at most 10 redirects followed.\n"
             "\n"
             "Standard output has a line for each file, standard error what failed and why.\n"
             "Ctrl-C gives up what is under way and removes its parts; a second one ends at\n"
             "once.\n"
             "\n"
             "Environment: http_proxy, https_proxy, no_proxy, SSL_CERT_FILE, SSL_CERT_DIR.\n"
             "\n"
             "Exit status: 0 all done or there already, 1 some failed, 2 wrong usage.\n",
};
