/* SPDX-License-Identifier: MIT */
/*
 * Executing the program anew, the old process's side of takeover.h.
 *
 * By posix_spawn, which borrows our memory until the program begins: the cost does not depend on
 * how much we have, and what other threads hold does not matter. /proc/self/exe is this program
 * even if its file was replaced or removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "core/context.h"
#include "process/environment.h"
#include "process/module_find.h"
#include "process/spawn_actions.h"
#include "process/takeover.h"

#define PROGRAM "/proc/self/exe"
#define PRELOAD "LD_PRELOAD"
#define FORK_INSTEAD "workers of a process pool can be started with SIL_START_FORK instead"

/* --- the environment ----------------------------------------------------------------------- */

/* What LD_PRELOAD will be after these changes; NULL: nothing. */
static const char *preload_after(const char *const *changes)
{
    const char *value = getenv(PRELOAD);
    for (size_t length = strlen(PRELOAD); changes && *changes; changes++)
        if (strncmp(*changes, PRELOAD, length) == 0 && strchr("=", (*changes)[length]))
            value = (*changes)[length] ? *changes + length + 1 : NULL;
    return value;
}

/* The changes and one more, that the library is loaded first. One block; NULL: no memory. */
static const char **preload_first(const char *const *changes, const char *library)
{
    const char *others = preload_after(changes);
    size_t count = 0;
    while (changes && changes[count])
        count++;
    size_t size = sizeof PRELOAD "=:" + strlen(library) + (others ? strlen(others) : 0);
    const char **list = sil__alloc((count + 2) * sizeof *list + size);
    if (!list)
        return NULL;
    char *text = (char *)(list + count + 2);
    (void)snprintf(text, size, PRELOAD "=%s%s%s", library, others ? ":" : "", others ? others : "");
    for (size_t i = 0; i < count; i++)
        list[i] = changes[i];
    list[count] = text;
    return list;
}

static int add_preload(const char *const *changes, const char ***out_changes)
{
    struct sil__loaded library;
    int code = sil__loaded_at((uintptr_t)add_preload, &library);
    if (code)
        return code;
    if (strpbrk(library.module.path, ": "))
        return sil__fail(SIL_ENOTSUP,
                         "%s cannot be preloaded with a space or colon in its path; " FORK_INSTEAD,
                         library.module.path);
    *out_changes = preload_first(changes, library.module.path);
    return *out_changes ? 0 : sil__fail(SIL_ENOMEM, NULL);
}

/* --- attributes ---------------------------------------------------------------------------- */

/* Signals as a program expects them, whatever the calling thread has blocked or ignores. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error)
        error =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return error;
}

/* --- errors -------------------------------------------------------------------------------- */

/* Why a directory cannot be entered; 0: it can. */
static int directory_error(const char *directory)
{
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    (void)close(fd);
    return faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

static int bad_descriptor(const struct sil__spawn *spawn)
{
    for (size_t i = 0; i < spawn->descriptor_count; i++)
        if (fcntl(spawn->descriptors[i], F_GETFD) < 0)
            return spawn->descriptors[i];
    for (int i = 0; i < 3; i++)
        if (spawn->standard[i] >= 0 && fcntl(spawn->standard[i], F_GETFD) < 0)
            return spawn->standard[i];
    return spawn->socket;
}

static int explain(int error, const struct sil__spawn *spawn)
{
    switch (error) {
    case EAGAIN:
    case EMFILE:
    case ENFILE:
        return sil__fail(SIL_EAGAIN, "no process could be started: %s", strerror(error));
    case ENOMEM:
        return sil__fail(SIL_ENOMEM, "no process could be started: %s", strerror(error));
    case E2BIG:
        return sil__fail(SIL_EINVAL, "the environment of a process is too large");
    case EBADF:
        return sil__fail(SIL_EINVAL, "descriptor %d, meant for a new process, is not open",
                         bad_descriptor(spawn));
    default:
        break;
    }
    if (spawn->directory && error == directory_error(spawn->directory))
        return sil__fail(error, "the directory \"%s\" of a new process cannot be entered: %s",
                         spawn->directory, strerror(error));
    return sil__fail(SIL_ENOTSUP,
                     "the program cannot be executed anew (" PROGRAM "): %s; " FORK_INSTEAD,
                     strerror(error));
}

/* --- starting ------------------------------------------------------------------------------ */

static int start(const struct sil__spawn *spawn, char *const *arguments, char *const *environment,
                 pid_t *out_pid)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    posix_spawnattr_t attributes;
    error = posix_spawnattr_init(&attributes);
    if (error)
        goto fail_attributes;
    error = set_signals(&attributes);
    if (!error)
        error = sil__spawn_actions(&actions, spawn);
    if (!error && sil__fault(SIL__FAULT_PROCESS))
        error = EAGAIN;
    pid_t pid = 0;
    if (!error)
        error = posix_spawn(&pid, PROGRAM, &actions, &attributes, arguments, environment);
    if (!error)
        *out_pid = pid;
    (void)posix_spawnattr_destroy(&attributes);
fail_attributes:
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

int sil__spawn_self(const struct sil__spawn *spawn, pid_t *out_pid)
{
    enum sil__takeover way = sil__takeover_way();
    if (way == SIL__TAKEOVER_NO)
        return sil__fail(SIL_ENOTSUP, "the program cannot be executed anew: it has other rights "
                                      "than its user, or the static libsillon.a is in a shared "
                                      "library; " FORK_INSTEAD);
    const char *const *changes = spawn->environment;
    const char **preloaded = NULL;
    if (way == SIL__TAKEOVER_PRELOAD) {
        int code = add_preload(changes, &preloaded);
        if (code)
            return code;
        changes = preloaded;
    }
    char **environment = sil__environment_create(changes);
    int error = ENOMEM;
    if (environment) {
        char argument[64];
        (void)snprintf(argument, sizeof argument, SIL__CHILD_ARGUMENT "%s:%d%s",
                       spawn->child == SIL__CHILD_HELPER ? SIL__CHILD_HELPER_NAME
                                                         : SIL__CHILD_FUNCTION_NAME,
                       sil__spawn_socket(spawn), preloaded ? SIL__CHILD_PRELOADED : "");
        char *arguments[] = {(char *)(spawn->name ? spawn->name : "sillon"), argument, NULL};
        error = start(spawn, arguments, environment, out_pid);
    }
    sil__free(environment);
    sil__free(preloaded);
    return error ? explain(error, spawn) : 0;
}
