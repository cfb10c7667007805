/* See lower.h. */
#include "runtime/lang/lower_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NONE = -1 };

const char *lower_text(struct lower *l, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = n < 0 ? NULL : arena_alloc(l->a, (size_t)n + 1);
    if (text) {
        (void)vsnprintf(text, (size_t)n + 1, fmt, again); /* fits */
    }
    va_end(again);
    va_end(args);
    l->failed = l->failed || !text;
    return text ? text : "";
}

void lower_id(const struct model *m, const struct lower_prefixes *names, unsigned name, struct buf *out)
{
    const struct model_name *n = &m->names[name];
    bool alone = true;
    for (unsigned i = 0; i < m->nnames; i++) {
        alone = alone && (i == name || strcmp(m->names[i].name, n->name) != 0);
    }
    buf_printf(out, "%s%s", names->id, n->name);
    if (!alone) { /* foreach variables of several splits */
        buf_printf(out, "__%s", m->graph.steps[n->split].name);
    }
}

const char *lower_id_text(struct lower *l, unsigned name)
{
    struct buf b;
    buf_init(&b, 0);
    lower_id(l->m, l->names, name, &b);
    const char *text = lower_text(l, "%s", b.data);
    buf_done(&b);
    return text;
}

void lower_own_line(const char *file, struct buf *out)
{
    int line = 2; /* of what comes after the directive */
    for (size_t i = 0; i < out->len; i++) {
        line += out->data[i] == '\n';
    }
    buf_printf(out, "#line %d \"%s\"\n", line, file);
}

/* A backslash at a comment line's end would swallow the next line; a `$` behind it stops that. A line that ends so
 * already gets one more, so that taking one off again gives the source. */
static bool ends_in_backslash(const char *line, size_t len)
{
    while (len && line[len - 1] == '$') {
        len--;
    }
    while (len && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r')) {
        len--;
    }
    return len && line[len - 1] == '\\';
}

/* A cell's source as comment lines. */
static void lower_comment(const struct flowcell *cell, struct buf *out)
{
    const char *p = cell->text, *end = cell->text + cell->len;
    buf_printf(out, "/* ---- %s ---- */\n", cell->label);
    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((stop ? stop : end) - p);
        buf_str(out, len ? "// " : "//");
        buf_add(out, p, len);
        buf_str(out, ends_in_backslash(p, len) ? "$\n" : "\n");
        p += len + 1;
    }
}

static int body_line(const struct flowcell *cell)
{
    int line = 1;
    for (size_t i = 0; i < cell->line.body; i++) {
        line += cell->text[i] == '\n';
    }
    return line;
}

/* The body in its own block, so that `return;` may jump out of the scope of anything declared in it. */
static void lower_body(struct lower *l, const char *file)
{
    if (!l->t->count) {
        return;
    }
    size_t last = l->t->count - 1;
    size_t end = (size_t)l->t->at[last].start + l->t->at[last].len;
    buf_printf(l->out, "    {\n#line %d \"%s\"\n", body_line(l->cell), l->cell->label);
    buf_add(l->out, l->t->text + l->cell->line.body, l->t->at[0].start - l->cell->line.body);
    lower_render(l, 0, (uint32_t)l->t->count, l->out);
    const char *rest = l->cell->text + end; /* a comment after the last statement */
    size_t nrest = l->cell->len - end;
    while (nrest &&
           (rest[nrest - 1] == '\n' || rest[nrest - 1] == ' ' || rest[nrest - 1] == '\t' || rest[nrest - 1] == '\r')) {
        nrest--;
    }
    buf_add(l->out, rest, nrest);
    buf_str(l->out, "\n");
    lower_own_line(file, l->out);
    buf_str(l->out, "    }\n");
}

static void call_inits(struct buf *out, const char *const *inits)
{
    for (; *inits; inits++) {
        buf_printf(out, "    %s();\n", *inits);
    }
}

enum err_code lower_step(const struct model *m, unsigned step, const struct resolved *res,
                         const struct lower_prefixes *names,
                         const char *const *inits, const char *file, struct arena *a, struct buf *out,
                         struct err *e)
{
    const struct model_step *s = &m->steps[step];
    struct lower l = { .m = m,
                       .step = step,
                       .res = res,
                       .cell = s->cell,
                       .t = &s->cell->tokens,
                       .scan = &s->scan,
                       .names = names,
                       .a = a,
                       .out = out };
    l.edits = arena_alloc(a, (l.t->count + 2) * sizeof *l.edits);
    if (!l.edits) {
        return err_memory(e);
    }
    enum err_code code = lower_edit_refs(&l, e);
    if (code) {
        return code;
    }
    lower_edit_items(&l);
    lower_comment(s->cell, out);
    buf_printf(out, "static void %s%s(struct weir_task *weir__t)\n{\n    (void)weir__t;\n", names->step,
               m->graph.steps[step].name);
    call_inits(out, inits);
    lower_prologue(&l);
    lower_body(&l, file);
    if (s->scan.nreturns) {
        buf_str(out, "weir__end:;\n");
    }
    lower_epilogue(&l);
    buf_str(out, "}\n\n");
    return l.failed ? err_memory(e) : ERR_NONE;
}

