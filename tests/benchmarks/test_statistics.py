"""The statistics of the comparison, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.statistics import by_kind, evaluations_ratio, paired, ranks


def test_ranks_are_means_and_ties_share_theirs() -> None:
    a, b, c = np.array([[0.1, 0.5]]), np.array([[0.2, 0.5]]), np.array([[0.3, 0.1]])
    assert ranks({"a": a, "b": b, "c": c}) == {"a": 1.75, "b": 2.25, "c": 2.0}


def test_the_interval_covers_the_mean_and_says_who_is_ahead() -> None:
    rng = np.random.default_rng(0)
    theirs = rng.random((20, 10))
    ahead = paired(theirs - 0.1, theirs)
    assert ahead.mean == pytest.approx(-0.1)
    assert ahead.verdict == "ahead"
    assert paired(theirs, theirs - 0.1).verdict == "behind"
    assert paired(rng.permutation(theirs), theirs).verdict == "open"


def test_the_interval_is_as_wide_as_problems_differ() -> None:
    ours = np.zeros((16, 5))
    theirs = np.tile(np.random.default_rng(0).normal(size=16), (5, 1)).T
    interval = paired(ours, theirs)
    expected = 2 * 1.96 * theirs[:, 0].std() / np.sqrt(16)
    assert interval.high - interval.low == pytest.approx(expected, rel=0.1)


def test_the_ratio_counts_evaluations_to_their_result() -> None:
    theirs = np.tile(np.linspace(1.0, 0.1, 10), (2, 3, 1))  # 0.1 after 10 evaluations
    quick = np.where(np.arange(20) >= 4, 0.05, 1.0) * np.ones((2, 3, 1))
    never = np.ones((2, 3, 20))
    assert evaluations_ratio(quick, theirs, 10) == pytest.approx(0.5)
    assert evaluations_ratio(never, theirs, 10) == pytest.approx(2.1)
    mixed = np.stack([quick[0], never[0]])
    assert evaluations_ratio(mixed, theirs, 10) == pytest.approx(np.sqrt(0.5 * 2.1))


def test_kinds_are_compared_by_their_mean_regrets() -> None:
    ours, theirs = np.array([[0.1], [0.3], [0.2]]), np.array([[0.2], [0.2], [0.1]])
    found = by_kind(["smooth", "smooth", "noisy"], ours, theirs)
    assert found == {"smooth": pytest.approx(1.0), "noisy": pytest.approx(2.0)}
