/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server for tests and for the demo: the same bytes at every run, and every misbehaviour
 * of a real server on request.
 *
 *     test_http_server --port-file FILE [--latency-ms N] [--tls PEM] [--most N]
 *         serves on a free port of 127.0.0.1; with --tls by HTTPS: certificate and key in one file;
 *         with --most so many requests at once: others get 503
 *     test_http_server --print PATH                         the body that PATH would have
 *
 *     /file/N        1 KB to 200 KB, size and bytes made from N     /size/BYTES   just so many
 *     /page/NAME     a few lines of text    /image/N   a PGM picture    /as/ANYTHING  under any name
 *     /status/CODE   that status            /redirect/N   N redirects   /nolength/BYTES  chunked
 *     /cut/BYTES     the length is declared, half of it comes; /cutchunked/BYTES  a chunked half
 *     /hang          never answers          /slow/BYTES[/MS]   1 KiB every 50 ms, or every MS
 *     /flaky/N/NAME  the first N requests of this path get 503
 *     /retryafter/N/NAME   so do these, with Retry-After: 0, or what ?after=TEXT says
 *     /hangfirst/N/NAME    the first N are never answered
 *     /cutfirst/N/BYTES/NAME   the first N are cut half way
 *     /silentfirst/N/BYTES/NAME   the first N are never answered
 *     /busyfirst/N/BYTES/NAME  the first N get 503, with Retry-After if ?after=TEXT says so
 *     /weak/BYTES    as /size, with a weak ETag   /norange/BYTES   as /size, without ranges and ETag
 *     /ignoring/BYTES   as /size, with an ETag, and says that it takes ranges, but does not
 *     /changed/N/BYTES/NAME   from the N-th request on (from 0) it is another file, of the same length
 *                  (--print: that one; with 999 for N: the first one)
 *     /stuck/N/BYTES/NAME   the N-th is sent half, and then nothing more
 *     /cutall/N/BYTES/NAME   from the N-th request on all are cut half way
 *     /changing/NAME   another ETag and other bytes (1000) at each request
 *     /gzip/BYTES    compressed, for who accepts that
 *     /goto?url=URL&status=CODE   a redirect to there (302)
 *     /echo          the request: its line, its headers as they came, and how long its body was
 *     /private       the same, for who logs in; others get 401
 *     /stats         requests served, in flight now, and in flight at most, bytes of bodies, as JSON
 *
 * Bodies of a known length have an ETag and a date, and heed Range and If-Range.
 *
 * I1  What a path gives depends on the path alone (but for /flaky and its like, /changing, /echo and
 *     /stats), so that a test can ask --print for what it should have got.
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

#include "http_bodies.h"

/* Set once, before the first connection. */
static unsigned latency_ms;
static char *identity; /* PEM; NULL: plain HTTP */
static int most;       /* requests at once; 0: no limit */

static atomic_bool stopping;
static atomic_uint_fast64_t requests;
static atomic_uint_fast64_t body_bytes_sent;
static atomic_int in_flight;
static atomic_int max_in_flight;

/* A request under way. */
struct request {
    bool counted; /* in in_flight */
    uint64_t uploaded;
};

static void sleep_ms(unsigned ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&span, &span) != 0 && errno == EINTR)
        continue;
}

