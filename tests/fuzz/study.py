"""Study files and changes by `--set`: of a grammar that is a little wrong, and then mutated."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparktune.cli.study import load
from sparktune.errors import SparktuneError
from sparktune.space.space import Space
from tests.fuzz import oracle

NAMES = ("x", "kind", "label", "uniform", "choice", "a b", "ä", '"', "\\", "=1", "", "0", "log")
PARAMETERS = (
    *("uniform", "loguniform", "normal", "lognormal", "quniform", "qnormal", "qloguniform"),
    *("uniformint", "randint", "choice", "pchoice", "unifrom", "qlognormal"),
)
NUMBERS = ("0", "1", "-1", "0.5", "1e308", "-1e308", "inf", "nan", "1e-320", "9" * 30, "9" * 5000)
TEXTS = ("", "log(1)", "log(-1)", "log()", "log(" + " " * 3000, "tpe", "\\u0000", "\\u001b[2J", "é")
PIECES = ("[", "]", "{", "}", "=", '"', "'", "\n", "#", ".", ",", "0", "\x00", "\udcff", "[[a]]\n")

OBJECTIVE = "def f(point):\n    return 0.5\n\n\nSPACE = 3\n"
SOUND = """objective = "o.py:f"
algorithm = "tpe"
executor = {kind = "threads", parallelism = 2}
budget = {max_evals = 3, timeout = 10.0, loss_threshold = 0.1}
seed = 1
[space]
x = {uniform = [0, 1]}
n = {choice = ["a", {label = "b", normal = [0, 1]}]}
"""


class Fuzzer:
    """Reads what `sparktune run` reads, up to the point where trials would begin."""

    def __init__(self, folder: Path) -> None:
        (folder / "o.py").write_text(OBJECTIVE, encoding="utf-8")
        self._path = folder / "s.toml"

    def __call__(self, rng: random.Random) -> str:
        """What became of one input."""
        text = _mutated(rng, SOUND if rng.random() < 0.5 else _study(rng))
        self._path.write_text(text, encoding="utf-8", errors="surrogateescape")
        changes = [_change(rng) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
        # The file of the objective is code, and is run.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about probabilities that are scaled
            answer = oracle.read(lambda: self._opened(changes), oracle.CODE)
        return "refused" if isinstance(answer, SparktuneError) else "read"

    def _opened(self, changes: list[str]) -> Any:
        study = load(str(self._path), changes)
        arguments = study.arguments()
        space: Space = arguments["space"]
        if study.executor.get("kind") != "spark":  # whose options Spark checks, at a price
            study.platform()
        return space


def _study(rng: random.Random) -> str:
    parts: dict[str, Callable[[], str]] = {
        "objective": lambda: _text(rng, ("o.py:f", "o.py:g", "o:f", "none:f", ":", "o.py", "..:f")),
        "algorithm": lambda: rng.choice(
            (_text(rng), _value(rng, 2), '{name = "tpe", gamma = 0.2}')
        ),
        "executor": lambda: rng.choice(('"serial"', '{kind = "threads"}', _value(rng, 2))),
        "budget": lambda: rng.choice(("{max_evals = 3}", f"{{timeout = {_value(rng, 1)}}}")),
        "seed": lambda: _value(rng, 1),
        "journal": lambda: _text(rng, ("j", ".", "nope://x", "/dev/null/x")),
        "spark": lambda: _value(rng, 2),
        "other": lambda: _value(rng, 2),
    }
    lines = [f"{key} = {make()}" for key, make in parts.items() if rng.random() < 0.4]
    lines.append(f"objective = {_text(rng, ('o.py:f',))}")
    space = [f"{_key(rng)} = {_parameter(rng, 3)}" for _ in range(rng.randrange(4))]
    return "\n".join([*dict.fromkeys(lines), "[space]", *space, ""])


def _parameter(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.1:
        return _value(rng, depth)
    name = rng.choice(PARAMETERS)
    if name == "choice":
        given = f"[{', '.join(_parameter(rng, depth - 1) for _ in range(rng.randrange(4)))}]"
    elif name == "pchoice":
        options = [f"[{rng.random():.2f}, {_parameter(rng, depth - 1)}]" for _ in range(2)]
        given = f"[{', '.join(options)}]"
    else:
        given = f"[{', '.join(_value(rng, 0) for _ in range(rng.choice((0, 1, 2, 2, 2, 3))))}]"
    more = f", {_key(rng)} = {_value(rng, 1)}" if rng.random() < 0.15 else ""
    return f"{{{name} = {given}{more}}}"


def _value(rng: random.Random, depth: int) -> str:
    kind = rng.randrange(9)
    if kind < 3 or depth == 0:
        return rng.choice(NUMBERS) if rng.random() < 0.3 else repr(rng.randrange(100) / 8)
    if kind < 5:
        return _text(rng)
    if kind == 5:
        return rng.choice(("true", "false", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z"))
    if kind == 6:
        return f"{{{_key(rng)} = {_value(rng, depth - 1)}}}"
    nested = rng.choice((1, 1, 1, 60, 900))
    inner = ", ".join(_value(rng, depth - 1) for _ in range(rng.randrange(3)))
    return "[" * nested + inner + "]" * nested


def _text(rng: random.Random, texts: tuple[str, ...] = TEXTS) -> str:
    return f'"{rng.choice(texts)}"'


def _key(rng: random.Random) -> str:
    name = rng.choice(NAMES)
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return name if name.isalpha() and name.isascii() else f'"{quoted}"'


def _change(rng: random.Random) -> str:
    key = rng.choice(
        ("seed", "budget.max_evals", "space.x", "executor.kind", "#a", "a b", "", "[a]")
    )
    value = rng.choice((_value(rng, 2), "1\nseed = 2", "[" * 4000, '"', "'''", rng.choice(TEXTS)))
    return rng.choice((f"{key}={value}", f"{key}{value}", f"{key} = {value} # c"))


def _mutated(rng: random.Random, text: str) -> str:
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 5))):
        place, length = rng.randrange(len(text) + 1), rng.choice((0, 1, 1, 4, 40))
        piece = rng.choice(PIECES) * rng.choice((1, 1, 1, 1, 300))
        text = text[:place] + piece + text[place + length :]
    return text
