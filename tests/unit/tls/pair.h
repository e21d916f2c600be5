/* SPDX-License-Identifier: MIT */
/*
 * Two ends of a TLS connection in one loop, over a pair of sockets.
 */
#ifndef TESTS_UNIT_TLS_PAIR_H
#define TESTS_UNIT_TLS_PAIR_H

#include <openssl/ssl.h>
#include <sillon/tls.h>

#include "unit/coro/scenario.h"
#include "unit/tls/identity.h"
#include "unit/tls/trouble.h"

/* What most scenarios take: a server for localhost, and a client that trusts its CA. */
__attribute__((unused)) static struct {
    sil_tls_config *client;
    sil_tls_config *server;
} configs;

static inline sil_tls_config *must(sil_tls_config *config)
{
    if (!config) {
        (void)fprintf(stderr, "no config: %s\n", sil_error_message(sil_last_error()));
        abort();
    }
    return config;
}

/* main's first and last. */
static inline void begin_tls_scenarios(void)
{
    begin_scenarios();
    make_identities();
    configs.client =
        must(sil_tls_client_config(&(sil_tls_options){.ca_pem = identities.ca.certificate_pem}));
    configs.server = must(
        sil_tls_server_config(&(sil_tls_options){.certificate_pem = identities.localhost.pem}));
}

static inline int end_tls_scenarios(int failed)
{
    sil_tls_config_destroy(configs.client);
    sil_tls_config_destroy(configs.server);
    free_identities();
    return failed;
}

/* A part of a scenario, which says itself what went wrong. */
#define EXPECT_PART(part)   \
    do {                    \
        int code_ = (part); \
        if (code_ != 0)     \
            return code_;   \
    } while (0)

enum { CLIENT, SERVER };

struct pair {
    sil_stream *plain[2]; /* by CLIENT and SERVER */
    sil_stream *tls[2];   /* NULL: the handshake failed */
    bool accepting;       /* the server has begun */
    int codes[2];
    char messages[2][256]; /* of those that failed */
};

struct accepting {
    sil_stream *plain;
    sil_tls_config *config;
    struct pair *pair;
};

static inline void pair_note(struct pair *pair, int side, int code)
{
    pair->codes[side] = code;
    if (code != 0)
        (void)snprintf(pair->messages[side], sizeof pair->messages[side], "%s",
                       sil_error_message(sil_last_error()));
}

static inline int co_accept(void *arg, void *result)
{
    (void)result;
    struct accepting *accepting = arg;
    accepting->pair->accepting = true;
    int code = sil_tls_accept(accepting->plain, accepting->config, &accepting->pair->tls[SERVER],
                              SIL_FOREVER);
    pair_note(accepting->pair, SERVER, code);
    if (code != 0 && accepting->plain == accepting->pair->plain[SERVER]) {
        sil_stream_close(accepting->plain); /* what it had to say has been said */
        accepting->pair->plain[SERVER] = NULL;
    }
    return code;
}

/* The streams beneath are open. 0: both hands were shaken. */
static inline int pair_begin(struct pair *pair, sil_tls_config *client, sil_tls_config *server,
                             const char *name)
{
    struct accepting accepting = {pair->plain[SERVER], server, pair};
    pair->tls[CLIENT] = pair->tls[SERVER] = NULL;
    sil_future *future = sil_go(co_accept, &accepting, sizeof accepting, 0);
    while (!pair->accepting && !sil_future_done(future))
        give_way(1);
    if (!pair->accepting) { /* no memory: nobody would answer */
        sil_stream_close(pair->plain[SERVER]);
        pair->plain[SERVER] = NULL;
    }
    pair_note(pair, CLIENT,
              sil_tls_connect(pair->plain[CLIENT], client, name, &pair->tls[CLIENT], SIL_FOREVER));
    if (pair->codes[CLIENT] != 0) {
        sil_stream_close(pair->plain[CLIENT]);
        pair->plain[CLIENT] = NULL;
    }
    pair->codes[SERVER] = sil_take(future, NULL, SIL_FOREVER);
    return pair->codes[CLIENT] != 0 ? pair->codes[CLIENT] : pair->codes[SERVER];
}

static inline int pair_open_with(struct pair *pair, sil_tls_config *client, sil_tls_config *server,
                                 const char *name)
{
    *pair = (struct pair){0};
    int code = sil_socketpair(&pair->plain[CLIENT], &pair->plain[SERVER]);
    return code != 0 ? code : pair_begin(pair, client, server, name);
}

static inline int pair_open(struct pair *pair)
{
    return pair_open_with(pair, configs.client, configs.server, "localhost");
}

static inline void pair_close(struct pair *pair)
{
    sil_stream_close(pair->tls[CLIENT]);
    sil_stream_close(pair->plain[CLIENT]);
    sil_stream_close(pair->tls[SERVER]);
    sil_stream_close(pair->plain[SERVER]);
    pair->plain[SERVER] = NULL; /* that one may still wait in it */
}

static inline int put(sil_stream *stream, const char *text)
{
    return sil_write(stream, text, strlen(text), SIL_FOREVER);
}

/* Is this what comes next? */
static inline bool comes(sil_stream *stream, const char *text)
{
    char buffer[256];
    size_t size = strlen(text);
    return size < sizeof buffer && sil_read_exactly(stream, buffer, size, NULL, SIL_FOREVER) == 0 &&
           memcmp(buffer, text, size) == 0;
}

static inline bool has(const char *message, const char *part)
{
    if (strstr(message, part))
        return true;
    print_error("no '%s' in: %s\n", part, message);
    return false;
}

static inline bool last_error_has(const char *part)
{
    return has(sil_error_message(sil_last_error()), part);
}

#endif