/* ---- parameters ---- */

static void lower_parameter(struct lower *l, const struct model_name *n, const char *id)
{
    const struct scan_item *item = n->item;
    const struct shape *s = &n->shape;
    if (item->init_end <= item->init_first) {
        buf_printf(l->out, "    weir_parameter(weir__t, %s, NULL, NULL);\n", id);
        return;
    }
    struct buf value;
    buf_init(&value, 0);
    for (uint32_t i = item->init_first; i < item->init_end; i++) { /* on one line, comments left out */
        const struct token *k = &l->t->at[i];
        bool apart = i > item->init_first && k->start > l->t->at[i - 1].start + l->t->at[i - 1].len;
        buf_str(&value, apart ? " " : "");
        buf_add(&value, l->t->text + k->start, k->len);
    }
    buf_printf(l->out, "    {\n#line %d \"%s\"\n", item->line, l->cell->label);
    if (s->form == WEIR_TEXT) {
        buf_printf(l->out, "        const char *const weir__v = %s;\n", value.data);
    } else {
        buf_printf(l->out, "        const %s = %s;\n", lower_declare(l, s, 0, false, "weir__v"), value.data);
    }
    lower_own_line(l->file, l->out);
    if (s->form == WEIR_TEXT) {
        buf_printf(l->out, "        weir_parameter(weir__t, %s, weir__v, (const size_t[]){ strlen(weir__v) });\n", id);
    } else if (s->form == WEIR_DYNAMIC) {
        buf_printf(
            l->out,
            "        weir_parameter(weir__t, %s, weir__v, (const size_t[]){ sizeof weir__v / sizeof weir__v[0] });\n",
            id);
    } else {
        buf_printf(l->out, "        weir_parameter(weir__t, %s, %sweir__v, NULL);\n", id, s->ndim ? "" : "&");
    }
    buf_str(l->out, "    }\n");
    buf_done(&value);
}

enum err_code lower_parameters(const struct model *m, const struct lower_prefixes *names,
                         const char *const *inits, const char *file,
                               struct arena *a, struct buf *out, struct err *e)
{
    struct lower l = { .m = m,
                       .cell = m->head,
                       .t = &m->head->tokens,
                       .scan = &m->head_scan,
                       .names = names,
                       .a = a,
                       .out = out,
                       .file = file };
    lower_comment(m->head, out);
    buf_str(out, "static void weir__parameters(struct weir_task *weir__t)\n{\n");
    call_inits(out, inits);
    for (unsigned i = 0; i < m->nnames; i++) {
        if (m->names[i].role == NAME_PARAMETER) {
            lower_parameter(&l, &m->names[i], lower_id_text(&l, i));
        }
    }
    buf_str(out, "}\n\n");
    return l.failed ? err_memory(e) : ERR_NONE;
}

/* ---- reads and writes ---- */

enum err_code lower_ids(const struct model *m, unsigned step, const struct resolved *res, struct arena *a,
                        struct lower_ids *out, struct err *e)
{
    const struct model_step *s = &m->steps[step];
    struct lower l = { .m = m, .step = step, .res = res, .cell = s->cell, .a = a };
    out->reads = arena_alloc(a, (m->nnames + 1) * sizeof *out->reads);
    out->writes = arena_alloc(a, (m->nnames + 1) * sizeof *out->writes);
    out->nreads = out->nwrites = 0;
    if (!out->reads || !out->writes) {
        return err_memory(e);
    }
    for (unsigned i = 0; i < m->nnames; i++) {
        const struct model_name *n = &m->names[i];
        bool counts = n->role == NAME_LOOP && n->counts;
        bool read = s->declares[i] ? res->loads[i] : lower_needs_value(&l, i) || res->sized[i];
        bool fans = n->role == NAME_LOOP && n->split == (int)step;
        for (size_t k = 0; k < res->nmembers; k++) {
            read = read || res->members[k].name == i;
        }
        if (read && !counts && !(fans && !res->reads[i])) {
            out->reads[out->nreads++] = i;
        }
        if (s->declares[i] || (fans && !counts)) {
            out->writes[out->nwrites++] = i;
        }
    }
    return ERR_NONE;
}
