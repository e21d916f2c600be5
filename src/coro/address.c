/* SPDX-License-Identifier: MIT */
/*
 * Addresses: to text and back.
 */
#include "coro/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <sillon/status.h>

#include "core/context.h"

#define UNIX_PATH offsetof(struct sockaddr_un, sun_path)

int sil__address_unix(const char *path, sil_address *out)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    bool abstract = length > 0 && path[0] == '@';
    if (length == 0)
        return sil__fail(SIL_EINVAL, "the path of a socket is NULL or empty");
    if (length > sizeof name.sun_path - !abstract)
        return sil__fail(SIL_ETOOLONG, "the path of a socket has at most %zu bytes: '%s'",
                         sizeof name.sun_path - 1, path);
    memcpy(name.sun_path, path, length);
    if (abstract)
        name.sun_path[0] = '\0';
    *out = (sil_address){.size = (socklen_t)(UNIX_PATH + length + !abstract)};
    memcpy(&out->storage, &name, sizeof name);
    return 0;
}

bool sil__address_port_of(const char *service, unsigned long *out_port)
{
    *out_port = 0;
    if (!service)
        return true;
    if (*service == '\0' || service[strspn(service, "0123456789")] != '\0')
        return false;
    *out_port = strtoul(service, NULL, 10);
    return true;
}

void sil__address_set_port(sil_address *address, uint16_t port)
{
    if (address->storage.ss_family == AF_INET)
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
    else if (address->storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
}

uint16_t sil_address_port(const sil_address *address)
{
    if (address && address->storage.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&address->storage)->sin_port);
    if (address && address->storage.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address->storage)->sin6_port);
    return 0;
}

/* --- from text ----------------------------------------------------------------------------- */

static int parse_inet(const char *text, sil_address *out)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    unsigned long port;
    if (!colon || length >= sizeof host || !sil__address_port_of(colon + 1, &port) ||
        port > UINT16_MAX)
        return SIL_EINVAL;
    bool brackets = length > 2 && text[0] == '[' && text[length - 1] == ']';
    if (brackets) {
        text++;
        length -= 2;
    }
    memcpy(host, text, length);
    host[length] = '\0';
    struct addrinfo *found;
    struct addrinfo hints = {.ai_family = brackets ? AF_INET6 : AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST};
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return SIL_EINVAL;
    *out = (sil_address){.size = found->ai_addrlen};
    memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    sil__address_set_port(out, (uint16_t)port);
    return 0;
}

int sil_address_parse(const char *text, sil_address *out)
{
    if (!text || !out)
        return sil__fail(SIL_EINVAL, "sil_address_parse: text or out is NULL");
    int code =
        text[0] == '/' || text[0] == '@' ? sil__address_unix(text, out) : parse_inet(text, out);
    return code == 0 ? 0 : sil__fail(SIL_EINVAL, "'%s' is no address", text);
}

/* --- to text ------------------------------------------------------------------------------- */

static int unix_text(const sil_address *address, char *buffer, size_t size)
{
    struct sockaddr_un name;
    memcpy(&name, &address->storage, sizeof name);
    size_t length = address->size > UNIX_PATH ? address->size - UNIX_PATH : 0;
    if (length > sizeof name.sun_path)
        length = sizeof name.sun_path;
    if (length == 0)
        return snprintf(buffer, size, "unix");
    if (name.sun_path[0] != '\0')
        return snprintf(buffer, size, "%.*s", (int)length, name.sun_path);
    for (size_t i = 0; i < length; i++)
        if (name.sun_path[i] == '\0')
            name.sun_path[i] = '@';
    return snprintf(buffer, size, "%.*s", (int)length, name.sun_path);
}

int sil_address_text(const sil_address *address, char *buffer, size_t size)
{
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    if (!address)
        return snprintf(buffer, size, "nowhere");
    if (address->storage.ss_family == AF_UNIX)
        return unix_text(address, buffer, size);
    if (getnameinfo((const struct sockaddr *)&address->storage, address->size, host, sizeof host,
                    port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return snprintf(buffer, size, "family %d", address->storage.ss_family);
    bool brackets = address->storage.ss_family == AF_INET6;
    return snprintf(buffer, size, brackets ? "[%s]:%s" : "%s:%s", host, port);
}
