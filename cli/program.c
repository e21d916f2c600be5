/* SPDX-License-Identifier: MIT */
/*
 * The commands that are programs of their own, see program.h.
 */
#include "program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

/* Where they may be, from the folder of ours. */
static const char *const folders[] = {".", PROGRAMS_FROM_BIN};

enum { FOLDER_COUNT = sizeof(folders) / sizeof(folders[0]) };

/* The folder that the running program lies in; false: unknown (no /proc). */
static bool find_ours(char out[static PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", out, PATH_MAX);
    if (length <= 0 || length == PATH_MAX)
        return false;
    out[length] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

/* The first that is there; false: none is. */
static bool find_program(const char *command, char out[static PATH_MAX])
{
    char ours[PATH_MAX];
    if (!find_ours(ours))
        return false;
    for (size_t i = 0; i < FOLDER_COUNT; i++) {
        int length = snprintf(out, PATH_MAX, "%s/%s/sillon-%s", ours, folders[i], command);
        if (length > 0 && length < PATH_MAX && access(out, F_OK) == 0)
            return true;
    }
    return false;
}

bool program_exists(const char *command)
{
    char path[PATH_MAX];
    return find_program(command, path) && access(path, X_OK) == 0;
}

int program_execute(const char *command, char **argv)
{
    char path[PATH_MAX];
    if (!find_program(command, path)) {
        (void)fprintf(stderr, "sillon %s: sillon-%s is not installed\n", command, command);
        return STATUS_NOT_FOUND;
    }
    (void)execv(path, argv);
    (void)fprintf(stderr, "sillon %s: %s: %s\n", command, path, strerror(errno));
    return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_EXECUTE;
}
