/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server for tests and for the demo: the same bytes at every run, and every misbehaviour
 * of a real server on request.
 *
 *     test_http_server --port-file FILE [--latency-ms N]    serves on a free port of 127.0.0.1
 *     test_http_server --print PATH                         the body that PATH would have
 *
 *     /file/N        1 KB to 200 KB, size and bytes made from N     /size/BYTES   just so many
 *     /page/NAME     a few lines of text    /image/N   a PGM picture    /as/ANYTHING  under any name
 *     /status/CODE   that status            /redirect/N   N redirects   /nolength/BYTES  chunked
 *     /cut/BYTES     the length is declared, half of it comes; /cutchunked/BYTES  a chunked half
 *     /hang          never answers          /slow/BYTES   1 KiB every 50 ms
 *     /flaky/N/NAME  the first N requests of this path get 503
 *     /stats         requests served, in flight now, and in flight at most, as JSON
 *
 * I1  What a path gives depends on the path alone (but for /flaky and /stats), so that a test can
 *     ask --print for what it should have got.
 * I2  A thread a connection: whoever sleeps or hangs holds up nobody else.
 * I3  /stats itself is not counted, and a client that went away no longer counts as in flight.
 */
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum body_end { END_WELL, END_CUT, END_SLOWLY };

/* What a path answers: opening text, then bytes made from the seed, up to size. */
struct body {
    unsigned status;
    bool declares_length;
    enum body_end end;
    uint64_t size;
    uint64_t seed;
    size_t text_length;
    char text[512];
};

/* Set once, before the first connection. */
static unsigned latency_ms;

static atomic_bool stopping;
static atomic_uint_fast64_t requests;
static atomic_int in_flight;
static atomic_int max_in_flight;

/* Marks a connection's request as counted in in_flight. */
static char counted;
static char uncounted;

static void sleep_ms(unsigned ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&span, &span) != 0 && errno == EINTR)
        continue;
}

/* splitmix64: any position of any file's bytes can be made alone. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void body_bytes(const struct body *body, uint64_t at, char *out, size_t count)
{
    for (size_t i = 0; i < count; i++, at++) {
        if (at < body->text_length)
            out[i] = body->text[at];
        else
            out[i] = (char)(mix(body->seed ^ mix(at / 8)) >> (at % 8 * 8));
    }
}

/* "/name/REST" -> REST; NULL for another path. */
static const char *path_after(const char *path, const char *name)
{
    size_t length = strlen(name);
    return strncmp(path, name, length) == 0 ? path + length : NULL;
}

static void body_text(struct body *body, unsigned status, const char *text)
{
    body->status = status;
    body->text_length = (size_t)snprintf(body->text, sizeof(body->text), "%s", text);
    if (body->text_length >= sizeof(body->text))
        body->text_length = sizeof(body->text) - 1;
    body->size = body->text_length;
}

static void body_page(struct body *body, const char *name)
{
    char text[sizeof(body->text)];
    (void)snprintf(text, sizeof(text),
                   "Documentation of %.80s\n\nThis page says all there is to know about %.80s.\n"
                   "It has %zu letters.\n",
                   name, name, strlen(name));
    body_text(body, 200, text);
}

static void body_image(struct body *body, uint64_t number)
{
    unsigned width = 64 + (unsigned)(number % 7) * 32, height = width * 3 / 4;
    char text[64];
    (void)snprintf(text, sizeof(text), "P5\n%u %u\n255\n", width, height);
    body_text(body, 200, text);
    body->size += (uint64_t)width * height;
}

/* The first N requests of one path are refused, of at most 64 such paths. */
static bool is_flaky_now(const char *path, uint64_t times)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct {
        char path[64];
        uint64_t seen;
    } known[64];

    bool refused = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].path[0] == '\0')
            (void)snprintf(known[i].path, sizeof(known[i].path), "%s", path);
        if (strncmp(known[i].path, path, sizeof(known[i].path) - 1) == 0) {
            refused = known[i].seen++ < times;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    return refused;
}

/* The paths whose number is a size. */
static bool sized_body(const char *path, struct body *body)
{
    static const struct {
        const char *name;
        bool declares_length;
        enum body_end end;
    } kinds[] = {
        {"/size/", true, END_WELL},       {"/cut/", true, END_CUT},
        {"/cutchunked/", false, END_CUT}, {"/nolength/", false, END_WELL},
        {"/slow/", true, END_SLOWLY},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *rest = path_after(path, kinds[i].name);
        if (rest == NULL)
            continue;
        body->size = strtoull(rest, NULL, 10);
        body->seed = mix(body->size);
        body->declares_length = kinds[i].declares_length;
        body->end = kinds[i].end;
        return true;
    }
    return false;
}

static struct body body_of(const char *path)
{
    struct body body = {.status = 200, .declares_length = true};
    const char *rest;
    if (sized_body(path, &body)) {
        return body;
    } else if ((rest = path_after(path, "/file/")) != NULL) {
        body.seed = strtoull(rest, NULL, 10);
        /* Small files are more common than large ones, as they are on real sites. */
        uint64_t limit = 199u << (mix(body.seed) % 4) >> 3;
        body.size = 1024 + mix(body.seed + 1) % (limit * 1024);
    } else if ((rest = path_after(path, "/page/")) != NULL) {
        body_page(&body, rest);
    } else if ((rest = path_after(path, "/image/")) != NULL) {
        body.seed = strtoull(rest, NULL, 10);
        body_image(&body, body.seed);
    } else if ((rest = path_after(path, "/status/")) != NULL) {
        body_text(&body, (unsigned)strtoul(rest, NULL, 10), "The body of an error page.\n");
    } else if ((rest = path_after(path, "/redirect/")) != NULL) {
        body_text(&body, strtoul(rest, NULL, 10) > 0 ? 302 : 200, "The end of the redirects.\n");
    } else if ((rest = path_after(path, "/flaky/")) != NULL) {
        body_text(&body, 200, "At last.\n");
        if (is_flaky_now(path, strtoull(rest, NULL, 10)))
            body.status = 503;
    } else if (path_after(path, "/as/") != NULL || strcmp(path, "/") == 0) {
        body_text(&body, 200, "The same under every name.\n");
    } else {
        body_text(&body, 404, "No such page.\n");
    }
    return body;
}