static ssize_t read_body(void *cls, uint64_t at, char *out, size_t max)
{
    const struct body *body = cls;
    uint64_t end = body->end == END_CUT ? body->first + (body->size - body->first) / 2 : body->size;
    at += body->first;
    if (at >= end || stopping)
        return body->end == END_CUT || at < end ? MHD_CONTENT_READER_END_WITH_ERROR
                                                : MHD_CONTENT_READER_END_OF_STREAM;
    if (body->end == END_STUCK && at - body->first >= (body->size - body->first) / 2) {
        while (!stopping)
            sleep_ms(20);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (body->end == END_SLOWLY) {
        sleep_ms(body->pause_ms);
        max = max < 1024 ? max : 1024;
    }
    size_t count = end - at < max ? (size_t)(end - at) : max;
    body_bytes(body, at, out, count);
    body_bytes_sent += count;
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
    int length =
        snprintf(text, sizeof(text),
                 "{\"requests\":%" PRIu64 ",\"in_flight\":%d,\"max_in_flight\":%d,"
                 "\"bytes\":%" PRIu64 "}\n",
                 (uint64_t)requests, (int)in_flight, (int)max_in_flight, (uint64_t)body_bytes_sent);
    return queue_response(
        connection, MHD_HTTP_OK,
        MHD_create_response_from_buffer((size_t)length, text, MHD_RESPMEM_MUST_COPY));
}

/* --- ranges ---------------------------------------------------------------------------------- */

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* May a range be answered: is the copy that If-Range speaks of this one? */
static bool is_same(struct MHD_Connection *connection, const struct body *body)
{
    const char *known = header_of(connection, "If-Range");
    if (known == NULL || strcmp(known, LAST_MODIFIED) == 0)
        return true;
    return body->etag[0] == '"' && strcmp(known, body->etag) == 0; /* a weak one is not enough */
}

/* Cuts the body to the range that is asked for; out_whole: how long it was. False: there is no such. */
static bool take_range(struct MHD_Connection *connection, struct body *body, uint64_t *out_whole)
{
    const char *range = header_of(connection, "Range");
    *out_whole = body->size;
    if (range == NULL || strncmp(range, "bytes=", 6) != 0 || body->etag[0] == '\0' ||
        !is_same(connection, body))
        return true;
    range += 6;
    char *end;
    uint64_t first = strtoull(range, &end, 10), last = body->size - 1;
    if (range[0] == '-') {
        uint64_t count = strtoull(range + 1, NULL, 10);
        first = count < body->size ? body->size - count : 0;
    } else if (end[0] == '-' && end[1] != '\0') {
        last = strtoull(end + 1, NULL, 10);
    }
    if (first >= body->size || last < first)
        return false;
    body->first = first;
    body->size = last < body->size ? last + 1 : body->size;
    body->status = MHD_HTTP_PARTIAL_CONTENT;
    return true;
}

static void add_range(struct MHD_Response *response, const struct body *body, uint64_t whole)
{
    char text[96];
    if (body->status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
        (void)snprintf(text, sizeof(text), "bytes */%" PRIu64, whole);
    else
        (void)snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, body->first,
                       body->size - 1, whole);
    (void)MHD_add_response_header(response, "Content-Range", text);
}

/* --- answers --------------------------------------------------------------------------------- */

static void add_headers(struct MHD_Connection *connection, struct MHD_Response *response,
                        const struct body *body, const char *path)
{
    char location[64];
    if (body->status == 302) {
        unsigned long left = strtoul(path + strlen("/redirect/"), NULL, 10);
        (void)snprintf(location, sizeof(location), "/redirect/%lu", left - 1);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, location);
    }
    if (body->status == 503) {
        const char *after = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "after");
        if (after || path_after(path, "/retryafter/"))
            (void)MHD_add_response_header(response, "Retry-After", after ? after : "0");
    }
    if (body->etag[0] != '\0') {
        (void)MHD_add_response_header(response, "ETag", body->etag);
        (void)MHD_add_response_header(response, "Last-Modified", LAST_MODIFIED);
        (void)MHD_add_response_header(response, "Accept-Ranges", "bytes");
    }
}

