"""The command `sparktune` where its input, its output or its supervisor is unkind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import sparktune
from sparktune import Trials
from sparktune.cli import main

REPOSITORY = Path(sparktune.__file__).parents[1]
COMMAND = [sys.executable, "-m", "sparktune"]
REST = """objective = "o.py:f"
algorithm = "random"
budget = {max_evals = 3}
"""
SPACE = "space = {x = {uniform = [0, 1]}}\n"
OBJECTIVE = """
import os, signal, time
from pathlib import Path


def wait():  # in short steps: a signal just before a sleep is heard after it
    while True:
        time.sleep(0.05)


def f(point):
    return point["x"]


def endless(point):
    Path("started").touch()
    wait()


def stubborn(point):  # a supervisor that asks twice, the second time within the clean-up
    Path("started").touch()
    try:
        wait()
    finally:
        os.kill(int(Path("pid").read_text()), signal.SIGTERM)
        time.sleep(0.3)
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("o.py").write_text(OBJECTIVE, encoding="utf-8")
    Path("s.toml").write_text(REST + SPACE, encoding="utf-8")


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(REPOSITORY), "PYSPARK_PYTHON": sys.executable} | more


# Study files


STUDIES = {
    "a kind that is a list": REST + SPACE + "executor = {kind = []}",
    "deep arrays": f"{REST}space = {{x = {'[' * 500}{']' * 500}}}",
    "deep choices": f"{REST}space = {{x = {'{choice = [1, ' * 500}1{']}' * 500}}}",
    "deep keys": f"{REST}space.{'.'.join('a' * 3000)} = 1",
    "deep settings": f"{REST}{SPACE}spark.{'.'.join('a' * 3000)} = 1",
    "a logarithm of blanks": f'{REST}space = {{x = {{uniform = ["log({" " * 20_000}1", 1]}}}}',
    "a logarithm of a logarithm": REST + 'space = {x = {uniform = ["log(log(1))", 1]}}',
    "a path of 5,000 characters": REST.replace("o.py", "x" * 5000 + ".py") + SPACE,
    "a path with NUL": REST.replace("o.py", "\\u0000.py") + SPACE,
    "a module with NUL": REST.replace("o.py", "\\u0000") + SPACE,
    "a journal with NUL": REST + SPACE + 'journal = "\\u0000"',
    "a journal that is a folder": REST + SPACE + 'journal = "."',
    "a journal of an unknown scheme": REST + SPACE + 'journal = "nope://x"',
    "a bound that is too large": REST + "space = {x = {uniform = [0, 1e400]}}",
    "an integer of 5,000 digits": REST + f"space = {{x = {{randint = {'9' * 5000}}}}}",
    "a large integer": REST + f"space = {{x = {{uniform = [0, {'9' * 400}]}}}}",
    "no UTF-8": "\udcff",
}


@pytest.mark.parametrize("case", STUDIES)
def test_a_study_file_that_is_none_is_an_error_at_once(case: str, capsys: Any) -> None:
    Path("s.toml").write_text(STUDIES[case], encoding="utf-8", errors="surrogateescape")
    begun = time.process_time()
    assert main(["run", "s.toml"]) == 2
    assert time.process_time() - begun < 5  # seconds of CPU
    assert capsys.readouterr().err.count("\n") == 1


def test_a_study_file_has_an_end(capsys: Any) -> None:
    assert main(["run", "/dev/zero"]) == 2
    assert "too large for a study file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("#budget.max_evals=5", "'#budget.max_evals' is not a valid key"),
        ("[budget]\nmax_evals=5", "is not a valid key"),
        ("[budget] #=5", "is not a valid key"),
        ("budget.max_evals=1\nobjective='os:system'", "max_evals"),
        ("seed=" + "[" * 5000, "seed must be"),
    ],
)
def test_a_change_is_one_change(change: str, message: str, capsys: Any) -> None:
    assert main(["run", "s.toml", "--set", change]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("import sys\nsys.exit(0)", "it ends the process with sys.exit(0) ("),
        ("raise SystemExit", "it ends the process with sys.exit("),
        ("def __getattr__(name): raise RuntimeError('no')", "RuntimeError: no"),
        ("class E(BaseException): pass\nraise E('own')", "E: own"),
        ("def f(): return f()\nf()", "RecursionError"),
        ("class E(Exception):\n    def __str__(self): return 5\nraise E", "E: <E whose text"),
    ],
)
@pytest.mark.parametrize("place", ["bad.py", "bad"])
def test_a_module_that_does_not_load_is_an_error(
    module: str, message: str, place: str, capsys: Any
) -> None:
    Path("bad.py").write_text(module, encoding="utf-8")
    sys.modules.pop("bad", None)
    assert main(["run", "s.toml", "--set", f"objective={place}:f"]) == 2
    assert message in capsys.readouterr().err


