/* SPDX-License-Identifier: MIT */
/*
 * The new process's side of takeover.h.
 *
 * Whoever executes the program with our argument is asked for a socket that its parent made, so
 * that nobody gets here by accident. Somebody who wants to can: with the rights they have anyway.
 */
#include "process/takeover.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/module_find.h"

/* Written before the program's code runs. */
static struct {
    enum sil__child child;
    int socket;
    bool preloaded; /* our own children need it too */
} role;

static bool skip(const char **text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0)
        return false;
    *text += length;
    return true;
}

static bool parse(const char *text)
{
    if (!skip(&text, SIL__CHILD_ARGUMENT))
        return false;
    if (skip(&text, SIL__CHILD_HELPER_NAME ":"))
        role.child = SIL__CHILD_HELPER;
    else if (skip(&text, SIL__CHILD_FUNCTION_NAME ":"))
        role.child = SIL__CHILD_FUNCTION;
    else
        return false;
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    long number = strtol(text, &end, 10);
    if (number < 3 || number > INT32_MAX)
        return false;
    role.socket = (int)number;
    text = end;
    role.preloaded = skip(&text, SIL__CHILD_PRELOADED);
    return *text == 0;
}

static bool socket_is(int socket, int option, int value)
{
    int is = 0;
    socklen_t size = sizeof is;
    return getsockopt(socket, SOL_SOCKET, option, &is, &size) == 0 && is == value;
}

/* A parent that has gone meanwhile has hung up; what it wanted is still to be read. */
static bool is_from_parent(int socket)
{
    if (!socket_is(socket, SO_DOMAIN, AF_UNIX) || !socket_is(socket, SO_TYPE, SOCK_SEQPACKET))
        return false;
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    if (peer.pid == getppid())
        return true;
    struct pollfd state = {.fd = socket};
    return poll(&state, 1, 0) == 1 && (state.revents & POLLHUP);
}

/* In place: nobody may have looked at the environment yet, and memory is not needed. */
static void forget_preload(void)
{
    static const char name[] = "LD_PRELOAD=";
    for (char **entry = environ; entry && *entry; entry++) {
        if (strncmp(*entry, name, sizeof name - 1) != 0)
            continue;
        char *value = *entry + sizeof name - 1;
        const char *rest = strchr(value, ':');
        if (rest)
            memmove(value, rest + 1, strlen(rest));
        for (; !rest && *entry; entry++)
            *entry = entry[1];
        return;
    }
}

bool sil__takeover_wanted(int argc, char **argv)
{
    if (argc < 2 || !parse(argv[1]) || getauxval(AT_SECURE) || !is_from_parent(role.socket)) {
        role.preloaded = false;
        return false;
    }
    if (role.preloaded)
        forget_preload();
    (void)fcntl(role.socket, F_SETFD, FD_CLOEXEC);
    (void)prctl(PR_SET_NAME, argv[0], 0, 0, 0);
    return true;
}

int sil__takeover_main(int argc, char **argv, char **environment)
{
    (void)argc;
    (void)argv;
    (void)environment;
    return role.child == SIL__CHILD_HELPER ? sil__helper_main(role.socket)
                                           : sil__function_main(role.socket);
}

/* --- as a part of the program -------------------------------------------------------------- */

typedef void constructor(int argc, char **argv, char **environment);

/* The program's constructors, where the linker tells; a library's are none of ours. */
extern constructor *const __init_array_end[] __attribute__((weak, visibility("hidden")));

static constructor take_over;

/* Ours among them, written out because its place is needed. */
__attribute__((section(".init_array"), used)) static constructor *own_entry = take_over;

#ifndef __GLIBC__
/* Other C libraries pass constructors no arguments. */
static char **read_arguments(int *out_count)
{
    static char text[1024]; /* ours are shorter */
    static char *list[3];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    (void)close(fd);
    *out_count = 0;
    for (char *next = text; *out_count < 2 && next < text + size; next += strlen(next) + 1)
        list[(*out_count)++] = next;
    return list;
}
#endif

static bool is_in_program(void)
{
    return __init_array_end && sil__loaded_in_program((uintptr_t)take_over);
}

static void take_over(int argc, char **argv, char **environment)
{
    if (&sil__start_called)
        return; /* in the shared library */
#ifndef __GLIBC__
    argv = read_arguments(&argc);
#endif
    if (!is_in_program() || !sil__takeover_wanted(argc, argv))
        return;
    /* Those of libraries linked after us. Hidden from the compiler, which sees but one entry. */
    constructor **entry = &own_entry;
    __asm__("" : "+r"(entry));
    while (++entry < (constructor **)__init_array_end)
        (*entry)(argc, argv, environment);
    exit(sil__takeover_main(argc, argv, environment));
}

enum sil__takeover sil__takeover_way(void)
{
    if (getauxval(AT_SECURE))
        return SIL__TAKEOVER_NO;
    if (&sil__start_called)
        return sil__start_called && !role.preloaded ? SIL__TAKEOVER_YES : SIL__TAKEOVER_PRELOAD;
    return is_in_program() ? SIL__TAKEOVER_YES : SIL__TAKEOVER_NO;
}
