/* SPDX-License-Identifier: MIT */
/*
 * Addresses as text, and looking up names.
 */
#include <sillon/address.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "support/gate.h"
#include "unit/coro/scenario.h"

/* --- text ---------------------------------------------------------------------------------- */

static void test_text_there_and_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "127.0.0.1:80",
        "0.0.0.0:0",
        "255.255.255.255:65535",
        "[::1]:443",
        "[::]:0",
        "[2001:db8::7]:1",
        "/run/a socket",
        "/",
        "@abstract",
        "@",
    };
    char text[SIL_ADDRESS_TEXT];
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        sil_address address;
        assert_code(sil_address_parse(texts[i], &address), 0);
        assert_int_equal(sil_address_text(&address, text, sizeof text), strlen(texts[i]));
        assert_string_equal(text, texts[i]);
    }
}

static void test_what_is_no_address(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "localhost:80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:http",
        "127.0.0.1:65536",
        "::1:80",
        "[::1]",
        "[::1]80",
        "[127.0.0.1]:1",
        "[]:1",
        ":80",
        "1.2.3.4:-1",
        "1.2.3.4: 1",
        "1.2.3.4.5:1",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1",
    };
    sil_address address;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_code(sil_address_parse(texts[i], &address), SIL_EINVAL);
    assert_code(sil_address_parse(NULL, &address), SIL_EINVAL);
    assert_code(sil_address_parse("1.2.3.4:1", NULL), SIL_EINVAL);
}

static void test_paths_as_long_as_they_may_be(void **state)
{
    (void)state;
    char path[200];
    char text[SIL_ADDRESS_TEXT];
    sil_address address;
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[108] = '\0';
    assert_code(sil_address_parse(path, &address), SIL_EINVAL);
    path[107] = '\0';
    assert_code(sil_address_parse(path, &address), 0);
    assert_int_equal(sil_address_text(&address, text, sizeof text), 107);
    assert_string_equal(text, path);
    path[0] = '@';
    path[107] = 'x';
    assert_code(sil_address_parse(path, &address), 0);
    assert_int_equal(sil_address_text(&address, text, sizeof text), 108);
    assert_string_equal(text, path);
    assert_int_equal(sil_address_text(&address, text, 5), 108);
    assert_string_equal(text, "@xxx");
}

static void test_odd_addresses_have_a_text(void **state)
{
    (void)state;
    char text[SIL_ADDRESS_TEXT];
    sil_address address = {.size = sizeof(sa_family_t)};
    (void)sil_address_text(NULL, text, sizeof text);
    assert_string_equal(text, "nowhere");
    address.storage.ss_family = AF_UNIX;
    (void)sil_address_text(&address, text, sizeof text);
    assert_string_equal(text, "unix");
    address.storage.ss_family = 99;
    (void)sil_address_text(&address, text, sizeof text);
    assert_string_equal(text, "family 99");
    assert_int_equal(sil_address_port(&address), 0);
    assert_int_equal(sil_address_port(NULL), 0);
    assert_code(sil_address_parse("[::1]:443", &address), 0);
    assert_int_equal(sil_address_port(&address), 443);
}

/* --- looking up ---------------------------------------------------------------------------- */

/* The only address of a host, as text. */
static int only_one(const char *host, const char *service, const char *expected)
{
    sil_address *addresses;
    size_t count;
    char text[SIL_ADDRESS_TEXT];
    EXPECT_CODE(sil_resolve(host, service, NULL, &addresses, &count, SIL_FOREVER), 0);
    EXPECT(count == 1);
    (void)sil_address_text(&addresses[0], text, sizeof text);
    sil_addresses_free(addresses);
    EXPECT(strcmp(text, expected) == 0);
    return 0;
}

/* Addresses need no thread to be looked up. */
SCENARIO(numbers_are_not_looked_up)
{
    (void)arg, (void)result;
    EXPECT_CODE(only_one("127.0.0.1", "80", "127.0.0.1:80"), 0);
    EXPECT_CODE(only_one("::1", "65535", "[::1]:65535"), 0);
    EXPECT_CODE(only_one("10.1.2.3", NULL, "10.1.2.3:0"), 0);
    EXPECT(test_threads_gone());
    return 0;
}

SCENARIO(names_are_looked_up_in_a_thread)
{
    (void)arg, (void)result;
    sil_address *addresses;
    size_t count;
    EXPECT_CODE(sil_resolve("localhost", "7", NULL, &addresses, &count, SIL_FOREVER), 0);
    EXPECT(count >= 1);
    for (size_t i = 0; i < count; i++) {
        EXPECT(sil_address_port(&addresses[i]) == 7);
        for (size_t k = 0; k < i; k++)
            EXPECT(memcmp(&addresses[i], &addresses[k], sizeof *addresses) != 0);
    }
    sil_addresses_free(addresses);
    EXPECT_CODE(only_one("127.0.0.1", "http", "127.0.0.1:80"), 0);
    sil_addresses_free(NULL);
    return 0;
}

