/* `inputs` in a join (see resolve.h): inputs.count, inputs.at[i].x, inputs.all.x, inputs.b.x. */
#include "runtime/lang/model_reach.h"
#include "runtime/lang/resolve_internal.h"

#include <string.h>

enum { NONE = -1 };

struct place {
    enum member_place place;
    unsigned branch;
    uint32_t member;          /* token of x */
};

static bool is_name(const struct resolver *r, uint32_t i)
{
    return i < r->t->count && r->t->at[i].kind == TOKEN_IDENT;
}

static bool leads_to(const struct graph *g, unsigned from, unsigned to)
{
    for (unsigned k = 0; k < g->steps[from].nnext; k++) {
        if (strcmp(g->steps[from].next[k], g->steps[to].name) == 0) {
            return true;
        }
    }
    return false;
}

static enum err_code branch_error(struct resolver *r, uint32_t token)
{
    const struct graph *g = &r->m->graph;
    const struct graph_step *join = &g->steps[r->step];
    int len = (int)r->t->at[token].len;
    if (r->m->placed && join->split != NONE && g->steps[join->split].foreach) {
        return resolver_fail(r, ERR_NAME, token,
                             "the join '%s' closes a foreach: write inputs.at[i].x, not inputs.%.*s", join->name, len,
                             resolver_text(r, token));
    }
    struct buf names;
    buf_init(&names, 0);
    for (unsigned i = 0; i < g->nsteps; i++) {
        if (leads_to(g, i, r->step)) {
            buf_printf(&names, "%s'%s'", names.len ? ", " : "; there are ", g->steps[i].name);
        }
    }
    enum err_code code = resolver_fail(r, r->m->placed ? ERR_NAME : ERR_PENDING, token,
                                       "inputs.%.*s: no step '%.*s' leads to the join '%s'%s", len,
                                       resolver_text(r, token), len, resolver_text(r, token), join->name, names.data);
    buf_done(&names);
    return code;
}

/* After `inputs.` at token i: at[..], all, or a branch. */
static enum err_code read_place(struct resolver *r, uint32_t i, struct place *out)
{
    if (scan_is(r->t, i, "at")) {
        uint32_t close = token_is(r->t, i + 1, "[") ? r->scan->match[i + 1] : 0;
        if (!close || !token_is(r->t, close + 1, ".") || !is_name(r, close + 2)) {
            return resolver_fail(r, ERR_SYNTAX, i, "write inputs.at[i].x, with the name of an artifact");
        }
        *out = (struct place){ .place = MEMBER_AT, .member = close + 2 };
        return ERR_NONE;
    }
    if (!token_is(r->t, i + 1, ".") || !is_name(r, i + 2)) {
        return resolver_fail(r, ERR_SYNTAX, i,
                             "`inputs` has count, at[i].x, all.x and, for the branches of a split, b.x");
    }
    *out = (struct place){ .place = MEMBER_ALL, .member = i + 2 };
    if (scan_is(r->t, i, "all")) {
        return ERR_NONE;
    }
    const struct graph *g = &r->m->graph;
    for (unsigned s = 0; s < g->nsteps; s++) {
        if (scan_is(r->t, i, g->steps[s].name) && leads_to(g, s, r->step)) {
            *out = (struct place){ .place = MEMBER_BRANCH, .branch = s, .member = i + 2 };
            const struct graph_step *join = &g->steps[r->step];
            bool fans = r->m->placed && join->split != NONE && g->steps[join->split].foreach;
            return fans ? branch_error(r, i) : ERR_NONE;
        }
    }
    return branch_error(r, i);
}

/* The flow's name behind a member: artifacts, and the split's own foreach variable. */
static int member_name(const struct resolver *r, uint32_t token)
{
    const char *text = resolver_text(r, token);
    size_t len = r->t->at[token].len;
    const struct graph_step *join = &r->m->graph.steps[r->step];
    int loop = join->split != NONE ? model_find_loop(r->m, join->split, text, len) : NONE;
    for (unsigned i = 0; loop == NONE && i < r->m->nnames; i++) {
        const struct model_name *n = &r->m->names[i];
        if (n->role != NAME_LOOP && strncmp(n->name, text, len) == 0 && !n->name[len]) {
            return (int)i;
        }
    }
    return loop;
}

/* Which of the steps that enter the join make name; appended as "'a', 'b'". */
static unsigned list_makers(const struct resolver *r, unsigned name, bool making, struct buf *out)
{
    unsigned n = 0;
    for (unsigned i = 0; i < r->m->graph.nsteps; i++) {
        if (leads_to(&r->m->graph, i, r->step) && (model_after(r->m, i, name) == REACH_HERE) == making) {
            buf_printf(out, "%s'%s'", n++ ? ", " : "", r->m->graph.steps[i].name);
        }
    }
    return n;
}

