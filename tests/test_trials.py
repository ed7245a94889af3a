"""The user's handle on a run: documents, counts, pickling."""

from __future__ import annotations

import copy
import functools
import pickle
from datetime import datetime
from typing import Any

import pytest

from sparktune import (
    STATUS_FAIL,
    STATUS_OK,
    AllTrialsFailed,
    ThreadTrials,
    Trials,
    fmin,
    hp,
)
from sparktune.trial import Failure, Outcome, Status, Trial

quiet = functools.partial(fmin, show_progressbar=False)
SPACE = hp.choice("kind", [{"x": hp.uniform("x", 0, 1)}, {"n": hp.randint("n", 1, 4)}])


def objective(config: dict[str, Any]) -> dict[str, Any]:
    if config.get("n") == 3:
        raise ValueError("three")
    if config.get("n") == 2:
        return {"status": STATUS_FAIL}
    return {"status": STATUS_OK, "loss": config.get("x", 5.0), "size": len(config)}


@pytest.fixture(scope="module")
def trials() -> Trials:
    trials = Trials()
    quiet(objective, SPACE, "random", 40, trials=trials, catch_eval_exceptions=True, seed=3)
    return trials


def test_documents_have_hyperopts_shape(trials: Trials) -> None:
    doc = next(doc for doc in trials.trials if doc["misc"]["vals"]["kind"] == [0])
    tid = doc["tid"]
    assert doc.keys() == {
        "state",
        "tid",
        "spec",
        "result",
        "misc",
        "exp_key",
        "owner",
        "version",
        "book_time",
        "refresh_time",
    }
    assert doc["state"] == 2
    assert doc["misc"]["tid"] == tid
    assert doc["misc"]["cmd"] == ("domain_attachment", "FMinIter_Domain")
    assert doc["misc"]["idxs"] == {"kind": [tid], "x": [tid], "n": []}
    assert doc["misc"]["vals"]["n"] == []
    assert type(doc["misc"]["vals"]["x"][0]) is float
    assert type(doc["misc"]["vals"]["kind"][0]) is int
    assert doc["result"]["size"] == 1
    assert isinstance(doc["book_time"], datetime)
    assert doc["book_time"].tzinfo is None
    assert doc["book_time"].microsecond % 1000 == 0
    assert doc["book_time"] <= doc["refresh_time"]


def test_documents_match_those_of_hyperopt_key_by_key(trials: Trials) -> None:
    hyperopt = pytest.importorskip("hyperopt")
    theirs = hyperopt.Trials()
    space = hyperopt.hp.uniform("x", 0, 1)
    hyperopt.fmin(
        abs, space, hyperopt.rand.suggest, 2, trials=theirs, show_progressbar=False, verbose=False
    )
    ours = Trials()
    quiet(abs, hp.uniform("x", 0, 1), "random", 2, trials=ours)
    for mine, other in zip(ours.trials, theirs.trials, strict=True):
        assert mine.keys() == other.keys()
        assert mine["misc"].keys() == other["misc"].keys()
        assert mine["result"].keys() == other["result"].keys()
        assert mine["misc"]["idxs"] == other["misc"]["idxs"]


def test_trials_that_raised_are_not_among_the_visible_ones(trials: Trials) -> None:
    failed = trials.count_failed_trials()
    assert failed > 0
    assert len(trials) == 40 - failed == len(list(trials)) == len(trials.tids)
    assert len(trials._dynamic_trials) == 40
    assert {doc["state"] for doc in trials._dynamic_trials} == {2, 3}


def test_columns_agree_with_documents(trials: Trials) -> None:
    idxs, vals = trials.idxs_vals
    assert (trials.idxs, trials.vals) == (idxs, vals)
    assert idxs["kind"] == trials.tids
    assert [len(idxs["x"]), len(idxs["n"])] == [len(vals["x"]), len(vals["n"])]
    assert len(idxs["x"]) + len(idxs["n"]) == len(trials)
    assert trials.losses() == [doc["result"].get("loss") for doc in trials.trials]
    assert trials.statuses() == [doc["result"]["status"] for doc in trials.trials]
    assert trials.results == [doc["result"] for doc in trials.trials]
    assert trials.miscs == [doc["misc"] for doc in trials.trials]
    assert trials.specs == [None] * len(trials)
    assert None in trials.losses()


