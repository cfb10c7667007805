"""What stays between cells, and what running a cell again changes."""

PROGRAM = r"""
/* Sieve of Eratosthenes, as in any textbook. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 50

struct list { int value; struct list *next; };

static struct list *push(struct list *head, int value)
{
    struct list *l = malloc(sizeof *l);
    if (!l) {
        perror("malloc");
        exit(EXIT_FAILURE);
    }
    l->value = value;
    l->next = head;
    return l;
}

int main(int argc, char *argv[])
{
    char composite[LIMIT + 1];
    struct list *primes = NULL;
    memset(composite, 0, sizeof composite);
    for (int i = 2; i <= LIMIT; i++) {
        if (composite[i]) continue;
        primes = push(primes, i);
        for (int j = i * i; j <= LIMIT; j += i) composite[j] = 1;
    }
    while (primes) {
        struct list *next = primes->next;
        printf("%d%s", primes->value, next ? " " : "\n");
        free(primes);
        primes = next;
    }
    return 0;
}
"""


def test_a_textbook_program_just_works(run_cell):
    ran = run_cell(PROGRAM)
    assert ran.reply["status"] == "ok", ran.messages
    assert ran.stream() == "47 43 41 37 31 29 23 19 17 13 11 7 5 3 2\n"
    assert ran.result is None


def test_a_program_can_be_run_again(run_cell):
    for _ in range(2):
        ran = run_cell(PROGRAM)
        assert ran.reply["status"] == "ok", ran.messages


def test_exit_inside_main_shows_its_status(run_cell):
    ran = run_cell('#include <stdlib.h>\n#include <stdio.h>\nint main(void) { printf("bye"); exit(4); }')
    assert ran.reply["status"] == "ok"
    assert ran.stream() == "bye"
    assert ran.result == "main ended with status 4"
    assert run_cell("1").result == "1"


def test_declarations_and_statements_mix(run_cell):
    ran = run_cell("int n = 3;\nn *= 2;\nint half(int x) { return x / 2; }\nint m = half(n);\nfor (int i = 0; i < 2; i++) m += i;\nm")
    assert ran.result == "4"


def test_variables_functions_types_and_macros_stay(run_cell):
    run_cell("typedef struct { int x; } box;\n#define TWO 2\nint counter = 1;\nint twice(int v) { return v * TWO; }")
    assert run_cell("box b = { twice(counter + 4) };\nb.x").result == "10"
    run_cell("counter++;")
    assert run_cell("counter").result == "2"


def test_a_redefined_function_serves_callers_and_pointers(run_cell):
    run_cell("int f(void) { return 1; }", )
    run_cell("int g(void) { return 10 * f(); }\nint (*p)(void) = f;\nint (*table[1])(void) = { f };")
    run_cell("int f(void) { return 2; }")
    assert run_cell("g() + p() + table[0]()").result == "24"


def test_a_function_of_another_type_leaves_the_earlier_one_to_its_callers(run_cell):
    """They pass arguments that the new one does not take."""
    run_cell("int f(int x) { return x * 2 + 10; }")
    run_cell("int g(int x) { return f(x) + 1; }\nint (*p)(int) = f;")
    ran = run_cell("double f(double x) { return x / 2; }")
    assert ran.stream("stderr") == (
        "note: f changed; cell [2] (g, p) still uses the old one: run it again, or %rerun --stale\n"
    )
    assert run_cell("g(3) * 1000 + p(4)").result == "17018"
    assert run_cell("f(3)").result == "1.5"
    run_cell("double f(double x) { return x / 4; }")
    assert run_cell("g(3) * 1000 + p(4)").result == "17018"


def test_a_function_with_a_changed_struct_leaves_the_earlier_one_to_its_callers(run_cell):
    run_cell("struct pair { int a, b; };\nint sum(struct pair p) { return p.a + p.b; }")
    run_cell("int two(void) { struct pair p = { 1, 1 }; return sum(p); }")
    run_cell("struct pair { double a, b; };\nint sum(struct pair p) { return (int)(p.a * p.b) + 50; }")
    assert run_cell("two()").result == "2"


def test_a_redefined_function_with_other_parameter_names_serves_callers(run_cell):
    run_cell("int f(int x) { return x; }")
    run_cell("int g(void) { return f(5); }")
    assert run_cell("int f(int count) { return count * 2; }").stream("stderr") == ""
    assert run_cell("g()").result == "10"


def test_a_redefined_type_is_told_to_who_uses_the_old_one(run_cell):
    run_cell("struct point { int x; };")
    run_cell("int get(struct point *p) { return p->x; }")
    ran = run_cell("struct point { double x, y; };")
    assert ran.reply["status"] == "ok"
    assert "point" in ran.stream("stderr") and "cell [" in ran.stream("stderr")
    assert run_cell("struct point q = { 1.5, 2 };\nq").result == "{.x = 1.5, .y = 2.0}"


def test_a_redefined_variable_changes_its_type(run_cell):
    run_cell("int v = 5;")
    assert run_cell("double v = 0.5;\nv").result == "0.5"
    assert run_cell("v * 3").result == "1.5"


def test_libc_and_libm_need_no_include(run_cell):
    assert run_cell('char s[32];\nsnprintf(s, sizeof s, "%.2f", sqrt(2));\ns').result == '"1.41"'


def test_a_cell_that_tcc_cannot_compile_shares_everything(run_cell):
    run_cell("int shared = 40;\nint add(int x) { return shared + x; }")
    assert run_cell("_Atomic int a = 1;\n__atomic_fetch_add(&a, 1, __ATOMIC_SEQ_CST);\nint total = add(a);\ntotal").result == "42"
    run_cell("int add(int x) { return -x; }")
    assert run_cell("add(total)").result == "-42"


def test_output_of_a_child_process_comes_in_order(run_cell):
    ran = run_cell('printf("a\\n");\nsystem("echo b");\nprintf("c\\n");')
    assert ran.stream() == "a\nb\nc\n"


def test_output_is_seen_while_the_cell_runs(kernel):
    """The stream message must come before the reply: the cell sleeps after printing."""
    msg_id = kernel.execute('printf("early\\n");\nsleep(1);')
    types = []
    while "stream" not in types:
        message = kernel.get_iopub_msg(timeout=20)
        if message["parent_header"].get("msg_id") == msg_id:
            types.append(message["msg_type"])
            assert message["msg_type"] != "status" or message["content"]["execution_state"] == "busy"
    assert kernel.get_shell_msg(timeout=20)["content"]["status"] == "ok"


def test_a_cell_that_is_no_step_any_more_leaves_its_flow(kernel):
    def run(code):
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
                   "stop_on_error": True}
        message = kernel.session.msg("execute_request", content, metadata={"cellId": "one-cell"})
        kernel.shell_channel.send(message)
        while True:
            reply = kernel.get_shell_msg(timeout=20)
            if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
                return reply["content"]

    assert run("%%step only\nartifact int x = 1;")["status"] == "ok"
    assert run("int x = 1;")["status"] == "ok"
    assert run("%flow run")["status"] == "error"
