/* SPDX-License-Identifier: MIT */
/*
 * HTTP for coroutines: requests whose answers are read as they come, over libcurl's multi interface on
 * the loop. In a library of its own, sillon-http.
 *
 *     sil_http_client *client = sil_http_client_create(NULL);
 *     sil_http_response *page;
 *     int code = sil_http_get(client, "https://example.org/", 1 << 20, &page, sil_in(30));
 *     if (code == 0)
 *         printf("%d, %zu bytes\n", sil_http_status(page), sil_http_body(page, NULL));
 *     sil_http_close(page);
 *     sil_http_client_destroy(client);
 *
 * An answer with any status is an answer: 0 is returned, and sil_http_status says 404. What failed has
 * a code, and sil_http_failure says in which part of the work. A body that was cut short is a failure,
 * never an end.
 *
 * HTTP/1.1 and, where the server offers it over TLS, HTTP/2, whose requests share a connection. Bodies
 * are held back when nobody reads them: some 400 KiB wait at most, and with HTTP/2 what libcurl's window
 * lets come.
 */
#ifndef SILLON_HTTP_H
#define SILLON_HTTP_H

#include <sillon/deadline.h>
#include <sillon/export.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sil_http_client sil_http_client;

/** A request under way, and what has come of its answer. */
typedef struct sil_http_response sil_http_response;

/** Which versions may be spoken. */
typedef enum sil_http_version {
    SIL_HTTP_AUTO, /**< 2 where TLS agrees on it, else 1.1 */
    SIL_HTTP_1_1,
    SIL_HTTP_2, /**< without TLS from the first byte (prior knowledge) */
} sil_http_version;

/** In which part of the work it failed. */
typedef enum sil_http_failure_kind {
    SIL_HTTP_NO_FAILURE,
    SIL_HTTP_FAILED_URL,  /**< it is none, or of a protocol that is not allowed */
    SIL_HTTP_FAILED_NAME, /**< name look-up */
    SIL_HTTP_FAILED_CONNECT,
    SIL_HTTP_FAILED_TLS,
    SIL_HTTP_FAILED_STALL,    /**< no byte, or too few, for too long; or the deadline */
    SIL_HTTP_FAILED_SHORT,    /**< the answer ended before its end */
    SIL_HTTP_FAILED_REDIRECT, /**< too many, or from https to http */
    SIL_HTTP_FAILED_PROTOCOL, /**< what came is not HTTP */
    SIL_HTTP_FAILED_LOCAL,    /**< here: memory, descriptors, cancelled */
} sil_http_failure_kind;

/** Seconds since the request was begun; negative: not got to. */
typedef struct sil_http_times {
    double begun;     /**< not a duration: sil_clock() in seconds when it was */
    double queued;    /**< until a connection was free, or to be made */
    double name;      /**< until the name was known */
    double connected; /**< TCP */
    double tls;
    double sent;  /**< the request */
    double first; /**< the first byte of the answer */
    double ended;
} sil_http_times;

/** All zero is the default. Texts are copied. */
typedef struct sil_http_client_options {
    size_t max_connections; /**< open at the same time, idle ones included; 0: 64 */
    size_t max_per_host;    /**< of one scheme, host and port; 0: no limit. More requests wait */
    sil_http_version version;
    const char *user_agent; /**< NULL: "sillon/" and the version */
    const char *proxy;   /**< a URL; "": none; NULL: http_proxy, https_proxy, all_proxy, no_proxy */
    const char *ca_file; /**< certificates to trust, PEM; NULL: SSL_CERT_FILE, else the system's */
    const char *ca_folder;   /**< NULL: SSL_CERT_DIR, else the system's */
    const char *certificate; /**< of the client, PEM; NULL: none */
    const char *key;         /**< its key; NULL: in certificate */
    const char *pin;         /**< "sha256//BASE64": the server's public key; several with ';' */
    bool insecure; /**< do not verify the server. Whoever is on the way can read and forge */
    const char *interface;      /**< name or address to connect from; NULL: any */
    const char *const *resolve; /**< "host:port:address" in place of look-ups; ends with NULL */
    int family;                 /**< 4 or 6: only that; 0: both */
    double connect_timeout;     /**< seconds for look-up, TCP and TLS; 0: 10; negative: no limit */
    double stall;           /**< seconds with fewer than stall_rate bytes each; 0: 30; negative: no
                                     limit. While nobody reads the body it does not count */
    uint64_t stall_rate;    /**< bytes a second; 0: 1 */
    uint64_t max_rate;      /**< bytes a second over all requests; 0: no limit */
    uint64_t max_rate_each; /**< of each; 0: no limit */
} sil_http_client_options;

/** All zero but url is the default: GET. */
typedef struct sil_http_request {
    const char *url;
    const char *method;         /**< NULL: GET, with a body POST */
    const char *const *headers; /**< "Name: value", in place of those we send by ourselves; "Name:"
                                     sends none; ends with NULL */
    const void *body;           /**< borrowed until sil_http_close */
    size_t body_size;
    uint64_t range_from;  /**< ask for the bytes from there on */
    uint64_t range_to;    /**< to there, inclusive; 0: to the end */
    const char *if_range; /**< an ETag or a date: the range only if it is still the same */
    const char *user;     /**< "name:password", for Basic, and Digest if the server wants it */
    const char *bearer;   /**< a token */
    bool netrc;           /**< names and passwords from ~/.netrc */
    bool compressed;      /**< gzip and so on: unpacked as it comes */
    int max_redirects;    /**< 0: 20; negative: none are followed */
    bool allow_downgrade; /**< follow from https to http */
} sil_http_request;

