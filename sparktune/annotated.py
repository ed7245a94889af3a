"""Objectives whose arguments are annotated with their search space."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from sparktune import worker
from sparktune.errors import InvalidAnnotatedParameter
from sparktune.space.nodes import Apply


def is_annotated(space: Any) -> bool:
    """Whether `space` is "annotated", the search space in the annotations of the objective."""
    return isinstance(space, str) and space == "annotated"


def annotated(fn: Callable[..., Any]) -> tuple[Callable[[Any], Any], dict[str, Apply]]:
    """(objective of one dict, search space) from a function whose arguments are annotated with hp.*
    parameters.

    Raises:
        InvalidAnnotatedParameter: no argument is annotated, or an annotation cannot be evaluated or
            is not a parameter.
    """
    try:
        annotations = inspect.get_annotations(fn, eval_str=True)
    except NameError as error:
        raise InvalidAnnotatedParameter(
            f'space="annotated": the annotations of {fn.__name__} cannot be evaluated: {error}'
        ) from error
    space = {name: node for name, node in annotations.items() if name != "return"}
    if not space:
        raise InvalidAnnotatedParameter(
            f'space="annotated": no argument of {fn.__name__} is annotated; annotate each with a '
            "parameter, as in x: hp.uniform('x', 0, 1)"
        )
    for name, node in space.items():
        if not isinstance(node, Apply):
            raise InvalidAnnotatedParameter(
                f'space="annotated": argument {name!r} of {fn.__name__} is annotated with '
                f"{node!r}; annotate it with a parameter, as in "
                f"{name}: hp.uniform({name!r}, 0, 1)"
            )
    return by_keyword(fn), space


def by_keyword(fn: Callable[..., Any]) -> Callable[[Any], Any]:
    """A function of one dict that calls `fn` with the items as keyword arguments, named as `fn`."""
    objective: Any = functools.partial(worker.with_keywords, fn)
    objective.__name__ = getattr(fn, "__name__", type(fn).__name__)
    return objective  # type: ignore[no-any-return]
