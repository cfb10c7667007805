"""Sizes: what `make check` has time for, and with WEIR_SOAK=1 (`make soak`) the whole."""

import os

import pytest

FULL = os.environ.get("WEIR_SOAK") == "1"


def size(check, soak):
    return soak if FULL else check


@pytest.fixture
def say(capsys):
    """Print a line that is seen while the test runs."""

    def line(text):
        with capsys.disabled():
            print(f"\n{text}", end="", flush=True)

    return line
