/* SPDX-License-Identifier: MIT */
/*
 * The command `sillon`: finds the command named by the first word, and runs it.
 */
#include "command.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sillon/version.h>

#include "interrupt.h"

static const struct command *const commands[] = {&get_command, &bench_command};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *out)
{
    (void)fputs("Usage: sillon COMMAND [OPTION]... [ARG]...\n"
                "Do many things at once.\n"
                "\n"
                "  sillon get https://example.org/ https://example.com/\n"
                "  sillon bench\n"
                "\n"
                "Commands:\n",
                out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    (void)fputs("\n"
                "  sillon COMMAND --help   all about one command\n"
                "  sillon --version        the versions of sillon and of libcurl\n"
                "\n"
                "Exit status: 0 all done, 1 some failed, 2 wrong usage.\n",
                out);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int unknown(const char *word)
{
    (void)fprintf(stderr, "sillon: %s: no such %s\nTry 'sillon --help'.\n", word,
                  word[0] == '-' ? "option" : "command");
    return STATUS_BAD_USAGE;
}

/* "sillon help get" is "sillon get --help". */
static int help(int argc, char **argv)
{
    if (argc < 3) {
        print_help(stdout);
        return STATUS_DONE;
    }
    const struct command *command = find_command(argv[2]);
    char *asks_for_help[] = {argv[2], (char[]){"--help"}, NULL};
    return command == NULL ? unknown(argv[2]) : command->run(2, asks_for_help);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return STATUS_BAD_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return help(argc, argv);
    if (strcmp(word, "--version") == 0) {
        (void)printf("sillon %s\nlibcurl %s\n", sil_version(),
                     curl_version_info(CURLVERSION_NOW)->version);
        return STATUS_DONE;
    }
    const struct command *command = find_command(word);
    return command == NULL ? unknown(word) : command->run(argc - 1, argv + 1);
}

/* A closed descriptor would be given to the next file opened, and our messages written into it.
 * What stands in for one cannot be read or written, so that its user gets an error. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    int status = dispatch(argc, argv);
    errno = 0;
    if (fflush(stdout) == 0)
        return status;
    /* `sillon get --help | head -1` ends like any other program there. */
    if (errno == EPIPE)
        interrupt_die(SIGPIPE);
    perror("sillon: standard output");
    return status == STATUS_DONE ? STATUS_SOME_FAILED : status;
}
