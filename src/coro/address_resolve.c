/* SPDX-License-Identifier: MIT */
/*
 * Looking up names, by the system's own way, in a task of the loop's executor for what blocks.
 *
 * The task's result belongs to its future: one that nobody waits for any more is freed with it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include <sillon/executor.h>
#include <sillon/status.h>

#include "base/alloc.h"
#include "coro/address.h"
#include "coro/enter.h"
#include "coro/loop.h"

/* Empty: none was given. */
struct question {
    char host[256];
    char service[64]; /* empty, too, if the port says all */
    uint16_t port;
    int family;
    bool passive;
};

static int failed(const struct question *question, int error)
{
    int system_error = errno;
    if (error == EAI_MEMORY)
        return sil__fail(SIL_ENOMEM, NULL);
    if (error == EAI_SYSTEM)
        return sil__fail(system_error, "looking up '%s': %s", question->host,
                         strerror(system_error));
    return sil__fail(SIL_ENOHOST, "looking up '%s'%s%s: %s", question->host,
                     question->service[0] ? ", service " : "", question->service,
                     gai_strerror(error));
}

static int ask(const struct question *question, int flags, struct addrinfo **out_found)
{
    struct addrinfo hints = {.ai_family = question->family,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = flags | (question->passive ? AI_PASSIVE : 0)};
    return getaddrinfo(question->host[0] ? question->host : NULL,
                       question->service[0] ? question->service : NULL, &hints, out_found);
}

static bool seen(const sil_address *addresses, size_t count, const sil_address *address)
{
    for (size_t i = 0; i < count; i++)
        if (addresses[i].size == address->size &&
            memcmp(&addresses[i].storage, &address->storage, address->size) == 0)
            return true;
    return false;
}

/* Those found, each once. At most as many as there are. */
static size_t collect(const struct question *question, const struct addrinfo *found,
                      sil_address *addresses)
{
    size_t count = 0;
    for (const struct addrinfo *each = found; each; each = each->ai_next) {
        sil_address address = {.size = each->ai_addrlen};
        memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
        if (!question->service[0])
            sil__address_set_port(&address, question->port);
        if (!seen(addresses, count, &address))
            addresses[count++] = address;
    }
    return count;
}

static size_t length_of(const struct addrinfo *found)
{
    size_t count = 0;
    for (; found; found = found->ai_next)
        count++;
    return count;
}

/* --- without waiting ------------------------------------------------------------------------- */

/* No host: all addresses of this machine, or those nobody else can reach. */
static size_t own_addresses(const struct question *question, sil_address *addresses)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_addr = question->passive ? in6addr_any : in6addr_loopback};
    struct sockaddr_in four = {.sin_family = AF_INET};
    four.sin_addr.s_addr = htonl(question->passive ? INADDR_ANY : INADDR_LOOPBACK);
    size_t count = 0;
    if (question->family != AF_INET) {
        addresses[count] = (sil_address){.size = sizeof six};
        memcpy(&addresses[count++].storage, &six, sizeof six);
    }
    if (question->family != AF_INET6) {
        addresses[count] = (sil_address){.size = sizeof four};
        memcpy(&addresses[count++].storage, &four, sizeof four);
    }
    for (size_t i = 0; i < count; i++)
        sil__address_set_port(&addresses[i], question->port);
    return count;
}

/* 0: answered; SIL_EINPROGRESS: it must be looked up; else a code. */
static int answer_at_once(const struct question *question, sil_address **out_addresses,
                          size_t *out_count)
{
    enum { MOST = 2 };
    struct addrinfo *found = NULL;
    if (question->service[0] || (question->host[0] && ask(question, AI_NUMERICHOST, &found) != 0))
        return SIL_EINPROGRESS;
    size_t most = found ? length_of(found) : MOST;
    sil_address *addresses = sil__alloc_array(most, sizeof *addresses);
    if (addresses) {
        *out_count =
            found ? collect(question, found, addresses) : own_addresses(question, addresses);
        *out_addresses = addresses;
    }
    if (found)
        freeaddrinfo(found);
    return addresses ? 0 : sil__fail(SIL_ENOMEM, NULL);
}