static enum MHD_Result answer_body(struct MHD_Connection *connection, const char *path)
{
    struct body *body = malloc(sizeof(*body));
    if (body == NULL)
        return MHD_NO;
    *body = body_of(path);
    uint64_t whole;
    whole = body->size;
    if (path_after(path, "/ignoring/") == NULL && !take_range(connection, body, &whole)) {
        body_text(body, MHD_HTTP_RANGE_NOT_SATISFIABLE, "");
        body->etag[0] = '\0';
    }
    struct MHD_Response *response = MHD_create_response_from_callback(
        body->declares_length ? body->size - body->first : MHD_SIZE_UNKNOWN, 16384, read_body, body,
        free);
    if (response == NULL) {
        free(body);
        return MHD_NO;
    }
    add_headers(connection, response, body, path);
    if (body->status == MHD_HTTP_PARTIAL_CONTENT || body->status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
        add_range(response, body, whole);
    return queue_response(connection, body->status, response);
}

static uint32_t crc32_of(const unsigned char *bytes, size_t size)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static unsigned char *put_number(unsigned char *out, uint32_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *out++ = (unsigned char)(number >> (8 * i));
    return out;
}

/* gzip without compressing: blocks that are stored. */
static enum MHD_Result answer_gzip(struct MHD_Connection *connection, const char *path)
{
    static const unsigned char head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    struct body body = body_of(path);
    size_t size = body.size < 1u << 20 ? (size_t)body.size : 1u << 20;
    unsigned char *plain = malloc(size + 1), *packed = malloc(size + size / 32768 * 5 + 64);
    if (plain == NULL || packed == NULL) {
        free(plain);
        free(packed);
        return MHD_NO;
    }
    body_bytes(&body, 0, (char *)plain, size);
    memcpy(packed, head, sizeof(head));
    unsigned char *end = packed + sizeof(head);
    size_t at = 0;
    do {
        size_t count = size - at < 32768 ? size - at : 32768;
        *end++ = at + count == size;
        end = put_number(put_number(end, (uint32_t)count, 2), ~(uint32_t)count, 2);
        memcpy(end, plain + at, count);
        end += count;
        at += count;
    } while (at < size);
    end = put_number(put_number(end, crc32_of(plain, size), 4), (uint32_t)size, 4);
    free(plain);
    struct MHD_Response *response =
        MHD_create_response_from_buffer((size_t)(end - packed), packed, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        (void)MHD_add_response_header(response, "Content-Encoding", "gzip");
    else
        free(packed);
    return queue_response(connection, MHD_HTTP_OK, response);
}

struct echo {
    char text[8192];
    size_t length;
};

static enum MHD_Result echo_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct echo *echo = cls;
    int length = snprintf(echo->text + echo->length, sizeof(echo->text) - echo->length, "%s: %s\n",
                          name, value ? value : "");
    if (length > 0 && echo->length + (size_t)length < sizeof(echo->text))
        echo->length += (size_t)length;
    return MHD_YES;
}

static enum MHD_Result answer_echo(struct MHD_Connection *connection, const char *path,
                                   const char *method, uint64_t uploaded)
{
    struct echo echo;
    echo.length = (size_t)snprintf(echo.text, 1024, "%.100s %.800s\n", method, path);
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, echo_header, &echo);
    char length[24];
    (void)snprintf(length, sizeof(length), "%" PRIu64, uploaded);
    (void)echo_header(&echo, MHD_HEADER_KIND, "(body)", length);
    return queue_response(
        connection, MHD_HTTP_OK,
        MHD_create_response_from_buffer(echo.length, echo.text, MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result answer_login(struct MHD_Connection *connection)
{
    static char text[] = "Who are you?\n";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT);
    if (response != NULL)
        (void)MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"tests\"");
    return queue_response(connection, MHD_HTTP_UNAUTHORIZED, response);
}

static enum MHD_Result answer_goto(struct MHD_Connection *connection)
{
    const char *url = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "url");
    const char *status = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "status");
    static char there[] = "There";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(there), there, MHD_RESPMEM_PERSISTENT);
    if (response != NULL && url != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, url);
    return queue_response(connection, status ? (unsigned)strtoul(status, NULL, 10) : 302, response);
}

static void count_request(void)
{
    requests++;
    int now = ++in_flight, highest = max_in_flight;
    while (now > highest && !atomic_compare_exchange_weak(&max_in_flight, &highest, now))
        continue;
}

