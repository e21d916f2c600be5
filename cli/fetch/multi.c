/* SPDX-License-Identifier: MIT */
/*
 * Transfers on a loop, see multi.h.
 *
 * libcurl says which sockets it waits for, and until when; libuv says when these are ready. What they
 * call runs on the loop's thread, between coroutines, and ends by setting the event of a transfer.
 */
#include "fetch/multi.h"

#include <stdlib.h>
#include <uv.h>

#include <sillon/loop.h>
#include <sillon/sync.h>

struct fetch_multi {
    CURLM *curl;
    uv_loop_t *uv;
    uv_timer_t timer;
    sil_event *closed; /* set when the timer is */
};

/* One socket of libcurl's. Freed when libuv has closed it. */
struct watched {
    uv_poll_t poll;
    struct fetch_multi *multi;
    curl_socket_t socket;
};

struct transfer {
    sil_event *ended;
    CURLcode code;
};

static void take_ended(struct fetch_multi *multi)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi->curl, &left)) != NULL) {
        struct transfer *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        transfer->code = message->data.result;
        (void)sil_event_set(transfer->ended);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watched *watched = (struct watched *)poll;
    struct fetch_multi *multi = watched->multi;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    what |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    what |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    int running;
    (void)curl_multi_socket_action(multi->curl, watched->socket, what, &running);
    take_ended(multi);
}

static void on_timer(uv_timer_t *timer)
{
    struct fetch_multi *multi = timer->data;
    int running;
    (void)curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
    take_ended(multi);
}

static void free_watched(uv_handle_t *handle)
{
    free((struct watched *)handle);
}

static struct watched *watch(struct fetch_multi *multi, curl_socket_t socket)
{
    struct watched *watched = calloc(1, sizeof(*watched));
    if (watched == NULL)
        return NULL;
    watched->multi = multi;
    watched->socket = socket;
    if (uv_poll_init_socket(multi->uv, &watched->poll, socket) == 0)
        return watched;
    free(watched);
    return NULL;
}

static int on_socket(CURL *handle, curl_socket_t socket, int what, void *user, void *assigned)
{
    (void)handle;
    struct fetch_multi *multi = user;
    struct watched *watched = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (watched != NULL)
            uv_close((uv_handle_t *)&watched->poll, free_watched);
        (void)curl_multi_assign(multi->curl, socket, NULL);
        return 0;
    }
    if (watched == NULL && (watched = watch(multi, socket)) == NULL)
        return -1;
    (void)curl_multi_assign(multi->curl, socket, watched);
    int events = (what & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
    events |= (what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0;
    return uv_poll_start(&watched->poll, events, on_ready) == 0 ? 0 : -1;
}

static int on_timeout(CURLM *curl, long milliseconds, void *user)
{
    (void)curl;
    struct fetch_multi *multi = user;
    if (milliseconds < 0)
        return uv_timer_stop(&multi->timer);
    return uv_timer_start(&multi->timer, on_timer, (uint64_t)milliseconds, 0);
}

struct fetch_multi *fetch_multi_create(size_t most)
{
    struct fetch_multi *multi = calloc(1, sizeof(*multi));
    if (multi == NULL)
        return NULL;
    multi->uv = sil_loop_uv(sil_loop_current());
    multi->curl = curl_multi_init();
    multi->closed = sil_event_create(NULL);
    if (multi->curl == NULL || multi->closed == NULL) {
        (void)curl_multi_cleanup(multi->curl);
        sil_event_destroy(multi->closed);
        free(multi);
        return NULL;
    }
    (void)uv_timer_init(multi->uv, &multi->timer);
    multi->timer.data = multi;
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, (long)most);
    return multi;
}

static void timer_closed(uv_handle_t *handle)
{
    (void)sil_event_set(((struct fetch_multi *)handle->data)->closed);
}

void fetch_multi_destroy(struct fetch_multi *multi)
{
    if (multi == NULL)
        return;
    (void)curl_multi_cleanup(multi->curl);
    uv_close((uv_handle_t *)&multi->timer, timer_closed);
    while (sil_event_wait(multi->closed, SIL_FOREVER) != 0)
        ; /* cancelled: it must be closed all the same */
    sil_event_destroy(multi->closed);
    free(multi);
}

CURLcode fetch_multi_perform(struct fetch_multi *multi, CURL *handle)
{
    struct transfer transfer = {.ended = sil_event_create("a transfer")};
    if (transfer.ended == NULL)
        return CURLE_OUT_OF_MEMORY;
    curl_easy_setopt(handle, CURLOPT_PRIVATE, &transfer);
    CURLMcode added = curl_multi_add_handle(multi->curl, handle);
    if (added == CURLM_OK && sil_event_wait(transfer.ended, SIL_FOREVER) != 0)
        transfer.code = CURLE_ABORTED_BY_CALLBACK;
    (void)curl_multi_remove_handle(multi->curl, handle);
    sil_event_destroy(transfer.ended);
    return added == CURLM_OK ? transfer.code : CURLE_FAILED_INIT;
}
