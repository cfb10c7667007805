/* See graph.h.
 *
 * A step that splits (several targets, or foreach) opens a scope for everything after it; its join closes it. So each
 * step has one innermost open split, found in one pass in topological order:
 *
 *     start -> a, b      scope of a and b is start; of what follows a, too
 *     j join             all that enters j must have one scope: the split that j closes; j itself is back outside
 *
 * A step that is no split has at most one target, so two edges into a step that is no join always mean branches that
 * meet. Problems that no further step can cure are looked for first: a notebook's cells run in any order. */
#include "runtime/flow/graph_net.h"
#include "runtime/base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { NEAREST = 5 };

/* ---- what no further step can cure ---- */

static enum err_code check_targets(const struct graph *g, struct err *e)
{
    for (unsigned i = 0; i < g->nsteps; i++) {
        const struct graph_step *s = &g->steps[i];
        for (unsigned k = 0; k < s->nnext; k++) {
            for (unsigned j = 0; j < k; j++) {
                if (strcmp(s->next[j], s->next[k]) == 0) {
                    return err_at(e, ERR_GRAPH, s->cell, s->line,
                                  "step '%s' names its target '%s' twice; name each branch once", s->name, s->next[k]);
                }
            }
        }
        int twin = graph_find(g, s->name);
        if (twin != (int)i) {
            return err_at(e, ERR_GRAPH, s->cell, s->line, "step '%s' is defined twice: here and in %s line %d", s->name,
                          g->steps[twin].cell, g->steps[twin].line);
        }
    }
    return ERR_NONE;
}

static bool sorted_contains(const struct net *n, unsigned step)
{
    for (unsigned i = 0; i < n->norder; i++) {
        if (n->order[i] == step) {
            return true;
        }
    }
    return false;
}

/* Every step that topological sorting left over has a predecessor that was left over: walking back ends in a circle. */
static enum err_code check_cycle(const struct net *n, struct err *e)
{
    const struct graph *g = n->g;
    if (n->norder == g->nsteps) {
        return ERR_NONE;
    }
    unsigned *trail = calloc(g->nsteps + 1, sizeof *trail);
    int *seen_at = calloc(g->nsteps + 1, sizeof *seen_at);
    struct buf text;
    buf_init(&text, 0);
    unsigned at = 0, len = 0;
    while (trail && seen_at && sorted_contains(n, at)) {
        at++;
    }
    while (trail && seen_at && !seen_at[at]) {
        trail[len++] = at;
        seen_at[at] = (int)len;
        unsigned back = 0;
        for (unsigned i = 0; i < g->nsteps; i++) {
            for (unsigned k = n->first_edge[i]; k < n->first_edge[i + 1]; k++) {
                back = n->to[k] == (int)at && !sorted_contains(n, i) ? i : back;
            }
        }
        at = back;
    }
    if (!trail || !seen_at) {
        free(trail);
        free(seen_at);
        return err_memory(e);
    }
    buf_printf(&text, "%s", g->steps[at].name);
    for (unsigned i = len; i-- > (unsigned)seen_at[at];) {
        buf_printf(&text, " -> %s", g->steps[trail[i]].name);
    }
    buf_printf(&text, " -> %s", g->steps[at].name);
    enum err_code code =
        err_at(e, ERR_GRAPH, g->steps[at].cell, g->steps[at].line,
               "the steps go round in a circle: %s; let one of them lead on to another step", text.data);
    buf_done(&text);
    free(trail);
    free(seen_at);
    return code;
}

static enum err_code check_ends(const struct graph *g, struct err *e)
{
    int end = NONE;
    for (unsigned i = 0; i < g->nsteps; i++) {
        if (g->steps[i].nnext) {
            continue;
        }
        if (end != NONE) {
            const struct graph_step *s = &g->steps[i], *other = &g->steps[end];
            return err_at(e, ERR_GRAPH, s->cell, s->line,
                          "'%s' leads nowhere, and neither does '%s' (%s line %d); a flow has one last step: write "
                          "`%%%%step %s -> %s`, or drop one of them",
                          s->name, other->name, other->cell, other->line, s->name, other->name);
        }
        end = (int)i;
    }
    return ERR_NONE;
}

