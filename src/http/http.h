/* SPDX-License-Identifier: MIT */
/*
 * HTTP from inside: a client owns a multi handle of libcurl, which the loop drives (engine.c); a response
 * owns an easy handle, and is recycled with it.
 *
 * libcurl's callbacks run on the loop's thread, between coroutines or within a call that a coroutine
 * makes; they note what came, and set the response's event. Only waits (wait.c) suspend.
 *
 * I1: libcurl is never entered from one of its callbacks, but for curl_easy_getinfo and _setopt.
 * I2: a handle is in the multi handle exactly while its response is `added`. The engine takes out what
 *     has ended, so a response that has ended costs its client nothing.
 * I3: one coroutine at a time waits for a response.
 * I4: what was read of a body lies in the spill or in the buffer offered, never in both out of order:
 *     a buffer is offered only while the spill is empty.
 */
#ifndef SIL__HTTP_HTTP_H
#define SIL__HTTP_HTTP_H

#include <curl/curl.h>
#include <sillon/coro.h>
#include <sillon/error.h>
#include <sillon/http.h>
#include <sillon/loop.h>
#include <sillon/status.h>
#include <sillon/sync.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define SIL__HTTP_SECOND INT64_C(1000000000)

/* A limit in bytes a second: when the next byte may pass. */
struct sil__http_rate {
    uint64_t limit; /* 0: none */
    int64_t free_at;
};

struct sil__http_socket;

struct sil_http_client {
    sil_executor *loop;

    /* Read-only after create. Texts are owned. */
    sil_http_client_options options;
    struct curl_slist *resolve;
    int64_t connect_limit; /* nanoseconds; INT64_MAX: none. So is stall_limit */
    int64_t stall_limit;
    int64_t tick; /* waits look around so often; INT64_MAX: never */
    size_t spill_limit;

    /* engine.c */
    CURLM *multi;
    uv_loop_t *uv;
    uv_timer_t timer;
    uv_prepare_t prepare;
    uint64_t timer_wanted;  /* libcurl wants to be called then, in milliseconds; UINT64_MAX: not */
    uint64_t timer_armed;   /* libuv's timer fires then: not later than that */
    bool due;               /* libcurl wants to be called now */
    unsigned uv_handles;    /* that libuv has not closed yet */
    sil_event *closed;      /* set when there are none any more, */
    bool closing;           /* while this */
    size_t socket_capacity; /* of sockets, by descriptor */
    struct sil__http_socket **sockets;

    struct sil__http_rate rate;
    sil_http_response *idle; /* closed, for the next requests */
    size_t idle_count;
    size_t kept_spills; /* bytes of theirs */
};

/* Bytes of a body that nobody has read yet. */
struct sil__http_spill {
    char *bytes;
    size_t capacity, begin, end;
};

struct sil__http_text; /* a joined header */

struct sil_http_response {
    sil_http_client *client;
    CURL *curl;
    sil_event *event;        /* something has come: see I3 */
    sil_http_response *next; /* idle */
    char details[CURL_ERROR_SIZE];

    /* What the handle is set to. */
    bool dirty;                 /* to more than setup.c's, and url and redirects */
    long redirects;             /* CURLOPT_MAXREDIRS; -1: not followed */
    bool secure_only;           /* redirects to https only */
    struct curl_slist *headers; /* of the request */

    /* The exchange. */
    bool allow_downgrade;
    bool authenticates; /* a 401 may be answered with another request */
    bool added;         /* I2 */
    bool head;          /* of the final answer has come */
    bool blank;         /* the last line of a head was its last: none is begun */
    bool ended;
    bool paused;
    sil_deadline until;
    int64_t begun;
    int64_t connecting; /* since then; 0: it is not, or uses a connection that is there */

    /* How it failed; 0: it has not. */
    int code;
    sil_http_failure_kind kind;
    bool may_pass;
    char message[CURL_ERROR_SIZE + 128];

    /* The body. */
    char *offer; /* the reader's buffer, while it waits; or NULL */
    size_t offer_size, offer_got;
    struct sil__http_spill spill;
    uint64_t received;
    struct sil__http_rate rate;
    char *body; /* of sil_http_read_all */
    size_t body_size, body_capacity;

    /* Waiting, wait.c. */
    int64_t tick_left; /* nanoseconds of waiting until the next look around */
    int64_t slow_for;
    uint64_t tick_progress;

    struct sil__http_text *texts;
    char peer[80];
};

/* --- engine.c -------------------------------------------------------------------------------- */

/* 0, SIL_ENOMEM. */
int sil__http_engine_init(sil_http_client *client);

/* No response is added. Waits for libuv. After a failed init, too. */
void sil__http_engine_fini(sil_http_client *client);

/* CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION; user: the response, the client. */
curl_socket_t sil__http_open_socket(void *user, curlsocktype purpose,
                                    struct curl_sockaddr *address);
int sil__http_close_socket(void *user, curl_socket_t descriptor);

/* --- setup.c ----------------------------------------------------------------------------------- */

/* Set what all of a client's handles have in common. false: no memory. */
bool sil__http_setup(sil_http_response *response);

/* Set what this request wants. 0, SIL_EINVAL, SIL_ENOMEM. */
int sil__http_dress(sil_http_response *response, const sil_http_request *request);

/* After a request: as setup left it. false: no memory. */
bool sil__http_undress(sil_http_response *response);

/* --- response.c -------------------------------------------------------------------------------- */

void sil__http_response_free(sil_http_response *response);

/* The transfer is over, from the engine. */
void sil__http_ended(sil_http_response *response, CURLcode result);

/* --- body.c ------------------------------------------------------------------------------------ */

/* CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION; user: the response. */
size_t sil__http_on_body(char *bytes, size_t one, size_t size, void *user);
size_t sil__http_on_header(char *line, size_t one, size_t size, void *user);

/* --- wait.c ------------------------------------------------------------------------------------ */

/* Wait until ready says so, or it has ended; what ends the wait otherwise ends the exchange. */
int sil__http_wait(sil_http_response *response, bool (*ready)(const sil_http_response *response));

/* Wait until so many bytes may pass both limits. */
int sil__http_wait_rate(sil_http_response *response, size_t size);

/* How many bytes at most pass at a time; SIZE_MAX: no limit. */
size_t sil__http_rate_piece(const sil_http_response *response);

/* --- failure.c --------------------------------------------------------------------------------- */

/* Note how it failed, and stop the transfer. */
void sil__http_fail(sil_http_response *response, int code, sil_http_failure_kind kind,
                    bool may_pass, const char *format, ...) SIL_PRINTF(5, 6);

/* The same for what libcurl says. */
void sil__http_fail_by_curl(sil_http_response *response, CURLcode result);

/* Say it to the caller: the code, with the last error set. */
int sil__http_say(const sil_http_response *response);

/* --- about.c ----------------------------------------------------------------------------------- */

void sil__http_free_texts(sil_http_response *response);

#endif
