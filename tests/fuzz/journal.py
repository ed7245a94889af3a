"""Journals that were changed by chance, runs that go on from them, and results of every kind."""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sparktune import Trials, fmin, hp, rand
from sparktune.cli.main import main
from sparktune.errors import InvalidArgument, SparktuneError
from sparktune.events import Asked, Begun, Stopped, Told, apply
from sparktune.journal.journal import Journal, read
from sparktune.journal.reading import Reader
from sparktune.trial import Header, Outcome, Status, Trial
from tests.fuzz import oracle
from tests.fuzz.results import equal, result

SPACE = {
    "x": hp.uniform("x", -5, 5),
    "kind": hp.choice("kind", ["a", {"y": hp.normal("y", 0, 1), "n": hp.randint("$float", 3)}]),
}
POINTS = [{"x": 1.0, "kind": 1, "y": 0.5, "$float": 2}, {"x": 2.0, "kind": 0}]
TRIALS = 6


def objective(point: dict[str, Any]) -> dict[Any, Any]:
    x = point["x"]
    if x < -3:
        raise ValueError(f"{x} is small")
    status = "fail" if x < -2 else "ok"
    attached = {"weights": b"\x00" * 9, 0: [1]}
    kept = {"loss": x, "status": status, "pair": (1, float("nan")), "model": {1: {2}, "$k": None}}
    return kept | {"attachments": attached}


def search(path: Path, n: int, **options: Any) -> Trials:
    trials = Trials()
    options = {"catch_eval_exceptions": True, "verbose": False, "return_argmin": False} | options
    with contextlib.suppress(KeyboardInterrupt):
        fmin(
            options.pop("fn", objective),
            SPACE,
            rand.suggest,
            n,
            journal=path,
            trials=trials,
            **options,
        )
    return trials


