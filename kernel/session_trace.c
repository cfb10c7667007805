/* How user code ended, in words: the error's name and value, and a traceback of lines
 *
 *   SegmentationFault: NULL pointer: no memory at address 0x0
 *   cell [7] line 3 in total
 *       sum += *p;
 *   cell [9] line 1
 *       total(NULL)
 *   The state from before the cell is back.
 */
#include "kernel/session.h"

#include "kernel/ending.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { SHOWN_FRAMES = 16, SHOWN_LINE = 200 };

void session_failure_done(struct failure *f)
{
    free(f->ename);
    free(f->evalue);
    json_decref(f->traceback);
    *f = (struct failure){ .ename = NULL };
}

/* ---- lines ---- */

/* Line `line` of a remembered cell, without its end of line. NULL: unknown. A build_line. */
const char *session_line(void *ctx, const char *label, int line, size_t *len)
{
    const struct shown_cell *c = session_shown(ctx, label);
    const char *text = c ? c->text : NULL;
    for (int i = 1; text && i < line; i++) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    *len = text ? strcspn(text, "\r\n") : 0;
    return text;
}

/* The same without the white space around it. len 0: none. */
static const char *trimmed_line(struct session *s, const char *label, int line, size_t *len)
{
    const char *text = session_line(s, label, line, len);
    while (*len > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        --*len;
    }
    while (*len > 0 && (text[*len - 1] == ' ' || text[*len - 1] == '\t')) {
        --*len;
    }
    *len = *len > SHOWN_LINE ? SHOWN_LINE : *len;
    return text;
}

/* ---- code left for a copy ----
 *
 * For each piece of C that a cell runs, since magics may run several:
 *   4 bytes: length | build_cells_describe's | 4 bytes: length | label, entry, text, each with its NUL */

static bool add_block(struct session_shared *shared, const void *bytes, size_t len)
{
    uint32_t size = (uint32_t)len;
    if (shared->code_used > WORDS_CODE - sizeof size || len > WORDS_CODE - sizeof size - shared->code_used) {
        return false;
    }
    memcpy(shared->code + shared->code_used, &size, sizeof size);
    if (bytes) {
        memcpy(shared->code + shared->code_used + sizeof size, bytes, len);
    }
    shared->code_used += (uint32_t)(sizeof size + len);
    return true;
}

void session_leave_code(struct session *s, const char *label)
{
    struct session_shared *shared = s->shared;
    const struct shown_cell *c = session_shown(s, label);
    uint32_t before = shared->code_used;
    struct buf names;
    if (before > WORDS_CODE - sizeof(uint32_t)) {
        return; /* a crash is told without lines */
    }
    size_t room = WORDS_CODE - sizeof(uint32_t) - before;
    size_t len = build_cells_describe(s->cells, shared->code + before + sizeof(uint32_t), room);
    buf_init(&names, 0);
    buf_add(&names, label, strlen(label) + 1);
    buf_str(&names, c && c->entry ? c->entry : "");
    buf_add(&names, "", 1);
    buf_str(&names, c && c->text ? c->text : "");
    buf_add(&names, "", 1);
    if (len == 0 || names.failed || !add_block(shared, NULL, len) || !add_block(shared, names.data, names.len)) {
        shared->code_used = before;
    }
    buf_done(&names);
}

/* The next block at *at; NULL: there is none that is whole. */
static const char *next_block(const struct session_shared *shared, size_t end, size_t *at, size_t *len)
{
    uint32_t size = 0;
    if (end > WORDS_CODE || *at > end || end - *at < sizeof size) {
        return NULL;
    }
    memcpy(&size, shared->code + *at, sizeof size);
    if (size > end - *at - sizeof size) {
        return NULL;
    }
    const char *block = shared->code + *at + sizeof size;
    *at += sizeof size + size;
    *len = size;
    return block;
}

void session_learn_code(struct session *s)
{
    size_t at = 0, len = 0, end = s->shared->code_used;
    for (;;) {
        const char *code = next_block(s->shared, end, &at, &len);
        if (!code || build_cells_learn(s->cells, code, len, NULL) != ERR_NONE) {
            return;
        }
        const char *names = next_block(s->shared, end, &at, &len);
        const char *label = names, *entry = NULL, *text = NULL;
        if (names && len > 0 && names[len - 1] == '\0') {
            entry = label + strlen(label) + 1 < names + len ? label + strlen(label) + 1 : NULL;
            text = entry && entry + strlen(entry) + 1 < names + len ? entry + strlen(entry) + 1 : NULL;
        }
        if (!text) {
            return;
        }
        session_remember(s, label, text, strlen(text));
        session_remember_entry(s, label, entry);
    }
}

void session_forget_code(struct session *s)
{
    build_cells_forget(s->cells);
}

