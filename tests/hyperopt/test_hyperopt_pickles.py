"""Trials that Hyperopt, or sparktune, pickled: read without Hyperopt, and without running code."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune.errors import InvalidArgument
from sparktune.hyperopt import Trials, fmin, hp, load_trials, rand

MAKE = """
import pickle
import numpy as np
from hyperopt import Trials, fmin, hp, rand
space = {"x": hp.uniform("x", -5, 5), "kind": hp.choice("kind", [1, hp.normal("y", 0, 1)])}
def objective(point):
    result = {"loss": point["x"] ** 2, "status": "ok", "curve": np.arange(3.0), "n": np.int64(3)}
    return result | {"attachments": {"blob": b"abc"}}
for options in {}, {"trials_save_file": "saved.pkl"}:
    trials = Trials()
    fmin(objective, space, rand.suggest, 6, trials=trials, rstate=np.random.default_rng(0),
         verbose=False, **options)
    if not options:
        open("pickled.pkl", "wb").write(pickle.dumps(trials))
"""


@pytest.fixture(scope="module")
def hyperopts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with trials that Hyperopt made: `pickled.pkl` and, saved by itself, `saved.pkl`."""
    pytest.importorskip("hyperopt")
    folder = tmp_path_factory.mktemp("hyperopts")
    subprocess.run([sys.executable, "-c", MAKE], cwd=folder, check=True, timeout=300)
    return folder


def test_trials_of_hyperopt_load_where_it_is_not_installed(hyperopts: Path) -> None:
    program = """
import sys
sys.modules["hyperopt"] = None  # importing it fails
from sparktune.hyperopt import fmin, hp, load_trials, rand
for file in "pickled.pkl", "saved.pkl":
    trials = load_trials(file)
    assert len(trials) == 6 and trials.tids == list(range(6))
    assert trials.trials[0]["result"]["curve"].tolist() == [0, 1, 2]
    assert trials.trial_attachments(trials.trials[2])["blob"] == b"abc"
    assert all(type(value) in (int, float) for value in trials.argmin.values())
    space = {"x": hp.uniform("x", -5, 5), "kind": hp.choice("kind", [1, hp.normal("y", 0, 1)])}
    fmin(lambda point: point["x"] ** 2, space, rand.suggest, 8, trials=trials, verbose=False)
    assert len(trials) == 8 and trials.trials[7]["book_time"] > trials.trials[5]["book_time"]
"""
    subprocess.run([sys.executable, "-c", program], cwd=hyperopts, check=True, timeout=300)


def test_a_save_file_of_hyperopt_is_gone_on_with(hyperopts: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(hyperopts / "saved.pkl", tmp_path))
    space = {"x": hp.uniform("x", -5, 5), "kind": hp.choice("kind", [1, hp.normal("y", 0, 1)])}
    options: dict[str, Any] = {"trials_save_file": str(file), "verbose": False}
    fmin(lambda point: point["x"] ** 2, space, rand.suggest, 9, **options)
    trials = load_trials(file)
    assert len(trials) == 9
    assert trials.trials[1]["result"]["n"] == 3


def test_our_own_trials_and_lists_of_documents_load(tmp_path: Path) -> None:
    trials = Trials()
    fmin(lambda x: x, hp.uniform("x", 0, 1), rand.suggest, 4, trials=trials, verbose=False)
    for name, obj in (("trials", trials), ("documents", trials.trials)):
        (tmp_path / name).write_bytes(pickle.dumps(obj))
        loaded = load_trials(tmp_path / name)
        assert loaded.trials == trials.trials
        assert loaded.argmin == trials.argmin


class Evil:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.file}",)


@pytest.mark.parametrize(
    "wrapped", [lambda e: e, lambda e: {"_dynamic_trials": [e]}, lambda e: [e]]
)
def test_a_pickle_that_would_run_something_does_not(tmp_path: Path, wrapped: Any) -> None:
    mark, file = tmp_path / "mark", tmp_path / "evil.pkl"
    file.write_bytes(pickle.dumps(wrapped(Evil(mark))))
    with pytest.raises(InvalidArgument, match=r"names posix\.system, which could run code"):
        load_trials(file)
    assert not mark.exists()
    pickle.loads(file.read_bytes())  # so that the test can fail
    assert mark.exists()


