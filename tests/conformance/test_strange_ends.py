"""Objectives that end strangely: each is an error of its own trial, on every executor, and the run
goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from sparktune import SparkTrials, ThreadTrials, Trials, fmin, hp
from sparktune.trial import Status

cloudpickle = pytest.importorskip("pyspark.cloudpickle")
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers lack this module

LONG = 10_000_000


class Raises(Exception):
    """Its text cannot be made."""

    def __str__(self) -> str:
        raise TypeError("no text")

    __repr__ = __str__


class Exits(Exception):
    """Whoever asks for its text leaves."""

    def __str__(self) -> str:
        raise SystemExit(3)


class NoText(Exception):
    """Its text is none."""

    def __str__(self) -> str:
        return None  # type: ignore[return-value]


class Subtle(str):
    """Text that misbehaves."""

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("no items")


class OddText(Exception):
    """Its text misbehaves."""

    def __str__(self) -> str:
        return Subtle("odd text")


class NeedsTwo(Exception):
    """Cannot be unpickled."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


class Closed(Exception):
    """Has no attributes to be read."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("no attributes")


class Nameless(type):
    """Classes without a name."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no name")


class Anonymous(Exception, metaclass=Nameless):
    """Nobody knows what it is called."""


class Unrepresentable:
    """Nothing can be said of it."""

    def __repr__(self) -> str:
        raise ValueError("no repr")


class Unloadable:
    """Can be pickled, but not unpickled."""

    def __reduce__(self) -> Any:
        return int, ("not a number",)


class Refusing:
    """Cannot be pickled, and says so badly."""

    def __reduce__(self) -> Any:
        raise Raises


def raising(make: Callable[[], BaseException]) -> Callable[[], Any]:
    def end() -> Any:
        raise make()

    return end


def chained() -> Any:
    try:
        raise Raises
    except Raises as error:
        raise ValueError("the last") from error


def with_notes() -> Any:
    error = ValueError("noted")
    vars(error)["__notes__"] = [Unrepresentable(), 5]
    raise error


def nested(levels: int) -> dict[str, Any]:
    result: dict[str, Any] = {"loss": 0.0, "status": "ok"}
    inner = result
    for _ in range(levels):
        inner["in"] = inner = {}
    return result


ENDS: dict[str, tuple[Callable[[], Any], str]] = {
    "raises without a text": (raising(Raises), "Raises"),
    "raises, and leaves when asked": (raising(Exits), "Exits"),
    "raises with a text of None": (raising(NoText), "NoText"),
    "raises with an odd text": (raising(OddText), "OddText"),
    "raises a huge text": (raising(lambda: ValueError("x" * LONG)), "ValueError"),
    "raises huge arguments": (raising(lambda: KeyError([0] * 100_000)), "KeyError"),
    "raises what cannot be unpickled": (raising(lambda: NeedsTwo("a", "b")), "NeedsTwo"),
    "raises from what has no text": (chained, "ValueError"),
    "raises what shows no attributes": (raising(Closed), "Closed"),
    "raises with notes": (with_notes, "ValueError"),
    "leaves": (raising(lambda: SystemExit(0)), "SystemExit"),
    "leaves a generator": (raising(lambda: GeneratorExit()), "GeneratorExit"),
    "returns what has no repr": (Unrepresentable, "InvalidResult"),
    "returns a huge text": (lambda: "x" * LONG, "InvalidResult"),
    "returns a loss without a repr": (
        lambda: {"loss": Unrepresentable(), "status": "ok"},
        "InvalidLoss",
    ),
    "returns a status without a repr": (
        lambda: {"loss": 0, "status": Unrepresentable()},
        "InvalidResultStatus",
    ),
    "returns a generator": (lambda: (i for i in range(3)), "InvalidResult"),
}
NEAR_ENDS: dict[str, tuple[Callable[[], Any], str]] = {
    "raises what has no name": (raising(Anonymous), "Anonymous"),  # which nobody can pickle
}
FAR_ENDS: dict[str, tuple[Callable[[], Any], str]] = {
    "returns what cannot be pickled": (
        lambda: {"loss": 0, "status": "ok", "it": Refusing()},
        "UnpicklableResult",
    ),
    "returns what cannot be loaded": (
        lambda: {"loss": 0, "status": "ok", "it": Unloadable()},
        "UnreadableResult",
    ),
    "attaches what cannot be loaded": (
        lambda: {"loss": 0, "status": "ok", "attachments": {"it": Unloadable()}},
        "UnreadableResult",
    ),
    "returns what is too deep": (lambda: nested(10_000), "UnpicklableResult"),
}


@pytest.mark.parametrize("on", ["serial", "threads", "classic", "connect"])
def test_a_strange_end_is_an_error_of_its_trial(on: str, request: pytest.FixtureRequest) -> None:
    ends = dict(ENDS)
    if on in ("serial", "threads"):
        trials: Trials = Trials() if on == "serial" else ThreadTrials(2)
        ends |= NEAR_ENDS
    else:
        session = request.getfixturevalue({"classic": "spark"}.get(on, on))
        trials = SparkTrials(2, spark_session=session)
        ends |= FAR_ENDS
    ways = [lambda: 0.0, *(end for end, _ in ends.values())]
    fmin(
        lambda config: ways[config["way"]](),
        {"way": hp.choice("way", list(range(len(ways))))},
        max_evals=0,
        points_to_evaluate=[{"way": way} for way in range(len(ways))],
        trials=trials,
        catch_eval_exceptions=True,
        show_progressbar=False,
    )
    [first, *records] = trials.records.values()
    assert first.status is Status.OK
    for name, trial in zip(ends, records, strict=True):
        assert trial.status is Status.ERROR, name
        assert trial.failure is not None
        assert trial.failure.type == ends[name][1], name
        assert len(str(trial.failure)) + len(trial.failure.traceback) < 300_000, name
        assert trial.started is not None, name
        assert trial.finished is not None, name
