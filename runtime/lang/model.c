/* See model.h. Names come from four places: `param` lines, --input, `artifact` lines, and foreach. */
#include "runtime/lang/constant.h"
#include "runtime/lang/macro.h"
#include "runtime/lang/model.h"
#include "runtime/lang/model_reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

struct builder {
    struct model *m;
    const struct model_source *from;
    struct arena *a;
    struct err *e;
    unsigned cap_names;
};

/* ---- small things ---- */

static enum err_code blame(struct builder *b, const struct flowcell *cell, const struct flowcell *other,
                           enum err_code code, int line)
{
    b->m->blame[0] = cell;
    b->m->blame[1] = other;
    if (b->e) {
        (void)snprintf(b->e->cell, sizeof b->e->cell, "%s", cell->label); /* cut at the limit on purpose */
        b->e->line = line ? line : b->e->line;
    }
    return code;
}

const struct decl *model_outside(const struct index *ix, const char *name, size_t len)
{
    const struct decl *d = index_find(ix, name, len);
    bool hidden = d && d->source->cell_id && strchr(d->source->cell_id, ' ');
    return hidden ? NULL : d;
}

bool model_user_declared(const struct index *ix, const char *name, size_t len)
{
    const struct decl *d = model_outside(ix, name, len);
    const struct decl *macro = index_find_macro(ix, name, len);
    return (d && !d->source->header) || (macro && !macro->source->header);
}

static bool user_declared(void *ix, const char *name, size_t len)
{
    return model_user_declared(ix, name, len);
}

static bool is_call(void *ix, const char *name, size_t len)
{
    const struct decl *macro = index_find_macro(ix, name, len);
    struct macro parsed;
    return macro && macro_parse(macro->source, &parsed) && parsed.takes_arguments;
}

void model_scan_options(struct index *ix, const char *word, struct scan_options *out)
{
    *out = (struct scan_options){
        .is_typedef = index_is_typedef, .is_call = is_call, .is_taken = user_declared, .ctx = ix, .word = word
    };
}

static struct model_name *add_name(struct builder *b, struct model_name name)
{
    struct model *m = b->m;
    if (m->nnames == b->cap_names) {
        unsigned cap = b->cap_names ? b->cap_names * 2 : 16;
        struct model_name *room = arena_alloc(b->a, cap * sizeof *room);
        if (!room) {
            (void)err_memory(b->e);
            return NULL;
        }
        if (m->nnames) {
            memcpy(room, m->names, m->nnames * sizeof *room);
        }
        m->names = room;
        b->cap_names = cap;
    }
    m->names[m->nnames] = name;
    return &m->names[m->nnames++];
}

static int name_find(const struct model *m, const char *name)
{
    for (unsigned i = 0; i < m->nnames; i++) {
        if (m->names[i].role != NAME_LOOP && strcmp(m->names[i].name, name) == 0) {
            return (int)i;
        }
    }
    return NONE;
}

/* ---- what a name may be called ---- */

static bool is_reserved(const char *name)
{
    static const char *const words[] = {
        "artifact", "param", "inputs", "memcpy", "memset", "strlen", "calloc", "free"
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], name) == 0) {
            return true;
        }
    }
    return strstr(name, "__") || strncmp(name, "weir_", 5) == 0;
}

static enum err_code check_name(struct builder *b, const char *name)
{
    struct index *ix = b->m->ix;
    size_t len = strlen(name);
    const struct decl *d = index_find(ix, name, len), *macro = index_find_macro(ix, name, len);
    struct macro parsed;
    char where[160] = "";
    const struct decl *known = macro ? macro : d;
    if (known && known->source->header) {
        (void)snprintf(where, sizeof where, " of %s", known->source->header); /* cut at the limit on purpose */
    } else if (known) {
        (void)snprintf(where, sizeof where, " of cell [%d]", known->source->number);
    }
    if (is_reserved(name)) {
        return err_set(b->e, ERR_NAME, "'%s' is reserved; choose another name", name);
    }
    if (macro && macro_parse(macro->source, &parsed) && !parsed.takes_arguments) {
        return err_set(b->e, ERR_NAME, "'%s' is a macro%s; choose another name", name, where);
    }
    if (d && (d->kind == DECL_TYPEDEF || d->kind == DECL_ENUMERATOR)) {
        return err_set(b->e, ERR_NAME, "'%s' is %s%s; choose another name", name,
                       d->kind == DECL_TYPEDEF ? "a type" : "an enumerator", where);
    }
    return ERR_NONE;
}

