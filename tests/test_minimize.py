"""`fmin` and `space_eval`, in this process."""

from __future__ import annotations

import functools
import inspect
import logging
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune import (
    STATUS_FAIL,
    STATUS_OK,
    AllTrialsFailed,
    BadSearchSpace,
    InvalidAnnotatedParameter,
    InvalidArgument,
    InvalidLoss,
    InvalidResult,
    InvalidResultStatus,
    SparktuneError,
    ThreadTrials,
    Trials,
    fmin,
    hp,
    no_progress_loss,
    rand,
    scope,
    space_eval,
    tpe,
)
from sparktune.space.space import Space
from sparktune.stopping import LossThreshold, NoProgress
from sparktune.trial import Status

X = hp.uniform("x", -10, 10)
quiet = functools.partial(fmin, show_progressbar=False)


def square(x: float) -> float:
    return (x - 3) ** 2


def each_executor() -> list[Callable[[], Trials]]:
    return [Trials, lambda: ThreadTrials(3)]


@pytest.fixture(params=each_executor(), ids=["serial", "threads"])
def trials(request: pytest.FixtureRequest) -> Trials:
    made: Trials = request.param()
    return made


class TestResult:
    def test_the_minimum_of_a_parabola_is_found(self, trials: Trials) -> None:
        best = quiet(square, X, algo=tpe.suggest, max_evals=100, trials=trials, seed=0)
        assert best.keys() == {"x"}
        assert abs(best["x"] - 3) < 0.5
        assert type(best["x"]) is float
        assert len(trials) == 100

    def test_inactive_parameters_are_left_out_and_a_choice_is_its_index(self) -> None:
        space = hp.choice("kind", [{"a": X}, {"b": hp.randint("n", 5)}])
        best = quiet(lambda c: float("b" not in c), space, max_evals=20, seed=0)
        assert best.keys() == {"kind", "n"}
        assert best["kind"] == 1
        assert type(best["kind"]) is int

    def test_the_configuration_is_returned_instead_on_request(self) -> None:
        space = {"kind": hp.choice("kind", ["u", "v"]), "n": hp.uniformint("n", 1, 3)}
        best = quiet(lambda c: c["n"], space, max_evals=20, return_argmin=False, seed=0)
        assert best == {"kind": best["kind"], "n": 1}
        assert best["kind"] in ("u", "v")

    def test_a_space_without_parameters_is_evaluated(self) -> None:
        with pytest.warns(UserWarning, match="no hp"):
            assert quiet(lambda c: c["a"], {"a": 1}, max_evals=2) == {}

    def test_nothing_to_evaluate_is_an_error_or_none(self) -> None:
        with pytest.raises(AllTrialsFailed, match="There are no evaluation tasks"):
            quiet(square, X, max_evals=0)
        assert quiet(square, X, max_evals=0, return_argmin=False) is None

    def test_the_signature_is_hyperopts_and_five_arguments(self) -> None:
        hyperopt = pytest.importorskip("hyperopt")
        theirs = list(inspect.signature(hyperopt.fmin).parameters.values())
        ours = list(inspect.signature(fmin).parameters.values())
        assert [p.name for p in ours] == [p.name for p in theirs] + [
            "seed",
            "journal",
            "scheduler",
            "tracking",
            "checkpoints",
        ]
        assert [p.default for p in ours[:-5]] == [p.default for p in theirs]