/* The innermost split that is open after step s has run. */
static int scope_after(const struct graph *g, int s)
{
    return net_splits(&g->steps[s]) ? s : g->steps[s].scope;
}

static int join_of(const struct graph *g, int split, int except)
{
    for (unsigned i = 0; i < g->nsteps; i++) {
        if (g->steps[i].join && g->steps[i].split == split && (int)i != except) {
            return (int)i;
        }
    }
    return NONE;
}

/* Two of the steps that lead to v, in topological order. */
static void find_two(const struct net *n, unsigned v, int from[2])
{
    unsigned found = 0;
    for (unsigned i = 0; i < n->norder && found < 2; i++) {
        unsigned u = n->order[i];
        for (unsigned k = n->first_edge[u]; k < n->first_edge[u + 1] && found < 2; k++) {
            if (n->to[k] == (int)v) {
                from[found++] = (int)u;
            }
        }
    }
}

/* v is no join, and several steps lead to it. */
static enum err_code meeting_error(const struct net *n, unsigned v, struct err *e)
{
    const struct graph *g = n->g;
    const struct graph_step *s = &g->steps[v];
    int from[2] = { NONE, NONE };
    find_two(n, v, from);
    int scopes[2] = { scope_after(g, from[0]), scope_after(g, from[1]) };
    const char *a = g->steps[from[0]].name, *b = g->steps[from[1]].name;
    if (scopes[0] == NONE && scopes[1] == NONE) {
        return err_at(
            e, ERR_GRAPH, s->cell, s->line,
            "'%s' and '%s' both lead to '%s', but no one step splits into them; let one of them lead to the other", a,
            b, s->name);
    }
    const struct graph_step *split = &g->steps[scopes[0] == NONE ? scopes[1] : scopes[0]];
    if (scopes[0] == scopes[1]) {
        return err_at(e, ERR_GRAPH, s->cell, s->line,
                      "the branches '%s' and '%s' of the split '%s' (%s line %d) meet in '%s', which is no join; "
                      "write `%%%%step %s join%s%s`",
                      a, b, split->name, split->cell, split->line, s->name, s->name, s->nnext ? " -> " : "",
                      s->nnext ? s->next[0] : "");
    }
    bool first_is_inner =
        scopes[1] == NONE || (scopes[0] != NONE && g->steps[scopes[0]].rank > g->steps[scopes[1]].rank);
    int inner = first_is_inner ? 0 : 1;
    int join = join_of(g, scopes[inner], NONE);
    split = &g->steps[scopes[inner]];
    return err_at(
        e, ERR_GRAPH, s->cell, s->line,
        "'%s' is still inside the split '%s' (%s line %d) where it meets '%s' in '%s'; lead it to %s%s%s first",
        inner ? b : a, split->name, split->cell, split->line, inner ? a : b, s->name,
        join == NONE ? "a join that closes '" : "the join '", join == NONE ? split->name : g->steps[join].name, "'");
}

/* Where u enters a join that waits for another split. */
static enum err_code scope_error(const struct graph *g, const struct graph_step *join, int u, int mine, int other_u,
                                 int other, struct err *e)
{
    bool inner_is_mine = mine != NONE && (other == NONE || g->steps[mine].rank >= g->steps[other].rank);
    int inner = inner_is_mine ? mine : other;
    int who = inner_is_mine ? u : other_u;
    int outer_who = inner_is_mine ? other_u : u;
    return err_at(
        e, ERR_GRAPH, join->cell, join->line,
        "the join '%s' is entered by '%s' inside the split '%s' (%s line %d), but by '%s' outside it; close the "
        "split '%s' by a join of its own first",
        join->name, g->steps[who].name, g->steps[inner].name, g->steps[inner].cell, g->steps[inner].line,
        g->steps[outer_who].name, g->steps[inner].name);
}

