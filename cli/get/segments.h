/* SPDX-License-Identifier: MIT */
/*
 * The body of one large file over several connections.
 *
 *     answer --+                      +--> chunk: the foremost writes straight into it --+
 *     answer --+--> segment workers --+                                                  v
 *     answer --+                      +--> spill: what is ahead --> chunk, in its turn --> part
 *
 * I1  The part grows in order, as with one connection, and by the caller's coroutine alone: so it is
 *     always the beginning of the file.
 * I2  Bytes count only if the answer that brings them says that they are of the same file as the
 *     first one: 206, where it begins, how long all of it is, ETag or date.
 * I3  A worker that fails loses its range to the others; only when none is left the try has failed.
 * I4  Additional connections are counted in the host's group.
 */
#ifndef CLI_GET_SEGMENTS_H
#define CLI_GET_SEGMENTS_H

#include "get/session.h"

/** What stands behind --segments; NULL: auto. @param out  0: auto. @return false: it is no such thing.
 */
bool segments_parse(const char *text, size_t *out);

/** So many connections more than --jobs there may be for that. */
size_t segments_spare(const struct get_options *options);

/** What has been found out about a body; it is borrowed until segments_read returns. */
struct segments_plan {
    struct get_session *session;
    struct get_item *item;
    struct part *part;
    const sil_http_request *request; /**< what all ask for, without a range */
    uint64_t from;                   /**< where the body begins */
};

/** Is it to come over several connections? @param response  the first answer, to which part_head has
 *  been told. */
bool segments_fit(const struct segments_plan *plan, const sil_http_response *response);

/**
 * Read all of the body into the part.
 *
 * @param response        the first answer, which is read on or closed. On a failure it is the one
 *                        that failed.
 * @param out_store_code  what the store said, if it was the store.
 * @return 0; ESTALE it is another file now; else as sil_http_read, with sil_last_error.
 */
int segments_read(const struct segments_plan *plan, sil_http_response **response,
                  int *out_store_code);

#endif