class TestAlgorithms:
    @pytest.mark.parametrize(
        "algo",
        [
            None,
            "tpe",
            "random",
            "rand",
            tpe.suggest,
            rand.suggest,
            functools.partial(tpe.suggest, gamma=0.3, n_startup_jobs=3, n_EI_candidates=5),
            functools.partial(tpe.suggest, prior_weight=2.0, verbose=False),
            functools.partial(functools.partial(tpe.suggest, gamma=0.3), n_startup_jobs=3),
            tpe.TPE(n_startup_jobs=3),
        ],
    )
    def test_every_way_to_name_one_works(self, algo: Any) -> None:
        best = quiet(square, X, algo=algo, max_evals=15, seed=0)
        assert abs(best["x"] - 3) < 5

    @pytest.mark.parametrize("algo", ["best", tpe, 3, lambda new_ids, domain, trials, seed: []])
    def test_anything_else_is_refused_with_what_is_valid(self, algo: Any) -> None:
        with pytest.raises(InvalidArgument, match=r"algo must be tpe\.suggest"):
            quiet(square, X, algo=algo, max_evals=1)

    def test_an_unknown_option_is_refused_with_the_known_ones(self) -> None:
        algo = functools.partial(tpe.suggest, linear_forgetting=25)
        with pytest.raises(InvalidArgument, match=r"linear_forgetting.*gamma"):
            quiet(square, X, algo=algo, max_evals=1)


class TestSeeds:
    def test_equal_seeds_give_equal_trials(self) -> None:
        runs = [Trials(), Trials(), Trials()]
        for run, seed in zip(runs, [1, 1, 2], strict=True):
            quiet(square, X, max_evals=30, trials=run, seed=seed)
        assert runs[0].vals == runs[1].vals
        assert runs[0].vals != runs[2].vals

    def test_a_run_in_two_parts_equals_one_in_one(self) -> None:
        whole, parts = Trials(), Trials()
        quiet(square, X, max_evals=40, trials=whole, seed=7)
        quiet(square, X, max_evals=25, trials=parts, seed=7)
        quiet(square, X, max_evals=40, trials=parts, seed=7)
        assert whole.vals == parts.vals

    @pytest.mark.parametrize(
        "make", [lambda: np.random.default_rng(5), lambda: np.random.RandomState(5), lambda: 5]
    )
    def test_rstate_takes_every_kind_of_random_state(self, make: Callable[[], Any]) -> None:
        first, second = (quiet(square, X, max_evals=5, rstate=make()) for _ in range(2))
        assert first == second

    def test_the_environment_variable_of_hyperopt_is_a_seed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HYPEROPT_FMIN_SEED", "11")
        assert quiet(square, X, max_evals=5) == quiet(square, X, max_evals=5, seed=11)

    @pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
    def test_what_is_no_seed_is_refused(self, seed: Any) -> None:
        with pytest.raises(InvalidArgument, match="seed must be an integer"):
            quiet(square, X, max_evals=1, seed=seed)

    def test_both_kinds_of_seed_are_refused(self) -> None:
        with pytest.raises(InvalidArgument, match="not both"):
            quiet(square, X, max_evals=1, seed=1, rstate=np.random.default_rng(1))


