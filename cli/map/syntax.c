/* SPDX-License-Identifier: MIT */
/*
 * What may be typed after `sillon map`: options, their defaults, and all that is said of them.
 */
#include "map/syntax.h"

static const char *const output_choices[] = {
    [OUTPUT_GROUP] = "group",
    [OUTPUT_LINE] = "line",
    [OUTPUT_RAW] = "raw",
    NULL,
};

static const char *const exit_choices[] = {
    [EXIT_STATUS] = "status",
    [EXIT_COUNT] = "count",
    NULL,
};

const struct map_options map_defaults = {
    .per_job = 1,
    .block = UINT64_C(1) << 20,
    .buffer = UINT64_C(64) << 20,
    .retry_wait = 1,
    .retry_max = 60,
    .kill_after = 5,
    .report = {.progress_fd = 2},
};

#define AT(field) .offset = offsetof(struct map_options, field)

/* clang-format off: a table, a few lines an option */
static const struct option_record records[] = {
    {AT(arg_files), .group = "Input", .kind = OPTION_LIST, .hint = HINT_FILE, .name = "arg-file",
     .letter = 'a', .argument = "FILE",
     .help = "inputs from FILE, not standard input; given again: all combinations"},
    {AT(null), .group = "Input", .kind = OPTION_FLAG, .name = "null", .letter = '0',
     .help = "inputs end with NUL, not newline"},
    {AT(csv), .group = "Input", .kind = OPTION_FLAG, .name = "csv",
     .help = "inputs are rows of columns with commas (RFC 4180)"},
    {AT(tsv), .group = "Input", .kind = OPTION_FLAG, .name = "tsv",
     .help = "inputs are rows of columns with tabs"},
    {AT(separator), .group = "Input", .kind = OPTION_TEXT, .name = "delimiter", .letter = 'd',
     .argument = "SEP", .help = "inputs are columns with SEP between them: {1} {2}"},
    {AT(header), .group = "Input", .kind = OPTION_FLAG, .name = "header",
     .help = "the first line names the columns: {name}"},
    {AT(per_job), .group = "Input", .kind = OPTION_NUMBER, .least = 1, .most = 1000000,
     .name = "per-job", .letter = 'n', .argument = "N", .help = "inputs for one job (default: 1)"},
    {AT(pack), .group = "Input", .kind = OPTION_FLAG, .name = "pack", .letter = 'X',
     .help = "as many inputs for one job as fit in a command line"},
    {AT(shuffle), .group = "Input", .kind = OPTION_FLAG, .name = "shuf",
     .help = "inputs in random order; all are read first"},
    {AT(skip), .group = "Input", .kind = OPTION_NUMBER, .least = 0, .most = INT64_MAX,
     .name = "skip", .argument = "N", .help = "leave out the first N jobs"},
    {AT(most), .group = "Input", .kind = OPTION_NUMBER, .least = 0, .most = INT64_MAX,
     .name = "max", .argument = "N", .help = "stop after N jobs (default: 0, all)"},
    {AT(no_empty), .group = "Input", .kind = OPTION_FLAG, .name = "no-empty",
     .help = "no input at all is a failure (status 1)"},
    {AT(shell), .group = "Input", .kind = OPTION_TEXT, .name = "shell", .argument = "LINE",
     .help = "run LINE by sh -c; inputs are quoted for it",
     .more = "A line in which sh would do nothing but part words is run without it."},

    {AT(jobs), .group = "Jobs", .kind = OPTION_JOBS, .name = "jobs", .letter = 'j', .argument = "N",
     .help = "jobs at the same time: 8, 50% or +2 of the CPUs, 0: no limit but "
             "open files (default: CPUs)",
     .more = "CPUs are those this process may use: affinity and the quota of its cgroup count."},
    {AT(delay), .group = "Jobs", .kind = OPTION_SECONDS, .name = "delay", .argument = "TIME",
     .help = "at least this between two starts (default: 0)"},
    {AT(max_start_rate), .group = "Jobs", .kind = OPTION_RATE, .name = "max-start-rate",
     .argument = "RATE", .help = "jobs begun at most, such as 10/s or 100/m"},
    {AT(load), .group = "Jobs", .kind = OPTION_TEXT, .name = "load", .argument = "N",
     .help = "start none while the machine is busier: 4, 80%",
     .more = "What counts is how many want a CPU now, not the average of a minute. A percentage "
             "is of the CPUs. One job always runs."},
    {AT(memory_free), .group = "Jobs", .kind = OPTION_SIZE, .name = "memfree", .argument = "SIZE",
     .help = "start none while less memory than that is free"},
    {AT(nice), .group = "Jobs", .kind = OPTION_NUMBER, .least = 0, .most = 19, .name = "nice",
     .argument = "N", .help = "jobs' niceness over ours, 0 to 19 (default: 0)"},
    {AT(jobserver), .group = "Jobs", .kind = OPTION_OPTIONAL, .name = "jobserver",
     .argument = "WHAT",
     .help = "auto: take part in make's; serve: be one for jobs; off "
             "(default: off)",
     .more = "auto, and the name alone: take a token for each job from the jobserver in "
             "MAKEFLAGS, if there is one. serve: have jobs that understand it (make, ninja, cargo) "
             "share our --jobs."},
    {AT(tty), .group = "Jobs", .kind = OPTION_FLAG, .name = "tty",
     .help = "jobs have the terminal, as with --output raw; only with -j1"},
    {AT(pipe), .group = "Jobs", .kind = OPTION_FLAG, .name = "pipe",
     .help = "split standard input into blocks, one for each job's input"},
    {AT(block), .group = "Jobs", .kind = OPTION_SIZE, .least = 1, .most = UINT64_C(1) << 40,
     .name = "block", .argument = "SIZE", .help = "at most so much, to a line's end (default: 1M)"},

    {AT(output), .group = "Output", .kind = OPTION_CHOICE, .choices = output_choices,
     .name = "output", .argument = "HOW", .help = "group, line or raw (default: group)",
     .more = "group: what a job writes is kept, and written in one piece when it has ended. line: "
             "each line at once. raw: jobs have our own output."},
    {AT(keep_order), .group = "Output", .kind = OPTION_FLAG, .name = "keep-order", .letter = 'k',
     .help = "output in the order of the inputs"},
    {AT(window), .group = "Output", .kind = OPTION_NUMBER, .least = 0, .most = 1000000,
     .name = "window", .argument = "N",
     .help = "with -k, jobs ahead of the one whose turn it is (default: 16 for each of -j)"},
    {AT(tag), .group = "Output", .kind = OPTION_OPTIONAL, .name = "tag", .argument = "TEXT",
     .help = "begin each line with the input, or TEXT with placeholders, and a tab"},
    {AT(save), .group = "Output", .kind = OPTION_TEXT, .hint = HINT_FOLDER, .name = "save",
     .argument = "DIR", .help = "keep output in DIR/SEQ.out and DIR/SEQ.err"},
    {AT(buffer), .group = "Output", .kind = OPTION_SIZE, .name = "buffer", .argument = "SIZE",
     .help = "of kept output in memory; the rest is in TMPDIR (default: 64M)"},

    {AT(retries), .group = "Failure", .kind = OPTION_NUMBER, .least = 0, .most = 1000000,
     .name = "retries", .argument = "N", .help = "further tries of a job that failed (default: 0)",
     .more = "Who waits to be tried again takes no place of --jobs. Only the last try's output is "
             "written."},
    {AT(retry_wait), .group = "Failure", .kind = OPTION_SECONDS, .name = "retry-wait",
     .argument = "TIME", .help = "before the first of them, doubled each time (default: 1s)",
     .more = "The wait is a random time up to that."},
    {AT(retry_max), .group = "Failure", .kind = OPTION_SECONDS, .name = "retry-max",
     .argument = "TIME", .help = "and at most this (default: 60s)"},
    {AT(retry_on), .group = "Failure", .kind = OPTION_TEXT, .name = "retry-on", .argument = "CODES",
     .help = "only after these exit codes: 1,75,100-110 (default: any)"},
    {AT(timeout), .group = "Failure", .kind = OPTION_TEXT, .name = "timeout", .argument = "TIME",
     .help = "longest time of one try; 300%: of the median so far",
     .more = "A job that takes longer is ended with all it has started, and has failed."},
    {AT(kill_after), .group = "Failure", .kind = OPTION_SECONDS, .name = "kill-after",
     .argument = "TIME", .help = "from TERM to KILL for what is to end (default: 5s)"},
    {AT(deadline), .group = "Failure", .kind = OPTION_SECONDS, .name = "deadline",
     .argument = "TIME", .help = "longest time of the whole run (default: 0, no limit)"},
    {AT(halt), .group = "Failure", .kind = OPTION_HALT, .name = "halt", .argument = "WHEN",
     .help = "stop early: now|soon,fail|success|done=N|N% (default: never)",
     .more = "soon: start no more. now: end what runs, too. The exit status is then 3 (0 "
             "with success), and the output of the first job that failed is shown last."},
    {AT(exit), .group = "Failure", .kind = OPTION_CHOICE, .choices = exit_choices, .name = "exit",
     .argument = "HOW",
     .help = "count: the exit status is how many failed, 101 at most "
             "(default: status)"},

    {AT(summary), .group = "Report", .kind = OPTION_FLAG, .name = "summary",
     .help = "the last line with counts, even with -q"},
    REPORT_RECORDS(struct map_options, report),
};
/* clang-format on */

