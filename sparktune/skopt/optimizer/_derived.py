"""Minimizers that differ from `base_minimize` in a few arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from sparktune.skopt.optimizer.base import base_minimize

_BASE = inspect.signature(base_minimize).parameters


def derived(
    order: str, **defaults: Any
) -> Callable[[Callable[..., Mapping[str, Any]]], Callable[..., Any]]:
    """Return a decorator that makes a minimizer out of a function. The function converts its own
    arguments to arguments of `base_minimize`; all other arguments are passed on unchanged.

    Args:
        order: the names of the minimizer's arguments, in order; `on` and `journal` follow.
        defaults: default values that differ from those of `base_minimize`.
    """
    names = [*order.split(), "on", "journal"]

    def decorator(own: Callable[..., Mapping[str, Any]]) -> Callable[..., Any]:
        mine = inspect.signature(own).parameters
        known = defaults | {name: p.default for name, p in mine.items() if p.default is not p.empty}
        every = {**mine, **_BASE}
        listed = [
            every[name].replace(default=known.get(name, every[name].default)) for name in names
        ]
        signature = inspect.Signature(listed, return_annotation=Any)

        def minimize(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            converted = own(**{name: given[name] for name in mine})
            passed = {name: given[name] for name in names if name in _BASE}
            return base_minimize(**{**passed, **converted})

        minimize.__name__ = minimize.__qualname__ = own.__name__
        minimize.__doc__, minimize.__module__ = own.__doc__, own.__module__
        minimize.__signature__ = signature  # type: ignore[attr-defined]
        return minimize

    return decorator