def test_the_best_trial_is_the_one_with_the_smallest_loss(trials: Trials) -> None:
    best = trials.best_trial
    assert best["result"]["loss"] == min(loss for loss in trials.losses() if loss is not None)
    assert trials.argmin == {"kind": 0, "x": best["result"]["loss"]}


def test_counts_agree(trials: Trials) -> None:
    assert trials.count_total_trials() == 40
    assert trials.count_successful_trials() + trials.count_failed_trials() == 40
    assert trials.count_cancelled_trials() == 0
    assert trials.count_by_state_synced([2, 3]) == 40
    assert trials.count_by_state_unsynced(2) == trials.count_successful_trials()


@pytest.mark.parametrize("copied", [lambda t: pickle.loads(pickle.dumps(t)), copy.deepcopy])
def test_copies_are_equal_and_can_go_on(trials: Trials, copied: Any) -> None:
    other = copied(trials)
    assert other.trials == trials.trials
    quiet(objective, SPACE, max_evals=60, trials=other, catch_eval_exceptions=True)
    assert len(other) > len(trials)


def test_thread_trials_pickle_with_their_parallelism() -> None:
    trials = ThreadTrials(parallelism=3)
    quiet(abs, hp.uniform("x", 0, 1), max_evals=4, trials=trials)
    other = pickle.loads(pickle.dumps(trials))
    assert other.parallelism == 3
    assert other.vals == trials.vals


@pytest.mark.parametrize("parallelism", [0, -1, 1.5, True, "4"])
def test_thread_trials_refuse_a_parallelism_that_is_none(parallelism: Any) -> None:
    with pytest.raises(ValueError, match="parallelism must be an integer >= 1"):
        ThreadTrials(parallelism)


def test_empty_trials_have_no_best_one_and_say_so() -> None:
    trials = Trials()
    assert len(trials) == 0
    assert trials.losses() == trials.tids == []
    assert trials.idxs_vals == ({}, {})
    with pytest.raises(AllTrialsFailed, match="no trial was evaluated"):
        _ = trials.best_trial


def test_documents_follow_their_records() -> None:
    trials = Trials()
    trials.records[0] = Trial(0, {"x": 1.0}, Status.RUNNING, asked=10.0)
    assert trials.trials[0]["result"] == {"status": "running"}
    assert trials.trials[0] is trials.trials[0]
    outcome = Outcome(0, Status.OK, 2.0, {"loss": 2.0, "status": "ok"})
    trials.records[0] = trials.records[0].told(outcome)
    assert trials.trials[0]["result"]["loss"] == 2.0


def test_a_crash_is_an_error_in_the_document() -> None:
    trials = Trials()
    trials.records[0] = Trial(0, {}, Status.CRASHED, failure=Failure("Crashed", "it died"))
    [doc] = trials._dynamic_trials
    assert doc["state"] == 3
    assert doc["misc"]["error"] == ("Crashed", "Crashed: it died")
    assert doc["result"]["status"] == "fail"


def test_delete_all_forgets_everything() -> None:
    trials = Trials()
    quiet(abs, hp.uniform("x", 0, 1), max_evals=4, trials=trials)
    trials.delete_all()
    trials.refresh()
    assert len(trials) == 0
    assert trials.count_total_trials() == 0


def test_trials_say_what_they_hold() -> None:
    trials = Trials()
    assert repr(trials) == "<Trials: 0 trials>"
    fmin(lambda x: x, hp.choice("x", [2.0, 1.0]), "grid", 2, trials=trials, verbose=False)
    assert repr(trials) == "<Trials: 2 trials: 2 ok; best loss 1 (trial 1) at x=1>"
