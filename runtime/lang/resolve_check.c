/* What may be read and written where (see resolve.h): names that reach the step, read-only inputs that are assigned,
 * uses before the `artifact` line, sizeof of what has no size in its type. */
#include "runtime/lang/assign.h"
#include "runtime/lang/model_reach.h"
#include "runtime/lang/resolve_internal.h"

#include <string.h>

enum { NONE = -1 };

static const struct scan_item *item_of(const struct resolver *r, unsigned name)
{
    const struct model_step *s = &r->m->steps[r->step];
    for (size_t i = 0; i < s->scan.nitems; i++) {
        if (s->item_name[i] == (int)name) {
            return &s->scan.items[i];
        }
    }
    return NULL;
}

enum err_code resolver_unknown(struct resolver *r, uint32_t token)
{
    const char *text = resolver_text(r, token);
    size_t len = r->t->at[token].len;
    struct buf near;
    buf_init(&near, 0);
    if (r->cell->line.kind == STEPLINE_STEP) {
        model_nearest(r->m, r->step, text, len, &near);
    }
    r->m->missing = arena_strndup(r->a, text, len);
    enum err_code code;
    if (token_is(r->t, token + 1, "(")) {
        code = resolver_fail(r, ERR_PENDING, token,
                             "'%.*s' is called here, but no cell defines it and no included header declares it",
                             (int)len, text);
    } else if (r->cell->line.kind == STEPLINE_FLOW) {
        code = resolver_fail(r, ERR_PENDING, token, "the default needs '%.*s', which no cell defines", (int)len, text);
    } else {
        code = resolver_fail(r, ERR_PENDING, token, "step '%s' needs '%.*s', which no earlier step makes%s",
                             r->cell->line.step, (int)len, text, near.data);
    }
    buf_done(&near);
    return code;
}

/* The steps that declare name, as "'a' (cell [3] line 2)". */
static void list_makers(const struct resolver *r, unsigned name, int inside, struct buf *out)
{
    const struct model *m = r->m;
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        unsigned step = m->order[i];
        if (!m->steps[step].declares[name] || (inside != NONE && !model_inside(m, step, inside))) {
            continue;
        }
        const struct scan *scan = &m->steps[step].scan;
        for (size_t k = 0; k < scan->nitems; k++) {
            bool makes = scan->items[k].type || inside != NONE;
            if (makes && m->steps[step].item_name[k] == (int)name) {
                buf_printf(out, "%s'%s' (%s line %d)", out->len ? ", " : "", m->graph.steps[step].name,
                           m->steps[step].cell->label, scan->items[k].line);
            }
        }
    }
}

/* How the join may take name from one of its inputs; which: text up to a quote. */
static void advise(const struct model_name *n, const char *which, struct buf *out)
{
    bool copies = n->shape.form == WEIR_TEXT || (n->shape.form == WEIR_FIXED && !n->shape.ndim);
    buf_str(out, "`artifact ");
    ctype_print(out, n->shape.type, n->name);
    buf_printf(out, copies ? " = inputs.%.*s.%s;`" : ";`, filled from inputs.%.*s.%s", (int)strcspn(which, "'"), which,
               n->name);
}

/* name was made in the branches of a split, and the join did not say which version goes on. */
static enum err_code versions_error(struct resolver *r, uint32_t token, unsigned name)
{
    const struct model *m = r->m;
    int join = model_open_join(m, r->step, name);
    if (join == NONE) {
        return resolver_unknown(r, token);
    }
    const struct graph_step *j = &m->graph.steps[join];
    const struct model_name *n = &m->names[name];
    bool fans = m->graph.steps[j->split].foreach != NULL;
    struct buf makers, advice;
    buf_init(&makers, 0);
    buf_init(&advice, 0);
    list_makers(r, name, j->split, &makers);
    advise(n, fans ? "at[0]" : makers.data + 1, &advice);
    enum err_code code = resolver_fail(
        r, ERR_NAME, token,
        "'%s' is made %s the split '%s', by %s%s, and does not pass the join '%s' by itself; %s in '%s': %s", n->name,
        fans ? "inside" : "on a branch of", m->graph.steps[j->split].name, makers.data,
        fans ? ", once in each task" : "", j->name, join == (int)r->step ? "read it from the inputs" : "choose one",
        j->name, advice.data);
    buf_done(&makers);
    buf_done(&advice);
    return code;
}

