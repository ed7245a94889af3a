"""Executors of real clusters that die under a run: local-cluster, and a standalone master."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

LOCAL_CLUSTER = "local-cluster[2,1,1024]"
ACTIVE = "session = sparktune.local_session()"
CLASSIC = 'session = sparktune.local_session(spark__master="{master}")'
CONNECT = 'session = SparkSession.builder.remote("{master}").getOrCreate()'

PROGRAM = """
import os, pathlib, signal, sys, time
import sparktune
from pyspark.sql import SparkSession
from sparktune import SparkTrials, fmin, hp

{start}
log = pathlib.Path({log!r})

def kill_executor():
    pid = os.getppid()
    while b"java" not in pathlib.Path(f"/proc/{{pid}}/cmdline").read_bytes():
        pid = int(pathlib.Path(f"/proc/{{pid}}/stat").read_text().split()[3])
    os.kill(pid, signal.SIGKILL)
    time.sleep(600)

def objective(kind):
    with open(log / kind, "a") as file:
        file.write("x")
    first = (log / kind).read_text() == "x"
    if kind == "loses its executor each time" or kind == "loses its executor once" and first:
        kill_executor()
    if kind == "raises":
        raise ValueError
    if kind == "exits":
        os._exit(3)
    return 0.0

kinds = ["works", "loses its executor once", "raises", "exits", "loses its executor each time",
         "works too"]
for batch in {batches!r}:
    # In one slot, all six go into one task.
    trials = SparkTrials(parallelism=2 if batch == 1 else 1, retries=1, batch=batch)
    fmin(objective, hp.choice("kind", kinds), max_evals=0, trials=trials, verbose=False,
         points_to_evaluate=[{{"kind": kind}} for kind in range(6)])
    for kind, trial in zip(kinds, trials.records.values()):
        print(kind, trial.status.value, len((log / kind).read_text()), sep=": ")
        print(trial.failure, file=sys.stderr)
        (log / kind).unlink()
"""


@pytest.mark.parametrize(
    ("start", "master", "exits", "batches"),
    [
        (CLASSIC, LOCAL_CLUSTER, 1, (1, 8)),
        (CLASSIC, "standalone", 1, (1,)),
        # Spark Connect does not tell whether the process or its executor died.
        (CONNECT, LOCAL_CLUSTER, 2, (1, 8)),
    ],
    ids=["classic, local-cluster", "classic, standalone", "connect, local-cluster"],
)
def test_lost_executors_cost_a_trial_its_retries_and_the_others_nothing(
    start: str,
    master: str,
    exits: int,
    batches: tuple[int, ...],
    local_cluster: Callable[[str], Any],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """With one trial a task, a crash costs no other trial anything. In a task of all trials the
    first one has ended when the second loses the executor, and its result goes with it: it is
    evaluated twice, which is not a retry.
    """
    log = tmp_path / "log"
    log.mkdir()
    program = functools.partial(PROGRAM.format, log=str(log), batches=batches)
    if master == LOCAL_CLUSTER and start == CLASSIC:
        out, err = local_cluster(master).run(program(start=ACTIVE))
    else:
        if start == CONNECT:
            request.getfixturevalue("connect_there")
            address = local_cluster(master).url
        else:
            address = request.getfixturevalue(master).address
        result = subprocess.run(
            [sys.executable, "-c", program(start=start.format(master=address))],
            capture_output=True,
            text=True,
            timeout=600,
        )
        out, err = result.stdout, result.stderr
    assert out.splitlines() == [
        line
        for batch in batches
        for line in (
            f"works: ok: {1 if batch == 1 else 2}",
            "loses its executor once: ok: 2",
            "raises: error: 1",
            f"exits: crashed: {exits}",
            "loses its executor each time: crashed: 2",
            "works too: ok: 1",
        )
    ], err
    if start == CLASSIC:
        assert err.count("ExecutorLostFailure") >= len(batches)
        assert err.count("the Python process that ran this trial died") >= len(batches)


CLUSTER_THAT_VANISHES = """
import pathlib, signal, threading, time
import sparktune
from pyspark.sql import SparkSession
from sparktune import SparkTrials, fmin, hp
from sparktune.stopping import Timeout

