/* Pictures of flows: what the SVG says, that it is well-formed whatever the names are, and the text beside it. */
#include "runtime/base/html.h"
#include "runtime/view/layout.h"
#include "runtime/view/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* after the four above, which it needs */
#include <cmocka.h>

static const char *const to_ab[] = { "a", "b" };
static const char *const to_join[] = { "join" };
static const char *const to_end[] = { "end" };
static const char *const to_c[] = { "c" };
static const char *const to_start[] = { "start" };

static struct graph_step branch_steps[] = {
    { .name = "start", .next = to_ab, .nnext = 2, .cell = "cell [1]" },
    { .name = "a", .next = to_join, .nnext = 1 },
    { .name = "b", .next = to_c, .nnext = 1 },
    { .name = "c", .next = to_join, .nnext = 1 },
    { .name = "join", .next = to_end, .nnext = 1, .join = true },
    { .name = "end" },
};
static const struct graph branch = { .flow = "Branch", .steps = branch_steps, .nsteps = 6 };

static struct graph_step loop_steps[] = {
    { .name = "start", .next = to_c, .nnext = 1, .foreach = "rate" },
    { .name = "c", .next = to_join, .nnext = 1 },
    { .name = "join", .join = true },
};
static const struct graph loop = { .flow = "Loop", .steps = loop_steps, .nsteps = 3 };

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *p = strstr(text, part); p; p = strstr(p + 1, part)) {
        n++;
    }
    return n;
}

static void text_has_a_line_a_step_in_the_order_of_the_run(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(view_graph_text(&out, &branch, NULL, NULL), ERR_NONE);
    assert_string_equal(out.data, "start -> a, b\na -> join\nb -> c\nc -> join\njoin (join) -> end\nend\n");
    buf_done(&out);
}

static void text_says_what_is_looped_over_and_how_far_each_step_is(void **state)
{
    (void)state;
    struct view_step states[] = { { .done = 1, .seconds = 0.0012 }, { .done = 1, .running = 2 }, { .queued = 0 } };
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(view_graph_text(&out, &loop, states, NULL), ERR_NONE);
    assert_string_equal(out.data, "start -> c (foreach rate)  1/1 done  1.2 ms\n"
                                  "c -> join                  1/3 running\n"
                                  "join (join)                0/0\n");
    buf_done(&out);
}

static void columns_follow_the_longest_path_and_boxes_do_not_overlap(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    struct layout l;
    assert_int_equal(layout_graph(&branch, &a, &l, NULL), ERR_NONE);
    const unsigned ranks[] = { 0, 1, 1, 2, 3, 4 };
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(l.nodes[i].rank, ranks[i]);
        assert_true(l.nodes[i].x >= 0 && l.nodes[i].x + l.nodes[i].width <= l.width);
        assert_true(l.nodes[i].y >= 0 && l.nodes[i].y + LAYOUT_BOX_HEIGHT <= l.height);
    }
    double gap = l.nodes[2].y - l.nodes[1].y;
    assert_true(gap > LAYOUT_BOX_HEIGHT || -gap > LAYOUT_BOX_HEIGHT);
    arena_done(&a);
}

static void a_long_arrow_bends_around_the_boxes_in_between(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    struct layout l;
    assert_int_equal(layout_graph(&branch, &a, &l, NULL), ERR_NONE);
    const struct layout_edge *edge = &l.edges[2]; /* a -> join, past c */
    assert_int_equal(edge->nvia, 1);
    double y = edge->via[0].y;
    assert_true(y < l.nodes[3].y || y > l.nodes[3].y + LAYOUT_BOX_HEIGHT);
    arena_done(&a);
}

static void a_fanned_step_is_a_stack_and_its_join_is_not(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a);
    struct layout l;
    assert_int_equal(layout_graph(&loop, &a, &l, NULL), ERR_NONE);
    assert_false(l.nodes[0].many);
    assert_true(l.nodes[1].many);
    assert_false(l.nodes[2].many);
    struct buf svg;
    buf_init(&svg, 0);
    assert_int_equal(view_graph_svg(&svg, &loop, NULL, NULL), ERR_NONE);
    assert_int_equal(count(svg.data, "<rect"), 3 + 2);
    assert_non_null(strstr(svg.data, ">rate</text>"));
    buf_done(&svg);
    arena_done(&a);
}