static enum MHD_Result answer_busy(struct MHD_Connection *connection)
{
    static char busy[] = "This is an error page.\n";
    return queue_response(
        connection, 503,
        MHD_create_response_from_buffer(strlen(busy), busy, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result answer(struct MHD_Connection *connection, const char *path,
                              const char *method, uint64_t uploaded)
{
    const char *rest = path_after(path, "/hangfirst/");
    if (rest == NULL)
        rest = path_after(path, "/silentfirst/");
    const char *accepted = header_of(connection, "Accept-Encoding");
    if (strcmp(path, "/stats") == 0)
        return answer_stats(connection);
    sleep_ms(latency_ms);
    if (most > 0 && in_flight > most)
        return answer_busy(connection);
    if (strcmp(path, "/hang") == 0 || (rest != NULL && is_early(path, rest)))
        return hang(connection);
    bool private = strcmp(path, "/private") == 0;
    if (private && header_of(connection, "Authorization") == NULL)
        return answer_login(connection);
    if (private || strcmp(path, "/echo") == 0)
        return answer_echo(connection, path, method, uploaded);
    if (strcmp(path, "/goto") == 0)
        return answer_goto(connection);
    if (path_after(path, "/gzip/") && accepted != NULL && strstr(accepted, "gzip") != NULL)
        return answer_gzip(connection, path);
    return answer_body(connection, path);
}

/* A proxy is asked for all of the URL; the host does not matter here. */
static const char *as_seen_by_proxy(const char *path)
{
    const char *host = path_after(path, "http://");
    const char *rest = host != NULL ? strchr(host, '/') : NULL;
    return rest != NULL ? rest : path;
}

/* Called when the headers have come (state is NULL), with each piece of a body, and to answer. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    (void)cls, (void)version, (void)upload;
    struct request *request = *state;
    path = as_seen_by_proxy(path);
    if (request == NULL) {
        *state = request = calloc(1, sizeof(*request));
        if (request == NULL)
            return MHD_NO;
        request->counted = strcmp(path, "/stats") != 0;
        if (request->counted)
            count_request();
        return MHD_YES;
    }
    if (*upload_size > 0) {
        request->uploaded += *upload_size;
        *upload_size = 0;
        return MHD_YES;
    }
    return answer(connection, path, method, request->uploaded);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)connection, (void)code;
    struct request *request = *state;
    if (request != NULL && request->counted)
        in_flight--;
    free(request);
    *state = NULL;
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

static bool read_identity(const char *file)
{
    enum { MOST = 64 * 1024 };
    FILE *in = fopen(file, "re");
    identity = calloc(1, MOST);
    size_t size = in && identity ? fread(identity, 1, MOST - 1, in) : 0;
    if (in)
        (void)fclose(in);
    return size > 0;
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
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD;
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, identity},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, identity},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_Daemon *daemon = MHD_start_daemon(
        identity ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, NULL,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&loopback, MHD_OPTION_CONNECTION_LIMIT, 2000u,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 1024u, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_ARRAY, identity ? secure : &secure[2], MHD_OPTION_END);
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
        printing = strcmp(argv[i], "--print") == 0;
        if (printing)
            return print(argv[i + 1]);
        if (strcmp(argv[i], "--port-file") == 0)
            port_file = argv[i + 1];
        if (strcmp(argv[i], "--latency-ms") == 0)
            latency_ms = (unsigned)strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--most") == 0)
            most = (int)strtol(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--tls") == 0 && !read_identity(argv[i + 1])) {
            (void)fprintf(stderr, "test_http_server: %s: no certificate\n", argv[i + 1]);
            return 1;
        }
    }
    if (port_file == NULL) {
        (void)fprintf(
            stderr,
            "usage: test_http_server --port-file FILE [--latency-ms N] [--tls PEM] [--most N]\n"
            "       test_http_server --print PATH\n");
        return 2;
    }
    return serve(port_file);
}
