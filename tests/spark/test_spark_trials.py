"""SparkTrials on Spark Classic and on Spark Connect: results, reuse, failures, cancellation."""

from __future__ import annotations

import functools
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pyspark import cloudpickle

from sparktune import (
    STATUS_FAIL,
    STATUS_OK,
    AllTrialsFailed,
    ObjectiveNotPicklable,
    SparkTrials,
    Trials,
    fmin,
    hp,
    no_progress_loss,
)
from sparktune.executors.spark_session import is_connect
from sparktune.trial import Status, Trial
from tests.spark.conftest import eight_a_task_too

X = hp.uniform("x", -10, 10)
quiet = functools.partial(fmin, show_progressbar=False)
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers lack this module
MakeTrials = Callable[..., SparkTrials]
Gather = Callable[..., Callable[[float], float]]


def square(x: float) -> float:
    return (x - 3) ** 2


def report(x: float) -> dict[str, Any]:
    """Where a trial ran, and whether its process has imported sparktune since the last one."""
    known = sys.modules.pop("sparktune", None) is not None
    return {"loss": x, "status": STATUS_OK, "pid": os.getpid(), "known": known}


def only(trials: Trials) -> Trial:
    [trial] = trials.records.values()
    return trial


def run_one(spark_trials: MakeTrials, objective: Callable[[Any], Any], **options: Any) -> Trial:
    """The record of a single trial that is expected to fail."""
    trials = spark_trials(parallelism=2, **options)
    with pytest.raises(AllTrialsFailed):
        quiet(objective, X, max_evals=1, trials=trials)
    return only(trials)


def most_at_once(trials: Trials) -> int:
    """The largest number of trials that ran at one moment."""
    moments = [(trial.started, 1) for trial in trials.records.values()]
    moments += [(trial.finished, -1) for trial in trials.records.values()]
    running = [0]
    for _, step in sorted(moments):
        running.append(running[-1] + step)
    return max(running)


