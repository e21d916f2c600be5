/* SPDX-License-Identifier: MIT */
/*
 * The engine: libcurl's multi handle on the loop.
 *
 * libcurl says which sockets it waits for, and until when; libuv says when these are ready. Each change
 * of what libuv watches is a system call, or two, and libcurl changes its mind with each request: so a
 * socket that libcurl opened through us stays watched for reading until it is closed, or fires when
 * nobody wants it. Likewise libuv's timer is not moved to later: it fires for nothing now and then.
 *
 * libcurl wants a call as soon as a handle was added. It comes from the prepare phase, right before the
 * poll and after all coroutines of the turn: one for all of them, and on the thread's own stack.
 *
 * I1: sockets has an entry for each descriptor that libcurl opened through us, until it closes it; for
 *     others (of its name look-ups) only while libcurl wants them watched, as they are closed unseen.
 * I2: due, or libuv's timer fires no later than libcurl wants.
 */
#include "http/http.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct sil__http_socket {
    uv_poll_t poll;
    sil_http_client *client;
    curl_socket_t descriptor;
    bool ours;  /* opened through us */
    int armed;  /* what libuv watches for */
    int wanted; /* what libcurl wants */
    int vain;   /* how often it fired unwanted, since it was wanted */
};

/* A transfer that is paused goes on in the same turn, as a rule. */
enum { MOST_IN_VAIN = 2 };

/* --- calling libcurl ------------------------------------------------------------------------- */

static void take_ended(sil_http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        CURL *curl = message->easy_handle;
        CURLcode result = message->data.result; /* the message goes with its handle */
        char *response = NULL;
        (void)curl_easy_getinfo(curl, CURLINFO_PRIVATE, &response);
        (void)curl_multi_remove_handle(client->multi, curl);
        sil__http_ended((sil_http_response *)(void *)response, result);
    }
}

static void act(sil_http_client *client, curl_socket_t socket, int events)
{
    int running;
    (void)curl_multi_socket_action(client->multi, socket, events, &running);
    take_ended(client);
}

/* --- timer ------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void arm_timer(sil_http_client *client)
{
    if (client->timer_wanted >= client->timer_armed)
        return;
    uint64_t now = uv_now(client->uv);
    uint64_t left = client->timer_wanted > now ? client->timer_wanted - now : 0;
    client->timer_armed = client->timer_wanted;
    (void)uv_timer_start(&client->timer, on_timer, left, 0);
}

static void on_timer(uv_timer_t *timer)
{
    sil_http_client *client = timer->data;
    client->timer_armed = UINT64_MAX;
    if (client->timer_wanted > uv_now(client->uv)) {
        arm_timer(client);
        return;
    }
    client->due = true; /* prepare follows */
}

/* CURLMOPT_TIMERFUNCTION */
static int on_timeout(CURLM *multi, long milliseconds, void *user)
{
    (void)multi;
    sil_http_client *client = user;
    client->due = milliseconds == 0;
    client->timer_wanted =
        milliseconds > 0 ? uv_now(client->uv) + (uint64_t)milliseconds : UINT64_MAX;
    arm_timer(client);
    return 0;
}

static void on_prepare(uv_prepare_t *prepare)
{
    sil_http_client *client = prepare->data;
    if (!client->due)
        return;
    client->due = false;
    client->timer_wanted = UINT64_MAX; /* it says anew */
    act(client, CURL_SOCKET_TIMEOUT, 0);
    if (client->due && client->timer_armed != 0) {
        client->timer_armed = 0; /* the poll must not block */
        (void)uv_timer_start(&client->timer, on_timer, 0, 0);
    }
}

/* --- sockets ----------------------------------------------------------------------------------- */

static void note_closed(uv_handle_t *handle, sil_http_client *client)
{
    (void)handle;
    client->uv_handles--;
    if (client->closing && client->uv_handles == 0)
        (void)sil_event_set(client->closed);
}

static void free_socket(uv_handle_t *handle)
{
    struct sil__http_socket *watched = (struct sil__http_socket *)(void *)handle;
    note_closed(handle, watched->client);
    free(watched);
}

static struct sil__http_socket *find_socket(const sil_http_client *client, curl_socket_t descriptor)
{
    return (size_t)descriptor < client->socket_capacity ? client->sockets[descriptor] : NULL;
}

static bool reserve_entry(sil_http_client *client, curl_socket_t descriptor)
{
    if ((size_t)descriptor < client->socket_capacity)
        return true;
    size_t capacity = ((size_t)descriptor + 64) / 64 * 64 * 2;
    void *grown = realloc(client->sockets, capacity * sizeof(struct sil__http_socket *));
    if (!grown)
        return false;
    client->sockets = grown;
    for (size_t i = client->socket_capacity; i < capacity; i++)
        client->sockets[i] = NULL;
    client->socket_capacity = capacity;
    return true;
}

