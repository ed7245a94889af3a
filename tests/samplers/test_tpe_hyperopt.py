"""Hyperopt's TPE: its estimator and its suggestions against Hyperopt itself (0.3.0)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import inf
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sparktune.errors import InvalidArgument
from sparktune.history import STATUSES, View
from sparktune.samplers import Sampler, random, tpe_hyperopt
from sparktune.space import hp
from sparktune.space.distributions import Array, Numeric
from sparktune.space.space import Space
from sparktune.testing import history_of, mixed_history
from sparktune.trial import Status

LINE = Space(hp.uniform("x", 0, 1))


def valley(n: int = 40, pending: Sequence[float] = (), end: Status = Status.RUNNING) -> View:
    """n evenly spaced trials of |x - 0.3| on the unit line, then some without a loss."""
    x = np.append((np.arange(n) + 0.5) / n, pending)
    losses = [abs(value - 0.3) if i < n else None for i, value in enumerate(x)]
    statuses = [Status.OK] * n + [end] * len(pending)
    return history_of(LINE, x[:, None], losses, statuses)


# Options


def test_options_make_another_sampler() -> None:
    assert tpe_hyperopt.suggest == tpe_hyperopt.TPEHyperopt(1.0, 20, 24, 0.25)
    assert tpe_hyperopt.suggest(gamma=2, verbose=False) == tpe_hyperopt.TPEHyperopt(gamma=2)
    made = partial(tpe_hyperopt.suggest, n_EI_candidates=5)()
    assert made == tpe_hyperopt.TPEHyperopt(n_EI_candidates=5)


@pytest.mark.parametrize(
    "option",
    [
        {"prior_weight": 0},
        {"n_startup_jobs": -1},
        {"n_EI_candidates": 0},
        {"gamma": 0},
        {"gamma": inf},
    ],
    ids=repr,
)
def test_an_option_out_of_range_is_refused(option: dict[str, Any]) -> None:
    [(name, value)] = option.items()
    with pytest.raises(
        InvalidArgument, match=f"tpe_hyperopt.suggest: {name} must be .*, got {value}"
    ):
        tpe_hyperopt.suggest(**option)


# What counts


def is_random(sampler: Sampler, history: View) -> bool:
    drawn, expected = (
        each.suggest(LINE, history, 5, np.random.default_rng(0))
        for each in (sampler, random.suggest)
    )
    return bool((drawn == expected).all())


@pytest.mark.parametrize("status", list(Status))
def test_pending_and_returned_trials_count_for_the_start_up(status: Status) -> None:
    loss = 1.0 if status is Status.OK else None
    history = history_of(LINE, np.full((20, 1), 0.5), [loss] * 20, [status] * 20)
    counts = status.pending or status.returned
    assert is_random(tpe_hyperopt.suggest, history) == (not counts)
    assert is_random(tpe_hyperopt.suggest(n_startup_jobs=21), history)


def test_without_any_start_up_the_first_trial_is_modelled() -> None:
    assert not is_random(tpe_hyperopt.suggest(n_startup_jobs=0), mixed_history(LINE, 0))


@pytest.mark.parametrize(
    ("n", "good"), [(0, 0), (1, 1), (16, 1), (17, 2), (64, 2), (65, 3), (9216, 24), (11_000, 25)]
)
def test_the_good_part_grows_with_the_root_of_the_trials(n: int, good: int) -> None:
    history = history_of(LINE, np.full((n, 1), 0.5), list(range(n)))
    indices, others = tpe_hyperopt.suggest.split(history)
    assert indices.tolist() == list(range(good))
    assert others.tolist() == list(range(good, n))


def test_trials_without_a_loss_are_the_worst_and_count() -> None:
    ends = [Status.RUNNING, Status.OK, Status.FAIL, Status.ERROR, Status.OK, Status.CANCELLED]
    losses = [None, 2.0, -9.0, None, 1.0, None]
    history = history_of(LINE, np.full((6, 1), 0.5), losses, ends)
    # N = 4 without the ended ones that did not return.
    for gamma, expected in ((0.5, [4]), (1.0, [1, 4]), (1.5, [0, 1, 4])):
        good, others = tpe_hyperopt.suggest(gamma=gamma).split(history)
        assert good.tolist() == expected
        assert np.union1d(good, others).tolist() == [0, 1, 2, 4]


def test_points_at_once_are_independent() -> None:
    history, suggest = valley(), tpe_hyperopt.suggest.suggest
    batch = suggest(LINE, history, 400, np.random.default_rng(0))[:, 0]
    singles = [suggest(LINE, history, 1, np.random.default_rng(i))[0, 0] for i in range(400)]
    assert stats.ks_2samp(batch, singles).pvalue > 1e-4  # fails by chance with 1e-4


# The estimator

NUMBERS = {
    "uniform": hp.uniform("x", -2, 3),
    "quniform": hp.quniform("x", 1, 12, 4),
    "uniformint": hp.uniformint("x", 1, 9),
    "loguniform": hp.loguniform("x", -3, 1),
    "qloguniform": hp.qloguniform("x", -2, 3, 0.5),
    "normal": hp.normal("x", 2, 3),
    "qnormal": hp.qnormal("x", 2, 3, 0.5),
    "lognormal": hp.lognormal("x", 0, 1),
    "qlognormal": hp.qlognormal("x", 0, 1, 0.5),
}


@pytest.mark.parametrize("n", [0, 1, 2, 3, 24, 25, 26, 27, 60, 300])
def test_the_estimator_is_hyperopts(n: int) -> None:
    tpe = pytest.importorskip("hyperopt.tpe")
    for seed in range(20):
        rng = np.random.default_rng([n, seed])
        z = rng.normal(1.0, rng.choice([0.1, 1.0, 5.0]), n)
        prior_weight, mu0, s0 = rng.uniform(0.01, 3), rng.normal(), rng.uniform(0.5, 9)
        expected = tpe.adaptive_parzen_normal(z, prior_weight, mu0, s0)
        found = tpe_hyperopt._parzen(z, prior_weight, mu0, s0)
        for ours, theirs in zip(found, expected, strict=True):
            assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NUMBERS)
def test_scores_are_hyperopts(name: str) -> None:
    tpe = pytest.importorskip("hyperopt.tpe")
    space = Space(NUMBERS[name])
    prior = space.columns[0].distribution
    assert isinstance(prior, Numeric)
    rng = np.random.default_rng(3)
    below, above = (space.sample(rng, n)[:, 0] for n in (6, 40))
    candidates = np.unique(space.sample(rng, 50)[:, 0])
    bounds = (None, None) if prior.normal else (prior.low, prior.high)
    lpdf = tpe.LGMM1_lpdf if prior.log else tpe.GMM1_lpdf
    ours, theirs = [], []
    for x in (below, above):
        model = tpe_hyperopt._model(space.columns[0], x, 1.5)
        assert isinstance(model, tpe_hyperopt._Kernels)
        ours.append(model.log_density(candidates))
        theirs.append(lpdf(candidates, model.w, model.mu, model.s, *bounds, prior.q))
    scores = [densities[0] - densities[1] for densities in (ours, theirs)]
    # Equal up to a constant that does not change which candidate is best.
    ours_relative, theirs_relative = (score - score[0] for score in scores)
    assert_allclose(ours_relative, theirs_relative, rtol=1e-7, atol=1e-7)


# Suggestions

KINDS: dict[str, tuple[Any, ...]] = {
    "uniform": (-2, 3),
    "quniform": (1, 12, 4),
    "uniformint": (1, 9),
    "loguniform": (-3, 1),
    "qloguniform": (-2, 3, 0.5),
    "normal": (2, 3),
    "qnormal": (2, 3, 0.5),
    "lognormal": (0, 1),
    "qlognormal": (0, 1, 0.5),
    "randint": (-3, 9),
    "choice": ("abcd",),
    "pchoice": ([(0.6, "a"), (0.3, "b"), (0.1, "c")],),
}
OPTIONS: dict[str, Any] = {"gamma": 1.0, "prior_weight": 0.7, "n_EI_candidates": 4}


def declared(hp: Any) -> dict[str, Any]:
    """The same space by the functions of either library: every kind of parameter, and a choice
    with one in each option.
    """
    inside = [hp.uniform("a", 0, 1), [hp.normal("b", 0, 1), hp.randint("c", 5)]]
    every = {name: getattr(hp, name)(name, *given) for name, given in KINDS.items()}
    return {**every, "tree": hp.choice("tree", inside)}


def hyperopts_suggestions(space: Space, history: View, n: int) -> Array:
    """n suggestions of Hyperopt's TPE, each with random numbers of its own."""
    import hyperopt
    from hyperopt import tpe

    domain = hyperopt.Domain(lambda config: 0.0, declared(hyperopt.hp))
    trials = hyperopt.Trials()
    for i, row in enumerate(history.X):
        status = STATUSES[history.status[i]]
        values = space.values(row)
        if "uniformint" in values:
            values["uniformint"] = float(values["uniformint"])
        result = {"status": status.value, **({"loss": history.loss[i]} if history.ok[i] else {})}
        misc = {
            "tid": i,
            "cmd": None,
            "idxs": {label: [i] if label in values else [] for label in space.labels},
            "vals": {label: [values[label]] if label in values else [] for label in space.labels},
        }
        [doc] = trials.new_trial_docs([i], [None], [result], [misc])
        doc["state"] = status.job_state
        trials.insert_trial_doc(doc)
    trials.refresh()
    rows = []
    for seed in range(n):
        [doc] = tpe.suggest([len(history)], domain, trials, seed, verbose=False, **OPTIONS)
        rows.append(space.encode({k: v[0] for k, v in doc["misc"]["vals"].items() if len(v)}))
    return np.array(rows)


