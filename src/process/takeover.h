/* SPDX-License-Identifier: MIT */
/*
 * Executing this program anew, for a process of ours: it starts like the program (libraries loaded,
 * constructors run), but then does what the library wants in place of main.
 *
 * How that comes about depends on how the program got the library:
 * - The shared library defines __libc_start_main in front of the C library's (shared/start.c), so
 *   that it sees main's address and arguments, and goes on to one of the functions below instead.
 * - A program that got the shared library by dlopen is executed with it preloaded.
 * - The static library is part of the program, and among its constructors; ours runs those that
 *   are still to come, and does not return. It cannot define __libc_start_main, for in a static
 *   program it is the C library's that has to be there.
 *
 * The new process knows that it is meant by its first argument, --sillon-child=KIND:SOCKET, and
 * believes it if that is a socket from its parent. Programs that run with more rights than who
 * started them (set-user-ID) never do.
 */
#ifndef SIL__PROCESS_TAKEOVER_H
#define SIL__PROCESS_TAKEOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the new process is for. */
enum sil__child { SIL__CHILD_HELPER, SIL__CHILD_FUNCTION };

struct sil__spawn {
    enum sil__child child;
    int socket;                     /* SOCK_SEQPACKET, made by us; borrows; becomes its descriptor
                                       3, or if that is to be kept, the next that is not */
    const char *name;               /* what ps shows: argv[0] */
    const char *directory;          /* NULL: ours */
    const char *const *environment; /* as in process.h; NULL: ours */
    int standard[3];                /* descriptors to become its 0, 1, 2; negative: ours; for 0, */
    bool no_input;                  /* or /dev/null */
    const int *descriptors;         /* to keep under their numbers; others are closed */
    size_t descriptor_count;
};

/*
 * Does not depend on our size or our threads. 0 and its pid, or a code with an error set:
 * SIL_EAGAIN, SIL_ENOMEM; SIL_EINVAL a descriptor is not open, or the environment too large;
 * SIL_ENOTSUP the program cannot be executed anew; errno's code for a directory that cannot be
 * entered. (spawn.c)
 */
int sil__spawn_self(const struct sil__spawn *spawn, pid_t *out_pid);

/* In the new process, in place of main, with the socket, which programs it executes do not get; the
 * value is its exit code. In helper.c and function.c. */
int sil__helper_main(int socket);
int sil__function_main(int socket);

/* --- between spawn.c, takeover.c and shared/start.c ---------------------------------------- */

/* The first argument: this, the kind, a colon, the socket's number, and SIL__CHILD_PRELOADED if the
 * first library of LD_PRELOAD is ours. */
#define SIL__CHILD_ARGUMENT "--sillon-child="
#define SIL__CHILD_HELPER_NAME "helper"
#define SIL__CHILD_FUNCTION_NAME "function"
#define SIL__CHILD_PRELOADED ":preloaded"

/* Would a program started as this one was be taken over? */
enum sil__takeover {
    SIL__TAKEOVER_NO,
    SIL__TAKEOVER_YES,
    SIL__TAKEOVER_PRELOAD, /* if this library is preloaded */
};
enum sil__takeover sil__takeover_way(void);

/* Is this process a child of ours? Then sil__takeover_main is to run in place of main. */
bool sil__takeover_wanted(int argc, char **argv);
int sil__takeover_main(int argc, char **argv, char **environment);

/* Has __libc_start_main of the shared library been called? There is none in the static one. */
extern bool sil__start_called __attribute__((weak));

#endif
