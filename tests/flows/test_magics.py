"""Flows in a notebook's cells, as a user meets them: what each magic shows, what stands in later cells, how failures are told."""

import json
import subprocess
import threading

import pytest


def ok(run_cell, *cells):
    """Run cells that must succeed; the last one's outcome."""
    for cell in cells:
        ran = run_cell(cell)
        assert ran.reply["status"] == "ok", ran.reply
    return ran


def refused(run_cell, cell):
    """Run a cell that must fail; its message."""
    ran = run_cell(cell)
    assert ran.reply["status"] == "error", ran.messages
    return ran.reply["evalue"]


FAN = [
    "%%flow Fan\nparam int n = 3;",
    "%%step start -> work foreach i in n\nartifact double base = 0.5;",
    "%%step work -> end2\nartifact double v[][2];\nresize(v, i + 1);\nv[i][1] = i * base;\n"
    'artifact char *s = i ? "some" : "";\nprintf("work %d\\n", (int)i);',
    "%%step end2 join\nartifact double sum = 0;\n"
    "for (size_t k = 0; k < inputs.count; k++) sum += inputs.at[k].v[k][1];",
]


# ---- running ----


def test_progress_is_one_display_that_changes_in_place(run_cell):
    ok(run_cell, *FAN)
    ran = ok(run_cell, "%flow run")
    first = ran.of("display_data")
    later = ran.of("update_display_data")
    assert len(first) == 1 and later
    assert {d["transient"]["display_id"] for d in first + later} == {first[0]["transient"]["display_id"]}
    final = later[-1]["data"]
    assert "<svg" in final["text/html"] and "3/3" in final["text/html"]
    assert "done" in final["text/plain"] and "work" in final["text/plain"]


def test_output_of_tasks_is_under_the_cell_with_step_and_index(run_cell):
    ok(run_cell, *FAN)
    lines = ok(run_cell, "%flow run --max-workers 1").stream().splitlines()
    assert sorted(lines) == ["[work 0] work 0", "[work 1] work 1", "[work 2] work 2"]


def test_parameters_are_typed(run_cell):
    ok(run_cell, *FAN)
    assert ok(run_cell, "%flow run --n 5", "Fan.work.count").result == "5"
    assert "'ten' is not an int" in refused(run_cell, "%flow run --n ten")
    assert "--n" in refused(run_cell, "%flow run --nn 5")


@pytest.mark.parametrize("body, reason", [
    ('fail("no %d", 7);', "step 'only' failed: no 7"),
    ("int *p = 0;\n*p = 1;", "segmentation fault"),
    ("exit(0);", "called exit(0)"),
    ("abort();", "aborted"),
])
def test_a_failing_task_says_step_cell_line_and_reason(run_cell, body, reason):
    ok(run_cell, "%%step only\n" + body)
    ran = run_cell("%flow run")
    assert ran.reply["ename"] == "TaskError"
    said = "\n".join(ran.reply["traceback"])
    assert "step 'only'" in said and reason in said
    if "exit" not in body:
        line = 1 + len(body.splitlines())
        assert f"cell [1] line {line}" in said


def test_an_interrupt_ends_the_run_and_the_kernel_goes_on(run_cell, kernel_manager):
    ok(run_cell, '%%step only\nprintf("begun\\n");\nsleep(100);')
    timer = threading.Timer(1, kernel_manager.interrupt_kernel)
    timer.start()
    ran = run_cell("%flow run")
    timer.join()
    assert ran.reply["ename"] == "KeyboardInterrupt"
    assert ok(run_cell, "1 + 1").result == "2"
    assert "interrupted" in ok(run_cell, "%runs").of("display_data")[0]["data"]["text/plain"]


# ---- --input ----

READER = ["double gain = 2.5;\nint tab[3] = {1, 2, 3};", "%%step only\nartifact double y = gain * tab[2];"]


def test_inputs_are_the_variables_of_now_and_recorded(run_cell):
    ok(run_cell, *READER)
    assert ok(run_cell, "%flow run --input gain --input tab", "y").result == "7.5"
    before = ok(run_cell, "%artifact gain").of("display_data")[0]["data"]["text/plain"]
    assert ok(run_cell, "gain = 4; tab[2] = 10;", "%flow run --input gain --input tab", "y").result == "40.0"
    after = ok(run_cell, "%artifact gain").of("display_data")[0]["data"]["text/plain"]
    assert "sha256" in before and before != after


def test_without_input_a_step_sees_the_initialiser(run_cell):
    ok(run_cell, *READER)
    assert ok(run_cell, "gain = 4;", "%flow run", "y").result == "7.5"


