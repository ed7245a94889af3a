"""`scope`: the functions that nodes can call, including those that users define."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sparktune.space.nodes import (
    IMPLEMENTATIONS,
    LENGTHS,
    PARAMETER,
    Apply,
    Literal,
    MissingArgument,
    as_apply,
    call_of,
)

__all__ = ["PARAMETER", "Apply", "Literal", "MissingArgument", "Scope", "as_apply", "scope"]

F = TypeVar("F", bound=Callable[..., Any])


class Scope:
    """The functions that nodes can call. `scope.f(...)` creates a node that calls f, and
    `scope.define` adds a function.

    Example:
        >>> from sparktune import scope
        >>> from sparktune.space.evaluation import rec_eval
        >>> @scope.define
        ... def halve(x):
        ...     return x / 2
        >>> rec_eval(scope.halve(3))
        1.5
        >>> scope.undefine(halve)
    """

    _impls = IMPLEMENTATIONS

    def apply(self, name: str, *args: Any, **kwargs: Any) -> Apply:
        """A node that calls the function `name` with these arguments."""
        return call_of(name, *args, **kwargs)

    def __getattr__(self, name: str) -> Callable[..., Apply]:
        if name.startswith("_") or name not in IMPLEMENTATIONS:
            raise AttributeError(
                f"scope has no function {name!r}; add it with @scope.define. "
                f"Known: {', '.join(sorted(IMPLEMENTATIONS))}"
            )
        return functools.partial(self.apply, name)

    def one_of(self, *options: Any) -> Apply:
        """One of the options, with equal probabilities: a choice without a label, for expressions
        that are drawn with `sample` and not searched.
        """
        return self.apply("switch", self.apply("randint", len(options)), *options)

    def choice(self, options: Iterable[Any]) -> Apply:
        """`one_of` with a list of options."""
        return self.one_of(*options)

    def define(self, function: F, o_len: int | None = None) -> F:
        """Add `function` as `scope.<its name>`; can be used as a decorator.

        Raises:
            ValueError: the name is already in use.
        """
        name = function.__name__
        if name in IMPLEMENTATIONS or hasattr(type(self), name):
            raise ValueError("Cannot override existing symbol", name)
        IMPLEMENTATIONS[name] = function
        LENGTHS[name] = o_len
        return function

    def define_pure(self, function: F) -> F:
        """The same as `define`. In Hyperopt it declares a function without side effects."""
        return self.define(function)

    def define_info(self, o_len: int | None = None, pure: bool = False) -> Callable[[F], F]:
        """`define` with the length of the function's result, so that its node can be unpacked.
        `pure` has no effect.
        """
        return lambda function: self.define(function, o_len)

    def define_if_new(self, function: F) -> F:
        """`define`, unless the name is already in use."""
        return function if function.__name__ in IMPLEMENTATIONS else self.define(function)

    def undefine(self, function: Callable[..., Any] | str) -> None:
        """Remove a function, given as the function or by its name."""
        name = function if isinstance(function, str) else function.__name__
        del IMPLEMENTATIONS[name], LENGTHS[name]

    def implementation(self, name: str) -> Callable[..., Any]:
        """The function with the name of a node."""
        return IMPLEMENTATIONS[name]


scope = Scope()