/* NULL: no memory, or libuv has it already (another's). */
static struct sil__http_socket *add_socket(sil_http_client *client, curl_socket_t descriptor,
                                           bool ours)
{
    struct sil__http_socket *watched =
        reserve_entry(client, descriptor) ? calloc(1, sizeof *watched) : NULL;
    if (!watched)
        return NULL;
    watched->client = client;
    watched->descriptor = descriptor;
    watched->ours = ours;
    if (uv_poll_init_socket(client->uv, &watched->poll, descriptor) != 0) {
        free(watched);
        return NULL;
    }
    uv_unref((uv_handle_t *)&watched->poll);
    client->uv_handles++;
    client->sockets[descriptor] = watched;
    return watched;
}

static void drop_socket(struct sil__http_socket *watched)
{
    watched->client->sockets[watched->descriptor] = NULL;
    uv_close((uv_handle_t *)&watched->poll, free_socket);
}

static void on_ready(uv_poll_t *poll, int status, int events);

static int rearm(struct sil__http_socket *watched, int events)
{
    watched->armed = events;
    return events ? uv_poll_start(&watched->poll, events, on_ready) : uv_poll_stop(&watched->poll);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct sil__http_socket *watched = (struct sil__http_socket *)poll;
    if (status == 0 && (events & watched->wanted) == 0) {
        if (++watched->vain > MOST_IN_VAIN)
            (void)rearm(watched, watched->wanted);
        return;
    }
    watched->vain = 0;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    what |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    what |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    if (status < 0)
        (void)rearm(watched, 0); /* it would say so for ever */
    act(watched->client, watched->descriptor, what);
}

/* CURLMOPT_SOCKETFUNCTION */
static int on_socket(CURL *curl, curl_socket_t descriptor, int what, void *user, void *assigned)
{
    (void)curl, (void)assigned;
    sil_http_client *client = user;
    struct sil__http_socket *watched = find_socket(client, descriptor);
    int wanted = 0;
    if (what != CURL_POLL_REMOVE) {
        wanted |= (what & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
        wanted |= (what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0;
    }
    if (!watched && wanted == 0)
        return 0;
    if (!watched && !(watched = add_socket(client, descriptor, false)))
        return -1;
    watched->wanted = wanted;
    if (wanted == 0 && !watched->ours) {
        drop_socket(watched); /* I1 */
        return 0;
    }
    int more = watched->armed & ~wanted; /* to be writable is the rule, and would fire at once */
    if ((wanted & ~watched->armed) == 0 && (more & UV_WRITABLE) == 0)
        return 0;
    return rearm(watched, wanted) == 0 ? 0 : -1;
}

curl_socket_t sil__http_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    sil_http_response *response = user;
    if (response->connecting == 0)
        response->connecting = sil_clock();
    int descriptor = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                            address->protocol);
    if (descriptor < 0)
        return CURL_SOCKET_BAD;
    if (add_socket(response->client, descriptor, true))
        return descriptor;
    (void)close(descriptor);
    return CURL_SOCKET_BAD;
}

int sil__http_close_socket(void *user, curl_socket_t descriptor)
{
    struct sil__http_socket *watched = find_socket(user, descriptor);
    if (watched)
        drop_socket(watched);
    return close(descriptor);
}

/* --- life -------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    note_closed(handle, handle->data);
}

static void add_handle(sil_http_client *client, void *handle)
{
    ((uv_handle_t *)handle)->data = client;
    uv_unref(handle);
    client->uv_handles++;
}

int sil__http_engine_init(sil_http_client *client)
{
    client->timer_wanted = client->timer_armed = UINT64_MAX;
    client->closed = sil_event_create("HTTP client");
    client->multi = curl_multi_init();
    if (!client->closed || !client->multi)
        return sil_fail(SIL_ENOMEM, "no memory for an HTTP client");
    client->uv = sil_loop_uv(client->loop);
    (void)uv_timer_init(client->uv, &client->timer);
    add_handle(client, &client->timer);
    (void)uv_prepare_init(client->uv, &client->prepare);
    add_handle(client, &client->prepare);
    (void)uv_prepare_start(&client->prepare, on_prepare);

    CURLM *multi = client->multi;
    long most = (long)client->options.max_connections;
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most);
    (void)curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
    (void)curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                            (long)client->options.max_per_host);
    return 0;
}

void sil__http_engine_fini(sil_http_client *client)
{
    (void)curl_multi_cleanup(client->multi);
    for (size_t i = 0; i < client->socket_capacity; i++) {
        if (client->sockets[i])
            drop_socket(client->sockets[i]);
    }
    free(client->sockets);
    client->closing = true;
    if (client->uv) {
        uv_close((uv_handle_t *)&client->timer, on_closed);
        uv_close((uv_handle_t *)&client->prepare, on_closed);
    }
    while (client->uv_handles > 0 && sil_event_wait(client->closed, SIL_FOREVER) != 0)
        (void)sil_yield(); /* cancelled: they must be closed all the same */
    sil_event_destroy(client->closed);
}
