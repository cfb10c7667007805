/* The local `inputs` of a join (see lower.h): a struct with only the members that the step's text uses, filled before
 * the body. Numbers are there by value; structs, arrays and strings by pointers into the incoming artifacts. */
#include "runtime/lang/lower_internal.h"

enum { NONE = -1 };

static const struct model_name *name_of(const struct lower *l, unsigned name)
{
    return &l->m->names[name];
}

/* By value: numbers. By pointer: everything else. */
static bool by_value(const struct model_name *n)
{
    return n->shape.form == WEIR_FIXED && !n->shape.ndim && n->shape.resolved->kind != CTYPE_STRUCT;
}

static void declare_member(struct lower *l, const struct member *k)
{
    const struct model_name *n = name_of(l, k->name);
    const struct shape *s = &n->shape;
    unsigned from = s->form == WEIR_SHAPED ? s->ndim : s->form == WEIR_DYNAMIC ? 1 : 0;
    if (k->place == MEMBER_ALL) {
        buf_printf(l->out, " const %s;", lower_declare(l, s, 0, true, n->name));
    } else if (n->role == NAME_LOOP) {
        bool row = !n->counts && s->ndim > 1;
        buf_printf(l->out, row ? " const %s;" : " %s;",
                   row ? lower_declare(l, s, s->form == WEIR_SHAPED ? s->ndim : 2, true, n->name)
                       : lower_declare(l, s, n->counts ? 0 : 1, false, n->name));
    } else if (s->form == WEIR_TEXT) {
        buf_printf(l->out, " const char *%s;", n->name);
    } else if (by_value(n)) {
        buf_printf(l->out, " %s;", lower_declare(l, s, 0, false, n->name));
    } else {
        buf_printf(l->out, " const %s;", lower_declare(l, s, from, true, n->name));
    }
    if (s->form == WEIR_DYNAMIC && k->sized && n->role != NAME_LOOP) {
        buf_printf(l->out, " size_t %s__n;", n->name);
    }
    for (unsigned d = 0; s->form == WEIR_SHAPED && k->place != MEMBER_ALL && d < s->ndim; d++) {
        buf_printf(l->out, " size_t %s__d%u;", n->name, d);
    }
}

/* One struct of the members at a place (of one branch). */
static void declare_place(struct lower *l, enum member_place place, unsigned branch, const char *name)
{
    bool any = false;
    for (size_t i = 0; i < l->res->nmembers; i++) {
        const struct member *k = &l->res->members[i];
        if (k->place != place || (place == MEMBER_BRANCH && k->branch != branch)) {
            continue;
        }
        buf_str(l->out, any ? "" : "        struct {");
        declare_member(l, k);
        any = true;
    }
    if (any) {
        buf_printf(l->out, " } %s%s;\n", place == MEMBER_AT ? "*" : "", name);
    }
}

bool lower_has_place(const struct lower *l, enum member_place place, int branch)
{
    for (size_t i = 0; i < l->res->nmembers; i++) {
        const struct member *k = &l->res->members[i];
        if (k->place == place && (branch == NONE || k->branch == (unsigned)branch)) {
            return true;
        }
    }
    return false;
}