/* ---- frames ---- */

static void add_line(json_t *lines, const struct buf *b)
{
    json_t *text = json_stringn(b->data, b->len);
    (void)json_array_append_new(lines, text ? text : json_string("(a line that is not UTF-8)"));
}

/* A function as the user calls it: not at all for the entry of a cell, and `main` for a program's. NULL: not shown. */
static const char *function_name(const struct shown_cell *c, const char *function)
{
    static const char cell_main[] = "weir_main_";
    if (!function[0] || strcmp(function, "??") == 0 || (c && c->entry && strcmp(c->entry, function) == 0)) {
        return NULL;
    }
    return strncmp(function, cell_main, sizeof cell_main - 1) == 0 ? "main" : function;
}

static void add_where(struct session *s, json_t *lines, const struct build_where *w)
{
    struct buf b;
    const struct shown_cell *c = session_shown(s, w->cell);
    const char *function = function_name(c, w->function);
    size_t len;
    buf_init(&b, 0);
    buf_printf(&b, "%s line %d%s%s", w->cell, w->line, function ? " in " : "", function ? function : "");
    add_line(lines, &b);
    const char *source = trimmed_line(s, w->cell, w->line, &len);
    if (len > 0) {
        buf_clear(&b);
        buf_printf(&b, "    %.*s", (int)len, source);
        add_line(lines, &b);
    }
    buf_done(&b);
}

/* A recursion comes as one address many times: it is looked up and shown once, with how often. */
static void add_frames(struct session *s, json_t *lines, const struct outcome *o)
{
    unsigned shown = 0;
    for (unsigned i = 0; i < o->nframes;) {
        struct build_where w;
        unsigned same = 1;
        while (i + same < o->nframes && o->frames[i + same] == o->frames[i]) {
            same++;
        }
        if (shown++ == SHOWN_FRAMES) {
            (void)json_array_append_new(lines, json_sprintf("... %u more calls", o->nframes - i));
            return;
        }
        if (build_cells_where(s->cells, o->frames[i], &w)) {
            add_where(s, lines, &w);
        }
        if (same > 1) {
            (void)json_array_append_new(lines, json_sprintf("... the same %s%u more times",
                                                            i + same == TRACE_FRAMES ? "at least " : "", same - 1));
        }
        i += same;
    }
}

/* ---- words ---- */

/* Signals that need no more words than these. */
static const struct ending_word {
    int signal;
    const char *name, *text;
} ending_words[] = {
    { SIGILL, "IllegalInstruction",
      "an instruction that the processor does not have, or one that the compiler puts where nothing should ever come" },
    { SIGTRAP, "Trap", "the program stopped at a breakpoint, and no debugger is there" },
    { SIGSYS, "BadSystemCall", "a system call that is not allowed here" },
    { SIGXCPU, "TimeLimit", "the limit of CPU time is reached, which setrlimit has set" },
    { SIGXFSZ, "FileTooLarge", "a file would grow over the limit that setrlimit has set" },
    { SIGABRT, "Abort", "the program called abort (a failed assert, or memory found damaged)" },
};

static const struct ending_word *word_of(int signal)
{
    size_t n = sizeof ending_words / sizeof *ending_words;
    for (size_t i = 0; i < n; i++) {
        if (ending_words[i].signal == signal) {
            return &ending_words[i];
        }
    }
    return &ending_words[n - 1];
}

static const char *name_of(const struct outcome *o)
{
    switch (o->signal) {
    case SIGSEGV:
        return o->overflow ? "StackOverflow" : "SegmentationFault";
    case SIGBUS:
        return "BusError";
    case SIGFPE:
        return "ArithmeticError";
    default:
        return word_of(o->signal)->name;
    }
}

static void describe_memory(struct buf *out, const struct outcome *o)
{
    uintptr_t at = (uintptr_t)o->address;
    if (o->overflow) {
        buf_str(out, "the stack is full: a function calls itself without end, or its local arrays are too large");
    } else if (o->code <= 0) {
        buf_str(out, "the program raised it");
    } else if (o->code == SI_KERNEL) {
        buf_str(out, "a pointer holds no possible address");
    } else if (at < 65536) {
        buf_printf(out, "NULL pointer: no memory at address 0x%" PRIxPTR, at);
    } else if (o->signal == SIGSEGV && o->code == SEGV_ACCERR) {
        buf_printf(out, "memory at address 0x%" PRIxPTR " must not be used so (read-only data, for example)", at);
    } else {
        buf_printf(out, "no memory at address 0x%" PRIxPTR, at);
    }
}

