/* SPDX-License-Identifier: MIT */
/*
 * What may be typed after `sillon get`: options, their defaults, and all that is said of them.
 */
#include "get/syntax.h"

static const char *const input_format_choices[] = {
    [INPUT_LINES] = "lines",
    [INPUT_JSONL] = "jsonl",
    NULL,
};

static const char *const if_exists_choices[] = {
    [IF_EXISTS_RESUME] = "resume", [IF_EXISTS_SKIP] = "skip", [IF_EXISTS_REPLACE] = "replace",
    [IF_EXISTS_RENAME] = "rename", [IF_EXISTS_FAIL] = "fail", NULL,
};

static const char *const http_choices[] = {
    [HTTP_AUTO] = "auto",
    [HTTP_1_1] = "1.1",
    [HTTP_2] = "2",
    NULL,
};

const struct get_options get_defaults = {
    .per_host = 6,
    .min_segment = UINT64_C(32) << 20,
    .retries = 4,
    .retry_wait = 1,
    .retry_max = 60,
    .retry_after_max = 300,
    .connect_timeout = 10,
    .stall = 30,
    .stall_rate = 1,
    .max_redirects = 20,
    .report = {.progress_fd = 2},
};

#define AT(field) .offset = offsetof(struct get_options, field)

/* clang-format off: a table, a few lines an option */
static const struct option_record records[] = {
    {AT(input_files), .group = "Input", .kind = OPTION_LIST, .hint = HINT_FILE, .name = "input",
     .letter = 'i', .argument = "FILE",
     .help = "URLs from FILE, one a line ('-': standard input); can be given several times",
     .more = "The file is read as URLs are needed: it may be endless, or a pipe. See INPUT FILES."},
    {AT(null), .group = "Input", .kind = OPTION_FLAG, .name = "null", .letter = '0',
     .help = "what -i reads ends with NUL, not newline"},
    {AT(input_format), .group = "Input", .kind = OPTION_CHOICE, .choices = input_format_choices,
     .name = "input-format", .argument = "FORMAT",
     .help = "lines or jsonl: a JSON object a line (default: lines)",
     .more = "Members of an object: url; name; header, a text or an array of them; sha256, sha512, "
             "sha1, md5 or blake2b, as hexadecimal digits."},
    {AT(glob), .group = "Input", .kind = OPTION_FLAG, .name = "glob",
     .help = "expand [1-100:3], [001-100] and {a,b} in URLs"},
    {AT(no_empty), .group = "Input", .kind = OPTION_FLAG, .name = "no-empty",
     .help = "no URL at all in the input is a failure (status 1)"},

    {AT(output), .group = "Output", .kind = OPTION_TEXT, .hint = HINT_FILE, .name = "output",
     .letter = 'o', .argument = "NAME",
     .help = "the file's name, for one URL ('-': standard output)"},
    {AT(folder), .group = "Output", .kind = OPTION_TEXT, .hint = HINT_FOLDER, .name = "dir",
     .letter = 'd', .argument = "DIR", .help = "where the files go; made if missing (default: .)"},
    {AT(tree), .group = "Output", .kind = OPTION_FLAG, .name = "tree",
     .help = "keep the URL's host and path as folders"},
    {AT(if_exists), .group = "Output", .kind = OPTION_CHOICE, .choices = if_exists_choices,
     .name = "if-exists", .argument = "WHAT",
     .help = "resume, skip, replace, rename or fail (default: resume)",
     .more = "resume: a whole file of the right size and age is left as it is, else the file is "
             "loaded anew; a part is gone on from. skip: any file of that name is left as it is. "
             "rename: NAME.1, NAME.2 and so on. In every case a part left by an earlier run is "
             "gone on from if the server says that it is still the same file."},
    {AT(part_suffix), .group = "Output", .kind = OPTION_TEXT, .name = "part-suffix",
     .argument = "TEXT", .help = "of a file that is not whole yet (default: .part)"},
    {AT(fsync), .group = "Output", .kind = OPTION_FLAG, .name = "fsync",
     .help = "a file is on the disk before it gets its name"},
    {AT(no_mtime), .group = "Output", .kind = OPTION_FLAG, .name = "no-mtime",
     .help = "do not give files the server's Last-Modified time"},

    {AT(jobs), .group = "Concurrency", .kind = OPTION_JOBS, .name = "jobs", .letter = 'j',
     .argument = "N",
     .help = "transfers at the same time: 8, 50% or +2 of the CPUs, 0: "
             "no limit but open files (default: 16)"},
    {AT(per_host), .group = "Concurrency", .kind = OPTION_NUMBER, .least = 1, .most = 65536,
     .name = "per-host", .argument = "N", .help = "of those, connections to one host (default: 6)",
     .more = "A host is scheme, name and port."},
    {AT(segments), .group = "Concurrency", .kind = OPTION_TEXT, .name = "segments", .letter = 's',
     .argument = "N", .help = "load one file in N ranges at once (default: auto)",
     .more = "auto: up to 4, of a file of which more than --min-segment is to come, if that takes "
             "more than a second by one connection; never more than --per-host leaves free. Who "
             "becomes free takes over a share of the slowest range. Only with HTTP/1, from servers "
             "that answer ranges and say by ETag or date which file they are of. What is ahead of "
             "its turn lies in a file without a name. 1: never."},
    {AT(min_segment), .group = "Concurrency", .kind = OPTION_SIZE, .least = 4096,
     .name = "min-segment", .argument = "SIZE",
     .help = "only if more than that is to come (default: 32M)"},
    {AT(http), .group = "Concurrency", .kind = OPTION_CHOICE, .choices = http_choices,
     .name = "http", .argument = "VERSION", .help = "auto, 1.1 or 2 (default: auto)",
     .more = "auto: what server and we agree on in TLS. With 2 transfers share a connection."},

    {AT(limit_rate), .group = "Pace", .kind = OPTION_SIZE, .name = "limit-rate", .argument = "SIZE",
     .help = "bytes a second, over all (default: no limit)"},
    {AT(limit_rate_each), .group = "Pace", .kind = OPTION_SIZE, .name = "limit-rate-each",
     .argument = "SIZE", .help = "bytes a second, for each transfer"},
    {AT(rate), .group = "Pace", .kind = OPTION_RATE, .name = "rate", .argument = "RATE",
     .help = "transfers begun at most, such as 10/s or 100/m"},
    {AT(rate_host), .group = "Pace", .kind = OPTION_RATE, .name = "rate-host", .argument = "RATE",
     .help = "the same, for each host"},

    {AT(retries), .group = "Failure", .kind = OPTION_NUMBER, .least = 0, .most = 1000000,
     .name = "retries", .argument = "N", .help = "further tries if it may help (default: 4)",
     .more = "It may after network errors, time-outs, answers that end too early, and HTTP 408, "
             "425, 429, 500, 502, 503 and 504. A further try goes on where the last one ended if "
             "the server still has the same file. Who waits to be tried again takes no place of "
             "--jobs."},
    {AT(retry_wait), .group = "Failure", .kind = OPTION_SECONDS, .name = "retry-wait",
     .argument = "TIME", .help = "before the first of them, doubled each time (default: 1s)",
     .more = "The wait is a random time up to that. A server's Retry-After is obeyed."},
    {AT(retry_max), .group = "Failure", .kind = OPTION_SECONDS, .name = "retry-max",
     .argument = "TIME", .help = "and at most this (default: 60s)"},
    {AT(retry_after_max), .group = "Failure", .kind = OPTION_SECONDS, .name = "retry-after-max",
     .argument = "TIME", .help = "give up if a server asks for more (default: 5m)"},
    {AT(connect_timeout), .group = "Failure", .kind = OPTION_SECONDS, .name = "connect-timeout",
     .argument = "TIME", .help = "longest time to connect (default: 10s)"},
    {AT(stall), .group = "Failure", .kind = OPTION_SECONDS, .name = "stall", .argument = "TIME",
     .help = "longest time slower than --stall-rate (default: 30s)"},
    {AT(stall_rate), .group = "Failure", .kind = OPTION_SIZE, .name = "stall-rate",
     .argument = "SIZE", .help = "bytes a second that count as going on (default: 1)"},
    {AT(timeout), .group = "Failure", .kind = OPTION_SECONDS, .name = "timeout", .argument = "TIME",
     .help = "longest time of one try (default: 0, no limit)"},
    {AT(deadline), .group = "Failure", .kind = OPTION_SECONDS, .name = "deadline",
     .argument = "TIME", .help = "longest time of the whole run (default: 0, no limit)"},
    {AT(halt), .group = "Failure", .kind = OPTION_HALT, .name = "halt", .argument = "WHEN",
     .help = "stop early: now|soon,fail|success|done=N|N% (default: never)",
     .more = "soon: start no more. now: end what runs, too. The exit status is then 3."},

    {AT(checksums), .group = "Integrity", .kind = OPTION_LIST, .name = "checksum",
     .argument = "ALGO:HEX",
     .help = "what the file must have; given again, for the next URL (sha256, sha512, sha1, md5, "
             "blake2b)",
     .more = "For the URLs of the command line, in their order. A file that has another one is "
             "not given its name."},
    {AT(sums), .group = "Integrity", .kind = OPTION_TEXT, .hint = HINT_FILE, .name = "sums",
     .argument = "FILE", .help = "checksums by name, as sha256sum writes them"},

    {AT(cacert), .group = "TLS", .kind = OPTION_TEXT, .hint = HINT_FILE, .name = "cacert",
     .argument = "FILE", .help = "trust the authorities in FILE (PEM)"},
    {AT(cert), .group = "TLS", .kind = OPTION_TEXT, .hint = HINT_FILE, .name = "cert",
     .argument = "FILE", .help = "our own certificate (PEM)"},
    {AT(key), .group = "TLS", .kind = OPTION_TEXT, .hint = HINT_FILE, .name = "key",
     .argument = "FILE", .help = "and its private key (PEM)"},
    {AT(pin), .group = "TLS", .kind = OPTION_TEXT, .name = "pin", .argument = "KEY",
     .help = "the server's public key: sha256//BASE64, or a file"},
    {AT(insecure), .group = "TLS", .kind = OPTION_FLAG, .name = "insecure",
     .help = "do not verify servers (and say so, even with -q)"},

    {AT(max_redirects), .group = "Request", .kind = OPTION_NUMBER, .least = 0, .most = 1000,
     .name = "max-redirs", .argument = "N", .help = "redirects followed (default: 20)",
     .more = "Passwords, cookies and tokens are not sent on to another host."},
    {AT(allow_downgrade), .group = "Request", .kind = OPTION_FLAG, .name = "allow-downgrade",
     .help = "follow redirects from https to http, too"},
    {AT(headers), .group = "Request", .kind = OPTION_LIST, .name = "header", .letter = 'H',
     .argument = "LINE", .help = "one more header, 'Name: value'; several times"},
    {AT(user_agent), .group = "Request", .kind = OPTION_TEXT, .name = "user-agent", .letter = 'A',
     .argument = "TEXT", .help = "what we say we are (default: sillon/VERSION)"},
    {AT(user), .group = "Request", .kind = OPTION_TEXT, .name = "user", .letter = 'u',
     .argument = "USER:PASS", .help = "log in by name and password",
     .more = "Other users of this machine can see a command line; --netrc and --bearer-file keep "
             "secrets out of it."},
    {AT(netrc), .group = "Request", .kind = OPTION_FLAG, .name = "netrc",
     .help = "log in as ~/.netrc says"},
    {AT(bearer_file), .group = "Request", .kind = OPTION_TEXT, .hint = HINT_FILE,
     .name = "bearer-file", .argument = "FILE", .help = "log in with the token in FILE",
     .more = "/dev/fd/3 reads it from a descriptor."},
    {AT(proxy), .group = "Request", .kind = OPTION_TEXT, .name = "proxy", .letter = 'x',
     .argument = "URL", .help = "go through a proxy (default: the environment's)"},
    {AT(compressed), .group = "Request", .kind = OPTION_FLAG, .name = "compressed",
     .help = "ask for compressed answers, and unpack them"},
    {AT(only_4), .group = "Request", .kind = OPTION_FLAG, .name = "ipv4", .letter = '4',
     .help = "only IPv4 addresses"},
    {AT(only_6), .group = "Request", .kind = OPTION_FLAG, .name = "ipv6", .letter = '6',
     .help = "only IPv6 addresses"},
    {AT(resolve), .group = "Request", .kind = OPTION_LIST, .name = "resolve",
     .argument = "HOST:PORT:ADDR", .help = "use this address for that host; several times"},
    {AT(interface), .group = "Request", .kind = OPTION_TEXT, .name = "interface",
     .argument = "NAME", .help = "go out by this interface or address"},

    {AT(print_name), .group = "Report", .kind = OPTION_FLAG, .name = "print-name",
     .help = "each file's name on standard output once it is there"},
    REPORT_RECORDS(struct get_options, report),
};
/* clang-format on */

