"""A real JupyterLab with Weir's kernel in it, and a headless Chromium to look at it."""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import time

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", ROOT / "build"))
CHROMIUM = os.environ.get("WEIR_CHROMIUM", "/usr/bin/chromium")
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync"]


def wait_for(what, seconds, look):
    """look()'s first true answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = look()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


@contextlib.contextmanager
def jupyterlab(folder):
    """A server on a copy of the example notebooks in folder: (address, token). JUPYTER_PATH leads it to the kernelspec."""
    notebooks, data, runtime = folder / "notebooks", folder / "data", folder / "runtime"
    shutil.copytree(ROOT / "notebooks", notebooks, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    token = secrets.token_hex(16)
    environment = {name: value for name, value in os.environ.items()
                   if name == "JUPYTER_PATH" or not name.startswith(("JUPYTER_", "JPY_", "WEIR_HOME"))}
    environment.update(JUPYTER_TOKEN=token, JUPYTER_DATA_DIR=str(data), JUPYTER_RUNTIME_DIR=str(runtime),
                       JUPYTER_CONFIG_DIR=str(folder / "config"))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
               "--ServerApp.port=0", f"--ServerApp.root_dir={notebooks}", "--LabApp.expose_app_in_browser=True",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with open(folder / "jupyterlab.log", "wb") as log:
        server = subprocess.Popen(command, cwd=notebooks, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        def listening():
            assert server.poll() is None, (folder / "jupyterlab.log").read_text()
            for path in runtime.glob("jpserver-*.json"):
                with contextlib.suppress(json.JSONDecodeError):
                    return json.loads(path.read_text())["url"]
            return None

        yield wait_for("JupyterLab's address", 60, listening), token
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextlib.contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Notebook:
    """One notebook open in JupyterLab. Everything is looked up in the page, as a reader sees it."""

    def __init__(self, browser, address, token, name, height=1000):
        self.page = browser.new_page(viewport={"width": 1200, "height": height})
        self.page.set_default_timeout(60_000)
        self.page.goto(f"{address}lab/tree/{name}?token={token}&reset")
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.page.evaluate("window.jupyterapp.restored.then(() => true)")
        self.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell")
        # "Idle" is shown before the kernel is there: ask the kernel itself.
        self.page.evaluate("""async () => {
            const context = window.jupyterapp.shell.currentWidget.sessionContext;
            await context.ready;
            await context.session.kernel.info;
        }""")

    def command(self, name):
        """Run one of JupyterLab's commands (what its menus call) to its end."""
        return self.page.evaluate("name => window.jupyterapp.commands.execute(name).then(() => true)", name)

    def run_all(self):
        self.command("notebook:run-all-cells")
        self.page.wait_for_function("""() => {
            const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent);
            return prompts.length > 0 && prompts.every(text => /\\[\\d+\\]/.test(text));
        }""")

    def add_and_run(self, code):
        """A new last cell with this code, run; its output's text."""
        self.page.evaluate("""code => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = notebook.widgets.length - 1;
            return window.jupyterapp.commands.execute('notebook:insert-cell-below').then(() => {
                notebook.activeCell.model.sharedModel.setSource(code);
                return window.jupyterapp.commands.execute('notebook:run-cell').then(() => true);
            });
        }""", code)
        last = self.page.locator(".jp-CodeCell").last
        last.locator(".jp-OutputArea-output").first.wait_for()
        return last.locator(".jp-Cell-outputArea").inner_text()

    def add_and_start(self, code):
        """The same without waiting for it; the cell."""
        self.page.evaluate("""code => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = notebook.widgets.length - 1;
            return window.jupyterapp.commands.execute('notebook:insert-cell-below').then(() => {
                notebook.activeCell.model.sharedModel.setSource(code);
                window.jupyterapp.commands.execute('notebook:run-cell');
                return true;
            });
        }""", code)
        return self.page.locator(".jp-CodeCell").last

    def output(self, source):
        """Text of the output of the cell whose source begins so."""
        for cell in self.page.locator(".jp-CodeCell").all():
            if cell.locator(".cm-content").inner_text().strip().startswith(source):
                return cell.locator(".jp-Cell-outputArea").inner_text()
        raise AssertionError(f"no cell begins with {source!r}")

    def errors(self):
        selector = '.jp-RenderedText[data-mime-type="application/vnd.jupyter.error"]'
        return [error.inner_text() for error in self.page.locator(selector).all()]

    def screenshot(self, name):
        path = BUILD / "screenshots" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)

    def screenshot_from(self, cell, name, width=1100, height=900):
        """A window of this size, without the file browser, that begins with the cell whose source begins so."""
        size = self.page.viewport_size
        self.command("application:toggle-left-area")
        self.page.locator(".jp-CodeCell", has_text=cell).first.evaluate("cell => cell.scrollIntoView()")
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.locator(".jp-CodeCell", has_text=cell).first.evaluate("cell => cell.scrollIntoView()")
        self.screenshot(name)
        self.page.set_viewport_size(size)
        self.command("application:toggle-left-area")