static ssize_t read_body(void *cls, uint64_t at, char *out, size_t max)
{
    const struct body *body = cls;
    uint64_t end = body->end == END_CUT ? body->size / 2 : body->size;
    if (at >= end || stopping)
        return body->end == END_CUT || at < end ? MHD_CONTENT_READER_END_WITH_ERROR
                                                : MHD_CONTENT_READER_END_OF_STREAM;
    if (body->end == END_SLOWLY) {
        sleep_ms(50);
        max = max < 1024 ? max : 1024;
    }
    size_t count = end - at < max ? (size_t)(end - at) : max;
    body_bytes(body, at, out, count);
    return (ssize_t)count;
}

/* Until the client goes away, or the server ends. */
static enum MHD_Result hang(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd client = {.fd = info->connect_fd, .events = POLLRDHUP};
    while (!stopping && poll(&client, 1, 50) == 0)
        continue;
    return MHD_NO;
}

static enum MHD_Result queue_response(struct MHD_Connection *connection, unsigned status,
                                      struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result answer_stats(struct MHD_Connection *connection)
{
    char text[128];
    int length = snprintf(text, sizeof(text),
                          "{\"requests\":%" PRIu64 ",\"in_flight\":%d,\"max_in_flight\":%d}\n",
                          (uint64_t)requests, (int)in_flight, (int)max_in_flight);
    return queue_response(
        connection, MHD_HTTP_OK,
        MHD_create_response_from_buffer((size_t)length, text, MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result answer_body(struct MHD_Connection *connection, const char *path)
{
    struct body *body = malloc(sizeof(*body));
    if (body == NULL)
        return MHD_NO;
    *body = body_of(path);

    struct MHD_Response *response = MHD_create_response_from_callback(
        body->declares_length ? body->size : MHD_SIZE_UNKNOWN, 16384, read_body, body, free);
    if (response == NULL) {
        free(body);
        return MHD_NO;
    }
    if (body->status == 302) {
        char location[64];
        unsigned long left = strtoul(path + strlen("/redirect/"), NULL, 10);
        (void)snprintf(location, sizeof(location), "/redirect/%lu", left - 1);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, location);
    }
    return queue_response(connection, body->status, response);
}

static void count_request(void)
{
    requests++;
    int now = ++in_flight, most = max_in_flight;
    while (now > most && !atomic_compare_exchange_weak(&max_in_flight, &most, now))
        continue;
}

/* Called twice: when the headers have come (state is NULL), and to answer. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    (void)cls, (void)method, (void)version, (void)upload, (void)upload_size;
    bool is_stats = strcmp(path, "/stats") == 0;
    if (*state == NULL) {
        *state = is_stats ? &uncounted : &counted;
        if (!is_stats)
            count_request();
        return MHD_YES;
    }
    if (is_stats)
        return answer_stats(connection);
    sleep_ms(latency_ms);
    if (strcmp(path, "/hang") == 0)
        return hang(connection);
    return answer_body(connection, path);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)connection, (void)code;
    if (*state == &counted)
        in_flight--;
}

/* By rename, so that whoever sees the file sees all of it. */
static bool write_port(const char *file, unsigned port)
{
    char part[4096];
    (void)snprintf(part, sizeof(part), "%s.part", file);
    FILE *out = fopen(part, "we");
    if (out == NULL)
        return false;
    bool written = fprintf(out, "%u\n", port) > 0;
    return fclose(out) == 0 && written && rename(part, file) == 0;
}

static int serve(const char *port_file)
{
    /* The server ends with whoever started it, also when that was killed. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);

    struct sockaddr_in loopback = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL,
                         NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback,
                         MHD_OPTION_CONNECTION_LIMIT, 2000u, MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u,
                         MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (daemon == NULL) {
        (void)fprintf(stderr, "test_http_server: cannot start\n");
        return 1;
    }
    const union MHD_DaemonInfo *bound = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    int status = 0, caught;
    if (write_port(port_file, bound->port)) {
        (void)sigwait(&ends, &caught);
    } else {
        (void)fprintf(stderr, "test_http_server: %s: %s\n", port_file, strerror(errno));
        status = 1;
    }
    stopping = true;
    MHD_stop_daemon(daemon);
    return status;
}

static int print(const char *path)
{
    struct body body = body_of(path);
    char bytes[4096];
    for (uint64_t at = 0; at < body.size; at += sizeof(bytes)) {
        size_t count = body.size - at < sizeof(bytes) ? (size_t)(body.size - at) : sizeof(bytes);
        body_bytes(&body, at, bytes, count);
        if (fwrite(bytes, 1, count, stdout) != count)
            return 1;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *port_file = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--print") == 0)
            return print(argv[i + 1]);
        if (strcmp(argv[i], "--port-file") == 0)
            port_file = argv[i + 1];
        if (strcmp(argv[i], "--latency-ms") == 0)
            latency_ms = (unsigned)strtoul(argv[i + 1], NULL, 10);
    }
    if (port_file == NULL) {
        (void)fprintf(stderr, "usage: test_http_server --port-file FILE [--latency-ms N]\n"
                              "       test_http_server --print PATH\n");
        return 2;
    }
    return serve(port_file);
}
