/* SPDX-License-Identifier: MIT */
/*
 * make's jobserver, see jobserver.h. Source: "GNU make", POSIX Jobserver Interaction.
 */
#include "map/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const double ask_again = 0.02;

struct jobserver {
    int fd; /* of our own: reading it never waits (I2) */
    size_t held;
    size_t room;
    char *tokens;
    char *folder; /* of the pipe we made; NULL: it is another's */
    char *makeflags;
};

/* --- finding one --------------------------------------------------------------------------- */

/* A pipe, opened anew so that it is not shared. -1 with errno. */
static int open_pipe(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))
        return fd;
    (void)close(fd);
    errno = ENOTSUP;
    return -1;
}

/* The last one counts. NULL: there is none. */
static const char *find_auth(const char *flags)
{
    static const char *const names[] = {"--jobserver-auth=", "--jobserver-fds="};
    const char *found = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (const char *at = flags; (at = strstr(at, names[i])) != NULL;) {
            at += strlen(names[i]);
            if (found == NULL || at > found)
                found = at;
        }
    return found;
}

/* -1: it is not there: none was inherited, or it is for another. */
static int open_found(const char *auth)
{
    char path[4096];
    size_t size = strcspn(auth, " ");
    if (strncmp(auth, "fifo:", strlen("fifo:")) == 0 && size < sizeof(path)) {
        (void)snprintf(path, sizeof(path), "%.*s", (int)(size - strlen("fifo:")),
                       auth + strlen("fifo:"));
        return open_pipe(path);
    }
    char *end;
    long reader = strtol(auth, &end, 10);
    long writer = *end == ',' ? strtol(end + 1, NULL, 10) : -1;
    if (end == auth || reader < 0 || writer < 0 || reader > INT_MAX || writer > INT_MAX)
        return -1;
    struct stat ends[2];
    if (fstat((int)reader, &ends[0]) != 0 || fstat((int)writer, &ends[1]) != 0 ||
        ends[0].st_ino != ends[1].st_ino || ends[0].st_dev != ends[1].st_dev)
        return -1;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%ld", reader);
    return open_pipe(path);
}

/* --- being one ----------------------------------------------------------------------------- */

static void pipe_path(const struct jobserver *server, char *out, size_t size)
{
    (void)snprintf(out, size, "%s/tokens", server->folder);
}

static int put(struct jobserver *server, char token)
{
    ssize_t put;
    do
        put = write(server->fd, &token, 1);
    while (put < 0 && errno == EINTR);
    return put == 1 ? 0 : errno;
}

static bool make_folder(struct jobserver *server)
{
    const char *parent = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe)
    if (parent == NULL || *parent == '\0')
        parent = "/tmp";
    char *folder;
    if (asprintf(&folder, "%s/sillon-jobs-XXXXXX", parent) < 0)
        return false;
    if (mkdtemp(folder) == NULL) {
        free(folder);
        return false;
    }
    server->folder = folder;
    return true;
}

static int serve(struct jobserver *server, size_t jobs)
{
    char path[4096];
    errno = ENOMEM;
    if (!make_folder(server))
        return errno;
    pipe_path(server, path, sizeof(path));
    if (mkfifo(path, 0600) != 0)
        return errno;
    server->fd = open_pipe(path);
    if (server->fd < 0)
        return errno;
    int error = 0;
    for (size_t i = 1; error == 0 && i < jobs; i++)
        error = put(server, '+');
    if (error == EAGAIN) /* as many as a pipe can hold are enough */
        error = 0;
    const char *flags = getenv("MAKEFLAGS"); // NOLINT(concurrency-mt-unsafe)
    /* Its first word may be letters of options: "-j" must not become one of them. */
    if (error == 0 && asprintf(&server->makeflags, "MAKEFLAGS=%s -j%zu --jobserver-auth=fifo:%s",
                               flags != NULL ? flags : "", jobs, path) < 0) {
        server->makeflags = NULL;
        error = ENOMEM;
    }
    return error;
}

/* --- public -------------------------------------------------------------------------------- */

int jobserver_open(const char *mode, size_t jobs, struct jobserver **out)
{
    *out = NULL;
    bool serves = mode != NULL && strcmp(mode, "serve") == 0;
    const char *auth = NULL;
    const char *flags = getenv("MAKEFLAGS"); // NOLINT(concurrency-mt-unsafe)
    bool joins = mode != NULL && (*mode == '\0' || strcmp(mode, "auto") == 0);
    if (joins && flags != NULL)
        auth = find_auth(flags);
    if (!serves && auth == NULL)
        return 0;
    struct jobserver *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return ENOMEM;
    server->fd = -1;
    int error = 0;
    if (serves)
        error = serve(server, jobs);
    else
        server->fd = open_found(auth);
    if (server->fd >= 0 && error == 0) {
        *out = server;
        return 0;
    }
    jobserver_close(server);
    return error;
}

const char *jobserver_makeflags(const struct jobserver *server)
{
    return server != NULL ? server->makeflags : NULL;
}

static bool make_room(struct jobserver *server)
{
    if (server->held < server->room)
        return true;
    size_t room = server->room * 2 + 16;
    char *tokens = realloc(server->tokens, room);
    if (tokens == NULL)
        return false;
    server->tokens = tokens;
    server->room = room;
    return true;
}

double jobserver_may_start(struct jobserver *server, size_t running)
{
    if (server == NULL)
        return 0;
    while (server->held < running) {
        if (!make_room(server) || read(server->fd, &server->tokens[server->held], 1) != 1)
            return ask_again;
        server->held++;
    }
    return 0;
}

void jobserver_settle(struct jobserver *server, size_t running)
{
    size_t needed = running > 0 ? running - 1 : 0;
    if (server == NULL)
        return;
    while (server->held > needed)
        (void)put(server, server->tokens[--server->held]); /* there is room: it came from there */
}

void jobserver_close(struct jobserver *server)
{
    if (server == NULL)
        return;
    jobserver_settle(server, 0);
    if (server->fd >= 0)
        (void)close(server->fd);
    if (server->folder != NULL) {
        char path[4096];
        pipe_path(server, path, sizeof(path));
        (void)unlink(path);
        (void)rmdir(server->folder);
    }
    free(server->folder);
    free(server->makeflags);
    free(server->tokens);
    free(server);
}
