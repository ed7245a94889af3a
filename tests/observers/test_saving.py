"""Trials on disk as a pickle: what it holds, and what happens to what it cannot hold."""

from __future__ import annotations

import importlib
import logging
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from sparktune import Trials, fmin, hp, rand
from sparktune import hyperopt as compatible
from sparktune.errors import InvalidArgument
from sparktune.journal.blobs import Blob
from sparktune.observers.saving import Saving

X = hp.uniform("x", 0, 1)


def native(path: Path, n: int, fn: Any) -> Any:
    fmin(fn, X, rand.suggest, n, trials_save_file=str(path), verbose=False, seed=1)
    return pickle.loads(path.read_bytes())


def hyperopts(path: Path, n: int, fn: Any) -> Any:
    compatible.fmin(
        fn, X, compatible.rand.suggest, n, trials_save_file=str(path), show_progressbar=False
    )
    return pickle.loads(path.read_bytes())


@pytest.fixture(params=[native, hyperopts])
def search(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_functions_in_results_are_saved(search: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyspark")

    def objective(x: float) -> dict[str, Any]:
        return {"loss": x, "status": "ok", "predict": lambda z: z + 1}

    for n in (3, 5):
        saved = search(tmp_path / "t.pkl", n, objective)
        assert len(saved) == n
        assert [result["predict"](1) for result in saved.results] == [2] * n


def test_what_cannot_be_saved_costs_only_itself(
    search: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def objective(x: float) -> dict[Any, Any]:
        attachments = {"lock": threading.Lock(), "text": b"text"}
        kept = {"loss": x, "status": "ok", "other": [1], "attachments": attachments}
        return kept | {"lock": threading.Lock(), 3: "three"}

    for n in (3, 5):
        saved = search(tmp_path / "t.pkl", n, objective)
        assert len(saved) == n
        assert [result["other"] for result in saved.results] == [[1]] * n
        assert [result[3] for result in saved.results] == ["three"] * n
        assert all(isinstance(result["lock"], Blob) for result in saved.results)
        assert saved.trial_attachments(saved.trials[0])["text"] == b"text"
    with pytest.raises(InvalidArgument, match="not stored"):
        saved.results[0]["lock"].load()
    said = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert len([text for text in said if "lacks lock, a _thread.lock" in text]) == 2  # once a run


def test_without_cloudpickle_functions_are_left_out(
    search: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    def objective(x: float) -> dict[str, Any]:
        return {"loss": x, "status": "ok", "predict": lambda z: z, "other": 1}

    with monkeypatch.context() as patch:
        patch.setattr(importlib, "import_module", missing)
        saved = search(tmp_path / "t.pkl", 3, objective)
    assert [result["other"] for result in saved.results] == [1] * 3
    assert repr(saved.results[0]["predict"]) == "Blob(function)"


def test_trials_that_run_on_are_not_changed_by_saving(tmp_path: Path) -> None:
    trials = Trials()
    lock = threading.Lock()
    options: dict[str, Any] = {"trials_save_file": str(tmp_path / "t.pkl"), "verbose": False}
    objective = lambda x: {"loss": x, "status": "ok", "lock": lock}  # noqa: E731
    fmin(objective, X, rand.suggest, max_evals=2, trials=trials, **options)
    assert [result["lock"] for result in trials.results] == [lock] * 2


def test_a_folder_that_is_gone_ends_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "folder").mkdir()

    def objective(x: float) -> float:
        (tmp_path / "folder").rename(tmp_path / f"{x}")
        (tmp_path / f"{x}").rename(tmp_path / "gone")
        return x

    trials = Trials()
    path = str(tmp_path / "folder" / "t.pkl")
    fmin(objective, X, rand.suggest, 1, trials=trials, trials_save_file=path, verbose=False)
    assert len(trials) == 1
    assert "cannot save to" in caplog.text


def test_the_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saving = Saving(Trials(), "t.pkl")
    monkeypatch.chdir("/")
    saving._save()
    assert len(pickle.loads((tmp_path / "t.pkl").read_bytes())) == 0


@pytest.mark.parametrize("path", ["fifo", "a\0b", "x" * 300, "no/where"])
def test_paths_that_are_no_files_are_refused(path: str, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InvalidArgument, match="trials_save_file"):
        fmin(abs, X, rand.suggest, 1, trials_save_file=f"{tmp_path}/{path}", verbose=False)