class TestRuns:
    def test_the_minimum_of_a_parabola_is_found(self, spark_trials: MakeTrials) -> None:
        trials = spark_trials(parallelism=4)
        best = quiet(square, X, max_evals=60, trials=trials, seed=0)
        assert abs(best["x"] - 3) < 1
        assert len(trials) == trials.count_successful_trials() == 60

    def test_points_come_first_and_the_run_can_go_on(self, spark_trials: MakeTrials) -> None:
        trials = spark_trials(parallelism=4)
        best = quiet(square, X, max_evals=4, points_to_evaluate=[{"x": 3.0}], trials=trials)
        assert best == {"x": 3.0}
        assert len(trials) == 5
        quiet(square, X, max_evals=9, trials=trials)
        assert len(trials) == 9

    @eight_a_task_too
    def test_conditional_spaces_and_rich_options_arrive_whole(
        self, spark_trials: MakeTrials
    ) -> None:
        space = {
            "kind": hp.choice("kind", [("a", hp.randint("n", 1, 4)), ("b", [len, {"deep": X}])])
        }

        def objective(config: dict[str, Any]) -> dict[str, Any]:
            kind, value = config["kind"]
            whole = type(value) is int if kind == "a" else value[0]([1, 2]) == 2
            return {"loss": 0.0 if whole else 1.0, "status": STATUS_OK, "config": config}

        trials = spark_trials(parallelism=4)
        quiet(objective, space, max_evals=12, trials=trials, seed=1)
        assert trials.losses() == [0.0] * 12
        assert {result["config"]["kind"][0] for result in trials.results} == {"a", "b"}

    def test_one_at_a_time_is_strictly_sequential(self, spark_trials: MakeTrials) -> None:
        trials = spark_trials(parallelism=1)
        serial = Trials()
        quiet(square, X, max_evals=30, trials=trials, seed=4)
        quiet(square, X, max_evals=30, trials=serial, seed=4)
        assert trials.vals == serial.vals
        spans = [(trial.started, trial.finished) for trial in trials.records.values()]
        assert all(a[1] <= b[0] for a, b in pairwise(spans))  # type: ignore[operator]

    def test_trials_run_at_once_up_to_the_parallelism(
        self, spark_trials: MakeTrials, gather: Gather
    ) -> None:
        trials = spark_trials(parallelism=2)
        quiet(gather(2, stay=0.3), X, max_evals=6, trials=trials)
        assert trials.count_successful_trials() == 6
        assert most_at_once(trials) == 2

    def test_processes_are_reused(self, spark_trials: MakeTrials) -> None:
        trials = spark_trials(parallelism=4)
        quiet(report, X, max_evals=40, trials=trials)
        assert len({result["pid"] for result in trials.results}) <= 5
        # A trial of another test may have imported it before the first one in a process.
        known = [result["pid"] for result in trials.results if result["known"]]
        assert len(set(known)) == len(known)

    def test_what_lasts_is_left_out_of_searches_for_garbage_and_what_trials_make_is_not(
        self, spark_trials: MakeTrials
    ) -> None:
        def objective(x: float) -> dict[str, Any]:
            kept: list[Any] = [[i] for i in range(5000)]
            kept.append(kept)  # a cycle, which only a search finds
            report = {"pid": os.getpid(), "left_out": gc.get_freeze_count()}
            return {"status": "ok", "loss": x} | report

        trials = spark_trials(parallelism=2, batch=1)
        quiet(objective, X, max_evals=12, trials=trials)
        by_process: dict[int, list[int]] = {}
        for result in trials.results:
            by_process.setdefault(result["pid"], []).append(result["left_out"])
        later = [counts[1:] for counts in by_process.values() if counts[1:]]
        assert later
        for counts in later:
            assert min(counts) > 10_000
            assert max(counts) - min(counts) < 5000

    @eight_a_task_too
    def test_the_objective_is_unpickled_once_for_each_trial(
        self, spark_trials: MakeTrials, tmp_path: Path
    ) -> None:
        class Heavy:
            def __init__(self, log: str) -> None:
                self.log = log

            def __setstate__(self, state: dict[str, Any]) -> None:
                self.__dict__.update(state)
                with open(self.log, "a") as log:
                    log.write(f"{os.getpid()}\n")

            def __call__(self, x: float) -> float:
                return x

        trials = spark_trials(parallelism=4)
        quiet(Heavy(str(tmp_path / "log")), X, max_evals=30, trials=trials)
        loads = (tmp_path / "log").read_text().split()
        assert len(loads) == 30
        assert len(set(loads)) <= 5

    def test_stopping_rules_work(
        self, spark_trials: MakeTrials, nothing_runs: Callable[[], bool]
    ) -> None:
        trials = spark_trials(parallelism=4, loss_threshold=0.5)
        quiet(lambda x: 0.4, X, max_evals=500, trials=trials)
        assert trials.count_total_trials() < 50
        trials = spark_trials(parallelism=4)
        quiet(lambda x: 0.4, X, max_evals=500, early_stop_fn=no_progress_loss(10), trials=trials)
        assert 10 <= trials.count_successful_trials() < 50
        assert nothing_runs()