static enum err_code check_member(struct resolver *r, const struct place *p, unsigned name)
{
    const struct model *m = r->m;
    const char *text = m->names[name].name;
    if (!m->placed || m->names[name].role == NAME_LOOP) {
        return ERR_NONE;
    }
    if (p->place == MEMBER_BRANCH) {
        return model_after(m, p->branch, name) == REACH_HERE
                   ? ERR_NONE
                   : resolver_fail(r, ERR_NAME, p->member, "inputs.%s.%s: the branch '%s' does not make '%s'",
                                   m->graph.steps[p->branch].name, text, m->graph.steps[p->branch].name, text);
    }
    struct buf with, without;
    buf_init(&with, 0);
    buf_init(&without, 0);
    unsigned nwith = list_makers(r, name, true, &with), nwithout = list_makers(r, name, false, &without);
    enum err_code code = ERR_NONE;
    if (!nwith) {
        code = resolver_fail(r, ERR_NAME, p->member, "no step that leads to the join '%s' makes '%s'",
                             m->graph.steps[r->step].name, text);
    } else if (nwithout) {
        code = resolver_fail(r, ERR_NAME, p->member,
                             "'%s' is not made on every branch: %s %s it, %s %s not; name the branch, as "
                             "inputs.%.*s.%s",
                             text, with.data, nwith > 1 ? "make" : "makes", without.data, nwithout > 1 ? "do" : "does",
                             (int)strcspn(with.data + 1, "'"), with.data + 1, text);
    }
    buf_done(&with);
    buf_done(&without);
    return code;
}

static enum err_code add_member(struct resolver *r, const struct place *p, unsigned name, int *out)
{
    struct resolved *o = r->out;
    for (size_t i = 0; i < o->nmembers; i++) {
        const struct member *k = &o->members[i];
        if (k->place == p->place && k->name == name && (p->place != MEMBER_BRANCH || k->branch == p->branch)) {
            *out = (int)i;
            return ERR_NONE;
        }
    }
    if (!resolver_grow(r, &o->members, o->nmembers, &r->cap_members, sizeof *o->members)) {
        return ERR_MEMORY;
    }
    *out = (int)o->nmembers;
    o->members[o->nmembers++] = (struct member){ .place = p->place, .branch = p->branch, .name = name,
                                                 .sized = r->m->names[name].shape.form == WEIR_SHAPED };
    return ERR_NONE;
}

static enum err_code unknown_member(struct resolver *r, uint32_t token)
{
    int len = (int)r->t->at[token].len;
    const char *text = resolver_text(r, token);
    if (scan_is(r->t, token, "failed")) {
        return resolver_fail(r, ERR_SYNTAX, token, "`inputs.at[i].failed` is not supported yet");
    }
    struct buf names;
    buf_init(&names, 0);
    for (unsigned i = 0; i < r->m->nnames; i++) {
        if (r->m->names[i].role == NAME_ARTIFACT) {
            buf_printf(&names, "%s'%s'", names.len ? ", " : "; there are ", r->m->names[i].name);
        }
    }
    r->m->missing = arena_strndup(r->a, text, (size_t)len);
    enum err_code code =
        resolver_fail(r, ERR_PENDING, token, "the join '%s' needs '%.*s' of its inputs, which no step makes%s",
                      r->m->graph.steps[r->step].name, len, text, names.data);
    buf_done(&names);
    return code;
}

enum err_code resolver_inputs(struct resolver *r, uint32_t i, struct ref *out)
{
    const struct graph_step *s = &r->m->graph.steps[r->step];
    if (!s->join) {
        return resolver_fail(r, ERR_SYNTAX, i, "`inputs` exists in a join only, and '%s' is none", s->name);
    }
    if (!token_is(r->t, i + 1, ".") || !is_name(r, i + 2)) {
        return resolver_fail(r, ERR_SYNTAX, i,
                             "`inputs` has count, at[i].x, all.x and, for the branches of a split, b.x");
    }
    r->out->uses_inputs = true;
    if (scan_is(r->t, i + 2, "count")) {
        out->kind = REF_COUNT;
        out->end = i + 3;
        return ERR_NONE;
    }
    struct place p = { .place = MEMBER_ALL };
    enum err_code code = read_place(r, i + 2, &p);
    if (code) {
        return code;
    }
    int name = member_name(r, p.member);
    if (name == NONE) {
        return unknown_member(r, p.member);
    }
    const struct model_name *n = &r->m->names[name];
    if (p.place == MEMBER_ALL && (n->role == NAME_LOOP || n->shape.form != WEIR_FIXED)) {
        return resolver_fail(r, ERR_TYPE, p.member,
                             "inputs.all.%s needs a type of fixed size, and '%s' is %s; use inputs.at[i].%s", n->name,
                             n->name, n->role == NAME_LOOP ? "a foreach variable" : n->shape.spelling, n->name);
    }
    code = check_member(r, &p, (unsigned)name);
    if (!code) {
        code = add_member(r, &p, (unsigned)name, &out->member);
    }
    out->kind = REF_MEMBER;
    out->end = p.member + 1;
    return code;
}
