"""Results in a journal: written as they are, read as they were."""

from __future__ import annotations

import datetime
import enum
import fractions
import json
import logging
import pickle
import threading
from collections import OrderedDict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktune import Study, ThreadTrials, Trials, fmin, hp, rand, tune
from sparktune.errors import InvalidArgument
from sparktune.events import Asked, Begun, Told
from sparktune.journal.blobs import Blob
from sparktune.journal.journal import Journal, read, save
from sparktune.journal.places import Local
from sparktune.journal.reading import Reader
from sparktune.trial import Header, Outcome, Status, Trial

SPACE = {"x": hp.uniform("x", 0, 1)}
HEADER = Header("objective", 1, "", {}, 0.0)


class Metric(str, enum.Enum):
    AUC = "auc"
    LOGLOSS = "$logloss"


class Fold(enum.IntEnum):
    FIRST = 0


Pair = namedtuple("Pair", "a b")


def opened(value: Any) -> Any:
    """A value, with the large values in it loaded."""
    if isinstance(value, Blob):
        return value.load()
    if type(value) in (list, tuple):
        return type(value)(opened(item) for item in value)
    if type(value) is dict:
        return {opened(key): opened(item) for key, item in value.items()}
    return value


def run(path: Path, result: dict[Any, Any], trials: Trials | None = None) -> Trials:
    """The trials of a run of two, as its journal has them."""

    def objective(point: dict[str, Any]) -> dict[Any, Any]:
        return {"loss": point["x"], "status": "ok"} | result

    trials = Trials() if trials is None else trials
    options: dict[str, Any] = {"journal": path, "verbose": False, "seed": 1, "trials": trials}
    fmin(objective, SPACE, rand.suggest, max_evals=2, catch_eval_exceptions=True, **options)
    assert [trial.status for trial in trials.records.values()] == [Status.OK] * 2
    loaded = Trials.load(path)
    assert loaded.losses() == trials.losses()
    assert loaded.statuses() == ["ok", "ok"]
    assert loaded.best_trial["result"]["loss"] == trials.best_trial["result"]["loss"]
    return loaded


@pytest.mark.parametrize(
    "key",
    [
        *(*np.array(["precision"]), 0, -3, 1.5, True, None, (1, ("a", None))),
        *("$cost", "$blob", "$items", "$float", "$tuple", "", "\ud800", float("inf"), 10**50),
        *(Metric.AUC, Metric.LOGLOSS, Fold.FIRST, np.int64(7), np.float32(0.5)),
    ],
    ids=repr,
)
def test_keys_come_back(key: Any, tmp_path: Path) -> None:
    nested = {"inside": [{key: {key: 1}}]}
    result = run(tmp_path / "study.jsonl", {key: 0.5} | nested).results[0]
    assert result[key] == 0.5
    assert result["inside"] == [{key: {key: 1}}]


def test_keys_that_json_cannot_hold_leave_the_rest_alone(tmp_path: Path) -> None:
    day = datetime.date(2026, 1, 2)
    result = {day: 1, "inside": {day: 2}, "plain": 3}
    kept = run(tmp_path / "study.jsonl", result).results[0]
    assert kept["plain"] == 3
    assert {day: 1, "inside": {day: 2}}.items() <= opened(kept).items()


@pytest.mark.parametrize(
    "value",
    [
        *(10**5000, -(10**700), 10**599, 2**64, True, -0.0, "\ud800\x00", b"\xff"),
        *(1 + 2j, {1, 2}, frozenset([1]), range(3), fractions.Fraction(1, 3), Pair(1, 2)),
        *(datetime.timedelta(1), Metric.AUC, Fold.FIRST, OrderedDict(a=1), np.str_("a")),
        *(np.int8(3), np.bool_(True), np.float16(0.5), np.longdouble(1) / 3, np.complex64(1j)),
        *(np.datetime64("2026-01-02T03:04:05.123456789"), np.timedelta64(5, "ns")),
        *((), [], {}, ((),), [[[]]], {"a": {}}, [None], {"$tuple": [1]}, {"$float": "nan"}),
        *({"$blob": "", "kind": "x"}, {"$items": [[1, 2]]}, {1: 2, "1": 3}),
    ],
    ids=lambda value: (
        f"{type(value).__name__} {value!r:.20}".replace("\x00", "")
        if not isinstance(value, int)
        else f"an integer of {value.bit_length()} bits"
    ),
)
def test_values_come_back(value: Any, tmp_path: Path) -> None:
    kept = opened(run(tmp_path / "study.jsonl", {"it": value, "list": [value]}).results[0])
    assert kept["it"] == value
    assert kept["list"] == [value]