static const char *const sections[] = {
    "INPUT FILES",
    "A line is a URL. Empty lines and lines that begin with # are skipped. Behind a tab may stand "
    "the name of the file, and behind further tabs sha256=HEX or another checksum:\n"
    "\n"
    "  https://example.org/a.iso<TAB>first.iso<TAB>sha256=9f86d081884c...\n"
    "\n"
    "With --input-format=jsonl a line is an object:\n"
    "\n"
    "  {\"url\": \"https://example.org/a.iso\", \"name\": \"first.iso\"}\n",

    "SIGNALS",
    "INT, TERM, HUP\tclose the connections, keep the parts, and end by that signal. A second one "
    "ends at once.\n"
    "USR1, USR2\tone more, one less transfer at the same time.\n"
    "QUIT\tsay what is being loaded, and go on.\n"
    "TSTP, CONT\tstop and go on; the status lines are taken away and shown again.\n",

    "FILES",
    "NAME.part\twhat has been loaded of a file that is not whole yet. It is gone on from, by the "
    "next try or the next run, if the server says it is still the same file.\n"
    "NAME.part.meta\tbeside it: URL, length and what tells one version of the file from another.\n"
    "~/.netrc\tnames and passwords, with --netrc.\n",

    "JSON",
    "A line for each URL, in the order in which they end. Times are in seconds, bytes that are no "
    "UTF-8 are {\"base64\": \"...\"}.\n"
    "\n"
    "type\t\"file\"; the last line has \"summary\", with counts of all.\n"
    "seq, url, final_url, name\twhich one it is; final_url is where redirects led.\n"
    "status\t\"ok\", \"failed\" or \"skipped\".\n"
    "http, proto, remote, conn_reused\tof the last answer.\n"
    "bytes, resumed_from\tsize of the file, and what of it was there before.\n"
    "segments\thow many connections it came by, if more than one.\n"
    "tries, error, error_kind\twhy it failed: stall, dns, connect, tls, http, short, checksum or "
    "write.\n"
    "sha256\tor the name of another checksum that was asked for.\n"
    "t\ttimes: queue, dns, connect, tls, ttfb (first byte), total.\n"
    "ts, id\twhen the line was written; what the URL and its name are known by.\n",
    NULL,
};

