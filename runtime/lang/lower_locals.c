/* What stands around a lowered body (see lower.h): locals filled from what comes in, and what the step makes stored.
 *
 * The address of a length or of a growing array's pointer never leaves the function: the compiler could keep neither in
 * a register otherwise. Hence the array weir__d that weir_get writes to, and copies of scalars for weir_put. */
#include "runtime/lang/lower_internal.h"

#include <string.h>

enum { NONE = -1, STACK_BYTES = 65536, STRUCT_GUESS = 64 };

static const struct model_name *name_of(const struct lower *l, unsigned name)
{
    return &l->m->names[name];
}

static bool declared(const struct lower *l, unsigned name)
{
    return l->m->steps[l->step].declares[name];
}

/* The step's foreach goes over it. */
static bool goes_over(const struct lower *l, const struct model_name *n)
{
    const struct stepline *line = &l->cell->line;
    return line->variable && n->role != NAME_LOOP && strcmp(line->over, n->name) == 0;
}

bool lower_needs_value(const struct lower *l, unsigned name)
{
    return declared(l, name) || l->res->reads[name] || goes_over(l, name_of(l, name));
}

static bool needs_size(const struct lower *l, unsigned name)
{
    return l->res->sized[name] || goes_over(l, name_of(l, name));
}

const char *lower_declare(struct lower *l, const struct shape *s, unsigned from, bool pointer, const char *name)
{
    struct buf dims, text;
    buf_init(&dims, 0);
    buf_init(&text, 0);
    for (unsigned d = from; d < s->ndim; d++) {
        buf_printf(&dims, "[%s]", s->dim[d]);
    }
    const char *declarator = pointer ? lower_text(l, dims.len ? "(*%s)%s" : "*%s%s", name, dims.data)
                                     : lower_text(l, "%s%s", name, dims.data);
    ctype_print(&text, s->element, declarator);
    size_t len = text.len;
    while (len && text.data[len - 1] == ' ') {
        len--;
    }
    const char *made = lower_text(l, "%.*s", (int)len, text.data);
    buf_done(&dims);
    buf_done(&text);
    return made;
}

/* weir_get as a pointer to const of what the array's elements (or rows, from dim `from` on) are. */
static const char *get(struct lower *l, unsigned name, unsigned from, bool sized)
{
    const struct shape *s = &name_of(l, name)->shape;
    return lower_text(l, "(const %s)weir_get(weir__t, %s, %s)", lower_declare(l, s, from, true, ""),
                      lower_id_text(l, name), sized ? "weir__d" : "NULL");
}

/* The dims that the body or a fan-out uses (all: whatever it uses). */
static void dims_from_scratch(struct lower *l, const struct model_name *n, bool all, unsigned first)
{
    for (unsigned d = first; d < n->shape.ndim; d++) {
        const char *dim = lower_text(l, "%s__d%u", n->name, d);
        if (all || lower_mentions(l, dim)) {
            buf_printf(l->out, "    const size_t %s = weir__d[%u];\n", dim, d);
        }
    }
}

/* ---- read-only ---- */

static void read_loop(struct lower *l, unsigned name)
{
    const struct model_name *n = name_of(l, name);
    const struct shape *s = &n->shape;
    const char *id = lower_id_text(l, name);
    if (n->counts) {
        buf_printf(l->out, "    const %s = (%s)weir_index(weir__t, %s);\n", lower_declare(l, s, 0, false, n->name),
                   lower_declare(l, s, 0, false, ""), id);
    } else if (s->ndim == 1) {
        buf_printf(l->out, "    const %s = (%s)[weir_index(weir__t, %s)];\n", lower_declare(l, s, 1, false, n->name),
                   get(l, name, 1, false), id);
    } else if (s->form != WEIR_SHAPED) {
        buf_printf(l->out, "    const %s = (%s)[weir_index(weir__t, %s)];\n",
                   lower_declare(l, s, 2, true, lower_text(l, "const %s", n->name)), get(l, name, 1, false), id);
    } else {
        buf_printf(l->out, "    const %s = %s;\n", lower_declare(l, s, s->ndim, true, n->name),
                   get(l, name, s->ndim, true));
        dims_from_scratch(l, n, true, 1);
        buf_printf(l->out, "    %s += weir_index(weir__t, %s)", n->name, id);
        for (unsigned d = 1; d < s->ndim; d++) {
            buf_printf(l->out, " * %s__d%u", n->name, d);
        }
        buf_str(l->out, ";\n");
    }
}

