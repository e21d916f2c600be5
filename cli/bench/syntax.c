/* SPDX-License-Identifier: MIT */
/*
 * What may be typed after `sillon bench`: options, their defaults, and all that is said of them.
 */
#include "bench/syntax.h"

const struct bench_options bench_defaults = {
    .repeat = 5,
    .warmup = 1,
    .cpu_work = 0.02,
    .io_latency = 0.05,
    .io_size = 10240,
    .report = {.progress_fd = 2},
};

#define AT(field) .offset = offsetof(struct bench_options, field)

/* clang-format off: a table, a few lines an option */
static const struct option_record records[] = {
    {AT(tasks), .group = "Work", .kind = OPTION_NUMBER, .least = 1, .most = 1000000,
     .name = "tasks", .letter = 'n', .argument = "N",
     .help = "tasks of one run (default: 64 for cpu, 500 for io)"},
    {AT(cpu_work), .group = "Work", .kind = OPTION_SECONDS, .name = "cpu-work", .argument = "TIME",
     .help = "one cpu task on this machine (default: 20ms)",
     .more = "Primes are counted, up to a number that is found first; the answers are compared."},
    {AT(io_latency), .group = "Work", .kind = OPTION_SECONDS, .name = "io-latency",
     .argument = "TIME", .help = "until the server answers an io task (default: 50ms)"},
    {AT(io_size), .group = "Work", .kind = OPTION_SIZE, .least = 0, .most = UINT64_C(1) << 30,
     .name = "io-size", .argument = "SIZE", .help = "of its answer (default: 10K)"},
    {AT(urls), .group = "Work", .kind = OPTION_LIST, .name = "url", .argument = "URL",
     .help = "load this, not the built-in server's; several times"},
    {AT(input), .group = "Work", .kind = OPTION_TEXT, .hint = HINT_FILE, .name = "input",
     .letter = 'i', .argument = "FILE",
     .help = "the same, URLs from FILE, one a line ('-': standard input)"},

    {AT(modes), .group = "Modes", .kind = OPTION_TEXT, .name = "modes", .argument = "LIST",
     .help = "of seq,threads,processes,async (default: all)",
     .more = "seq: one task after another. threads, processes: as many at a time as there are "
             "workers. async: coroutines on one loop, in one thread."},
    {AT(workers), .group = "Modes", .kind = OPTION_TEXT, .name = "workers", .letter = 'w',
     .argument = "LIST",
     .help = "how many, such as 1,2,8 (default: 1, 2, CPUs for cpu, 50 for io)"},

    {AT(repeat), .group = "Measuring", .kind = OPTION_NUMBER, .least = 1, .most = 1000,
     .name = "repeat", .argument = "N", .help = "runs of each; the median counts (default: 5)",
     .more = "Runs of the modes take turns, so that what slows the machine for a while slows "
             "them all."},
    {AT(warmup), .group = "Measuring", .kind = OPTION_NUMBER, .least = 0, .most = 100,
     .name = "warmup", .argument = "N", .help = "runs before, not counted (default: 1)"},

    REPORT_JSON(struct bench_options, report),
    {AT(markdown), .group = "Report", .kind = OPTION_FLAG, .name = "markdown",
     .help = "the table in Markdown"},
    {AT(svg), .group = "Report", .kind = OPTION_TEXT, .hint = HINT_FILE, .name = "svg",
     .argument = "FILE", .help = "a picture: what each worker did when, mode below mode"},
    REPORT_TRACE(struct bench_options, report),
    REPORT_COLOR(struct bench_options, report),
    REPORT_QUIET(struct bench_options, report),
    REPORT_VERBOSE(struct bench_options, report),
};
/* clang-format on */

static const char *const sections[] = {
    "THE TABLE",
    "mode, workers\twho did the tasks. \"scaled\": one at a time would have taken long, so fewer "
    "were "
    "measured, and wall, CPU and switches are given for all.\n"
    "wall\tmedian of the runs, with the start and the end of threads, processes and loops.\n"
    "least..most\tthe shortest and the longest run.\n"
    "speed-up\ttimes as fast as seq.\n"
    "ideal\tof what is possible: for cpu, so many times as fast as there are CPUs that workers can "
    "have; for io, tasks times latency, divided by workers.\n"
    "CPU, switches, memory\tCPU seconds, context switches, and the peak of resident memory, of "
    "processes added up.\n"
    "cost a task\tCPU time beyond the work: all of it for io.\n"
    "\n"
    "A warning is given when runs differ by more than a tenth, or when other programs used more "
    "than a twentieth of the machine meanwhile.\n",
    NULL,
};

const struct syntax bench_syntax = {
    .command = "bench",
    .usage = "[OPTION]... [cpu] [io]\n",
    .summary = "Time the same tasks in sequence, threads, processes and one event loop.",
    .examples = "  sillon bench\n"
                "  sillon bench io -n 200 --io-latency 100ms -w 10,50\n"
                "  sillon bench --modes threads,async --url http://127.0.0.1:8080/ io\n"
                "  sillon bench --markdown --svg timeline.svg\n",
    .description =
        "Does the same tasks one after another, in threads, in processes and in one event loop, "
        "and compares: cpu tasks, which calculate, and io tasks, which wait for a server. The "
        "built-in server answers on 127.0.0.1, in a process of its own.\n"
        "\n"
        "Standard output has a table, and a line that says which mode to use, and why.\n",
    .notes = "TIME is in seconds, or 500ms, 1.5s, 2m, 1h; SIZE in bytes, or 64K, 32M, 1G.\n",
    .statuses = "0\tall was measured\n"
                "1\tthe modes' answers differ, or tasks failed\n"
                "2\twrong usage; nothing was started\n"
                "5\tthis machine failed: no process, no memory, output cannot be written\n"
                "127\tsillon-bench is not installed\n"
                "128+N\tended by signal N\n",
    .environment = "NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM\tfor --color=auto\n",
    .sections = sections,
    .word_choices = "cpu io",
    .options = records,
    .option_count = sizeof(records) / sizeof(records[0]),
};