const struct syntax get_syntax = {
    .command = "get",
    .usage = "[OPTION]... URL...\n[OPTION]... -i FILE\n",
    .summary = "Download URLs at the same time, each file whole or not at all.",
    .examples = "  sillon get https://example.org/a.iso\n"
                "  sillon get -d out -j 32 --per-host 8 -i urls.txt\n"
                "  sillon get --sums SHA256SUMS -i urls.txt\n"
                "  sillon get -o - https://example.org/data.json | jq .\n"
                "  grep -o 'https://[^ ]*' notes.txt | sillon get -d out -i -\n",
    .description =
        "Each file is written as NAME.part and gets its name when all of it has come, its length "
        "and its checksum are right: what stands under a name is whole. What fails and may pass "
        "is tried again, and goes on where it ended.\n"
        "\n"
        "Standard output has only results (-o -, --print-name, --json); messages and progress go "
        "to standard error. Its last line tells how many files came.\n",
    .notes = "A file is named after the last part of its URL's path, or index.html. TIME is\n"
             "in seconds, or 500ms, 1.5s, 2m, 1h; SIZE in bytes, or 64K, 32M, 1G (powers of\n"
             "1024); RATE is 10/s or 100/m. Only http and https are loaded.\n",
    .statuses = "0\tall files are there\n"
                "1\tsome failed after their retries\n"
                "2\twrong usage; nothing was started\n"
                "3\tstopped early by --halt or --deadline\n"
                "4\ta checksum did not match\n"
                "5\tthis machine failed: disk full, no memory, output cannot be written\n"
                "127\tsillon-get is not installed\n"
                "128+N\tended by signal N\n",
    .environment = "SILLON_JOBS\tthe default of --jobs\n"
                   "http_proxy, https_proxy, all_proxy, no_proxy\tproxies\n"
                   "SSL_CERT_FILE, SSL_CERT_DIR\twhom to trust\n"
                   "NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM\tfor --color=auto\n",
    .sections = sections,
    .options = records,
    .option_count = sizeof(records) / sizeof(records[0]),
};