class TestFailures:
    @eight_a_task_too
    def test_each_kind_ends_its_own_trial_only(self, spark_trials: MakeTrials) -> None:
        def raise_(error: BaseException) -> None:
            raise error

        ends: dict[int, Callable[[], Any]] = {
            0: lambda: 1.0,
            1: lambda: raise_(ValueError("raised")),
            2: lambda: "nonsense",
            3: lambda: float("nan"),
            4: lambda: {"loss": 1.0, "status": STATUS_OK, "lock": threading.Lock()},
            5: lambda: os._exit(3),
            6: lambda: os.kill(os.getpid(), signal.SIGKILL),
            7: lambda: {"status": STATUS_FAIL, "why": "said so"},
            8: lambda: raise_(SystemExit(2)),
        }
        points = [{"kind": kind} for kind in ends]
        space = hp.choice("kind", list(ends))
        trials = spark_trials(parallelism=4)
        best = quiet(
            lambda kind: ends[kind](),
            space,
            max_evals=0,
            points_to_evaluate=points,
            trials=trials,
        )
        assert best == {"kind": 0}
        records = trials.records
        assert {kind: trial.status for kind, trial in records.items()} == {
            0: Status.OK,
            1: Status.ERROR,
            2: Status.ERROR,
            3: Status.FAIL,
            4: Status.ERROR,
            5: Status.CRASHED,
            6: Status.CRASHED,
            7: Status.FAIL,
            8: Status.ERROR,
        }
        messages = {kind: str(trial.failure) for kind, trial in records.items()}
        assert "ValueError: raised" in messages[1]
        assert "in raise_" in messages[1]
        assert "returned 'nonsense'; return a number" in messages[2]
        assert "NaN" in messages[3]
        assert "cannot be sent back" in str(records[4].failure.message)  # type: ignore[union-attr]
        assert "process that ran this trial died" in messages[5]
        assert "killed by a signal" in messages[6]
        assert records[7].result == {"status": "fail", "why": "said so"}
        assert "SystemExit" in messages[8]

    @eight_a_task_too
    def test_an_objective_that_raises_is_called_once(
        self, spark_trials: MakeTrials, tmp_path: Path
    ) -> None:
        def objective(x: float) -> float:
            (tmp_path / f"{x}-{os.getpid()}-{time.time()}").touch()
            raise ValueError

        run_one(spark_trials, objective)
        assert len(list(tmp_path.iterdir())) == 1

    def test_a_run_in_which_all_failed_shows_the_first_traceback(
        self, spark_trials: MakeTrials
    ) -> None:
        def objective(x: float) -> float:
            raise LookupError("the table is gone")

        with pytest.raises(AllTrialsFailed) as caught:
            quiet(objective, X, max_evals=6, trials=spark_trials(parallelism=4))
        assert "none of 6 trials" in str(caught.value)
        assert 'raise LookupError("the table is gone")' in str(caught.value)

    @pytest.mark.parametrize("what", ["lock", "session", "frame"])
    def test_an_objective_that_cannot_travel_is_refused_before_any_job(
        self, spark_trials: MakeTrials, session: Any, what: str
    ) -> None:
        lock, frame = threading.Lock(), session.range(3)
        objectives: dict[str, Any] = {
            "lock": lambda x: lock.locked(),
            "session": lambda x: session.range(3).count(),
            "frame": lambda x: frame.count(),
        }
        message = {"lock": "inside it"}.get(what, "use ThreadTrials")
        trials = spark_trials(parallelism=4)
        with pytest.raises(ObjectiveNotPicklable, match=message):
            quiet(objectives[what], X, max_evals=3, trials=trials)
        assert trials.count_total_trials() == 0

    @eight_a_task_too
    def test_parameters_that_cannot_be_loaded_are_explained(self, spark_trials: MakeTrials) -> None:
        class Broken:
            def __reduce__(self) -> Any:
                return eval, ("__import__('no_such_module')",)

        trials = spark_trials(parallelism=2)
        with pytest.raises(AllTrialsFailed, match="the module is missing there"):
            quiet(square, hp.choice("c", [Broken()]), max_evals=1, trials=trials)
        assert only(trials).status is Status.ERROR

    @eight_a_task_too
    def test_parameters_that_cannot_be_pickled_end_their_trial(
        self, spark_trials: MakeTrials
    ) -> None:
        trials = spark_trials(parallelism=2)
        with pytest.raises(AllTrialsFailed, match="pickle"):
            quiet(square, hp.choice("c", [threading.Lock()]), max_evals=1, trials=trials)
        assert only(trials).status is Status.ERROR

    def test_large_parameters_are_warned_of_once(
        self, spark_trials: MakeTrials, caplog: pytest.LogCaptureFixture
    ) -> None:
        space = {"x": X, "data": b"x" * 3_000_000}
        quiet(lambda c: len(c["data"]), space, max_evals=3, trials=spark_trials(1))
        assert "the parameters of a trial take 2 MB" in caplog.text
        assert caplog.text.count("travel with every trial") == 1

    @eight_a_task_too
    def test_a_result_of_many_megabytes_arrives(self, spark_trials: MakeTrials) -> None:
        def objective(x: float) -> dict[str, Any]:
            return {"loss": x, "status": STATUS_OK, "blob": b"x" * 50_000_000}

        trials = spark_trials(parallelism=2)
        quiet(objective, X, max_evals=2, trials=trials)
        assert len(trials.results[1]["blob"]) == 50_000_000

    @eight_a_task_too
    def test_an_objective_without_memory_raises_and_its_process_goes_on(
        self, spark_trials: MakeTrials
    ) -> None:
        def objective(x: float) -> dict[str, Any]:
            import resource

            before = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, before[1]))
            try:
                size = len(bytearray(8 << 30 if x > 0 else 8))
            finally:
                resource.setrlimit(resource.RLIMIT_AS, before)
            return {"loss": size, "status": STATUS_OK}

        trials = spark_trials(parallelism=1)
        points = [{"x": 1.0}, {"x": -1.0}]
        quiet(objective, X, max_evals=0, points_to_evaluate=points, trials=trials)
        assert [trial.status for trial in trials.records.values()] == [Status.ERROR, Status.OK]
        assert "MemoryError" in str(trials.records[0].failure)


