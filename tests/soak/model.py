"""Random cells run by a kernel and by the model, compared again and again.

    model.py --seed 7 --cells 10000          a run; WEIR_BUILD is the build folder (build)
    model.py --replay FILE                   the sequence that a failure has left

What must be: a cell that crashes, exits, is killed or needs a second interrupt gives one error and changes nothing; one
interrupted keeps what it has done; one that does not compile or link changes nothing; %undo N goes back over the last N that
ran. A failure is shortened to what it needs before it is shown.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

import crashes
from cells import LOOPS, MARK, ORDER, READ_HELPERS, act, expression, generator, read_back
from client import Kernel, Wrong
from state import Missing, Model

READ_EVERY = 8
SHORTEN_SECONDS = 120
INTERRUPT = crashes.Crash("", ("KeyboardInterrupt",), crashes.NOWHERE)
KILLED = crashes.Crash("", ("Killed",), crashes.NOWHERE)


def want(condition, what, *shown):
    if not condition:
        raise Wrong(" ".join([what, *map(repr, shown)]))


class Runner:
    """A kernel and the model of its state, side by side."""

    def __init__(self, build, folder):
        self.model = Model()
        self.kernel = Kernel(build, folder)
        self.count = 0
        self.pid = None
        self.note = False  # the next cell will be told that the session was killed
        self.since_read = 0
        self.disasters = 0
        self.seconds = []
        self.shown = []  # texts of the cells
        ran = self.run(crashes.HELPERS + READ_HELPERS)
        want(ran.status == "ok", "the helpers don't compile:", ran)
        self.read()

    # ---- one cell ----

    def check_count(self, ran):
        self.count += 1
        want(ran.reply["execution_count"] == self.count, f"the cell is number {ran.reply['execution_count']}, not {self.count}")

    def run(self, text, **options):
        self.shown.append(text)
        ran = self.kernel.run(text, **options)
        self.seconds.append(ran.seconds)
        if not options.get("silent"):
            self.check_count(ran)
        return ran

    def expect_ok(self, ran, result=None, stdout="", stderr=None):
        want(ran.status == "ok" and not ran.errors, "the cell failed:", ran.errors, ran.stderr)
        want(ran.result == result, f"the value is {ran.result}, not {result}")
        want(ran.stdout == stdout, "it printed", ran.stdout, "not", stdout)
        if self.note:
            want(ran.stderr.startswith("weir: after cell [") and "its state is back" in ran.stderr, "no note of the kill:", ran.stderr)
        elif stderr is not None:
            want(ran.stderr == stderr, "on stderr is", ran.stderr)
        self.note = False

    def expect_error(self, ran, crash, place=""):
        wrong = crashes.check_error(ran, crash, place)
        want(wrong is None, str(wrong))

    # ---- reading everything back ----

    def read(self):
        before = self.model.state.copy()
        text, lines = read_back(self.model.state)
        ran = self.run(text)
        if ran.status == "error" and self.note:  # it had been sent when the kill was noticed
            self.expect_error(ran, KILLED)
            self.note = False
            ran = self.run(text)
        want(ran.status == "ok", "reading the state back failed:", ran.errors, ran.stderr)
        got = ran.stdout.splitlines()
        wrong = [f"{line} (must be {expected.split(' ', 1)[1]})" for line, expected in zip(got[1:], lines) if line != expected]
        want(not wrong and len(got) == len(lines) + 1, f"of {len(lines)} lines read back, {len(got) - 1} came and these are wrong:", *wrong)
        self.expect_ok(ran, stdout=ran.stdout, stderr="")
        self.pid = int(got[0].split()[1])
        self.model.ran(before)
        self.since_read = 0
        self.model.state.collect()

    # ---- operations ----

    def step(self, op):
        """Run one operation. False: it does not fit. Raises Wrong."""
        before = self.model.state.copy()
        try:
            disaster = getattr(self, "do_" + op["op"].replace(" ", "_"))(op, before)
        except Missing:
            self.model.restore(before)
            return False
        self.since_read += 1
        self.disasters += disaster
        if disaster or self.since_read >= READ_EVERY:
            self.read()
        return True

    def do_read(self, op, before):
        return True

    def do_killed_between(self, op, before):
        self.kernel.kill_session(self.pid)
        self.note = True
        return True

    def do_undo(self, op, before):
        self.model.undo(op["n"])
        ran = self.run(f"%undo {op['n']}" if op["n"] > 1 else "%undo")
        want(ran.status == "ok" and not ran.errors, "%undo failed:", ran.errors)
        return True

    def do_cell(self, op, before):
        state, (how, *rest) = self.model.state, op["ends"]
        texts = act(state, op["does"]) or ["soak_zero = 0;"]  # an empty cell is none
        quiet = all(kind not in ORDER for kind, *_ in op["does"])  # else there may be notes about redefinitions
        return getattr(self, "end_" + how.replace(" ", "_"))(texts, op, before, "" if quiet else None, *rest)

    def keep(self, before):
        self.model.ran(before)
        return False

    def back(self, before):
        self.model.restore(before)
        return True

    def end_return(self, texts, op, before, stderr):
        self.expect_ok(self.run("\n".join(texts)), stderr=stderr)
        return self.keep(before)

    def end_value(self, texts, op, before, stderr, e):
        text, value = expression(self.model.state, e)
        self.expect_ok(self.run("\n".join(texts + [text])), result=str(value), stderr=stderr)
        return self.keep(before)

    def end_print(self, texts, op, before, stderr, e):
        text, value = expression(self.model.state, e)
        self.expect_ok(self.run("\n".join(texts + [f'printf("%d\\n", {text});'])), stdout=f"{value}\n", stderr=stderr)
        return self.keep(before)

    def end_silent(self, texts, op, before, stderr):
        ran = self.run("\n".join(texts + ["soak_zero"]), silent=True)
        self.expect_ok(ran)
        want(ran.types == [], "a silent cell published", ran.types)
        return self.keep(before)

    def end_expressions(self, texts, op, before, stderr, e):
        text, value = expression(self.model.state, e)
        ran = self.run("\n".join(texts), user_expressions={"a": text, "b": "soak_undeclared"})
        self.expect_ok(ran)
        answers = ran.reply["user_expressions"]
        want(answers["a"].get("data", {}).get("text/plain") == str(value), f"{text} gave", answers["a"], "not", value)
        want(answers["b"]["status"] == "error" and answers["b"]["ename"] == "CompileError", "an undeclared name gave", answers["b"])
        return self.keep(before)

    def end_main(self, texts, op, before, stderr, status):
        if any(kind == "declare" for kind, *_ in op["does"]):
            raise Missing("main")
        outside = [t for t, (kind, *_) in zip(texts, op["does"]) if kind in ORDER]
        inside = [t for t, (kind, *_) in zip(texts, op["does"]) if kind not in ORDER]
        ran = self.run("\n".join(outside + ["int main(void)\n{"] + inside + [f"exit({status});\n}}"]))
        self.expect_ok(ran, result=f"main ended with status {status}", stderr=stderr)
        return self.keep(before)

    def end_compile_error(self, texts, op, before, stderr):
        ran = self.run("\n".join(texts + ["soak_undeclared = 1;"]))
        want([e["ename"] for e in ran.errors] == ["CompileError"], "an undeclared name gave", ran)
        return self.back(before)

    def end_link_error(self, texts, op, before, stderr):
        ran = self.run("\n".join(texts + ["int soak_nowhere(int);", "soak_nowhere(1);"]))
        want([e["ename"] for e in ran.errors] == ["NameError"], "an undefined function gave", ran)  # when it is called
        return self.back(before)

    def end_crash(self, texts, op, before, stderr, name):
        crash = crashes.CRASHES[name]
        text = "\n".join(texts + [crash.code])
        ran = self.run(text)
        self.expect_error(ran, crash)  # (where: tests/soak/crashes; here stale frames of earlier calls lie about)
        return self.back(before)

    def end_crash_in_an_expression(self, texts, op, before, stderr):
        ran = self.run("\n".join(texts), user_expressions={"a": "soak_deref(NULL)"})
        self.expect_error(ran, crashes.CRASHES["a thread reads NULL"])
        return self.back(before)

    def send_looping(self, texts, loop):
        text = "\n".join(texts + [f'printf("{MARK}"); fflush(stdout);', loop])
        self.shown.append(text)
        cell = self.kernel.send(text)
        want(self.kernel.wait_for(cell, MARK), "the cell ended before its loop:", cell.ran)
        return cell

    def finish_looping(self, cell):
        ran = self.kernel.finish(cell)
        self.check_count(ran)
        return ran

    def end_interrupt(self, texts, op, before, stderr, loop):
        cell = self.send_looping(texts, LOOPS[loop])
        self.kernel.interrupt()
        ran = self.finish_looping(cell)
        want([e["ename"] for e in ran.errors] == ["KeyboardInterrupt"], "an interrupt gave", ran)
        want(not any("is back" in line for line in ran.errors[0]["traceback"]), "an interrupted cell was rolled back")
        self.model.ran(before)
        return True

    def end_second_interrupt(self, texts, op, before, stderr):
        """Pressed until it ends: one that comes too soon after the first is taken for a double click."""
        cell = self.send_looping(texts, "signal(SIGINT, SIG_IGN); for (;;) { }")
        self.kernel.interrupt()
        while not self.kernel.ended_within(cell, 0.1):
            self.kernel.interrupt()
        self.expect_error(self.finish_looping(cell), INTERRUPT)
        return self.back(before)

    def end_killed(self, texts, op, before, stderr):
        cell = self.send_looping(texts, LOOPS["computing"])
        self.kernel.kill_session(self.pid)
        self.expect_error(self.finish_looping(cell), KILLED)
        return self.back(before)

    def close(self):
        self.kernel.close()


# ---- runs ----

def replay(build, ops):
    """Run the operations that fit, on a kernel of their own. (What went wrong or None, the texts of the cells.)"""
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        runner = Runner(build, folder)
        try:
            for op in ops:
                runner.step(op)
            runner.read()
        except Wrong as wrong:
            return str(wrong), runner.shown
        finally:
            runner.close()
    return None, runner.shown


def smaller(ops):
    """Shorter sequences to try, the shortest first: halves, quarters ... left out, then single actions of cells."""
    size = len(ops) // 2
    while size:
        for at in range(0, len(ops), size):
            yield ops[:at] + ops[at + size:]
        size //= 2
    for i, op in enumerate(ops):
        for k in range(len(op.get("does", []))):
            yield ops[:i] + [{**op, "does": op["does"][:k] + op["does"][k + 1:]}] + ops[i + 1:]


def shorten(build, ops):
    """A sequence of few operations that fails too. None: it did not fail again."""
    deadline = time.monotonic() + SHORTEN_SECONDS
    length, found = 1, None
    while found is None and length < 2 * len(ops):
        if replay(build, ops[-length:])[0]:
            found = ops[-length:]
        length *= 4
    shorter = found is not None
    while shorter and time.monotonic() < deadline:
        shorter = False
        for candidate in smaller(found):
            if time.monotonic() > deadline:
                break
            if replay(build, candidate)[0]:
                found, shorter = candidate, True
                break
    return found


def report(build, seed, ops, wrong, shown):
    """The failure in words, with a file to replay it."""
    found = shorten(build, ops)
    kept = found or ops
    path = pathlib.Path(build) / "reports" / f"model-{seed}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(kept))
    words = [f"seed {seed}, operation {len(ops)}: {wrong}"]
    if found:
        again, shown = replay(build, found)
        words.append(f"shortened to {len(found)} operations: {again}")
    else:
        words.append("the same cells on another kernel went well; the last ones were:")
    words += [f"--- cell {i + 1}\n{text}" for i, text in list(enumerate(shown))[1:][-20:]]
    words.append(f"replay: tests/soak/model.py --replay {path}")
    words.append(f"the whole run: tests/soak/model.py --seed {seed} --cells {len(ops)}")
    return "\n".join(words)


def run(build, seed, cells, say=None):
    """None, or a report of what went wrong."""
    make, ops, started = generator(seed), [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        runner = Runner(build, folder)
        try:
            while len(ops) < cells:
                op = make(runner.model.state)
                ops.append(op)
                if not runner.step(op):
                    ops.pop()
                elif say and len(ops) % 1000 == 0:
                    say(f"{len(ops)} cells, {runner.count} with those that read back, {runner.disasters} disasters, "
                        f"{time.monotonic() - started:.1f} s")
            runner.read()
            want(runner.kernel.shutdown() == 0, "the kernel did not end well")
        except Wrong as wrong:
            runner.close()
            return report(build, seed, ops, wrong, runner.shown)
        finally:
            runner.close()
    return None


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--seed", type=int, default=int(time.time()))
    words.add_argument("--cells", type=int, default=10000)
    words.add_argument("--replay")
    options = words.parse_args()
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    build = pathlib.Path(os.environ.get("WEIR_BUILD", root / "build")).resolve()
    if options.replay:
        wrong, shown = replay(build, json.loads(pathlib.Path(options.replay).read_text()))
        print("\n".join(f"--- cell {i + 1}\n{text}" for i, text in list(enumerate(shown))[1:]))
    else:
        wrong = run(build, options.seed, options.cells, lambda line: print(line, flush=True))
    print(wrong or "all as it must be")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
