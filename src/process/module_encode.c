/* SPDX-License-Identifier: MIT */
/*
 * The sender's side of module.h.
 *
 * A few stretches of code are remembered with the module they belong to. The program's never
 * changes. A library's is believed only while the module there is still the same:
 * - where the loader can tell us which module is mapped around an address (_dl_find_object, some
 *   ten nanoseconds), if it fills the same range and has the same build-id in its first page;
 * - otherwise if nothing at all was loaded or unloaded since (a few hundred).
 */
#include "process/module.h"

#include <dlfcn.h>
#include <string.h>

#include <sillon/status.h>

#include "base/alloc.h"
#include "core/context.h"
#include "process/module_find.h"

#define SLOTS 32

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 35)
#define HAVE_FIND_OBJECT 1
#endif
#endif

struct slot {
    struct sil__span code;
    uintptr_t base;
    uint32_t module; /* index in the table */
    bool permanent;
    uint32_t id_size;
    const uint8_t *build_id; /* in the module; NULL: believe generation only */
    struct sil__span range;  /* what the module fills, for _dl_find_object */
    uint64_t generation;
    uint8_t id[SIL__MODULE_ID_SIZE];
};

struct sil__encoder {
    struct sil__module_table *table;
    uint32_t used;
    uint32_t oldest; /* to be given up next when all are used */
    struct slot slots[SLOTS];
};

struct sil__encoder *sil__encoder_create(struct sil__module_table *table)
{
    struct sil__encoder *encoder = sil__alloc(sizeof *encoder);
    if (encoder)
        encoder->table = table;
    return encoder;
}

void sil__encoder_destroy(struct sil__encoder *encoder)
{
    sil__free(encoder);
}

/* What is mapped around the address; false where the loader does not tell. */
static bool range_around(uintptr_t address, struct sil__span *out)
{
#ifdef HAVE_FIND_OBJECT
    struct dl_find_object object;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it was a function's address
    if (_dl_find_object((void *)address, &object) != 0)
        return false;
    *out = (struct sil__span){(uintptr_t)object.dlfo_map_start, (uintptr_t)object.dlfo_map_end};
    return true;
#else
    (void)address;
    (void)out;
    return false;
#endif
}

/* The slot with this address in its code, current or not. */
static struct slot *slot_of(struct sil__encoder *encoder, uintptr_t address)
{
    for (uint32_t i = 0; i < encoder->used; i++)
        if (sil__span_holds(&encoder->slots[i].code, address))
            return &encoder->slots[i];
    return NULL;
}

static bool is_current(const struct slot *slot, uintptr_t address)
{
    if (slot->permanent)
        return true;
    if (!slot->build_id)
        return slot->generation == sil__loaded_generation();
    /* With the same range the first page is mapped, whichever module it is. */
    struct sil__span range;
    return range_around(address, &range) && range.start == slot->range.start &&
           range.end == slot->range.end && memcmp(slot->build_id, slot->id, slot->id_size) == 0;
}

/* The table's index of a module, which is added if need be. */
static int index_of(struct sil__module_table *table, const struct sil__module *module,
                    uint32_t *out)
{
    /* Only we write it. */
    uint32_t count = atomic_load_explicit(&table->count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        const struct sil__module *known = &table->modules[i];
        if (known->id_size == module->id_size && known->hashed == module->hashed &&
            memcmp(known->id, module->id, module->id_size) == 0) {
            *out = i;
            return 0;
        }
    }
    if (count >= SIL__MODULE_MAX)
        return sil__fail(SIL_ENOTSUP, "%s: tasks of at most %d libraries can be told of",
                         module->path, SIL__MODULE_MAX);
    table->modules[count] = *module;
    /* Pairs with the acquire in sil__decode: who sees the count sees the entry. */
    atomic_store_explicit(&table->count, count + 1, memory_order_release);
    *out = count;
    return 0;
}

static struct slot *new_slot(struct sil__encoder *encoder)
{
    if (encoder->used < SLOTS)
        return &encoder->slots[encoder->used++];
    struct slot *slot = &encoder->slots[encoder->oldest];
    encoder->oldest = (encoder->oldest + 1) % SLOTS;
    return slot;
}

static void remember(struct slot *slot, const struct sil__loaded *loaded, uintptr_t address,
                     uint32_t module)
{
    *slot = (struct slot){.base = loaded->base,
                          .module = module,
                          .permanent = loaded->program,
                          .id_size = loaded->module.id_size,
                          .generation = loaded->generation};
    memcpy(slot->id, loaded->module.id, sizeof slot->id);
    for (uint32_t i = 0; i < loaded->code_count; i++)
        if (sil__span_holds(&loaded->code[i], address))
            slot->code = loaded->code[i];
    if (loaded->build_id && range_around(address, &slot->range))
        slot->build_id = loaded->build_id;
}

/* former: the slot that is no longer right about this address; NULL: there is none. */
static int learn(struct sil__encoder *encoder, uintptr_t address, struct slot *former,
                 struct sil__code *out)
{
    struct sil__loaded loaded;
    int code = sil__loaded_at(address, &loaded);
    if (code)
        return code;
    uint32_t module = 0;
    code = index_of(encoder->table, &loaded.module, &module);
    if (code)
        return code;
    remember(former ? former : new_slot(encoder), &loaded, address, module);
    *out = (struct sil__code){.module = module, .offset = address - loaded.base};
    return 0;
}

int sil__encode(struct sil__encoder *encoder, sil_task_fn fn, struct sil__code *out)
{
    uintptr_t address = (uintptr_t)fn;
    struct slot *slot = slot_of(encoder, address);
    if (!slot || !is_current(slot, address))
        return learn(encoder, address, slot, out);
    *out = (struct sil__code){.module = slot->module, .offset = address - slot->base};
    return 0;
}
