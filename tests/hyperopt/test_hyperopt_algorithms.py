"""Algorithms of Hyperopt's form: the ones that are here, and the ones that users write."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from sparktune import ThreadTrials
from sparktune.errors import InvalidArgument
from sparktune.hyperopt import (
    Domain,
    Trials,
    anneal,
    atpe,
    fmin,
    hp,
    mix,
    pyll,
    rand,
    tpe,
    trials_from_docs,
)
from sparktune.hyperopt.base import miscs_update_idxs_vals

SPACE = {
    "b": hp.uniform("b", 0, 1),
    "n": hp.normal("n", 0, 1),
    "nested": [
        hp.choice(
            "kind", [hp.uniform("k", 0, 1), {"e": hp.choice("e", [1, hp.qnormal("y", 3, 1, 0.1)])}]
        ),
        hp.pchoice("p", [(0.2, hp.loguniform("pl", 0, 1)), (0.8, hp.qlognormal("pq", 0, 1, 0.5))]),
    ],
    "g": hp.randint("g", 10),
    "h": hp.uniformint("h", 3, 9),
    "i": hp.qloguniform("i", 0, 3, 2),
}
LINE = hp.uniform("x", -5, 5)
MIXED = partial(mix.suggest, p_suggest=[(0.3, rand.suggest), (0.7, tpe.suggest)])
HERE = [rand.suggest, tpe.suggest, tpe.suggest_hyperopt, anneal.suggest, MIXED]


def quadratic(x: float) -> float:
    return (x - 3) ** 2


def from_the_prior(new_ids: Any, domain: Any, trials: Any, seed: int) -> list[Any]:
    """Random search as users write it after Hyperopt's."""
    rng = np.random.default_rng(seed)
    docs = []
    for id in new_ids:
        memo = {domain.s_new_ids: [id], domain.s_rng: rng}
        idxs, vals = pyll.rec_eval(domain.s_idxs_vals, memo=memo)
        misc = {"tid": id, "cmd": domain.cmd, "workdir": domain.workdir}
        miscs_update_idxs_vals([misc], idxs, vals)
        docs += trials.new_trial_docs([id], [None], [domain.new_result()], [misc])
    return docs


def searched(algo: Any, n: int = 10, space: Any = LINE, **options: Any) -> Trials:
    options = {"trials": Trials(), "rstate": np.random.default_rng(5), **options}
    objective = quadratic if space is LINE else lambda point: point["b"]
    fmin(objective, space, algo, n, verbose=False, **options)
    trials: Trials = options["trials"]
    return trials


@pytest.mark.parametrize("algo", HERE)
def test_called_in_hyperopts_form_they_give_documents(algo: Any) -> None:
    domain, trials = Domain(lambda point: point["b"], SPACE), searched(rand.suggest, 30, SPACE)
    docs = algo([50, "any", 52], domain, trials, 7)
    assert [doc["tid"] for doc in docs] == [50, "any", 52]
    assert docs == algo([50, "any", 52], domain, trials, 7)
    assert docs != algo([50, "any", 52], domain, trials, 8)
    more = trials_from_docs(docs)
    assert set(more.vals) == set(domain.params) == set(domain.space.labels)
    for doc in docs:
        point = domain.space.decode(
            domain.space.check({k: v[0] for k, v in doc["misc"]["vals"].items() if v})
        )
        assert 0 <= point["b"] <= 1


@pytest.mark.parametrize("algo", HERE)
def test_run_by_fmin_they_are_reproducible(algo: Any) -> None:
    assert searched(algo, 25).vals == searched(algo, 25).vals