# Output


@pytest.fixture
def journal() -> str:
    """A journal whose texts are not all ASCII."""
    assert main(["run", "s.toml", "--set", "journal=j", "--set", 'space."ä".choice=["ö"]']) == 0
    return "j"


def written(command: str, shell: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"{sys.executable} -m sparktune {command} {shell}"],
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_what_a_terminal_cannot_show_is_shown_as_an_escape(journal: str) -> None:
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for command in ("show j", "export --csv j", "best j"):
        ended = written(command, **ascii_only)
        assert ended.returncode == 0, ended.stderr
        assert "\\xe4" in ended.stdout
    ended = written("show ä", **ascii_only)
    assert ended.returncode == 2
    assert "there is no journal at \\xe4" in ended.stderr


@pytest.mark.parametrize(
    ("shell", "code", "message"),
    [
        (">/dev/full", 1, "sparktune: the output cannot be written: No space left on device\n"),
        (">&-", 1, "sparktune: the output cannot be written: stdout is closed\n"),
        ("2>&-", 0, ""),
        (">/dev/full 2>/dev/full", 1, ""),
        (">&- 2>&-", 1, ""),
    ],
)
def test_output_that_cannot_be_written(journal: str, shell: str, code: int, message: str) -> None:
    ended = written("show j", shell)
    assert (ended.returncode, ended.stderr) == (code, message)


def test_a_run_does_not_need_stderr(journal: str) -> None:
    ended = written("run s.toml --set journal=k", "2>&-")
    assert ended.returncode == 0
    assert "best loss" in ended.stdout


# Signals


# The command hears SIGHUP under nohup, too. With a `preexec_fn` Python would fork,
# and gRPC, which other tests load, may write to the errors of the fork.
HEARD = """import signal, sys
from sparktune.cli import main
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.exit(main(sys.argv[1:]))
"""


def ended_by(*signals: int, executor: str, objective: str, wait_until: Any) -> tuple[int, str]:
    """The exit code and the errors of a run that gets signals once a trial runs."""
    changes = [f"objective=o.py:{objective}", "journal=j", f"executor={executor}"]
    arguments = ["run", "s.toml", *(f"--set={change}" for change in changes)]
    command = [sys.executable, "-c", HEARD, *arguments]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as running:
        Path("pid").write_text(str(running.pid), encoding="utf-8")
        wait_until(Path("started").exists)
        for each in signals:
            running.send_signal(each)
        _, errors = running.communicate(timeout=200)
    return running.returncode, errors


@pytest.mark.parametrize("executor", ["serial", "threads"])
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_ends_a_run_as_ctrl_c_does(
    executor: str, name: str, code: int, wait_until: Any
) -> None:
    number = getattr(signal, name)
    found = ended_by(number, executor=executor, objective="endless", wait_until=wait_until)
    assert found == (code, f"sparktune: ended by {name}; add --resume to continue\n")
    kept = Trials.load("j")
    assert kept.stop_reason == "interrupted"
    assert all(trial.status.value == "cancelled" for trial in kept.records.values())


def test_a_second_signal_does_not_disturb_the_clean_up(wait_until: Any) -> None:
    found = ended_by(signal.SIGTERM, executor="serial", objective="stubborn", wait_until=wait_until)
    assert found == (143, "sparktune: ended by SIGTERM; add --resume to continue\n")
    assert Trials.load("j").stop_reason == "interrupted"


@pytest.mark.spark
def test_a_signal_cancels_the_jobs_of_spark(wait_until: Any) -> None:
    code, errors = ended_by(
        signal.SIGTERM, executor="spark", objective="endless", wait_until=wait_until
    )
    assert code == 143, errors
    # Spark may write after it, when its processes end.
    assert "sparktune: ended by SIGTERM; add --resume to continue\n" in errors
    assert Trials.load("j").stop_reason == "interrupted"


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    assert main(["run", "s.toml"]) == 0
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before


def test_a_hangup_that_is_ignored_stays_so(wait_until: Any) -> None:
    program = "import signal, sys\nfrom sparktune.cli import main\n"
    program += "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    program += "sys.exit(main(['run', 's.toml', '--set=objective=o.py:endless']))"
    with subprocess.Popen([sys.executable, "-c", program], env=environment()) as running:
        wait_until(Path("started").exists)
        running.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        assert running.wait(100) == 143
