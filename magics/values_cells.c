/* The hidden cells that make values of what runs left. See values.h.
 *
 *   result winner;
 *   { extern const void *weir_value(...); ... memcpy(&winner, weir_value(weir_values, "Grid", "best", 0, "winner",
 *     sizeof winner, 0), sizeof winner); } */
#include "magics/values_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#define PREFIX "values: "

void values_label(const char *name, char out[VALUES_LABEL])
{
    (void)snprintf(out, VALUES_LABEL, PREFIX "%s", name); /* names are at most 100 bytes */
}

bool values_is_label(const char *cell_id)
{
    return cell_id && strncmp(cell_id, PREFIX, strlen(PREFIX)) == 0;
}

/* ---- types ---- */

static void add_tokens(struct buf *out, const char *text, size_t len, enum err_code *code, struct err *e)
{
    struct tokens t;
    *code = *code ? *code : lex(text, len, &t, e);
    if (*code) {
        return;
    }
    for (size_t i = 0; i < t.count; i++) {
        buf_add(out, text + t.at[i].start, t.at[i].len);
        buf_char(out, '\n');
    }
    tokens_done(&t);
}

enum err_code values_print(struct index *ix, const char *ctype, char out[SHA256_HEX], struct err *e)
{
    struct tokens t;
    struct arena a;
    struct buf all;
    struct closure reached = { 0 };
    unsigned char digest[SHA256_BYTES];
    enum err_code code = lex(ctype, strlen(ctype), &t, e);
    if (code) {
        return code;
    }
    arena_init(&a);
    buf_init(&all, 0);
    code = index_closure(ix, &t, NULL, &a, &reached, e);
    add_tokens(&all, ctype, strlen(ctype), &code, e);
    for (size_t i = 0; i < reached.nsources && !code; i++) {
        add_tokens(&all, reached.sources[i]->text, reached.sources[i]->len, &code, e);
    }
    for (size_t i = 0; i < reached.nmacros && !code; i++) {
        add_tokens(&all, reached.macros[i]->text, reached.macros[i]->len, &code, e);
    }
    struct iovec part = { .iov_base = all.data, .iov_len = all.len };
    code = code ? code : buf_check(&all, "a type's text", e);
    code = code ? code : sha256_parts(&part, 1, digest, e);
    if (!code) {
        sha256_hex(digest, out);
    }
    tokens_done(&t);
    buf_done(&all);
    arena_done(&a);
    return code;
}

/* Where the first [ of a type's text stands outside of braces (its end: none). */
static size_t first_dim(const char *ctype)
{
    int depth = 0;
    size_t i = 0;
    for (; ctype[i]; i++) {
        depth += ctype[i] == '{' || ctype[i] == '(';
        depth -= ctype[i] == '}' || ctype[i] == ')';
        if (ctype[i] == '[' && depth == 0) {
            break;
        }
    }
    return i;
}

/* The declarations of a value under a name; as members of a struct too. */
static void write_declaration(struct buf *out, const struct flows_value *value, const char *indent)
{
    size_t at = first_dim(value->ctype);
    const char *rest = value->ctype + at;
    int base = (int)at;
    const char *name = value->name;
    switch ((enum weir_form)value->form) {
    case WEIR_FIXED:
        buf_printf(out, "%s%.*s %s%s;\n", indent, base, value->ctype, name, rest);
        break;
    case WEIR_DYNAMIC: {
        const char *row = strchr(rest, ']'); /* behind the [] that is known at run time only */
        row = row ? row + 1 : "";
        buf_printf(out, *row ? "%sconst %.*s (*%s)%s;\n" : "%sconst %.*s *%s%s;\n", indent, base, value->ctype, name, row);
        buf_printf(out, "%ssize_t %s__n;\n", indent, name);
        break;
    }
    case WEIR_SHAPED:
        buf_printf(out, "%sconst %.*s *%s;\n", indent, base, value->ctype, name);
        buf_printf(out, "%ssize_t %s__d[%u];\n", indent, name, value->ndim);
        break;
    case WEIR_TEXT:
        buf_printf(out, "%sconst char *%s;\n", indent, name);
        break;
    }
}

