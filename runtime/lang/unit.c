/* See unit.h. */
#include "runtime/lang/unit.h"
#include "runtime/lang/describe.h"
#include "runtime/lang/late.h"
#include "runtime/lang/lower.h"
#include "runtime/lang/macro.h"
#include "runtime/lang/unit_reach.h"

#include <stdio.h>
#include <string.h>

enum { NONE = -1 };

static const char file[] = "flow.c";

struct unit {
    struct model *m;
    int only;
    struct arena *a;
    struct resolved *steps;         /* of each step in `only` */
    struct resolved parameters;
    struct lower_prefixes names;
    struct unit_reach reach;
    struct buf *out;
    struct err *e;
};

static bool has_step(const struct unit *u, unsigned step)
{
    return u->only == UNIT_ALL || u->only == (int)step;
}

static bool has_parameters(const struct unit *u)
{
    if (u->only >= 0 || !u->m->head) {
        return false;
    }
    for (unsigned i = 0; i < u->m->nnames; i++) {
        if (u->m->names[i].role == NAME_PARAMETER) {
            return true;
        }
    }
    return false;
}

static enum err_code resolve_all(struct unit *u)
{
    struct model *m = u->m;
    u->steps = arena_alloc(u->a, (m->graph.nsteps + 1) * sizeof *u->steps);
    if (!u->steps) {
        return err_memory(u->e);
    }
    enum err_code code = has_parameters(u) ? resolve_parameters(m, u->a, &u->parameters, u->e) : ERR_NONE;
    for (unsigned i = 0; i < m->graph.nsteps && !code; i++) {
        unsigned step = m->order[i];
        code = has_step(u, step) ? resolve_step(m, step, u->a, &u->steps[step], u->e) : ERR_NONE;
    }
    return code;
}

enum err_code unit_check(struct model *m, struct err *e)
{
    struct unit u = { .m = m, .only = UNIT_ALL, .a = m->arena, .e = e };
    return resolve_all(&u);
}

/* ---- prefixes that no name of the user's collides with ---- */

static bool collides(const struct index *ix, const char *prefix, const char *name)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s%s", prefix, name);
    return n > 0 && n < (int)sizeof text && model_user_declared(ix, text, (size_t)n);
}

static void choose_prefixes(struct unit *u)
{
    u->names = (struct lower_prefixes){ .id = "A_", .step = "step_" };
    for (unsigned i = 0; i < u->m->nnames; i++) {
        u->names.id = collides(u->m->ix, "A_", u->m->names[i].name) ? "weir__A_" : u->names.id;
    }
    for (unsigned i = 0; i < u->m->graph.nsteps; i++) {
        u->names.step = collides(u->m->ix, "step_", u->m->graph.steps[i].name) ? "weir__step_" : u->names.step;
    }
}

/* ---- C strings ---- */

static void quote(struct buf *out, const char *text)
{
    buf_char(out, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\' || *p == '?') {
            buf_char(out, '\\');
        }
        if (*p < 0x20 || *p == 0x7f) {
            buf_printf(out, "\\%03o", *p);
        } else {
            buf_char(out, (char)*p);
        }
    }
    buf_char(out, '"');
}

/* The comment behind a parameter's line, or its initialiser. */
static void add_help(struct unit *u, const struct model_name *n)
{
    const struct tokens *t = &u->m->head->tokens;
    const char *p = t->text + t->at[n->item->stop].start + 1;
    struct buf help;
    buf_init(&help, 0);
    p += strspn(p, " \t");
    if (p[0] == '/' && (p[1] == '/' || p[1] == '*')) {
        const char *end = p[1] == '*' ? strstr(p + 2, "*/") : NULL;
        size_t len = strcspn(p, "\n");
        len = end && (size_t)(end - p) < len ? (size_t)(end - p) : len;
        size_t skip = 2 + strspn(p + 2, " \t");
        skip = skip < len ? skip : len;
        while (len > skip && (p[len - 1] == ' ' || p[len - 1] == '\t' || p[len - 1] == '\r')) {
            len--;
        }
        buf_add(&help, p + skip, len - skip);
    }
    quote(u->out, help.data);
    buf_done(&help);
}

static void add_initial(struct unit *u, const struct model_name *n)
{
    const struct tokens *t = &u->m->head->tokens;
    const struct scan_item *item = n->item;
    struct buf text;
    buf_init(&text, 0);
    for (uint32_t i = item->init_first; i < item->init_end; i++) {
        bool apart = i > item->init_first && t->at[i].start > t->at[i - 1].start + t->at[i - 1].len;
        buf_str(&text, apart ? " " : "");
        buf_add(&text, t->text + t->at[i].start, t->at[i].len);
    }
    quote(u->out, text.data);
    buf_done(&text);
}