static void describe_signal(struct buf *out, const struct outcome *o)
{
    if (o->signal == SIGSEGV || o->signal == SIGBUS) {
        describe_memory(out, o);
    } else if (o->signal == SIGFPE) {
        buf_str(out, o->code == FPE_INTDIV ? "integer division by zero" : "an impossible arithmetic operation");
    } else {
        buf_str(out, word_of(o->signal)->text);
    }
}

static void finish(struct failure *out, const char *ename, const struct buf *evalue, json_t *lines)
{
    session_failure_done(out);
    out->ename = strdup(ename);
    out->evalue = strdup(evalue->len ? evalue->data : "");
    out->traceback = lines;
}

static void add_threads(const struct session *s, json_t *lines, const struct outcome *o)
{
    if (o->thread) {
        (void)json_array_append_new(lines, json_string("This was in a thread that a cell had started."));
    }
    if (o->threads > 0) {
        const char *how = session_has_checkpoint(s) ? "%undo ends them and brings back the state from before the cell"
                                                    : "restarting the kernel ends them";
        (void)json_array_append_new(lines, json_sprintf("Threads that the cell started go on: %d; %s.", o->threads, how));
    }
}

void session_explain(struct session *s, const struct outcome *o, struct failure *out)
{
    struct buf evalue;
    const char *ename = "KeyboardInterrupt";
    json_t *lines = json_array();
    buf_init(&evalue, 0);
    if (o->ending == END_SIGNAL) {
        ename = name_of(o);
        describe_signal(&evalue, o);
    } else if (o->ending == END_EXIT) {
        ename = "Exit";
        buf_printf(&evalue, "called %s(%d)", o->called, o->status);
    } else if (o->ending == END_UNDEFINED) {
        ename = "NameError";
        buf_printf(&evalue, "'%.*s' is declared but not defined yet: run the cell that defines it", (int)sizeof o->name, o->name);
    } else if (o->ending == END_INPUT) {
        ename = "InputNotAllowed";
        buf_str(&evalue, "the cell reads from stdin, and this front end gives no input (allow_stdin is false); run it in one that "
                         "does, or read from a file: freopen(\"input.txt\", \"r\", stdin)");
    } else {
        buf_str(&evalue, "interrupted");
    }
    (void)json_array_append_new(lines, json_sprintf("%s: %s", ename, evalue.data));
    add_frames(s, lines, o);
    add_threads(s, lines, o);
    finish(out, ename, &evalue, lines);
    buf_done(&evalue);
}

void session_explain_death(struct session *s, int status, bool killed, struct failure *out)
{
    struct buf evalue;
    char how[128];
    char label[64];
    json_t *lines = json_array();
    const char *ename = killed ? "KeyboardInterrupt" : WIFSIGNALED(status) ? "Killed" : "Exit";
    cell_label(s->shared->takeover.count, label, sizeof label);
    ending_describe(status, how, sizeof how);
    buf_init(&evalue, 0);
    if (killed) {
        buf_printf(&evalue, "%s did not stop, so its process was ended", label);
    } else {
        buf_printf(&evalue, "while %s ran, its process %s", label, how);
    }
    (void)json_array_append_new(lines, json_sprintf("%s: %s", ename, evalue.data));
    finish(out, ename, &evalue, lines);
    buf_done(&evalue);
}

static void add_text(struct failure *f, const char *text)
{
    for (const char *t = text; t && *t;) {
        size_t len = strcspn(t, "\n");
        json_t *line = json_stringn(t, len);
        (void)json_array_append_new(f->traceback, line ? line : json_string("(a line that is not UTF-8)"));
        t += len + (t[len] == '\n');
    }
}

void session_explain_rollback(struct failure *f, const char *losses)
{
    add_text(f, "The state from before the cell is back.");
    add_text(f, losses);
}

void session_explain_kept(struct failure *f)
{
    add_text(f, "What the cell had changed before this stays changed.");
}

void session_failure_of(const struct err *e, struct failure *out)
{
    struct buf text, first;
    json_t *lines = json_array();
    const char *name = err_name(e->code);
    buf_init(&text, 0);
    buf_init(&first, 0);
    if (e->line > 0 && e->cell[0] && strncmp(e->msg, "cell [", 6) != 0) {
        buf_printf(&text, "%s line %d: ", e->cell, e->line);
    }
    buf_str(&text, e->msg);
    buf_add(&first, text.data, strcspn(text.data, "\n"));
    for (const char *s = text.data; *s;) {
        size_t len = strcspn(s, "\n");
        json_t *line = s == text.data ? json_sprintf("%s: %.*s", name, (int)len, s) : json_stringn(s, len);
        (void)json_array_append_new(lines, line ? line : json_string("(a line that is not UTF-8)"));
        s += len + (s[len] == '\n');
    }
    finish(out, name, &first, lines);
    buf_done(&first);
    buf_done(&text);
}
