/* Graphs of steps: what is sound, and what is said when one is not. */
#include "runtime/flow/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_STEPS = 20, MAX_NEXT = 8 };

/* A graph from lines like "start -> a, b" or "work -> j foreach i" or "j join -> end", one cell each. */
struct sketch {
    struct graph g;
    struct graph_step steps[MAX_STEPS];
    const char *next[MAX_STEPS][MAX_NEXT];
    char cells[MAX_STEPS][16];
    char text[1024];
};

static void add_word(struct graph_step *s, const char **next, const char *word, bool *arrow, bool *loop)
{
    if (strcmp(word, "->") == 0) {
        *arrow = true;
    } else if (strcmp(word, "join") == 0) {
        s->join = true;
    } else if (strcmp(word, "foreach") == 0) {
        *loop = true;
    } else if (*loop) {
        s->foreach = word;
    } else if (*arrow) {
        next[s->nnext++] = word;
    } else {
        s->name = word;
    }
}

static void draw(struct sketch *k, const char *text)
{
    memset(k, 0, sizeof *k);
    k->g = (struct graph){ .flow = "main", .steps = k->steps };
    (void)snprintf(k->text, sizeof k->text, "%s", text);
    char *lines = NULL;
    for (char *line = strtok_r(k->text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
        struct graph_step *s = &k->steps[k->g.nsteps];
        const char **next = k->next[k->g.nsteps];
        bool arrow = false, loop = false;
        char *words = NULL;
        for (char *word = strtok_r(line, " ,", &words); word; word = strtok_r(NULL, " ,", &words)) {
            add_word(s, next, word, &arrow, &loop);
        }
        (void)snprintf(k->cells[k->g.nsteps], sizeof k->cells[0], "cell [%u]", k->g.nsteps + 1);
        s->next = next;
        s->cell = k->cells[k->g.nsteps];
        s->line = 1;
        k->g.nsteps++;
    }
}

static const struct graph_step *step(const struct sketch *k, const char *name)
{
    int i = graph_find(&k->g, name);
    assert_true(i >= 0);
    return &k->g.steps[i];
}

static void assert_sound(struct sketch *k, const char *text)
{
    struct err e = { .code = ERR_NONE };
    draw(k, text);
    if (graph_check(&k->g, &e)) {
        fail_msg("%s", e.msg);
    }
}

static void assert_wrong(const char *text, enum err_code code, const char *cell, const char *message)
{
    struct sketch k;
    struct err e = { .code = ERR_NONE };
    draw(&k, text);
    assert_int_equal(graph_check(&k.g, &e), code);
    assert_string_equal(e.msg, message);
    assert_string_equal(e.cell, cell);
    assert_int_equal(e.line, cell[0] ? 1 : 0);
}

/* ---- sound ones ---- */

static void linear_flow_is_sound(void **state)
{
    (void)state;
    struct sketch k;
    assert_sound(&k, "start -> work\nwork -> end\nend");
    assert_int_equal(k.g.first, 0);
    assert_int_equal(step(&k, "end")->rank, 2);
    assert_int_equal(step(&k, "end")->scope, -1);
}

static void one_step_is_a_flow(void **state)
{
    (void)state;
    struct sketch k;
    assert_sound(&k, "only");
    assert_int_equal(k.g.first, 0);
}

static void branches_are_closed_by_their_join(void **state)
{
    (void)state;
    struct sketch k;
    assert_sound(&k, "start -> a, b\na -> j\nb -> j\nj join -> end\nend");
    assert_int_equal(step(&k, "j")->split, graph_find(&k.g, "start"));
    assert_int_equal(step(&k, "a")->scope, graph_find(&k.g, "start"));
    assert_int_equal(step(&k, "j")->scope, -1);
    assert_int_equal(step(&k, "a")->depth, 0);
    assert_int_equal(graph_branch(&k.g, 2, 0), 1);
    assert_int_equal(graph_branch(&k.g, 3, 0), -1);
}

static void splits_nest(void **state)
{
    (void)state;
    struct sketch k;
    assert_sound(&k, "start -> outer foreach i\nouter -> a, b\na -> ja\nb -> ja\nja join -> jo\njo join -> end\nend");
    assert_int_equal(step(&k, "a")->scope, graph_find(&k.g, "outer"));
    assert_int_equal(step(&k, "a")->depth, 1);
    assert_int_equal(step(&k, "ja")->split, graph_find(&k.g, "outer"));
    assert_int_equal(step(&k, "ja")->scope, graph_find(&k.g, "start"));
    assert_int_equal(step(&k, "jo")->split, graph_find(&k.g, "start"));
}

static void a_branch_may_split_again(void **state)
{
    (void)state;
    struct sketch k;
    assert_sound(&k, "start -> a, b\na -> w foreach i\nw -> ja\nja join -> j\nb -> j\nj join -> end\nend");
    assert_int_equal(step(&k, "w")->depth, 1);
    assert_int_equal(graph_branch(&k.g, (unsigned)graph_find(&k.g, "ja"), 0), 0);
    assert_int_equal(graph_branch(&k.g, (unsigned)graph_find(&k.g, "w"), 0), 0);
}

static void a_join_may_split_again(void **state)
{
    (void)state;
    struct sketch k;
    assert_sound(&k, "start -> a, b\na -> j\nb -> j\nj join -> w foreach i\nw -> k\nk join");
    assert_int_equal(step(&k, "k")->split, graph_find(&k.g, "j"));
}

/* ---- wrong ones ---- */

static void empty_flow_is_refused(void **state)
{
    (void)state;
    assert_wrong("", ERR_GRAPH, "", "flow 'main' has no steps; write one in a cell, as `%%step start -> end`");
}

static void unknown_target_is_pending(void **state)
{
    (void)state;
    assert_wrong(
        "start -> work\nend", ERR_PENDING, "cell [1]",
        "step 'start' leads to 'work', and no cell has a step of that name yet; run its cell, or correct the name: "
        "there are 'end'");
}

static void unreachable_step_is_named(void **state)
{
    (void)state;
    assert_wrong(
        "start -> end\nlost -> end\nend", ERR_GRAPH, "cell [3]",
        "'lost' and 'start' both lead to 'end', but no one step splits into them; let one of them lead to the other");
    assert_wrong("start -> a, b\na -> j\nb -> j\nj join -> end\nlost -> k, l\nk -> m\nl -> m\nm join -> end\nend",
                 ERR_GRAPH, "cell [9]",
                 "'m' and 'j' both lead to 'end', but no one step splits into them; let one of them lead to the other");
}

static void two_first_steps_are_named(void **state)
{
    (void)state;
    assert_wrong(
        "a -> x\nx\nb -> c\nc -> d\nd -> y\n", ERR_PENDING, "cell [5]",
        "step 'd' leads to 'y', and no cell has a step of that name yet; run its cell, or correct the name: there are "
        "'a', 'x', 'b', 'c'");
    assert_wrong("a -> j\nb -> j\nj join", ERR_GRAPH, "cell [2]",
                 "nothing leads to 'b', and nothing to 'a' (cell [1] line 1); a flow has one first step: let another "
                 "lead to one "
                 "of them");
    assert_wrong(
        "start -> j\nb -> j\nj join", ERR_GRAPH, "cell [2]",
        "step 'b' is never reached: no step leads to it; write `-> b` in the step before it, or take it out by "
        "`%flow drop b`");
}

static void several_ends_are_named(void **state)
{
    (void)state;
    assert_wrong("start -> a, b\na\nb", ERR_GRAPH, "cell [3]",
                 "'b' leads nowhere, and neither does 'a' (cell [2] line 1); a flow has one last step: write `%%step b "
                 "-> a`, or "
                 "drop one of them");
}

static void cycle_is_written_out(void **state)
{
    (void)state;
    assert_wrong("start -> a\na -> b\nb -> c\nc -> a", ERR_GRAPH, "cell [2]",
                 "the steps go round in a circle: a -> b -> c -> a; let one of them lead on to another step");
    assert_wrong("a -> a", ERR_GRAPH, "cell [1]",
                 "the steps go round in a circle: a -> a; let one of them lead on to another step");
}

static void missing_join_names_the_split(void **state)
{
    (void)state;
    assert_wrong("start -> a, b\na -> end\nb -> end\nend", ERR_GRAPH, "cell [4]",
                 "the branches 'a' and 'b' of the split 'start' (cell [1] line 1) meet in 'end', which is no join; "
                 "write `%%step end join`");
    assert_wrong("start -> a, b\na -> m\nb -> m\nm -> end\nend", ERR_GRAPH, "cell [4]",
                 "the branches 'a' and 'b' of the split 'start' (cell [1] line 1) meet in 'm', which is no join; "
                 "write `%%step m join -> end`");
}

static void join_without_split_is_refused(void **state)
{
    (void)state;
    assert_wrong(
        "start -> j\nj join -> end\nend", ERR_GRAPH, "cell [2]",
        "'j' is a join, but no split is open before it; take `join` out, or split in a step before it (`-> a, b` or "
        "`-> a foreach x in xs`)");
}

static void branch_that_ends_without_join_is_refused(void **state)
{
    (void)state;
    assert_wrong("start -> work foreach i\nwork -> end\nend", ERR_GRAPH, "cell [3]",
                 "the branch 'work' of the split 'start' (cell [1] line 1) reaches the last step 'end' without a join; "
                 "write one, "
                 "as `%%step end join`");
    assert_wrong(
        "start -> a, b, c\na -> j\nb -> j\nj join -> end\nc -> end\nend", ERR_GRAPH, "cell [6]",
        "'c' is still inside the split 'start' (cell [1] line 1) where it meets 'j' in 'end'; lead it to the join 'j' "
        "first");
}

static void split_closed_twice_is_refused(void **state)
{
    (void)state;
    assert_wrong(
        "start -> a, b\na -> j\nb -> k\nj join -> m\nk join -> m\nm join", ERR_GRAPH, "cell [4]",
        "the split 'start' (cell [1] line 1) is closed twice: by 'j' and by 'k' (cell [5] line 1); all its branches "
        "must enter one join");
}

static void join_of_different_depths_is_refused(void **state)
{
    (void)state;
    assert_wrong(
        "start -> a, b\na -> w foreach i\nw -> j\nb -> j\nj join", ERR_GRAPH, "cell [5]",
        "the join 'j' is entered by 'w' inside the split 'a' (cell [2] line 1), but by 'b' outside it; close the split "
        "'a' by a join of its own first");
}

static void split_straight_into_join_is_refused(void **state)
{
    (void)state;
    assert_wrong("start -> j foreach i\nj join", ERR_GRAPH, "cell [2]",
                 "the split 'start' (cell [1] line 1) leads straight to the join 'j'; each branch needs a step of its "
                 "own between "
                 "them");
}

static void repeated_target_is_refused(void **state)
{
    (void)state;
    assert_wrong("start -> a, a\na", ERR_GRAPH, "cell [1]",
                 "step 'start' names its target 'a' twice; name each branch once");
}

static void step_defined_twice_names_both_cells(void **state)
{
    (void)state;
    assert_wrong("start -> a\na\na", ERR_GRAPH, "cell [3]", "step 'a' is defined twice: here and in cell [2] line 1");
}

/* ---- order ---- */

static void order_does_not_hang_on_registration(void **state)
{
    (void)state;
    struct sketch k, l;
    unsigned a[MAX_STEPS], b[MAX_STEPS];
    assert_sound(&k, "start -> b, a\na -> j\nb -> j\nj join -> end\nend");
    assert_sound(&l, "end\nj join -> end\nb -> j\na -> j\nstart -> b, a");
    graph_order(&k.g, a);
    graph_order(&l.g, b);
    for (unsigned i = 0; i < k.g.nsteps; i++) {
        assert_string_equal(k.g.steps[a[i]].name, l.g.steps[b[i]].name);
    }
    assert_string_equal(k.g.steps[a[1]].name, "a");
}

static void before_follows_paths(void **state)
{
    (void)state;
    struct sketch k;
    assert_sound(&k, "start -> a, b\na -> j\nb -> j\nj join -> end\nend");
    assert_true(graph_before(&k.g, 0, 4));
    assert_false(graph_before(&k.g, 1, 2));
    assert_false(graph_before(&k.g, 4, 0));
    assert_false(graph_before(&k.g, 1, 1));
}

static void known_problems_are_those_that_no_step_cures(void **state)
{
    (void)state;
    static const struct { const char *text; enum err_code code; } rows[] = {
        { "start -> a", ERR_NONE },        { "j join -> end\nend", ERR_NONE },   { "a -> j\nb -> j\nj join", ERR_NONE },
        { "a -> b\nb -> a", ERR_GRAPH },   { "a\nb", ERR_GRAPH },                { "a -> c\nb -> c\nc", ERR_GRAPH },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sketch k;
        draw(&k, rows[i].text);
        assert_int_equal(graph_check_known(&k.g, NULL), rows[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_flow_is_sound),
        cmocka_unit_test(one_step_is_a_flow),
        cmocka_unit_test(branches_are_closed_by_their_join),
        cmocka_unit_test(splits_nest),
        cmocka_unit_test(a_branch_may_split_again),
        cmocka_unit_test(a_join_may_split_again),
        cmocka_unit_test(empty_flow_is_refused),
        cmocka_unit_test(unknown_target_is_pending),
        cmocka_unit_test(unreachable_step_is_named),
        cmocka_unit_test(two_first_steps_are_named),
        cmocka_unit_test(several_ends_are_named),
        cmocka_unit_test(cycle_is_written_out),
        cmocka_unit_test(missing_join_names_the_split),
        cmocka_unit_test(join_without_split_is_refused),
        cmocka_unit_test(branch_that_ends_without_join_is_refused),
        cmocka_unit_test(split_closed_twice_is_refused),
        cmocka_unit_test(join_of_different_depths_is_refused),
        cmocka_unit_test(split_straight_into_join_is_refused),
        cmocka_unit_test(repeated_target_is_refused),
        cmocka_unit_test(step_defined_twice_names_both_cells),
        cmocka_unit_test(order_does_not_hang_on_registration),
        cmocka_unit_test(before_follows_paths),
        cmocka_unit_test(known_problems_are_those_that_no_step_cures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