class TestStopping:
    def test_max_evals_is_the_total_over_calls(self, trials: Trials) -> None:
        quiet(square, X, max_evals=5, trials=trials)
        quiet(square, X, max_evals=8, trials=trials)
        quiet(square, X, max_evals=8, trials=trials)
        assert len(trials) == 8
        assert trials.tids == list(range(8))

    def test_the_loss_threshold_ends_the_run_below_it(self, trials: Trials) -> None:
        quiet(lambda x: 0.5, X, max_evals=7, loss_threshold=0.5, trials=trials)
        assert len(trials) == 7
        quiet(lambda x: 0.4, X, max_evals=30, loss_threshold=0.5, trials=trials)
        assert len(trials) < 30

    def test_the_timeout_ends_the_run(
        self, trials: Trials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        passed = [0.0]
        real = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: real() + passed[0])

        def objective(x: float) -> float:
            if trials.count_successful_trials() > 2:
                passed[0] = 1000.0
            return x

        quiet(objective, X, timeout=500, trials=trials)
        assert trials.count_successful_trials() > 2
        assert trials.stop_reason == "timeout"
        assert not trials.count_by_state_unsynced([0, 1])

    def test_the_timeout_ends_a_run_in_which_nothing_happens(self, trials: Trials) -> None:
        wait = threading.Event().wait
        begun = time.monotonic()
        if type(trials) is Trials:  # who evaluates here is asked after a trial only
            quiet(lambda x: wait(0.02) or x, X, timeout=0.5, trials=trials)
        else:
            with pytest.raises(AllTrialsFailed):
                quiet(lambda x: wait(600) or x, X, timeout=0.5, trials=trials)
        assert 0.5 <= time.monotonic() - begun < 60

    def test_no_progress_ends_the_run(self, trials: Trials) -> None:
        quiet(lambda x: 1.0, X, max_evals=50, early_stop_fn=no_progress_loss(10), trials=trials)
        most = 10 if type(trials) is Trials else 16  # others may end while the last is told
        assert 10 <= trials.count_successful_trials() <= most

    def test_no_progress_counts_anew_when_a_run_goes_on(self) -> None:
        trials = Trials()
        for total in (10, 20):
            quiet(lambda x: 1.0, X, max_evals=99, early_stop_fn=no_progress_loss(10), trials=trials)
            assert len(trials) == total
            assert trials.stop_reason == "no progress"

    def test_rules_combine(self) -> None:
        trials = Trials()
        rule = NoProgress(10) | LossThreshold(0.5)
        quiet(lambda x: 0.1, X, max_evals=50, early_stop_fn=rule, trials=trials)
        assert len(trials) == 1

    def test_an_early_stop_function_keeps_its_state(self) -> None:
        seen: list[tuple[int, int]] = []

        def stop(trials: Trials, calls: int = 0) -> tuple[bool, list[int]]:
            seen.append((len(trials), calls))
            return calls == 3, [calls + 1]

        trials = Trials()
        quiet(square, X, max_evals=50, early_stop_fn=stop, trials=trials)
        assert [calls for _, calls in seen] == [0, 1, 2, 3]
        assert trials.count_successful_trials() == 4

    def test_an_early_stop_function_may_return_a_bare_bool(self) -> None:
        trials = Trials()
        quiet(square, X, max_evals=9, early_stop_fn=lambda t: len(t.losses()) >= 3, trials=trials)
        assert trials.count_successful_trials() == 3

    @pytest.mark.parametrize("state", [np.array([1]), {}, range(2), None, (), (1, 2)])
    def test_the_state_of_an_early_stop_function_is_whatever_gives_arguments(
        self, state: Any
    ) -> None:
        trials, calls = Trials(), []

        def stop(trials: Trials, *given: Any) -> tuple[bool, Any]:
            calls.append(given)
            return len(calls) == 3, state

        quiet(square, X, max_evals=9, early_stop_fn=stop, trials=trials)
        assert calls == [(), *[tuple(() if state is None else state)] * 2]

    @pytest.mark.parametrize("answer", ["yes", (True,), (False, 5), (False, "s"), (0, {"n": 1})])
    def test_a_useless_answer_of_an_early_stop_function_costs_no_result(self, answer: Any) -> None:
        trials = Trials()
        with pytest.raises(InvalidArgument, match="early_stop_fn must return"):
            quiet(square, X, max_evals=9, early_stop_fn=lambda t: answer, trials=trials)
        assert trials.count_successful_trials() == 1

    @pytest.mark.parametrize(
        ("argument", "value", "message"),
        [
            ("timeout", 0, "timeout argument should be None or a positive value"),
            ("timeout", True, "timeout argument should be None or a positive value"),
            ("timeout", "10", "timeout argument should be None or a positive value"),
            ("loss_threshold", "0", "loss_threshold argument should be None or a numeric value"),
            ("loss_threshold", True, "loss_threshold argument should be None or a numeric"),
            ("max_evals", -1, "max_evals must be an integer >= 0"),
            ("max_evals", 10.0, "max_evals must be an integer >= 0"),
            ("max_queue_len", 0, "max_queue_len must be an integer >= 1"),
            ("early_stop_fn", 3, "early_stop_fn must be no_progress_loss"),
            ("early_stop_fn", no_progress_loss, r"call it, as in no_progress_loss\(20\)"),
            ("algo", functools.partial(rand.suggest, gamma=1), "has no option 'gamma'"),
            ("algo", tpe.TPE, "algo must be"),
            ("trials_save_file", 123, "trials_save_file must be the path of a file"),
            ("points_to_evaluate", {"x": 1}, "points_to_evaluate must be a list of dicts"),
            ("points_to_evaluate", [{"y": 1}], "unknown parameter 'y'; the space has 'x'"),
            ("points_to_evaluate", [{}], "lacks a value for 'x'"),
            ("trials", [], r"trials must be Trials\(\)"),
            ("trials", Trials, r"trials is the class Trials; give Trials\(\)"),
        ],
    )
    def test_wrong_arguments_are_refused_before_anything_runs(
        self, argument: str, value: Any, message: str
    ) -> None:
        def objective(x: float) -> float:
            raise AssertionError("the objective was called")

        with pytest.raises(InvalidArgument, match=message):
            quiet(objective, X, **({"max_evals": 1} | {argument: value}))

    def test_an_objective_that_is_no_function_is_refused(self) -> None:
        with pytest.raises(InvalidArgument, match="fn must be a function"):
            quiet(3.0, X, max_evals=1)  # type: ignore[arg-type]


