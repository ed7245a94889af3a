"""Files of a journal: who may write, which paths are none, what stands beside it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import pickle
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune import Trials, fmin, hp, rand
from sparktune.cli.main import main
from sparktune.errors import InvalidArgument, JournalFailed, SparktuneError
from sparktune.journal import files
from sparktune.journal.files import Appended, WholeObjects, files_at
from sparktune.journal.places import Local, replace_file
from sparktune.trial import Status, Trial

SPACE = {"x": hp.uniform("x", 0, 1)}


def run(path: Any, n: int = 3, seed: int | None = 1, **result: Any) -> Trials:
    trials = Trials()
    options: dict[str, Any] = {"journal": path, "verbose": False, "seed": seed, "trials": trials}
    objective = lambda point: {"loss": point["x"], "status": "ok"} | result  # noqa: E731
    fmin(objective, SPACE, rand.suggest, max_evals=n, **options)
    return trials


# Large values


def test_large_values_go_along(tmp_path: Path) -> None:
    run(tmp_path / "a.jsonl", model=np.arange(3), same=[np.arange(3)], none=threading.Lock())
    Trials.load(tmp_path / "a.jsonl").save(tmp_path / "b.jsonl")
    for path in [*(tmp_path / "a.jsonl.blobs").iterdir(), tmp_path / "a.jsonl"]:
        path.unlink()
    again = Trials.load(tmp_path / "b.jsonl").results[0]
    assert again["model"].load().tolist() == again["same"][0].load().tolist() == [0, 1, 2]
    with pytest.raises(InvalidArgument, match="not stored"):
        again["none"].load()


def test_a_large_value_that_is_gone_costs_only_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path / "a.jsonl", model=np.arange(3))
    for path in (tmp_path / "a.jsonl.blobs").iterdir():
        path.unlink()
    trials = Trials.load(tmp_path / "a.jsonl")
    with pytest.raises(InvalidArgument, match="cannot be read"):
        trials.results[0]["model"].load()
    trials.save(tmp_path / "b.jsonl")
    assert "result['model'], a numpy.ndarray" in caplog.text
    assert Trials.load(tmp_path / "b.jsonl").losses() == trials.losses()


def test_trials_saved_onto_their_own_journal_keep_large_values(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    run(path, model=np.arange(3))
    Trials.load(path).save(path)
    assert Trials.load(path).results[0]["model"].load().tolist() == [0, 1, 2]


@pytest.mark.parametrize("content", [pickle.dumps("else"), b"", b"\x80\x04garbage", None])
def test_a_large_value_that_was_changed_is_not_loaded(content: Any, tmp_path: Path) -> None:
    run(tmp_path / "a.jsonl", model=np.arange(3))
    blob = Trials.load(tmp_path / "a.jsonl").results[0]["model"]
    file = tmp_path / "a.jsonl.blobs" / blob.digest
    file.write_bytes(file.read_bytes()[:-3] if content is None else content)
    with pytest.raises(InvalidArgument, match="was changed after it was written"):
        blob.load()


def test_only_files_in_the_folder_are_opened(tmp_path: Path) -> None:
    run(tmp_path / "a.jsonl", model=np.arange(3))
    blob = Trials.load(tmp_path / "a.jsonl").results[0]["model"]
    file = tmp_path / "a.jsonl.blobs" / blob.digest
    file.rename(tmp_path / "outside")
    for make in (
        lambda: file.symlink_to(tmp_path / "outside"),
        lambda: os.mkfifo(file),
        file.mkdir,
    ):
        make()
        with pytest.raises(InvalidArgument, match="cannot be read"):
            blob.load()
        file.rmdir() if file.is_dir() else file.unlink()


def test_an_objective_may_change_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work").mkdir()

    def objective(point: dict[str, Any]) -> dict[str, Any]:
        os.chdir(tmp_path / "work")
        return {"loss": point["x"], "status": "ok", "model": np.arange(3)}

    options: dict[str, Any] = {"journal": "j.jsonl", "trials_save_file": "t.pkl", "verbose": False}
    fmin(objective, SPACE, rand.suggest, max_evals=2, **options)
    assert {"j.jsonl", "j.jsonl.blobs", "t.pkl"} <= {path.name for path in tmp_path.iterdir()}
    assert not list((tmp_path / "work").iterdir())
    os.chdir(tmp_path)
    trials = Trials.load("j.jsonl")
    os.chdir("/")
    assert trials.results[0]["model"].load().tolist() == [0, 1, 2]


# Two writers


def test_a_journal_in_use_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    refused: list[str] = []

    def objective(point: dict[str, Any]) -> float:
        with pytest.raises(InvalidArgument, match="in use by another run") as raised:
            Trials.load(path).save(path)
        refused.append(str(raised.value))
        return float(point["x"])

    fmin(objective, SPACE, rand.suggest, max_evals=3, journal=path, verbose=False)
    assert len(refused) == len(Trials.load(path)) == 3


def test_forked_helpers_do_not_hold_the_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "a.jsonl")
    program = f"""
