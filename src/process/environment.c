/* SPDX-License-Identifier: MIT */
/*
 * Environments, see environment.h. What nobody changes comes first, in its order.
 */
#include "process/environment.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

static size_t count(const char *const *list)
{
    size_t length = 0;
    while (list && list[length])
        length++;
    return length;
}

static bool same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return length == strcspn(b, "=") && memcmp(a, b, length) == 0;
}

static bool names(const char *const *list, const char *entry)
{
    for (; list && *list; list++)
        if (same_name(*list, entry))
            return true;
    return false;
}

char **sil__environment_create(const char *const *changes)
{
    const char *const *ours = (const char *const *)environ; /* NULL after clearenv */
    const char **list = sil__alloc_array(count(ours) + count(changes) + 1, sizeof *list);
    if (!list)
        return NULL;
    size_t length = 0;
    for (; ours && *ours; ours++)
        if (!names(changes, *ours))
            list[length++] = *ours;
    for (; changes && *changes; changes++)
        if (strchr(*changes, '=') && !names(changes + 1, *changes))
            list[length++] = *changes;
    return (char **)list;
}

bool sil__environment_valid(const char *const *changes)
{
    for (; changes && *changes; changes++)
        if (**changes == 0 || **changes == '=')
            return false;
    return true;
}

char **sil__environment_copy(const char *const *changes)
{
    size_t length = count(changes);
    size_t size = (length + 1) * sizeof(char *);
    for (size_t i = 0; i < length; i++)
        size += strlen(changes[i]) + 1;
    char **list = sil__alloc(size);
    if (!list)
        return NULL;
    char *text = (char *)(list + length + 1);
    for (size_t i = 0; i < length; i++) {
        list[i] = text;
        text = stpcpy(text, changes[i]) + 1;
    }
    return list;
}