def p_value(ours: Array, theirs: Array) -> float:
    """Of the hypothesis that two samples are from one distribution."""
    values, index = np.unique(np.concatenate([ours, theirs]), return_inverse=True)
    if len(values) > 100:
        return float(stats.ks_2samp(ours, theirs).pvalue)
    counts = [np.bincount(part, minlength=len(values)) for part in np.split(index, [len(ours)])]
    table = np.array(counts)
    rare = table.sum(axis=0) < 5 * len(ours) / len(theirs)
    table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    return float(stats.chi2_contingency(table).pvalue) if table.shape[1] > 1 else 1.0


def test_suggestions_are_distributed_as_hyperopts(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hyperopt")
    # Hyperopt sorts unstably: which of equal observations has which weight is up to numpy and the
    # processor there.
    monkeypatch.setattr(np, "argsort", partial(np.argsort, kind="stable"))
    space = Space(declared(hp))
    history = mixed_history(space, 60, 5, *[Status.RUNNING, Status.FAIL, Status.ERROR] * 4)
    theirs = hyperopts_suggestions(space, history, 200)
    sampler = tpe_hyperopt.suggest(**OPTIONS)
    ours = sampler.suggest(space, history, 6000, np.random.default_rng(0))
    found = {}
    for j, label in enumerate(space.labels):
        active = [x[~np.isnan(x)] for x in (ours[:, j], theirs[:, j])]
        found[label] = p_value(*active)
    # With other random numbers, one of the 16 would fail with a probability of 0.0016 at most.
    assert min(found.values()) > 1e-4, found


def test_whole_numbers_between_bounds_half_way_are_no_options() -> None:
    X = np.random.default_rng(1).integers(0, 99, (40, 1)).astype(float)
    one, other = [
        tpe_hyperopt.suggest(gamma=1.0).suggest(
            space, history_of(space, X, [*np.abs(X[:, 0] - 50)]), 20, np.random.default_rng(2)
        )
        for space in (
            Space(hp.uniformint("x", -0.5, 99.5)),
            Space(hp.quniform("x", -0.5, 99.5, 1)),
        )
    ]
    np.testing.assert_array_equal(one, other)