SCENARIO(no_host_is_this_machine)
{
    (void)arg, (void)result;
    static const struct {
        sil_resolve_options options;
        const char *expected[2];
    } cases[] = {
        {{0}, {"[::1]:5", "127.0.0.1:5"}},
        {{.passive = true}, {"[::]:5", "0.0.0.0:5"}},
        {{.family = AF_INET}, {"127.0.0.1:5"}},
        {{.family = AF_INET6, .passive = true}, {"[::]:5"}},
    };
    char text[SIL_ADDRESS_TEXT];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        sil_address *addresses;
        size_t count;
        EXPECT_CODE(sil_resolve(NULL, "5", &cases[i].options, &addresses, &count, SIL_NOW), 0);
        EXPECT(count == (cases[i].expected[1] ? 2 : 1));
        for (size_t k = 0; k < count; k++) {
            (void)sil_address_text(&addresses[k], text, sizeof text);
            EXPECT(strcmp(text, cases[i].expected[k]) == 0);
        }
        sil_addresses_free(addresses);
    }
    return 0;
}

SCENARIO(what_cannot_be_looked_up)
{
    (void)arg, (void)result;
    sil_address *addresses = NULL;
    size_t count;
    char longest[300];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    const sil_resolve_options four = {.family = AF_INET};
    EXPECT_CODE(sil_resolve("no such host", "1", NULL, &addresses, &count, SIL_FOREVER),
                SIL_ENOHOST);
    EXPECT(strstr(sil_error_message(sil_last_error()), "no such host"));
    EXPECT_CODE(sil_resolve("127.0.0.1", "no-such-service", NULL, &addresses, &count, SIL_FOREVER),
                SIL_ENOHOST);
    EXPECT_CODE(sil_resolve("::1", "1", &four, &addresses, &count, SIL_FOREVER), SIL_ENOHOST);
    EXPECT_CODE(sil_resolve(longest, "1", NULL, &addresses, &count, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_resolve("::1", longest, NULL, &addresses, &count, SIL_FOREVER), SIL_ETOOLONG);
    EXPECT_CODE(sil_resolve("::1", "65536", NULL, &addresses, &count, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_resolve("::1", "", NULL, &addresses, &count, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_resolve("", "1", NULL, &addresses, &count, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_resolve("::1", "1", NULL, NULL, &count, SIL_FOREVER), SIL_EINVAL);
    EXPECT_CODE(sil_resolve("::1", "1", NULL, &addresses, NULL, SIL_FOREVER), SIL_EINVAL);
    EXPECT(!addresses);
    return 0;
}

static int co_resolve(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_address *addresses;
    size_t count;
    int code = sil_resolve("localhost", "7", NULL, &addresses, &count, SIL_FOREVER);
    if (code == 0)
        sil_addresses_free(addresses);
    return code;
}

/* The one thread for what blocks is taken. */
static int give_up(void *arg, void *result)
{
    struct gate *gate = *(struct gate **)arg;
    (void)result;
    sil_address *addresses;
    size_t count;
    EXPECT_CODE(sil_resolve("localhost", "7", NULL, &addresses, &count, SIL_NOW), SIL_ETIMEDOUT);
    EXPECT_CODE(sil_resolve("localhost", "7", NULL, &addresses, &count, sil_in(0.001)),
                SIL_ETIMEDOUT);
    sil_future *future = sil_go(co_resolve, NULL, 0, 0);
    sil_future *other = sil_go(co_resolve, NULL, 0, 0);
    give_way(2);
    (void)sil_future_cancel(future);
    EXPECT_CODE(sil_take(future, NULL, SIL_FOREVER), SIL_ECANCELLED);
    EXPECT(!sil_future_done(other));
    gate_open(gate);
    EXPECT_CODE(sil_take(other, NULL, SIL_FOREVER), 0);
    return 0;
}

static void test_a_look_up_is_given_up(void **state)
{
    (void)state;
    struct gate gate;
    struct gate *the_gate = &gate;
    gate_init(&gate);
    sil_executor *pool = sil_thread_pool(&(sil_thread_pool_options){.workers = 1});
    sil_future *held = submit_gate(pool, &gate);
    gate_wait_for_arrivals(&gate, 1);
    int code = sil_run_with(&(sil_loop_options){.blocking = pool}, give_up, &the_gate,
                            sizeof the_gate, NULL, 0);
    gate_open(&gate);
    if (code != 0)
        print_error("%s\n", sil_error_message(sil_last_error()));
    assert_code(code, 0);
    assert_code(sil_take(held, NULL, SIL_FOREVER), 0);
    assert_code(sil_executor_close(pool), 0);
    gate_fini(&gate);
}

static void test_no_look_up_outside_coroutines(void **state)
{
    (void)state;
    sil_address *addresses;
    size_t count;
    assert_code(sil_resolve("::1", "1", NULL, &addresses, &count, SIL_FOREVER), SIL_ENOTASK);
}

int main(void)
{
    begin_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_text_there_and_back),          TEST(test_what_is_no_address),
        TEST(test_paths_as_long_as_they_may_be), TEST(test_odd_addresses_have_a_text),
        TEST(test_numbers_are_not_looked_up),    TEST(test_names_are_looked_up_in_a_thread),
        TEST(test_no_host_is_this_machine),      TEST(test_what_cannot_be_looked_up),
        TEST(test_a_look_up_is_given_up),        TEST(test_no_look_up_outside_coroutines),
    };
    return test_run("coro.address", tests);
}