static void read_only(struct lower *l, unsigned name)
{
    const struct model_name *n = name_of(l, name);
    const struct shape *s = &n->shape;
    bool sized = needs_size(l, name), value = lower_needs_value(l, name);
    const char *constant = lower_text(l, "const %s", n->name);
    if (n->role == NAME_LOOP) {
        read_loop(l, name);
    } else if (s->form == WEIR_TEXT) {
        buf_printf(l->out, "    const char *const %s = weir_get(weir__t, %s, NULL);\n", n->name,
                   lower_id_text(l, name));
    } else if (s->form == WEIR_FIXED && s->ndim && value) {
        buf_printf(l->out, "    const %s = %s;\n", lower_declare(l, s, 0, true, constant), get(l, name, 0, false));
    } else if (s->form == WEIR_FIXED && value) {
        buf_printf(l->out, "    const %s = *%s;\n", lower_declare(l, s, 0, false, n->name), get(l, name, 0, false));
    } else if (s->form == WEIR_DYNAMIC && (value || sized)) {
        if (value) {
            buf_printf(l->out, "    const %s = %s;\n", lower_declare(l, s, 1, true, constant), get(l, name, 1, sized));
        } else {
            buf_printf(l->out, "    (void)weir_get(weir__t, %s, weir__d);\n", lower_id_text(l, name));
        }
        buf_printf(l->out, sized ? "    const size_t %s__n = weir__d[0];\n" : "", n->name);
    } else if (s->form == WEIR_SHAPED && (value || sized)) {
        if (value) {
            buf_printf(l->out, "    const %s = %s;\n", lower_declare(l, s, s->ndim, true, constant),
                       get(l, name, s->ndim, true));
        } else {
            buf_printf(l->out, "    (void)weir_get(weir__t, %s, weir__d);\n", lower_id_text(l, name));
        }
        dims_from_scratch(l, n, goes_over(l, n), 0);
    }
}

/* ---- written ---- */

/* More than a stack should hold. */
static bool is_large(const struct shape *s)
{
    long long bytes = s->resolved->kind == CTYPE_STRUCT ? STRUCT_GUESS : 8;
    for (unsigned d = 0; d < s->ndim && bytes <= STACK_BYTES; d++) {
        bytes *= s->size[d] > 0 && s->size[d] <= STACK_BYTES ? s->size[d] : s->size[d] > 0 ? STACK_BYTES : 1;
    }
    return bytes > STACK_BYTES;
}

static void write_fixed(struct lower *l, unsigned name)
{
    const struct model_name *n = name_of(l, name);
    const struct shape *s = &n->shape;
    bool loads = l->res->loads[name];
    if (!s->ndim) {
        buf_printf(l->out, "    %s = %s%s;\n", lower_declare(l, s, 0, false, n->name), loads ? "*" : "",
                   loads ? get(l, name, 0, false) : shape_is_scalar(s) ? "0" : "{ 0 }");
        return;
    }
    if (is_large(s)) { /* a task is a process of its own, so that static memory is its own, too */
        buf_printf(l->out, "    static %s;\n", lower_declare(l, s, 0, false, n->name));
    } else {
        buf_printf(l->out, "    %s%s;\n", lower_declare(l, s, 0, false, n->name), loads ? "" : " = { 0 }");
    }
    if (loads) {
        buf_printf(l->out, "    memcpy(%s, weir_get(weir__t, %s, NULL), sizeof %s);\n", n->name, lower_id_text(l, name),
                   n->name);
    }
}

static bool resizes(const struct lower *l, unsigned name)
{
    for (size_t i = 0; i < l->res->nrefs; i++) {
        if (l->res->refs[i].kind == REF_RESIZE && l->res->refs[i].name == (int)name) {
            return true;
        }
    }
    return false;
}

