"""The section with the space, code that builds the best configuration, and versions."""

from __future__ import annotations

import platform
from contextlib import suppress
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sparktune.reporting import markup
from sparktune.reporting.content import Content
from sparktune.results.finished import parameters

_PACKAGES = ("sparktune", "pyspark", "pyspark-client", "scikit-learn")


def reproduce(content: Content) -> str:
    """The space, code that builds the best configuration, the seed, the algorithm and versions."""
    header = content.study.header
    if header is None and content.best is None:
        return ""
    rows = [[k, v] for k, v in (header.columns if header else {}).items()]
    parts = [markup.table(["parameter", "prior"], rows)] if rows else []
    if content.best is not None:
        options = parameters(content.study, content.best)
        code = [
            "from sparktune import space_eval",
            "",
            f"best = {dict(content.best.values)!r}",
            *(f"# {label!r} is {value!r}" for label, value in _named(content, options)),
            "config = space_eval(space, best)  # what the objective received",
        ]
        parts.append(markup.block("\n".join(code)))
    facts = _algorithm(content)
    if header is not None:
        facts = [["seed", str(header.seed)], ["space", header.space or "unknown"], *facts]
    parts.append(markup.pairs(facts) if facts else "")
    parts.append(f"<p>{_MADE}</p>{markup.pairs(_versions())}")
    return markup.section("reproduce", "Rebuild the best", "", "".join(parts))


_MADE = "Versions where this page was made; journals do not record those of their runs:"


def _named(content: Content, options: dict[str, Any]) -> list[tuple[str, Any]]:
    """The choices: their labels and chosen options. Their values are indices of options."""
    values = content.best.values if content.best else {}
    return [(label, value) for label, value in options.items() if value is not values[label]]


def _algorithm(content: Content) -> list[list[str]]:
    """The sampler and the scheduler of a `Study`. A journal does not name them, so those of a
    loaded study are the arguments of `load`.
    """
    found = {name: getattr(content.study, name, None) for name in ("sampler", "scheduler")}
    whose = "of the Study when this page was made; journals do not name it"
    return [[k, f"{_options(each)}, {whose}"] for k, each in found.items() if each is not None]


def _options(value: Any) -> str:
    """The type of a sampler or scheduler, with its options that are plain values. The text of
    other options could differ from process to process.
    """
    named = fields(value) if is_dataclass(value) else ()
    plain = {each.name: getattr(value, each.name) for each in named}
    shown = [f"{k}={v!r}" for k, v in plain.items() if isinstance(v, (bool, int, float, str))]
    return f"{type(value).__name__}({', '.join(shown)})"


def _versions() -> list[list[str]]:
    """The versions of Python and of installed packages, which are not imported."""
    found = [["Python", platform.python_version()]]
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found.append([name, version(name)])
    return found