enum err_code resolver_reaches(struct resolver *r, uint32_t token, unsigned name)
{
    const struct model_step *s = &r->m->steps[r->step];
    if (s->in[name] == REACH_HERE || s->declares[name]) {
        return ERR_NONE;
    }
    if (s->in[name] == REACH_BRANCHES) {
        return versions_error(r, token, name);
    }
    struct buf makers, near;
    buf_init(&makers, 0);
    buf_init(&near, 0);
    list_makers(r, name, NONE, &makers);
    model_nearest(r->m, r->step, r->m->names[name].name, strlen(r->m->names[name].name), &near);
    enum err_code code =
        resolver_fail(r, ERR_NAME, token,
                      "step '%s' needs '%s', which no earlier step makes (%s does, but does not come "
                      "before '%s')%s",
                      r->cell->line.step, r->m->names[name].name, makers.data, r->cell->line.step, near.data);
    buf_done(&makers);
    buf_done(&near);
    return code;
}

/* ---- writing ---- */

static enum err_code readonly_error(struct resolver *r, const struct ref *ref)
{
    if (ref->kind == REF_MEMBER) {
        return resolver_fail(r, ERR_TYPE, ref->token,
                             "the artifacts of `inputs` are read-only; copy it into an artifact or a variable "
                             "of this step first");
    }
    const struct model_name *n = &r->m->names[ref->name];
    if (n->role == NAME_LOOP) {
        return resolver_fail(r, ERR_TYPE, ref->token, "'%s' is the foreach variable of '%s' and can't be changed",
                             n->name, r->m->graph.steps[n->split].name);
    }
    return resolver_fail(r, ERR_TYPE, ref->token, "'%s' comes in read-only here; declare `artifact %s;` to change it",
                         n->name, n->name);
}

static bool writes(const struct resolver *r, const struct ref *ref)
{
    if (ref->kind == REF_RESIZE || ref->kind == REF_PUSH) {
        return true;
    }
    return (ref->kind == REF_NAME || ref->kind == REF_MEMBER) &&
           assign_is_target(r->t, r->scan->match, ref->token, ref->end);
}

/* A use of a name that this very step declares. */
static enum err_code check_own(struct resolver *r, const struct ref *ref)
{
    const struct scan_item *item = item_of(r, (unsigned)ref->name);
    const char *name = r->m->names[ref->name].name;
    if (!item || ref->token > item->word) {
        return ERR_NONE;
    }
    if (writes(r, ref)) {
        return resolver_fail(r, ERR_TYPE, ref->token,
                             "'%s' is changed before its `artifact` line (line %d); move that line up", name,
                             item->line);
    }
    if (r->m->steps[r->step].in[ref->name] != REACH_HERE) {
        return resolver_fail(r, ERR_NAME, ref->token,
                             "'%s' is used before its `artifact` line (line %d), and nothing of that name comes "
                             "in",
                             name, item->line);
    }
    return ERR_NONE;
}

/* Whether the expression at [first, end), with indices after it, is all that a sizeof looks at; *indices: how many. */
static bool is_sizeof_operand(const struct resolver *r, uint32_t first, uint32_t end, unsigned *indices)
{
    for (*indices = 0; token_is(r->t, end, "["); ++*indices) {
        end = r->scan->match[end] + 1;
    }
    while (first && token_is(r->t, first - 1, "(") && r->scan->match[first - 1] == end) {
        first--;
        end++;
    }
    return first && scan_is(r->t, first - 1, "sizeof");
}

/* sizeof x of what is a pointer here would be silently wrong. */
static enum err_code check_sizeof(struct resolver *r, const struct ref *ref)
{
    bool is_all = ref->kind == REF_MEMBER && r->out->members[ref->member].place == MEMBER_ALL;
    int name = ref->kind == REF_NAME     ? ref->name
               : ref->kind == REF_MEMBER ? (int)r->out->members[ref->member].name
                                         : NONE;
    unsigned indices = 0;
    if (name == NONE || is_all || r->m->names[name].role == NAME_LOOP ||
        !is_sizeof_operand(r, ref->token, ref->end, &indices)) {
        return ERR_NONE;
    }
    const struct shape *s = &r->m->names[name].shape;
    if ((s->form != WEIR_DYNAMIC || indices) && (s->form != WEIR_SHAPED || indices >= s->ndim)) {
        return ERR_NONE;
    }
    return resolver_fail(r, ERR_TYPE, ref->token,
                         "the size of '%s' is known at run time only, which sizeof does not see; use %s",
                         r->m->names[name].name,
                         s->form == WEIR_DYNAMIC ? "len(x) * sizeof x[0]" : "dim(x, 0) and the sizeof of one element");
}