/* Two live cells that give a type's name, or one of its members' types, different meanings. */
static enum err_code check_clash(struct builder *b, const struct ctype *type, const char *artifact, unsigned depth)
{
    char name[256];
    const char *spelling = type->spelling;
    struct clash clash;
    bool tagged = type->kind == CTYPE_STRUCT || type->kind == CTYPE_UNION || type->kind == CTYPE_ENUM;
    if (depth > 20) {
        return ERR_NONE;
    }
    if (type->of) {
        return check_clash(b, type->of, artifact, depth + 1);
    }
    if ((tagged || type->kind == CTYPE_NAMED) && spelling) {
        (void)snprintf(name, sizeof name, "%s%s",
                       type->kind == CTYPE_STRUCT  ? "struct "
                       : type->kind == CTYPE_UNION ? "union "
                       : type->kind == CTYPE_ENUM  ? "enum "
                                                   : "",
                       spelling); /* cut at the limit on purpose */
        if (index_clash(b->m->ix, name, strlen(name), &clash)) {
            return err_set(
                b->e, ERR_TYPE,
                "'%s', the type of artifact '%s', is defined differently in cell [%d] and in cell [%d]; keep one of "
                "them, or give them different names",
                name, artifact, clash.first, clash.second);
        }
    }
    const struct decl *d = type->kind == CTYPE_NAMED ? index_find(b->m->ix, spelling, strlen(spelling)) : NULL;
    const struct ctype *inner = d && d->kind == DECL_TYPEDEF ? d->type
                                : tagged && !type->has_body  ? index_resolve(b->m->ix, type)
                                                             : type;
    if (inner && inner != type) {
        return check_clash(b, inner, artifact, depth + 1);
    }
    for (size_t i = 0; type->kind == CTYPE_STRUCT && i < type->nmembers; i++) {
        enum err_code code =
            type->members[i].type ? check_clash(b, type->members[i].type, artifact, depth + 1) : ERR_NONE;
        if (code) {
            return code;
        }
    }
    return ERR_NONE;
}

static enum err_code item_shape(struct builder *b, const struct scan_item *item, struct shape *out)
{
    enum err_code code = check_name(b, item->name);
    code = code ? code : check_clash(b, item->type, item->name, 0);
    return code ? code : shape_of(b->m->ix, item->type, item->name, b->a, out, b->e);
}

/* ---- parameters ---- */

static enum err_code add_parameter(struct builder *b, const struct scan_item *item)
{
    struct model_name name = { .name = item->name,
                               .role = NAME_PARAMETER,
                               .cell = b->m->head,
                               .label = b->m->head->label,
                               .line = item->line,
                               .item = item,
                               .split = NONE,
                               .over = NONE };
    enum err_code code = item_shape(b, item, &name.shape);
    if (code) {
        return code;
    }
    int twin = name_find(b->m, item->name);
    if (twin != NONE) {
        return err_set(b->e, ERR_NAME, "parameter '%s' is declared twice: here and in line %d", item->name,
                       b->m->names[twin].line);
    }
    const struct shape *s = &name.shape;
    if (s->form != WEIR_TEXT && (!shape_is_scalar(s) || s->form == WEIR_SHAPED || s->ndim > 1)) {
        return err_set(b->e, ERR_TYPE,
                       "parameter '%s' is a %s; parameters are numbers, enumerations, strings (`char *`) and "
                       "one-dimensional arrays of numbers",
                       item->name, s->spelling);
    }
    return add_name(b, name) ? ERR_NONE : ERR_MEMORY;
}

static enum err_code check_param_lines(struct builder *b, const struct tokens *t)
{
    const struct scan *s = &b->m->head_scan;
    uint32_t at = 0;
    for (size_t i = 0; i < s->nitems; i++) {
        if (s->items[i].word > at) {
            break;
        }
        at = s->items[i].stop + 1;
    }
    while (at < t->count && token_is(t, at, ";")) {
        at++;
    }
    if (at < t->count) {
        return err_at(b->e, ERR_SYNTAX, NULL, (int)t->at[at].line,
                      "a %%%%flow cell holds `param` lines only; this belongs into a "
                      "plain cell, or into a step");
    }
    return ERR_NONE;
}