def test_an_unknown_input_is_refused(run_cell):
    ok(run_cell, *READER)
    assert "no plain cell defines a variable 'nosuch'" in refused(run_cell, "%flow run --input nosuch")


# ---- what a run left ----


def test_artifacts_of_a_fan_out_are_values(run_cell):
    ok(run_cell, *FAN, "%flow run")
    assert ok(run_cell, "Fan.work.count").result == "3"
    assert ok(run_cell, "len(Fan.work.at[2].v)").result == "3"
    assert ok(run_cell, "Fan.work.at[2].v[2][1]").result == "1.0"
    assert ok(run_cell, "Fan.work.at[1].s").result == '"some"'
    assert ok(run_cell, "sum").result == "1.5"


def test_artifacts_of_static_steps_are_values(run_cell):
    ok(run_cell, "%%flow B", "%%step s -> a, b", "%%step a -> j\nartifact int x = 1;", "%%step b -> j\nartifact int x = 2;",
       "%%step j join\nartifact int total = inputs.a.x + inputs.b.x;", "%flow run")
    assert ok(run_cell, "B.a.x * 10 + B.b.x").result == "12"
    assert ok(run_cell, "total").result == "3"


def test_a_name_that_the_user_declares_is_the_users(run_cell):
    ok(run_cell, "%%step only\nartifact int x = 1;", "%flow run", "int x = 7;")
    assert ok(run_cell, "x").result == "7"


def text_of(ran):
    return ran.of("display_data")[-1]["data"]["text/plain"]


def test_artifact_lists_and_shows(run_cell):
    ok(run_cell, *FAN, "%flow run")
    listed = text_of(ok(run_cell, "%artifact"))
    assert "base" in listed and "(2,)" not in listed and "work, 3 tasks" in listed
    one = text_of(ok(run_cell, "%artifact sum"))
    assert "double" in one and "8 bytes" in one and "sha256" in one and "1.5" in one
    fan = text_of(ok(run_cell, "%artifact work.v"))
    assert "(1, 2)" in fan and "(3, 2)" in fan
    assert "there are" in refused(run_cell, "%artifact nosuch")


def test_artifact_reads_any_earlier_run(run_cell):
    ok(run_cell, *FAN, "%flow run --n 1", "%flow run --n 4")
    runs = [line.split()[0] for line in text_of(ok(run_cell, "%runs")).splitlines()[1:]]
    assert len(runs) == 2
    assert "0.0" in text_of(ok(run_cell, f"%artifact {runs[1]}/end2/sum"))
    assert "3.0" in text_of(ok(run_cell, f"%artifact --run {runs[0]} sum"))


# ---- the graph ----


def test_show_check_list_drop(run_cell):
    ok(run_cell, *FAN)
    shown = ok(run_cell, "%flow show").of("display_data")[0]["data"]
    assert "<svg" in shown["text/html"] and "start -> work (foreach i)" in shown["text/plain"]
    assert "flow 'Fan' is sound: 3 steps" in ok(run_cell, "%flow check").stream()
    assert "Fan" in ok(run_cell, "%flow list").stream()
    ok(run_cell, "%flow drop end2")
    assert "end2" in refused(run_cell, "%flow check")


def test_a_step_waits_for_a_later_cell_and_says_when_it_no_longer_does(run_cell):
    assert "pending: needs 'later'" in ok(run_cell, "%%step only\nartifact int x = later;").stream()
    assert "step 'only' is no longer pending" in ok(run_cell, "int later = 3;").stream()
    assert ok(run_cell, "%flow run", "x").result == "3"


def test_a_c_error_in_a_step_shows_at_once(run_cell):
    message = refused(run_cell, "%%step only\nint x = 1;\nx.y = 2;")
    assert "line 3" in message


# ---- the command line on the same store ----


def test_the_command_line_reads_what_a_notebook_ran(run_cell, weir_build):
    ok(run_cell, *FAN, "%flow run")
    here = ok(run_cell, "char here[4096]; getcwd(here, sizeof here)").result.strip('"')

    def weir(*words):
        done = subprocess.run([weir_build / "weir", *words], cwd=here, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run = json.loads(weir("runs", "--json"))
    assert (run["flow"], run["status"]) == ("Fan", "done")
    assert sorted(weir("logs", run["run"], "work").splitlines()) == [f"[work {i}] work {i}" for i in range(3)]
    assert weir("logs", run["run"], "work/1") == "[work 1] work 1\n"
    assert "1.5" in weir("artifact", "sum")
