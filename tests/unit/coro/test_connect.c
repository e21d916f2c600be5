/* SPDX-License-Identifier: MIT */
/*
 * Connecting: to one, to the first of several, to nobody.
 */
#include <sillon/server.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coro/stream.h"
#include "unit/coro/scenario.h"

/* --- those to connect to ---------------------------------------------------------------------- */

static bool socket_on(const char *text, int *out_fd, sil_address *out_address)
{
    *out_fd = -1;
    if (sil_address_parse(text, out_address) != 0)
        return false;
    int fd = socket(out_address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    if (bind(fd, (struct sockaddr *)&out_address->storage, out_address->size) == 0 &&
        getsockname(fd, (struct sockaddr *)&out_address->storage, &out_address->size) == 0) {
        *out_fd = fd;
        return true;
    }
    (void)close(fd);
    return false;
}

/* One who listens. */
static bool open_live(int *out_fd, sil_address *out_address)
{
    return socket_on("127.0.0.1:0", out_fd, out_address) && listen(*out_fd, 16) == 0;
}

/* A port that nobody listens on, and nobody gets meanwhile. */
static bool open_dead(int *out_fd, sil_address *out_address)
{
    return socket_on("127.0.0.1:0", out_fd, out_address);
}

/* One whose backlog is full: it never answers. */
struct silent {
    int fd;
    int fillers[3];
    sil_address address;
};

static bool open_silent(struct silent *silent)
{
    if (!socket_on("127.0.0.1:0", &silent->fd, &silent->address) || listen(silent->fd, 0) != 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(silent->fillers); i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        silent->fillers[i] = fd;
        (void)connect(fd, (struct sockaddr *)&silent->address.storage, silent->address.size);
    }
    return true;
}

static void close_silent(struct silent *silent)
{
    for (size_t i = 0; i < COUNT_OF(silent->fillers); i++)
        (void)close(silent->fillers[i]);
    (void)close(silent->fd);
}

static const char *port_of(const sil_address *address)
{
    static char text[8];
    (void)snprintf(text, sizeof text, "%u", (unsigned)sil_address_port(address));
    return text;
}

static int connect_first(const sil_address *addresses, size_t count, double stagger,
                         sil_stream **out_stream, sil_deadline until)
{
    sil_connect_options options = {.stagger = stagger};
    return sil__connect_first(addresses, count, "there", "7", &options, out_stream, until);
}

static bool is_connected_to(const sil_stream *stream, const sil_address *address)
{
    sil_address peer;
    return sil_stream_peer(stream, &peer) == 0 && peer.size == address->size &&
           memcmp(&peer.storage, &address->storage, peer.size) == 0;
}

/* --- tests --------------------------------------------------------------------------------- */

SCENARIO(connects_to_an_address)
{
    (void)arg, (void)result;
    int fd;
    sil_address address;
    sil_address local;
    sil_stream *stream;
    char buffer[8];
    size_t got;
    EXPECT(open_live(&fd, &address));
    EXPECT_CODE(sil_connect("127.0.0.1", port_of(&address), NULL, &stream, SIL_FOREVER), 0);
    int peer = accept(fd, NULL, NULL);
    EXPECT(peer >= 0 && is_connected_to(stream, &address));
    EXPECT_CODE(sil_stream_local(stream, &local), 0);
    EXPECT(local.storage.ss_family == AF_INET && sil_address_port(&local) != 0);
    EXPECT(send(peer, "hi", 2, 0) == 2);
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER), 0);
    EXPECT(got == 2);
    EXPECT_CODE(sil_write(stream, "ho", 2, SIL_FOREVER), 0);
    EXPECT(recv(peer, buffer, sizeof buffer, 0) == 2);
    EXPECT_CODE(sil_stream_set_nodelay(stream, false), 0);
    EXPECT_CODE(sil_stream_set_keepalive(stream, 10), 0);
    EXPECT_CODE(sil_stream_set_keepalive(stream, 100000), 0);
    EXPECT_CODE(sil_stream_set_keepalive(stream, 0), 0);
    /* The other side resets it. */
    (void)setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    (void)close(peer);
    EXPECT_CODE(sil_read(stream, buffer, sizeof buffer, &got, SIL_FOREVER), ECONNRESET);
    EXPECT_CODE(sil_write(stream, "x", 1, SIL_FOREVER), EPIPE);
    sil_stream_close(stream);
    (void)close(fd);
    return 0;
}