static enum err_code add_parameters(struct builder *b)
{
    struct model *m = b->m;
    if (!m->head) {
        return ERR_NONE;
    }
    struct scan_options o;
    model_scan_options(m->ix, "param", &o);
    const struct tokens *t = &m->head->tokens;
    enum err_code code = scan_body(t, 0, (uint32_t)t->count, &o, b->a, &m->head_scan, b->e);
    code = code ? code : check_param_lines(b, t);
    for (size_t i = 0; i < m->head_scan.nitems && !code; i++) {
        const struct scan_item *item = &m->head_scan.items[i];
        code = add_parameter(b, item);
        if (code) {
            return blame(b, m->head, NULL, code, item->line);
        }
    }
    return code ? blame(b, m->head, NULL, code, 0) : ERR_NONE;
}

/* ---- inputs ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum err_code add_input(struct builder *b, const char *input)
{
    size_t len = strlen(input);
    const struct decl *d = index_find(b->m->ix, input, len);
    if (name_find(b->m, input) != NONE) {
        return err_set(b->e, ERR_USAGE, "--input %s: '%s' is a parameter of the flow; give it as --%s VALUE", input,
                       input, input);
    }
    if (!d || d->kind != DECL_VARIABLE || d->source->header || !d->type) {
        return err_set(b->e, ERR_USAGE, "--input %s: no plain cell defines a variable '%s'", input, input);
    }
    char *label = arena_alloc(b->a, 32);
    if (!label) {
        return err_memory(b->e);
    }
    cell_label(d->source->number, label, 32);
    struct model_name name = {
        .name = input, .role = NAME_INPUT, .label = label, .line = d->source->line, .split = NONE, .over = NONE
    };
    enum err_code code = shape_of(b->m->ix, d->type, input, b->a, &name.shape, b->e);
    if (code) {
        (void)err_context(b->e, "--input %s", input); /* keeps the code */
        return code;
    }
    return add_name(b, name) ? ERR_NONE : ERR_MEMORY;
}

static enum err_code add_inputs(struct builder *b)
{
    size_t n = 0;
    while (b->from->inputs && b->from->inputs[n]) {
        n++;
    }
    const char **sorted = arena_alloc(b->a, (n + 1) * sizeof *sorted);
    if (!sorted) {
        return err_memory(b->e);
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] = b->from->inputs[i];
    }
    qsort(sorted, n, sizeof *sorted, compare_names);
    enum err_code code = ERR_NONE;
    for (size_t i = 0; i < n && !code; i++) {
        code = i && strcmp(sorted[i], sorted[i - 1]) == 0 ? ERR_NONE : add_input(b, sorted[i]);
    }
    return code;
}

/* ---- artifacts ---- */

static bool same_type(const struct shape *a, const struct shape *b)
{
    if (strcmp(a->identity, b->identity) == 0) {
        return true;
    }
    size_t base = strcspn(a->identity, "[");
    return (a->opaque || b->opaque) && a->form == b->form && a->ndim == b->ndim && base == strcspn(b->identity, "[") &&
           strncmp(a->identity, b->identity, base) == 0; /* sizes: the compiler decides */
}

static const char *role_text(enum name_role role)
{
    return role == NAME_PARAMETER ? "parameter" : role == NAME_INPUT ? "the variable given as input" : "artifact";
}

static enum err_code type_conflict(struct builder *b, const struct model_name *first, const struct flowcell *cell,
                                   const char *step, const struct scan_item *item, const struct shape *s)
{
    enum err_code code = err_set(
        b->e, ERR_TYPE, "'%s' is %s in step '%s', but %s '%s' is %s in %s line %d; one name has one type in a flow",
        item->name, s->spelling, step, role_text(first->role), item->name, first->shape.spelling, first->label,
        first->line);
    return blame(b, cell, first->cell, code, item->line);
}

