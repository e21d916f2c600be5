/* SPDX-License-Identifier: MIT */
/*
 * Servers: listening, and accepting one by one.
 */
#include <sillon/server.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/coro/scenario.h"

static const char *port_text(const sil_server *server)
{
    static char text[8];
    (void)snprintf(text, sizeof text, "%u", (unsigned)sil_server_port(server));
    return text;
}

static int connect_to(const sil_server *server, const char *host, sil_stream **out_stream)
{
    return sil_connect(host, port_text(server), NULL, out_stream, SIL_FOREVER);
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    (void)close(fd);
    return has;
}

/* --- coroutines ---------------------------------------------------------------------------- */

static int co_accept(void *arg, void *result)
{
    sil_server *server = *(sil_server **)arg;
    (void)result;
    sil_stream *stream;
    int code = sil_server_accept(server, &stream, SIL_FOREVER);
    if (code == 0)
        sil_stream_close(stream);
    return code;
}

static sil_future *go_accept(sil_server *server)
{
    return sil_go(co_accept, &server, sizeof server, 0);
}

/* --- accepting ----------------------------------------------------------------------------- */

SCENARIO(accepts_connections)
{
    (void)arg, (void)result;
    sil_server *server;
    sil_stream *near;
    sil_stream *far;
    char buffer[8];
    size_t got;
    EXPECT_CODE(sil_listen("127.0.0.1", "0", NULL, &server, SIL_FOREVER), 0);
    EXPECT(sil_server_port(server) != 0);
    EXPECT_CODE(sil_server_accept(server, &far, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_server_accept(server, &far, sil_in(0.001)), SIL_ETIMEDOUT);
    for (int i = 0; i < 10; i++) {
        EXPECT_CODE(connect_to(server, "127.0.0.1", &near), 0);
        EXPECT_CODE(sil_server_accept(server, &far, i % 2 ? SIL_NOW : SIL_FOREVER), 0);
        EXPECT_CODE(sil_write(far, "hello", 5, SIL_FOREVER), 0);
        EXPECT_CODE(sil_read(near, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
        EXPECT(got == 5);
        /* Accepted ones send small pieces at once, too. */
        int nodelay = 0;
        socklen_t size = sizeof nodelay;
        EXPECT(getsockopt(sil_stream_fd(far), IPPROTO_TCP, TCP_NODELAY, &nodelay, &size) == 0);
        EXPECT(nodelay != 0);
        EXPECT(fcntl(sil_stream_fd(far), F_GETFD) == FD_CLOEXEC);
        sil_stream_close(near);
        sil_stream_close(far);
    }
    sil_server_stats stats;
    EXPECT_CODE(sil_server_stats_get(server, &stats), 0);
    EXPECT(stats.accepted == 10 && stats.connections == 0 && sil_server_connections(server) == 0);
    sil_server_close(server);
    sil_server_close(NULL);
    return 0;
}

SCENARIO(accepting_ends_by_cancel_shutdown_and_close)
{
    (void)arg, (void)result;
    for (int how = 0; how < 3; how++) {
        sil_server *server;
        EXPECT_CODE(sil_listen("127.0.0.1", NULL, NULL, &server, SIL_FOREVER), 0);
        sil_future *future = go_accept(server);
        give_way(2);
        sil_stream *stream;
        EXPECT_CODE(sil_server_accept(server, &stream, SIL_FOREVER), SIL_EBUSY);
        if (how == 0)
            (void)sil_future_cancel(future);
        else if (how == 1)
            EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
        else
            sil_server_close(server);
        EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), how == 0 ? SIL_ECANCELLED : SIL_ECLOSED);
        if (how == 1)
            EXPECT_CODE(sil_server_accept(server, &stream, SIL_FOREVER), SIL_ECLOSED);
        if (how < 2)
            sil_server_close(server);
    }
    return 0;
}

/* --- where --------------------------------------------------------------------------------- */

SCENARIO(listens_on_all_addresses)
{
    (void)arg, (void)result;
    sil_server *server;
    sil_stream *near;
    sil_stream *far;
    EXPECT_CODE(sil_listen(NULL, "0", NULL, &server, SIL_FOREVER), 0);
    for (int six = 0; six <= has_ipv6(); six++) {
        EXPECT_CODE(connect_to(server, six ? "::1" : "127.0.0.1", &near), 0);
        EXPECT_CODE(sil_server_accept(server, &far, SIL_FOREVER), 0);
        sil_address peer;
        EXPECT_CODE(sil_stream_peer(far, &peer), 0);
        EXPECT(peer.storage.ss_family == (six ? AF_INET6 : AF_INET));
        sil_stream_close(near);
        sil_stream_close(far);
    }
    sil_server_close(server);
    return 0;
}

SCENARIO(one_family_only)
{
    (void)arg, (void)result;
    sil_server *server;
    sil_stream *near;
    sil_address address;
    sil_listen_options options = {.family = AF_INET};
    EXPECT_CODE(sil_listen("localhost", "0", &options, &server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_server_address(server, &address), 0);
    EXPECT(address.storage.ss_family == AF_INET);
    EXPECT_CODE(connect_to(server, "localhost", &near), 0);
    sil_stream_close(near);
    sil_server_close(server);
    return 0;
}

SCENARIO(a_port_has_one_server)
{
    (void)arg, (void)result;
    sil_server *server;
    sil_server *other = NULL;
    EXPECT_CODE(sil_listen("127.0.0.1", "0", NULL, &server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_listen("127.0.0.1", port_text(server), NULL, &other, SIL_FOREVER), EADDRINUSE);
    EXPECT(strstr(sil_error_message(sil_last_error()), port_text(server)) && !other);
    char port[8];
    (void)snprintf(port, sizeof port, "%s", port_text(server));
    /* Shut down, it has the port no more, and connections of the past do not matter. */
    sil_stream *near;
    sil_stream *far;
    EXPECT_CODE(connect_to(server, "127.0.0.1", &near), 0);
    EXPECT_CODE(sil_server_accept(server, &far, SIL_FOREVER), 0);
    EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_listen("127.0.0.1", port, NULL, &other, SIL_FOREVER), 0);
    sil_stream_close(far);
    sil_stream_close(near);
    sil_server_close(other);
    sil_server_close(server);
    sil_listen_options options = {.reuse_port = true};
    EXPECT_CODE(sil_listen("127.0.0.1", "0", &options, &server, SIL_FOREVER), 0);
    EXPECT_CODE(sil_listen("127.0.0.1", port_text(server), &options, &other, SIL_FOREVER), 0);
    sil_server_close(other);
    sil_server_close(server);
    return 0;
}

SCENARIO(where_nobody_can_listen)
{
    (void)arg, (void)result;
    sil_server *server = NULL;
    EXPECT_CODE(sil_listen("192.0.2.1", "0", NULL, &server, SIL_FOREVER), EADDRNOTAVAIL);
    EXPECT_CODE(sil_listen("no such host", "0", NULL, &server, SIL_FOREVER), SIL_ENOHOST);
    EXPECT_CODE(sil_listen("127.0.0.1", "0", NULL, NULL, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(
        sil_listen("127.0.0.1", "0", &(sil_listen_options){.backlog = -1}, &server, SIL_FOREVER),
        SIL_EINVAL);
    EXPECT(!server);
    sil_stream *stream;
    sil_address address;
    sil_server_stats stats;
    EXPECT_CODE(sil_server_accept(NULL, &stream, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_server_shutdown(NULL, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_server_address(NULL, &address), SIL_EINVAL);
    EXPECT_CODE(sil_server_stats_get(NULL, &stats), SIL_EINVAL);
    EXPECT(sil_server_port(NULL) == 0 && sil_server_connections(NULL) == 0);
    return 0;
}

static void test_no_server_outside_coroutines(void **state)
{
    (void)state;
    sil_server *server;
    assert_code(sil_listen("127.0.0.1", "0", NULL, &server, SIL_NOW), SIL_ENOTASK);
    assert_code(sil_listen_unix("@x", NULL, &server), SIL_ENOTASK);
}

/* --- in the file system -------------------------------------------------------------------- */

static bool exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

static int speak(sil_server *server, const char *path)
{
    sil_stream *near;
    sil_stream *far;
    EXPECT_CODE(sil_connect_unix(path, &near, SIL_FOREVER), 0);
    EXPECT_CODE(sil_server_accept(server, &far, SIL_FOREVER), 0);
    sil_stream_close(near);
    sil_stream_close(far);
    return 0;
}

SCENARIO(listens_on_a_path)
{
    (void)arg, (void)result;
    char directory[] = "/tmp/sillon-server-XXXXXX";
    char path[64];
    sil_server *server;
    sil_server *other;
    EXPECT(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/socket", directory);
    EXPECT_CODE(sil_listen_unix(path, NULL, &server), 0);
    EXPECT(exists(path) && sil_server_port(server) == 0);
    EXPECT_CODE(speak(server, path), 0);
    /* It is alive, even if it is busy. */
    EXPECT_CODE(sil_listen_unix(path, NULL, &other), EADDRINUSE);
    EXPECT_CODE(speak(server, path), 0);
    sil_server_close(server);
    EXPECT(!exists(path));
    /* A shutdown removes it, too; what has taken its place then is not ours. */
    EXPECT_CODE(sil_listen_unix(path, NULL, &server), 0);
    EXPECT_CODE(sil_server_shutdown(server, SIL_FOREVER), 0);
    EXPECT(!exists(path));
    EXPECT_CODE(sil_listen_unix(path, NULL, &other), 0);
    sil_server_close(server);
    EXPECT(exists(path));
    EXPECT_CODE(speak(other, path), 0);
    /* Or while it was still there. */
    EXPECT(unlink(path) == 0);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    EXPECT(file >= 0);
    (void)close(file);
    sil_server_close(other);
    EXPECT(exists(path));
    EXPECT_CODE(sil_listen_unix(path, NULL, &server), EADDRINUSE);
    EXPECT(exists(path) && unlink(path) == 0);
    (void)rmdir(directory);
    return 0;
}

SCENARIO(replaces_the_socket_of_one_who_is_gone)
{
    (void)arg, (void)result;
    char directory[] = "/tmp/sillon-server-XXXXXX";
    char path[64];
    sil_server *server;
    sil_address address;
    EXPECT(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/socket", directory);
    EXPECT_CODE(sil_address_parse(path, &address), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(bind(fd, (struct sockaddr *)&address.storage, address.size) == 0);
    (void)close(fd);
    EXPECT(exists(path));
    EXPECT_CODE(sil_listen_unix(path, NULL, &server), 0);
    EXPECT_CODE(speak(server, path), 0);
    sil_server_close(server);
    EXPECT(!exists(path) && rmdir(directory) == 0);
    return 0;
}

SCENARIO(listens_on_an_abstract_name)
{
    (void)arg, (void)result;
    const char *name = "@sillon-test-server";
    sil_server *server;
    sil_server *other;
    EXPECT_CODE(sil_listen_unix(name, NULL, &server), 0);
    EXPECT_CODE(speak(server, name), 0);
    EXPECT_CODE(sil_listen_unix(name, NULL, &other), EADDRINUSE);
    sil_server_close(server);
    EXPECT_CODE(sil_listen_unix(name, NULL, &server), 0);
    sil_server_close(server);
    EXPECT_CODE(sil_listen_unix("/no/such/directory/socket", NULL, &server), ENOENT);
    EXPECT_CODE(sil_listen_unix(NULL, NULL, &server), SIL_EINVAL);
    EXPECT_CODE(sil_listen_unix(name, NULL, NULL), SIL_EINVAL);
    char longest[120];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    EXPECT_CODE(sil_listen_unix(longest, NULL, &server), SIL_ETOOLONG);
    return 0;
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_accepts_connections),
        TEST(test_accepting_ends_by_cancel_shutdown_and_close),
        TEST(test_listens_on_all_addresses),
        TEST(test_one_family_only),
        TEST(test_a_port_has_one_server),
        TEST(test_where_nobody_can_listen),
        TEST(test_no_server_outside_coroutines),
        TEST(test_listens_on_a_path),
        TEST(test_replaces_the_socket_of_one_who_is_gone),
        TEST(test_listens_on_an_abstract_name),
    };
    return test_run("coro.server", tests);
}