class TestPoints:
    def test_points_come_first_and_on_top_of_max_evals(self, trials: Trials) -> None:
        points: list[dict[str, Any]] = [{"x": 3.0}, {"x": 4}]
        best = quiet(square, X, max_evals=5, points_to_evaluate=points, trials=trials, seed=0)
        assert best == {"x": 3.0}
        assert trials.vals["x"][:2] == [3.0, 4.0]
        assert len(trials) == 7

    def test_points_that_are_there_already_are_not_repeated(self, trials: Trials) -> None:
        points = [{"x": 3.0}]
        for _ in range(2):
            quiet(square, X, max_evals=3, points_to_evaluate=points, trials=trials)
        assert len(trials) == 4

    def test_inactive_values_of_a_point_are_dropped(self) -> None:
        space = hp.choice("kind", [{"a": hp.uniform("a", 0, 1)}, {"b": hp.uniform("b", 0, 1)}])
        trials = Trials()
        point = {"kind": 1, "a": 0.5, "b": 0.25}
        quiet(lambda c: c["b"], space, max_evals=0, points_to_evaluate=[point], trials=trials)
        assert trials.argmin == {"kind": 1, "b": 0.25}

    def test_trials_of_another_space_are_refused(self) -> None:
        trials = Trials()
        quiet(lambda c: c, hp.choice("c", [1, 2, 3]), max_evals=9, trials=trials, seed=0)
        with pytest.raises(InvalidArgument, match=r"'c' must be an index from 0 to 1.*new trials"):
            quiet(lambda c: c, hp.choice("c", [1, 2]), max_evals=20, trials=trials)
        with pytest.raises(InvalidArgument, match="lacks a value for 'x'"):
            quiet(square, X, max_evals=20, trials=trials)
        more = {"c": hp.choice("c", [1, 2, 3]), "x": X}
        with pytest.raises(InvalidArgument, match="lacks a value for 'x'"):
            quiet(len, more, max_evals=20, trials=trials)

    def test_a_parameter_may_leave_the_space(self) -> None:
        trials = Trials()
        both = {"c": hp.choice("c", [1, 2, 3]), "x": X}
        quiet(lambda point: point["x"], both, max_evals=25, trials=trials, seed=0)
        quiet(square, X, max_evals=30, trials=trials, seed=0)
        assert [set(trial.values) for trial in trials.records.values()][24:26] == [
            {"c", "x"},
            {"x"},
        ]

    def test_a_parameter_of_hyperopts_own_is_refused(self) -> None:
        hyperopt = pytest.importorskip("hyperopt")
        with pytest.raises(BadSearchSpace, match="import hp and scope from sparktune"):
            quiet(len, {"x": hyperopt.hp.uniform("x", 0, 1)}, max_evals=1)