enum err_code resolver_check_refs(struct resolver *r)
{
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < r->out->nrefs && !code; i++) {
        const struct ref *ref = &r->out->refs[i];
        bool own = ref->name != NONE && r->m->steps[r->step].declares[ref->name];
        if (own) {
            code = check_own(r, ref);
        } else if (writes(r, ref)) {
            code = readonly_error(r, ref);
        }
        code = code ? code : check_sizeof(r, ref);
    }
    return code;
}

/* ---- artifact lines ---- */

/* Some other step, the parameters or the inputs make it. */
static bool made_elsewhere(const struct resolver *r, unsigned name)
{
    const struct model *m = r->m;
    if (m->names[name].role != NAME_ARTIFACT) {
        return true;
    }
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        if (i != r->step && m->steps[i].declares[name]) {
            return true;
        }
    }
    return false;
}

static enum err_code incoming_error(struct resolver *r, const struct scan_item *item, int name)
{
    if (name != NONE && r->m->steps[r->step].in[name] == REACH_BRANCHES) {
        return versions_error(r, item->name_token, (unsigned)name);
    }
    struct buf more;
    buf_init(&more, 0);
    if (name == NONE) {
        model_nearest(r->m, r->step, item->name, strlen(item->name), &more);
        r->m->missing = item->name;
    } else {
        list_makers(r, (unsigned)name, NONE, &more);
    }
    enum err_code code = resolver_fail(
        r, name == NONE ? ERR_PENDING : ERR_NAME, item->name_token,
        "`artifact %s;` changes the '%s' that comes in, but no earlier step makes one%s%s; to make it here, "
        "write its type: `artifact double %s;`",
        item->name, item->name, name == NONE ? "" : ", only ", more.data, item->name);
    buf_done(&more);
    return code;
}

static enum err_code check_initialiser(struct resolver *r, const struct scan_item *item, const struct shape *s)
{
    if (item->init_end <= item->init_first || !s->ndim) {
        return ERR_NONE;
    }
    if (s->form == WEIR_SHAPED) {
        return resolver_fail(r, ERR_TYPE, item->name_token,
                             "'%s' has sizes known at run time only, so that it can't have an initialiser; "
                             "it begins as zeros",
                             item->name);
    }
    bool text = item->init_end == item->init_first + 1 && r->t->at[item->init_first].kind == TOKEN_STRING;
    if (!token_is(r->t, item->init_first, "{") && !text) {
        return resolver_fail(r, ERR_TYPE, item->init_first,
                             "an array is initialised by values in braces; to copy one, use memcpy after "
                             "the `artifact` line");
    }
    return ERR_NONE;
}

/* An artifact's incoming value is needed unless its line replaces it before anything looks at it. */
static bool needs_incoming(const struct resolver *r, const struct scan_item *item, unsigned name, const struct shape *s)
{
    bool replaces = item->init_end > item->init_first || (item->type && s->form == WEIR_SHAPED);
    for (size_t i = 0; i < r->out->nrefs && replaces; i++) {
        const struct ref *ref = &r->out->refs[i];
        replaces = ref->name != (int)name || ref->token >= item->end || ref->token == item->name_token;
    }
    return !replaces;
}

static bool comes_in(const struct resolver *r, int name)
{
    const struct model_step *s = &r->m->steps[r->step];
    return name != NONE && s->in[name] == REACH_HERE && (r->m->placed || made_elsewhere(r, (unsigned)name));
}

enum err_code resolver_check_incoming(struct resolver *r)
{
    const struct model_step *s = &r->m->steps[r->step];
    for (size_t i = 0; i < s->scan.nitems; i++) {
        const struct scan_item *item = &s->scan.items[i];
        if (!item->type && !comes_in(r, s->item_name[i])) {
            return incoming_error(r, item, s->item_name[i]);
        }
    }
    return ERR_NONE;
}

enum err_code resolver_check_items(struct resolver *r)
{
    const struct model_step *s = &r->m->steps[r->step];
    for (size_t i = 0; i < s->scan.nitems; i++) {
        const struct scan_item *item = &s->scan.items[i];
        int name = s->item_name[i];
        if (name == NONE) {
            continue;
        }
        const struct shape *shape = &r->m->names[name].shape;
        enum err_code code = item->type ? check_initialiser(r, item, shape) : ERR_NONE;
        if (code) {
            return code;
        }
        r->out->loads[name] = comes_in(r, name) && needs_incoming(r, item, (unsigned)name, shape);
    }
    return ERR_NONE;
}
