"""What Hyperopt's users suffered from, one test for each class of complaint: the pain is gone.

The classes, in this order: Spark; packaging; a choice comes back as an index; integers come back as
floats; failures that say nothing; parallel runs on one machine; broken spaces and labels; numpy's
generators; the same point again and again; adaptive TPE; resuming, keeping and merging; points to
start from; noise of the progress bar.
"""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import threading
from collections import Counter
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparktune.hyperopt as hyperopt
from sparktune import ThreadTrials
from sparktune.hyperopt import SparkTrials, Trials, fmin, hp, load_trials, rand, space_eval, tpe

LINE = hp.uniform("x", -5, 5)


def search(objective: Any, space: Any, n: int, **options: Any) -> Any:
    return fmin(objective, space, max_evals=n, verbose=False, **({"algo": rand.suggest} | options))


def test_spark_trials_start_as_slots_free_up_and_in_processes_that_are_there(spark: Any) -> None:
    """Hyperopt starts one trial a second, each in a new process."""

    def where(x: float) -> dict[str, Any]:
        import os

        return {"loss": x, "status": "ok", "pid": os.getpid()}

    search(where, LINE, 4, trials=SparkTrials(4, spark_session=spark))
    trials = SparkTrials(4, spark_session=spark)
    search(where, LINE, 24, trials=trials)
    starts = sorted(trial.started or 0.0 for trial in trials.records.values())
    # Most of them do, but on a machine that is so busy that a trial takes a second of its own.
    assert min(later - start for start, later in pairwise(starts)) < 0.5
    assert len({result["pid"] for result in trials.results}) <= 8


def test_an_objective_with_a_large_closure_travels_once(spark: Any) -> None:
    """Hyperopt pickles the closure for every trial."""
    data = _CountedPickling()
    search(lambda x: x + len(data.content), LINE, 6, trials=SparkTrials(2, spark_session=spark))
    assert data.pickled <= 2  # once to try whether it can travel, once to send it


class _CountedPickling:
    def __init__(self) -> None:
        self.content, self.pickled = "some text", 0

    def __getstate__(self) -> dict[str, Any]:
        self.pickled += 1
        return self.__dict__


def test_no_setuptools_no_networkx_no_slow_import() -> None:
    """Hyperopt 0.2.7 broke with setuptools 82, and takes seconds to import."""
    program = """
import sys
sys.modules["pkg_resources"] = sys.modules["networkx"] = None
import sparktune.hyperopt
assert "scipy.stats" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)


def test_a_choice_comes_back_as_its_option() -> None:
    space = {"kind": hp.choice("kind", ["linear", "tree"]), "x": LINE}
    best = search(lambda p: p["x"], space, 20, return_argmin=False)
    assert best["kind"] in ("linear", "tree")
    index = search(lambda p: p["x"], space, 20)
    assert space_eval(space, index)["kind"] in ("linear", "tree")
    with pytest.raises(Exception, match="by the index of its option, not by the option"):
        space_eval(space, {"kind": "tree", "x": 1.0})


def test_a_trials_values_can_be_handed_back_as_they_are() -> None:
    space = {"kind": hp.choice("kind", [1, {"y": hp.normal("y", 0, 1)}]), "x": LINE}
    trials = Trials()
    search(lambda p: p["x"], space, 5, trials=trials)
    for misc in trials.miscs:
        assert "kind" in space_eval(space, misc["vals"])


def test_integers_stay_integers() -> None:
    space = {"a": hp.uniformint("a", 1, 9), "b": hp.randint("b", 5), "c": hp.choice("c", [1, 2])}
    seen: list[Any] = []
    trials = Trials()
    best = search(lambda p: seen.extend(p.values()) or p["a"], space, 10, trials=trials)
    kept = [value for values in trials.vals.values() for value in values]
    assert {type(value) for value in [*seen, *kept, *best.values()]} == {int}
    json.dumps(best)


@pytest.mark.parametrize("parallel", [False, True])
def test_when_all_fails_the_reason_is_told(spark: Any, parallel: bool) -> None:
    """Hyperopt says: there are no evaluation tasks."""

    def broken(x: float) -> float:
        raise KeyError("the_missing_column")

    trials = SparkTrials(2, spark_session=spark) if parallel else Trials()
    with pytest.raises(Exception, match=r"(?s)no evaluation tasks.*broken.*the_missing_column"):
        search(broken, LINE, 2, trials=trials, catch_eval_exceptions=True)


@pytest.mark.parametrize("returned", [None, "text", {"loss": 1.0}, {"status": "ok"}, [1.0]])
def test_a_wrong_result_is_explained(returned: Any) -> None:
    with pytest.raises(Exception, match=r"return a number, or a dict like \{'loss'"):
        search(lambda x: returned, LINE, 1)


def test_a_loss_that_is_no_number_never_wins() -> None:
    trials = Trials()
    search(lambda x: float("nan") if x < 0 else x, LINE, 30, trials=trials, algo=tpe.suggest)
    assert trials.argmin["x"] >= 0


def test_several_at_once_on_one_machine_need_no_database() -> None:
    barrier = threading.Barrier(3, timeout=120)

    def together(x: float) -> float:
        barrier.wait()  # passes only if three run at once
        return x

    search(together, LINE, 3, trials=ThreadTrials(3))


@pytest.mark.parametrize(
    ("space", "says"),
    [
        (lambda: [hp.uniform("x", 0, 1), hp.normal("x", 0, 1)], r"share the label 'x'.*test_pains"),
        (lambda: hp.uniform("x", 2, 0), "low should be less than high"),
        (lambda: hp.randint("n", 5, 5), "low should be less than high, which is excluded"),
        (lambda: hp.choice("c", []), "at least one option"),
        (lambda: hp.quniform("q", 0, 1, 0), "q must be > 0"),
        (lambda: hp.loguniform("l", 1, 10000), "the bounds are logarithms"),
        (lambda: hp.uniform("y", LINE, 2), "bounds must be numbers"),  # type: ignore[arg-type]
    ],
)
def test_a_broken_space_says_what_is_wrong_before_anything_runs(space: Any, says: str) -> None:
    calls: list[Any] = []
    with pytest.raises(ValueError, match=f"(?s){says}"):
        search(calls.append, space(), 3)
    assert not calls


def test_the_lower_bound_of_an_integer_holds_for_every_algorithm() -> None:
    """With bounds by keyword Hyperopt's TPE loses the lower one."""
    for algo in (rand.suggest, tpe.suggest, tpe.suggest_hyperopt, hyperopt.anneal.suggest):
        trials = Trials()
        space = hp.randint("n", low=5, high=10)
        search(lambda n: abs(n - 7), space, 40, algo=algo, trials=trials)
        assert set(trials.vals["n"]) <= set(range(5, 10))