static const char *const sections[] = {
    "INPUTS",
    "Without any source, inputs are the lines of standard input. Behind the command may stand:\n"
    "\n"
    "::: VALUE...\tthese inputs.\n"
    ":::: FILE...\tthe lines of these files.\n"
    ":::+ VALUE..., ::::+ FILE...\tlinked to the source before: the first with the first, the "
    "second with the second.\n"
    "\n"
    "Several sources give all combinations, and {1} {2} are their values. Inputs are read as jobs "
    "need them: they may be endless. What an input holds is not looked at: quotes and blanks "
    "stay.\n",

    "PLACEHOLDERS",
    "{}\tthe input.\n"
    "{.}\twithout its extension.\n"
    "{/}\tits last part, behind the last slash.\n"
    "{//}\tits folder.\n"
    "{/.}\tits last part without its extension.\n"
    "{#}\tthe job's number, from 1.\n"
    "{%}\tits slot, from 1 to --jobs.\n"
    "{2}, {2.}, {2/}, ...\tthe same of a column or source.\n"
    "{name}, {name/}, ...\tand by the column's name (--header).\n"
    "{{, }}\tbraces.\n"
    "\n"
    "A command without a placeholder for inputs gets the input as its last word. Each word of "
    "the template makes one word of the command, whatever the input holds.\n",

    "SIGNALS",
    "INT, TERM, HUP\tstart no more, send the same signal to all jobs, KILL after --kill-after or "
    "at a second one, and end by that signal.\n"
    "USR1, USR2\tone more, one less job at the same time.\n"
    "QUIT\tsay what runs, and go on.\n"
    "TSTP, CONT\tare passed on to the jobs.\n"
    "\n"
    "Each job leads a process group of its own. What it has started ends with it when it is ended "
    "by us, and all of it when we are killed.\n",

    "FILES",
    "TMPDIR\tkept output beyond --buffer, in files without a name.\n"
    "--log FILE.tsv\ta log with that ending has the columns of GNU parallel's --joblog.\n",

    "JSON",
    "A line for each job, in the order in which they end. Times are in seconds, bytes that are no "
    "UTF-8 are {\"base64\": \"...\"}.\n"
    "\n"
    "type\t\"job\"; the last line has \"summary\", with counts of all.\n"
    "seq, argv, input\twhich one it is.\n"
    "status\t\"ok\", \"failed\", \"timeout\", \"killed\" or \"skipped\".\n"
    "exit, signal, tries\thow it ended; one of the first two is null.\n"
    "start, wall, user, sys, maxrss_kb\twhen it began, counted from the start of the run, and what "
    "it took.\n"
    "stdout_bytes, stdout, stderr\twhat it wrote; the texts only with --json=full.\n"
    "slot, pid\twhere it ran.\n"
    "ts, id\twhen the line was written; what the command line is known by.\n",
    NULL,
};

