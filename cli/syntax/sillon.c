/* SPDX-License-Identifier: MIT */
/*
 * What may be typed after `sillon`: a command; and what is said of all of them.
 */
#include "syntax/options.h"

const struct syntax *const all_syntaxes[] = {&get_syntax, &map_syntax, &bench_syntax, NULL};

static const char *const sections[] = {
    "GENERATED TEXTS",
    "sillon help --man [COMMAND]\tthis page, or a command's, in roff.\n"
    "sillon help --completion bash\tcompletion for bash, to be read by it; likewise zsh, for a "
    "file "
    "_sillon in its $fpath.\n",

    "FILES",
    "sillon-get, sillon-bench\tprograms that sillon executes for these commands. They are looked "
    "for beside sillon, then in ../libexec/sillon.\n",
    NULL,
};

const struct syntax sillon_syntax = {
    .command = "",
    .usage = "COMMAND [OPTION]... [ARG]...\n",
    .summary = "Do many things at once.",
    .examples = "  sillon get -d out -i urls.txt\n"
                "  ls *.png | sillon map optipng {}\n"
                "  sillon bench\n",
    .notes = "  sillon COMMAND --help   all about one command; also: sillon help COMMAND\n"
             "  sillon --version        the version, and which commands are installed\n",
    .statuses = "0\tall was done\n"
                "1\tsome failed\n"
                "2\twrong usage; nothing was started\n",
    .environment = "SILLON_JOBS\tthe default of --jobs\n",
    .sections = sections,
};
