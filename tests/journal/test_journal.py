"""A study on disk: what is written, what is read back, and what happens to broken files."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktune import SparkTrials, ThreadTrials, Trials, fmin, hp, rand, tpe, tune
from sparktune.errors import InvalidArgument, JournalFailed
from sparktune.events import Begun, Limit
from sparktune.journal import Journal
from sparktune.journal.blobs import Blob
from sparktune.journal.files import Appended, WholeObjects, files_at
from sparktune.journal.journal import read
from sparktune.journal.places import Local, Remote
from sparktune.journal.values import Encoder, decode
from sparktune.schedulers import FullBudget
from sparktune.space.space import Space
from sparktune.study import Study
from sparktune.trial import Header, Status

SPACE = {
    "x": hp.uniform("x", -5, 5),
    "kind": hp.choice("kind", ["a", {"y": hp.normal("y", 0, 1)}]),
}


def objective(point: dict[str, Any]) -> float:
    return float((point["x"] - 3) ** 2)


def search(n: int, path: Path | None, algo: Any = tpe.suggest, **options: Any) -> Trials:
    options = {"trials": Trials(), "seed": 5, "fn": objective, "journal": path, **options}
    fmin(space=SPACE, algo=algo, max_evals=n, verbose=False, **options)
    trials: Trials = options["trials"]
    return trials


def what(trials: Trials) -> list[Any]:
    """What a trial is, its times aside."""
    return [(t.id, dict(t.values), t.status, t.loss, t.result) for t in trials.records.values()]


def test_a_run_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    search(12, path)
    search(12, path)
    assert what(search(30, path)) == what(search(30, None))
    lines = path.read_text().splitlines()
    assert [entry for entry in map(json.loads, lines) if "run" in entry] == [
        {"run": {"max_evals": n, "end": n}} for n in (12, 12, 30)
    ]


def test_the_seed_is_the_journals(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    search(25, path, seed=5)
    assert what(search(30, path, seed=None)) == what(search(30, None, seed=5))
    with pytest.raises(InvalidArgument, match="begun with seed=5"):
        search(35, path, seed=6)


@pytest.mark.parametrize("whole", [False, True])
def test_killed_at_any_byte_the_same_command_ends_the_same(tmp_path: Path, whole: bool) -> None:
    """What a kill leaves is a prefix of the file, here every prefix that ends near a line's end."""
    path, cut = tmp_path / "study.jsonl", tmp_path / "cut.jsonl"
    algo = tpe.TPE(n_startup_jobs=5)
    expected = what(search(14, path, algo))
    content = path.read_bytes()
    content = content[: content.rindex(b'{"stopped"')]
    ends = [i + 1 for i, byte in enumerate(content) if byte == 10]
    sizes = ends if whole else [size for end in ends for size in (end - 1, end - 20)]
    for size in [0, 5, *sizes]:
        cut.write_bytes(content[:size])
        again = search(14, cut, algo)
        assert what(again) == expected
        assert what(Trials.load(cut)) == expected


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_replaying_any_prefix_of_a_parallel_run_leads_to_the_same_trials(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Several run at once and end in any order; the driver dies after any line."""
    folder = tmp_path_factory.mktemp("journal")
    order = data.draw(st.lists(st.integers(0, 3), min_size=30, max_size=30))
    expected = _driven(folder / "whole", order)
    lines = (folder / "whole").read_bytes().splitlines(keepends=True)
    (folder / "cut").write_bytes(b"".join(lines[: data.draw(st.integers(0, len(lines)))]))
    assert _driven(folder / "cut", order) == expected


def _driven(path: Path, order: list[int]) -> list[Any]:
    """All trials after 30 ended: up to 4 run at once, and the order[i]-th of them ends as the i-th.
    Goes on from what is in the journal.
    """
    space, trials = Space(SPACE), Trials()
    book = Journal(str(path))
    trials.replay(book.events)
    book([Begun(Header("o", 0, space.fingerprint(), {}, 0.0), Limit(30, 30))])
    sampler = tpe.TPE(n_startup_jobs=5)
    study = Study(space, sampler, FullBudget(30), 0, trials.records, journal=book)
    ended = sum(not trial.status.pending for trial in trials.records.values())
    for i in range(ended, 30):
        study.ask(4 - len(study.running))
        running = sorted(study.running)
        id = running[order[i] % len(running)]
        loss = float(study.records[id].values["x"]) ** 2
        study.tell(id, loss)
    book.close()
    return what(trials)


def test_failures_count_as_they_would_have_without_the_kill(tmp_path: Path) -> None:
    def often_broken(point: dict[str, Any]) -> float:
        if point["x"] < 0:
            raise ValueError("negative")
        return objective(point)

    path, cut = tmp_path / "study.jsonl", tmp_path / "cut.jsonl"
    options: dict[str, Any] = {
        "fn": often_broken,
        "catch_eval_exceptions": True,
        "algo": rand.suggest,
    }
    expected = what(search(20, path, **options))
    assert {status for _, _, status, _, _ in expected} == {Status.OK, Status.ERROR}
    lines = path.read_bytes().splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[:17]))
    assert what(search(20, cut, **options)) == expected
    cut.write_bytes(b"".join(lines[:17]))
    assert len(search(25, cut, **options).records) == 25
    assert len(search(25, cut, **options).records) == 25


def test_a_study_that_was_interrupted_ends_with_as_many_trials(tmp_path: Path) -> None:
    def often_broken(point: dict[str, Any]) -> float:
        if point["x"] < 0:
            raise ValueError("negative")
        if len(calls) in (3, 6):
            calls.append(0)
            raise KeyboardInterrupt
        calls.append(0)
        return objective(point)

    calls: list[int] = []
    path = tmp_path / "study.jsonl"
    options: dict[str, Any] = {"fn": often_broken, "catch_eval_exceptions": True}
    options["algo"] = rand.suggest
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            search(20, path, **options)
    for _ in range(2):
        trials = search(20, path, **options)
        assert trials.count_cancelled_trials() == 2
        assert len(trials.records) == 22


def test_parallel_runs_keep_everything(tmp_path: Path, spark: Any) -> None:
    def speaking(point: dict[str, Any]) -> float:
        print("x is", point["x"])
        return objective(point)

    for trials in (ThreadTrials(3), SparkTrials(3, spark_session=spark)):
        path = tmp_path / f"{type(trials).__name__}.jsonl"
        search(20, path, trials=trials, fn=speaking)
        assert Trials.load(path).records == trials.records
        search(25, path, trials=Trials())
        assert len(Trials.load(path)) == 25


def test_results_and_attachments_come_back(tmp_path: Path) -> None:
    def rich(point: dict[str, Any]) -> dict[str, Any]:
        model = {"weights": np.arange(4.0), 3: "three"}
        result = {"loss": point["x"], "status": "ok", "pair": (1, "b"), "worst": float("inf")}
        return result | {"n": np.int64(7), "model": model, "attachments": {"blob": b"abc"}}

    path = tmp_path / "study.jsonl"
    search(3, path, fn=rich)
    trials = Trials.load(path)
    result = trials.results[0]
    assert (result["pair"], result["worst"], result["n"]) == ((1, "b"), float("inf"), 7)
    assert repr(result["model"]) == "{'weights': Blob(numpy.ndarray), 3: 'three'}"
    assert result["model"]["weights"].load().tolist() == [0, 1, 2, 3]
    assert trials.trial_attachments(trials.trials[2])["blob"].load() == b"abc"
    assert len(list((tmp_path / "study.jsonl.blobs").iterdir())) == 2  # equal content, one file


def test_what_cannot_be_pickled_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    search(2, path, fn=lambda point: {"loss": 1.0, "status": "ok", "lock": threading.Lock()})
    kept = Trials.load(path)
    assert kept.losses() == [1.0, 1.0]
    with pytest.raises(InvalidArgument, match="could not be pickled"):
        kept.results[0]["lock"].load()


def test_trials_are_saved_and_loaded(tmp_path: Path) -> None:
    def broken(point: dict[str, Any]) -> dict[str, Any]:
        if point["x"] < 0:
            raise ValueError("negative")
        return {"loss": point["x"], "status": "ok", "attachments": {"a": [1]}}

    path = tmp_path / "study.jsonl"
    trials = search(8, None, fn=broken, catch_eval_exceptions=True)
    trials.save(path)
    trials.save(path)
    loaded = Trials.load(path)
    assert loaded.records == trials.records
    assert loaded.attachments == trials.attachments
    assert loaded.labels == trials.labels
    assert what(search(10, path, fn=broken, catch_eval_exceptions=True))[:8] == what(trials)
    with pytest.raises(InvalidArgument, match="there is no journal at"):
        Trials.load(tmp_path / "none.jsonl")


def test_trials_from_elsewhere_are_put_into_a_new_journal(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    trials = search(4, None)
    search(6, path, trials=trials)
    assert Trials.load(path).records == trials.records
    with pytest.raises(InvalidArgument, match="there are trials that the journal"):
        search(6, path, trials=search(9, None))


def elsewhere(point: dict[str, Any]) -> float:
    return point["x"] + 1.0 if point["x"] > 0 else float("nan")


@pytest.mark.parametrize("other", [{"seed": 6}, {"fn": elsewhere}])
def test_trials_of_a_journals_ids_do_not_give_way_to_its_own(
    other: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "study.jsonl"
    search(6, path)
    content, trials = path.read_bytes(), search(4, None, **other)
    before = what(trials)
    with pytest.raises(InvalidArgument, match="does not hold with the same parameters and results"):
        search(8, path, trials=trials)
    assert repr(what(trials)) == repr(before)
    assert path.read_bytes() == content


def test_a_journal_is_gone_on_with_by_trials_that_hold_a_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    for n in (4, 8):
        search(n, path, fn=elsewhere)
        again = search(n, path, fn=elsewhere, trials=Trials.load(path))
        assert repr(what(again)) == repr(what(search(n, None, fn=elsewhere)))
    search(12, path, fn=elsewhere, trials=search(4, None, fn=elsewhere))
    assert len(Trials.load(path)) == 12


def test_another_space_is_refused_and_the_difference_named(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    search(3, path)
    with path.open("ab") as file:
        file.write(b'{"asked":')  # a line that was cut off
    size = path.stat().st_size
    space = {"x": hp.uniform("x", -5, 6), "n": hp.randint("n", 1, 4)}
    trials = Trials()
    with pytest.raises(InvalidArgument) as raised:
        fmin(objective, space, max_evals=5, journal=path, verbose=False, trials=trials)
    for text in ("x: uniform(-5, 5) is now uniform(-5, 6)", "n: integers 1 to 3 is new"):
        assert text in str(raised.value)
    assert "y: normal(0, 1) if kind=1 is gone" in str(raised.value)
    assert path.stat().st_size == size
    assert not trials.records
    assert trials.header is None


def test_a_call_that_is_refused_late_leaves_the_trials(tmp_path: Path) -> None:
    path, trials = tmp_path / "study.jsonl", Trials()
    search(3, path)
    for wrong in ({"max_queue_len": 0}, {"timeout": -1}, {"early_stop_fn": 3}):
        with pytest.raises(InvalidArgument):
            search(5, path, trials=trials, **wrong)
    assert not trials.records


def test_points_that_were_never_asked_for_are_kept(tmp_path: Path) -> None:
    path, cut = tmp_path / "study.jsonl", tmp_path / "cut.jsonl"
    points = [{"x": float(i), "kind": 0} for i in range(4)]
    search(6, path, points_to_evaluate=points)
    lines = path.read_bytes().splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[:5]))  # the first point ended
    trials = search(6, cut)
    assert [t.values["x"] for t in trials.records.values()][:4] == [0.0, 1.0, 2.0, 3.0]
    assert what(trials) == what(Trials.load(path))


def test_a_broken_line_is_refused_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    search(5, path)
    lines = path.read_bytes().splitlines(keepends=True)
    for broken in (b"{broken}\n", b"\xff\n", b'{"told": {"id": 77}}\n', b"[]\n", b"\n"):
        for after in (lines[5:], []):  # a complete line is no torn one, even at the end
            path.write_bytes(b"".join([*lines[:4], broken, *after]))
            with pytest.raises(InvalidArgument, match="line 5 is invalid"):
                search(5, path)


@pytest.mark.parametrize("content", [b"notes of mine", b"notes\nof mine\n", b"\x80\x04K\x03."])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(InvalidArgument, match="cannot be read as a journal: line 1"):
        search(5, path)
    assert path.read_bytes() == content


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    path.write_text('{"sparktune": 99, "seed": 1}\n{"asked": []}\n')
    with pytest.raises(InvalidArgument, match="newer sparktune"):
        search(5, path)


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    program = f"""
import time
from tests.journal.test_journal import objective, search
def waiting(point):
    print("runs", flush=True)
    time.sleep(600)
search(5, {str(path)!r}, fn=waiting)
"""
    first = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert first.stdout is not None
    try:
        assert first.stdout.readline() == b"runs\n"
        with pytest.raises(InvalidArgument, match="in use by another run"):
            search(5, path)
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    assert len(search(5, path)) == 5


@pytest.mark.parametrize("path", [3, "", "/no/such/folder/study.jsonl", "/", "/dev/null"])
def test_a_path_that_is_none_is_refused_before_anything_runs(path: Any) -> None:
    calls: list[Any] = []
    with pytest.raises(InvalidArgument, match="journal must be"):
        search(5, path, fn=calls.append)
    assert not calls


def test_a_refused_call_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="max_queue_len"):
        search(5, tmp_path / "study.jsonl", max_queue_len=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("limit", [0, 2000])
def test_a_full_disk_ends_the_run_and_costs_no_result(tmp_path: Path, limit: int) -> None:
    program = f"""
import resource, signal
from sparktune import Trials
from tests.journal.test_journal import search
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
trials = Trials()
try:
    search(50, {str(tmp_path / "study.jsonl")!r}, trials=trials)
except OSError as error:
    print(type(error).__name__, len(trials), trials.count_cancelled_trials())
"""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    kind, finished, cancelled = ran.stdout.split()
    # the one that was asked for and could not be written is cancelled
    assert (kind, cancelled) == ("JournalFailed", "1" if limit else "0")
    kept = len(Trials.load(tmp_path / "study.jsonl")) if limit else 0
    assert int(finished) - kept in (0, 1)
    assert len(search(50, tmp_path / "study.jsonl")) == 50


def test_a_store_of_whole_objects_is_flushed_in_time(tmp_path: Path, wait_until: Any) -> None:
    path = tmp_path / "study.jsonl"
    files = WholeObjects(Local(str(path)), seconds=0.05)
    files.open()
    files.append(b"one\n")
    wait_until(path.exists)
    assert path.read_bytes() == b"one\n"
    files.close()
    files = WholeObjects(Local(str(path)), seconds=1000)
    files.open()
    files.append(b"two\n")
    assert path.read_bytes() == b"one\n"
    files.close()
    assert path.read_bytes() == b"one\ntwo\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["study.jsonl"]


def test_a_second_writer_of_whole_objects_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    files = WholeObjects(Local(str(path)))
    files.open()
    path.write_bytes(b"somebody else's")
    files.append(b"one\n")
    with pytest.raises(JournalFailed, match="another process has written"):
        files.close()


def test_a_journal_at_a_url() -> None:
    pytest.importorskip("fsspec")
    url = f"memory://bucket/{os.getpid()}/study.jsonl"
    search(4, None, journal=url)
    trials = search(9, None, journal=url)
    assert what(Trials.load(url)) == what(trials) == what(search(9, None))
    assert isinstance(files_at(url), WholeObjects)
    assert Remote(url).open().read().count(b"\n") == 1 + 2 * 9 + 2 + 2
    assert isinstance(files_at("study.jsonl"), Appended)
    assert isinstance(files_at("/Volumes/a/study.jsonl"), WholeObjects)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers(), inner)
    ),
    max_leaves=20,
)


@given(values)
def test_values_come_back_as_they_were(value: Any) -> None:
    place = Remote("memory://values")
    text = json.dumps(Encoder(place).value(value, "it"))
    assert _opened(decode(json.loads(text), place.path)) == value


def _opened(value: Any) -> Any:
    if isinstance(value, Blob):
        return value.load()
    if isinstance(value, (list, tuple)):
        return type(value)(_opened(item) for item in value)
    return {k: _opened(v) for k, v in value.items()} if isinstance(value, dict) else value


def test_a_journal_of_many_trials_is_read_quickly(tmp_path: Path) -> None:
    """100,000 are to take less than 5 s: 20,000 less than 5, as machines differ."""
    path = tmp_path / "study.jsonl"
    with path.open("w") as file:
        file.write('{"sparktune":1,"objective":"o","seed":1,"space":"","columns":{},"created":0}\n')
        for id in range(20_000):
            file.write(
                json.dumps({"asked": [{"id": id, "values": {"x": 0.5}, "asked": 1.0}]}) + "\n"
            )
            told = {"id": id, "status": "ok", "loss": 0.5, "result": {"loss": 0.5, "status": "ok"}}
            file.write(json.dumps({"told": told | {"started": 1.0, "finished": 2.0}}) + "\n")
    begun = time.process_time()
    assert len(read(str(path))) == 1 + 2 * 20_000
    assert time.process_time() - begun < 5  # of this process, however busy the machine is


def test_an_objective_that_closes_the_journal_ends_the_run_with_what_was_finished(
    tmp_path: Path,
) -> None:
    path = tmp_path / "j.jsonl"
    trials = Trials()

    def objective(x: float) -> float:
        if len(trials.records) == 3:
            for descriptor in Path("/proc/self/fd").iterdir():
                if descriptor.exists() and descriptor.samefile(path):
                    os.close(int(descriptor.name))
        return x

    with pytest.raises(JournalFailed, match="Bad file descriptor"):
        fmin(
            objective,
            hp.uniform("x", 0, 1),
            "random",
            5,
            trials=trials,
            journal=path,
            show_progressbar=False,
        )
    assert sum(trial.loss is not None for trial in trials.records.values()) == 3
    assert sum(trial.loss is not None for trial in Trials.load(path).records.values()) == 2


def test_a_run_does_not_believe_an_end_that_no_run_can_have_had(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    options: dict[str, Any] = {"journal": path, "show_progressbar": False}
    fmin(lambda x: x, hp.uniform("x", 0, 1), "random", 3, **options)
    text = path.read_text()
    assert '"end":3' in text
    path.write_text(text.replace('"end":3', f'"end":{2**61}'))
    fmin(lambda x: x, hp.uniform("x", 0, 1), "random", 6, **options)
    assert len(Trials.load(path).records) == 6


def test_a_study_alone_writes_a_journal_that_tune_continues(tmp_path: Path) -> None:
    path, space = tmp_path / "study.jsonl", {"x": hp.uniform("x", 0, 1)}
    with contextlib.closing(Journal(path)) as journal:
        study = Study(space, seed=1, journal=journal)
        for trial in study.ask(3):
            study.tell(trial, trial.values["x"])
    continued = tune(lambda c: c["x"], space, max_trials=5, journal=path, progress=False)
    assert [trial.loss for trial in continued.trials.values()][:3] == [
        trial.loss for trial in study.trials.values()
    ]
    assert len(continued.trials) == 5
