/* SPDX-License-Identifier: MIT */
/*
 * Datagrams while memory, threads or descriptors run out: a socket cannot be opened then, and says
 * why; one that is open works.
 */
#include "every_point.h"

#include "unit/coro/scenario.h"

static bool is_allowed_here(int code)
{
    return is_allowed(code) || code == EMFILE;
}

static int use(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_datagram *socket;
    const sil_datagram_options options = {.peer_host = "127.0.0.1", .peer_service = "9"};
    int code = sil_datagram_open("127.0.0.1", NULL, &options, &socket, SIL_FOREVER);
    if (code == 0)
        sil_datagram_close(socket);
    EXPECT(is_allowed_here(code));
    code = sil_datagram_open("localhost", NULL, NULL, &socket, SIL_FOREVER);
    EXPECT(is_allowed_here(code));
    if (code != 0)
        return code;
    sil_address own;
    char byte = 0;
    size_t size;
    EXPECT_CODE(sil_datagram_local(socket, &own), 0);
    EXPECT_CODE(sil_datagram_send(socket, "x", 1, &own, SIL_FOREVER), 0);
    EXPECT_CODE(sil_datagram_receive(socket, &byte, 1, &size, NULL, SIL_FOREVER), 0);
    EXPECT(size == 1 && byte == 'x');
    sil_datagram_close(socket);
    return 0;
}

static void in_loop(void)
{
    int code = sil_run(use, NULL, 0, NULL, 0);
    if (!is_allowed_here(code)) {
        print_error("%s\n", sil_error_message(sil_last_error()));
        assert_code(code, 0);
    }
}

static void test_datagrams_survive(void **state)
{
    (void)state;
    for (int site = 0; site < SIL__FAULT_SITES; site++)
        fail_each_point(site, in_loop);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_datagrams_survive),
    };
    begin_scenarios();
    return test_run("datagram faults", tests);
}
