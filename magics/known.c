/* See known.h. */
#include "magics/known.h"

#include <string.h>

void known_flow(struct magics *m, const char *flow, struct arena *a, struct known *out)
{
    struct err ignored;
    struct known k = { 0 };
    *out = (struct known){ 0 };
    bool registered = false;
    for (size_t i = 0; i < flows_count(m->host.flows); i++) {
        registered = registered || strcmp(flows_name(m->host.flows, i), flow) == 0;
    }
    if (!registered || flows_graph(m->host.flows, flow, a, &k.graph, &ignored) || graph_check(&k.graph, &ignored)) {
        return;
    }
    k.order = arena_alloc(a, (k.graph.nsteps + 1) * sizeof *k.order);
    if (!k.order) {
        return;
    }
    graph_order(&k.graph, k.order);
    if (flows_values(m->host.flows, flow, a, &k.values, &k.nvalues, &ignored)) {
        k.nvalues = 0;
    }
    *out = k;
}

/* A step's place in the order; parameters come first, what is not known last. */
static unsigned place_of(const struct known *k, const char *step)
{
    for (unsigned i = 0; i < k->graph.nsteps; i++) {
        if (strcmp(k->graph.steps[k->order[i]].name, step) == 0) {
            return i + 1;
        }
    }
    return step[0] == '_' ? 0 : k->graph.nsteps + 1;
}

static const char *type_of(const struct known *k, const char *name)
{
    for (size_t i = 0; i < k->nvalues; i++) {
        if (strcmp(k->values[i].name, name) == 0) {
            return k->values[i].ctype;
        }
    }
    return NULL;
}

void known_lines(const struct known *k, struct artifact_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *type = type_of(k, lines[i].name);
        lines[i].type = type ? type : lines[i].type;
    }
    for (size_t i = 1; i < count && k->graph.nsteps; i++) { /* stable, and there are few steps */
        struct artifact_line line = lines[i];
        unsigned place = place_of(k, line.step);
        size_t at = i;
        for (; at > 0 && place_of(k, lines[at - 1].step) > place; at--) {
            lines[at] = lines[at - 1];
        }
        lines[at] = line;
    }
}

void known_loops(const struct known *k, const char *step, struct arena *a, struct artifact_loop **out, size_t *count)
{
    unsigned at = place_of(k, step);
    *count = 0;
    if (at == 0 || at > k->graph.nsteps) {
        return;
    }
    struct artifact_loop *loops = arena_alloc(a, (k->graph.nsteps + 1) * sizeof *loops);
    size_t n = 0;
    for (int scope = k->graph.steps[k->order[at - 1]].scope; loops && scope >= 0 && n <= k->graph.nsteps;
         scope = k->graph.steps[scope].scope) {
        if (k->graph.steps[scope].foreach) {
            loops[n++] = (struct artifact_loop){ .name = k->graph.steps[scope].foreach, .step = k->graph.steps[scope].name };
        }
    }
    for (size_t i = 0; i < n / 2; i++) {
        struct artifact_loop other = loops[i];
        loops[i] = loops[n - 1 - i];
        loops[n - 1 - i] = other;
    }
    *out = loops;
    *count = loops ? n : 0;
}
