"""Pickles that attack: whatever they say, `load_trials` refuses them or gives plain data."""

from __future__ import annotations

import copy
import itertools
import os
import pickle
import resource
import struct
import subprocess
import sys
import time
from collections import OrderedDict, defaultdict, deque
from dataclasses import asdict
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune.errors import InvalidArgument, InvalidTrial, SparktuneError
from sparktune.hyperopt import Trials, fmin, hp, load_trials, rand

PROTO = b"\x80\x04"
MINUS_ONE = b"J\xff\xff\xff\xff"


def text(content: str) -> bytes:
    return b"\x8c" + bytes([len(content)]) + content.encode()


def name(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + b"\x93"


def integer(number: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", number)


def call(module: str, attribute: str, *arguments: bytes) -> bytes:
    return name(module, attribute) + b"(" + b"".join(arguments) + b"tR"


def raw(content: bytes) -> bytes:
    return b"C" + bytes([len(content)]) + content


def dtype(spec: str, *parts: bytes) -> bytes:
    return call("numpy", "dtype", text(spec), b"\x89", b"\x88") + b"(" + b"".join(parts) + b"tb"


def array(shape: bytes, kind: bytes, content: bytes) -> bytes:
    start = call(
        "numpy._core.multiarray", "_reconstruct", name("numpy", "ndarray"), b"K\x00\x85C\x01b"
    )
    return start + b"(K\x01" + shape + kind + b"\x89" + content + b"tb"


# numpy forgets that these hold objects, if it believes their flags
OBJECTS = dtype("O8", b"K\x03", text("|"), b"NNN", MINUS_ONE * 2, integer(0))
BYTES = dtype("i8", b"K\x03", text("<"), b"NNN", MINUS_ONE * 2, b"K\x00")
ITEM = text("a") + BYTES + b"K\x08\x86s"  # a column that lies outside of its row
OUTSIDE = dtype(
    "V8", b"K\x03", text("|"), b"N", text("a") + b"\x85", b"}" + ITEM, b"K\x08K\x01K\x00"
)
INSIDE = (
    text("a") + dtype("O8", b"K\x03", text("|"), b"NNN", MINUS_ONE * 2, b"K\x3f") + b"K\x00\x86s"
)
COLUMN = dtype(
    "V8", b"K\x03", text("|"), b"N", text("a") + b"\x85", b"}" + INSIDE, b"K\x08K\x01K\x00"
)
ONE = b"K\x01\x85"
LONG = b"]\x94(" + b"N" * 20_000 + b"e"  # a list, in the memo at 0
COPIES = b"(" + (name("builtins", "list") + b"h\x00\x85R") * 3_000 + b"l"

ATTACKS = {
    "an object of bytes": call("numpy._core.multiarray", "scalar", OBJECTS, raw(b"A" * 8)),
    "objects of bytes": array(ONE, OBJECTS, raw(b"A" * 8)),
    "objects of a buffer": call(
        "numpy._core.numeric", "_frombuffer", raw(b"A" * 8), OBJECTS, ONE, text("C")
    ),
    "objects in a column": array(ONE, COLUMN, raw(b"A" * 8)),
    "a column outside": array(ONE, OUTSIDE, raw(b"A" * 8)),
    "a shape beyond the bytes": array(integer(10**6) + b"\x85", BYTES, raw(b"A" * 8)),
    "a negative shape": array(integer(-1) + b"\x85", BYTES, raw(b"A" * 8)),
    "texts of no characters": array(
        ONE, dtype("U1", b"K\x03", text("<"), b"NNN", b"K\x04K\x04K\x08"), raw(b"\xff" * 4)
    ),
    "neither true nor false": array(
        ONE, dtype("b1", b"K\x03", text("|"), b"NNN", MINUS_ONE * 2, b"K\x00"), raw(b"\x07")
    ),
    "a state given twice": array(ONE, BYTES, raw(b"A" * 8))
    + b"(K\x01"
    + ONE
    + BYTES
    + b"\x89"
    + raw(b"B" * 8)
    + b"tb",
    "a type used before its state": call(
        "numpy._core.multiarray",
        "scalar",
        call("numpy", "dtype", text("i8"), b"\x89", b"\x88"),
        raw(b"A" * 8),
    ),
    "a state for numpy itself": name("numpy", "ndarray") + b"}" + text("shape") + b"K\x01sb",
    "a deque of a range": call(
        "collections", "deque", call("builtins", "range", integer(10**15)), b"K\x01"
    ),
    "a list of a range": call("builtins", "list", call("builtins", "range", integer(10**10))),
    "a set of a range": call("builtins", "set", call("builtins", "range", integer(10**12))),
    "many zeros": call("builtins", "bytearray", integer(3 * 10**9)),
    "copies of copies": LONG + COPIES,
    "an empty type in a huge shape": array(
        integer(10**12) + b"\x85",
        dtype("V0", b"K\x03", text("|"), b"NNN", b"K\x00K\x01K\x00"),
        raw(b""),
    ),
    "an int of a million digits": b"\x8b" + struct.pack("<i", 400_000) + b"\x7f" * 400_000,
    "a datetime of a bad day": call(
        "datetime", "datetime", raw(bytes([7, 228, 1, 200, 1, 1, 1, 0, 0, 1]))
    ),
    "a zone that is none": call(
        "datetime", "datetime", raw(bytes([7, 228, 1, 2, 1, 1, 1, 0, 0, 1])), b"N", b"N"
    ),
    "a hash that takes for ever": b"K\x01" + b"2\x86" * 60 + b"\x85}\x94K\x01s",
    "tuples in a key": b"}" + b"N" + b"\x85" * 100_000 + b"Ns",
    "a key of all keys": b"}" + integer(1) + b"\x8a\x0a" + b"\x01" * 10 + b"Ns",
    "defaultdicts in each other": b"".join(
        [(call("collections", "defaultdict") + b"N") for _ in range(30_000)]
    )
    + b"N"
    + b"s" * 30_000,
    "deques in each other": call("collections", "deque") * 30_000 + b"a" * 29_999,
    "an extension": b"\x82\x01",
    "a persistent id": b"K\x01Q",
    "a buffer from outside": b"\x97",
    "an attribute of a class": name("builtins", "dict.fromkeys") + b"K\x01\x85R",
    "a class called": name("builtins", "type") + text("x") + b")}\x87R",
    "int of a text": call("builtins", "int", text("1" * 200)),
    "a state for a dict's class": name("builtins", "dict") + b"}b",
    "a method of trials": name("hyperopt.base", "Trials") + b")R}" + text("refresh") + b"K\x01sb",
}


def document(value: bytes) -> bytes:
    """A list of one valid document of Hyperopt, with `value` in its result."""
    none = dict.fromkeys(("spec", "owner", "book_time", "refresh_time", "exp_key"), b"N")
    misc = {"tid": b"K\x00", "cmd": b"N", "idxs": b"}", "vals": b"}"}
    result = {"status": text("ok"), "loss": b"G?\xf0\0\0\0\0\0\0", "a": value}
    parts = none | {
        "tid": b"K\x00",
        "state": b"K\x02",
        "misc": table(misc),
        "result": table(result),
    }
    return PROTO + b"](" + table(parts) + b"e."


def table(items: dict[str, bytes]) -> bytes:
    return b"}" + b"".join(text(key) + value + b"s" for key, value in items.items())


LOAD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30,) * 2)
from sparktune.errors import SparktuneError
from sparktune.hyperopt import load_trials
for path in sys.argv[1:]:
    try:
        load_trials(path)
    except SparktuneError as error:
        print(path, type(error).__name__, str(error)[-100:])
    else:
        print(path, "was loaded")