/* The statement that fills it. place: "" or "Grid.train.at[weir_i]."; index: "0" or "weir_i". */
static void write_filling(struct buf *out, const struct flows_value *value, const char *flow, const char *step,
                          const char *place, const char *index)
{
    char call[512];
    const char *name = value->name;
    (void)snprintf(call, sizeof call, "weir_p = weir_value(weir_values, \"%s\", \"%s\", %s, \"%s\"", flow, step, index, name);
    switch ((enum weir_form)value->form) {
    case WEIR_FIXED:
        buf_printf(out, "  %s, sizeof %s%s, 0);\n", call, place, name);
        buf_printf(out, "  if (weir_p) { memcpy(&%s%s, weir_p, sizeof %s%s); }\n", place, name, place, name);
        break;
    case WEIR_DYNAMIC:
        buf_printf(out, "  %s, sizeof *%s%s, weir_d);\n", call, place, name);
        buf_printf(out, "  if (weir_p) { %s%s = weir_p; %s%s__n = weir_d[0]; }\n", place, name, place, name);
        break;
    case WEIR_SHAPED:
        buf_printf(out, "  %s, sizeof *%s%s, weir_d);\n", call, place, name);
        buf_printf(out, "  if (weir_p) { %s%s = weir_p; memcpy(%s%s__d, weir_d, sizeof %s%s__d); }\n", place, name, place, name,
                   place, name);
        break;
    case WEIR_TEXT:
        buf_printf(out, "  %s, 0, weir_d);\n", call);
        buf_printf(out, "  if (weir_p) { %s%s = weir_p; }\n", place, name);
        break;
    }
}

static void begin_filling(struct buf *out)
{
    buf_printf(out, "{\n"
                    "  extern const void *weir_value(void *, const char *, const char *, size_t, const char *, size_t, size_t *);\n"
                    "  extern char weir_values[];\n"
                    "  const void *weir_p;\n"
                    "  size_t weir_d[%d];\n",
               WEIR_MAX_DIMS);
}

/* ---- cells ---- */

enum err_code values_text_name(const struct left_run *run, size_t i, struct buf *out, struct err *e)
{
    const struct flows_value *value = &run->values[i];
    write_declaration(out, value, "");
    begin_filling(out);
    write_filling(out, value, run->flow, value->step, "", "0");
    buf_str(out, "}\n");
    return buf_check(out, "a value's cell", e);
}

/* Values of one step are those with its name, each name once (a final one may be listed twice). */
static bool is_first(const struct left_run *run, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(run->values[k].step, run->values[i].step) == 0 && strcmp(run->values[k].name, run->values[i].name) == 0) {
            return false;
        }
    }
    return true;
}

static bool begins_step(const struct left_run *run, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(run->values[k].step, run->values[i].step) == 0) {
            return false;
        }
    }
    return run->values[i].step[0] != '_'; /* parameters have no step */
}

/* Call write for each value of the step that value i begins. */
static void each_of_step(const struct left_run *run, size_t i, struct buf *out, const char *flow, const char *place,
                         const char *index)
{
    for (size_t k = i; k < run->nvalues; k++) {
        const struct flows_value *value = &run->values[k];
        if (strcmp(value->step, run->values[i].step) != 0 || !is_first(run, k)) {
            continue;
        }
        if (place) {
            write_filling(out, value, flow, value->step, place, index);
        } else {
            write_declaration(out, value, index);
        }
    }
}

static enum err_code fill_fan(struct left_run *run, size_t i, struct buf *out, struct err *e)
{
    const struct flows_value *value = &run->values[i];
    struct column *c = NULL;
    char place[300];
    enum err_code code = values_column(run, value->step, value->name, &c, e);
    if (code) {
        return code;
    }
    buf_printf(out, "  %s.%s.count = %zu;\n", run->flow, value->step, c->count);
    buf_printf(out, "  %s.%s.at = calloc(%zu, sizeof *%s.%s.at);\n", run->flow, value->step, c->count + 1, run->flow, value->step);
    buf_printf(out, "  for (size_t weir_i = 0; %s.%s.at && weir_i < %zu; weir_i++) {\n", run->flow, value->step, c->count);
    (void)snprintf(place, sizeof place, "%s.%s.at[weir_i].", run->flow, value->step);
    each_of_step(run, i, out, run->flow, place, "weir_i");
    buf_str(out, "  }\n");
    return ERR_NONE;
}

enum err_code values_text_flow(struct values *v, struct left_run *run, struct buf *out, struct err *e)
{
    (void)v;
    enum err_code code = ERR_NONE;
    char place[300];
    buf_printf(out, "struct {\n");
    for (size_t i = 0; i < run->nvalues; i++) {
        if (!begins_step(run, i)) {
            continue;
        }
        bool fans = run->values[i].fans;
        buf_str(out, fans ? "  struct { size_t count; struct {\n" : "  struct {\n");
        each_of_step(run, i, out, NULL, NULL, "    ");
        buf_printf(out, fans ? "  } *at; } %s;\n" : "  } %s;\n", run->values[i].step);
    }
    buf_printf(out, "} %s;\n", run->flow);
    begin_filling(out);
    for (size_t i = 0; !code && i < run->nvalues; i++) {
        if (!begins_step(run, i)) {
            continue;
        }
        if (run->values[i].fans) {
            code = fill_fan(run, i, out, e);
        } else {
            (void)snprintf(place, sizeof place, "%s.%s.", run->flow, run->values[i].step);
            each_of_step(run, i, out, run->flow, place, "0");
        }
    }
    buf_str(out, "}\n");
    return code ? code : buf_check(out, "a flow's values", e);
}