class TestLogs:
    @eight_a_task_too
    def test_what_a_trial_writes_comes_back_with_it(self, spark_trials: MakeTrials) -> None:
        def objective(x: float) -> float:
            import logging

            print("printed", x)
            print("to stderr", file=sys.stderr)
            logging.getLogger("mine").warning("logged %s", x)
            if "handler" not in logging.getLogger("other").__dict__:
                logging.getLogger("other").__dict__["handler"] = handler = logging.StreamHandler()
                logging.getLogger("other").addHandler(handler)
            logging.getLogger("other").error("handled %s", x)
            return x

        trials = spark_trials(parallelism=1)
        quiet(objective, X, max_evals=3, trials=trials)
        for trial in trials.records.values():
            x = trial.values["x"]
            lines = ["printed", x], ["to stderr"], ["logged", x], ["handled", x]
            assert trial.log == "".join(f"{' '.join(map(str, line))}\n" for line in lines)

    def test_only_the_end_of_a_flood_comes_back(self, spark_trials: MakeTrials) -> None:
        def objective(x: float) -> float:
            for i in range(50_000):
                print("line", i)
            print("x" * 1_000_000)
            print("the end")
            return x

        trials = spark_trials(parallelism=1)
        quiet(objective, X, max_evals=1, trials=trials)
        assert len(only(trials).log) == 2**16
        assert only(trials).log.endswith("xxx\nthe end\n")

    def test_a_failure_is_shown_with_what_was_written_last(self, spark_trials: MakeTrials) -> None:
        def objective(x: float) -> float:
            for i in range(100):
                print("epoch", i)
            raise ValueError("diverged")

        trials = spark_trials(parallelism=1)
        with pytest.raises(AllTrialsFailed) as caught:
            quiet(objective, X, max_evals=1, trials=trials)
        expected = "\n".join(f"    epoch {i}" for i in range(80, 100))
        assert str(caught.value).endswith(f"ValueError: diverged\nIt wrote last:\n{expected}")