/* localhost is IPv6 first on many machines: where nobody listens, the other is tried. */
SCENARIO(connects_to_a_name)
{
    (void)arg, (void)result;
    int fd;
    sil_address address;
    sil_stream *stream;
    EXPECT(open_live(&fd, &address));
    EXPECT_CODE(sil_connect("localhost", port_of(&address), NULL, &stream, SIL_FOREVER), 0);
    sil_stream_close(stream);
    EXPECT_CODE(sil_connect(NULL, port_of(&address), NULL, &stream, SIL_FOREVER), 0);
    EXPECT(is_connected_to(stream, &address));
    sil_stream_close(stream);
    (void)close(fd);
    return 0;
}

SCENARIO(connects_from_an_address)
{
    (void)arg, (void)result;
    int fd;
    sil_address address;
    sil_address local;
    sil_address actual;
    sil_stream *stream;
    EXPECT(open_live(&fd, &address));
    EXPECT_CODE(sil_address_parse("127.0.0.2:0", &local), 0);
    sil_connect_options options = {.local = &local};
    EXPECT_CODE(sil_connect("127.0.0.1", port_of(&address), &options, &stream, SIL_FOREVER), 0);
    EXPECT_CODE(sil_stream_local(stream, &actual), 0);
    char text[SIL_ADDRESS_TEXT];
    (void)sil_address_text(&actual, text, sizeof text);
    EXPECT(strncmp(text, "127.0.0.2:", 10) == 0);
    sil_stream_close(stream);
    (void)close(fd);
    return 0;
}

/* From an IPv4 address nobody comes to an IPv6 one: that is not tried, and hides no other error. */
SCENARIO(connects_to_addresses_of_its_own_family)
{
    (void)arg, (void)result;
    int fd;
    sil_address address;
    sil_address local;
    sil_stream *stream = NULL;
    EXPECT(open_dead(&fd, &address));
    EXPECT_CODE(sil_address_parse("127.0.0.1:0", &local), 0);
    sil_connect_options options = {.local = &local};
    EXPECT_CODE(sil_connect("::1", port_of(&address), &options, &stream, SIL_FOREVER),
                EAFNOSUPPORT);
    EXPECT(strstr(sil_error_message(sil_last_error()), "family of .local"));
    EXPECT_CODE(sil_connect(NULL, port_of(&address), &options, &stream, SIL_FOREVER), ECONNREFUSED);
    options = (sil_connect_options){.local = &local, .family = AF_INET6};
    EXPECT_CODE(sil_connect(NULL, port_of(&address), &options, &stream, SIL_FOREVER), EAFNOSUPPORT);
    const int none[] = {AF_UNIX, 77, -1};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        sil_server *server = NULL;
        sil_connect_options to = {.family = none[i]};
        sil_listen_options at = {.family = none[i]};
        EXPECT_CODE(sil_connect(NULL, "7", &to, &stream, SIL_FOREVER), SIL_EINVAL);
        EXPECT_CODE(sil_connect("localhost", "7", &to, &stream, SIL_FOREVER), SIL_EINVAL);
        EXPECT_CODE(sil_listen(NULL, "0", &at, &server, SIL_FOREVER), SIL_EINVAL);
        EXPECT(!server);
    }
    EXPECT(!stream);
    (void)close(fd);
    return 0;
}