/* ---- head: includes and the plain cells' part ---- */

static void add_head(struct unit *u)
{
    const struct unit_reach *reach = &u->reach;
    buf_printf(
        u->out,
        "/* The flow %s as a C program, made by Weir from the cells of a notebook. Each cell's source stands as a\n"
        " * comment above what it became; lines of cells are named by #line. It builds with weir.h and libweir. */\n"
        "#ifndef _GNU_SOURCE\n#define _GNU_SOURCE\n#endif\n#include \"weir.h\"\n\n#include <stdlib.h>\n#include "
        "<string.h>\n",
        u->m->flow);
    for (size_t i = 0; i < reach->nheaders; i++) {
        const char *h = reach->headers[i];
        if (strcmp(h, "<stdlib.h>") != 0 && strcmp(h, "<string.h>") != 0 && strcmp(h, "\"weir.h\"") != 0) {
            buf_printf(u->out, "#include %s\n", h);
        }
    }
    buf_str(u->out, "\nvoid weir_flow_anchor(void);\nvoid weir_flow_anchor(void) /* addresses of the flow's code are "
                    "told from here */\n"
                    "{\n}\n\n");
}

static enum err_code add_plain(struct unit *u)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < u->reach.nsources && !code; i++) {
        struct order_item *item = &u->reach.sources[i];
        if (item->prototype) {
            buf_printf(u->out, "%s\n", item->prototype);
        } else if (item->late) {
            code = late_write(u->m->ix, item->source, file, u->a, u->out, &item->init, u->e);
        } else {
            buf_printf(u->out, "#line %d \"cell [%d]\"\n", item->source->line, item->source->number);
            buf_add(u->out, item->source->text, item->source->len);
            buf_str(u->out, "\n");
        }
    }
    if (u->reach.nsources) {
        lower_own_line(file, u->out);
        buf_str(u->out, "\n");
    }
    return code;
}

/* ---- artifacts ---- */

static void add_ids(struct unit *u)
{
    if (!u->m->nnames) {
        return;
    }
    buf_str(u->out, "enum {\n");
    for (unsigned i = 0; i < u->m->nnames; i++) {
        buf_str(u->out, "    ");
        lower_id(u->m, &u->names, i, u->out);
        buf_str(u->out, ",\n");
    }
    buf_str(u->out, "};\n\n");
}

static const char *form_text(const struct model_name *n)
{
    static const char *const forms[] = { "WEIR_FIXED", "WEIR_DYNAMIC", "WEIR_SHAPED", "WEIR_TEXT" };
    return forms[n->shape.form];
}

static void add_flags(struct unit *u, const struct model_name *n)
{
    switch (n->role) {
    case NAME_PARAMETER:
        buf_str(u->out, n->item->init_end > n->item->init_first ? "WEIR_PARAMETER" : "WEIR_PARAMETER | WEIR_REQUIRED");
        break;
    case NAME_INPUT: buf_str(u->out, "WEIR_INPUT"); break;
    case NAME_LOOP: buf_str(u->out, "WEIR_LOOP"); break;
    case NAME_ARTIFACT: buf_str(u->out, "0"); break;
    }
}

static void add_artifact(struct unit *u, unsigned i, const char *field)
{
    const struct model_name *n = &u->m->names[i];
    buf_str(u->out, "    [");
    lower_id(u->m, &u->names, i, u->out);
    buf_printf(u->out, "] = { .name = \"%s\", .ctype = ", n->name);
    quote(u->out, n->shape.spelling);
    buf_printf(u->out, ", .field = %s,\n        .form = %s, .flags = ", field, form_text(n));
    add_flags(u, n);
    buf_str(u->out, ", .help = ");
    if (n->role == NAME_PARAMETER) {
        add_help(u, n);
        buf_str(u->out, ", .initial = ");
        add_initial(u, n);
    } else {
        buf_str(u->out, "\"\", .initial = \"\"");
    }
    buf_printf(u->out, ", .cell = \"%s\", .line = %d },\n", n->label, n->line);
}

/* The type whose layout is kept under this name: of a string the pointer, else the whole array. */
static enum err_code describe_name(struct unit *u, struct describe *d, const struct model_name *n, struct buf *tables,
                                   struct buf *field)
{
    const struct shape *s = &n->shape;
    unsigned at_run_time = s->form == WEIR_DYNAMIC ? 1 : s->form == WEIR_SHAPED ? s->ndim : 0;
    return describe_field(d, s->type, n->name, at_run_time, tables, field, u->e);
}

