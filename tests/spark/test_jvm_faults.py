"""A JVM that dies or stands still under a run, at any point of any call.

By hand, for fifty deaths: `python tests/spark/test_jvm_faults.py 50`.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SESSION = """
    import json, os, signal, sys, threading, time, warnings
    warnings.simplefilter("ignore")
    from sparktune import SparkTrials, SparkUnavailable, fmin, hp, local_session, rand
    from sparktune.stopping import Timeout

    spark = local_session(2)
    jvm = int(spark._jvm.java.lang.ProcessHandle.current().pid())
    space = hp.uniform("x", 0, 1)

    def tell(**what):
        print("told: " + json.dumps(what), flush=True)
"""

DIES_AT_A_CALL = """
    import itertools
    from py4j.clientserver import JavaClient
    from sparktune.executors.spark_classic import SparkClassic

    evaluated, at, after = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "after"
    folder, batch = sys.argv[4], 8 if sys.argv[5] == "8" else "auto"
    send, call = JavaClient.send_command, SparkClassic.call
    calls, died, reported, sizes = itertools.count(1), [], [], [1]

    def send_command(self, *arguments, **options):
        if len(os.listdir(folder)) < evaluated or next(calls) != at:
            return send(self, *arguments, **options)
        answer = send(self, *arguments, **options) if after else None
        os.kill(jvm, signal.SIGKILL)
        died.append(time.monotonic())
        return answer if after else send(self, *arguments, **options)

    def noted(self, trials, tag, within):
        sizes.append(len(trials))
        reports = call(self, trials, tag, within)
        reported.extend(report for report in reports if report)
        return reports

    def objective(x):
        import os, time
        time.sleep(0.05)
        open(os.path.join(folder, str(x)), "w").close()
        return x

    JavaClient.send_command, SparkClassic.call = send_command, noted
    trials, end = None, "returned"
    try:
        trials = SparkTrials(2, trial_timeout=600, batch=batch)
        fmin(objective, space, rand.suggest, max_evals=12, trials=trials, verbose=False)
    except SparkUnavailable:
        end = "SparkUnavailable"
    except BaseException as error:
        end = repr(error)
    records = [] if trials is None else trials.records.values()
    tell(end=end, calls=next(calls), statuses=sorted(t.status.value for t in records),
         evaluated=len(os.listdir(folder)), reported=len(reported),
         most=max(sizes),
         seconds=time.monotonic() - died[0] if died else None)
    os._exit(0)
"""

STANDS_STILL_THEN_DIES = """
    def objective(x):
        import time
        time.sleep(0.1)
        return x

    class SecondsAfterTheStop(Timeout):
        # JVM and time begin to stand still and to run when the first trial has ended.
        begun = None

        def stop(self, history):
            if self.begun is None and history.ok.any():
                os.kill(jvm, signal.SIGSTOP)
                type(self).begun = history.now
            return super().stop(history)

        def wake_at(self, history):
            return float("inf") if self.begun is None else self.begun + self.seconds

    def run(trials, **options):
        end = "returned"
        try:
            fmin(objective, space, rand.suggest, trials=trials, verbose=False, **options)
        except BaseException as error:
            end = repr(error)
        return {"end": end, "reason": trials.stop_reason, "ok": trials.count_successful_trials(),
                "pending": [t.id for t in trials.records.values() if t.status.pending]}

    rule = SecondsAfterTheStop(4)
    still = run(SparkTrials(2), early_stop_fn=rule)
    still["seconds"] = time.time() - rule.begun
    os.kill(jvm, signal.SIGCONT)

    def kill(trials):
        os.kill(jvm, signal.SIGKILL)
        time.sleep(0.5)
        return True

    tell(still=still, dead=run(SparkTrials(2), max_evals=9, early_stop_fn=kill))
    os._exit(0)
"""

DIES_UNDER_THREADS = """
    from sparktune import ThreadTrials

    def objective(x):
        if len(trials.records) > 3:
            os.kill(jvm, signal.SIGKILL)
        return float(spark.range(3).count())

    trials, end = ThreadTrials(2), "returned"
    try:
        fmin(objective, space, rand.suggest, max_evals=30, trials=trials, verbose=False)
    except BaseException as error:
        end = type(error).__name__
    tell(end=end, statuses=sorted({t.status.value for t in trials.records.values()}))
    os._exit(0)
"""


def told(program: str, *arguments: str) -> dict[str, Any]:
    """What a program tells at its end."""
    code = textwrap.dedent(SESSION) + textwrap.dedent(program)
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    lines = [line for line in result.stdout.splitlines() if line.startswith("told: ")]
    assert lines, result.stderr
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("told: "))
    return found


# When it dies: after so many of twelve trials were evaluated, at one of the next so many calls.
PHASES = {"opening": (0, 150), "first results": (1, 60), "middle": (5, 60), "end": (11, 60)}


def check_a_death(seed: int, folder: Path) -> dict[str, Any]:
    """Kill the JVM at a random call of the driver to it, just before or just after; the phases of
    a run take turns, and so do jobs as large as they become and of eight trials.
    """
    draw = random.Random(seed)
    phase = list(PHASES)[seed % len(PHASES)]
    evaluated, calls = PHASES[phase]
    at, when = draw.randint(1, calls), draw.choice(["before", "after"])
    found: dict[str, Any] = {"phase": phase, "at": at, "when": when}
    batch = "8" if seed % 2 else "auto"
    found |= told(DIES_AT_A_CALL, str(evaluated), str(at), when, str(folder), batch)
    statuses = found["statuses"]
    assert statuses.count("ok") == found["reported"], found
    if found["end"] == "returned":  # it died after the last trial had ended, or not at all
        assert statuses == ["ok"] * 12, found
    else:
        assert found["end"] == "SparkUnavailable", found
        assert set(statuses) <= {"ok", "cancelled"}, found
        # What ran, and what had just ended, in three jobs, is not known to the driver.
        assert statuses.count("ok") >= found["evaluated"] - 3 * found["most"], found
        assert found["seconds"] < 60, found
    return found


@pytest.mark.parametrize("seed", range(len(PHASES)), ids=PHASES)
def test_a_jvm_that_dies_at_any_call_ends_the_run_and_costs_no_finished_trial(
    seed: int, tmp_path: Path
) -> None:
    check_a_death(seed, tmp_path)


def test_a_jvm_that_stands_still_or_dies_as_the_run_ends_holds_up_nothing() -> None:
    found = told(STANDS_STILL_THEN_DIES)
    still, dead = found["still"], found["dead"]
    assert 4 <= still.pop("seconds") < 60  # silence would be waited for longer
    assert still.pop("reason") == "timeout"
    for run in (still, dead):
        assert run["end"] == "returned"
        assert run["pending"] == []
        assert run["ok"] > 0


def test_a_jvm_that_dies_under_objectives_that_use_spark_is_no_error_of_theirs() -> None:
    found = told(DIES_UNDER_THREADS)
    assert found["end"] == "SparkUnavailable"
    assert found["statuses"] == ["cancelled", "ok"]


if __name__ == "__main__":
    ends: Counter[tuple[str, str]] = Counter()
    for number in range(int(sys.argv[1])):
        with tempfile.TemporaryDirectory() as place:
            one = check_a_death(number, Path(place))
        ends[one["phase"], one["end"]] += 1
        print(number, one, flush=True)
    print(dict(ends))
