/* SPDX-License-Identifier: MIT */
/*
 * Names and messages of status codes: the list in status.h, and the C library's errno values.
 */
#include <sillon/status.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <sillon/version.h>

#define TEXT_SIZE 32

/* Both NULL for what is no errno value. */
#ifdef __GLIBC__
static const char *errno_text(int number)
{
    return strerrordesc_np(number);
}

static const char *errno_name(int number)
{
    return strerrorname_np(number);
}
#else
static const char *errno_text(int number)
{
    return number > 0 && number < 256 ? strerror(number) : NULL;
}

static const char *errno_name(int number)
{
    (void)number;
    return NULL;
}
#endif

const char *sil_strerror(int code)
{
    static _Thread_local char unknown[TEXT_SIZE];
    switch (code) {
    case 0:
        return "success";
#define CASE(name, number, text) \
    case SIL_##name:             \
        return text;
        SIL_STATUS_MAP(CASE)
#undef CASE
    default:
        break;
    }
    const char *text = errno_text(code < 0 && code != INT_MIN ? -code : code);
    if (text)
        return text;
    (void)snprintf(unknown, sizeof unknown, "error %d", code);
    return unknown;
}

const char *sil_status_name(int code)
{
    switch (code) {
#define CASE(name, number, text) \
    case SIL_##name:             \
        return "SIL_" #name;
        SIL_STATUS_MAP(CASE)
#undef CASE
    default:
        break;
    }
    if (code == 0 || code == INT_MIN)
        return NULL;
    return errno_name(code < 0 ? -code : code);
}

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

const char *sil_version(void)
{
    return STRING(SIL_VERSION_MAJOR) "." STRING(SIL_VERSION_MINOR) "." STRING(SIL_VERSION_PATCH);
}