class TestTimeAndCancelling:
    """Trials that are to be ended would sleep for ten minutes, so that a minute tells that they
    were, on a busy machine too.
    """

    @pytest.mark.usefixtures("warm")
    @eight_a_task_too
    def test_code_that_never_returns_to_python_is_ended(self, spark_trials: MakeTrials) -> None:
        def objective(x: float) -> float:
            import ctypes

            if x > 0:
                ctypes.PyDLL(None).sleep(600)  # with the interpreter's lock held
            return x

        trials = spark_trials(parallelism=2, trial_timeout=8)
        points = [{"x": 1.0}, {"x": 2.0}, {"x": -1.0}, {"x": -2.0}]
        begun = time.monotonic()
        quiet(objective, X, max_evals=0, points_to_evaluate=points, trials=trials)
        assert time.monotonic() - begun < 60
        statuses = [trial.status for trial in trials.records.values()]
        assert statuses == [Status.TIMEOUT] * 2 + [Status.OK] * 2

    @pytest.mark.usefixtures("warm")
    @eight_a_task_too
    def test_a_trial_that_hangs_is_ended_and_its_slot_used_again(
        self, spark_trials: MakeTrials, nothing_runs: Callable[[], bool]
    ) -> None:
        def objective(x: float) -> float:
            if x > 0:
                time.sleep(600)
            return x

        trials = spark_trials(parallelism=2, trial_timeout=8)
        points = [{"x": x} for x in (1.0, 2.0, -1.0, -2.0, -3.0, -4.0)]
        begun = time.monotonic()
        best = quiet(objective, X, max_evals=0, points_to_evaluate=points, trials=trials)
        assert time.monotonic() - begun < 60
        assert best == {"x": -4.0}
        assert trials.count_failed_trials() == 2
        for hung in list(trials.records.values())[:2]:
            assert hung.status is Status.TIMEOUT
            assert hung.asked is not None
            assert hung.finished is not None
            assert hung.finished - hung.asked >= 8
            assert "trial_timeout=8 seconds" in str(hung.failure)
        assert nothing_runs()

    @pytest.mark.usefixtures("warm")
    def test_waiting_for_a_slot_does_not_count(
        self, spark_trials: MakeTrials, session: Any, tmp_path: Path, wait_until: Any
    ) -> None:
        path = str(tmp_path)

        def occupy(batches: Any) -> Any:
            for batch in batches:
                open(os.path.join(path, str(batch["id"][0])), "w").close()
                while not os.path.exists(os.path.join(path, "go on")):
                    time.sleep(0.05)
            yield from ()

        def free(trials: Any) -> None:
            wait_until(lambda: len(trials.records) == 5)
            time.sleep(trials.trial_timeout + 1)  # what is to be shown to matter nothing
            (tmp_path / "go on").touch()

        others = session.range(0, 4, 1, 4).mapInArrow(occupy, "id long")
        occupying = threading.Thread(target=others.collect)
        occupying.start()
        wait_until(lambda: len(list(tmp_path.glob("?"))) == 4)
        trials = spark_trials(parallelism=8, trial_timeout=8)
        freeing = threading.Thread(target=free, args=(trials,))
        freeing.start()
        quiet(abs, X, max_evals=6, trials=trials)
        freeing.join()
        occupying.join()
        assert trials.count_successful_trials() == 6
        first = [trials.records[id] for id in range(5)]
        assert all(trial.finished - trial.asked > 8 for trial in first)  # type: ignore[operator]

    @pytest.mark.usefixtures("warm")
    def test_the_timeout_cancels_what_runs_and_keeps_what_ended(
        self, spark_trials: MakeTrials, nothing_runs: Callable[[], bool]
    ) -> None:
        def objective(x: float) -> float:
            if x > 0:
                time.sleep(600)
            return x

        # Five are handed out at once, to four slots in any order: at most three of them are long,
        # so that the short ones get a slot.
        trials = spark_trials(parallelism=4, timeout=10)
        points = [{"x": -1.0}, {"x": -2.0}]
        begun = time.monotonic()
        quiet(
            objective,
            hp.uniform("x", 1, 2),
            points_to_evaluate=points,
            max_evals=20,
            trials=trials,
        )
        assert 10 <= time.monotonic() - begun < 60
        assert trials.count_successful_trials() == 2
        assert trials.count_cancelled_trials() == 5
        assert not trials.count_by_state_unsynced([0, 1])
        assert nothing_runs()

    @eight_a_task_too
    def test_a_run_that_timed_out_can_go_on(self, spark_trials: MakeTrials) -> None:
        trials = spark_trials(parallelism=4, timeout=1)
        with pytest.raises(AllTrialsFailed, match="5 cancelled"):
            quiet(lambda x: time.sleep(600), X, max_evals=5, trials=trials)
        trials.timeout = None
        quiet(square, X, max_evals=5, trials=trials)
        assert trials.count_successful_trials() == 5

    @eight_a_task_too
    def test_jobs_cancelled_by_somebody_else_are_cancelled_trials(
        self,
        spark_trials: MakeTrials,
        session: Any,
        tmp_path: Path,
        batch: int | str,
        wait_until: Any,
    ) -> None:
        jobs = 1 if batch == 8 else 2

        def objective(x: float) -> float:
            (tmp_path / str(x)).touch()
            time.sleep(600)
            return x

        def cancel() -> None:
            wait_until(lambda: len(list(tmp_path.iterdir())) == jobs)
            if is_connect(session):
                session.interruptAll()
            else:
                session.sparkContext.cancelAllJobs()

        trials = spark_trials(parallelism=jobs)  # in one slot, both share a job
        cancelling = threading.Thread(target=cancel)
        cancelling.start()
        with pytest.raises(AllTrialsFailed, match="2 cancelled"):
            quiet(objective, X, max_evals=2, trials=trials)
        cancelling.join()
        assert "its Spark job was cancelled" in str(trials.records[0].failure)