static enum err_code enter_join(const struct net *n, struct graph *g, unsigned v, struct err *e)
{
    struct graph_step *s = &g->steps[v];
    int entered = NONE, split = NONE;
    for (unsigned i = 0; i < n->norder; i++) {
        unsigned u = n->order[i];
        for (unsigned k = n->first_edge[u]; k < n->first_edge[u + 1]; k++) {
            if (n->to[k] != (int)v) {
                continue;
            }
            int scope = scope_after(g, (int)u);
            if (scope == (int)u) {
                return err_at(
                    e, ERR_GRAPH, s->cell, s->line,
                    "the split '%s' (%s line %d) leads straight to the join '%s'; each branch needs a step of its "
                    "own between them",
                    g->steps[u].name, g->steps[u].cell, g->steps[u].line, s->name);
            }
            if (entered != NONE && scope != split) {
                return scope_error(g, s, (int)u, scope, entered, split, e);
            }
            entered = (int)u;
            split = scope;
        }
    }
    s->split = split;
    s->scope = split == NONE ? NONE : g->steps[split].scope;
    return ERR_NONE;
}

/* Set scope, split, depth and rank of all sorted steps; branches that meet or nest wrongly are errors. */
static enum err_code set_scopes(const struct net *n, struct graph *g, struct err *e)
{
    for (unsigned i = 0; i < g->nsteps; i++) {
        g->steps[i].scope = g->steps[i].split = NONE;
        g->steps[i].depth = g->steps[i].rank = 0;
    }
    for (unsigned i = 0; i < n->norder; i++) {
        unsigned v = n->order[i];
        struct graph_step *s = &g->steps[v];
        for (unsigned u = 0; u < g->nsteps; u++) {
            for (unsigned k = n->first_edge[u]; k < n->first_edge[u + 1]; k++) {
                s->rank = n->to[k] == (int)v && g->steps[u].rank >= s->rank ? g->steps[u].rank + 1 : s->rank;
            }
        }
        enum err_code code = ERR_NONE;
        if (s->join && n->npred[v]) {
            code = enter_join(n, g, v, e);
        } else if (n->npred[v] > 1) {
            code = meeting_error(n, v, e);
        } else if (n->npred[v]) {
            s->scope = scope_after(g, n->pred[v]);
        }
        if (code) {
            return code;
        }
        for (int open = s->scope; open != NONE; open = g->steps[open].scope) {
            s->depth += g->steps[open].foreach != NULL;
        }
    }
    return ERR_NONE;
}

static enum err_code check_closed(const struct net *n, struct err *e)
{
    const struct graph *g = n->g;
    for (unsigned i = 0; i < g->nsteps; i++) {
        const struct graph_step *s = &g->steps[i];
        if (s->join && s->split != NONE) {
            int other = join_of(g, s->split, (int)i);
            if (other != NONE) {
                const struct graph_step *split = &g->steps[s->split];
                return err_at(e, ERR_GRAPH, s->cell, s->line,
                              "the split '%s' (%s line %d) is closed twice: by '%s' and by '%s' (%s line %d); all its "
                              "branches must enter one join",
                              split->name, split->cell, split->line, s->name, g->steps[other].name,
                              g->steps[other].cell, g->steps[other].line);
            }
        }
        if (!s->nnext && s->scope != NONE) {
            const struct graph_step *split = &g->steps[s->scope];
            int branch = net_branch(n, (int)i, s->scope);
            int join = join_of(g, s->scope, NONE);
            return err_at(
                e, ERR_GRAPH, s->cell, s->line,
                "the branch '%s' of the split '%s' (%s line %d) reaches the last step '%s' without a join; %s%s%s",
                branch == NONE ? s->name : g->steps[branch].name, split->name, split->cell, split->line, s->name,
                join == NONE ? "write one, as `%%step " : "lead it to '", join == NONE ? s->name : g->steps[join].name,
                join == NONE ? " join`" : "'");
        }
    }
    return ERR_NONE;
}

