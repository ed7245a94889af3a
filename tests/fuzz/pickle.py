"""Pickles: trials and documents that are mutated, and programs made of opcodes."""

from __future__ import annotations

import datetime
import itertools
import pickle
import pickletools
import random
import struct
from collections import OrderedDict, defaultdict, deque
from pathlib import Path
from typing import Any

import numpy as np

from sparktune.errors import SparktuneError
from sparktune.hyperopt import Trials, fmin, hp, load_trials, rand
from tests.fuzz import oracle

NAMES = (
    *("builtins.list", "builtins.dict", "builtins.set", "builtins.frozenset", "builtins.range"),
    *("builtins.bytearray", "builtins.complex", "builtins.tuple", "builtins.int", "builtins.eval"),
    *("builtins.object", "builtins.slice", "builtins.getattr", "os.system", "posix.system"),
    *(
        "collections.deque",
        "collections.defaultdict",
        "collections.OrderedDict",
        "copyreg.__newobj__",
    ),
    *("datetime.datetime", "datetime.date", "datetime.timedelta", "datetime.timezone"),
    *("numpy.ndarray", "numpy.dtype", "numpy.core.multiarray._reconstruct", "numpy.load"),
    *("numpy._core.multiarray.scalar", "numpy._core.numeric._frombuffer", "copyreg._reconstructor"),
    *(
        "_codecs.encode",
        "hyperopt.base.Trials",
        "bson.son.SON",
        "sparktune.hyperopt._trials.Trials",
    ),
)
TEXTS = (
    "",
    "a",
    "O8",
    "f8",
    "i8",
    "U1",
    "V8",
    "b1",
    "M8",
    "|",
    "<",
    "latin1",
    "tid",
    "result",
    "C",
)
OPCODES = [
    code.encode("latin-1")
    for code in (
        *"(.02NdsulatRbe}])oQ",
        *"\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98",
    )
]


def _values() -> list[Any]:
    table = np.array([(1, 2.5, "a")], dtype=[("n", "i4"), ("x", ">f8"), ("s", "U3")])
    return [
        *(
            np.arange(3.0),
            np.array([True]),
            np.array(["ab"]),
            np.array([1, None, [2]], dtype=object),
        ),
        *(
            table,
            np.array(["2020"], "M8[D]"),
            np.float64(1.5),
            np.str_("t"),
            b"\xff",
            bytearray(b"a"),
        ),
        *({1, 2}, frozenset("a"), range(5), 1 + 2j, 2**90, deque([1], 2), defaultdict(list, a=[1])),
        *(OrderedDict(a=1), datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc)),
        *(datetime.timedelta(1), datetime.date(2020, 1, 2), slice(1, 2), None, [[[]]]),
    ]