def _itself() -> Any:
    value: dict[str, Any] = {"a": 1}
    value["self"] = value
    return value


def _deep(levels: int) -> Any:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def _shared() -> Any:
    value: list[Any] = [1]
    for _ in range(60):
        value = [value, value]
    return value


class Hostile(dict[Any, Any]):
    def items(self) -> Any:
        raise RuntimeError("no items")

    def __reduce__(self) -> Any:
        raise RuntimeError("no pickle")


class Unspeakable:
    def __reduce__(self) -> Any:
        raise Unsaid


class Unsaid(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (_itself(), True),
        (_deep(150), True),
        (_deep(20_000), False),
        (_shared(), True),
        (Hostile(a=1), False),
        ([1, Unspeakable()], False),
        (threading.Lock(), False),
    ],
    ids=["itself", "150 deep", "20,000 deep", "shared", "hostile", "unspeakable", "lock"],
)
@pytest.mark.parametrize("kind", [Trials, lambda: ThreadTrials(2)], ids=["serial", "threads"])
def test_what_cannot_be_kept_costs_only_itself(
    value: Any, kept: bool, kind: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = run(tmp_path / "study.jsonl", {"it": value, "other": [1]}, kind()).results[0]
    assert result["other"] == [1]
    said = [r for r in caplog.records if r.levelno == logging.WARNING and "'it'" in r.message]
    assert len(said) == (0 if kept else 1)  # once, not for each trial
    if not kept:
        found = result["it"]
        while isinstance(found, list):
            found = found[-1]
        with pytest.raises(InvalidArgument, match="not stored"):
            found.load()


def test_what_is_there_often_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    put = Local.put_blob

    def counting(place: Local, digest: str, content: bytes) -> None:
        written.append(digest)
        put(place, digest, content)

    monkeypatch.setattr(Local, "put_blob", counting)
    value: list[Any] = [np.arange(3)]
    for _ in range(12):
        value = [value, value]
    kept = run(tmp_path / "study.jsonl", {"it": value, "lost": [1, threading.Lock()]}).results[0]
    assert len(written) == 1
    assert kept["lost"][0] == 1


def test_a_value_that_contains_itself_does_so_again(tmp_path: Path) -> None:
    kept = run(tmp_path / "study.jsonl", {"it": _itself()}).results[0]["it"]
    inner = kept["self"].load()
    assert (kept["a"], inner["a"]) == (1, 1)
    assert inner["self"] is inner


def test_functions_are_kept_by_cloudpickle(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    kept = run(tmp_path / "study.jsonl", {"predict": lambda z: z + 1}).results[0]
    assert kept["predict"].load()(2) == 3


@pytest.mark.parametrize("label", ["$float", "$tuple", "$blob", "$items", "", "a\nb", "\ud800"])
def test_labels_may_be_marks(label: str, tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    space = {"a": hp.uniform(label, 0, 1), "b": hp.choice(label + "b", [label, "$blob"])}
    for n in (3, 5):
        trials = Trials()
        options: dict[str, Any] = {"journal": path, "verbose": False, "trials": trials, "seed": 1}
        fmin(lambda c: c["a"], space, rand.suggest, max_evals=n, **options)
        assert Trials.load(path).records == trials.records
        assert Trials.load(path).header == trials.header


@pytest.mark.parametrize("names", [{0: b"0", "$model": b"1", (1,): [2], "plain": 3}])
def test_attachments_may_have_any_name(names: dict[Any, Any], tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    loaded = run(path, {"attachments": names})
    found = loaded.trial_attachments(loaded.trials[0])
    assert {name: opened(value) for name, value in found.items()} == {
        str(name): value for name, value in names.items()
    }


simple = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["$float", "$tuple", "$blob", "$items", "$"])
    | st.sampled_from([*Metric, *Fold, np.float32(0.1), np.int16(-3), np.str_("$text"), 10**601])
)
keys = st.recursive(simple, lambda inner: st.tuples(inner, inner), max_leaves=3)
values = st.recursive(
    simple
    | st.binary()
    | st.complex_numbers(allow_nan=False)
    | st.dates()
    | st.sets(st.integers()),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(keys | st.dates(), inner)
        | st.tuples(inner)
        | st.tuples(inner, inner).map(lambda pair: Pair(*pair))
    ),
    max_leaves=12,
)


@given(st.dictionaries(keys, values, max_size=4), st.dictionaries(keys, values, max_size=2))
@settings(max_examples=200, deadline=None)
def test_a_result_that_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, result: dict[Any, Any], attached: dict[Any, Any]
) -> None:
    path = tmp_path_factory.mktemp("values") / "study.jsonl"
    result = result | {"loss": 0.5, "status": "ok"}
    running = Trial(0, {"x": 0.5}, Status.RUNNING, asked=1.0)
    end = Outcome(0, Status.OK, 0.5, result, attachments=attached, finished=2.0)
    told = Told(running.told(end), end)
    book = Journal(path)
    book([Begun(HEADER), Asked(running)])
    book([told])
    book.close()
    _, _, found = read(path)
    assert isinstance(found, Told)
    assert opened(found.trial.result) == result
    assert opened(found.outcome.attachments or {}) == {f"{k}": v for k, v in attached.items()}
    assert (found.trial.loss, found.trial.result and found.trial.result["loss"]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("result", "status", "loss"),
    [
        ({}, Status.OK, 0.5),
        ({"loss": threading.Lock(), "status": threading.Lock()}, Status.OK, 0.5),
        ({"loss": True, "status": Metric.AUC}, Status.OK, 1.0),
        ({"loss": 10**1000, "status": "ok"}, Status.OK, float("inf")),
        ({"loss": np.float32(0.5), "status": np.str_("ok")}, Status.OK, 0.5),
        ({"loss": float("nan"), "status": 7}, Status.FAIL, float("nan")),
    ],
)
def test_status_and_loss_are_never_large_values(
    result: dict[str, Any], status: Status, loss: float, tmp_path: Path
) -> None:
    end = Outcome(3, status, loss, result, finished=float("nan"), started=-1.0)
    told = Told(Trial(3, {}).told(end), end)
    save(tmp_path / "study.jsonl", [Begun(HEADER), Asked(Trial(3, {}, Status.RUNNING)), told])
    found = Trials.load(tmp_path / "study.jsonl").records[3]
    assert (found.status, repr(found.loss)) == (status, repr(loss))
    assert found.result is not None
    assert found.result["status"] == ("ok" if status is Status.OK else "fail")
    assert status is Status.FAIL or found.result["loss"] == loss