def test_random_search_gives_the_points_that_hyperopt_gave() -> None:
    theirs = pytest.importorskip("hyperopt")
    nested = [
        theirs.hp.choice(
            "kind",
            [
                theirs.hp.uniform("k", 0, 1),
                {"e": theirs.hp.choice("e", [1, theirs.hp.qnormal("y", 3, 1, 0.1)])},
            ],
        ),
        theirs.hp.pchoice(
            "p",
            [(0.2, theirs.hp.loguniform("pl", 0, 1)), (0.8, theirs.hp.qlognormal("pq", 0, 1, 0.5))],
        ),
    ]
    space = {
        "b": theirs.hp.uniform("b", 0, 1),
        "n": theirs.hp.normal("n", 0, 1),
        "nested": nested,
        "g": theirs.hp.randint("g", 10),
        "h": theirs.hp.uniformint("h", 3, 9),
        "i": theirs.hp.qloguniform("i", 0, 3, 2),
    }
    expected = theirs.Trials()
    theirs.fmin(
        lambda point: point["b"],
        space,
        theirs.rand.suggest,
        40,
        trials=expected,
        rstate=np.random.default_rng(5),
        verbose=False,
    )
    ours = searched(rand.suggest, 40, SPACE)
    assert ours.vals == {label: list(values) for label, values in expected.vals.items()}
    assert ours.argmin == expected.argmin


def test_random_search_gives_hyperopts_points_as_a_partial_and_behind_points_put_in() -> None:
    drawn = searched(rand.suggest).vals["x"]
    assert searched(partial(rand.suggest)).vals["x"] == drawn
    trials, domain = Trials(), Domain(quadratic, LINE)
    trials.insert_trial_docs(rand.suggest(trials.new_trial_ids(2), domain, trials, 7))
    trials.refresh()
    assert searched(rand.suggest, 10, trials=trials).vals["x"][2:] == drawn[:8]


def test_a_users_algorithm_runs_as_it_did() -> None:
    assert searched(from_the_prior).vals == searched(rand.suggest).vals


def test_going_on_with_the_same_seed_does_not_repeat_points() -> None:
    trials = searched(from_the_prior, 5)
    searched(from_the_prior, 10, trials=trials)
    assert len(set(trials.vals["x"])) == 10


def test_a_users_algorithm_can_ask_another_one() -> None:
    def explore(new_ids: Any, domain: Any, trials: Any, seed: int) -> list[Any]:
        other = rand if len(trials.trials) % 2 else tpe
        return other.suggest(new_ids, domain, trials, seed)

    assert len(searched(explore, 30)) == 30
    assert len(searched(partial(mix.suggest, p_suggest=[(0.5, explore), (0.5, tpe.suggest)]))) == 10


def test_a_users_algorithm_sees_the_trials_so_far_and_its_documents_are_kept() -> None:
    def counting(new_ids: Any, domain: Any, trials: Any, seed: int) -> list[Any]:
        losses.append([loss for loss in trials.losses() if loss is not None])
        docs = from_the_prior(new_ids, domain, trials, seed)
        docs[0]["misc"]["step"] = len(losses)
        docs[0]["spec"] = {"about": "it"}
        return docs

    losses: list[list[float]] = []
    trials = searched(counting, 4)
    assert losses == [trials.losses()[:i] for i in range(4)]
    assert [misc["step"] for misc in trials.miscs] == [1, 2, 3, 4]
    assert trials.specs == [{"about": "it"}] * 4


@pytest.mark.parametrize(
    ("queue", "asked"), [(1, [1] * 6), (3, [3, 3]), (4, [4, 2]), (200, [200, 5])]
)
def test_it_is_asked_for_as_many_points_as_the_queue_holds(queue: int, asked: list[int]) -> None:
    def counting(new_ids: Any, domain: Any, trials: Any, seed: int) -> list[Any]:
        sizes.append(len(new_ids))
        return from_the_prior(new_ids, domain, trials, seed)

    sizes: list[int] = []
    searched(counting, sum(asked), max_queue_len=queue)
    assert sizes == asked


def test_a_run_ends_when_the_algorithm_has_no_more() -> None:
    def three(new_ids: Any, domain: Any, trials: Any, seed: int) -> list[Any]:
        return [] if len(trials.trials) >= 3 else from_the_prior(new_ids, domain, trials, seed)

    assert len(searched(three, 10)) == 3


def test_ids_that_the_algorithm_reserves_are_left_free() -> None:
    def wasteful(new_ids: Any, domain: Any, trials: Any, seed: int) -> list[Any]:
        trials.new_trial_ids(2)
        return from_the_prior(new_ids, domain, trials, seed)

    trials = searched(wasteful, 4)
    assert len(set(trials.tids)) == 4
    assert [misc["tid"] for misc in trials.miscs] == trials.tids


