"""Every figure of notebooks/02_pima.ipynb against the same computation in numpy."""

import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

from pima_numpy import FEATURES, pima

ROOT = pathlib.Path(__file__).resolve().parents[2]
RATES, EPOCHS, SEED = [0.01, 0.1, 1.0], 500, 42
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


class Run:
    """A finished run of the notebook, its artifacts by place."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        shutil.copytree(ROOT / "notebooks" / "data", folder / "data")
        shutil.copy(ROOT / "notebooks" / "02_pima.ipynb", folder)
        self.output = self.weir("run", "02_pima.ipynb")

    def weir(self, *arguments):
        done = subprocess.run([self.build / "weir", *arguments], cwd=self.folder, capture_output=True, text=True,
                              env={k: v for k, v in os.environ.items() if k != "WEIR_HOME"}, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def __getitem__(self, place):
        return np.load(self.weir("artifact", "path", place).strip())


@pytest.fixture(scope="module")
def run(weir_build, tmp_path_factory):
    return Run(weir_build, tmp_path_factory.mktemp("pima"))


@pytest.fixture(scope="module")
def expected():
    return pima(ROOT / "notebooks" / "data" / "pima.csv", RATES, EPOCHS, SEED)


def test_the_table_is_what_numpy_reads(run):
    table = np.loadtxt(ROOT / "notebooks" / "data" / "pima.csv", delimiter=",", skiprows=1)
    patients = run["patients"]
    names = ["pregnancies", "glucose", "pressure", "skin", "insulin", "bmi", "pedigree", "age", "diabetes"]
    assert patients.shape == (768,)
    for column, name in enumerate(names):
        assert (patients[name] == table[:, column]).all()


def test_the_split_is_the_same(run, expected):
    order = expected["fit"] + expected["validation"] + expected["test"]
    assert run["order"].tolist() == order
    assert run["part"].item()[:3] == (len(expected["fit"]), len(expected["validation"]), len(expected["test"])) == (429, 108, 231)


def test_the_rows_are_standardised_alike(run, expected):
    order = expected["fit"] + expected["validation"] + expected["test"]
    assert run["x"].shape == (768, FEATURES)
    np.testing.assert_allclose(run["x"], expected["x"][order], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("task", range(len(RATES)))
def test_losses_of_each_rate(run, expected, task):
    np.testing.assert_allclose(run[f"train/{task}/loss"], expected["loss"][task], **CLOSE)
    np.testing.assert_allclose(run[f"train/{task}/validation"], expected["validation_loss"][task], **CLOSE)
    np.testing.assert_allclose(run[f"train/{task}/curve"], expected["curve"][task], **CLOSE)


@pytest.mark.parametrize("task", range(len(RATES)))
def test_weights_of_each_rate(run, expected, task):
    net = run[f"train/{task}/net"]
    for name, weights in zip(("w1", "b1", "w2", "b2"), expected["net"][task]):
        np.testing.assert_allclose(net[name], weights, rtol=1e-7, atol=1e-10)


def test_the_winner_and_its_accuracy(run, expected):
    winner = run["winner"]
    assert winner["rate"] == RATES[expected["best"]]
    np.testing.assert_allclose(winner["validation"], expected["validation_loss"][expected["best"]], **CLOSE)
    assert run["confusion"].tolist() == expected["confusion"]
    assert run["accuracy"] == expected["accuracy"]


def test_the_run_prints_them(run, expected):
    assert "768 patients" in run.output
    assert f"rate {RATES[expected['best']]:g} wins" in run.output
    assert f"accuracy on 231 rows that nothing has seen: {expected['accuracy']:.4f}" in run.output
