"""The problems and the statistics of the benchmark for budgets that grow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.curves import DATA, DEVELOPMENT, FULL, TABLES, VALIDATION, available, problem
from tests.benchmarks.fidelity import stored
from tests.benchmarks.fidelity_goals import GRID, curves, ratio, share
from tests.benchmarks.fidelity_runs import Found, Machine, run


@pytest.mark.parametrize("name", available())
def test_regrets_are_in_units_of_the_median_and_none_is_below_the_best(name: str) -> None:
    of, rng = problem(name, 0, 0.5), np.random.default_rng(1)
    names = [param.name for param in of.params]
    rows = rng.random((300, len(names))).tolist()
    points = [dict(zip(names, row, strict=True)) for row in rows]
    regrets = np.array([of.regret(point) for point in points])
    assert regrets.min() >= 0
    assert 0.7 < np.median(regrets) < 1.4
    assert all(of.speed(point, rng) > 0 for point in points[:9])
    assert (name in DEVELOPMENT) is not (name in VALIDATION)


@pytest.mark.parametrize("name", [name for name in available() if name in TABLES])
def test_tables_have_the_losses_of_their_points(name: str) -> None:
    of, rng = problem(name, 0, 0.5), np.random.default_rng(0)
    with np.load(DATA / f"curves_{name}.npz") as table:
        for i in (0, 7):
            point = {f"u{j}": float(u) for j, u in enumerate(table["points"][i])}
            for budget in (1, 9, FULL):
                column = int(np.searchsorted(table["budgets"], budget))
                seen = of.seen(point, budget, rng)
                assert seen == pytest.approx(table["loss"][i, column], abs=1e-5)


def test_a_run_notes_what_it_recommends() -> None:
    found = run("easy", "random, full", 0, Machine(slots=4))
    spent, regrets = np.array(found.steps).T
    assert (np.diff(spent) > 0).all()
    assert (np.diff(regrets) < 0).all()  # full evaluations without noise to speak of
    assert found.counts == {1.0: 84}  # 81 that ended, and what ran then
    assert found.busy == pytest.approx(1)


def test_shares_and_ratios() -> None:
    found = Found()
    for spent, regret in ((1.0, 0.8), (2.0, 0.8), (20.25, 0.1)):
        found.note(spent, regret)
    assert found.steps == [(1.0, 0.8), (20.25, 0.1)]
    quick = curves([{"steps": [(8.0, 0.1)]}, {"steps": [(10.0, 0.1)]}])
    slow = curves([{"steps": found.steps}] * 2)
    assert slow[0, np.searchsorted(GRID, (0.5, 1, 20, 20.5))].tolist() == [1, 0.8, 0.8, 0.1]
    assert share(quick, slow) == pytest.approx(10 / 81)
    assert share(np.ones_like(slow), slow) == 1
    assert ratio(16)(quick, slow) == pytest.approx(0.101 / 0.801)


def test_a_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert stored(tmp_path / "none") == []
