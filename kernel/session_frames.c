/* The frames of cells' code on a stack that may be anything: user code has written where it wanted.
 *
 *   high  | ... session_run | cell: rbp, return | library, no frame pointer | cell: rbp, return | sp  low
 *
 * Code of cells keeps rbp, so its frames are a chain. Libraries' code does not: above it, and above what is damaged, the
 * next word on the stack that is an address in a cell behind a call is taken for a return address. Memory is read by a
 * system call that says when there is none. */
#include "kernel/session_guard.h"

#include <dlfcn.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    PAGE = 4096,
    WORD = sizeof(uintptr_t),
    SCAN_WORDS = 4096,    /* of stack looked through for a cell's frame above library code */
    CALL_MAX = 7,         /* bytes of a call instruction */
    LOWEST_CODE = 1 << 16 /* no code is below */
};

bool session_peek(uintptr_t at, void *to, size_t len)
{
    struct iovec ours = { .iov_base = to, .iov_len = len }, theirs = { .iov_base = (void *)at, .iov_len = len };
    return process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0) == (ssize_t)len;
}

/* ---- a stack, read a page at a time ---- */

struct stack {
    uintptr_t low, high; /* its part that is looked at */
    uintptr_t page;      /* whose words are below; 0: none */
    uintptr_t words[PAGE / WORD];
};

/* The part of the calling thread's stack above sp; of another stack (a coroutine's), whatever is there. */
static struct stack stack_above(uintptr_t sp)
{
    struct guard *g = &session_guard;
    uintptr_t high = gettid() == g->thread ? g->base : session_thread_stack().high;
    return (struct stack){ .low = (sp + WORD - 1) & ~(uintptr_t)(WORD - 1), .high = high > sp ? high : UINTPTR_MAX };
}

/* A replaced return address is read as the one that it stands for. */
static uintptr_t untrapped(uintptr_t at, uintptr_t word)
{
    for (unsigned i = 0; word == (uintptr_t)session_trap && i < session_guard.ntraps; i++) {
        if (session_guard.traps[i].slot == at) {
            return session_guard.traps[i].original;
        }
    }
    return word;
}

static bool stack_word(struct stack *s, uintptr_t at, uintptr_t *word)
{
    uintptr_t page = at & ~(uintptr_t)(PAGE - 1);
    if (at < s->low || at >= s->high || at % WORD != 0) {
        return false;
    }
    if (page != s->page) {
        s->page = 0;
        if (!session_peek(page, s->words, sizeof s->words)) {
            return false;
        }
        s->page = page;
    }
    *word = untrapped(at, s->words[(at - page) / WORD]);
    return true;
}

/* ---- code ---- */

enum place session_place(uintptr_t pc)
{
    struct dl_find_object at, libc, loader, own;
    const void *address = (const void *)pc;
    if (build_cells_has(session_guard.session->cells, address)) {
        return PLACE_CELL;
    }
    if (pc < LOWEST_CODE || _dl_find_object((void *)pc, &at) != 0) {
        return PLACE_UNKNOWN;
    }
    if ((_dl_find_object((void *)(uintptr_t)getauxval, &libc) == 0 && at.dlfo_map_start == libc.dlfo_map_start) ||
        (_dl_find_object((void *)getauxval(AT_BASE), &loader) == 0 && at.dlfo_map_start == loader.dlfo_map_start)) {
        return PLACE_LIBC;
    }
    bool ours = _dl_find_object(&session_guard, &own) == 0 && at.dlfo_map_start == own.dlfo_map_start;
    return ours ? PLACE_SESSION : PLACE_LIBRARY;
}

/* Whether the instruction before an address is a call: direct, or through a register or memory. */
static bool is_behind_call(uintptr_t address)
{
    unsigned char code[CALL_MAX];
    if (!session_peek(address - CALL_MAX, code, sizeof code)) {
        return false;
    }
    for (unsigned size = 2; size <= CALL_MAX; size++) {
        const unsigned char *at = code + CALL_MAX - size;
        if (at[0] == 0xe8 && size == 5) {
            return true;
        }
        if (at[0] == 0xff && (at[1] >> 3 & 7) == 2) { /* its length is told by its second byte */
            unsigned mode = at[1] >> 6, rm = at[1] & 7;
            unsigned far = mode == 1 ? 1 : mode == 2 || (mode == 0 && rm == 5) ? 4 : 0;
            unsigned index = mode != 3 && rm == 4 ? 1 : 0;
            if (size == 2 + index + far) {
                return true;
            }
        }
    }
    return false;
}