"""


def test_attacks_are_refused_in_bounded_time_and_memory(tmp_path: Path) -> None:
    paths = []
    for i, content in enumerate(ATTACKS.values()):
        for kind, data in (("whole", PROTO + content + b"."), ("result", document(content))):
            paths.append(tmp_path / f"{i}-{kind}")
            paths[-1].write_bytes(data)
    ended = subprocess.run(
        [sys.executable, "-c", LOAD, *map(str, paths)], capture_output=True, text=True, timeout=100
    )
    assert ended.returncode == 0, ended.stdout[-500:] + ended.stderr
    lines = ended.stdout.splitlines()
    assert len(lines) == len(paths)
    assert [line for line in lines if "was loaded" in line] == []
    assert [line for line in lines if "MemoryError" in line] == []


def test_a_valid_document_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "t.pkl"  # so that the test above can fail
    file.write_bytes(document(array(ONE, BYTES, raw(struct.pack("<q", 5)))))
    assert load_trials(file).results[0]["a"].tolist() == [5]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 << 20


VALUES: list[Any] = [
    *(np.arange(6, dtype=kind).reshape(2, 3) for kind in ("i1", "<i8", ">i4", "u2", "f4", ">f8")),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.array([True, False]),
    np.array(["ä", "b\U0001f600"]),
    np.array([b"x", b"yz"]),
    np.array([1, "two", None, [3], {"four": 4}], dtype=object),
    np.array([[1, 2], [3, None]], dtype=object, order="F"),
    np.array([(1, 2.5, "a")], dtype=[("n", "i4"), ("x", ">f8"), ("s", "U3")]),
    np.array([(1, (2, 3))], dtype=[("n", "i4"), ("v", "f8", (2,))]),
    np.array([(1, 2.0)], dtype=np.dtype([("n", "i1"), ("x", "f8")], align=True)),
    np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
    np.array([5], dtype="m8[25us]"),
    np.zeros((0, 3)),
    np.float64(0.5),
    np.int32(7),
    np.bool_(True),
    np.str_("text"),
    np.datetime64("2020-01-01T00:00:00", "ms"),
    np.array([(1, 2.0)], dtype=[("n", "i4"), ("x", "f8")])[0],
    np.dtype("<f4"),
    1 + 2j,
    bytearray(b"\x00\xff"),
    b"\x00\xff",
    {1, (2, ("three",))},
    frozenset({"a"}),
    range(3, 10**12, 2),
    OrderedDict([("b", 1), ("a", 2)]),
    deque([1, 2], 5),
    defaultdict(list, {"a": [1]}),
    datetime(2020, 2, 29, 1, 2, 3, 4),
    datetime(2020, 2, 29, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2), "there")),
    date(2020, 2, 29),
    timedelta(1, 2, 3),
    2**200,
    -0.0,
    slice(1, None, 2),
    float,
]


@pytest.mark.parametrize("protocol", range(6))
def test_honest_values_are_what_they_were(tmp_path: Path, protocol: int) -> None:
    trials, file = Trials(), tmp_path / "trials.pkl"
    values = iter(VALUES)
    space = hp.uniform("x", 0, 1)

    def objective(x: float) -> dict[str, Any]:
        return {"loss": x, "status": "ok", "value": next(values)}

    fmin(objective, space, rand.suggest, len(VALUES), trials=trials, verbose=False)
    file.write_bytes(pickle.dumps(trials, protocol))
    for value, result in zip(VALUES, load_trials(file).results, strict=True):
        found = result["value"]
        assert type(found) is type(value)
        if isinstance(value, (np.ndarray, np.generic)):
            assert found.dtype == value.dtype
            assert found.shape == value.shape
            assert found.tobytes() == value.tobytes() or value.dtype == object
            assert repr(found.tolist()) == repr(value.tolist())
        else:
            assert repr(found) == repr(value)
        if isinstance(value, np.ndarray):
            assert found.flags.writeable
            assert found.flags.f_contiguous == value.flags.f_contiguous


def documents(**changes: Any) -> list[dict[str, Any]]:
    misc = {"tid": 0, "cmd": None, "idxs": {}, "vals": {}} | changes.pop("misc", {})
    doc = {"tid": 0, "spec": None, "result": {"status": "ok", "loss": 1.0}, "misc": misc}
    doc |= dict.fromkeys(("owner", "book_time", "refresh_time", "exp_key")) | {"state": 2}
    return [doc | changes]


NESTED: list[Any] = []
for _ in range(40):
    NESTED = [NESTED, NESTED]  # of 2^40 lists, to who looks at each

DOCUMENTS = {
    "misc is None": [documents()[0] | {"misc": None}],
    "result is a number": documents(result=5),
    "result is None": documents(result=None),
    "id is a list": documents(tid=[1], misc={"tid": [1]}),
    "id is an array": documents(tid=np.ones(2), misc={"tid": np.ones(2)}),
    "state is an array": documents(state=np.ones(2)),
    "state is 9": documents(state=9),
    "vals is a list": documents(misc={"vals": [1]}),
    "vals of numbers": documents(misc={"vals": {"x": 5}}),
    "two values": documents(misc={"vals": {"x": [1, 2]}}),
    "a value is a list": documents(misc={"vals": {"x": [[1]]}}),
    "an array without length": documents(misc={"vals": {"x": np.array(1)}}),
    "a label is a number": documents(misc={"vals": {1: [1]}}),
    "idxs is None": documents(misc={"idxs": None}),
    "error is a number": documents(state=3, misc={"error": 5}),
    "exp_key is an array": documents(exp_key=np.ones(2)),
    "status is an array": documents(result={"status": np.ones(2), "loss": 1.0}),
    "loss is a text": documents(result={"status": "ok", "loss": "low"}),
    "loss is an array": documents(result={"status": "ok", "loss": np.ones(2)}),
    "nested everywhere": documents(tid=NESTED),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_documents_that_are_none_are_named(tmp_path: Path, case: str) -> None:
    file = tmp_path / "t.pkl"
    file.write_bytes(pickle.dumps(DOCUMENTS[case]))
    with pytest.raises(InvalidTrial) as raised:
        load_trials(file)
    assert len(str(raised.value)) < 1000


def test_a_state_gives_trials_no_methods_and_no_raw_errors(tmp_path: Path) -> None:
    trials = Trials()
    fmin(lambda x: x, hp.uniform("x", 0, 1), rand.suggest, 2, trials=trials, verbose=False)
    state = trials.__getstate__()
    assert trials.header
    for change in (
        {"refresh": 5, "observe": [], "executor": {}, "_restores": True},
        {"header": 5},
        {"header": {"columns": 5}},
        {"attachments": [1]},
        {"_ids": 5, "labels": 7, "lag": "x", "timeout": []},
        {"labels": (5, None), "attachments": {5: 5}},
        {"header": asdict(trials.header) | {"created": 1e300}},
    ):
        file = tmp_path / "t.pkl"
        made = b"".join((PROTO, name("hyperopt.base", "Trials"), b")R"))
        file.write_bytes(made + pickle.dumps(state | change)[2:-1] + b"b.")
        loaded = load_trials(file)
        assert loaded.argmin == trials.argmin
        assert loaded._repr_html_()
        assert len(loaded.trial_attachments(loaded.trials[0])) == 0
        fmin(lambda x: x, hp.uniform("x", 0, 1), rand.suggest, 3, trials=loaded, verbose=False)
        assert len(loaded) == 3


@pytest.mark.parametrize("shared", ["vals", "idxs"])
def test_documents_that_share_all_their_parameters_are_refused(tmp_path: Path, shared: str) -> None:
    file, many = tmp_path / "t.pkl", {f"x{i}": [i] for i in range(9000)}
    [one] = documents(misc={shared: many})
    docs = [one | {"misc": dict(one["misc"])} for _ in range(9000)]  # 81 million values
    file.write_bytes(pickle.dumps(docs))
    begun = time.process_time()
    with pytest.raises(InvalidArgument, match="share their parameters"):
        load_trials(file)
    assert time.process_time() - begun < 15  # seconds of CPU; twenty when all values were read


@pytest.mark.parametrize(
    "made",
    [
        lambda keys: dict.fromkeys(keys),
        lambda keys: OrderedDict.fromkeys(keys),
        set,
        frozenset,
        lambda keys: {complex(10**12 - 1_000_003 * j, j): 0 for j in range(len(keys))},
    ],
)
def test_keys_that_all_have_one_hash_are_refused(tmp_path: Path, made: Any) -> None:
    keys = list(itertools.product((-1, -2), repeat=10))  # -1 and -2 have one hash
    file = tmp_path / "t.pkl"
    file.write_bytes(pickle.dumps(documents(result={"status": "ok", "loss": 1.0, "k": made(keys)})))
    with pytest.raises(InvalidArgument, match="told apart in time"):
        load_trials(file)
    honest = {(i, j): 0.5 for i in range(-30, 30) for j in range(-30, 30)}
    file.write_bytes(pickle.dumps(documents(result={"status": "ok", "loss": 1.0, "k": honest})))
    assert load_trials(file).results[0]["k"] == honest


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", "/dev/zero", tmp_path):
        with pytest.raises(InvalidArgument, match="not a regular file"):
            load_trials(path)


def test_many_documents_of_one_id_are_read_in_time(tmp_path: Path) -> None:
    file = tmp_path / "t.pkl"
    file.write_bytes(pickle.dumps([copy.deepcopy(documents()[0]) for _ in range(15_000)]))
    begun = time.process_time()
    assert len(load_trials(file)) == 15_000
    assert time.process_time() - begun < 30  # seconds of CPU; each looked at all before it


@pytest.mark.parametrize(
    ("module", "attribute"),
    [
        ("sklearn", "os.system"),
        ("sklearn.utils", "platform.os.system"),
        ("sklearn.base", "inspect.os.system"),
        ("sklearn.base", "warnings"),
        ("sklearn.base", "re"),
        ("sklearn.base", "copy"),
        ("sklearn.base", "BaseEstimator.get_params"),
        ("sklearn.base", "defaultdict"),
        ("sklearn.utils._joblib", "joblib"),
        ("sklearn.none", "x"),
        ("sklearn", "none"),
    ],
)
def test_trust_is_for_what_a_package_defines(tmp_path: Path, module: str, attribute: str) -> None:
    pytest.importorskip("sklearn.base")
    file, mark = tmp_path / "t.pkl", tmp_path / "mark"
    file.write_bytes(PROTO + name(module, attribute) + text(f"touch {mark}") + b"\x85R.")
    with pytest.raises(SparktuneError):
        load_trials(file, trust=["sklearn"])
    assert not mark.exists()


def test_a_time_that_comes_twice_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "t.pkl"
    time = datetime(2020, 10, 25, 2, fold=1)
    file.write_bytes(pickle.dumps(documents(result={"status": "ok", "loss": 1.0, "t": time})))
    assert load_trials(file).results[0]["t"].fold == 1


@pytest.mark.parametrize("protocol", range(6))
def test_a_model_loads_where_its_packages_are_trusted(tmp_path: Path, protocol: int) -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    model = ensemble.RandomForestClassifier(3, random_state=np.random.RandomState(0)).fit(X, y)
    trials, file = Trials(), tmp_path / "t.pkl"
    result = {"loss": 0.5, "status": "ok", "model": model}
    fmin(lambda x: result, hp.uniform("x", 0, 1), rand.suggest, 1, trials=trials, verbose=False)
    file.write_bytes(pickle.dumps(trials, protocol))
    with pytest.raises(InvalidArgument, match=r"trust=\['sklearn'\]"):
        load_trials(file)
    loaded = load_trials(file, trust=["sklearn", "numpy"]).results[0]["model"]
    assert loaded.predict_proba(X).tolist() == model.predict_proba(X).tolist()


@pytest.mark.parametrize("trust", ["sklearn", [""], [5], None, 5, {"sklearn": 1}])
def test_trust_is_a_list_of_names(trust: Any) -> None:
    with pytest.raises(InvalidArgument, match="trust must be a list of names"):
        load_trials("t.pkl", trust=trust)


def test_a_save_file_that_is_plain_runs_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    file, space = str(tmp_path / "t.pkl"), hp.uniform("x", 0, 1)
    options: dict[str, Any] = {"trials_save_file": file, "verbose": False}
    fmin(lambda x: x, space, rand.suggest, 2, **options)
    monkeypatch.setattr("sparktune.hyperopt._pickles._Unpickler", None)
    fmin(lambda x: x, space, rand.suggest, 4, **options)
    assert len(load_trials(file)) == 4
    assert os.path.exists(file)