def test_a_trial_whose_value_is_no_number_is_refused(tmp_path: Path) -> None:
    trials = Trials()
    trials.records[0] = Trial(0, {"x": "text"})  # type: ignore[dict-item]
    with pytest.raises(InvalidArgument, match="its field 'values' cannot be"):
        trials.save(tmp_path / "study.jsonl")
    assert not list(tmp_path.iterdir())


def test_a_result_of_0_1_that_was_one_large_value_keeps_its_loss(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    trials = run(path, {"it": {frozenset([1]): 2}})
    blob = trials.results[0]["it"]
    reader = Reader(str(path))
    for line in path.read_bytes().splitlines(keepends=True):
        entry = json.loads(line)
        if "told" in entry:
            entry["told"]["result"] = {"$blob": blob.digest, "kind": "dict"}
        reader.take(json.dumps(entry).encode() + b"\n")
    told = [event.trial for event in reader.events if isinstance(event, Told)]
    assert [trial.result and trial.result["loss"] for trial in told] == trials.losses()
    assert told[0].result is not None
    assert told[0].result["result"].load() == {frozenset([1]): 2}


@pytest.mark.parametrize(
    "noise",
    [
        {"losses": np.array([1.0, 3.0])},
        {"loss_variance": np.array(0.5)},
        {"loss_variance": fractions.Fraction(1, 2)},
    ],
    ids=repr,
)
def test_a_continued_run_knows_the_noise_of_its_losses(
    tmp_path: Path, noise: dict[str, Any]
) -> None:
    path, space = tmp_path / "study.jsonl", {"x": hp.uniform("x", 0, 1)}
    study = tune(
        lambda c: {"loss": c["x"], "status": "ok"} | noise,
        space,
        max_trials=2,
        journal=path,
        progress=False,
    )
    variance = study.history.variance
    assert np.isfinite(variance).all()
    assert Study.load(path, space).history.variance.tolist() == variance.tolist()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_trials_with_large_values_pickle(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    loaded = run(path, {"it": b"large"})
    again = pickle.loads(pickle.dumps(loaded))
    assert again.results[0]["it"].load() == b"large"


def test_a_pickle_that_names_the_former_place_of_large_values_is_read() -> None:
    old = (
        b"\x80\x02csparktune.journal.values\nBlob\nq\x00)\x81q\x01}q\x02(X\x04\x00\x00\x00kind"
        b"q\x03X\x01\x00\x00\x00Cq\x04X\x06\x00\x00\x00digestq\x05X\x01\x00\x00\x00dq\x06"
        b"X\x07\x00\x00\x00journalq\x07X\x01\x00\x00\x00jq\x08ub."
    )
    assert pickle.loads(old) == Blob("C", "d", "j")
