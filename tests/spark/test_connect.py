"""What only Spark Connect can do to a run: sessions that expire, servers that die, old clients."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyspark
import pytest

from sparktune import InvalidArgument, SparkTrials, fmin, hp

pytestmark = pytest.mark.usefixtures("connect_there")
X = hp.uniform("x", -10, 10)
quiet = functools.partial(fmin, show_progressbar=False)


def python(code: str) -> list[str]:
    """The lines that a program prints."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_the_active_session_is_used_and_its_workers_need_no_sparktune(
    local_connect: Callable[..., str],
) -> None:
    code = """
        from sparktune import SparkTrials, fmin, hp

        def objective(x):
            import sys
            return {"loss": x, "status": "ok", "known": "sparktune" in sys.modules}

        trials = SparkTrials()
        print(trials._spark is session)
        fmin(objective, hp.uniform("x", 0, 1), max_evals=4, trials=trials, verbose=False)
        print({result["known"] for result in trials.results}, len(trials))
        session.stop()
    """
    code = local_connect(master="local[2]") + textwrap.dedent(code)
    assert python(code) == ["True", "{False} 4"]


RUN_THAT_LOSES_ITS_SESSION = """
    import os, sys, threading, time
    from functools import partial
    from sparktune.executors import spark_connect
    from sparktune.executors._calls import Timing
    from pyspark.sql import SparkSession
    from sparktune import SparkTrials, SparkUnavailable, fmin, hp

    timing = Timing(0.5, silence=600)
    spark_connect.open_connect = partial(spark_connect.open_connect, timing=timing)
    session = SparkSession.builder.remote({url!r}).getOrCreate()
    session.range(1).collect()  # a server that has just started takes its time for the first query
    # With one that waits there were two queries at once, and the short one might have to wait.
    trials = SparkTrials(parallelism=1)

    def objective(x):
        time.sleep(0.05 if x < 0.5 else 600)
        return x

    def lose(trials):
        threading.Thread(target=lambda: {loss}).start()
        return False

    begun = time.monotonic()
    try:
        fmin(objective, hp.uniform("x", 0.5, 1), max_evals=9, trials=trials,
             points_to_evaluate=[{{"x": 0.1}}], early_stop_fn=lose, verbose=False)
    except SparkUnavailable as error:
        print(error)
    print(trials.count_successful_trials(), trials.count_by_state_unsynced([0, 1]))
    print(time.monotonic() - begun < 280)
    sys.stdout.flush()
    os._exit(0)  # pyspark goes on calling a server that is gone
"""

# Before its end a busy server may be silent for a while.
KILL = "(os.kill({pid}, 9), object.__setattr__(timing, 'silence', 3))"


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        # The server may have time to say that it goes.
        (KILL, "has not answered for|session is gone"),
        ("session.client.release_session()", "session is gone"),
        ("session.stop()", "session"),
    ],
    ids=["killed server", "expired session", "stopped session"],
)
def test_a_lost_session_ends_the_run_and_keeps_what_ended(
    loss: str,
    message: str,
    start_server: Callable[[str], Any],
    connect_url: str,
) -> None:
    if loss == KILL:
        with start_server("local[2]") as (url, server):
            loss = loss.format(pid=server.pid)
            lines = python(RUN_THAT_LOSES_ITS_SESSION.format(url=url, loss=loss))
    else:
        lines = python(RUN_THAT_LOSES_ITS_SESSION.format(url=connect_url, loss=loss))
    assert re.search(message, lines[0])
    assert "finished trials are kept; to continue, start a session and run again" in lines[0]
    assert lines[1:] == ["1 0", "True"]


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    code = """
        import os, socket, time
        from functools import partial
        from sparktune.executors import spark_connect
        from sparktune.executors._calls import Timing
        from pyspark.sql import SparkSession
        from sparktune import SparkTrials, SparkUnavailable, fmin, hp

        silent = socket.create_server(("127.0.0.1", 0))
        url = f"sc://127.0.0.1:{silent.getsockname()[1]}"
        spark_connect.open_connect = partial(
            spark_connect.open_connect, timing=Timing(silence=3)
        )
        trials = SparkTrials(2, spark_session=SparkSession.builder.remote(url).create())
        begun = time.monotonic()
        try:
            fmin(abs, hp.uniform("x", 0, 1), max_evals=9, trials=trials, verbose=False)
        except SparkUnavailable as error:
            print(error)
        print(time.monotonic() - begun < 60, flush=True)
        os._exit(0)  # pyspark goes on calling
    """
    error, quick = python(code)
    assert "the Spark Connect server has not answered for 3 seconds" in error
    assert quick == "True"