static enum err_code add_artifacts(struct unit *u)
{
    struct describe d;
    struct buf tables, field, rows, *out = u->out;
    enum err_code code = ERR_NONE;
    buf_init(&tables, 0);
    buf_init(&field, 0);
    buf_init(&rows, 0);
    describe_init(&d, u->m->ix, u->a);
    for (unsigned i = 0; i < u->m->nnames && !code; i++) {
        buf_clear(&field);
        code = describe_name(u, &d, &u->m->names[i], &tables, &field);
        u->out = &rows;
        if (!code) {
            add_artifact(u, i, field.data);
        }
        u->out = out;
    }
    if (!code && u->m->nnames) {
        buf_printf(out, "%s%s", tables.data, tables.len ? "\n" : "");
        buf_printf(out, "static const struct weir_artifact weir__artifacts[] = {\n%s};\n\n", rows.data);
    }
    out->failed = out->failed || tables.failed || field.failed || rows.failed;
    buf_done(&tables);
    buf_done(&field);
    buf_done(&rows);
    return code;
}

/* Types that different cells spell differently: the compiler has the last word on whether they are one. */
static void add_type_checks(struct unit *u)
{
    const struct model *m = u->m;
    bool any = false;
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        unsigned step = m->order[i];
        const struct model_step *s = &m->steps[step];
        for (size_t k = 0; k < s->scan.nitems && has_step(u, step); k++) {
            const struct scan_item *item = &s->scan.items[k];
            const struct model_name *n = &m->names[s->item_name[k]];
            struct buf spelling;
            buf_init(&spelling, 0);
            if (item->type && n->shape.form != WEIR_SHAPED && n->shape.form != WEIR_TEXT && n->item != item) {
                ctype_print(&spelling, item->type, "");
            }
            size_t len = spelling.len;
            while (len && spelling.data[len - 1] == ' ') {
                len--;
            }
            if (len && (strncmp(spelling.data, n->shape.spelling, len) != 0 || n->shape.spelling[len])) {
                buf_printf(u->out, "#line %d \"%s\"\n", item->line, s->cell->label);
                buf_printf(u->out,
                           "_Static_assert(__builtin_types_compatible_p(%s, %.*s), \"%s has one type in a flow: see %s "
                           "line %d\");\n",
                           n->shape.spelling, (int)len, spelling.data, n->name, n->label, n->line);
                any = true;
            }
            buf_done(&spelling);
        }
    }
    if (any) {
        lower_own_line(file, u->out);
        buf_str(u->out, "\n");
    }
}

/* ---- steps ---- */

static void add_shaped_helper(struct unit *u)
{
    bool any = false;
    for (unsigned i = 0; i < u->m->graph.nsteps; i++) {
        const struct model_step *s = &u->m->steps[i];
        for (size_t k = 0; k < s->scan.nitems && has_step(u, i); k++) {
            any = any || (s->scan.items[k].type && u->m->names[s->item_name[k]].shape.form == WEIR_SHAPED);
        }
    }
    if (any) {
        buf_str(u->out, "/* Elements of an array with these sizes; the task fails if no memory could hold them. */\n"
                        "static size_t weir__elements(const char *where, int line, const size_t *dim, unsigned n)\n"
                        "{\n"
                        "    size_t all = 1;\n"
                        "    for (unsigned i = 0; i < n; i++) {\n"
                        "        if (dim[i] && all > ((size_t)-1) / dim[i]) {\n"
                        "            weir_fail(where, line, \"an array of %zu x %zu elements is larger than memory\", "
                        "all, dim[i]);\n"
                        "        }\n"
                        "        all *= dim[i];\n"
                        "    }\n"
                        "    return all;\n"
                        "}\n\n");
    }
}

static void add_id_list(struct unit *u, const char *field, const char *count, const unsigned *ids, unsigned n)
{
    if (!n) {
        return;
    }
    buf_printf(u->out, "        .%s = (const unsigned[]){ ", field);
    for (unsigned i = 0; i < n; i++) {
        buf_str(u->out, i ? ", " : "");
        lower_id(u->m, &u->names, ids[i], u->out);
    }
    buf_printf(u->out, " }, .%s = %u,\n", count, n);
}

/* A step's number in weir_flow: its place in graph order. */
static unsigned place_of(const struct model *m, unsigned step)
{
    unsigned i = 0;
    while (m->order[i] != step) {
        i++;
    }
    return i;
}

