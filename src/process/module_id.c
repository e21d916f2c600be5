/* SPDX-License-Identifier: MIT */
/*
 * The identity of a loaded module, see module_id.h.
 *
 * The hash need not withstand anybody: it tells two builds apart. It is over the code as it lies in
 * memory, which is the file's (text relocations, which nobody has any more, would change it).
 */
#include "process/module_id.h"

#include <string.h>

#define BUILD_ID_MIN 8
#define LANES 4
#define PRIME UINT64_C(0x9E3779B97F4A7C15)

/* Code may begin at any address, and is not what the compiler would take for numbers. */
struct word {
    uint64_t value;
} __attribute__((packed, may_alias));

static bool is_readable(const struct dl_phdr_info *info, ElfW(Addr) start, ElfW(Xword) size)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_R) && start >= part->p_vaddr &&
            start - part->p_vaddr <= part->p_memsz &&
            size <= part->p_memsz - (start - part->p_vaddr))
            return true;
    }
    return false;
}

/* The build-id among the notes of one segment; NULL if it is not there. */
static const uint8_t *in_notes(const uint8_t *notes, size_t size, size_t align, size_t *out_size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) head;
        memcpy(&head, notes, sizeof head);
        size_t name = sizeof head;
        size_t data = name + (((size_t)head.n_namesz + align - 1) & ~(align - 1));
        size_t next = data + (((size_t)head.n_descsz + align - 1) & ~(align - 1));
        if (data > size || head.n_descsz > size - data)
            return NULL;
        if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 &&
            memcmp(notes + name, "GNU", 4) == 0) {
            *out_size = head.n_descsz;
            return notes + data;
        }
        if (next >= size)
            return NULL;
        notes += next;
        size -= next;
    }
    return NULL;
}

const uint8_t *sil__module_build_id(const struct dl_phdr_info *info, size_t *out_size)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_NOTE || !is_readable(info, part->p_vaddr, part->p_memsz))
            continue;
        const uint8_t *notes = sil__module_memory(info, part->p_vaddr);
        const uint8_t *id = in_notes(notes, part->p_memsz, part->p_align == 8 ? 8 : 4, out_size);
        if (id && *out_size >= BUILD_ID_MIN && *out_size <= SIL__MODULE_ID_SIZE)
            return id;
    }
    return NULL;
}

/* Read-only data may lie between code, and AddressSanitizer watches what is between those. */
__attribute__((no_sanitize("address"))) static void hash_memory(uint64_t lanes[LANES],
                                                                const uint8_t *memory, size_t size)
{
    size_t words = size / sizeof(struct word);
    for (size_t i = 0; i < words; i++) {
        uint64_t *lane = &lanes[i % LANES];
        uint64_t mixed = (*lane ^ ((const struct word *)memory)[i].value) * PRIME;
        *lane = mixed ^ (mixed >> 32);
    }
    for (size_t i = words * sizeof(struct word); i < size; i++)
        lanes[i % LANES] = (lanes[i % LANES] ^ memory[i]) * PRIME;
}

static void hash_end(uint64_t lanes[LANES])
{
    for (int i = 0; i < 4 * LANES; i++) {
        uint64_t next = lanes[(i + 1) % LANES];
        uint64_t mixed = (lanes[i % LANES] ^ (next << 23 | next >> 41)) * PRIME;
        lanes[i % LANES] = mixed ^ (mixed >> 29);
    }
}

bool sil__module_hash(const struct dl_phdr_info *info, uint8_t out[SIL__MODULE_ID_SIZE])
{
    uint64_t lanes[LANES] = {1, 2, 3, 4};
    bool any = false;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD)
            continue;
        lanes[0] = (lanes[0] ^ part->p_vaddr) * PRIME;
        lanes[1] = (lanes[1] ^ part->p_filesz) * PRIME;
        if ((part->p_flags & (PF_X | PF_R | PF_W)) != (PF_X | PF_R))
            continue;
        hash_memory(lanes, sil__module_memory(info, part->p_vaddr), part->p_filesz);
        any = true;
    }
    hash_end(lanes);
    _Static_assert(sizeof lanes == SIL__MODULE_ID_SIZE, "the hash fills an identity");
    memcpy(out, lanes, sizeof lanes);
    return any;
}
