/* See gates.h. x86-64. */
#include "runtime/build/gates.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GATE = 16, SLOT = 8, NOPS = 16, PATCH = 13 };

char *gate_new(struct gates *g, const void *target)
{
    static const unsigned char code[SLOT] = { 0xff, 0x25, 0x02, 0x00, 0x00, 0x00, 0x66, 0x90 };
    if (g->size - g->used < GATE) {
        return NULL;
    }
    char *gate = g->base + g->used;
    g->used += GATE;
    memcpy(gate, code, sizeof code);
    gate_lead(gate, target);
    return gate;
}

static const void **slot_of(const char *gate)
{
    uintptr_t at = (uintptr_t)gate + SLOT;
    const void **slot;
    memcpy(&slot, &at, sizeof slot);
    return slot;
}

void gate_lead(char *gate, const void *target)
{
    __atomic_store_n(slot_of(gate), target, __ATOMIC_RELEASE);
}

const char *gate_follow(const struct gates *g, const char *at)
{
    bool gate = at >= g->base && at < g->base + g->used && (at - g->base) % GATE == 0;
    return gate ? *slot_of(at) : at;
}

enum err_code gate_patch(void *function, const char *gate, void **body, struct err *e)
{
    static const unsigned char landing[4] = { 0xf3, 0x0f, 0x1e, 0xfa }; /* endbr64 */
    unsigned char *at = function;
    at += memcmp(at, landing, sizeof landing) == 0 ? sizeof landing : 0;
    *body = function;
    for (size_t i = 0; i < NOPS; i++) {
        if (at[i] != 0x90) {
            return ERR_NONE; /* another name of one that is patched, or a function without */
        }
    }
    unsigned char jump[PATCH] = { 0x49, 0xbb }; /* movabs $slot, %r11; jmp *(%r11): no call preserves r11 */
    const void **slot = slot_of(gate);
    memcpy(jump + 2, &slot, sizeof slot);
    jump[10] = 0x41;
    jump[11] = 0xff;
    jump[12] = 0x23;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)at & ~(page - 1);
    size_t size = (uintptr_t)at + PATCH - first;
    if (mprotect((void *)first, size, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
        return err_errno(e, "can't make a function of the cell replaceable");
    }
    memcpy(at, jump, sizeof jump);
    (void)mprotect((void *)first, size, PROT_READ | PROT_EXEC); /* as it was; it may stay writable */
    *body = at + NOPS;
    return ERR_NONE;
}