static enum err_code add_step_row(struct unit *u, unsigned step)
{
    const struct model *m = u->m;
    const struct graph_step *g = &m->graph.steps[step];
    struct lower_ids ids;
    enum err_code code = lower_ids(m, step, &u->steps[step], u->a, &ids, u->e);
    if (code) {
        return code;
    }
    buf_printf(u->out, "    { .name = \"%s\", .run = %s%s, .join = %d, .cell = \"%s\", .line = %d,\n", g->name,
               u->names.step, g->name, g->join, g->cell, g->line);
    if (g->nnext && u->only == UNIT_ALL) {
        buf_str(u->out, "        .next = (const unsigned[]){ ");
        for (unsigned k = 0; k < g->nnext; k++) {
            int to = graph_find(&m->graph, g->next[k]);
            buf_printf(u->out, "%s%u", k ? ", " : "", to == NONE ? 0 : place_of(m, (unsigned)to));
        }
        buf_printf(u->out, " }, .nnext = %u,\n", g->nnext);
    }
    int loop = NONE;
    for (unsigned i = 0; i < m->nnames; i++) {
        loop = m->names[i].role == NAME_LOOP && m->names[i].split == (int)step ? (int)i : loop;
    }
    add_id_list(u, "reads", "nreads", ids.reads, ids.nreads);
    add_id_list(u, "writes", "nwrites", ids.writes, ids.nwrites);
    buf_str(u->out, "        .foreach = ");
    if (loop == NONE) {
        buf_str(u->out, "-1");
    } else {
        lower_id(m, &u->names, (unsigned)loop, u->out);
    }
    buf_str(u->out, " },\n");
    return ERR_NONE;
}

static enum err_code add_steps(struct unit *u)
{
    const struct model *m = u->m;
    enum err_code code = ERR_NONE;
    unsigned n = 0;
    add_shaped_helper(u);
    if (has_parameters(u)) {
        const char *const *inits = NULL;
        code = unit_reach_inits(&u->reach, &u->parameters, &inits, u->e);
        code = code ? code : lower_parameters(m, &u->names, inits, file, u->a, u->out, u->e);
    }
    for (unsigned i = 0; i < m->graph.nsteps && !code; i++) {
        unsigned step = m->order[i];
        const char *const *inits = NULL;
        if (has_step(u, step)) {
            code = unit_reach_inits(&u->reach, &u->steps[step], &inits, u->e);
            code = code ? code : lower_step(m, step, &u->steps[step], &u->names, inits, file, u->a, u->out, u->e);
            n++;
        }
    }
    if (n && !code) {
        buf_str(u->out, "static const struct weir_step weir__steps[] = {\n");
        for (unsigned i = 0; i < m->graph.nsteps && !code; i++) {
            code = has_step(u, m->order[i]) ? add_step_row(u, m->order[i]) : ERR_NONE;
        }
        buf_str(u->out, "};\n\n");
    }
    return code;
}

static void add_flow(struct unit *u)
{
    const struct model *m = u->m;
    unsigned nsteps = u->only == UNIT_ALL ? m->graph.nsteps : u->only >= 0;
    unsigned first =
        u->only == UNIT_ALL && nsteps && m->graph.first != NONE ? place_of(m, (unsigned)m->graph.first) : 0;
    buf_printf(u->out,
               "const struct weir_flow weir_flow = {\n    .abi = WEIR_ABI, .name = \"%s\",\n    .artifacts = %s, "
               ".nartifacts = %u,\n"
               "    .steps = %s, .nsteps = %u, .first = %u,\n    .parameters = %s,\n};\n",
               m->flow, m->nnames ? "weir__artifacts" : "NULL", m->nnames, nsteps ? "weir__steps" : "NULL", nsteps,
               first, has_parameters(u) ? "weir__parameters" : "NULL");
}

/* ---- the whole ---- */

static enum err_code gather(struct unit *u)
{
    struct model *m = u->m;
    struct unit_reach *reach = &u->reach;
    enum err_code code = unit_reach_init(reach, m, u->a, u->e);
    for (unsigned i = 0; i < m->graph.nsteps && !code; i++) {
        code = has_step(u, i) ? unit_reach_step(reach, i, &u->steps[i], u->e) : ERR_NONE;
    }
    if (!code && has_parameters(u)) {
        code = unit_reach_outside(reach, &u->parameters, u->e);
    }
    return code ? code : unit_reach_close(reach, u->e);
}

enum err_code unit_write(struct model *m, int only, struct buf *out, struct err *e)
{
    struct unit u = { .m = m, .only = only, .a = m->arena, .out = out, .e = e };
    enum err_code code = resolve_all(&u);
    code = code ? code : gather(&u);
    if (!code) {
        choose_prefixes(&u);
        add_head(&u);
        code = add_plain(&u);
    }
    if (!code) {
        add_ids(&u);
        code = add_artifacts(&u);
    }
    if (!code) {
        add_type_checks(&u);
        code = add_steps(&u);
    }
    if (!code) {
        add_flow(&u);
    }
    unit_reach_done(&u.reach);
    return code ? code : buf_check(out, file, e);
}