static enum err_code check_known(const struct net *n, struct graph *g, struct err *e)
{
    enum err_code code = check_targets(g, e);
    code = code ? code : check_cycle(n, e);
    code = code ? code : check_ends(g, e);
    code = code ? code : set_scopes(n, g, e);
    return code ? code : check_closed(n, e);
}

enum err_code graph_check_known(struct graph *g, struct err *e)
{
    struct net n;
    enum err_code code = net_init(&n, g, e);
    if (!code) {
        code = check_known(&n, g, e);
    }
    net_done(&n);
    return code;
}

/* ---- what is only wrong once all steps are there ---- */

static void list_names(const struct graph *g, const char *except, struct buf *out)
{
    unsigned n = 0;
    for (unsigned i = 0; i < g->nsteps && n < NEAREST; i++) {
        if (strcmp(g->steps[i].name, except) != 0) {
            buf_printf(out, "%s'%s'", n++ ? ", " : "", g->steps[i].name);
        }
    }
}

static enum err_code check_unknown(const struct net *n, struct err *e)
{
    const struct graph *g = n->g;
    for (unsigned i = 0; i < g->nsteps; i++) {
        const struct graph_step *s = &g->steps[i];
        for (unsigned k = 0; k < s->nnext; k++) {
            if (n->to[n->first_edge[i] + k] != NONE) {
                continue;
            }
            struct buf names;
            buf_init(&names, 0);
            list_names(g, s->name, &names);
            enum err_code code = err_at(e, ERR_PENDING, s->cell, s->line,
                                        "step '%s' leads to '%s', and no cell has a step of that name yet; run its "
                                        "cell, or correct the name%s%s",
                                        s->name, s->next[k], names.len ? ": there are " : "", names.data);
            buf_done(&names);
            return code;
        }
    }
    return ERR_NONE;
}

static enum err_code check_first(struct graph *g, const struct net *n, struct err *e)
{
    int first = NONE, second = NONE;
    for (unsigned i = 0; i < n->norder; i++) {
        int s = (int)n->order[i];
        if (n->npred[s] == 0) {
            second = first == NONE ? NONE : second == NONE ? s : second;
            first = first == NONE ? s : first;
        }
    }
    g->first = first;
    if (second == NONE) {
        return ERR_NONE;
    }
    if (strcmp(g->steps[second].name, "start") == 0) {
        int swap = first;
        first = second;
        second = swap;
    }
    const struct graph_step *a = &g->steps[first], *b = &g->steps[second];
    if (strcmp(a->name, "start") == 0) {
        return err_at(
            e, ERR_GRAPH, b->cell, b->line,
            "step '%s' is never reached: no step leads to it; write `-> %s` in the step before it, or take it out "
            "by `%%flow drop %s`",
            b->name, b->name, b->name);
    }
    return err_at(
        e, ERR_GRAPH, b->cell, b->line,
        "nothing leads to '%s', and nothing to '%s' (%s line %d); a flow has one first step: let another lead to one "
        "of them",
        b->name, a->name, a->cell, a->line);
}

static enum err_code check_joins(const struct graph *g, const struct net *n, struct err *e)
{
    for (unsigned i = 0; i < n->norder; i++) {
        const struct graph_step *s = &g->steps[n->order[i]];
        if (s->join && s->split == NONE) {
            return err_at(
                e, ERR_GRAPH, s->cell, s->line,
                "'%s' is a join, but no split is open before it; take `join` out, or split in a step before it "
                "(`-> a, b` or `-> a foreach x in xs`)",
                s->name);
        }
    }
    return ERR_NONE;
}

enum err_code graph_check(struct graph *g, struct err *e)
{
    g->first = NONE;
    if (!g->nsteps) {
        return err_set(e, ERR_GRAPH, "flow '%s' has no steps; write one in a cell, as `%%%%step start -> end`",
                       g->flow);
    }
    struct net n;
    enum err_code code = net_init(&n, g, e);
    code = code ? code : check_known(&n, g, e);
    code = code ? code : check_unknown(&n, e);
    code = code ? code : check_first(g, &n, e);
    code = code ? code : check_joins(g, &n, e);
    net_done(&n);
    return code;
}