static void write_dynamic(struct lower *l, unsigned name)
{
    const struct model_name *n = name_of(l, name);
    const char *x = n->name, *id = lower_id_text(l, name);
    buf_printf(l->out, "    %s = NULL;\n    size_t %s__n = 0;\n", lower_declare(l, &n->shape, 1, true, x), x);
    buf_printf(l->out, resizes(l, name) ? "    size_t %s__m = 0;\n" : "", x);
    if (l->res->loads[name]) {
        buf_printf(
            l->out,
            "    {\n        const void *weir__in = weir_get(weir__t, %s, weir__d);\n        %s__n = weir__d[0];\n"
            "        %s = weir_resize(weir__t, %s, weir__in, %s__n, %s__n);\n    }\n",
            id, x, x, id, x, x);
    }
}

static const char *product(struct lower *l, const struct model_name *n)
{
    const char *text = "";
    for (unsigned d = 0; d < n->shape.ndim; d++) {
        text = lower_text(l, "%s%s%s__d%u", text, d ? " * " : "", n->name, d);
    }
    return text;
}

static void write_shaped(struct lower *l, unsigned name)
{
    const struct model_name *n = name_of(l, name);
    const char *x = n->name, *id = lower_id_text(l, name);
    buf_printf(l->out, "    %s = NULL;\n", lower_declare(l, &n->shape, n->shape.ndim, true, x));
    for (unsigned d = 0; d < n->shape.ndim; d++) {
        buf_printf(l->out, "    size_t %s__d%u = 0;\n", x, d);
    }
    if (l->res->loads[name]) {
        buf_printf(l->out, "    {\n        const void *weir__in = weir_get(weir__t, %s, weir__d);\n", id);
        for (unsigned d = 0; d < n->shape.ndim; d++) {
            buf_printf(l->out, "        %s__d%u = weir__d[%u];\n", x, d, d);
        }
        const char *all = product(l, n);
        buf_printf(l->out, "        %s = weir_resize(weir__t, %s, weir__in, %s, %s);\n    }\n", x, id, all, all);
    }
}

static void written(struct lower *l, unsigned name)
{
    switch ((enum weir_form)name_of(l, name)->shape.form) {
    case WEIR_FIXED: write_fixed(l, name); break;
    case WEIR_DYNAMIC: write_dynamic(l, name); break;
    case WEIR_SHAPED: write_shaped(l, name); break;
    case WEIR_TEXT:
        buf_printf(l->out,
                   l->res->loads[name] ? "    const char *%s = weir_get(weir__t, %s, NULL);\n"
                                       : "    const char *%s = \"\";\n",
                   name_of(l, name)->name, lower_id_text(l, name));
        break;
    }
}

/* ---- the whole ---- */

static bool needs_scratch(const struct lower *l)
{
    bool needs = false;
    for (unsigned name = 0; name < l->m->nnames; name++) {
        const struct model_name *n = name_of(l, name);
        bool has_dims = n->shape.form == WEIR_SHAPED || (n->shape.form == WEIR_DYNAMIC && n->role != NAME_LOOP);
        if (has_dims && declared(l, name)) {
            needs = needs || l->res->loads[name];
        } else if (has_dims && n->role == NAME_LOOP) {
            needs = needs || (l->res->reads[name] && n->shape.ndim > 1) || l->res->sized[name];
        } else if (has_dims) {
            needs = needs || needs_size(l, name) || (n->shape.form == WEIR_SHAPED && lower_needs_value(l, name));
        }
    }
    for (size_t i = 0; i < l->res->nmembers; i++) {
        const struct member *k = &l->res->members[i];
        int form = name_of(l, k->name)->shape.form;
        needs = needs || form == WEIR_SHAPED ||
                (form == WEIR_DYNAMIC && k->sized && name_of(l, k->name)->role != NAME_LOOP);
    }
    return needs;
}

void lower_prologue(struct lower *l)
{
    if (needs_scratch(l)) {
        buf_str(l->out, "    size_t weir__d[WEIR_MAX_DIMS];\n");
    }
    if (l->res->uses_current) {
        buf_str(l->out, "    const struct weir_current weir__current = weir_current(weir__t);\n");
    }
    if (l->res->uses_inputs) {
        lower_declare_inputs(l);
    }
    for (unsigned name = 0; name < l->m->nnames; name++) {
        if (declared(l, name)) {
            written(l, name);
        } else if (lower_needs_value(l, name) || l->res->sized[name]) {
            read_only(l, name);
        }
    }
    if (l->res->uses_inputs) {
        lower_fill_inputs(l);
    }
}