/* --- in a task ----------------------------------------------------------------------------- */

static int look_up(void *arg, void *result)
{
    const struct question *question = arg;
    struct addrinfo *found;
    (void)result;
    int error = ask(question, 0, &found);
    if (error != 0)
        return failed(question, error);
    size_t most = length_of(found);
    sil_address *scratch = sil__alloc_array(most, sizeof *scratch);
    size_t count = scratch ? collect(question, found, scratch) : 0;
    freeaddrinfo(found);
    if (!scratch)
        return sil__fail(SIL_ENOMEM, NULL);
    void *block = sil_result_alloc(count * sizeof *scratch);
    if (block)
        memcpy(block, scratch, count * sizeof *scratch);
    sil__free(scratch);
    return block ? 0 : sil_error_code(sil_last_error());
}

static int take_answer(const sil_future *future, sil_address **out_addresses, size_t *out_count)
{
    size_t size;
    const void *block = sil_future_result(future, &size);
    sil_address *addresses = sil__alloc_raw(size);
    if (!addresses)
        return sil__fail(SIL_ENOMEM, NULL);
    memcpy(addresses, block, size);
    *out_addresses = addresses;
    *out_count = size / sizeof *addresses;
    return 0;
}

static int answer_in_task(const struct question *question, sil_address **out_addresses,
                          size_t *out_count, sil_deadline until)
{
    sil_executor *executor = sil__loop_blocking();
    if (!executor)
        return sil_error_code(sil_last_error());
    sil_future *future = sil_submit_with(executor, &(sil_submit_options){.name = "sil_resolve"},
                                         look_up, question, sizeof *question, 0);
    int code = sil_await(future, until);
    if (code == 0)
        code = take_answer(future, out_addresses, out_count);
    else
        (void)sil_future_cancel(future); /* if it runs already, it ends by itself */
    sil_future_release(future);
    return code;
}

/* --- together ------------------------------------------------------------------------------ */

static int pose(struct question *question, const char *host, const char *service,
                const sil_resolve_options *options)
{
    unsigned long port;
    const char *name = sil__address_port_of(service, &port) ? NULL : service;
    if (port > UINT16_MAX || (name && *name == '\0'))
        return sil__fail(SIL_EINVAL, "'%s' is no port", service);
    if (options && options->family != 0 && options->family != AF_INET &&
        options->family != AF_INET6)
        return sil__fail(SIL_EINVAL,
                         "hosts have addresses of AF_INET and AF_INET6, not of family %d",
                         options->family);
    if (host && *host == '\0')
        return sil__fail(SIL_EINVAL, "the name of the host is empty");
    if (host && strlen(host) >= sizeof question->host)
        return sil__fail(SIL_ETOOLONG, "no host has a name that long: '%.64s...'", host);
    if (name && strlen(name) >= sizeof question->service)
        return sil__fail(SIL_ETOOLONG, "no service has a name that long: '%.64s...'", name);
    question->port = (uint16_t)port;
    if (host)
        memcpy(question->host, host, strlen(host));
    if (name)
        memcpy(question->service, name, strlen(name));
    if (options) {
        question->family = options->family;
        question->passive = options->passive;
    }
    return 0;
}

int sil_resolve(const char *host, const char *service, const sil_resolve_options *options,
                sil_address **out_addresses, size_t *out_count, sil_deadline until)
{
    struct question question = {0};
    if (!out_addresses || !out_count)
        return sil__fail(SIL_EINVAL, "sil_resolve: out_addresses or out_count is NULL");
    int code = sil__enter(sil_loop_current(), "sil_resolve");
    if (code == 0)
        code = pose(&question, host, service, options);
    if (code == 0)
        code = answer_at_once(&question, out_addresses, out_count);
    if (code == SIL_EINPROGRESS)
        code = answer_in_task(&question, out_addresses, out_count, until);
    return code;
}

void sil_addresses_free(sil_address *addresses)
{
    sil__free(addresses);
}
