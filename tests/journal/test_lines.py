"""Lines that are none of a journal: refused with their number, whatever is wrong in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sparktune import Trials, fmin, hp, rand
from sparktune.errors import InvalidArgument

HEADER: dict[str, Any] = {
    "sparktune": 1,
    "objective": "o",
    "seed": 1,
    "space": "",
    "columns": {"x": "u"},
    "created": 1.0,
    "options": {},
}
ASKED: dict[str, Any] = {"id": 0, "values": {"x": 0.5}, "asked": 1.0}
TOLD: dict[str, Any] = {
    "id": 0,
    "status": "ok",
    "loss": 1.0,
    "result": {"status": "ok", "loss": 1.0},
    "started": 1.0,
    "finished": 2.0,
}
RUN: dict[str, Any] = {"max_evals": 3, "end": 3}
DIGEST = "0" * 64


def lines(
    header: Any = HEADER, run: Any = RUN, asked: Any = ASKED, told: Any = TOLD, reason: Any = "end"
) -> list[str]:
    entries = [header, {"run": run}, {"asked": [asked]}, {"told": told}, {"stopped": reason}]
    return [json.dumps(entry, separators=(",", ":")) for entry in entries]


def write(path: Path, content: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in content))
    return path


def test_the_lines_are_a_journal(tmp_path: Path) -> None:
    trials = Trials.load(write(tmp_path / "study.jsonl", lines()))
    assert (trials.losses(), trials.stop_reason) == ([1.0], "end")


PARTS: dict[str, tuple[int, dict[str, Any]]] = {
    "header": (1, HEADER),
    "run": (2, RUN),
    "asked": (3, ASKED),
    "told": (4, TOLD),
    "reason": (5, {}),
}
"""The number of each line of `lines`, and what is sound there."""


def whole(part: str, *wrong: Any) -> list[tuple[int, str, Any]]:
    """Lines that are these."""
    return [(PARTS[part][0], part, each) for each in wrong]


def field(part: str, name: str, *wrong: Any) -> list[tuple[int, str, Any]]:
    """Lines with one field that is wrong."""
    number, sound = PARTS[part]
    return [(number, part, sound | {name: each}) for each in wrong]


NAN, INF = float("nan"), float("inf")
WRONG: list[tuple[int, str, Any]] = [
    *field("header", "seed", "x", -1, 1.5, True, None),
    *field("header", "sparktune", 0, True, 1.0, "1", None, []),
    *field("header", "created", "x", 1e300, -1, None, NAN),
    *field("header", "columns", 5, [], {"x": 1}),
    *field("header", "options", 5, {"x": 1}, {"x": [[1]]}),
    *field("header", "objective", 5, None),
    *field("header", "more", 1),
    *whole("header", {"sparktune": 1}),
    *whole("run", 5, None, [], {}, {"max_evals": 1}, RUN | {"more": 1}),
    *field("run", "end", "x", NAN, -1, 1.5, True, 10**30),
    *whole("asked", 5, None, [], {}, {"id": 0}, ASKED | {"more": 1}),
    *field("asked", "id", None, True, -1, 0.0, "", [], 10**30, "y" * 999),
    *field("asked", "values", [1], 5, {"x": "a"}, {"x": [1]}),
    *field("asked", "values", {"x": None}, {"x": True}, {"x": NAN}, {"x": 10**400}),
    *field("asked", "asked", "x", [], INF, -1, 1e12),
    *field("asked", "budget", None, 0, -1, "x", NAN),
    *whole("told", 5, None, "id", [], {}, {"id": 0}, TOLD | {"more": 1}),
    *field("told", "id", 1, True, "0", None, [], {}),
    *field("told", "status", "running", "x", 1, None, [], {}),
    *field("told", "loss", "x", None, True, [], {}, 10**400),
    *field("told", "loss", {"$float": "nan"}, {"$float": "x"}, {"$float": "9" * 400}),
    *field("told", "loss", {"$float": 9}, {"$float": None}),
    *field("told", "result", 5.5, "ok", [], [1], True),
    *field("told", "result", {"status": "x"}, {"status": 1}, {"status": None}),
    *field("told", "result", {"status": []}, {"status": {}}),
    *field("told", "result", {"loss": "x"}, {"loss": None}, {"loss": []}),
    *field("told", "result", {"loss": True}, {"loss": NAN}),
    *field("told", "failure", 5, "x", [], ["a", "b"], [1, [2], 3]),
    *field("told", "attachments", 5, "x", [1], {"$items": [[1, 2]]}),
    *field("told", "started", "x", [], NAN, 1e300),
    *field("told", "finished", "x", [], NAN, -5),
    *field("told", "log", 5, None, []),
    *field(
        "told",
        "result",
        *(
            {"it": it}
            for it in (
                *({"$tuple": 1}, {"$tuple": [], "a": 1}, {"$more": 1}, {"$items": 1}),
                *({"$items": [1]}, {"$items": [[1]]}, {"$items": [[[], 1]]}, {"$items": [[{}, 1]]}),
                *({"$blob": DIGEST}, {"$blob": 1, "kind": "x"}, {"$blob": DIGEST, "kind": 1}),
                *({"$blob": "../outside", "kind": "x"}, {"$blob": DIGEST + "\n", "kind": "x"}),
                *({"$blob": "A" * 64, "kind": "x"}, {"$blob": DIGEST, "kind": "x", "a": 1}),
            )
        ),
    ),
    *whole("reason", None, 1, [1], {}),
]


@pytest.mark.parametrize(("number", "part", "wrong"), WRONG)
def test_a_wrong_field_is_refused_with_its_line(
    number: int, part: str, wrong: Any, tmp_path: Path
) -> None:
    path = write(tmp_path / "study.jsonl", lines(**{part: wrong}))
    before = path.read_bytes()
    with pytest.raises(InvalidArgument, match=f"line {number} is invalid") as raised:
        Trials.load(path)
    assert len(str(raised.value)) < 1000
    options: dict[str, Any] = {"max_evals": 3, "journal": path, "verbose": False}
    with pytest.raises(InvalidArgument, match=f"line {number} is invalid"):
        fmin(lambda point: point["x"], {"x": hp.uniform("x", 0, 1)}, rand.suggest, **options)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "line",
    [
        *('"abc"', "5", "null", "[]", "{}", "", " ", "{", "nan", "\ufeff{}", '{"more":1}'),
        *('{"asked":5}', '{"asked":{}}', '{"asked":[],"more":1}', '{"asked":[],"enqueued":5}'),
        *('{"told":5}', '{"told":null}', '{"stopped":"x","more":1}', '{"enqueued":[]}'),
        *('{"asked":[],"enqueued":[{"id":0,"values":{}}]}', '{"told":{"id":0,"status":"fail"}}'),
        *('{"asked":[{"id":0,"values":{}}]}', json.dumps(HEADER), '{"told":{"id":7}}'),
        '{"told":{"id":0,"status":"ok","loss":1.0,"result":{"a":' + "[" * 5000 + "]" * 5000 + "}}}",
        '{"told":{"id":0,"status":"ok","loss":1.0,"result":{"a":' + '{"$tuple":[' * 900,
        '{"stopped":' + "9" * 5000 + "}",
        '{"told":{"id":"' + "y" * 100_000 + '"}}',
    ],
    ids=lambda line: line[:40] or "blank",
)
@pytest.mark.parametrize("last", [True, False])
def test_a_wrong_line_is_refused_even_at_the_end(line: str, last: bool, tmp_path: Path) -> None:
    before = lines()[:4]
    path = write(tmp_path / "study.jsonl", [*before, line, *([] if last else ['{"stopped":"x"}'])])
    with pytest.raises(InvalidArgument, match="line 5 is invalid") as raised:
        Trials.load(path)
    assert len(str(raised.value)) < 1000


def test_what_a_result_lacks_its_line_says(tmp_path: Path) -> None:
    for result in ({}, {"loss": 1.0}, {"status": "ok"}):
        path = write(tmp_path / "study.jsonl", lines(told=TOLD | {"result": result}))
        assert Trials.load(path).results == [{"loss": 1.0, "status": "ok"}]


def test_a_torn_line_takes_back_what_it_would_have_said(tmp_path: Path) -> None:
    path = write(tmp_path / "study.jsonl", lines())
    content = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(content) if byte == 10]
    for size in range(len(content)):
        path.write_bytes(content[:size])
        if size < ends[0]:
            with pytest.raises(InvalidArgument, match="there is no journal"):
                Trials.load(path)
        else:
            assert len(Trials.load(path).records) == (size >= ends[2])
