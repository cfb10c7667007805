/* Which names reach which step of a flow (see model.h).
 *
 * In topological order: what a step declares goes on to the next; a join starts from what its split sent out, and what
 * any step between the two declared comes in several versions, to be had through `inputs` alone. */
#include "runtime/base/buf.h"
#include "runtime/base/words.h"
#include "runtime/lang/model_reach.h"

#include <string.h>

enum { NONE = -1, NEAREST = 4, LISTED = 8 };

bool model_inside(const struct model *m, unsigned step, int split)
{
    for (int open = m->graph.steps[step].scope; open != NONE; open = m->graph.steps[open].scope) {
        if (open == split) {
            return true;
        }
    }
    return false;
}

static int predecessor(const struct model *m, unsigned step)
{
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        for (unsigned k = 0; k < m->graph.steps[i].nnext; k++) {
            if (strcmp(m->graph.steps[i].next[k], m->graph.steps[step].name) == 0) {
                return (int)i;
            }
        }
    }
    return NONE;
}

static bool made_between(const struct model *m, int split, unsigned name)
{
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        if (m->steps[i].declares[name] && model_inside(m, i, split)) {
            return true;
        }
    }
    return false;
}

enum reach model_after(const struct model *m, unsigned step, unsigned name)
{
    return m->steps[step].declares[name] ? REACH_HERE : (enum reach)m->steps[step].in[name];
}

static enum reach reach_of(const struct model *m, unsigned step, unsigned name)
{
    const struct model_name *n = &m->names[name];
    if (n->role == NAME_LOOP) {
        return model_inside(m, step, n->split) ? REACH_HERE : REACH_NOT;
    }
    const struct graph_step *s = &m->graph.steps[step];
    if (s->join && s->split != NONE) {
        return made_between(m, s->split, name) ? REACH_BRANCHES : model_after(m, (unsigned)s->split, name);
    }
    int before = predecessor(m, step);
    if (before == NONE) {
        return n->role == NAME_PARAMETER || n->role == NAME_INPUT ? REACH_HERE : REACH_NOT;
    }
    return model_after(m, (unsigned)before, name);
}

void model_reach(struct model *m)
{
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        unsigned step = m->order[i];
        for (unsigned name = 0; name < m->nnames; name++) {
            m->steps[step].in[name] = (unsigned char)(m->placed ? reach_of(m, step, name) : REACH_HERE);
        }
    }
}

int model_find(const struct model *m, unsigned step, const char *name, size_t len)
{
    int found = NONE;
    unsigned depth = 0;
    for (unsigned i = 0; i < m->nnames; i++) {
        const struct model_name *n = &m->names[i];
        if (strncmp(n->name, name, len) != 0 || n->name[len]) {
            continue;
        }
        if (n->role != NAME_LOOP) {
            return (int)i;
        }
        unsigned d = m->graph.steps[n->split].depth + 1; /* the innermost one of that name */
        if ((!m->placed || model_inside(m, step, n->split)) && d > depth) {
            found = (int)i;
            depth = d;
        }
    }
    return found;
}

int model_find_loop(const struct model *m, int split, const char *name, size_t len)
{
    for (unsigned i = 0; i < m->nnames; i++) {
        const struct model_name *n = &m->names[i];
        if (n->role == NAME_LOOP && n->split == split && strncmp(n->name, name, len) == 0 && !n->name[len]) {
            return (int)i;
        }
    }
    return NONE;
}

void model_nearest(const struct model *m, unsigned step, const char *name, size_t len, struct buf *out)
{
    const char *best[LISTED] = { NULL };
    unsigned score[LISTED], count = 0;
    for (unsigned i = 0; i < m->nnames; i++) {
        const struct model_name *n = &m->names[i];
        if (m->steps[step].in[i] != REACH_HERE && !m->steps[step].declares[i]) {
            continue;
        }
        unsigned d = words_distance(name, len, n->name, strlen(n->name), false), at = count < NEAREST ? count++ : NEAREST;
        for (; at > 0 && score[at - 1] > d; at--) {
            score[at] = score[at - 1];
            best[at] = best[at - 1];
        }
        score[at] = d;
        best[at] = n->name;
    }
    for (unsigned i = 0; i < count; i++) {
        buf_printf(out, "%s'%s'", i == 0 ? "; there are " : ", ", best[i]);
    }
    if (!count) {
        buf_str(out, "; no artifact comes in");
    }
}

int model_open_join(const struct model *m, unsigned step, unsigned name)
{
    int found = NONE;
    for (unsigned i = 0; i < m->graph.nsteps; i++) {
        unsigned j = m->order[i];
        const struct graph_step *s = &m->graph.steps[j];
        bool on_the_way = j == step || graph_before(&m->graph, j, step);
        if (s->join && s->split != NONE && on_the_way && made_between(m, s->split, name)) {
            found = (int)j;
        }
    }
    return found;
}