class Fuzzer:
    """Called with a `random.Random` for each input.

    Args:
        folder: an empty folder for files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._study = folder / "study.jsonl"
        self._blobs = folder / "study.jsonl.blobs"
        self._bases = [self._base(n) for n in range(3)]
        shutil.copytree(folder / "base0.jsonl.blobs", self._blobs)
        for _ in range(2):  # whatever is imported on demand is code, but not of the inputs
            self._study.write_bytes(self._bases[0])
            self._show()
            search(self._study, TRIALS + 2)

    def _base(self, n: int) -> bytes:
        path = self._folder / f"base{n}.jsonl"
        calls: list[int] = []

        def interrupted(point: dict[str, Any]) -> Any:
            calls.append(0)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return objective(point)

        if n == 1:
            search(path, TRIALS, fn=interrupted, seed=3, points_to_evaluate=POINTS)
        search(path, TRIALS, seed=n if n != 1 else None, points_to_evaluate=POINTS)
        if n == 2:
            Trials.load(path).save(path)
        return path.read_bytes()

    def __call__(self, rng: random.Random) -> str:
        """Read an input; a word for what became of it."""
        kind = rng.random()
        if kind < 0.15:
            return self._generated(rng)
        base = rng.choice(self._bases)
        changed = base
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            changed = rng.choice(MUTATIONS)(rng, changed)
        self._study.write_bytes(changed)
        return self._resumed(base, changed) if kind < 0.4 else self._read(base, changed)

    def _read(self, base: bytes, changed: bytes) -> str:
        trials = oracle.read(lambda: Trials.load(self._study))
        oracle.holds(self._study.read_bytes() == changed, "reading changed the journal")
        if isinstance(trials, SparktuneError):
            oracle.holds(isinstance(trials, InvalidArgument), f"{type(trials).__name__}")
            return "refused"
        _check_earlier(base, changed, trials)
        oracle.read(self._show)
        oracle.read(trials._repr_html_)
        oracle.read(lambda: (trials.losses(), trials.statuses(), trials.trials, trials.argmin))
        again = self._folder / "again.jsonl"
        oracle.read(lambda: trials.save(again))
        kept = oracle.read(lambda: Trials.load(again))
        oracle.holds([*kept.records] == [*trials.records], "saved trials differ")
        for id, trial in trials.records.items():
            found = kept.records[id]
            oracle.holds(equal(found.result, trial.result), f"the result of trial {id} differs")
            oracle.holds(_rest(found) == _rest(trial), f"trial {id} differs")
        return "read"

    def _show(self) -> None:
        for command in (["show"], ["best"], ["export", "--json"], ["export", "--csv"]):
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()) as said,
            ):
                code = main([*command, str(self._study)])
            oracle.holds(code in (0, 1, 2), f"{command} ended with {code}: {said.getvalue()}")

    def _resumed(self, base: bytes, changed: bytes) -> str:
        trials = oracle.read(lambda: search(self._study, TRIALS + 2), ["compile"])  # by tracebacks
        after = self._study.read_bytes() if self._study.exists() else b""
        if isinstance(trials, SparktuneError):
            oracle.holds(after == changed, "a refused run changed the journal")
            return "refused to go on"
        oracle.holds(after.startswith(_whole(changed)), "a run changed earlier lines")
        _check_earlier(base, changed, trials)
        pending = [trial.id for trial in trials.records.values() if trial.status.pending]
        oracle.holds(not pending, f"trials {pending} did not end")
        kept = oracle.read(lambda: Trials.load(self._study))
        oracle.holds(not isinstance(kept, SparktuneError), f"what was written is refused: {kept}")
        short = [(t.id, t.status, t.values, repr(t.loss)) for t in trials.records.values()]
        found = [(t.id, t.status, t.values, repr(t.loss)) for t in kept.records.values()]
        oracle.holds(found == short, "the journal tells of other trials than the run")
        return "went on"

    def _generated(self, rng: random.Random) -> str:
        self._study.unlink(missing_ok=True)
        running = Trial(0, {"x": 0.5}, Status.RUNNING, asked=1.0)
        given = result(rng) | {"loss": 0.5, "status": "ok"}
        end = Outcome(0, Status.OK, 0.5, given, attachments=result(rng), finished=2.0)
        book = Journal(self._study)

        def write() -> None:
            book([Begun(Header("o", 1, "", {}, 0.0)), Asked(running)])
            book([Told(running.told(end), end), Stopped("all trials done")])

        try:
            oracle.holds(oracle.read(write, oracle.CODE) is None, "it cannot be written")
        finally:
            book.close()
        events = oracle.read(lambda: read(self._study))
        oracle.holds(not isinstance(events, SparktuneError), f"it cannot be read: {events}")
        told = events[2].trial
        oracle.holds(told.result["loss"] == 0.5, "the loss")
        oracle.holds(told.result["status"] == "ok", "the status")
        oracle.holds(equal(told.result, given), "it came back as something else")
        return "written"


def _whole(content: bytes) -> bytes:
    """The lines that were not cut off."""
    return content[: content.rfind(b"\n") + 1]


def _check_earlier(base: bytes, changed: bytes, trials: Trials) -> None:
    """Trials that ended before the first line that was changed are as they were."""
    reader = Reader("")
    for old, new in zip(base.splitlines(True), changed.splitlines(True), strict=False):
        if old != new:
            break
        reader.take(new)
    records: dict[Any, Trial] = {}
    for event in reader.events:
        apply(records, event)
    for trial in records.values():
        if not trial.status.pending:
            found = trials.records.get(trial.id)
            oracle.holds(found, f"trial {trial.id} is lost")
            oracle.holds(_told(found) == _told(trial), f"trial {trial.id} was changed")


def _rest(trial: Trial) -> str:
    return repr(replace(trial, result=None))


def _told(trial: Trial | None) -> Any:
    assert trial is not None
    return trial.status, trial.values, repr(trial.loss), repr(trial.result), trial.failure


# Changes


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _flip(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 3, 20])):
        if changed:
            changed[rng.randrange(len(changed))] = rng.choice([rng.randrange(256), *b'"{}[]:,0\n'])
    return bytes(changed)


def _insert(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    piece = rng.choice(
        [
            b"\n",
            b"\r\n",
            b"\x00",
            b"\xff",
            b"{",
            b"]",
            b" ",
            b"\xef\xbb\xbf",
            b"9" * 5000,
            b"[" * 5000,
        ]
    )
    return content[:at] + piece + content[at:]


def _remove(rng: random.Random, content: bytes) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + content[at + rng.choice([1, 2, 10, 300]) :]


def _lines(rng: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(True) or [b"\n"]
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            lines.insert(j, lines[i])
        case 1:
            lines[i], lines[j] = lines[j], lines[i]
        case 2:
            del lines[i]
        case 3:
            lines.insert(i, rng.choice([b"\n", b"{}\n", b"[]\n", b"null\n", b"5\n"]))
        case 4:
            lines += lines[rng.choice([0, i]) :]
        case _:
            lines[i] = lines[i].rstrip(b"\n")
    return b"".join(lines)


def _node(rng: random.Random, content: bytes) -> bytes:
    """One value of one line replaced, removed, renamed, or another put beside it."""
    lines = content.splitlines(True) or [b"{}\n"]
    i = rng.randrange(len(lines))
    try:
        entry = json.loads(lines[i])
    except (ValueError, RecursionError):
        return content
    places = [*_places(entry)]
    if not places:
        return content
    around, key = rng.choice(places)
    match rng.randrange(5):
        case 0:
            del around[key]
        case 1 if isinstance(around, dict):
            around[rng.choice([*NAMES, key + "x"])] = around.pop(key)
        case 2 if isinstance(around, dict):
            around[rng.choice(NAMES)] = odd(rng)
        case _:
            around[key] = odd(rng)
    lines[i] = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
    return b"".join(lines)


def _places(entry: Any) -> Any:
    if not isinstance(entry, (dict, list)):
        return
    items = entry.items() if isinstance(entry, dict) else enumerate(entry)
    for key, value in [*items]:
        yield entry, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


NAMES = (
    *("id", "values", "status", "loss", "result", "attachments", "failure", "started", "finished"),
    *("log", "asked", "enqueued", "told", "run", "stopped", "sparktune", "seed", "columns", "x"),
    *("options", "budget", "end", "max_evals", "$float", "$tuple", "$blob", "$items", "kind", ""),
)
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 3, 1.5, -0.0, 1e300, 1e308, 10**18, 10**30, -(10**400)),
    *(float("nan"), float("inf"), "", "x", "ok", "fail", "running", "error", "\x1b[2J", "\ud800"),
    *([], {}, [1], {"x": 1}, [[]], "0" * 64, "../../etc/passwd", "x" * 10_000),
    *({"$float": "nan"}, {"$float": "9" * 400}, {"$float": 1}, {"$tuple": [1]}, {"$tuple": {}}),
    *({"$blob": "0" * 64, "kind": "x"}, {"$blob": "", "kind": "x"}, {"$blob": "../x", "kind": "x"}),
    *(
        {"$blob": 1, "kind": 2},
        {"$items": [[1, 2]]},
        {"$items": [[[], 2]]},
        {"$items": 5},
        {"$": 1},
    ),
)


def odd(rng: random.Random) -> Any:
    """A value that stands where another should."""
    value = json.loads(json.dumps(rng.choice(ODD)))
    match rng.randrange(8):
        case 0:
            return [value] * rng.choice([1, 3])
        case 1:
            return {rng.choice(NAMES): value}
        case 2:
            for _ in range(rng.choice([5, 300])):
                value = [value]
    return value


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(_cut, _flip, _insert, _remove, _lines, _lines),
    *(_node, _node, _node, _node),
)
