/* SPDX-License-Identifier: MIT */
/*
 * The shelf of libcurl handles, see client.h.
 */
#include "fetch/client.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <sillon/loop.h>

#include "fetch/multi.h"

struct fetch_client {
    /* Read-only after create. */
    struct fetch_limits limits;
    size_t capacity;
    struct fetch_multi *multi; /* NULL: for threads */
    /* Guarded by lock. */
    pthread_mutex_t lock;
    size_t idle_count;
    CURL *idle[]; /* capacity of them; the one used last at the end */
};

/* Each fetch needs a few descriptors; the limit as it comes is often lower than it may be. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

struct fetch_client *fetch_client_create(const struct fetch_limits *limits, size_t most)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    struct fetch_client *client = calloc(1, sizeof(*client) + most * sizeof(client->idle[0]));
    if (client == NULL) {
        curl_global_cleanup();
        return NULL;
    }
    raise_descriptor_limit();
    client->limits = *limits;
    client->capacity = most;
    pthread_mutex_init(&client->lock, NULL);
    bool for_loop = sil_loop_current() != NULL;
    client->multi = for_loop ? fetch_multi_create(most) : NULL;
    if (!for_loop || client->multi != NULL)
        return client;
    fetch_client_destroy(client);
    return NULL;
}

void fetch_client_destroy(struct fetch_client *client)
{
    if (client == NULL)
        return;
    for (size_t i = 0; i < client->idle_count; i++)
        curl_easy_cleanup(client->idle[i]);
    fetch_multi_destroy(client->multi);
    pthread_mutex_destroy(&client->lock);
    free(client);
    curl_global_cleanup();
}

const struct fetch_limits *fetch_client_limits(const struct fetch_client *client)
{
    return &client->limits;
}

struct fetch_multi *fetch_client_multi(const struct fetch_client *client)
{
    return client->multi;
}

CURL *fetch_client_take(struct fetch_client *client)
{
    CURL *handle = NULL;
    pthread_mutex_lock(&client->lock);
    if (client->idle_count > 0)
        handle = client->idle[--client->idle_count];
    pthread_mutex_unlock(&client->lock);
    return handle != NULL ? handle : curl_easy_init();
}

void fetch_client_put(struct fetch_client *client, CURL *handle)
{
    pthread_mutex_lock(&client->lock);
    if (client->idle_count < client->capacity) {
        client->idle[client->idle_count++] = handle;
        handle = NULL;
    }
    pthread_mutex_unlock(&client->lock);
    curl_easy_cleanup(handle); /* of NULL: nothing */
}