static void svg_shows_counts_and_a_failed_step_in_its_colour(void **state)
{
    (void)state;
    struct view_step states[] = { { .done = 1, .seconds = 0.25 }, { .done = 2, .failed = 1 }, { .queued = 1 } };
    struct buf svg;
    buf_init(&svg, 0);
    assert_int_equal(view_graph_svg(&svg, &loop, states, NULL), ERR_NONE);
    assert_non_null(strstr(svg.data, ">1/1 · 0.25 s</text>"));
    assert_non_null(strstr(svg.data, ">1 failed of 3</text>"));
    assert_non_null(strstr(svg.data, "#e5484d"));
    assert_null(strstr(svg.data, "<script"));
    assert_null(strstr(svg.data, " id="));
    buf_done(&svg);
}

static void a_cycle_and_a_target_without_a_cell_have_a_picture_too(void **state)
{
    (void)state;
    const char *const to_nowhere[] = { "start", "later" };
    struct graph_step steps[] = {
        { .name = "start", .next = to_c, .nnext = 1 },
        { .name = "c", .next = to_nowhere, .nnext = 2 },
    };
    struct graph g = { .flow = "Broken", .steps = steps, .nsteps = 2 };
    struct buf svg;
    buf_init(&svg, 0);
    assert_int_equal(view_graph_svg(&svg, &g, NULL, NULL), ERR_NONE);
    assert_non_null(strstr(svg.data, ">later</text>"));
    assert_non_null(strstr(svg.data, "stroke-dasharray"));
    assert_non_null(strstr(svg.data, "no such cell yet"));
    buf_done(&svg);
}

static void a_step_that_is_its_own_target_is_drawn(void **state)
{
    (void)state;
    struct graph_step steps[] = { { .name = "start", .next = to_start, .nnext = 1 } };
    struct graph g = { .flow = "Self", .steps = steps, .nsteps = 1 };
    struct buf svg;
    buf_init(&svg, 0);
    assert_int_equal(view_graph_svg(&svg, &g, NULL, NULL), ERR_NONE);
    buf_done(&svg);
}

static void an_empty_flow_has_an_empty_picture(void **state)
{
    (void)state;
    struct graph g = { .flow = "None" };
    struct buf svg;
    buf_init(&svg, 0);
    assert_int_equal(view_graph_svg(&svg, &g, NULL, NULL), ERR_NONE);
    assert_int_equal(count(svg.data, "<rect"), 0);
    buf_done(&svg);
}

static void text_from_outside_is_escaped(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 0);
    html_escape(&out, "<a href='x'>\"&\x01\n");
    assert_string_equal(out.data, "&lt;a href=&#39;x&#39;&gt;&quot;&amp;?\n");
    buf_done(&out);
}

static void times_and_sizes_read_well(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 0);
    view_seconds(&out, 0.0000213);
    buf_str(&out, "|");
    view_seconds(&out, 0.5);
    buf_str(&out, "|");
    view_seconds(&out, 12.34);
    buf_str(&out, "|");
    view_seconds(&out, 184);
    buf_str(&out, "|");
    view_bytes(&out, 1);
    buf_str(&out, "|");
    view_bytes(&out, 144);
    buf_str(&out, "|");
    view_bytes(&out, 3210000);
    assert_string_equal(out.data, "0.0213 ms|0.50 s|12 s|3 min 4 s|1 byte|144 bytes|3.21 MB");
    buf_done(&out);
}

static void too_many_steps_are_refused_with_the_limit(void **state)
{
    (void)state;
    struct graph g = { .flow = "Huge", .nsteps = LAYOUT_MAX_STEPS + 1 };
    struct buf svg;
    struct err e = { 0 };
    buf_init(&svg, 0);
    assert_int_equal(view_graph_svg(&svg, &g, NULL, &e), ERR_LIMIT);
    assert_string_equal(e.msg, "flow 'Huge' has 1001 steps; a picture holds at most 1000");
    buf_done(&svg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_a_line_a_step_in_the_order_of_the_run),
        cmocka_unit_test(text_says_what_is_looped_over_and_how_far_each_step_is),
        cmocka_unit_test(columns_follow_the_longest_path_and_boxes_do_not_overlap),
        cmocka_unit_test(a_long_arrow_bends_around_the_boxes_in_between),
        cmocka_unit_test(a_fanned_step_is_a_stack_and_its_join_is_not),
        cmocka_unit_test(svg_shows_counts_and_a_failed_step_in_its_colour),
        cmocka_unit_test(a_cycle_and_a_target_without_a_cell_have_a_picture_too),
        cmocka_unit_test(a_step_that_is_its_own_target_is_drawn),
        cmocka_unit_test(an_empty_flow_has_an_empty_picture),
        cmocka_unit_test(text_from_outside_is_escaped),
        cmocka_unit_test(times_and_sizes_read_well),
        cmocka_unit_test(too_many_steps_are_refused_with_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
