/* SPDX-License-Identifier: MIT */
/*
 * Datagrams, on the loopback.
 */
#include <sillon/datagram.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/coro/scenario.h"

static sil_datagram *open_local(const sil_datagram_options *options)
{
    sil_datagram *socket = NULL;
    return sil_datagram_open("127.0.0.1", NULL, options, &socket, SIL_FOREVER) == 0 ? socket : NULL;
}

/* One whose peer is another socket. */
static sil_datagram *open_to(const sil_datagram *peer)
{
    sil_address address;
    char service[8];
    if (sil_datagram_local(peer, &address) != 0)
        return NULL;
    (void)snprintf(service, sizeof service, "%u", (unsigned)sil_address_port(&address));
    return open_local(&(sil_datagram_options){.peer_host = "127.0.0.1", .peer_service = service});
}

static int echo(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_datagram *server = open_local(NULL);
    sil_datagram *client = open_local(NULL);
    EXPECT(server && client && sil_datagram_fd(server) >= 0);
    sil_address to;
    sil_address from;
    sil_address own;
    EXPECT_CODE(sil_datagram_local(server, &to), 0);
    EXPECT_CODE(sil_datagram_local(client, &own), 0);
    char buffer[64];
    size_t size;
    for (int i = 0; i < 100; i++) {
        EXPECT_CODE(sil_datagram_send(client, &i, sizeof i, &to, SIL_FOREVER), 0);
        EXPECT_CODE(sil_datagram_receive(server, buffer, sizeof buffer, &size, &from, SIL_FOREVER),
                    0);
        EXPECT(size == sizeof i && memcmp(buffer, &i, size) == 0);
        EXPECT(sil_address_port(&from) == sil_address_port(&own));
        EXPECT_CODE(sil_datagram_send(server, buffer, size, &from, SIL_FOREVER), 0);
        EXPECT_CODE(sil_datagram_receive(client, buffer, sizeof buffer, &size, NULL, SIL_FOREVER),
                    0);
        EXPECT(size == sizeof i);
    }
    EXPECT_CODE(sil_datagram_send(client, NULL, 0, &to, SIL_FOREVER), 0);
    EXPECT_CODE(sil_datagram_receive(server, buffer, sizeof buffer, &size, NULL, SIL_FOREVER), 0);
    EXPECT(size == 0);
    EXPECT_CODE(sil_datagram_receive(server, buffer, 1, &size, NULL, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_datagram_receive(server, buffer, 1, &size, NULL, sil_in(0.001)), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_datagram_send(client, "x", 1, &to, SIL_NOW), 0);
    EXPECT_CODE(sil_datagram_receive(server, buffer, 1, &size, NULL, SIL_NOW), 0);
    sil_datagram_close(server);
    sil_datagram_close(client);
    return 0;
}

static void test_there_and_back(void **state)
{
    (void)state;
    run_scenario(echo);
}

static int sizes(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_datagram *server = open_local(NULL);
    EXPECT(server != NULL);
    sil_datagram *client = open_to(server);
    EXPECT(client != NULL);
    static char large[70000];
    EXPECT_CODE(sil_datagram_send(client, large, sizeof large, NULL, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_datagram_send(client, "0123456789", 10, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_datagram_send(client, "abc", 3, NULL, SIL_FOREVER), 0);
    char buffer[8] = "";
    size_t size;
    sil_address from;
    EXPECT_CODE(sil_datagram_receive(server, buffer, 4, &size, &from, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT(size == 10 && memcmp(buffer, "0123\0", 5) == 0 && sil_address_port(&from) != 0);
    EXPECT_CODE(sil_datagram_receive(server, buffer, 4, &size, &from, SIL_FOREVER), 0);
    EXPECT(size == 3 && memcmp(buffer, "abc3", 4) == 0);
    EXPECT_CODE(sil_datagram_send(server, "x", 1, NULL, SIL_FOREVER), SIL_EINVAL);
    sil_datagram_close(server);
    sil_datagram_close(client);
    return 0;
}

static void test_too_large_for_the_system_or_the_buffer(void **state)
{
    (void)state;
    run_scenario(sizes);
}

static int peers(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_datagram *server = open_local(NULL);
    sil_datagram *stranger = open_local(NULL);
    EXPECT(server && stranger);
    sil_datagram *client = open_to(server);
    EXPECT(client != NULL);
    sil_address to;
    char buffer[8];
    size_t size;
    EXPECT_CODE(sil_datagram_local(client, &to), 0);
    EXPECT_CODE(sil_datagram_send(stranger, "s", 1, &to, SIL_FOREVER), 0);
    EXPECT_CODE(sil_datagram_send(server, "p", 1, &to, SIL_FOREVER), 0);
    EXPECT_CODE(sil_datagram_receive(client, buffer, sizeof buffer, &size, NULL, SIL_FOREVER), 0);
    EXPECT(size == 1 && buffer[0] == 'p');
    /* Nobody is there any more. */
    sil_datagram_close(server);
    EXPECT_CODE(sil_datagram_send(client, "x", 1, NULL, SIL_FOREVER), 0);
    EXPECT_CODE(sil_datagram_receive(client, buffer, sizeof buffer, &size, NULL, SIL_FOREVER),
                ECONNREFUSED);
    EXPECT_CODE(sil_datagram_receive(client, buffer, sizeof buffer, &size, NULL, SIL_NOW),
                SIL_ETIMEDOUT);
    sil_datagram_close(stranger);
    sil_datagram_close(client);
    return 0;
}

static void test_one_with_a_peer_hears_only_that(void **state)
{
    (void)state;
    run_scenario(peers);
}

struct receiver {
    sil_datagram *socket;
    char buffer[8];
};

static int receive_one(void *arg, void *result)
{
    struct receiver *receiver = *(struct receiver **)arg;
    return sil_datagram_receive(receiver->socket, receiver->buffer, sizeof receiver->buffer, result,
                                NULL, SIL_FOREVER);
}

static int waits(void *arg, void *result)
{
    (void)arg;
    (void)result;
    struct receiver receiver = {.socket = open_local(NULL)};
    struct receiver *pointer = &receiver;
    EXPECT(receiver.socket != NULL);
    size_t size;
    sil_future *waiter = sil_go(receive_one, (void *)&pointer, sizeof pointer, sizeof size);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_future_cancel(waiter), SIL_EINPROGRESS);
    EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), SIL_ECANCELLED);

    sil_address own;
    EXPECT_CODE(sil_datagram_local(receiver.socket, &own), 0);
    waiter = sil_go(receive_one, (void *)&pointer, sizeof pointer, sizeof size);
    EXPECT_CODE(sil_yield(), 0);
    EXPECT_CODE(sil_datagram_send(receiver.socket, "12", 2, &own, SIL_FOREVER), 0);
    EXPECT_CODE(sil_take(waiter, &size, SIL_FOREVER), 0);
    EXPECT(size == 2 && memcmp(receiver.buffer, "12", 2) == 0);

    waiter = sil_go(receive_one, (void *)&pointer, sizeof pointer, sizeof size);
    EXPECT_CODE(sil_yield(), 0);
    sil_datagram_close(receiver.socket);
    EXPECT_CODE(sil_take(waiter, NULL, SIL_FOREVER), SIL_ECLOSED);
    return 0;
}

enum { RECEIVERS = 3 };

static int several(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_datagram *socket = open_local(NULL);
    EXPECT(socket != NULL);
    struct receiver receivers[RECEIVERS];
    sil_future *waiters[RECEIVERS];
    sil_address own;
    size_t size;
    EXPECT_CODE(sil_datagram_local(socket, &own), 0);
    for (int i = 0; i < RECEIVERS; i++) {
        receivers[i].socket = socket;
        struct receiver *pointer = &receivers[i];
        waiters[i] = sil_go(receive_one, (void *)&pointer, sizeof pointer, sizeof size);
    }
    EXPECT_CODE(sil_yield(), 0);
    /* All are woken by each, and one gets it. */
    for (int i = 0; i < RECEIVERS; i++)
        EXPECT_CODE(sil_datagram_send(socket, "xyz", (size_t)i, &own, SIL_FOREVER), 0);
    size_t total = 0;
    for (int i = 0; i < RECEIVERS; i++) {
        EXPECT_CODE(sil_take(waiters[i], &size, SIL_FOREVER), 0);
        total += size;
    }
    EXPECT(total == 0 + 1 + 2);
    sil_datagram_close(socket);
    return 0;
}

static void test_several_may_receive(void **state)
{
    (void)state;
    run_scenario(several);
}

static void test_waits_end_with_data_cancel_or_close(void **state)
{
    (void)state;
    run_scenario(waits);
}

static int options(void *arg, void *result)
{
    (void)arg;
    (void)result;
    const sil_datagram_options shared = {.reuse = true, .broadcast = true, .family = AF_INET};
    sil_datagram *one = open_local(&shared);
    EXPECT(one != NULL);
    sil_address address;
    char service[8];
    EXPECT_CODE(sil_datagram_local(one, &address), 0);
    (void)snprintf(service, sizeof service, "%u", (unsigned)sil_address_port(&address));
    sil_datagram *other = NULL;
    EXPECT_CODE(sil_datagram_open("127.0.0.1", service, NULL, &other, SIL_FOREVER), EADDRINUSE);
    EXPECT(strstr(sil_error_message(sil_last_error()), service) && !other);
    EXPECT_CODE(sil_datagram_open("127.0.0.1", service, &shared, &other, SIL_FOREVER), 0);
    sil_datagram_close(other);

    sil_address all;
    EXPECT_CODE(sil_address_parse("127.255.255.255:9", &all), 0);
    EXPECT_CODE(sil_datagram_send(one, "x", 1, &all, SIL_FOREVER), 0);
    sil_datagram_close(one);
    one = open_local(NULL);
    EXPECT(one != NULL);
    EXPECT_CODE(sil_datagram_send(one, "x", 1, &all, SIL_FOREVER), EACCES);
    sil_datagram_close(one);

    EXPECT_CODE(sil_datagram_open(NULL, NULL, NULL, &one, SIL_FOREVER), 0);
    EXPECT_CODE(sil_datagram_local(one, &address), 0);
    EXPECT(sil_address_port(&address) != 0);
    sil_datagram_close(one);
    EXPECT_CODE(sil_datagram_open(NULL, NULL, &(sil_datagram_options){.peer_service = "9"}, &one,
                                  SIL_FOREVER),
                0);
    sil_datagram_close(one);
    return 0;
}

static void test_options(void **state)
{
    (void)state;
    run_scenario(options);
}

static int refused(void *arg, void *result)
{
    (void)arg;
    (void)result;
    sil_datagram *socket = NULL;
    EXPECT_CODE(sil_datagram_open("127.0.0.1", NULL, NULL, NULL, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_datagram_open("127.0.0.1", NULL, &(sil_datagram_options){.peer_host = "::1"},
                                  &socket, SIL_FOREVER),
                SIL_EINVAL);
    EXPECT_CODE(sil_datagram_open("127.0.0.1", NULL,
                                  &(sil_datagram_options){.peer_host = "::1", .peer_service = "9"},
                                  &socket, SIL_FOREVER),
                EAFNOSUPPORT);
    EXPECT_CODE(sil_datagram_open("127.0.0.1", "no-such-service", NULL, &socket, SIL_FOREVER),
                SIL_ENOHOST);
    EXPECT_CODE(sil_datagram_open("192.0.2.1", NULL, NULL, &socket, SIL_FOREVER), EADDRNOTAVAIL);
    EXPECT(socket == NULL);
    EXPECT_CODE(sil_datagram_send(NULL, "x", 1, NULL, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_datagram_receive(NULL, NULL, 0, NULL, NULL, SIL_NOW), SIL_EINVAL);
    EXPECT_CODE(sil_datagram_local(NULL, NULL), SIL_EINVAL);
    EXPECT(sil_datagram_fd(NULL) == -1);
    sil_datagram_close(NULL);
    return 0;
}

static void test_failures_are_told(void **state)
{
    (void)state;
    run_scenario(refused);
    sil_datagram *socket;
    assert_code(sil_datagram_open("127.0.0.1", NULL, NULL, &socket, SIL_NOW), SIL_ENOTASK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_there_and_back),
        TEST(test_too_large_for_the_system_or_the_buffer),
        TEST(test_one_with_a_peer_hears_only_that),
        TEST(test_waits_end_with_data_cancel_or_close),
        TEST(test_several_may_receive),
        TEST(test_options),
        TEST(test_failures_are_told),
    };
    begin_scenarios();
    return test_run("datagrams", tests);
}
