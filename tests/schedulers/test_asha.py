"""ASHA: rungs, promotions, quotas, audits, finalists, and what samplers see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktune import ASHA, Study, Threads, fmin, hp, tune
from sparktune.budgets.objective import takes
from sparktune.errors import InvalidArgument
from sparktune.events import Begun, Limit
from sparktune.history import View
from sparktune.ranks import rank_correlation
from sparktune.results import ranking
from sparktune.results.series import loss_history
from sparktune.samplers.algorithms import ALGORITHMS
from sparktune.schedulers import New
from sparktune.schedulers.rungs import Standing, geometric
from sparktune.space.space import Space
from sparktune.stopping import MaxBudget
from sparktune.trial import Status, Trial

SPACE = {"x": hp.uniform("x", -1, 1)}


def loss(config: dict[str, float], budget: int) -> float:
    assert type(budget) is int
    return (config["x"] - 0.3) ** 2 + 1 / budget


def counts(study: Study) -> dict[float, int]:
    return dict(Counter(trial.budget for trial in study.trials.values()))


def begun(scheduler: Any, trials: int) -> Study:
    study = Study(SPACE, "random", scheduler, 1)
    study.begin([Begun(study.about(""), Limit(trials, trials))])
    return study


@pytest.mark.parametrize(
    ("ends", "rungs"),
    [
        ((1, 81, 3), (1, 3, 9, 27, 81)),
        ((3, 81, 3), (3, 9, 27, 81)),
        ((1, 100, 3), (1, 4, 11, 33, 100)),
        ((2, 100, 3), (4, 11, 33, 100)),
        ((1, 4, 1.3), (1, 2, 3, 4)),
        ((0.25, 1, 2), (0.25, 0.5, 1)),
        ((1 / 27, 1, 3), (1 / 27, 1 / 9, 1 / 3, 1)),
    ],
)
def test_rungs(ends: tuple[float, float, float], rungs: tuple[float, ...]) -> None:
    assert geometric(*ends) == pytest.approx(rungs)
    assert ASHA(*ends).rungs[-1] == ASHA(*ends).max_budget


def test_the_default_ladder_has_four_rungs() -> None:
    assert ASHA(max_budget=81).rungs == (3, 9, 27, 81)
    assert ASHA(max_budget=10).rungs == (1, 3, 10)
    assert ASHA().rungs == pytest.approx((1 / 27, 1 / 9, 1 / 3, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_budget": 0}, "min_budget must be a number > 0, got 0"),
        ({"min_budget": 3, "max_budget": 3}, "must be smaller than max_budget, got 3 and 3"),
        ({"min_budget": 1, "max_budget": float("inf")}, "max_budget must be a number > 0"),
        ({"max_budget": "81"}, "must be a number > 0"),
        ({"eta": 1}, "eta must be larger than 1"),
        ({"min_budget": 50, "max_budget": 100}, "there is no budget between"),
        ({"audit": 0.6}, "audit must be a number from 0 to 0.5"),
        ({"finalists": 0}, "finalists must be an integer >= 1"),
        ({"max_budget": 9, "grow": 1}, "grow must be True or False"),
        ({"max_budget": 9, "grow": True, "brackets": 2}, "True needs brackets=1"),
        ({"min_budget": 1, "max_budget": 9, "brackets": 4}, "rungs, which are 1, 3, 9; got 4"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        ASHA(**arguments)


@settings(max_examples=30)
@given(n=st.integers(1, 100), eta=st.integers(2, 4), rungs=st.integers(2, 4))
def test_one_after_the_other_each_rung_has_its_share_of_the_one_below(
    n: int, eta: int, rungs: int
) -> None:
    study = begun(ASHA(1, eta ** (rungs - 1), eta, audit=0), n)
    while trials := study.ask(1):
        study.tell(trials[0], loss({"x": trials[0].values["x"]}, int(trials[0].budget)))
    expected = {1: n}
    for k in range(1, rungs):
        expected[eta**k] = max(expected[eta ** (k - 1)] // eta, 1)
    assert counts(study) == expected
    assert study.best is not None
    assert study.best.budget == eta ** (rungs - 1)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31))
def test_no_more_than_the_quota_is_promoted_at_any_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    study = begun(ASHA(1, 27, audit=0), 60)
    for _ in range(60):
        study.ask(int(rng.integers(1, 6)))
        for id in rng.permutation(sorted(study.running))[: rng.integers(0, 6)]:
            study.tell(int(id), float(rng.normal()) if rng.random() < 0.9 else {"status": "fail"})
        history = study.history
        if history.exhausted:  # finalists may go further
            break
        for low, high in ((1, 3), (3, 9), (9, 27)):
            ended = np.count_nonzero(history.ok & (history.budget == low))
            live = (history.ok | history.pending) & (history.budget == high)
            assert np.count_nonzero(live) <= ended // 3


def test_the_best_are_promoted_first_from_the_top_down() -> None:
    study = begun(ASHA(1, 9, audit=0), 100)
    for trial, value in zip(study.ask(9), range(9, 0, -1), strict=True):
        study.tell(trial, value)
    promoted = study.ask(4)
    assert [(trial.parent, trial.budget) for trial in promoted] == [
        (8, 3),
        (7, 3),
        (6, 3),
        (None, 1),
    ]
    for trial in promoted[:3]:
        study.tell(trial, 1.0)
    assert [(trial.parent, trial.budget) for trial in study.ask(1)] == [(promoted[0].id, 9)]


def test_a_promotion_that_fails_gives_its_place_to_the_next() -> None:
    study = begun(ASHA(1, 9, audit=0), 7)
    for trial in study.ask(6):
        study.tell(trial, trial.id)
    first, second, new = study.ask(3)
    assert [first.parent, second.parent, new.parent] == [0, 1, None]
    study.tell(first, {"status": "fail"})
    assert [trial.parent for trial in study.ask(1)] == []
    study.tell(new, 0.5)
    assert [trial.parent for trial in study.ask(1)] == [new.id]


def test_a_short_run_ends_with_a_full_evaluation() -> None:
    study = tune(loss, SPACE, scheduler=ASHA(1, 81), max_trials=2, seed=1, progress=False)
    assert counts(study) == {1: 2, 3: 1, 9: 1, 27: 1, 81: 1}
    many = tune(
        loss, SPACE, scheduler=ASHA(1, 9, finalists=3), max_trials=5, seed=1, progress=False
    )
    assert counts(many)[9] == 3


def test_audits_climb_whatever_their_losses() -> None:
    study = tune(
        loss, SPACE, scheduler=ASHA(1, 9), max_trials=120, on=Threads(3), seed=1, progress=False
    )
    audits = [trial for trial in study.trials.values() if trial.explore]
    history = study.history
    assert len(audits) >= 6
    for trial in audits:
        assert (history.root == trial.id).sum() == 3
    assert len(audits) * 9 <= 0.2 * history.spent.sum()


def test_no_configuration_is_promoted_twice() -> None:
    study = begun(ASHA(1, 9), 10**6)
    for _ in range(100):
        for trial in study.ask(4):
            study.tell(trial, loss(dict(trial.values), int(trial.budget)))
    climbed = Counter((trial.parent, trial.budget) for trial in study.trials.values())
    assert {n for (parent, _), n in climbed.items() if parent is not None} == {1}


def test_an_explored_configuration_alone_at_the_full_budget_is_not_the_best() -> None:
    study = begun(ASHA(1, 27, audit=0.3, grow=True), 10**6)
    alone = 0
    for _ in range(300):
        for trial in study.ask(1):
            study.tell(trial, trial.values["x"] + 1 / trial.budget)
        explored = study.history.explore[study.history.root]
        own = study.history.ok & ~explored
        reached = study.history.budget[own].max()
        assert study.best is not None
        assert study.best.budget == reached
        assert study.history.best == study.best.loss
        assert loss_history(study).best[-1] == study.best.loss
        alone += bool(study.history.budget[study.history.ok & explored].max(initial=0) > reached)
    assert alone > 100


def test_explored_configurations_count_where_others_are_or_if_there_are_no_others() -> None:
    rows = [(1, 1.0, None, False), (1, 3.0, None, True), (9, 2.0, 1, False)]
    made = [
        Trial(i, {"x": 0}, Status.OK, budget, loss, parent=parent, explore=explore)
        for i, (budget, loss, parent, explore) in enumerate(rows)
    ]
    other = Trial(3, {"x": 0}, Status.OK, 9, 4.0, parent=0)
    for trials, best in ((made, 1.0), ([*made, other], 2.0), (made[1:], 2.0)):
        assert View.of(trials, np.zeros((len(trials), 1))).best == best
        found = ranking.best(trials)
        assert found is not None
        assert found.loss == best


def losses(study: Study, value: Any, n: int) -> None:
    for _ in range(n):
        for trial in study.ask(1):
            study.tell(trial, value(trial.values["x"], trial.budget))


def test_new_points_start_where_losses_begin_to_tell() -> None:
    def reversed_at_first(x: float, budget: float) -> float:
        return -x if budget < 9 else x

    study = begun(ASHA(1, 27, audit=0.5), 10**6)
    losses(study, reversed_at_first, 400)
    standing = Standing.of(study.history, (1, 3, 9, 27), 3)
    assert standing.first == 2
    assert study.scheduler.schedule(study.history, 50)[-1] == New(9)
    shown = study.scheduler.scores(study.history)
    order = np.argsort(shown.loss)
    assert rank_correlation(shown.X[:, 0], shown.loss) > 0.8
    assert len(shown) < np.count_nonzero(study.history.parent < 0)
    assert shown.X[order[0], 0] < -0.9


def test_budgets_that_only_tell_what_is_bad_are_not_trusted() -> None:
    def reversed_among_the_best(x: float, budget: float) -> float:
        return -1 - x if budget < 9 and x < 0 else x

    study = begun(ASHA(1, 27), 10**6)
    losses(study, reversed_among_the_best, 1200)
    history = study.history
    full = np.flatnonzero((history.budget == 27) & history.explore[history.root])
    assert rank_correlation(history.loss[history.root[full]], history.loss[full]) > 0.2
    assert Standing.of(history, (1, 3, 9, 27), 3).first == 2


def test_good_fidelities_are_trusted() -> None:
    study = begun(ASHA(1, 27), 10**6)
    losses(study, lambda x, budget: x + 1 / budget, 400)
    standing = Standing.of(study.history, (1, 3, 9, 27), 3)
    assert standing.first == 0
    assert standing.size[3] >= 6


def view(*rows: tuple[float, float | None, int | None, Status]) -> View:
    trials = [
        Trial(i, {"x": i / 10}, status, budget, value, parent=parent)
        for i, (budget, value, parent, status) in enumerate(rows)
    ]
    X = np.array([[(trial.parent or trial.id) / 10] for trial in trials])
    return View.of(trials, X)


def test_scores_are_expected_quantiles() -> None:
    ok, run, bad = Status.OK, Status.RUNNING, Status.ERROR
    history = view(
        (1, 6.0, None, ok),
        (1, 5.0, None, ok),
        (1, 4.0, None, ok),
        (1, 3.0, None, ok),
        (1, 2.0, None, ok),
        (1, 1.0, None, ok),
        (3, 100.0, 5, ok),
        (3, None, 4, run),
        (1, None, None, run),
        (1, None, None, bad),
    )
    shown = ASHA(1, 3, audit=0).scores(history)
    assert shown.loss[:6] == pytest.approx([5.5 / 6, 4.5 / 6, 3.5 / 6, 2.5 / 6, 1.5 / 6, 0.5 / 6])
    assert shown.pending.tolist() == [False] * 6 + [True, False]
    assert shown.ok.tolist() == [True] * 6 + [False, False]
    failed = ASHA(1, 3, audit=0).scores(
        view(*[(1, float(i), None, ok) for i in range(6)], (3, None, 0, bad))
    )
    assert failed.loss[0] == 1.0


def test_a_configuration_that_failed_later_is_the_last_of_its_rung() -> None:
    study = begun(ASHA(1, 9, audit=0), 12)
    for trial in study.ask(6):
        study.tell(trial, trial.id)
    study.tell(study.ask(1)[0], {"status": "fail"})
    shown = study.scheduler.scores(study.history)
    assert shown.loss.tolist() == pytest.approx([1.0, *((i + 0.5) / 6 for i in range(1, 6))])


def test_brackets_start_at_several_rungs() -> None:
    study = begun(ASHA(1, 9, audit=0, brackets=3), 200)
    while trials := study.ask(1):
        study.tell(trials[0], trials[0].values["x"])
    starts = Counter(t.budget for t in study.trials.values() if t.parent is None)
    assert starts[1] > starts[3] > starts[9] > 10


@pytest.mark.parametrize(("resource", "short"), [(2, True), (12, False)])
def test_a_best_trial_without_the_full_budget_is_warned_of(
    resource: float, short: bool, caplog: pytest.LogCaptureFixture
) -> None:
    study = tune(loss, SPACE, scheduler=ASHA(1, 27), stop=MaxBudget(resource), progress=False)
    assert study.best is not None
    assert (study.best.budget < 27) is short
    warned = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert [f"has the budget {study.best.budget:g}, because no" in each for each in warned] == (
        [True] if short else []
    )


def test_a_budget_in_full_evaluations_ends_a_run() -> None:
    study = tune(loss, SPACE, scheduler=ASHA(1, 9), stop=MaxBudget(7), seed=1, progress=False)
    assert study.stop_reason == "max budget"
    assert 7 <= study.history.spent.sum() / 9 < 8
    plain = tune(lambda c: c["x"], SPACE, stop=MaxBudget(7), seed=1, progress=False)
    assert len(plain.trials) == 7
    with pytest.raises(InvalidArgument, match="evaluations must be a number > 0"):
        MaxBudget(0)


def test_objectives_without_a_budget_are_refused_before_anything_runs() -> None:
    with pytest.raises(InvalidArgument, match="budgets 1, 3, 9, but the objective <lambda> has no"):
        tune(lambda c: c["x"], SPACE, scheduler=ASHA(1, 9), max_trials=3, progress=False)
    with pytest.raises(InvalidArgument, match="scheduler must be an object such as ASHA"):
        tune(loss, SPACE, scheduler=ASHA, max_trials=3)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="loss needs a budget, and only a scheduler gives"):
        tune(loss, SPACE, max_trials=3)
    assert takes(lambda config, **more: 0, "budget")
    assert not takes(lambda budget, /: 0, "budget")


def test_annotated_objectives_get_a_budget() -> None:
    def annotated(x: hp.uniform("x", 0, 1), budget):  # type: ignore[valid-type,no-untyped-def]
        return x / budget

    study = tune(annotated, "annotated", scheduler=ASHA(1, 9), max_trials=4, seed=1, progress=False)
    assert counts(study) == {1: 4, 3: 1, 9: 1}


@pytest.mark.parametrize("sampler", sorted(ALGORITHMS))
def test_every_sampler_works_with_promotions(sampler: str) -> None:
    study = tune(
        loss,
        {"x": hp.quniform("x", -1, 1, 0.01)},
        sampler=sampler,
        scheduler=ASHA(1, 9, audit=0),
        max_trials=20,
        seed=1,
        progress=False,
    )
    assert {trial.status for trial in study.trials.values()} == {Status.OK}
    assert counts(study) == {1: 20, 3: 6, 9: 2}


def test_fmin_takes_a_scheduler() -> None:
    best = fmin(loss, SPACE, max_evals=30, scheduler=ASHA(1, 9), seed=1, show_progressbar=False)
    assert abs(best["x"] - 0.3) < 0.1
    with pytest.raises(InvalidArgument, match="do not go together"):
        fmin(loss, SPACE, max_evals=3, scheduler=ASHA(1, 9), pass_expr_memo_ctrl=True)


@dataclass(frozen=True)
class Middle:
    """Suggests the middle of the space."""

    learns: bool = True

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Any:
        return np.full((n, len(space)), 0.5)


def test_one_of_three_points_is_random_where_a_sampler_learns() -> None:
    for sampler, random in ((Middle(), [0, 3, 6, 9]), (Middle(learns=False), [])):
        study = Study(SPACE, sampler, ASHA(1, 9, audit=0), 1)
        xs = [trial.values["x"] for _ in range(5) for trial in study.ask(2)]
        assert [i for i, x in enumerate(xs) if x != 0.5] == random
        assert not any(trial.explore for trial in study.records.values())


@pytest.mark.parametrize("sampler", ["tpe", "gp", "grid"])
def test_random_points_do_not_repeat_others(sampler: str) -> None:
    space = {"x": hp.choice("x", [*range(7)])}
    study = tune(loss, space, sampler=sampler, scheduler=ASHA(1, 9, audit=0), progress=False)
    assert sorted(t.values["x"] for t in study.records.values() if t.budget == 1) == [*range(7)]
    assert study.exhausted
