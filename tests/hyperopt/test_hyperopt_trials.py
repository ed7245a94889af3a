"""Documents in and out of trials, the way Hyperopt's programs do it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from sparktune.errors import InvalidArgument
from sparktune.hyperopt import (
    JOB_STATE_DONE,
    JOB_STATE_NEW,
    JOB_STATE_RUNNING,
    STATUS_OK,
    Ctrl,
    Domain,
    Trials,
    fmin,
    hp,
    rand,
    tpe,
    trials_from_docs,
)
from sparktune.hyperopt.base import (
    JOB_STATE_CANCEL,
    JOB_STATE_ERROR,
    InvalidTrial,
    miscs_to_idxs_vals,
    spec_from_misc,
)
from sparktune.hyperopt.pyll import rec_eval
from sparktune.hyperopt.utils import coarse_utcnow, use_obj_for_literal_in_memo

SPACE = {"x": hp.uniform("x", -5, 5), "kind": hp.choice("kind", ["a", {"y": hp.normal("y", 0, 1)}])}


def loss(point: dict[str, Any]) -> float:
    return float((point["x"] - 3) ** 2)


def searched(n: int = 12, **options: Any) -> Trials:
    trials = Trials(**options)
    rstate = np.random.default_rng(0)
    fmin(loss, SPACE, rand.suggest, n, trials=trials, rstate=rstate, verbose=False)
    return trials


def test_asking_and_telling_by_hand() -> None:
    domain, trials = Domain(loss, SPACE), Trials()
    rng = np.random.default_rng(1)
    for _ in range(30):
        ids = trials.new_trial_ids(1)
        trials.refresh()
        trials.insert_trial_docs(tpe.suggest(ids, domain, trials, rng.integers(2**31 - 1)))
        trials.refresh()
        (doc,) = [doc for doc in trials.trials if doc["tid"] == ids[0]]
        doc["state"], doc["book_time"] = JOB_STATE_RUNNING, coarse_utcnow()
        ctrl = Ctrl(trials, current_trial=doc)
        memo = domain.memo_from_config(spec_from_misc(doc["misc"]))
        use_obj_for_literal_in_memo(domain.expr, ctrl, Ctrl, memo)
        point = rec_eval(domain.expr, memo=memo, print_node_on_error=False)
        doc["result"] = {"loss": loss(point), "status": STATUS_OK}
        doc["state"], doc["refresh_time"] = JOB_STATE_DONE, coarse_utcnow()
        trials.refresh()
    assert len(trials) == 30
    assert trials.best_trial["result"]["loss"] == min(doc["result"]["loss"] for doc in trials)
    assert len(set(trials.vals["x"])) == 30
    assert trials.records[3].status.value == "ok"


def test_what_was_told_by_hand_informs_the_next_suggestion() -> None:
    domain, trials = Domain(loss, hp.uniform("x", -5, 5)), Trials()
    docs = rand.suggest(list(range(25)), domain, trials, 0)
    for doc in docs:
        doc |= {"state": JOB_STATE_DONE}
        doc["result"] = {"loss": (doc["misc"]["vals"]["x"][0] - 3) ** 2, "status": STATUS_OK}
    trials.insert_trial_docs(docs)
    trials.refresh()
    proposals = [
        tpe.suggest([100 + i], domain, trials, i)[0]["misc"]["vals"]["x"][0] for i in range(40)
    ]
    # from the prior 40 % lie within 2 of the optimum: 35 of 40 has probability < 1e-9
    assert sum(abs(x - 3) < 2 for x in proposals) >= 35


def test_documents_are_seen_after_a_refresh() -> None:
    trials = Trials()
    trials.insert_trial_doc(copy.deepcopy(searched().trials[0]))
    assert len(trials) == 0
    assert trials.count_by_state_synced(JOB_STATE_DONE) == 0
    assert trials.count_by_state_unsynced(JOB_STATE_DONE) == 1
    trials.refresh()
    assert len(trials) == 1
    assert trials.count_by_state_synced([JOB_STATE_DONE, JOB_STATE_NEW]) == 1


def test_whoever_holds_a_document_sees_the_trial_end() -> None:
    trials = Trials()
    domain = Domain(loss, SPACE)
    (doc,) = rand.suggest(trials.new_trial_ids(1), domain, trials, 3)
    doc["misc"]["note"] = "mine"
    doc["spec"] = {"anything": 1}
    trials.insert_trial_docs([doc])
    trials.refresh()
    assert (doc["state"], doc["result"]) == (JOB_STATE_NEW, {"status": "new"})
    fmin(loss, SPACE, rand.suggest, 1, trials=trials, verbose=False)
    assert doc["state"] == JOB_STATE_DONE
    assert doc["result"]["loss"] == trials.losses()[0]
    assert trials.trials[0]["misc"]["note"] == "mine"
    assert trials.specs == [{"anything": 1}]


def test_ids_do_not_collide_after_filtering() -> None:
    kept = trials_from_docs(searched().trials[5:])
    assert kept.new_trial_ids(3) == [12, 13, 14]
    rstate = np.random.default_rng(9)
    fmin(loss, SPACE, rand.suggest, 10, trials=kept, rstate=rstate, verbose=False)
    assert kept.tids == [5, 6, 7, 8, 9, 10, 11, 15, 16, 17]


def test_trials_of_two_runs_are_merged() -> None:
    first, second = searched(5), searched(5)
    docs = copy.deepcopy(second.trials)
    for doc, tid in zip(docs, first.new_trial_ids(5), strict=True):
        doc["tid"] = doc["misc"]["tid"] = tid
        doc["misc"]["idxs"] = {k: [tid] if v else [] for k, v in doc["misc"]["idxs"].items()}
    first.insert_trial_docs(docs)
    first.refresh()
    assert len(first) == 10
    assert first.tids == list(range(10))
    idxs, vals = miscs_to_idxs_vals(first.miscs)
    assert idxs["x"] == list(range(10))
    assert vals["x"][:5] == vals["x"][5:]


def test_the_ids_of_deleted_trials_are_not_used_again() -> None:
    trials = searched(4)
    trials.delete_all()
    assert len(trials) == 0
    fmin(loss, SPACE, rand.suggest, 2, trials=trials, verbose=False)
    assert trials.tids == [4, 5]


@pytest.mark.parametrize("key", ["tid", "spec", "result", "misc", "state", "owner", "exp_key"])
def test_a_document_without_a_key_is_refused(key: str) -> None:
    doc = copy.deepcopy(searched(1).trials[0])
    del doc[key]
    with pytest.raises(InvalidTrial, match=f"lacks \\['{key}'\\]") as raised:
        Trials().insert_trial_doc(doc)
    assert raised.value.obj is doc


def test_other_documents_that_are_refused() -> None:
    good = searched(1).trials[0]
    for change, message in (
        ({"tid": 7}, "differs from misc's tid"),
        ({"state": 9}, "must be one of the job states"),
        ({"exp_key": "e"}, "exp_key 'e' is not None"),
    ):
        with pytest.raises(InvalidTrial, match=message):
            Trials().insert_trial_docs([good, good | change])
    with pytest.raises(InvalidTrial, match="must be a dict"):
        Trials().insert_trial_doc([1, 2])  # type: ignore[arg-type]


def test_experiments_are_kept_apart_and_share_everything_else() -> None:
    both = Trials()
    first, second = both.view("first"), both.view("second")
    for view, n in ((first, 3), (second, 2)):
        fmin(loss, SPACE, rand.suggest, n, trials=view, verbose=False)
    assert (len(first), len(second), len(both)) == (3, 2, 5)
    assert {doc["exp_key"] for doc in second.trials} == {"second"}
    assert {doc["exp_key"] for doc in both.trials} == {"first", "second"}
    assert sorted(both.tids) == list(range(5))
    assert both.count_by_state_unsynced(JOB_STATE_DONE) == 5
    assert min(doc["result"]["loss"] for doc in both) == both.best_trial["result"]["loss"]
    second.attachments["a"] = 1
    assert first.attachments == {"a": 1}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies_keep_what_was_put_into_documents(copied: Any) -> None:
    trials = Trials("mine")
    doc = copy.deepcopy(searched(1).trials[0]) | {"exp_key": "mine", "extra": [1]}
    trials.insert_trial_doc(doc)
    trials.refresh()
    fmin(loss, SPACE, rand.suggest, 3, trials=trials, verbose=False)
    other = copied(trials)
    assert other.trials == trials.trials
    assert other.trials[0]["extra"] == [1]
    other.refresh()
    fmin(loss, SPACE, rand.suggest, 4, trials=other, verbose=False)
    assert (len(other), len(trials)) == (4, 3)


def test_states_become_records_and_back() -> None:
    trials = Trials()
    docs = copy.deepcopy(searched(5).trials)
    docs[0] |= {"state": JOB_STATE_ERROR}
    docs[0]["misc"]["error"] = ("<class 'ValueError'>", "broken")
    docs[1] |= {"state": JOB_STATE_CANCEL}
    docs[2]["result"] = {"status": "ok", "loss": float("nan")}
    docs[3]["result"] = {"status": "fail", "loss": -100.0}
    trials.insert_trial_docs(docs)
    trials.refresh()
    assert [trial.status.value for trial in trials.records.values()] == [
        *("error", "cancelled", "fail", "fail", "ok")
    ]
    assert str(trials.records[0].failure) == "ValueError: broken"
    assert trials.best_trial["tid"] == 4
    assert [doc["tid"] for doc in trials] == [2, 3, 4]
    assert trials._dynamic_trials[0]["misc"]["error"] == ("<class 'ValueError'>", "broken")


def test_the_average_best_error() -> None:
    trials = searched(3)
    with pytest.raises(ValueError, match="Empty loss vector"):
        Trials().average_best_error()
    for doc, (value, true) in zip(trials.trials, [(2.0, 5.0), (1.0, 7.0), (9.0, 1.0)], strict=True):
        doc["result"] |= {"loss": value, "true_loss": true}
    assert trials.average_best_error() == 7.0
    for doc in trials.trials:
        doc["result"]["loss_variance"] = 0.25
    # of N(1, 1/4) and N(2, 1/4) the first is smaller with probability Phi(sqrt 2) = 0.921; the
    # third is too far off. 5 standard errors of 1,000 draws are 0.043
    weighted = 0.921 * 7 + 0.079 * 5
    assert trials.average_best_error(Domain(loss, SPACE)) == pytest.approx(weighted, abs=2 * 0.043)


def test_finished_trials_can_be_put_in_while_one_runs() -> None:
    def objective(expr: Any, memo: Any, ctrl: Any) -> float:
        ctrl.checkpoint({"status": "running", "step": 1})
        seen.append(ctrl.trials.trials[-1]["result"])
        ctrl.attachments["model"] = b"weights"
        misc = copy.deepcopy(ctrl.current_trial["misc"])
        (tid,) = ctrl.trials.new_trial_ids(1)
        misc |= {"tid": tid, "idxs": {"x": [tid]}, "vals": {"x": [0.5]}}
        result = {"status": STATUS_OK, "loss": -1.0}
        ctrl.inject_results([None], [result], [misc], new_tids=[tid])
        return 1.0

    seen: list[dict[str, Any]] = []
    trials = Trials()
    space = hp.uniform("x", 0, 1)
    options: dict[str, Any] = {"pass_expr_memo_ctrl": True, "verbose": False}
    fmin(objective, space, rand.suggest, 1, trials=trials, **options)
    trials.refresh()
    assert seen == [{"status": "running", "step": 1}]
    assert trials.trial_attachments(trials.trials[0])["model"] == b"weights"
    assert trials.argmin == {"x": 0.5}
    assert trials.trials[1]["misc"]["from_tid"] == 0
    assert len(set(trials.tids)) == 2


def test_trials_have_no_index_and_no_values_of_nothing() -> None:
    with pytest.raises(NotImplementedError, match=r"trials\.trials\[i\]"):
        searched(1)[0]
    with pytest.raises(ValueError, match="no trials to take labels from"):
        _ = Trials().vals


def test_ids_may_be_anything() -> None:
    doc = copy.deepcopy(searched(1).trials[0])
    doc["tid"] = doc["misc"]["tid"] = "first"
    trials = trials_from_docs([doc])
    fmin(loss, SPACE, tpe.suggest, 3, trials=trials, verbose=False)
    assert trials.tids == ["first", 0, 1]


def test_ids_are_counted_as_they_come() -> None:
    trials = Trials()
    assert trials.new_trial_ids(2) == [0, 1]
    trials._ids.update([7, "text"])
    trials._ids |= {9}
    trials._ids.add(8)
    assert trials.new_trial_ids(1) == [10]
    trials._ids = {3}
    assert trials.reserved() == 4
    assert type(pickle.loads(pickle.dumps(trials)).__getstate__()["_ids"]) is set


@pytest.mark.parametrize("name", ["loss_variance", "true_loss"])
@pytest.mark.parametrize("value", [None, "", [1.0], np.ones(2), 10**400])
def test_the_average_best_error_of_what_are_no_numbers(name: str, value: Any) -> None:
    trials = searched(2)
    trials.trials[0]["result"] |= {"loss_variance": 0.5, name: value}
    with pytest.raises(InvalidArgument, match="must be numbers"):
        trials.average_best_error()


def test_the_average_best_error_refuses_a_negative_variance() -> None:
    trials = searched(2)
    trials.trials[0]["result"] |= {"loss_variance": -1.0}
    with pytest.raises(InvalidArgument, match="at least 0"):
        trials.average_best_error()
