"""Samples that grow with a budget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from sparktune import ASHA, hp, subset, tune


@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_samples_are_nested_and_keep_the_shares_of_classes(
    counts: list[int], seed: int, data: Any
) -> None:
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    n = len(y)
    size = data.draw(st.integers(1, n))
    rows = subset(y, size, seed)
    assert len(set(rows.tolist())) == size
    assert rows.tolist() == subset(y, n, seed)[:size].tolist()
    for label, count in enumerate(counts):
        mine = int(np.sum(y[rows] == label))
        if size >= len(counts):
            assert mine >= 1
        assert abs(mine - size * count / n) <= len(counts)


def test_shares_are_those_of_the_whole_in_real_data() -> None:
    _, y = load_digits(return_X_y=True)
    for budget in (67, 200, 599):
        shares = np.bincount(y[subset(y, budget)]) / budget
        assert np.abs(shares - np.bincount(y) / len(y)).max() < 0.03


def test_targets_that_are_numbers_are_divided_at_their_deciles() -> None:
    y = np.random.default_rng(0).lognormal(0, 2, 1000)
    rows = subset(y, 50)
    counts = np.histogram(y[rows], np.quantile(y, np.arange(11) / 10))[0]
    assert counts.tolist() == [5] * 10


def test_seeds_shares_and_rows_without_targets() -> None:
    y = np.arange(300) % 3
    assert subset(y, 30, 1).tolist() == subset(y, 30, 1).tolist()
    assert subset(y, 30, 1).tolist() != subset(y, 30, 2).tolist()
    assert subset(y, 0.1, 1).tolist() == subset(y, 30, 1).tolist()
    assert sorted(subset(y, 1.0).tolist()) == [*range(300)]
    assert len(subset(y, 1)) == len(subset(y, 1e-9)) == 1
    assert sorted(subset(7, 7).tolist()) == [*range(7)]
    assert len(subset(["a", "b", "a", "b"], 2)) == 2


@pytest.mark.parametrize("budget", [0, 11, -0.5, 2.5, "2", None])
def test_budgets_that_are_not_numbers_of_rows_are_refused(budget: Any) -> None:
    with pytest.raises(ValueError, match="from 1 to 10, or a float"):
        subset(np.zeros(10), budget)


def test_several_targets_for_a_row_are_refused() -> None:
    with pytest.raises(ValueError, match=r"its shape is \(10, 2\)"):
        subset(np.zeros((10, 2)), 3)


def test_it_serves_the_budgets_of_a_run() -> None:
    y = np.arange(90) % 2
    seen: dict[float, set[tuple[int, ...]]] = {}

    def objective(config: dict[str, float], budget: int) -> float:
        seen.setdefault(budget, set()).add(tuple(subset(y, budget, 3).tolist()))
        return config["x"]

    space = {"x": hp.uniform("x", 0, 1)}
    tune(objective, space, scheduler=ASHA(10, 90), max_trials=9, seed=0, progress=False)
    assert {budget: len(samples) for budget, samples in seen.items()} == {10: 1, 30: 1, 90: 1}
