/* SPDX-License-Identifier: MIT */
/*
 * The program sillon-bench, which `sillon bench` executes.
 */
#include "command.h"
#include "syntax/program_start.h"

int main(int argc, char **argv)
{
    program_start();
    return program_end("sillon bench", bench_run(argc, argv));
}
