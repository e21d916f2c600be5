/* SPDX-License-Identifier: MIT */
/*
 * Hosts: one for each origin, with less to do as long as they have too much.
 */
#include "get/hosts.h"

#include <sillon/deadline.h>

#include "support/test.h"

enum { LIMIT = 6 };

static void test_hosts_find_gives_one_for_each_origin(void **state)
{
    (void)state;
    struct hosts hosts = {.limit = LIMIT, .rate = 2};
    struct host *one = hosts_find(&hosts, "http://a:80");
    struct host *other = hosts_find(&hosts, "http://a:81");
    assert_non_null(one);
    assert_non_null(other);
    assert_ptr_not_equal(one, other);
    assert_ptr_equal(one, hosts_find(&hosts, "http://a:80"));
    assert_int_equal(one->group.limit, LIMIT);
    assert_true(one->group.rate == 2);
    hosts_fini(&hosts);
}

static void test_host_gets_less_to_do_when_overloaded_and_more_when_well(void **state)
{
    (void)state;
    struct hosts hosts = {.limit = LIMIT};
    struct host *host = hosts_find(&hosts, "http://a:80");
    assert_non_null(host);
    int64_t before = sil_clock();
    host_is_overloaded(host, 503, 0, before);
    assert_int_equal(host->group.limit, 3);
    /* One that was under way at the same time tells nothing new. */
    host_is_overloaded(host, 503, 0, before - 1);
    assert_int_equal(host->group.limit, 3);
    host_is_overloaded(host, 503, 0, sil_clock());
    host_is_overloaded(host, 503, 0, sil_clock());
    assert_int_equal(host->group.limit, 1);
    for (size_t limit = 1; limit < LIMIT; limit++) {
        for (size_t answers = 1; answers < limit; answers++)
            assert_false(host_is_well(host));
        assert_true(host_is_well(host));
        assert_int_equal(host->group.limit, limit + 1);
    }
    for (int i = 0; i < 2 * LIMIT; i++)
        assert_false(host_is_well(host));
    assert_int_equal(host->group.limit, LIMIT);
    assert_int_equal(host->group.not_before, 0);
    hosts_fini(&hosts);
}

static void test_host_is_left_in_peace_when_it_asks_for_all_of_itself(void **state)
{
    (void)state;
    struct hosts hosts = {.limit = LIMIT};
    struct host *host = hosts_find(&hosts, "http://a:80");
    struct host *limited = hosts_find(&hosts, "http://b:80");
    assert_non_null(host);
    assert_non_null(limited);
    /* A URL of its may be out of service; three in a row say more. */
    host_is_overloaded(host, 503, 100, sil_clock());
    host_is_overloaded(host, 503, 100, sil_clock());
    (void)host_is_well(host);
    host_is_overloaded(host, 503, 100, sil_clock());
    host_is_overloaded(host, 503, 100, sil_clock());
    assert_int_equal(host->group.not_before, 0);
    host_is_overloaded(host, 503, 100, sil_clock());
    assert_true(host->group.not_before > sil_clock());
    /* Too many requests: those of all URLs are meant. */
    host_is_overloaded(limited, 429, 100, sil_clock());
    assert_true(limited->group.not_before > sil_clock());
    hosts_fini(&hosts);
}

static void test_host_keeps_its_limit_when_requests_share_a_connection(void **state)
{
    (void)state;
    struct hosts hosts = {.limit = LIMIT};
    struct host *host = hosts_find(&hosts, "https://a:443");
    assert_non_null(host);
    host->shares = true;
    host->group.limit = SIZE_MAX;
    host_is_overloaded(host, 503, 0, sil_clock());
    assert_false(host_is_well(host));
    assert_true(host->group.limit == SIZE_MAX);
    hosts_fini(&hosts);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_hosts_find_gives_one_for_each_origin),
        TEST(test_host_gets_less_to_do_when_overloaded_and_more_when_well),
        TEST(test_host_is_left_in_peace_when_it_asks_for_all_of_itself),
        TEST(test_host_keeps_its_limit_when_requests_share_a_connection),
    };
    return test_run("hosts", tests);
}
