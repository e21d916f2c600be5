/* SPDX-License-Identifier: MIT */
/*
 * The program sillon-get, which `sillon get` executes.
 */
#include "command.h"
#include "syntax/program_start.h"

int main(int argc, char **argv)
{
    program_start();
    return program_end("sillon get", get_run(argc, argv));
}
