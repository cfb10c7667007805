"""%config, config.json, the environment and %undo, with a real kernel."""

import functools
import uuid

import pytest
from conftest import run_on, start_kernel
from helpers import TIMEOUT


@pytest.fixture
def start(kernelspec_env, tmp_path, monkeypatch):
    """start(user=TEXT, store=TEXT, **environment): a kernel with these config.json files; gives run(code, **options), with run.client."""
    started = []

    def make(user=None, store=None, **environment):
        folder = tmp_path / "notebook"
        for path, text in [(tmp_path / "user" / "weir", user), (folder / ".weir", store)]:
            if text is not None:
                path.mkdir(parents=True)
                (path / "config.json").write_text(text)
        folder.mkdir(exist_ok=True)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        manager = start_kernel(folder, tmp_path / "kernel.log")
        client = manager.client()
        client.session = client.session.clone()
        client.session.session = uuid.uuid4().hex
        client.start_channels()
        client.wait_for_ready(timeout=TIMEOUT)
        started.append((manager, client))
        run = functools.partial(run_on, client)
        run.client = client
        return run

    yield make
    for manager, client in started:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
        manager.log_file.close()


def table_of(ran):
    """The rows of a table that a magic has shown, each a list of its cells but the last."""
    (shown,) = ran.of("display_data")
    assert shown["data"]["text/html"].startswith("<table>")
    return [line.split() for line in shown["data"]["text/plain"].splitlines()]


def value_of(run, name):
    return run(f"%config {name}").stream().splitlines()[0]


def refusal(ran):
    (error,) = ran.of("error")
    assert ran.reply["status"] == "error"
    return error["evalue"]


def test_config_lists_the_settings(start):
    rows = table_of(start()("%config"))
    assert rows[0][:3] == ["setting", "value", "default"]
    assert [row[0] for row in rows[1:]] == ["checkpoint", "undo", "undo_memory", "output_limit", "output_file_limit"]
    assert rows[2][1:3] == ["10", "10"]


def test_environment_wins_over_the_stores_file_and_that_over_the_users(start):
    run = start(user='{"undo": 1, "undo_memory": "1M", "output_limit": "1 MiB"}',
                store='{"undo": 2, "undo_memory": "2M"}', WEIR_UNDO="3")
    ran = run("%config")
    rows = {row[0]: row[1:4] for row in table_of(ran)}
    assert rows["undo"][:2] == ["3", "WEIR_UNDO"]
    assert rows["undo_memory"] == ["2", "MiB", ".weir/config.json"]
    assert rows["output_limit"] == ["1", "MiB", "~/.config/weir/config.json"]
    assert ran.stream("stderr") == ""


def test_what_is_wrong_is_told_once_at_the_first_cell_and_in_the_log(start, tmp_path):
    run = start(user='{"undo": 4', store='{"undo": "many", "udno": 3, "output_limit": "1M"}', WEIR_CHECKPOINT="maybe")
    run("1", silent=True)  # such a cell has no output: not the place
    first, second = run("1 + 1"), run("2 + 2")
    lines = first.stream("stderr").splitlines()
    assert len(lines) == 4
    assert "/user/weir/config.json: line 1: " in lines[0] and "nothing of this file is used" in lines[0]
    assert lines[1].endswith("/.weir/config.json: undo can't be 'many': give it a whole number from 0 to 64")
    assert "no setting 'udno' (did you mean 'undo'?)" in lines[2]
    assert lines[3] == "weir: WEIR_CHECKPOINT: checkpoint can't be 'maybe': give it auto, on or off"
    assert (first.result, second.result, second.stream("stderr")) == ("2", "4", "")
    log = (tmp_path / "kernel.log").read_text()
    assert all(f"weir-kernel: {line.removeprefix('weir: ')}\n" in log for line in lines)
    assert value_of(run, "output_limit") == "output_limit = 1 MiB"
    assert value_of(run, "undo") == "undo = 10"


def test_a_value_that_is_no_utf8_is_told_too(start):
    run = start(WEIR_UNDO="\udcff9")
    assert run("1").stream("stderr").startswith("weir: WEIR_UNDO: undo can't be '")