SIL_BEGIN_DECLS

/**
 * Make a client: connections that its requests share. It belongs to the calling coroutine's loop.
 *
 * @param options  borrows; NULL for the defaults.
 * @return returns owned: sil_http_client_destroy, on the same loop. NULL with sil_last_error:
 *         SIL_EINVAL; SIL_ENOMEM; SIL_ENOTASK; ENOENT a file of certificates is not there.
 * @threads coroutine
 */
SIL_API sil_http_client *sil_http_client_create(const sil_http_client_options *options);

/**
 * Close its connections. All its responses have been closed.
 *
 * @param client  takes; NULL allowed.
 * @threads home
 * @blocks  for a moment; a cancelled caller too
 */
SIL_API void sil_http_client_destroy(sil_http_client *client);

/**
 * Send a request, follow redirects, and wait for the head of the answer. Credentials and cookies given
 * with the request are not sent to another origin than the URL's.
 *
 * @param request       borrows.
 * @param out_response  returns owned, also on failure (for sil_http_failure): sil_http_close. NULL
 *                      only for SIL_EINVAL, SIL_ENOMEM and SIL_ENOTASK.
 * @param until         for the whole exchange, the body included.
 * @return 0 there is an answer, of whatever status; SIL_ENOHOST; ECONNREFUSED and other errno values;
 *         SIL_ETLS; SIL_ETIMEDOUT; SIL_EHTTP the rest, see sil_http_failure; SIL_ECANCELLED;
 *         SIL_ENOMEM; SIL_EINVAL; SIL_ENOTASK. sil_last_error has a message for people.
 * @threads home
 * @blocks  until the deadline
 */
SIL_API int sil_http_send(sil_http_client *client, const sil_http_request *request,
                          sil_http_response **out_response, sil_deadline until);

/**
 * The next bytes of the body: what has come, at least one.
 *
 * @param buffer   borrows.
 * @param out_got  0: that was the end, and the body is whole.
 * @return 0; SIL_EHTTP cut short (SIL_HTTP_FAILED_SHORT) or broken; SIL_ECANCELLED, and the exchange is
 *         given up; else as sil_http_send. What came before a failure is delivered first.
 * @threads home
 * @blocks  until something comes
 */
SIL_API int sil_http_read(sil_http_response *response, void *buffer, size_t size, size_t *out_got);

/**
 * Read the rest of the body into memory: sil_http_body.
 *
 * @param limit  the most bytes; 0: no limit.
 * @return 0; SIL_ETOOLONG; else as sil_http_read.
 * @threads home
 * @blocks  until the body has ended
 */
SIL_API int sil_http_read_all(sil_http_response *response, size_t limit);

/**
 * Send a GET and read the whole answer, of whatever status, into memory.
 *
 * @return as sil_http_send and sil_http_read_all.
 * @threads home
 * @blocks  until the deadline
 */
SIL_API int sil_http_get(sil_http_client *client, const char *url, size_t limit,
                         sil_http_response **out_response, sil_deadline until);

/**
 * Let go of it. What has not been read is not wanted: unless all of it has come already, its connection
 * is closed (of HTTP/2: its stream).
 *
 * @param response  takes; NULL allowed.
 * @threads home
 */
SIL_API void sil_http_close(sil_http_response *response);

/**
 * The status, such as 200; 0 as long as there is no answer.
 *
 * @threads home; what those below return is borrowed until sil_http_close
 */
SIL_API int sil_http_status(const sil_http_response *response);

/** "1.0", "1.1" or "2". @threads home */
SIL_API const char *sil_http_protocol(const sil_http_response *response);

/** The value of a header of the last answer, by name whatever its case; several are joined by ", ".
 *  NULL: there is none.
 *  @threads home */
SIL_API const char *sil_http_header(const sil_http_response *response, const char *name);

/** How many bytes the body will have, as it comes (compressed: before unpacking). UINT64_MAX: the
 *  server does not say.
 *  @threads home */
SIL_API uint64_t sil_http_length(const sil_http_response *response);

/** How many bytes of the body were read so far by sil_http_read and its like. @threads home */
SIL_API uint64_t sil_http_received(const sil_http_response *response);

/** What sil_http_read_all has read; a '\0' follows. @param out_size NULL allowed. @threads home */
SIL_API const char *sil_http_body(const sil_http_response *response, size_t *out_size);

/** Where the answer came from, behind all redirects. @threads home */
SIL_API const char *sil_http_url(const sil_http_response *response);

/** The server's address and port, "127.0.0.1:80"; "" if it never was connected. @threads home */
SIL_API const char *sil_http_peer(const sil_http_response *response);

/** Was a connection used that was there already? @threads home */
SIL_API bool sil_http_reused(const sil_http_response *response);

/** Retry-After in seconds from now, of a number or of a date; negative: there is none.
 *  @threads home */
SIL_API double sil_http_retry_after(const sil_http_response *response);

/** Where it failed. @threads home */
SIL_API sil_http_failure_kind sil_http_failure(const sil_http_response *response);

/** May the same request work a little later: network errors, time-outs, short bodies, 408, 425, 429,
 *  500, 502, 503, 504?
 *  @threads home */
SIL_API bool sil_http_may_pass(const sil_http_response *response);

/** What took how long, so far. @threads home */
SIL_API void sil_http_times_get(const sil_http_response *response, sil_http_times *out);

/** "Not Found" for 404; "" for those without a name. @threads any */
SIL_API const char *sil_http_status_text(int status);

SIL_END_DECLS

#endif
