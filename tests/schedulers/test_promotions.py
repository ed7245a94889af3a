"""The seam of schedulers that promote: records, columns, journals, tables and documents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sparktune import Study, Threads, Trials, hp, tune
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.results.series import loss_history
from sparktune.samplers import random
from sparktune.schedulers import InOrder, New, Promote
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.stopping import LossThreshold, MaxEvals, NoProgress
from sparktune.trial import Status, Trial

SPACE = {"x": hp.uniform("x", -1, 1)}


@dataclass(frozen=True)
class Twice:
    """Every configuration that ended well is evaluated again, with twice the budget."""

    rungs: tuple[float, ...] = (1.0, 2.0)

    @property
    def max_budget(self) -> float:
        return self.rungs[-1]

    def schedule(self, history: View, free: int) -> Sequence[New | Promote]:
        low = np.flatnonzero(history.ok & (history.budget == 1.0))
        due: list[New | Promote] = [
            Promote(int(row), 2.0) for row in low if row not in history.parent
        ]
        new = [] if history.exhausted else [New(1.0)] * free
        return [*due, *new][:free]

    def scores(self, history: View) -> View:
        return history


def objective(config: dict[str, float], budget: int = 1) -> float:
    return config["x"] ** 2


def run(**more: object) -> Study:
    given: dict[str, object] = {"scheduler": Twice(), "max_trials": 6, "seed": 1} | more
    return tune(objective, SPACE, sampler="random", progress=False, **given)  # type: ignore[arg-type]


def pairs(study: Study) -> list[tuple[float, float, int | None]]:
    return [(t.values["x"], t.budget, t.parent) for t in study.trials.values()]


def test_promotions_are_trials_of_their_own_and_come_on_top() -> None:
    study = run()
    low = [trial for trial in study.trials.values() if trial.parent is None]
    high = [trial for trial in study.trials.values() if trial.parent is not None]
    assert [trial.budget for trial in low] == [1.0] * 6
    assert sorted(trial.parent or 0 for trial in high) == [trial.id for trial in low]
    assert all(trial.values == study.trials[trial.parent or 0].values for trial in high)
    assert {trial.budget for trial in high} == {2.0}
    assert study.stop_reason == "all trials done"


def test_columns_link_the_evaluations_of_a_configuration() -> None:
    history = run().history
    roots = np.flatnonzero(history.parent < 0)
    assert history.root[roots].tolist() == roots.tolist()
    promoted = np.flatnonzero(history.parent >= 0)
    assert (history.root[promoted] == history.parent[promoted]).all()
    assert (history.X[promoted] == history.X[history.parent[promoted]]).all()
    assert history.full == 2.0
    more = history.with_pending(np.zeros((2, 1)))
    assert more.root[-2:].tolist() == [len(history), len(history) + 1]


def test_only_the_largest_budget_is_compared() -> None:
    study = Study(SPACE, scheduler=Twice())
    first, second = study.ask(2)
    study.tell(first, 0.5)
    study.tell(second, 0.1)
    assert study.history.best == 0.1
    promoted = study.ask(1)[0]
    assert promoted.parent == first.id
    study.tell(promoted, 0.4)
    assert study.history.comparable.tolist() == [False, False, True]
    assert study.history.best == 0.4
    assert study.best is not None
    assert study.best.id == promoted.id
    assert LossThreshold(0.2).stop(study.history) is None
    assert MaxEvals(2).stop(study.history)
    assert not MaxEvals(3).stop(study.history)
    assert study.history.ends.loss.tolist() == [np.inf, np.inf, 0.4]
    assert NoProgress(2).stop(study.history) is None
    shown = loss_history(study).best
    assert np.isnan(shown[:2]).all()
    assert shown[2] == 0.4


def test_a_journal_keeps_budgets_and_parents(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    study = run(journal=path)
    lines = path.read_text().splitlines()
    assert json.loads(lines[0])["sparktune"] == 2
    assert json.loads(lines[0])["ladder"] == [1.0, 2.0]
    loaded = Study.load(path, SPACE, scheduler=Twice())
    assert pairs(loaded) == pairs(study)
    assert loaded.history.root.tolist() == study.history.root.tolist()
    study.save(tmp_path / "copy.jsonl")
    assert pairs(Study.load(tmp_path / "copy.jsonl", SPACE)) == pairs(study)


def test_a_cut_journal_goes_on_with_the_same_trials(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    wanted = pairs(run(journal=whole))
    lines = whole.read_bytes().splitlines(keepends=True)
    for cut in range(2, len(lines)):
        path = tmp_path / f"{cut}.jsonl"
        path.write_bytes(b"".join(lines[:cut]))
        assert pairs(run(journal=path)) == wanted, f"after {cut} lines"


def test_other_budgets_are_refused_and_larger_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    run(journal=path)
    with pytest.raises(InvalidArgument, match="the budgets 1, 2, but the scheduler has full"):
        run(journal=path, scheduler=None)
    with pytest.raises(InvalidArgument, match=r"scheduler has the budgets 1, 3"):
        run(journal=path, scheduler=Twice((1.0, 3.0)))
    assert len(run(journal=path, scheduler=Twice((1.0, 2.0, 4.0)), max_trials=7).trials) == 14
    full = tmp_path / "full.jsonl"
    run(journal=full, scheduler=None)
    with pytest.raises(InvalidArgument, match="begun with full evaluations only"):
        run(journal=full)


def test_tables_and_documents_tell_budgets() -> None:
    study = run()
    frame = study.to_pandas()
    assert list(frame.columns[:6]) == ["id", "status", "loss", "budget", "configuration", "parent"]
    assert frame["configuration"].nunique() == 6
    trials = Trials()
    trials.records.update(study.trials)
    promoted = next(doc for doc in trials.trials if doc["misc"].get("parent") is not None)
    assert promoted["misc"]["budget"] == 2.0
    plain = run(scheduler=None)
    assert "budget" not in plain.to_pandas().columns


def test_a_run_goes_on_when_the_sampler_has_no_more_points() -> None:
    @dataclass(frozen=True)
    class Three:
        def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
            left = 3 - int(np.sum(history.parent < 0))
            return random.suggest.suggest(space, history, min(n, left), rng)

    study = tune(objective, SPACE, sampler=Three(), scheduler=Twice(), progress=False)
    assert [trial.budget for trial in study.trials.values()].count(2.0) == 3
    assert study.stop_reason == "all points of the search space tried"


def test_a_point_waits_at_the_smallest_budget() -> None:
    study = run(start=[{"x": 0.25}])
    assert (study.trials[0].values, study.trials[0].budget) == ({"x": 0.25}, 1.0)
    assert len(study.trials) == 14


def test_a_deterministic_run_waits_for_rungs_and_does_not_end_early() -> None:
    runs = [run(on=Threads(3), deterministic=True) for _ in range(2)]
    assert pairs(runs[0]) == pairs(runs[1])
    assert len(runs[0].trials) == 12


def test_in_order_takes_in_one_row_more_until_there_is_work() -> None:
    @dataclass(frozen=True)
    class Barrier(Twice):
        def schedule(self, history: View, free: int) -> Sequence[New | Promote]:
            if history.pending.any():
                return []
            return super().schedule(history, free)

    study = Study(SPACE, scheduler=InOrder(Barrier(), 3))
    for step in range(4):
        for trial in study.ask(1):
            study.tell(trial, float(step))
    assert [trial.parent for trial in study.trials.values()] == [None, 0, None, 2]


def test_explored_points_come_from_the_priors_and_are_marked() -> None:
    @dataclass(frozen=True)
    class Explore(Twice):
        def schedule(self, history: View, free: int) -> Sequence[New | Promote]:
            return [New(1.0, explore=True), New(1.0)][:free]

    class Never:
        def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
            return np.full((n, 1), 0.5)

    study = Study(SPACE, Never(), Explore(), 3)
    first, second = study.ask(2)
    assert first.explore
    assert not second.explore
    assert first.values["x"] != 0.5
    assert second.values["x"] == 0.5
    assert study.history.explore.tolist() == [True, False]


def test_a_record_keeps_its_parent_through_its_end() -> None:
    trial = Trial(3, {"x": 0.5}, Status.RUNNING, 2.0, parent=1, explore=True)
    ended = [trial.told(trial.outcome())]
    assert (ended[0].parent, ended[0].explore) == (1, True)
    assert ended[0].handed_out == trial