{start}
pipe = {pipe!r}

def hang_after_three(log):
    def objective(x):
        with open(log / str(x), "a") as file:
            file.write("called ")
        if len(list(log.iterdir())) > 3 and not (log / "lost").exists():
            open(pipe, "w").close()
            time.sleep(600)
        return x
    return objective

def tell(log):
    open(pipe).read()  # until a trial hangs
    print("hangs:", log, flush=True)

def run(name, trials, within=600, **options):
    log = pathlib.Path({folder!r}, name)
    log.mkdir()
    threading.Thread(target=tell, args=(log,), daemon=True).start()
    begun = time.monotonic()
    try:
        fmin(hang_after_three(log), hp.uniform("x", 0, 1), max_evals=8, trials=trials,
             verbose=False, **options)
    except KeyboardInterrupt:
        print("interrupted", end=" ")
    in_time = time.monotonic() - begun < within
    calls = [path.read_text().count("called") for path in log.iterdir() if path.name != "lost"]
    print(f"{{name}}: {{trials.count_successful_trials()}} ok,",
          f"{{trials.count_ended_trials() - trials.count_successful_trials()}} not,",
          f"{{calls.count(1)}} called once, {{calls.count(2)}} twice, in time: {{in_time}}",
          flush=True)

{runs}
session.stop()
"""
COMES_BACK_OR_NOT = """
class SecondsAfterTheLoss(Timeout):
    begun = None

    def wake_at(self, history):
        if self.begun is None and pathlib.Path({folder!r}, "stays away", "lost").exists():
            type(self).begun = history.now
        return history.now + 0.5 if self.begun is None else self.begun + self.seconds

run("comes back", SparkTrials({parallelism}, trial_timeout=25))
run("stays away", SparkTrials(2), early_stop_fn=SecondsAfterTheLoss(4), within=300)
"""
NEVER_THERE = """
def interrupt():
    while len(trials.records) < 2:
        time.sleep(0.05)
    time.sleep(1)  # while it waits
    signal.raise_signal(signal.SIGINT)

trials = SparkTrials("auto")
threading.Thread(target=interrupt).start()
run("never there", trials, within=60)
"""


@pytest.mark.parametrize(
    ("start", "runs"),
    [
        (CLASSIC, COMES_BACK_OR_NOT.replace("{parallelism}", "'auto'") + NEVER_THERE),
        (CONNECT, COMES_BACK_OR_NOT.replace("{parallelism}", "2")),
    ],
    ids=["classic", "connect"],
)
def test_a_cluster_that_vanishes_is_waited_for_while_the_run_may_last(
    start: str,
    runs: str,
    standalone: Any,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    lines = []
    with ExitStack() as running:
        master = standalone.address
        if start == CONNECT:
            start_server = request.getfixturevalue("start_server")
            master, _ = running.enter_context(start_server(master))
        code = CLUSTER_THAT_VANISHES.format(
            start=start.format(master=master),
            pipe=str(pipe),
            folder=str(tmp_path),
            runs=runs.format(folder=str(tmp_path)),
        )
        command = [sys.executable, "-c", code]
        process = running.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        )
        watchdog = threading.Timer(400, process.kill)
        running.callback(watchdog.cancel)
        watchdog.start()
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith("hangs: "):
                lines.append(line.strip())
                continue
            log = Path(line.removeprefix("hangs: ").strip())
            time.sleep(3)  # results arrive, and the driver notices which trials run
            standalone.kill_workers()
            (log / "lost").touch()
            if log.name == "comes back":
                time.sleep(23)  # with what went before, longer than a trial may run
                standalone.start_workers()
    expected = [
        "comes back: 8 ok, 0 not, 6 called once, 2 twice, in time: True",
        "stays away: 3 ok, 3 not, 5 called once, 0 twice, in time: True",
        "interrupted never there: 0 ok, 2 not, 0 called once, 0 twice, in time: True",
    ]
    assert lines == (expected if start == CLASSIC else expected[:2])
