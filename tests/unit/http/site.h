/* SPDX-License-Identifier: MIT */
/*
 * Whom the tests of HTTP talk to: the server program (tests/support/http_server.c), started once, and a
 * script, which answers in the test's own loop with any bytes whatever.
 */
#ifndef TESTS_UNIT_HTTP_SITE_H
#define TESTS_UNIT_HTTP_SITE_H

#include <sillon/http.h>

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/coro/scenario.h"

/* --- the program --------------------------------------------------------------------------------- */

struct site {
    pid_t pid;
    int port;
};

/* The one that most scenarios use. */
__attribute__((unused)) static struct site site;

/* identity: a file with certificate and key; NULL: plain HTTP. */
static inline struct site start_site(const char *identity)
{
    char file[] = "/tmp/sil-http-XXXXXX";
    int descriptor = mkstemp(file);
    struct site started = {0};
    char *arguments[] = {(char[]){TEST_HTTP_SERVER},          (char[]){"--port-file"}, file,
                         identity ? (char[]){"--tls"} : NULL, (char *)identity,        NULL};
    extern char **environ;
    if (descriptor < 0 ||
        posix_spawn(&started.pid, arguments[0], NULL, NULL, arguments, environ) != 0)
        abort();
    (void)close(descriptor);
    while (started.port == 0) {
        FILE *in = fopen(file, "re");
        if (in == NULL || fscanf(in, "%d", &started.port) != 1)
            started.port = 0;
        if (in != NULL)
            (void)fclose(in);
        test_yield();
    }
    (void)unlink(file);
    return started;
}

static inline void stop_site(const struct site *started)
{
    (void)kill(started->pid, SIGTERM);
    (void)waitpid(started->pid, NULL, 0);
}

/* main's first and last. */
static inline void begin_http_scenarios(void)
{
    static const char *const variables[] = {"http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY",
                                            "ALL_PROXY"};
    for (size_t i = 0; i < COUNT_OF(variables); i++)
        (void)unsetenv(variables[i]);
    begin_scenarios();
    site = start_site(NULL);
}

static inline int end_http_scenarios(int failed)
{
    stop_site(&site);
    return failed;
}

/* Of the last four calls. */
static inline const char *url_at(int port, const char *path)
{
    static char urls[4][1024];
    static unsigned next;
    char *url = urls[next++ % 4];
    (void)snprintf(url, sizeof urls[0], "http://127.0.0.1:%d%s", port, path);
    return url;
}

static inline const char *site_url(const char *path)
{
    return url_at(site.port, path);
}

/* --- the script ---------------------------------------------------------------------------------- */

enum then { THEN_CLOSE, THEN_HOLD, THEN_RESET };

struct script {
    const char *answer;
    size_t size; /* 0: strlen */
    enum then then;
    size_t repeat; /* write the piece again and again */
    const char *piece;
    size_t piece_size;

    int port;
    int served;
    char head[4096]; /* of the last request */
    sil_server *server;
    sil_future *serving;
};

static inline int play(sil_stream *stream, void *user)
{
    struct script *script = user;
    const char *head;
    size_t size;
    int code =
        sil_read_until(stream, "\r\n\r\n", 4, sizeof script->head - 1, &head, &size, SIL_FOREVER);
    if (code != 0)
        return 0;
    memcpy(script->head, head, size);
    script->head[size] = '\0';
    script->served++;
    code = sil_write(stream, script->answer, script->size ? script->size : strlen(script->answer),
                     SIL_FOREVER);
    for (size_t i = 0; code == 0 && i < script->repeat; i++)
        code = sil_write(stream, script->piece, script->piece_size, SIL_FOREVER);
    if (code == 0)
        code = sil_flush(stream, SIL_FOREVER);
    if (script->then == THEN_HOLD && code == 0)
        return sil_sleep(SIL_FOREVER);
    struct linger hard = {.l_onoff = 1};
    if (script->then == THEN_RESET)
        (void)setsockopt(sil_stream_fd(stream), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    return 0;
}

static inline int co_play(void *arg, void *result)
{
    (void)result;
    struct script *script = *(struct script **)arg;
    return sil_server_serve(script->server, play, script, SIL_FOREVER);
}

static inline int script_start(struct script *script)
{
    int code = sil_listen("127.0.0.1", "0", NULL, &script->server, SIL_FOREVER);
    if (code != 0)
        return code;
    script->port = sil_server_port(script->server);
    script->serving = sil_go(co_play, &script, sizeof script, 0);
    return 0;
}

static inline void script_end(struct script *script)
{
    (void)sil_future_cancel(script->serving);
    (void)sil_take(script->serving, NULL, SIL_FOREVER);
    sil_server_close(script->server);
}

/* --- parts of scenarios ---------------------------------------------------------------------------- */

#define EXPECT_PART(part)   \
    do {                    \
        int code_ = (part); \
        if (code_ != 0)     \
            return code_;   \
    } while (0)

#define EXPECT_TEXT(actual, expected)                                                       \
    do {                                                                                    \
        const char *actual_ = (actual);                                                     \
        if (actual_ == NULL || strcmp(actual_, (expected)) != 0)                            \
            return sil_fail(UNEXPECTED, "%s:%d: %s is \"%s\"", __FILE__, __LINE__, #actual, \
                            actual_ ? actual_ : "(null)");                                  \
    } while (0)

#define EXPECT_PART_OF(text, part)                                                        \
    do {                                                                                  \
        const char *text_ = (text);                                                       \
        if (text_ == NULL || strstr(text_, (part)) == NULL)                               \
            return sil_fail(UNEXPECTED, "%s:%d: %s is \"%s\"", __FILE__, __LINE__, #text, \
                            text_ ? text_ : "(null)");                                    \
    } while (0)

static inline const char *last_message(void)
{
    return sil_error_message(sil_last_error());
}

static inline sil_deadline soon(void)
{
    return sil_in(TEST_PATIENCE);
}

#endif
