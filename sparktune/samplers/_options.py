"""Options of samplers, which are fields of dataclasses: their checks, and other values for them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from sparktune.errors import InvalidArgument

S = TypeVar("S")


def with_options(sampler: S, /, **options: Any) -> S:
    """The sampler with other options, as in `tpe.suggest(gamma=0.3)`. A `functools.partial` of a
    sampler calls this, too. `verbose` is accepted as in Hyperopt, and changes nothing.

    Raises:
        InvalidArgument: the sampler has no such option, or the value is invalid.
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
    """Check the value of an option.

    Args:
        sampler: the sampler.
        option: the name of the option.
        holds: whether its value is valid.
        wanted: the description of valid values.

    Raises:
        InvalidArgument: the value is invalid.
    """
    if not holds:
        raise InvalidArgument(
            f"{name_of(sampler)}: {option} must be {wanted}, got {getattr(sampler, option)!r}"
        )


def name_of(sampler: Any) -> str:
    """The name of a sampler for users: "tpe.suggest" for one of this package, else the name of its
    class.
    """
    room, _, module = type(sampler).__module__.rpartition(".")
    return f"{module}.suggest" if room == "sparktune.samplers" else type(sampler).__name__