@pytest.mark.parametrize(
    "name",
    [
        *("builtins.eval", "builtins.exec", "builtins.getattr", "builtins.__import__"),
        *("os.system", "subprocess.Popen", "functools.partial", "operator.attrgetter"),
        *("numpy.load", "sparktune.space.expression.scope", "importlib.import_module"),
        *("sparktune.hyperopt._pickles.pickle.loads", "datetime.datetime.now"),
    ],
)
def test_no_function_is_resolved(tmp_path: Path, name: str) -> None:
    module, _, attribute = name.rpartition(".")
    if module.endswith((".pickle", "datetime.datetime")):  # a dotted name inside a module
        module, _, first = module.rpartition(".")
        attribute = f"{first}.{attribute}"
    file = tmp_path / "evil.pkl"
    codes = pickle.PROTO + b"\x04" + _text(module) + _text(attribute) + pickle.STACK_GLOBAL
    file.write_bytes(codes + pickle.STOP)
    with pytest.raises(InvalidArgument, match="could run code"):
        load_trials(file)


def _text(text: str) -> bytes:
    return pickle.SHORT_BINUNICODE + bytes([len(text)]) + text.encode()


ATTACKS = {
    "start a session": b"csparktune.hyperopt._spark\nSparkTrials\n(tR.",
    "change a class": b"csparktune.hyperopt._trials\nTrials\n(N}S'refresh'\nI0\nstb0.",
    "change a function": b"cnumpy.core.numeric\n_frombuffer\n(N}S'__defaults__'\nNstb0.",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_this_process_is_started_or_changed(tmp_path: Path, attack: str) -> None:
    from sparktune.hyperopt import SparkTrials
    from sparktune.hyperopt import _pickle_arrays as arrays

    def state() -> list[Any]:
        return [Trials.refresh, SparkTrials.__init__, arrays.from_buffer.__defaults__]

    before = state()
    file = tmp_path / "evil.pkl"
    file.write_bytes(ATTACKS[attack])
    with pytest.raises(InvalidArgument):
        load_trials(file)
    assert state() == before


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_is_read(tmp_path: Path, protocol: int) -> None:
    def rich(x: float) -> dict[str, Any]:
        return {"loss": x, "status": "ok", "array": np.arange(3), "bytes": b"\xff", "set": {1}}

    trials, file = Trials(), tmp_path / "trials.pkl"
    fmin(rich, hp.uniform("x", 0, 1), rand.suggest, 2, trials=trials, verbose=False)
    file.write_bytes(pickle.dumps(trials, protocol))
    loaded = load_trials(file)
    assert loaded.losses() == trials.losses()
    assert loaded.results[1]["array"].tolist() == [0, 1, 2]
    assert (loaded.results[1]["bytes"], loaded.results[1]["set"]) == (b"\xff", {1})


def test_classes_in_results_load_if_they_are_trusted(tmp_path: Path) -> None:
    from fractions import Fraction

    trials, file = Trials(), tmp_path / "trials.pkl"
    result = {"loss": 0.5, "status": "ok", "exact": Fraction(1, 2)}
    fmin(lambda x: result, hp.uniform("x", 0, 1), rand.suggest, 1, trials=trials, verbose=False)
    file.write_bytes(pickle.dumps(trials))
    with pytest.raises(InvalidArgument, match=r"trust=\['fractions'\]"):
        load_trials(file)
    assert load_trials(file, trust=["fractions"]).results[0]["exact"] == Fraction(1, 2)
    with pytest.raises(InvalidArgument, match="could run code"):
        load_trials(file, trust=["fraction"])


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(3), pickle.dumps(np.ones(2))])
def test_what_holds_no_trials_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "trials.pkl"
    file.write_bytes(content)
    with pytest.raises(
        InvalidArgument, match=r"trials\.pkl (cannot be read|holds a \w+, not trials)"
    ):
        load_trials(file)
    with pytest.raises(InvalidArgument, match="No such file"):
        load_trials(tmp_path / "none.pkl")