class Fuzzer:
    """Loads pickles, and looks at what was loaded as its user would."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "trials.pkl"
        values = _values()
        trials = Trials()

        def objective(x: float) -> dict[str, Any]:
            return {"loss": x, "status": "ok", "v": values[len(trials) % len(values)]}

        fmin(objective, hp.uniform("x", 0, 1), rand.suggest, 3, trials=trials, verbose=False)
        things = [trials, trials.trials]
        results = ({"loss": 1.0, "status": "ok", "v": value} for value in values)
        things += [[dict(trials.trials[0], result=result)] for result in results]
        self._sound = [pickle.dumps(thing, p) for thing in things for p in range(6)]
        for sound in self._sound:  # what is imported on demand is imported now
            self._path.write_bytes(sound)
            self._looked_at()
        document = pickle.dumps(dict(trials.trials[0], result={"status": "ok", "loss": 1.0}), 4)
        self._around = document[2:].rstrip(b".")

    def __call__(self, rng: random.Random) -> str:
        """What became of one input."""
        kind = rng.random()
        if kind < 0.35:
            data = _mutated(rng, rng.choice(self._sound))
        elif kind < 0.6:
            data = _rearranged(rng, rng.choice(self._sound))
        else:
            program = b"".join(_step(rng) for _ in range(rng.choice((3, 8, 20, 60))))
            data = b"\x80\x04" + program + b"."
            if rng.random() < 0.6:  # within a document
                result = b"\x8c\x06result}\x8c\x01v" + program + b"ss"
                data = b"\x80\x04]" + self._around + result + b"a."
        self._path.write_bytes(data)
        loaded = oracle.read(self._looked_at)
        return "refused" if isinstance(loaded, SparktuneError) else "read"

    def _looked_at(self) -> Any:
        trials = load_trials(self._path)
        trials.losses(), trials.statuses(), trials.idxs_vals if len(trials) else None
        for result in trials.results:
            value = result.get("v")
            if isinstance(value, np.ndarray):
                value.tolist()
            repr(value)
        return trials


def _mutated(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, put in, or taken away."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(len(changed))
        action = rng.randrange(4)
        if action == 0:
            changed[place] = rng.randrange(256)
        elif action == 1:
            changed[place : place + rng.choice((1, 2, 8))] = b""
        elif action == 2:
            changed[place:place] = rng.choice(OPCODES) * rng.choice((1, 1, 2, 3000))
        else:
            changed[place : place + 1] = _step(rng)
        if not changed:
            return b"."
    return bytes(changed)


def _rearranged(rng: random.Random, data: bytes) -> bytes:
    """Whole opcodes exchanged, repeated or left out, so that most of the program stays sound."""
    places = [*(place for _, _, place in pickletools.genops(data)), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    for _ in range(rng.choice((1, 1, 2, 4))):
        i, j = rng.randrange(len(pieces)), rng.randrange(len(pieces))
        action = rng.randrange(5)
        if action == 0:
            pieces[i], pieces[j] = pieces[j], pieces[i]
        elif action == 1:
            pieces[i] *= rng.choice((2, 2, 2000))
        elif action == 2:
            pieces[i] = b""
        elif action == 3:
            pieces[i] = _step(rng)
        else:
            pieces[i] += _step(rng)
    return b"".join(pieces)


def _step(rng: random.Random) -> bytes:
    """One or a few opcodes that may follow."""
    kind = rng.randrange(10)
    if kind == 0:
        module, _, attribute = rng.choice(NAMES).rpartition(".")
        call = rng.choice(
            (b"", b")R", b")\x81", b"(" + _value(rng) + b"tR", b"(" + _value(rng) * 2 + b"tR")
        )
        return _text(module) + _text(attribute) + b"\x93" + call
    if kind < 4:
        return _value(rng)
    if kind == 4:
        return rng.choice((b"h", b"q")) + bytes([rng.randrange(8)])
    if kind == 5:
        return (
            b"("
            + b"".join(_value(rng) for _ in range(rng.randrange(6)))
            + rng.choice((b"t", b"l", b"e", b"u", b"d"))
        )
    if kind == 6:
        return rng.choice((b"r", b"j")) + struct.pack(
            "<I", rng.choice((0, 9, 2**31 - 1, 2**32 - 1))
        )
    return rng.choice(OPCODES)


def _value(rng: random.Random) -> bytes:
    kind = rng.randrange(8)
    if kind == 0:
        return b"K" + bytes([rng.randrange(256)])
    if kind == 1:
        return b"\x8a\x08" + struct.pack("<q", rng.choice((-1, 0, 10**6, 10**12, 2**62, -(2**63))))
    if kind == 2:
        return b"G" + struct.pack(">d", rng.choice((0.0, 1.5, float("inf"), float("nan"))))
    if kind == 3:
        return b"C" + bytes([8]) + rng.randbytes(8)
    if kind == 4:
        return rng.choice((b"N", b"\x88", b"\x89", b")", b"]", b"}", b"\x8f"))
    if kind == 5:
        return b"\x8b" + struct.pack("<i", n := rng.choice((1, 20, 4000))) + b"\x7f" * n
    return _text(rng.choice(TEXTS))


def _text(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()
