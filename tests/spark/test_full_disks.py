"""Objectives that are larger than the room on a disk: of an executor, of Spark's server, of the
driver. The room is a limit on the size of a file. Workers have to do without the driver's files, as
on other machines.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

CLASSIC = 'session = sparktune.local_session(spark__master="local-cluster[1,1,1024]")'
CONNECT = "local[1]"
PROGRAM = """
import os, resource, time
import sparktune
from sparktune import ObjectiveNotPicklable, SparkTrials, fmin, hp
from sparktune.executors.spark_shipping import Shipment

most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))

limit(20 << 20)
{start}
limit(most)
data = os.urandom(60 << 20)
trials = SparkTrials(1)
placed = Shipment._placed

def out_of_sight(*arguments):
    path = placed(*arguments)
    if os.path.exists(path):
        os.remove(path)
    return path

Shipment._placed = out_of_sight

def run(objective, max_evals):
    begun = time.monotonic()
    try:
        fmin(objective, hp.uniform("x", 0, 1), max_evals=max_evals, trials=trials, verbose=False)
    except ObjectiveNotPicklable as error:
        print(error)
    statuses = [trial.status.value for trial in trials.records.values()]
    print(*statuses, time.monotonic() - begun < 120)

run(lambda x: x, 2)
run(lambda x: x + len(data), 3)
if len(trials.records) > 2:
    print(trials.records[2].failure.message)
limit(20 << 20)
run(lambda x: -len(data), 4)
run(lambda x: x, 4)
session.stop()
"""


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (CLASSIC, "java.io.IOException: File too large"),
        (CONNECT, "Spark did not store its 60 MB: UnknownException: "),
    ],
    ids=["classic", "connect"],
)
def test_a_full_disk_is_told_of_and_the_run_can_go_on(
    start: str, reason: str, request: pytest.FixtureRequest
) -> None:
    if start == CONNECT:
        start = request.getfixturevalue("local_connect")(master=start)
    code = PROGRAM.format(start=start)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    [told] = [line for line in lines if reason in line]
    [of_driver] = [line for line in lines if "OSError: [Errno 27] File too large" in line]
    assert "cannot be sent to Spark workers: Spark did not store its 60 MB" in of_driver
    assert "TMPDIR" in of_driver
    left = [line for line in lines if line not in (told, of_driver)]
    before = "ok ok crashed"
    assert left == ["ok ok True", f"{before} True", f"{before} True", f"{before} ok ok True"]