import multiprocessing, os, time
from tests.journal.test_files import SPACE
from sparktune import fmin, rand
def objective(point):
    multiprocessing.get_context("fork").Process(target=help).start()
    time.sleep(600)
def help():
    print(os.getpid(), flush=True)
    time.sleep(600)
fmin(objective, SPACE, rand.suggest, max_evals=3, journal={path!r}, verbose=False)
"""
    driver = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert driver.stdout is not None
    helper = int(driver.stdout.readline())
    with pytest.raises(InvalidArgument, match="in use"):
        run(tmp_path / "a.jsonl")
    try:
        driver.kill()
        driver.wait()
        assert len(run(tmp_path / "a.jsonl", seed=None)) == 3
        os.kill(helper, 0)  # it lives
    finally:
        os.kill(helper, 9)
        driver.stdout.close()


def _child(book: Appended, queue: Any) -> None:
    try:
        book.append(b"child\n")
    except JournalFailed as error:
        queue.put(str(error))
    book.close()


def test_a_forked_process_does_not_write(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    book = files_at(path)
    book.open()
    book.append(b"one\n")
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_child, args=(book, queue))
    child.start()
    assert "not open in this process" in queue.get(timeout=60)
    child.join()
    book.append(b"two\n")
    with pytest.raises(InvalidArgument, match="in use"):
        files_at(path).open()
    book.close()
    assert path.read_bytes() == b"one\ntwo\n"


@pytest.fixture
def _no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that refuses to lock."""
    import fcntl

    def refuse(file: Any, kind: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("_no_locks")
def test_without_locks_a_second_writer_is_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.jsonl"
    started, go_on = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def waiting(point: dict[str, Any]) -> float:
        started.set()
        go_on.wait(60)
        return float(point["x"])

    def first() -> None:
        try:
            fmin(waiting, SPACE, rand.suggest, max_evals=3, journal=path, verbose=False)
        except JournalFailed as error:
            errors.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    started.wait(60)
    assert len(run(path, seed=None)) == 3
    go_on.set()
    thread.join(60)
    assert "without locks" in caplog.text
    assert "another process has written to it" in str(errors[0])
    assert len(Trials.load(path)) == 3


def test_a_journal_that_was_removed_is_noticed(tmp_path: Path) -> None:
    for change in (os.unlink, lambda path: replace_file(path, b"other")):
        book = files_at(tmp_path / "a.jsonl")
        book.open()
        book.append(b"one\n")
        change(str(tmp_path / "a.jsonl"))
        with pytest.raises(JournalFailed, match="removed or replaced"):
            book.append(b"two\n")
        book.close()


def test_a_journal_removed_between_open_and_lock_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = files_at(tmp_path / "a.jsonl")
    first.open()
    lock = files._lock

    def late(file: Any, path: str) -> None:
        first.close()  # nothing came of it
        lock(file, path)

    monkeypatch.setattr(files, "_lock", late)
    assert len(run(tmp_path / "a.jsonl")) == 3
    assert len(Trials.load(tmp_path / "a.jsonl")) == 3


def test_an_empty_file_of_the_users_stays(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    book = files_at(tmp_path / "a.jsonl")
    book.open()
    book.close()
    assert (tmp_path / "a.jsonl").exists()


# Paths


def _odd_paths(folder: Path) -> list[Any]:
    (folder / "folder").mkdir()
    (folder / "file").touch()
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "fifo")
    (folder / "to fifo").symlink_to(folder / "fifo")
    names = ["folder", "file/x", "loop", "a\0b", "x" * 300, "no/where", "fifo", "to fifo", "\ud800"]
    odd = ["", b"bytes", None, 3, "nope://x", "x://y", "://", "/dev/zero", "/dev/null", Path("/")]
    return [*(f"{folder}/{name}" for name in names), *odd]


def test_paths_that_are_no_journals_are_refused_at_once(tmp_path: Path) -> None:
    for path in _odd_paths(tmp_path):
        with pytest.raises(InvalidArgument):
            Trials.load(path)
        with pytest.raises(InvalidArgument):
            Trials().save(path)
        if path is not None:
            with pytest.raises(InvalidArgument, match="journal"):
                run(path)
        if isinstance(path, str) and "\0" not in path and path != "\ud800":
            assert main(["show", path]) == 2


def test_a_file_that_begins_like_none_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing
    with pytest.raises(InvalidArgument, match="line 1 is invalid"):
        Trials.load(path)


def test_a_store_that_raises_what_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    import fsspec.implementations.memory as memory

    def refuse(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("no credentials")

    monkeypatch.setattr(memory.MemoryFileSystem, "cat_file", refuse)
    acts: tuple[Callable[[str], Trials], ...] = (Trials.load, run)
    for act in acts:
        with pytest.raises(SparktuneError, match="no credentials"):
            act("memory://study.jsonl")
    monkeypatch.setattr(memory.MemoryFileSystem, "pipe_file", refuse)
    with pytest.raises(JournalFailed, match="no credentials"):
        Trials().save("memory://study.jsonl")


def test_trials_are_saved_at_a_url() -> None:
    pytest.importorskip("fsspec")
    url = f"memory://saved/{os.getpid()}.jsonl"
    trials = Trials()
    trials.records[0] = Trial(0, {}, Status.OK, loss=0.5, result={"loss": 0.5, "it": b"large"})
    trials.save(url)
    assert Trials.load(url).results[0]["it"].load() == b"large"


# What is made


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        run(tmp_path / "a.jsonl", model=b"large")
        Trials.load(tmp_path / "a.jsonl").save(tmp_path / "b.jsonl")
        fmin(
            abs, hp.uniform("x", 0, 1), max_evals=1, trials_save_file=f"{tmp_path}/t", verbose=False
        )
    finally:
        os.umask(old)
    for path in (*tmp_path.glob("*.jsonl"), tmp_path / "t", *tmp_path.glob("*.blobs/*")):
        assert _mode(path) == 0o600
    assert [_mode(path) for path in tmp_path.glob("*.blobs")] == [0o700, 0o700]


def test_permissions_of_a_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()
    path.chmod(0o640)
    run(path, model=b"large")
    Trials.load(path).save(path)
    assert [_mode(each) for each in (path, *tmp_path.glob("*.blobs/*"))] == [0o640, 0o640]
    assert _mode(tmp_path / "a.jsonl.blobs") == 0o750


def test_a_journal_that_is_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(real)
    run(link)
    Trials.load(link).save(link)
    assert link.is_symlink()
    assert len(Trials.load(real)) == 3


def test_temporary_files_cannot_be_foreseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    real = os.replace

    def replace(source: Any, target: Any) -> None:
        made.append(str(source))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    for _ in range(2):
        Trials().save(tmp_path / "a.jsonl")
    assert len({*made}) == 2
    assert all(str(os.getpid()) not in Path(name).name for name in made)


def test_what_fails_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    (tmp_path / "a.jsonl").write_bytes(b"before")
    with pytest.raises(JournalFailed, match="No space left"):
        Trials().save(tmp_path / "a.jsonl")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


# Cost


def _bytes_copied(n: int, tmp_path: Path) -> int:
    """How much is written while n lines come to a place of whole objects, flushed once."""
    written: list[int] = []

    class Counting(Local):
        def write(self, content: bytes) -> None:
            written.append(len(content))
            super().write(content)

    book = WholeObjects(Counting(str(tmp_path / f"{n}")), seconds=1000)
    book.open()
    for _ in range(n):
        book.append(b"x" * 200 + b"\n")
    book.close()
    return sum(written)


def test_whole_objects_are_written_once_a_flush(tmp_path: Path) -> None:
    assert _bytes_copied(2000, tmp_path) == 2000 * 201


def test_a_slow_place_is_written_to_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    class Slow(Local):
        def write(self, content: bytes) -> None:
            now[0] += 3.0

    book = WholeObjects(Slow(str(tmp_path / "a")), seconds=10)
    book.open()
    book._content += b"line\n"
    book._flush()
    assert book._seconds == 60


def test_the_cost_of_saving_grows_with_the_trials_only(tmp_path: Path) -> None:
    """Four times the trials take about four times the processor time, with ten times allowed."""
    import time

    def seconds(n: int) -> float:
        trials = Trials()
        result = {"loss": 0.5, "status": "ok"}
        done = [Trial(i, {"x": 0.5}, Status.OK, loss=0.5, result=result) for i in range(n)]
        trials.records.update({trial.id: trial for trial in done})
        spent = []
        for _ in range(2):  # the quicker one: collecting garbage is no part of it
            begun = time.process_time()
            trials.save(tmp_path / "a.jsonl")
            spent.append(time.process_time() - begun)
        return min(spent)

    seconds(100)
    assert seconds(20_000) < 10 * seconds(5_000)
