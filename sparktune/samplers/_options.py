"""Options of samplers, which are fields of dataclasses: checked, and replaced by others."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from sparktune.errors import InvalidArgument

S = TypeVar("S")


def with_options(sampler: S, /, **options: Any) -> S:
    """The sampler with other options: `tpe.suggest(gamma=0.3)`, and what a `functools.partial` of
    a sampler makes when it is called. `verbose` is accepted for Hyperopt's sake and changes
    nothing.

    Raises:
        InvalidArgument: the sampler has no such option, or it cannot have this value.
    """
    options.pop("verbose", None)
    known = [each.name for each in fields(sampler) if each.init] if is_dataclass(sampler) else []
    if unknown := [name for name in options if name not in known]:
        raise InvalidArgument(
            f"{name_of(sampler)} has no option {', '.join(map(repr, unknown))}; "
            + (f"it has {', '.join(map(repr, known))}" if known else "it has no options")
        )
    return cast(S, replace(cast(Any, sampler), **options)) if options else sampler


def require(sampler: Any, option: str, holds: bool, wanted: str) -> None:
    """Refuse the value of an option.

    Args:
        holds: whether the sampler can have the value that it has.
        wanted: what values are possible, for people.

    Raises:
        InvalidArgument: the sampler cannot have it.
    """
    if not holds:
        raise InvalidArgument(
            f"{name_of(sampler)}: {option} must be {wanted}, got {getattr(sampler, option)!r}"
        )


def name_of(sampler: Any) -> str:
    """What users call a sampler: "tpe.suggest" for one of ours, else the name of its class."""
    room, _, module = type(sampler).__module__.rpartition(".")
    return f"{module}.suggest" if room == "sparktune.samplers" else type(sampler).__name__
