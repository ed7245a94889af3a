"""Contents that are loaded again and again, and this machine's files with them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktune.executors import _spark_store
from sparktune.executors._spark_store import Content, Missing, laid_out, opened


def content_of(thing: Any) -> bytes:
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(thing, 5, buffer_callback=buffers.append)
    return b"".join(laid_out(pickled, [], [buffer.raw() for buffer in buffers]))


def file_of(folder: Path, thing: Any) -> tuple[str, int]:
    path = folder / "content"
    path.write_bytes(content_of(thing))
    return str(path), path.stat().st_size


@given(st.lists(st.binary(max_size=200)), st.lists(st.binary(max_size=200)))
def test_parts_are_found_again_and_lie_at_multiples_of_64_bytes(
    constants: list[bytes], buffers: list[bytes]
) -> None:
    given = [pickle.PickleBuffer(bytearray(buffer)) for buffer in buffers]
    content = b"".join(
        laid_out(pickle.dumps(given, 5, buffer_callback=lambda b: None), constants, buffers)
    )
    loaded, _, _ = Content(content, len(content)).load()
    assert [bytes(buffer) for buffer in loaded] == buffers
    table = np.frombuffer(content, "<u8", 2 * (1 + len(constants) + len(buffers)), 16)
    assert not (table[::2] % 64).any()


@pytest.mark.parametrize("in_a_file", [True, False])
def test_each_load_is_a_new_object_with_memory_of_its_own(in_a_file: bool, tmp_path: Path) -> None:
    thing = {"array": np.arange(100_000.0), "empty": np.zeros(0), "list": [1]}
    path, size = file_of(tmp_path, thing)
    content = Content(os.open(path, os.O_RDONLY) if in_a_file else Path(path).read_bytes(), size)
    for _ in range(3):
        loaded, _, _ = content.load()
        assert loaded["array"].flags.writeable
        assert loaded["array"].flags.aligned
        np.testing.assert_array_equal(loaded["array"], thing["array"])
        assert loaded["list"] == [1]
        loaded["array"] += 1
        loaded["list"].append(2)
    assert Path(path).read_bytes() == content_of(thing)


def test_an_object_outlives_its_file_and_its_content(tmp_path: Path) -> None:
    path, size = file_of(tmp_path, np.arange(100_000.0))
    content = opened("name", (path, size, None), pytest.fail)
    os.remove(path)
    loaded, _, _ = content.load()
    del content
    assert loaded.sum() == np.arange(100_000.0).sum()


@pytest.mark.parametrize("why", ["gone", "another size", "a link", "a folder"])
def test_what_is_not_the_file_is_asked_for(why: str, tmp_path: Path) -> None:
    path, size = file_of(tmp_path, [1])
    if why == "gone":
        os.remove(path)
    elif why == "another size":
        Path(path).write_bytes(b"")
    else:
        os.rename(path, path + "-")
        os.symlink(path + "-", path) if why == "a link" else os.mkdir(path)
    with pytest.raises(Missing, match="name"):
        opened("name", (path, size, None), pytest.fail)
    loaded, _, _ = opened("name", (path, size, "sent"), lambda sent: content_of([1])).load()
    assert loaded == [1]


def build(name: str, size: int, content: bytes, log: str) -> int:
    def fetch() -> bytes:
        with open(log, "a") as file:
            file.write("x")
        return content

    file = _spark_store.machines(name, size, fetch)
    assert file is not None
    return os.fstat(file).st_ino


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files, and one of Spark's."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "spark").mkdir()
    monkeypatch.setenv("SPARK_LOCAL_DIRS", f"{tmp_path / 'spark'},/elsewhere")
    return tmp_path


def test_a_machines_file_is_built_once_by_many_processes(machine: Path) -> None:
    content, log = os.urandom(3_000_000), str(machine / "log")
    with multiprocessing.get_context("fork").Pool(4) as processes:
        found = processes.starmap(build, [("name", len(content), content, log)] * 16)
    assert len(set(found)) == 1
    assert Path(log).read_text() == "x"
    [file] = (machine / "spark").iterdir()
    assert file.read_bytes() == content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((machine / f"sparktune-{os.geteuid()}").stat().st_mode) == 0o700


def test_a_machines_file_that_is_gone_is_built_again_and_dead_links_go(machine: Path) -> None:
    content, log = b"content", str(machine / "log")
    for name in ("name", "other", "name"):
        build(name, len(content), content, log)
        for file in (machine / "spark").iterdir():
            file.unlink()
    assert Path(log).read_text() == "xxx"
    assert len(os.listdir(machine / f"sparktune-{os.geteuid()}")) == 1


def test_a_folder_that_others_may_write_to_is_not_used(machine: Path) -> None:
    (machine / f"sparktune-{os.geteuid()}").mkdir()
    (machine / f"sparktune-{os.geteuid()}").chmod(0o777)
    assert _spark_store.machines("name", 1, lambda: b"x") is None
    large = content_of(np.zeros(_spark_store.LARGE))
    where = (None, len(large), "sent")
    loaded, _, _ = opened("name", where, lambda sent: large).load()  # in memory
    assert loaded.sum() == 0


def test_where_there_is_no_room_the_content_stays_in_memory(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_spark_store, "written", full)
    large = content_of(np.zeros(_spark_store.LARGE))
    loaded, _, _ = opened("name", (None, len(large), "sent"), lambda sent: large).load()
    assert loaded.sum() == 0


def full(*arguments: Any) -> str:
    raise OSError("No space left on device")