class TestFailures:
    @pytest.mark.parametrize(
        ("returned", "error", "message"),
        [
            (None, InvalidResult, "the objective returned None; return a number"),
            ("0.5", InvalidResult, "returned '0.5'"),
            ((1.0, 2.0), InvalidResult, "return a number"),
            (np.zeros(3), InvalidResult, "return a number"),
            ({"loss": 1.0}, InvalidResultStatus, "which has no 'status'"),
            ({"loss": 1.0, "status": "great"}, InvalidResultStatus, "'suspended', 'ok', 'fail'"),
            ({"status": "ok"}, InvalidLoss, "the loss None"),
            ({"status": "ok", "loss": "bad"}, InvalidLoss, "the loss 'bad'"),
        ],
    )
    def test_a_useless_result_is_explained(
        self, returned: Any, error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            quiet(lambda x: returned, X, max_evals=1)

    def test_the_objectives_own_exception_is_raised_and_earlier_trials_stay(self) -> None:
        trials = Trials()
        calls: list[float] = []

        def objective(x: float) -> float:
            calls.append(x)
            if len(calls) == 3:
                raise ZeroDivisionError("three")
            return x

        with pytest.raises(ZeroDivisionError, match="three"):
            quiet(objective, X, max_evals=5, trials=trials)
        assert len(trials) == 2
        assert trials.records[2].status is Status.ERROR

    def test_exceptions_are_recorded_on_request(self, trials: Trials) -> None:
        def objective(x: float) -> float:
            if x < 0:
                raise ValueError("negative")
            return x

        quiet(objective, X, max_evals=30, catch_eval_exceptions=True, trials=trials, seed=0)
        failed = [doc for doc in trials._dynamic_trials if doc["state"] == 3]
        assert failed
        assert len(trials) == 30 - len(failed)
        kind, text = failed[0]["misc"]["error"]
        assert kind == "ValueError"
        assert "Traceback" in text
        assert 'raise ValueError("negative")' in text

    def test_a_parallel_run_goes_on_after_exceptions(self) -> None:
        def objective(x: float) -> float:
            if x < 0:
                raise ValueError("negative")
            return x

        trials = ThreadTrials(2)
        quiet(objective, X, max_evals=20, trials=trials, seed=0)
        assert trials.count_total_trials() == 20
        assert trials.count_failed_trials() > 0

    def test_a_run_in_which_all_failed_shows_the_first_traceback(self, trials: Trials) -> None:
        def objective(x: float) -> float:
            raise LookupError("no data here")

        with pytest.raises(AllTrialsFailed) as caught:
            quiet(objective, X, max_evals=4, catch_eval_exceptions=True, trials=trials)
        text = str(caught.value)
        assert "none of 4 trials gave a usable loss (4 error)" in text
        assert "of trial 0" in text
        assert 'raise LookupError("no data here")' in text

    def test_status_fail_is_no_result_but_no_error_either(self) -> None:
        trials = Trials()

        def objective(x: float) -> dict[str, Any]:
            return {"status": STATUS_OK if x > 0 else STATUS_FAIL, "loss": x, "note": "kept"}

        best = quiet(objective, X, max_evals=30, trials=trials, seed=0)
        assert best["x"] > 0
        assert len(trials) == 30
        assert {"ok", "fail"} == set(trials.statuses())
        assert all(result["note"] == "kept" for result in trials.results)

    def test_nan_is_never_the_best(self) -> None:
        trials = Trials()
        best = quiet(lambda x: x if x > 0 else float("nan"), X, max_evals=30, trials=trials, seed=0)
        assert best["x"] > 0
        bad = next(r for r in trials.records.values() if r.status is Status.FAIL)
        assert bad.failure is not None
        assert "NaN" in bad.failure.message
        with pytest.raises(AllTrialsFailed, match="returned NaN as its loss"):
            quiet(lambda x: float("nan"), X, max_evals=3)

    def test_an_error_in_the_space_is_its_trials(self) -> None:
        if "explode_sometimes" not in scope._impls:

            @scope.define
            def explode_sometimes(x: float) -> float:
                if x < 0:
                    raise OverflowError("boom")
                return x

        trials = Trials()
        space = scope.explode_sometimes(X)
        quiet(abs, space, max_evals=20, catch_eval_exceptions=True, trials=trials, seed=0)
        assert trials.count_failed_trials() > 0
        assert trials.count_successful_trials() > 0
        with pytest.raises(OverflowError, match="boom"):
            quiet(abs, space, max_evals=20, seed=0)

    def test_ctrl_c_leaves_no_running_trial_and_the_run_can_go_on(self) -> None:
        trials = Trials()

        def objective(x: float) -> float:
            if len(trials.losses()) == 3:
                raise KeyboardInterrupt
            return x

        with pytest.raises(KeyboardInterrupt):
            quiet(objective, X, max_evals=9, trials=trials)
        assert trials.statuses() == ["ok", "ok"]
        assert trials.records[2].status is Status.CANCELLED
        quiet(lambda x: x, X, max_evals=9, trials=trials)
        assert trials.count_successful_trials() == 9

    def test_the_first_failure_is_a_warning_in_the_log(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        def objective(x: float) -> float:
            raise ValueError("logged")

        with caplog.at_level(logging.WARNING, "sparktune"):
            with pytest.raises(ValueError, match="logged"):
                quiet(objective, X, max_evals=3)
            assert not caplog.records
            with pytest.raises(AllTrialsFailed):
                quiet(objective, X, max_evals=3, catch_eval_exceptions=True)
        assert [record.getMessage() for record in caplog.records] == [
            "trial 0 ended: error: ValueError: logged"
        ]


class TestCallingConventions:
    def test_annotations_are_the_space(self, trials: Trials) -> None:
        def objective(x: X, y: hp.randint("y", 3)) -> float:  # type: ignore[valid-type]
            return x**2 + y

        best = quiet(objective, "annotated", max_evals=10, trials=trials, seed=0)
        assert best.keys() == {"x", "y"}

    def test_an_annotation_that_is_no_parameter_is_refused(self) -> None:
        def objective(x: float) -> float:
            return x

        with pytest.raises(InvalidAnnotatedParameter, match=r"'x'.*hp\.uniform"):
            quiet(objective, "annotated", max_evals=1)
        with pytest.raises(InvalidAnnotatedParameter, match=r"no argument of .* is annotated; "):
            quiet(lambda x: x, "annotated", max_evals=1)

    def test_the_expression_can_be_had_instead(self, trials: Trials) -> None:
        from sparktune.space.evaluation import rec_eval

        def objective(expr: Any, memo: Any, ctrl: Any) -> float:
            ctrl.attachments["seen"] = memo
            ctrl.info("trial %d", ctrl.current_trial["tid"])
            return float(rec_eval(expr, memo=memo) ** 2)

        quiet(objective, X, max_evals=4, trials=trials, pass_expr_memo_ctrl=True)
        assert len(trials) == 4
        assert list(trials.trial_attachments(trials.trials[2])) == ["seen"]

    def test_attachments_go_beside_the_result(self, trials: Trials) -> None:
        def objective(x: float) -> dict[str, Any]:
            return {"loss": x, "status": STATUS_OK, "attachments": {"curve": [x, x]}}

        quiet(objective, X, max_evals=3, trials=trials)
        doc = trials.trials[1]
        attached = trials.trial_attachments(doc)
        assert attached["curve"] == [doc["result"]["loss"]] * 2
        assert "attachments" not in doc["result"]
        del attached["curve"]
        assert "curve" not in attached
        assert len(trials.trial_attachments(trials.trials[0])) == 1

    def test_a_queue_of_suggestions_is_made_ahead_and_emptied(self) -> None:
        trials = Trials()
        waiting: list[int] = []

        def objective(x: float) -> float:
            waiting.append(trials.count_by_state_unsynced(1))
            return x

        quiet(objective, X, max_evals=10, max_queue_len=4, trials=trials)
        assert waiting == [4, 3, 2, 1, 4, 3, 2, 1, 2, 1]


class TestSaving:
    def test_a_run_goes_on_from_its_save_file(self, tmp_path: Path) -> None:
        path = tmp_path / "trials.pkl"
        quiet(square, X, max_evals=5, trials_save_file=str(path), seed=1)
        quiet(square, X, max_evals=8, trials_save_file=str(path), seed=1)
        saved = pickle.loads(path.read_bytes())
        assert len(saved) == 8
        assert list(tmp_path.iterdir()) == [path]

    def test_a_save_file_that_cannot_be_written_is_reported_before_anything_runs(
        self, tmp_path: Path
    ) -> None:
        def objective(x: float) -> float:
            raise AssertionError("the objective was called")

        with pytest.raises(InvalidArgument, match="trials_save_file"):
            quiet(objective, X, max_evals=1, trials_save_file=str(tmp_path / "no" / "where"))

    @pytest.mark.parametrize("content", [pickle.dumps([1, 2]), b"", b"garbage"])
    def test_a_save_file_of_something_else_is_refused(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "other.pkl"
        path.write_bytes(content)
        with pytest.raises(InvalidArgument, match="trials_save_file"):
            quiet(square, X, max_evals=1, trials_save_file=str(path))

    def test_given_trials_go_on_from_the_file_or_leave_it_alone(self, tmp_path: Path) -> None:
        path = str(tmp_path / "trials.pkl")
        quiet(square, X, max_evals=6, trials_save_file=path)
        empty, other = ThreadTrials(2), Trials()
        quiet(square, X, max_evals=8, trials_save_file=path, trials=empty)
        assert len(empty) == 8
        quiet(square, X, max_evals=2, trials=other)
        with pytest.raises(InvalidArgument, match="would be overwritten"):
            quiet(square, X, max_evals=9, trials=other, trials_save_file=path)
        quiet(square, X, max_evals=9, trials=empty, trials_save_file=path)
        assert len(empty) == 9


class TestSpaceEval:
    SPACE = hp.choice("kind", [{"a": X}, {"b": hp.randint("n", 5), "c": "fixed"}])

    def test_a_result_of_fmin_becomes_its_configuration(self) -> None:
        assert space_eval(self.SPACE, {"kind": 1, "n": 3}) == {"b": 3, "c": "fixed"}
        assert space_eval(Space(self.SPACE), {"kind": 1, "n": 3}) == {"b": 3, "c": "fixed"}

    def test_the_values_of_a_document_do_too(self) -> None:
        vals = {"kind": [1], "n": [3], "x": []}
        assert space_eval(self.SPACE, vals) == {"b": 3, "c": "fixed"}

    def test_labels_of_other_spaces_are_ignored(self) -> None:
        assert space_eval(self.SPACE, {"kind": 0, "x": 1.5, "other": 3}) == {"a": 1.5}

    @pytest.mark.parametrize(
        ("assignment", "message"),
        [
            ({"kind": 1}, "lacks a value for 'n'"),
            ({"kind": "a", "x": 1}, "'kind' must be an integer.*index of its option"),
            ({"kind": 2, "x": 1}, "'kind' must be an index from 0 to 1"),
            ({"kind": [0, 1], "x": [1, 2]}, "'kind' has 2 values; give those of one trial"),
            ([1], "assignment must be a dict"),
        ],
    )
    def test_what_cannot_be_evaluated_is_explained(self, assignment: Any, message: str) -> None:
        with pytest.raises(InvalidArgument, match=message):
            space_eval(self.SPACE, assignment)


def test_errors_are_of_one_tree() -> None:
    for error in (AllTrialsFailed, InvalidArgument, InvalidLoss, InvalidResultStatus):
        assert issubclass(error, SparktuneError)