@pytest.mark.parametrize(
    "told",
    [
        "(java.lang.IllegalStateException) Cannot call methods on a stopped SparkContext.\nThis",
        "Job 3 cancelled because SparkContext was shut down",
    ],
)
def test_a_server_that_shuts_down_is_no_fault_of_its_trials(connect: Any, told: str) -> None:
    from sparktune.executors.spark_connect_server import lost

    error = lost(connect, Exception(told))
    assert f"session is gone ({told.splitlines()[0]})" in str(error)


def test_the_session_is_left_as_it_was(
    connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    connect.addTag("mine")
    try:
        quiet(abs, X, max_evals=6, trials=SparkTrials(2, spark_session=connect))
        assert connect.getTags() == {"mine"}
    finally:
        connect.removeTag("mine")
    assert connect.client._progress_handlers == []
    assert list(tmp_path.iterdir()) == []
    for thread in threading.enumerate():
        if thread.name.startswith("sparktune-"):
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.skipif(pyspark.__version__ < "4", reason="pyspark has no toArrow")
def test_trials_ask_the_server_for_nothing_but_their_query(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.sql.connect.client import SparkConnectClient

    asking: list[str] = []
    for name in ("config", "_analyze"):
        ask = getattr(SparkConnectClient, name)

        def noted(self: Any, *args: Any, ask: Any = ask, **options: Any) -> Any:
            asking.append(threading.current_thread().name)
            return ask(self, *args, **options)

        monkeypatch.setattr(SparkConnectClient, name, noted)
    trials = SparkTrials(2, spark_session=connect, batch=1)
    quiet(abs, X, max_evals=6, trials=trials)
    assert "sparktune-first" in asking  # what the server is like
    # The first queries ask what columns their input has.
    assert sum(bool(re.match("sparktune-[0-9a-f]{12}-", name)) for name in asking) <= 3


def test_two_runs_that_begin_at_once_send_what_both_need_once(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server fails where the same file comes twice at a time."""
    from sparktune.executors.spark_connect import _send

    add, sent, begin = connect.addArtifact, [], threading.Barrier(2, timeout=120)

    def added(path: str, **options: Any) -> None:
        sent.append(Path(path).name)
        add(path, **options)

    def send() -> None:
        for number in range(20):
            begin.wait()
            _send(connect, f"at once {number}", [b"the same"])

    monkeypatch.setattr(connect, "addArtifact", added)
    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent == [f"at once {number}.pickle" for number in range(20)]


def test_a_resource_profile_needs_a_pyspark_that_takes_one(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests
    from pyspark.sql.connect.dataframe import DataFrame

    def of_pyspark_3(self: Any, func: Any, schema: Any, barrier: bool = False) -> None:
        raise NotImplementedError

    monkeypatch.setattr(DataFrame, "mapInArrow", of_pyspark_3)
    profile = ResourceProfileBuilder().require(TaskResourceRequests().cpus(2)).build
    trials = SparkTrials(2, spark_session=connect, resource_profile=profile)
    with pytest.raises(InvalidArgument, match=r"needs pyspark 4\.0 or newer, and this is"):
        quiet(abs, X, max_evals=2, trials=trials)
    assert trials.count_total_trials() == 0


def test_a_resource_profile_is_ignored_on_a_local_master_with_one_warning(
    connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests

    profile = ResourceProfileBuilder().require(TaskResourceRequests().cpus(2)).build
    quiet(abs, X, max_evals=4, trials=SparkTrials(2, None, None, connect, profile))
    assert caplog.messages == ["resource_profile is ignored: a local master supports none"]
