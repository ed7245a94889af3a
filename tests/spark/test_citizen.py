"""Several studies and other work share an application: each is left as it was."""

from __future__ import annotations

import functools
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparktune import AllTrialsFailed, SparkTrials, fmin, hp
from sparktune.executors.spark_session import is_connect
from sparktune.trial import Status

X = hp.uniform("x", -10, 10)
quiet = functools.partial(fmin, show_progressbar=False)


def add_tag(session: Any, tag: str) -> Callable[[], set[str]]:
    """Tag what this thread runs; returns what tells its tags."""
    if is_connect(session):
        session.addTag(tag)
        return lambda: set(session.getTags())
    session.sparkContext.addJobTag(tag)
    return lambda: set(session.sparkContext.getJobTags())


def test_a_study_that_is_cancelled_by_its_callers_tag_leaves_another_alone(
    session: Any, spark_trials: Callable[..., SparkTrials], tmp_path: Path, wait_until: Any
) -> None:
    ended = tmp_path / "ended"

    def objective(config: dict[str, Any]) -> float:
        (tmp_path / f"{config['name']} {config['x']}").touch()
        while not ended.exists():
            time.sleep(0.05)
        return float(config["x"])

    found: dict[str, Any] = {}

    def tune(name: str) -> None:
        tags = add_tag(session, name)
        trials = spark_trials(parallelism=2)
        space = {"x": X, "name": name}
        try:
            quiet(objective, space, max_evals=2, trials=trials)
        except AllTrialsFailed as error:
            found[f"{name} failed"] = str(error)
        found[name] = [trial.status for trial in trials.records.values()], tags()

    threads = {name: threading.Thread(target=tune, args=(name,)) for name in ("one", "other")}
    for thread in threads.values():
        thread.start()
    wait_until(lambda: len(list(tmp_path.iterdir())) == 4)
    cancel = session.interruptTag if is_connect(session) else None
    (cancel or session.sparkContext.cancelJobsWithTag)("one")
    threads["one"].join(120)
    assert threads["other"].is_alive()
    ended.touch()
    threads["other"].join(120)
    assert found.pop("one failed").count("its Spark job was cancelled") == 1
    assert found == {
        "one": ([Status.CANCELLED] * 2, {"one"}),
        "other": ([Status.OK] * 2, {"other"}),
    }


FAIR = """
import pathlib, tempfile, threading, time
import sparktune
from sparktune import AllTrialsFailed, SparkTrials, fmin, hp

folder = pathlib.Path({folder!r})
local = folder / "local"
tempfile.tempdir = str(folder / "temp")
session = sparktune.local_session(4, spark__scheduler__mode="FAIR", spark__local__dir=local)
context, scala = session.sparkContext, session.sparkContext._jsc.sc()
data = bytearray(30_000_000)

def objective(config):
    (folder / f"{{config['name']}} {{config['x']}}").touch()
    while len(data) and not (folder / "ended").exists():
        time.sleep(0.05)
    return config["x"]

def state():
    level = context._jvm.org.apache.logging.log4j.LogManager.getRootLogger().getLevel().toString()
    properties = sorted(map(str, scala.getLocalProperties().entrySet()))
    return level, properties, context.getJobTags()

def tune(name):
    context.setJobGroup(f"group of {{name}}", f"description of {{name}}")
    context.setLocalProperty("spark.scheduler.pool", f"pool of {{name}}")
    context.addJobTag(f"tag of {{name}}")
    before, trials = state(), SparkTrials(2)
    try:
        fmin(objective, {{"x": hp.uniform("x", 0, 1), "name": name}}, max_evals=2, trials=trials,
             verbose=False)
    except AllTrialsFailed:
        pass
    statuses = [trial.status.value for trial in trials.records.values()]
    print(name, statuses, state() == before, len(before[1]) > 3)

def wait(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)

def stages():
    active = scala.statusStore().activeStages()
    return sorted(active.apply(i).schedulingPool() for i in range(active.size()))

def held():
    return sum(path.stat().st_size for path in local.rglob("*") if path.is_file())

context.parallelize([0], 1).collect()
threads = [threading.Thread(target=tune, args=(name,)) for name in ("one", "other")]
for thread in threads:
    thread.start()
wait(lambda: len(list(folder.glob("o* 0.*"))) == 4)
wait(lambda: len(stages()) == 4)  # Spark tells its listeners a moment after it begins
print(stages(), held() > 30_000_000)
context.cancelJobGroup("group of one")
threads[0].join()
(folder / "ended").touch()
threads[1].join()
wait(lambda: held() < 1_000_000)
print(list((folder / "temp").iterdir()))
session.stop()
"""


def test_trials_run_in_the_callers_pool_and_job_group_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "temp").mkdir()
    code = textwrap.dedent(FAIR).format(folder=str(tmp_path))
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300
    )
    assert result.stdout.splitlines() == [
        "['pool of one', 'pool of one', 'pool of other', 'pool of other'] True",
        "one ['cancelled', 'cancelled'] True True",
        "other ['ok', 'ok'] True True",
        "[]",
    ], result.stderr