static void store(struct lower *l, unsigned name)
{
    const struct model_name *n = name_of(l, name);
    const char *x = n->name, *id = lower_id_text(l, name);
    switch ((enum weir_form)n->shape.form) {
    case WEIR_FIXED:
        if (n->shape.ndim) {
            buf_printf(l->out, "    weir_put(weir__t, %s, %s, NULL);\n", id, x);
        } else {
            buf_printf(l->out, "    {\n        const %s = %s;\n        weir_put(weir__t, %s, &weir__v, NULL);\n    }\n",
                       lower_declare(l, &n->shape, 0, false, "weir__v"), x, id);
        }
        break;
    case WEIR_DYNAMIC:
        buf_printf(l->out, "    weir_put(weir__t, %s, %s, (const size_t[]){ %s__n });\n", id, x, x);
        break;
    case WEIR_TEXT:
        buf_printf(l->out, "    weir_put(weir__t, %s, %s ? %s : \"\", (const size_t[]){ %s ? strlen(%s) : 0 });\n", id,
                   x, x, x, x);
        break;
    case WEIR_SHAPED:
        buf_printf(l->out, "    weir_put(weir__t, %s, %s, (const size_t[]){ ", id, x);
        for (unsigned d = 0; d < n->shape.ndim; d++) {
            buf_printf(l->out, "%s%s__d%u", d ? ", " : "", x, d);
        }
        buf_str(l->out, " });\n");
        break;
    }
}

/* The array gone over, kept under the foreach variable's id for the tasks to come. */
static void put_loop(struct lower *l, const struct model_name *over, const char *id)
{
    const char *x = over->name, *dims = "NULL";
    if (over->shape.form == WEIR_DYNAMIC) {
        dims = lower_text(l, "(const size_t[]){ %s__n }", x);
    } else if (over->shape.form == WEIR_SHAPED) {
        dims = "";
        for (unsigned d = 0; d < over->shape.ndim; d++) {
            dims = lower_text(l, "%s%s%s__d%u", dims, d ? ", " : "", x, d);
        }
        dims = lower_text(l, "(const size_t[]){ %s }", dims);
    }
    buf_printf(l->out, "    weir_put(weir__t, %s, %s, %s);\n", id, x, dims);
}

static void fan_out(struct lower *l)
{
    const struct stepline *line = &l->cell->line;
    const struct model_name *loop = NULL;
    unsigned id = 0;
    for (unsigned name = 0; name < l->m->nnames; name++) {
        if (name_of(l, name)->role == NAME_LOOP && name_of(l, name)->split == (int)l->step) {
            loop = name_of(l, name);
            id = name;
        }
    }
    if (!loop) {
        return;
    }
    if (loop->over == NONE) {
        buf_printf(l->out, "    weir_split(weir__t, (size_t)(%s));\n", line->over);
        return;
    }
    const struct model_name *over = name_of(l, (unsigned)loop->over);
    if (loop->counts) {
        buf_printf(l->out,
                   "    if (%s < 0) {\n        weir_fail(\"%s\", 1, \"foreach %s in %s: the count is %%lld\", (long "
                   "long)%s);\n    }\n"
                   "    weir_split(weir__t, (size_t)%s);\n",
                   over->name, l->cell->label, line->variable, over->name, over->name, over->name);
        return;
    }
    put_loop(l, over, lower_id_text(l, id));
    if (over->shape.form == WEIR_DYNAMIC) {
        buf_printf(l->out, "    weir_split(weir__t, %s__n);\n", over->name);
    } else if (over->shape.form == WEIR_SHAPED) {
        buf_printf(l->out, "    weir_split(weir__t, %s__d0);\n", over->name);
    } else {
        buf_printf(l->out, "    weir_split(weir__t, (size_t)(%s));\n", over->shape.dim[0]);
    }
}

void lower_epilogue(struct lower *l)
{
    for (unsigned name = 0; name < l->m->nnames; name++) {
        if (declared(l, name)) {
            store(l, name);
        }
    }
    fan_out(l);
    if (lower_has_place(l, MEMBER_AT, -1)) {
        buf_str(l->out, "    free(inputs.at);\n");
    }
}