/* Fill one member: `to` is its struct, `task` the number of the incoming task. */
static void fill_member(struct lower *l, const struct member *k, const char *to, const char *task, const char *indent)
{
    const struct model_name *n = name_of(l, k->name);
    const struct shape *s = &n->shape;
    const char *id = lower_id_text(l, k->name);
    bool dims = (s->form == WEIR_DYNAMIC && k->sized) || s->form == WEIR_SHAPED;
    unsigned from = s->form == WEIR_SHAPED ? s->ndim : s->form == WEIR_DYNAMIC ? 1 : 0;
    if (n->role == NAME_LOOP && n->counts) {
        buf_printf(l->out, "%s%s.%s = (%s)%s;\n", indent, to, n->name, lower_declare(l, s, 0, false, ""), task);
        return;
    }
    if (n->role == NAME_LOOP) {
        from = s->form == WEIR_SHAPED ? s->ndim : 1;
        dims = s->form == WEIR_SHAPED;
    }
    const char *cast = s->form == WEIR_TEXT ? "" : lower_text(l, "(const %s)", lower_declare(l, s, from, true, ""));
    const char *input = lower_text(l, "%sweir_input(weir__t, %s, %s, %s)", cast, task, id, dims ? "weir__d" : "NULL");
    if (n->role == NAME_LOOP && s->form != WEIR_SHAPED) {
        input = lower_text(l, "(%s)[%s]", input, task);
    } else if (n->role == NAME_LOOP && s->ndim == 1) {
        input = lower_text(l, "(%s)[%s]", input, task);
    } else if (by_value(n)) {
        input = lower_text(l, "*%s", input);
    }
    buf_printf(l->out, "%s%s.%s = %s;\n", indent, to, n->name, input);
    for (unsigned d = 0; s->form == WEIR_SHAPED && d < s->ndim; d++) {
        buf_printf(l->out, "%s%s.%s__d%u = weir__d[%u];\n", indent, to, n->name, d, d);
    }
    if (s->form == WEIR_DYNAMIC && k->sized && n->role != NAME_LOOP) {
        buf_printf(l->out, "%s%s.%s__n = weir__d[0];\n", indent, to, n->name);
    }
    if (n->role == NAME_LOOP && s->form == WEIR_SHAPED && s->ndim > 1) {
        buf_printf(l->out, "%s%s.%s += %s", indent, to, n->name, task);
        for (unsigned d = 1; d < s->ndim; d++) {
            buf_printf(l->out, " * weir__d[%u]", d);
        }
        buf_str(l->out, ";\n");
    }
}

void lower_declare_inputs(struct lower *l)
{
    const struct graph *g = &l->m->graph;
    buf_str(l->out, "    struct {\n        size_t count;\n");
    declare_place(l, MEMBER_AT, 0, "at");
    declare_place(l, MEMBER_ALL, 0, "all");
    for (unsigned s = 0; s < g->nsteps; s++) {
        declare_place(l, MEMBER_BRANCH, s, g->steps[s].name);
    }
    buf_str(l->out, "    } inputs = { .count = weir_inputs(weir__t) };\n");
}

void lower_fill_inputs(struct lower *l)
{
    const struct graph *g = &l->m->graph;
    int split = g->steps[l->step].split;
    if (lower_has_place(l, MEMBER_AT, NONE)) {
        buf_str(l->out,
                "    inputs.at = calloc(inputs.count + 1, sizeof *inputs.at);\n    if (!inputs.at) {\n"
                "        weir_fail(__FILE__, __LINE__, \"out of memory for %zu inputs\", inputs.count);\n    }\n"
                "    for (size_t weir__i = 0; weir__i < inputs.count; weir__i++) {\n");
        for (size_t i = 0; i < l->res->nmembers; i++) {
            if (l->res->members[i].place == MEMBER_AT) {
                fill_member(l, &l->res->members[i], "inputs.at[weir__i]", "weir__i", "        ");
            }
        }
        buf_str(l->out, "    }\n");
    }
    for (size_t i = 0; i < l->res->nmembers; i++) {
        const struct member *k = &l->res->members[i];
        const struct model_name *n = name_of(l, k->name);
        if (k->place == MEMBER_ALL) {
            buf_printf(l->out, "    inputs.all.%s = (const %s)weir_input_all(weir__t, %s);\n", n->name,
                       lower_declare(l, &n->shape, 0, true, ""), lower_id_text(l, k->name));
        } else if (k->place == MEMBER_BRANCH) {
            int branch = split == NONE ? 0 : graph_branch(g, k->branch, (unsigned)split);
            fill_member(l, k, lower_text(l, "inputs.%s", g->steps[k->branch].name),
                        lower_text(l, "%d", branch < 0 ? 0 : branch), "    ");
        }
    }
}