const struct syntax map_syntax = {
    .command = "map",
    .usage = "[OPTION]... COMMAND [ARG]... [::: VALUE...]...\n"
             "[OPTION]... --shell LINE [::: VALUE...]...\n",
    .summary = "Run COMMAND once for each input, several at a time.",
    .examples = "  ls *.png | sillon map optipng {}\n"
                "  sillon map -j4 --retries 2 --timeout 30s -- curl -sSfO {} :::: urls.txt\n"
                "  sillon map --csv --header convert {src} -resize {w} {dst} :::: jobs.csv\n"
                "  sillon map -k --shell 'gzip -dc {} | wc -l' ::: *.gz\n"
                "  sillon map --log log.jsonl --resume ./render {} ::: $(seq 1000)\n",
    .description =
        "The first word that is no option begins the command, and all that follows is the "
        "command's own, up to the first of ::: and ::::.\n"
        "\n"
        "Jobs read /dev/null. Standard output has what jobs write there, each job's in one "
        "piece; messages and progress go to standard error, whose last line tells how many jobs "
        "there were. In its environment a job finds SILLON_SEQ, its number, SILLON_SLOT and "
        "SILLON_TRY.\n",
    .notes = "Inputs are lines of standard input, FILE behind :::: or VALUE behind :::; with\n"
             ":::+ and ::::+ they are linked to those before, else combined with them.\n"
             "Placeholders: {} {.} {/} {//} {/.} {#} {%} {1} {1.} {name} {name/}; {{ is a\n"
             "brace; without any, the input is the last word. No shell, no quoting trouble.\n"
             "--json=full puts what jobs write into the objects, too.\n"
             "TIME is in seconds, or 500ms, 1.5s, 2m, 1h; SIZE in bytes, or 64K, 32M, 1G.\n",
    .statuses = "0\tall jobs succeeded\n"
                "1\tsome failed after their retries\n"
                "2\twrong usage; nothing was started\n"
                "3\tstopped early by --halt or --deadline\n"
                "5\tthis machine failed: no process, no memory, output cannot be written\n"
                "126\tCOMMAND cannot be run\n"
                "127\tCOMMAND is not found\n"
                "128+N\tended by signal N\n",
    .environment = "SILLON_JOBS\tthe default of --jobs\n"
                   "TMPDIR\tfor kept output that is too much for memory\n"
                   "MAKEFLAGS\tfor --jobserver\n"
                   "COLUMNS\tthe width of the status lines\n"
                   "NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM\tfor --color=auto\n",
    .sections = sections,
    .options = records,
    .option_count = sizeof(records) / sizeof(records[0]),
    .stops_at_word = true,
};