def test_what_was_typed_outlives_a_crash_and_undo(start):
    run = start()
    assert run("%config undo = 20").stream() == "undo = 20\n"
    assert run("int x = 1;").reply["status"] == "ok"
    assert run("*(volatile int *)0 = 1;").reply["ename"] == "SegmentationFault"
    assert value_of(run, "undo") == "undo = 20"
    assert run("%undo").reply["status"] == "ok"
    assert value_of(run, "undo") == "undo = 20"


def test_without_checkpoints_a_crash_keeps_what_the_cell_changed_and_says_so(start):
    run = start(WEIR_CHECKPOINT="off")
    run("int x = 1;")
    (error,) = run("x = 2;\n*(volatile int *)0 = 1;").of("error")
    assert (error["ename"], error["traceback"][-1]) == ("SegmentationFault", "What the cell had changed before this stays changed.")
    assert run("x").result == "2"
    run("%config checkpoint = on")
    run("x = 3;")
    (error,) = run("x = 4;\n*(volatile int *)0 = 1;").of("error")
    assert (error["ename"], error["traceback"][-1]) == ("SegmentationFault", "The state from before the cell is back.")
    assert run("x").result == "3"


def test_a_refused_value_changes_nothing(start):
    run = start()
    assert refusal(run("%config undo = 65")) == "cell [1] line 1: undo can't be '65': give it a whole number from 0 to 64"
    assert "did you mean 'undo'?" in refusal(run("%config udno = 6"))
    assert value_of(run, "undo") == "undo = 10"


def test_config_completes(start):
    code = "%config checkpoint = o"
    content = start().client.complete(code, len(code), reply=True, timeout=TIMEOUT)["content"]
    assert content["matches"] == ["on", "off"]
    assert (content["cursor_start"], content["cursor_end"]) == (len(code) - 1, len(code))


def test_output_limit_holds_from_the_next_cell_on(start):
    run = start()
    run("%config output_limit = 1K")
    ran = run('#include <stdio.h>\nfor (int i = 0; i < 1000; i++) printf("123456789\\n");')
    assert ran.stream() == "123456789\n" * 102  # whole lines of at most 1024 bytes
    assert "10.0 kB in all" in ran.stream("stderr")


# ---- %undo ----


def test_undo_goes_back_over_one_cell_and_over_several(start):
    run = start()
    run("int x = 1;")
    for value in (2, 3, 4, 5):
        run(f"x = {value};")
    assert "Undone: cell [5]." in run("%undo").stream()
    assert run("x").result == "4"
    run("%undo")  # of the cell that only looked
    assert "Undone: cell [4], cell [3]." in run("%undo 2").stream()
    assert run("x").result == "2"


def test_cells_that_only_show_are_not_undone(start):
    run = start()
    run("int x = 1;")
    run("x = 2;")
    for cell in ("%undo --list", "%config undo = 12", "%lsmagic", "%runs"):
        run(cell)
    assert table_of(run("%undo --list"))[1:] == [["%undo", "1", "before", "cell", "[2]"], ["%undo", "2", "before", "cell", "[1]"]]
    assert "Undone: cell [2]." in run("%undo").stream()
    assert run("x").result == "1"


def test_undo_says_why_it_cannot(start):
    run = start()
    assert refusal(run("%undo")).startswith("nothing can be undone: no cell has changed the session yet")
    run("int x = 1;")
    assert refusal(run("%undo 2")).startswith("only the last cell can be undone (%undo --list); the settings undo (10) and undo_memory")
    assert "takes a cell of its own: nothing of this one has run" in refusal(run("x = 2;\n%undo"))
    assert run("x").result == "1"
    run("%config checkpoint = off")
    run("x = 3;")
    assert "checkpoints are off. %config checkpoint = on" in refusal(run("%undo"))
    run("%config checkpoint = on")
    run("x = 4;")
    run("x = 5;")
    assert run("%undo").reply["status"] == "ok"
    assert run("x").result == "4"


def test_undo_zero_keeps_the_rollback_of_a_crash(start):
    run = start(WEIR_UNDO="0")
    run("int x = 1;")
    run("x = 2;")
    assert "the setting undo is 0" in refusal(run("%undo"))
    assert run("x = 3; *(volatile int *)0 = 1;").reply["ename"] == "SegmentationFault"
    assert run("x").result == "2"
