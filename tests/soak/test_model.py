"""Random cells against the model of what the state must be: see model.py."""

import pytest
from model import run
from sizes import size

SEEDS = size([1, 2], [1, 2, 3, 4])


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_state_is_what_the_model_says(weir_build, seed):
    wrong = run(weir_build, seed, size(2500, 10000))
    assert wrong is None, wrong