SCENARIO(nobody_is_there)
{
    (void)arg, (void)result;
    int fd;
    sil_address address;
    sil_stream *stream = NULL;
    EXPECT(open_dead(&fd, &address));
    EXPECT_CODE(sil_connect("127.0.0.1", port_of(&address), NULL, &stream, SIL_FOREVER),
                ECONNREFUSED);
    const char *message = sil_error_message(sil_last_error());
    EXPECT(strstr(message, "127.0.0.1") && strstr(message, port_of(&address)) && !stream);
    EXPECT_CODE(sil_connect("no such host", "7", NULL, &stream, SIL_FOREVER), SIL_ENOHOST);
    EXPECT_CODE(sil_connect("127.0.0.1", NULL, NULL, &stream, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_connect("127.0.0.1", "1", NULL, NULL, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(
        sil_connect("127.0.0.1", "1", &(sil_connect_options){.stagger = -1}, &stream, SIL_FOREVER),
        SIL_EINVAL);
    (void)close(fd);
    return 0;
}

SCENARIO(one_who_never_answers)
{
    (void)arg, (void)result;
    struct silent silent;
    sil_stream *stream = NULL;
    EXPECT(open_silent(&silent));
    const char *port = port_of(&silent.address);
    EXPECT_CODE(sil_connect("127.0.0.1", port, NULL, &stream, sil_in(0.002)), SIL_ETIMEDOUT);
    EXPECT(strstr(sil_error_message(sil_last_error()), port));
    EXPECT_CODE(sil_connect("127.0.0.1", port, NULL, &stream, SIL_NOW), SIL_ETIMEDOUT);
    sil_deadline outer = sil_deadline_scope(sil_in(0.002));
    EXPECT_CODE(sil_connect("127.0.0.1", port, NULL, &stream, SIL_FOREVER), SIL_ETIMEDOUT);
    sil_deadline_restore(outer);
    EXPECT(!stream);
    close_silent(&silent);
    return 0;
}

/* --- races --------------------------------------------------------------------------------- */

SCENARIO(the_next_one_begins_beside_a_silent_one)
{
    (void)arg, (void)result;
    struct silent silent;
    int fd;
    sil_address addresses[4];
    sil_stream *stream;
    EXPECT(open_silent(&silent) && open_live(&fd, &addresses[3]));
    for (int i = 0; i < 3; i++)
        addresses[i] = silent.address;
    EXPECT_CODE(connect_first(addresses, 4, 0.001, &stream, SIL_FOREVER), 0);
    EXPECT(is_connected_to(stream, &addresses[3]));
    sil_stream_close(stream);
    (void)close(fd);
    close_silent(&silent);
    return 0;
}

/* However long one is to be alone. */
SCENARIO(the_next_one_begins_when_one_has_failed)
{
    (void)arg, (void)result;
    int dead;
    int fd;
    sil_address addresses[3];
    sil_stream *stream;
    EXPECT(open_dead(&dead, &addresses[0]) && open_live(&fd, &addresses[2]));
    addresses[1] = addresses[0];
    EXPECT_CODE(connect_first(addresses, 3, 1000, &stream, SIL_FOREVER), 0);
    EXPECT(is_connected_to(stream, &addresses[2]));
    sil_stream_close(stream);
    (void)close(fd);
    (void)close(dead);
    return 0;
}

SCENARIO(the_most_telling_error_is_told)
{
    (void)arg, (void)result;
    int dead;
    sil_address addresses[2];
    sil_stream *stream;
    EXPECT(open_dead(&dead, &addresses[0]));
    /* Not an address of TCP, nor to be reached. */
    EXPECT_CODE(sil_address_parse("255.255.255.255:9", &addresses[1]), 0);
    EXPECT_CODE(connect_first(addresses, 2, 0, &stream, SIL_FOREVER), ECONNREFUSED);
    sil_address moved = addresses[0];
    addresses[0] = addresses[1];
    addresses[1] = moved;
    EXPECT_CODE(connect_first(addresses, 2, 0, &stream, SIL_FOREVER), ECONNREFUSED);
    EXPECT(strstr(sil_error_message(sil_last_error()), "there, port 7"));
    (void)close(dead);
    return 0;
}

static int co_race(void *arg, void *result)
{
    struct silent *silent = *(struct silent **)arg;
    (void)result;
    sil_address addresses[3] = {silent->address, silent->address, silent->address};
    sil_stream *stream;
    return connect_first(addresses, 3, 0.0001, &stream, SIL_FOREVER);
}

SCENARIO(a_race_is_given_up)
{
    (void)arg, (void)result;
    struct silent silent;
    struct silent *the_silent = &silent;
    EXPECT(open_silent(&silent));
    sil_future *future = sil_go(co_race, &the_silent, sizeof the_silent, 0);
    EXPECT_CODE(sil_sleep(sil_in(0.005)), 0);
    EXPECT_CODE(sil_future_cancel(future), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    sil_address addresses[2] = {silent.address, silent.address};
    sil_stream *stream;
    EXPECT_CODE(connect_first(addresses, 2, 0.001, &stream, sil_in(0.005)), SIL_ETIMEDOUT);
    EXPECT_CODE(connect_first(addresses, 2, 1000, &stream, sil_in(0.005)), SIL_ETIMEDOUT);
    close_silent(&silent);
    return 0;
}

/* --- in the file system -------------------------------------------------------------------- */

static int co_connect_unix(void *arg, void *result)
{
    (void)result;
    sil_stream *stream;
    int code = sil_connect_unix(*(const char **)arg, &stream, SIL_FOREVER);
    if (code == 0)
        sil_stream_close(stream);
    return code;
}

SCENARIO(connects_by_a_path)
{
    (void)arg, (void)result;
    const char *path = "@sillon-test-connect";
    int fd;
    sil_address address;
    sil_address peer;
    sil_stream *first;
    EXPECT(socket_on(path, &fd, &address) && listen(fd, 0) == 0);
    EXPECT_CODE(sil_connect_unix(path, &first, SIL_FOREVER), 0);
    EXPECT_CODE(sil_stream_peer(first, &peer), 0);
    char text[SIL_ADDRESS_TEXT];
    (void)sil_address_text(&peer, text, sizeof text);
    EXPECT(strcmp(text, path) == 0);
    /* The backlog is full now. */
    sil_stream *stream;
    EXPECT_CODE(sil_connect_unix(path, &stream, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_connect_unix(path, &stream, sil_in(0.005)), SIL_ETIMEDOUT);
    sil_future *cancelled = sil_go(co_connect_unix, &path, sizeof path, 0);
    sil_future *patient = sil_go(co_connect_unix, &path, sizeof path, 0);
    give_way(2);
    (void)sil_future_cancel(cancelled);
    EXPECT_CODE(sil_take(cancelled, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(!sil_future_done(patient));
    int peers[2] = {accept(fd, NULL, NULL), -1};
    EXPECT_CODE(sil_take(patient, NULL, SIL_FOREVER), 0);
    peers[1] = accept(fd, NULL, NULL);
    EXPECT(peers[0] >= 0 && peers[1] >= 0);
    (void)close(peers[0]);
    (void)close(peers[1]);
    sil_stream_close(first);
    (void)close(fd);
    EXPECT_CODE(sil_connect_unix(path, &stream, SIL_FOREVER), ECONNREFUSED);
    EXPECT(strstr(sil_error_message(sil_last_error()), path));
    EXPECT_CODE(sil_connect_unix("/no/such/socket", &stream, SIL_FOREVER), ENOENT);
    EXPECT_CODE(sil_connect_unix(NULL, &stream, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_connect_unix("", &stream, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_connect_unix(path, NULL, SIL_FOREVER), SIL_EINVAL);
    char longest[120];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    EXPECT_CODE(sil_connect_unix(longest, &stream, SIL_FOREVER), SIL_ETOOLONG);
    return 0;
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_connects_to_an_address),
        TEST(test_connects_to_a_name),
        TEST(test_connects_from_an_address),
        TEST(test_connects_to_addresses_of_its_own_family),
        TEST(test_nobody_is_there),
        TEST(test_one_who_never_answers),
        TEST(test_the_next_one_begins_beside_a_silent_one),
        TEST(test_the_next_one_begins_when_one_has_failed),
        TEST(test_the_most_telling_error_is_told),
        TEST(test_a_race_is_given_up),
        TEST(test_connects_by_a_path),
    };
    return test_run("coro.connect", tests);
}
