/* SPDX-License-Identifier: MIT */
/*
 * Finding loaded modules, see module_find.h.
 *
 * The loader's lock is held while it shows them, so a module looked at does not go away; nothing
 * is allocated meanwhile.
 */
#include "process/module_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <sillon/status.h>

#include "core/context.h"
#include "process/module_id.h"

#define SMALLEST_PAGE 4096

struct search {
    uintptr_t address;                  /* of code; if there is no */
    const struct sil__module *identity; /* ... */
    struct sil__loaded *out;
    unsigned seen;
    bool found;
    bool identified;
};

/* The first one shown is the program. */
static bool is_program(const struct search *search)
{
    return search->seen == 1;
}

/* The kernel's own, which every process has at a place of its own, in a version of its own. */
static bool is_kernels(const struct dl_phdr_info *info)
{
    uintptr_t image = getauxval(AT_SYSINFO_EHDR);
    for (int i = 0; image && i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            return info->dlpi_addr + info->dlpi_phdr[i].p_vaddr == image;
    return false;
}

static bool has_code_at(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) && address >= start &&
            address - start < part->p_memsz)
            return true;
    }
    return false;
}

static uint64_t generation_of(const struct dl_phdr_info *info)
{
    return info->dlpi_adds + info->dlpi_subs; /* both only grow */
}

/* Does the first page of the module, which is mapped as long as any module lies here, have it? */
static bool in_first_page(const struct dl_phdr_info *info, const uint8_t *memory, size_t size)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD)
            continue;
        uintptr_t page = (info->dlpi_addr + part->p_vaddr) & ~(uintptr_t)(SMALLEST_PAGE - 1);
        return (part->p_flags & PF_R) && (uintptr_t)memory >= page &&
               (uintptr_t)memory + size <= page + SMALLEST_PAGE;
    }
    return false;
}

/* May hash all of its code. */
static bool identify(const struct dl_phdr_info *info, struct sil__loaded *out)
{
    size_t size = 0;
    const uint8_t *id = sil__module_build_id(info, &size);
    if (!id) {
        out->module.hashed = 1;
        out->module.id_size = SIL__MODULE_ID_SIZE;
        return sil__module_hash(info, out->module.id);
    }
    out->module.id_size = (uint32_t)size;
    memcpy(out->module.id, id, size);
    out->build_id = in_first_page(info, id, size) ? id : NULL;
    return true;
}

static void describe(const struct dl_phdr_info *info, bool program, struct sil__loaded *out)
{
    out->base = info->dlpi_addr;
    out->program = program;
    out->generation = generation_of(info);
    for (int i = 0; i < info->dlpi_phnum && out->code_count < SIL__CODE_SPANS; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part->p_vaddr;
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X))
            out->code[out->code_count++] = (struct sil__span){start, start + part->p_memsz};
    }
    const char *name = program || !info->dlpi_name ? "" : info->dlpi_name;
    size_t size = strlen(name) + 1;
    if (size <= sizeof out->module.path)
        memcpy(out->module.path, name, size);
}

static int look_at_address(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct search *search = arg;
    search->seen++;
    if (!has_code_at(info, search->address))
        return 0;
    if (is_kernels(info))
        return 1;
    search->found = true;
    describe(info, is_program(search), search->out);
    search->identified = identify(info, search->out);
    return 1;
}

static int look_for_identity(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct search *search = arg;
    search->seen++;
    const struct sil__module *wanted = search->identity;
    size_t id_size = 0;
    bool hashed = !sil__module_build_id(info, &id_size);
    if (is_kernels(info) || hashed != (wanted->hashed != 0))
        return 0; /* nothing is hashed in vain */
    *search->out = (struct sil__loaded){0};
    struct sil__module *module = &search->out->module;
    if (!identify(info, search->out) || module->id_size != wanted->id_size ||
        memcmp(module->id, wanted->id, module->id_size) != 0)
        return 0;
    search->found = true;
    describe(info, is_program(search), search->out);
    return 1;
}

int sil__loaded_at(uintptr_t address, struct sil__loaded *out)
{
    *out = (struct sil__loaded){0};
    struct search search = {.address = address, .out = out};
    (void)dl_iterate_phdr(look_at_address, &search);
    if (!search.found)
        return sil__fail(SIL_EINVAL,
                         "%#lx is no function of the program or of a library it has loaded",
                         (unsigned long)address);
    char *path = out->module.path;
    if (!search.identified)
        return sil__fail(SIL_ENOTSUP,
                         "%s: has no build-id, and its code cannot be read to tell it from others",
                         out->program ? "the program" : path);
    /* Relative to where we were when it was loaded; a path that did not fit does not fit now. */
    if (!out->program && path[0] != '/' &&
        !sil__mapped_path(address, path, sizeof out->module.path))
        return sil__fail(SIL_ENOTSUP,
                         "the library with the function at %#lx has no path, or one "
                         "of more than %zu bytes: other processes cannot load it",
                         (unsigned long)address, sizeof out->module.path - 1);
    return 0;
}

bool sil__loaded_as(const struct sil__module *identity, struct sil__loaded *out)
{
    struct search search = {.identity = identity, .out = out};
    (void)dl_iterate_phdr(look_for_identity, &search);
    return search.found;
}

static int look_at_first(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    uint64_t *generation = arg;
    *generation = generation_of(info);
    return 1;
}

uint64_t sil__loaded_generation(void)
{
    uint64_t generation = 0;
    (void)dl_iterate_phdr(look_at_first, &generation);
    return generation;
}

static int look_at_program(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct search *search = arg;
    search->found = has_code_at(info, search->address);
    return 1;
}

bool sil__loaded_in_program(uintptr_t address)
{
    struct search search = {.address = address};
    (void)dl_iterate_phdr(look_at_program, &search);
    return search.found;
}

/* A line of /proc/self/maps: "from-to flags offset device inode   /path". */
static const char *path_of_line(char *line, uintptr_t address)
{
    char *end;
    uintptr_t from = strtoul(line, &end, 16);
    uintptr_t to = *end == '-' ? strtoul(end + 1, &end, 16) : 0;
    if (address < from || address >= to)
        return NULL;
    line[strcspn(line, "\n")] = 0;
    return strchr(end, '/');
}

bool sil__mapped_path(uintptr_t address, char *out, size_t size)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps)
        return false;
    char *line = NULL;
    size_t capacity = 0;
    const char *path = NULL;
    while (!path && getline(&line, &capacity, maps) > 0)
        path = path_of_line(line, address);
    bool fits = path && strlen(path) < size;
    if (fits)
        memcpy(out, path, strlen(path) + 1);
    free(line);
    (void)fclose(maps);
    return fits;
}
