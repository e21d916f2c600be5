/* SPDX-License-Identifier: MIT */
/*
 * What OpenSSL says went wrong, see tls.h.
 */
#include <openssl/err.h>

#include "tls/tls.h"

int sil__tls_reason(const char **out_reason)
{
    /* The first in the queue is the cause, the others say where that led; but for memory. */
    unsigned long first = ERR_get_error();
    bool memory = ERR_GET_REASON(first) == ERR_R_MALLOC_FAILURE;
    for (unsigned long next; (next = ERR_get_error()) != 0;)
        memory = memory || ERR_GET_REASON(next) == ERR_R_MALLOC_FAILURE;
    int code = memory ? SIL_ENOMEM : ERR_SYSTEM_ERROR(first) ? ERR_GET_REASON(first) : SIL_ETLS;
    if (code == SIL_ETLS)
        *out_reason = ERR_reason_error_string(first);
    else
        *out_reason = sil_strerror(code);
    if (!*out_reason)
        *out_reason = "OpenSSL gives no reason";
    return code;
}
