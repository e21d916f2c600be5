/* SPDX-License-Identifier: MIT */
/*
 * Status codes: 0 is success, a negative code of this list is the library's own word, and every
 * other non-zero code is a task's own (an errno value, say).
 *
 * The one list below gives names, numbers and messages. Numbers never change; new codes are
 * added at the end. They lie far from errno's values, so that a task may return those, with
 * either sign, and nobody mixes the two up.
 */
#ifndef SILLON_STATUS_H
#define SILLON_STATUS_H

#include <sillon/export.h>

#define SIL_STATUS_MAP(X)                                                 \
    X(EINVAL, -20001, "an argument is not valid")                         \
    X(ENOMEM, -20002, "out of memory")                                    \
    X(ETIMEDOUT, -20003, "the deadline came first")                       \
    X(ECANCELLED, -20004, "the task was cancelled")                       \
    X(EDEADLK, -20005, "the wait could never end")                        \
    X(ESHUTDOWN, -20006, "the executor was shut down")                    \
    X(EFORKED, -20007, "made before a fork, and not usable in the child") \
    X(EBROKEN, -20008, "broken: what it depends on failed for good")      \
    X(EFULL, -20009, "the queue is full")                                 \
    X(EAGAIN, -20010, "no thread or process could be started")            \
    X(EALREADY, -20011, "too late: it has ended already")                 \
    X(EINPROGRESS, -20012, "running: asked to stop, not stopped yet")     \
    X(EEND, -20013, "there is nothing more")                              \
    X(ENOTASK, -20014, "only a running task may call this")               \
    X(ENOTSUP, -20015, "this executor cannot do that")                    \
    X(ECLOSED, -20016, "it was closed")                                   \
    X(EBUSY, -20017, "another is at it already")                          \
    X(ETOOLONG, -20018, "longer than the limit")                          \
    X(ENOHOST, -20019, "the name cannot be looked up")                    \
    X(ETLS, -20020, "the secure connection failed")                       \
    X(EHTTP, -20021, "HTTP failed")

enum {
#define SIL__STATUS_ENUM(name, number, text) SIL_##name = (number),
    SIL_STATUS_MAP(SIL__STATUS_ENUM)
#undef SIL__STATUS_ENUM
};

SIL_BEGIN_DECLS

/**
 * What a code means, in words: the library's message for a SIL_E code, the C library's for an
 * errno value of either sign, and "error N" for anything else.
 *
 * @return returns borrowed; valid until the same thread's next call.
 * @threads any
 */
SIL_API const char *sil_strerror(int code);

/**
 * The name of a code, such as "SIL_ETIMEDOUT" or "ERANGE"; NULL for a code without one.
 *
 * @return returns borrowed; valid for ever.
 * @threads any
 */
SIL_API const char *sil_status_name(int code);

SIL_END_DECLS

#endif