def test_what_an_algorithm_raises_reaches_the_user_and_costs_no_result() -> None:
    def breaking(new_ids: Any, domain: Any, trials: Any, seed: int) -> list[Any]:
        if len(trials.trials) == 3:
            raise RuntimeError("no idea")
        return from_the_prior(new_ids, domain, trials, seed)

    trials = Trials()
    with pytest.raises(RuntimeError, match="no idea"):
        searched(breaking, 10, trials=trials)
    assert len(trials) == 3


def test_a_document_of_another_space_is_refused() -> None:
    def wrong(new_ids: Any, domain: Any, trials: Any, seed: int) -> list[Any]:
        return from_the_prior(new_ids, Domain(None, hp.choice("x", [1, 2])), trials, seed)

    trials = searched(wrong, 3)  # an index is a number, too
    assert all(value in (0, 1) for value in trials.vals["x"])


def test_documents_need_trials_that_hold_them() -> None:
    with pytest.raises(InvalidArgument, match="Trials or SparkTrials of"):
        searched(from_the_prior, trials=ThreadTrials(2))


def test_mixing_needs_probabilities() -> None:
    domain = Domain(quadratic, LINE)
    bad = [(0.3, rand.suggest), (0.3, tpe.suggest)]
    with pytest.raises(ValueError, match="sum to 1"):
        mix.suggest([0], domain, Trials(), 0, p_suggest=bad)
    with pytest.raises(ValueError, match="sum to 1"):
        searched(partial(mix.suggest, p_suggest=bad))


def own(*arguments: Any, **named: Any) -> Any:
    return rand.suggest(*arguments, **named)


WRONG: dict[str, Any] = {"p_suggest": [(1.0, own)], "share": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "got None"),
        ({"p_suggest": [rand.suggest]}, "a list of .* pairs"),
        ({"p_suggest": [(0.5, own), (0.4, rand.suggest)]}, "sum to 1"),
        (WRONG, "no option 'share'; it has 'p_suggest'"),
        ({"p_suggest": [(1.0, rand.suggest)], "share": 1}, "no option 'share'"),
        ({"p_suggest": [(0.5, own), (0.5, partial(tpe.suggest, gama=1))]}, "no option 'gama'"),  # type: ignore[call-arg]
        ({"p_suggest": [(1.0, partial(mix.suggest, **WRONG))]}, "no option 'share'"),
    ],
)
def test_a_mixture_that_cannot_be_is_refused_before_anything_runs(
    options: dict[str, Any], message: str
) -> None:
    trials = Trials()
    with pytest.raises(InvalidArgument, match=message):
        searched(partial(mix.suggest, **options), trials=trials)
    assert not len(trials)


def test_adaptive_tpe_says_what_runs_instead(caplog: pytest.LogCaptureFixture) -> None:
    assert searched(atpe.suggest, 5).vals == searched(tpe.suggest, 5).vals
    assert "its TPE runs instead" in caplog.text


def test_options_reach_the_algorithm() -> None:
    eager = partial(tpe.suggest, n_startup_jobs=2, n_EI_candidates=50, verbose=False)
    assert searched(eager, 20).vals["x"][:2] != searched(eager, 20).vals["x"][2:4]
    assert searched(eager, 20).vals != searched(tpe.suggest, 20).vals
    with pytest.raises(InvalidArgument, match="has no option"):
        searched(partial(tpe.suggest, linear_forgetting=25))  # type: ignore[call-arg]


def test_a_domain_evaluates() -> None:
    class Ctrl:
        def __init__(self) -> None:
            self.attachments: dict[str, Any] = {}

    ctrl = Ctrl()
    domain = Domain(lambda x: {"loss": x, "status": "ok", "attachments": {"a": 1}}, LINE)
    assert domain.evaluate({"x": 2.0}, ctrl) == {"loss": 2.0, "status": "ok"}
    assert ctrl.attachments == {"a": 1}
    kept = domain.evaluate({"x": 2.0}, Ctrl(), attach_attachments=False)
    assert kept["attachments"] == {"a": 1}
    with pytest.raises(ValueError, match="status"):
        Domain(lambda x: {"status": "okay"}, LINE).evaluate({"x": 2.0}, Ctrl())
    assert domain.params["x"].name == "uniform"
