/* SPDX-License-Identifier: MIT */
/*
 * Dumps: collect, write. See dump.h in this folder.
 */
#include <sillon/dump.h>

#include <sillon/status.h>

#include "core/dump.h"

int sil_dump(FILE *out)
{
    if (!out)
        return sil__fail(SIL_EINVAL, "sil_dump: the file is NULL");
    bool whole;
    struct sil__part *parts = sil__sources_collect(&whole);
    int code = sil__dump_write(out, parts);
    while (parts) {
        struct sil__part *part = parts;
        parts = part->next;
        whole &= !part->failed;
        sil__part_destroy(part);
    }
    if (code == SIL_ENOMEM || (code == 0 && !whole))
        return sil__fail(SIL_ENOMEM, "sil_dump: no memory for all of it");
    return code == 0 ? 0 : sil__fail(code, "sil_dump: it could not be written");
}