static bool is_return(uintptr_t word)
{
    return word > LOWEST_CODE && build_cells_has(session_guard.session->cells, (const void *)(word - 1)) &&
           is_behind_call(word);
}

struct frames_return session_frames_return(uintptr_t sp)
{
    struct stack s = stack_above(sp);
    struct frames_return r = { .slot = 0 };
    uintptr_t word = 0;
    for (uintptr_t at = s.low; at < s.low + SCAN_WORDS * WORD && stack_word(&s, at, &word); at += WORD) {
        enum place place = word > LOWEST_CODE && (word < sp || word >= s.high) ? session_place(word - 1) : PLACE_UNKNOWN;
        bool trapped = word != s.words[(at - s.page) / WORD];
        if (place == PLACE_CELL && !trapped && is_behind_call(word)) {
            r.slot = at;
            r.address = word;
            return r;
        }
        r.through_library = r.through_library || (place == PLACE_LIBRARY && is_behind_call(word));
    }
    return r;
}

/* ---- frames ---- */

static void add_frame(struct outcome *o, uintptr_t pc)
{
    if (o->nframes < TRACE_FRAMES) {
        o->frames[o->nframes++] = (const void *)pc;
    }
}

/* Where a walk up the stack stands: everything below `at` is behind it. */
struct walk {
    struct stack stack;
    uintptr_t at, bp, back; /* bp: of the frame that it is in, if in_cell; else what is left of it */
    bool in_cell;
};

/* Whether a frame pointer leads to a frame: a return address stands there. */
static bool is_frame(struct walk *w, uintptr_t bp)
{
    uintptr_t back = 0;
    return bp >= w->at && stack_word(&w->stack, bp + WORD, &back) && session_place(back - 1) != PLACE_UNKNOWN &&
           is_behind_call(back);
}

/* In a cell's function: go on to its caller. Its own part of the stack is passed over: what lies there may be old. */
static void leave_cell(struct walk *w)
{
    uintptr_t next = 0;
    w->in_cell = false;
    w->back = 0;
    if (w->bp >= w->at && stack_word(&w->stack, w->bp, &next) && stack_word(&w->stack, w->bp + WORD, &w->back)) {
        w->at = w->bp + 2 * WORD;
        w->bp = next;
        w->in_cell = is_return(w->back);
    }
}

/* In a library, or in what is left of a stack: go on to the next return address into a cell. */
static bool find_cell(struct walk *w)
{
    uintptr_t below = 0;
    for (uintptr_t i = w->at; i < w->at + SCAN_WORDS * WORD && stack_word(&w->stack, i, &w->back); i += WORD) {
        if (is_return(w->back)) {
            w->at = i + WORD;
            w->bp = is_frame(w, w->bp) ? w->bp : is_frame(w, below) ? below : 0; /* kept, or saved below */
            w->in_cell = true;
            return true;
        }
        below = w->back;
    }
    return false;
}

void session_frames_at(struct outcome *o, uintptr_t pc, uintptr_t sp, uintptr_t bp)
{
    o->nframes = 0;
    if (gettid() == session_guard.thread && !session_guard.active) {
        return; /* no cell runs */
    }
    struct walk w = { .stack = stack_above(sp), .bp = bp };
    w.at = w.stack.low;
    w.in_cell = build_cells_has(session_guard.session->cells, (const void *)pc);
    if (w.in_cell) {
        add_frame(o, pc);
    }
    while (o->nframes < TRACE_FRAMES) {
        if (w.in_cell) {
            leave_cell(&w);
        }
        if (!w.in_cell && !find_cell(&w)) {
            return;
        }
        add_frame(o, w.back - 1);
    }
}

void session_frames(struct outcome *o, const ucontext_t *context)
{
    const greg_t *r = context->uc_mcontext.gregs;
    session_frames_at(o, (uintptr_t)r[REG_RIP], (uintptr_t)r[REG_RSP], (uintptr_t)r[REG_RBP]);
}