/* Declare the items of one step. */
static enum err_code add_artifacts(struct builder *b, unsigned step)
{
    struct model *m = b->m;
    struct model_step *s = &m->steps[step];
    for (size_t i = 0; i < s->scan.nitems; i++) {
        const struct scan_item *item = &s->scan.items[i];
        struct model_name name = { .name = item->name, .role = NAME_ARTIFACT, .cell = s->cell, .label = s->cell->label,
                                   .line = item->line, .item = item, .split = NONE, .over = NONE };
        for (size_t k = 0; k < i; k++) {
            if (strcmp(s->scan.items[k].name, item->name) == 0) {
                return blame(b, s->cell, NULL,
                             err_set(b->e, ERR_NAME, "artifact '%s' is declared twice in this step, first in line %d",
                                     item->name, s->scan.items[k].line),
                             item->line);
            }
        }
        if (!item->type) {
            continue;
        }
        enum err_code code = item_shape(b, item, &name.shape);
        if (code) {
            return blame(b, s->cell, NULL, code, item->line);
        }
        int known = name_find(m, item->name);
        if (known != NONE && !same_type(&m->names[known].shape, &name.shape)) {
            return type_conflict(b, &m->names[known], s->cell, s->cell->line.step, item, &name.shape);
        }
        if (known == NONE && !add_name(b, name)) {
            return ERR_MEMORY;
        }
    }
    return ERR_NONE;
}

/* ---- foreach ---- */

static enum err_code loop_shape(struct builder *b, unsigned step, struct model_name *loop)
{
    const struct stepline *line = &b->m->steps[step].cell->line;
    int over = line->over[0] >= '0' && line->over[0] <= '9' ? NONE : name_find(b->m, line->over);
    loop->over = over;
    if (over == NONE) {
        long long value = 0;
        enum constant_kind kind = constant_eval(b->m->ix, line->over, NULL, NULL, &value);
        if (kind == CONSTANT_NOT) {
            b->m->missing = line->over;
            return err_set(b->e, ERR_PENDING, "step '%s' needs '%s' for its foreach; no step or parameter makes it",
                           line->step, line->over);
        }
        if (kind == CONSTANT_VALUE && value < 0) {
            return err_set(b->e, ERR_TYPE, "foreach %s in %s: the count is %lld", line->variable, line->over, value);
        }
        struct ctype *type = arena_alloc(b->a, sizeof *type);
        if (!type) {
            return err_memory(b->e);
        }
        *type = (struct ctype){ .kind = CTYPE_INTEGER, .spelling = "int" };
        loop->counts = true;
        return shape_of(b->m->ix, type, line->variable, b->a, &loop->shape, b->e);
    }
    const struct model_name *array = &b->m->names[over];
    enum ctype_kind kind = array->shape.resolved->kind;
    loop->shape = array->shape;
    loop->counts = !array->shape.ndim;
    if (array->shape.form == WEIR_TEXT || (loop->counts && kind != CTYPE_INTEGER && kind != CTYPE_CHAR)) {
        return err_set(b->e, ERR_TYPE, "foreach %s in %s: '%s' is %s; foreach goes over an array or an integer count",
                       line->variable, line->over, line->over, array->shape.spelling);
    }
    return ERR_NONE;
}

static enum err_code add_loop(struct builder *b, unsigned step)
{
    struct model *m = b->m;
    const struct flowcell *cell = m->steps[step].cell;
    if (!cell->line.variable) {
        return ERR_NONE;
    }
    struct model_name loop = { .name = cell->line.variable,
                               .role = NAME_LOOP,
                               .cell = cell,
                               .label = cell->label,
                               .line = 1,
                               .split = (int)step,
                               .over = NONE };
    enum err_code code = check_name(b, loop.name);
    code = code ? code : loop_shape(b, step, &loop);
    if (code) {
        return blame(b, cell, NULL, code, 1);
    }
    int twin = name_find(m, loop.name);
    if (twin != NONE) {
        code = err_set(b->e, ERR_NAME,
                       "the foreach variable '%s' has the name of %s '%s' (%s line %d); choose another name", loop.name,
                       role_text(m->names[twin].role), loop.name, m->names[twin].label, m->names[twin].line);
        return blame(b, cell, m->names[twin].cell, code, 1);
    }
    return add_name(b, loop) ? ERR_NONE : ERR_MEMORY;
}

static int compare_model_names(const void *a, const void *b)
{
    return strcmp(((const struct model_name *)a)->name, ((const struct model_name *)b)->name);
}

