/* SPDX-License-Identifier: MIT */
/*
 * The receiver's side of module.h.
 *
 * The table is believed as far as it is a list of libraries to load, no further: an entry is copied
 * before it is looked at, and an offset has to lie in the code of its module.
 *
 * What was loaded once stays: tasks leave threads and exit handlers behind.
 */
#include "process/module.h"

#include <dlfcn.h>
#include <string.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "core/context.h"
#include "process/module_find.h"

/* Weak, so that a static program need not have a loader: then these are NULL. */
#pragma weak dlopen
#pragma weak dlclose
#pragma weak dlerror

/* Where a module is. */
struct place {
    uint32_t code_count; /* 0: not known yet */
    uintptr_t base;
    struct sil__span code[SIL__CODE_SPANS];
};

struct sil__decoder {
    const struct sil__module_table *table;
    struct place places[SIL__MODULE_MAX];
};

struct sil__decoder *sil__decoder_create(const struct sil__module_table *table)
{
    struct sil__decoder *decoder = sil__alloc(sizeof *decoder);
    if (decoder)
        decoder->table = table;
    return decoder;
}

void sil__decoder_destroy(struct sil__decoder *decoder)
{
    sil__free(decoder);
}

static const char *name_of(const struct sil__module *module)
{
    return module->path[0] ? module->path : "the program";
}

/* A copy of an entry that can be relied on. */
static int entry_of(const struct sil__decoder *decoder, uint32_t index, struct sil__module *out)
{
    /* Acquire pairs with the release in index_of. */
    uint32_t count = atomic_load_explicit(&decoder->table->count, memory_order_acquire);
    if (index >= count || index >= SIL__MODULE_MAX)
        return sil__fail(SIL_EINVAL, "a task of module %u, of %u that are known", index, count);
    memcpy(out, &decoder->table->modules[index], sizeof *out);
    if (out->id_size == 0 || out->id_size > SIL__MODULE_ID_SIZE ||
        !memchr(out->path, 0, sizeof out->path))
        return sil__fail(SIL_EINVAL, "a task of module %u, whose description is damaged", index);
    return 0;
}

/* Whoever loaded it may close it: that shall not take it away. */
static void hold(const struct sil__loaded *loaded)
{
    if (!loaded->program && dlopen)
        (void)dlopen(loaded->module.path, RTLD_LAZY | RTLD_NOLOAD);
}

static int load(const struct sil__module *module, struct sil__loaded *out)
{
    if (!module->path[0])
        return sil__fail(SIL_ENOTSUP, "the program is another build here than where the task "
                                      "comes from: was it replaced meanwhile?");
    void *library = dlopen ? dlopen(module->path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        const char *reason = dlopen ? dlerror() : "the program is static";
        return sil__fail(SIL_ENOTSUP, "%s cannot be loaded for a task: %s", module->path,
                         reason ? reason : "no reason given");
    }
    if (sil__loaded_as(module, out))
        return 0;
    (void)dlclose(library);
    return sil__fail(SIL_ENOTSUP,
                     "%s is another build here than where the task comes from: was it replaced "
                     "meanwhile?",
                     module->path);
}

static int find(const struct sil__module *module, struct place *out)
{
    struct sil__loaded loaded = {0};
    if (sil__loaded_as(module, &loaded)) {
        hold(&loaded);
    } else {
        int code = load(module, &loaded);
        if (code)
            return code;
    }
    *out = (struct place){.code_count = loaded.code_count, .base = loaded.base};
    memcpy(out->code, loaded.code, sizeof out->code);
    return 0;
}

/* Not in one that is not known. */
static bool has_code(const struct place *place, uint64_t offset)
{
    uintptr_t address = place->base + (uintptr_t)offset;
    for (uint32_t i = 0; i < place->code_count; i++)
        if (sil__span_holds(&place->code[i], address))
            return true;
    return false;
}

/* Not yet known, or not there: the long way, which says what is wrong. */
static int resolve(struct sil__decoder *decoder, const struct sil__code *code)
{
    struct sil__module module = {0};
    int failure = entry_of(decoder, code->module, &module);
    if (failure)
        return failure;
    struct place *place = &decoder->places[code->module];
    if (place->code_count == 0)
        failure = find(&module, place);
    if (failure || has_code(place, code->offset))
        return failure;
    return sil__fail(SIL_EINVAL, "a task at offset %#llx of %s, where it has no code",
                     (unsigned long long)code->offset, name_of(&module));
}

sil_task_fn sil__decode(struct sil__decoder *decoder, const struct sil__code *code)
{
    /* Once: the sender may be writing here. */
    const struct sil__code copy = *code;
    if (copy.module >= SIL__MODULE_MAX || !has_code(&decoder->places[copy.module], copy.offset)) {
        if (resolve(decoder, &copy) != 0)
            return NULL;
    }
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it came here as a number
    return (sil_task_fn)(decoder->places[copy.module].base + (uintptr_t)copy.offset);
}
