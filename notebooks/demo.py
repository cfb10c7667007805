"""`make demo`: run the example notebooks through a real Jupyter client and the installed kernelspec, then show what the runs left.

With --save (`make notebooks`) the outputs are also kept in the notebooks themselves.
"""

import pathlib
import subprocess
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent
WEIR = ROOT / "build" / "weir"
NOTEBOOKS = ["01_branch_flow.ipynb", "02_pima.ipynb"]


def text_of(output):
    """An output as a terminal can show it."""
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return "\n".join(output.traceback) + "\n"
    text = output.get("data", {}).get("text/plain", "")
    return text + "\n" if text else ""


def show_cell(cell, cell_index, execute_reply=None):
    if cell.cell_type != "code" or not cell.source.strip():
        return
    first = cell.source.splitlines()[0]
    print(f"  [{cell.execution_count}] {first}", flush=True)
    for output in cell.outputs:
        for line in text_of(output).splitlines():
            print(f"        {line}", flush=True)


def execute(name):
    """The executed notebook; its own folder is the working folder, as in JupyterLab."""
    notebook = nbformat.read(FOLDER / name, as_version=4)
    client = NotebookClient(notebook, timeout=300, kernel_name="weir", record_timing=False,
                            resources={"metadata": {"path": str(FOLDER)}}, on_cell_executed=show_cell)
    started = time.monotonic()
    print(f"\n{name}", flush=True)
    client.execute()
    print(f"  -- {time.monotonic() - started:.1f} s, from starting the kernel to the last cell")
    return notebook


def weir(*arguments):
    print(f"\n$ weir {' '.join(arguments)}", flush=True)
    subprocess.run([WEIR, *arguments], cwd=FOLDER, check=True)


def main():
    save = "--save" in sys.argv[1:]
    for name in NOTEBOOKS:
        try:
            notebook = execute(name)
        except CellExecutionError as error:
            print(error, file=sys.stderr)
            return 1
        if save:
            nbformat.write(notebook, FOLDER / name)
    print("\nWhat the runs did, asked from the command line (any other process can):")
    weir("runs")
    weir("artifact")
    weir("artifact", "winner")
    print(f"\nTo open the notebooks yourself:   make lab\nThe runs are in {FOLDER / '.weir'}; the command line is {WEIR}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