/* All names in their order: within one step those it declares first, by name, its foreach variable last. */
static enum err_code add_names(struct builder *b)
{
    struct model *m = b->m;
    enum err_code code = add_parameters(b);
    code = code ? code : add_inputs(b);
    for (unsigned i = 0; i < m->graph.nsteps && !code; i++) {
        unsigned first = m->nnames;
        code = add_artifacts(b, m->order[i]);
        if (!code && m->nnames > first) {
            qsort(m->names + first, m->nnames - first, sizeof *m->names, compare_model_names);
        }
    }
    for (unsigned i = 0; i < m->graph.nsteps && !code; i++) {
        code = add_loop(b, m->order[i]);
    }
    return code;
}

/* ---- which step declares what ---- */

static enum err_code set_declares(struct builder *b)
{
    struct model *m = b->m;
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        struct model_step *s = &m->steps[i];
        s->in = arena_alloc(b->a, m->nnames + 1);
        s->declares = arena_alloc(b->a, (m->nnames + 1) * sizeof *s->declares);
        s->item_name = arena_alloc(b->a, (s->scan.nitems + 1) * sizeof *s->item_name);
        if (!s->in || !s->declares || !s->item_name) {
            return err_memory(b->e);
        }
        for (size_t k = 0; k < s->scan.nitems; k++) {
            s->item_name[k] = name_find(m, s->scan.items[k].name);
            if (s->item_name[k] != NONE) {
                s->declares[s->item_name[k]] = true;
            }
        }
    }
    return ERR_NONE;
}

/* ---- steps and graph ---- */

static int compare_cells(const void *a, const void *b)
{
    return strcmp((*(const struct flowcell *const *)a)->line.step, (*(const struct flowcell *const *)b)->line.step);
}

static enum err_code add_steps(struct builder *b)
{
    struct model *m = b->m;
    size_t n = b->from->ncells;
    const struct flowcell **sorted = arena_alloc(b->a, (n + 1) * sizeof *sorted);
    m->steps = arena_alloc(b->a, (n + 1) * sizeof *m->steps);
    m->graph.steps = arena_alloc(b->a, (n + 1) * sizeof *m->graph.steps);
    m->order = arena_alloc(b->a, (n + 1) * sizeof *m->order);
    if (!sorted || !m->steps || !m->graph.steps || !m->order) {
        return err_memory(b->e);
    }
    if (n) {
        memcpy(sorted, b->from->cells, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, compare_cells);
    }
    m->graph.flow = m->flow;
    m->graph.nsteps = (unsigned)n;
    struct scan_options o;
    model_scan_options(m->ix, "artifact", &o);
    for (size_t i = 0; i < n; i++) {
        const struct stepline *line = &sorted[i]->line;
        m->steps[i].cell = sorted[i];
        m->graph.steps[i] = (struct graph_step){ .name = line->step,
                                                 .next = line->next,
                                                 .nnext = line->nnext,
                                                 .split = NONE,
                                                 .foreach = line->variable,
                                                 .join = line->join,
                                                 .cell = sorted[i]->label,
                                                 .line = 1,
                                                 .scope = NONE };
        const struct tokens *t = &sorted[i]->tokens;
        enum err_code code = scan_body(t, 0, (uint32_t)t->count, &o, b->a, &m->steps[i].scan, b->e);
        if (code) {
            return blame(b, sorted[i], NULL, code, 0);
        }
    }
    return ERR_NONE;
}

static enum err_code place(struct builder *b)
{
    struct model *m = b->m;
    enum err_code code = graph_check_known(&m->graph, b->e);
    if (code) {
        for (unsigned i = 0; b->e && i < m->graph.nsteps; i++) {
            m->blame[0] = strcmp(m->steps[i].cell->label, b->e->cell) == 0 ? m->steps[i].cell : m->blame[0];
        }
        return code;
    }
    m->graph_code = graph_check(&m->graph, &m->graph_err);
    m->placed = m->graph_code == ERR_NONE;
    graph_order(&m->graph, m->order);
    return ERR_NONE;
}

enum err_code model_build(const struct model_source *from, struct arena *a, struct model *out, struct err *e)
{
    *out = (struct model){ .arena = a, .ix = from->ix, .flow = from->flow, .head = from->head };
    struct builder b = { .m = out, .from = from, .a = a, .e = e };
    enum err_code code = add_steps(&b);
    code = code ? code : place(&b);
    code = code ? code : add_names(&b);
    code = code ? code : set_declares(&b);
    if (!code) {
        model_reach(out);
    }
    return code;
}