@pytest.mark.parametrize(
    "rstate", [3, np.random.default_rng(3), np.random.RandomState(3), None], ids=str
)
def test_any_generator_of_numpy_seeds_a_run(rstate: Any) -> None:
    assert -5 <= search(abs, LINE, 3, rstate=rstate)["x"] <= 5


def test_a_small_grid_is_searched_and_not_repeated() -> None:
    """Hyperopt's TPE evaluates one point of eleven nine times in sixty."""
    trials = Trials()
    space = {"a": hp.quniform("a", 0, 10, 1), "b": hp.quniform("b", 0, 9, 1)}
    search(lambda p: (p["a"] - 7) ** 2 + p["b"], space, 60, algo=tpe.suggest, trials=trials)
    points = Counter(zip(trials.vals["a"], trials.vals["b"], strict=True))
    # only the 20 random points of the start may meet: birthday odds of more than 8 pairs < 1e-4
    assert len(points) >= 52


def test_adaptive_tpe_runs_without_a_model_of_its_own() -> None:
    assert -5 <= search(abs, LINE, 25, algo=hyperopt.atpe.suggest)["x"] <= 5


def test_runs_are_resumed_kept_and_merged(spark: Any, tmp_path: Path) -> None:
    file = tmp_path / "trials.pkl"
    search(abs, LINE, 5, trials_save_file=str(file))
    search(abs, LINE, 8, trials_save_file=str(file))
    first = load_trials(file)
    assert len(first) == len(set(first.vals["x"])) == 8
    on_spark = SparkTrials(2, spark_session=spark)
    search(abs, LINE, 3, trials=on_spark)
    second = pickle.loads(pickle.dumps(on_spark))
    docs = second.trials
    for doc, tid in zip(docs, first.new_trial_ids(3), strict=True):
        doc["tid"] = doc["misc"]["tid"] = tid
    first.insert_trial_docs(docs)
    first.refresh()
    search(abs, LINE, 12, trials=first)
    assert first.tids == list(range(12))


def test_an_interrupted_trial_is_evaluated_again() -> None:
    """In Hyperopt it stays running for ever, and counts as done."""

    def interrupted(x: float) -> float:
        if len(trials) == 3 and not again:
            raise KeyboardInterrupt
        return x

    again: list[int] = []
    trials = Trials()
    with pytest.raises(KeyboardInterrupt):
        search(interrupted, LINE, 6, trials=trials)
    again.append(1)
    search(interrupted, LINE, 6, trials=trials)
    assert trials.statuses() == ["ok"] * 6


def test_points_to_start_from_work_with_conditions_and_any_trials() -> None:
    """Hyperopt ignores them wherever trials are given."""
    space = hp.choice("kind", [{"x": LINE}, {"y": hp.normal("y", 0, 1)}])
    points: list[dict[str, Any]] = [{"kind": 1, "y": 0.5}, {"kind": 0, "x": 2.0}]
    trials = Trials()
    options: dict[str, Any] = {"points_to_evaluate": points, "algo": tpe.suggest, "trials": trials}
    search(lambda p: sum(p.values()), space, 30, **options)
    assert [dict(record.values) for record in trials.records.values()][:2] == points
    assert len(trials) == 32
    with pytest.raises(ValueError, match="lacks a value for 'y'"):
        search(lambda p: 0.0, space, 3, points_to_evaluate=[{"kind": 1}])


def test_the_bar_leaves_standard_output_alone() -> None:
    """Hyperopt's replaces sys.stdout, which breaks what prints, logs or asks for a file number."""
    stream = io.StringIO()

    def printing(x: float) -> float:
        assert sys.stdout is stream
        print("hello")
        return x

    with redirect_stdout(stream):
        fmin(printing, LINE, rand.suggest, 3)
    assert stream.getvalue() == "hello\n" * 3
