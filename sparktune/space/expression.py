"""Expressions: the nodes a search space is written with, and `scope` to make them.

A space is any nesting of dicts, lists, tuples and plain values around nodes. A node (`Apply`) names
a function of `scope` and holds argument nodes; a plain value is a `Literal`. Nothing is computed
until `rec_eval` (evaluation).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from sparktune.errors import BadSearchSpace
from sparktune.space.draws import DRAWS, rng_from_seed
from sparktune.space.functions import FUNCTIONS

F = TypeVar("F", bound=Callable[..., Any])


class MissingArgument:
    """Stands in `Apply.arg` for an argument that was not given."""


PARAMETER = "hyperopt_param"  # the name of the nodes that stand for a labelled parameter


def _forward(name: str) -> Callable[..., Any]:
    return lambda self, *others: scope.apply(name, self, *others)


def _reflected(name: str) -> Callable[..., Any]:
    return lambda self, other: scope.apply(name, other, self)


class Apply:
    """A call of the scope function `name` on argument nodes, not yet evaluated.

    `o_len` is the length of the result where it is known, so that a node can be unpacked like a
    tuple. `place` says where in the user's code the node was made (only parameters carry it, for
    error messages).
    """

    __slots__ = ("name", "named_args", "o_len", "place", "pos_args")

    def __init__(
        self,
        name: str,
        pos_args: Iterable[Apply],
        named_args: Iterable[tuple[str, Apply]] = (),
        o_len: int | None = None,
        place: str = "",
    ) -> None:
        self.name = name
        self.pos_args = list(pos_args)
        self.named_args = list(named_args)
        self.o_len = o_len
        self.place = place

    def inputs(self) -> list[Apply]:
        """All argument nodes, positional ones first."""
        return self.pos_args + [node for _, node in self.named_args]

    @property
    def arg(self) -> dict[str, Any]:
        """The argument nodes by the names that the function gives them; `MissingArgument` where
        a default is left, a list of nodes for `*args`.
        """
        signature = inspect.signature(scope.implementation(self.name))
        given = signature.bind_partial(*self.pos_args, **dict(self.named_args)).arguments
        return {name: given.get(name, MissingArgument) for name in signature.parameters}

    def replace_input(self, old: Apply, new: Apply) -> list[int]:
        """Put another node in place of an argument; returns the positions in `inputs()`."""
        places = [i for i, node in enumerate(self.inputs()) if node is old]
        self.pos_args = [new if node is old else node for node in self.pos_args]
        self.named_args = [(k, new if node is old else node) for k, node in self.named_args]
        return places

    def set_kwarg(self, name: str, value: Apply) -> None:
        """Give, or replace, an argument by name."""
        self.named_args = [pair for pair in self.named_args if pair[0] != name] + [(name, value)]

    def eval(self, memo: Mapping[Apply, Any] | None = None) -> Any:
        """The value of this expression; `memo` as in `rec_eval`."""
        from sparktune.space.evaluation import rec_eval

        return rec_eval(self, memo)

    def __repr__(self) -> str:
        arguments = [repr(node) for node in self.pos_args]
        arguments += [f"{key}={node!r}" for key, node in self.named_args]
        return f"{self.name}({', '.join(arguments)})"

    def __len__(self) -> int:
        if self.o_len is None:
            raise TypeError(f"the length of {self.name}(...) is not known before it is evaluated")
        return self.o_len

    def __bool__(self) -> bool:
        raise TypeError(
            "a search-space node has no truth value while the space is being built; "
            "use scope.switch(...) or hp.choice(...) to branch on it"
        )

    def __iter__(self) -> Iterator[Apply]:
        return iter([self[i] for i in range(len(self))])

    def __getitem__(self, key: Any) -> Apply:
        return scope.getitem(self, key)

    def __call__(self, *args: Any, **kwargs: Any) -> Apply:
        return scope.call(self, args, kwargs)

    __add__, __radd__ = _forward("add"), _reflected("add")
    __sub__, __rsub__ = _forward("sub"), _reflected("sub")
    __mul__, __rmul__ = _forward("mul"), _reflected("mul")
    __truediv__, __rtruediv__ = _forward("truediv"), _reflected("truediv")
    __floordiv__, __rfloordiv__ = _forward("floordiv"), _reflected("floordiv")
    __mod__, __rmod__ = _forward("mod"), _reflected("mod")
    __pow__, __rpow__ = _forward("pow"), _reflected("pow")
    __neg__, __abs__ = _forward("neg"), _forward("abs")
    __lt__, __le__ = _forward("lt"), _forward("le")
    __gt__, __ge__ = _forward("gt"), _forward("ge")


class Literal(Apply):
    """A plain value inside a space; evaluates to that very object."""

    __slots__ = ("obj",)

    def __init__(self, obj: Any = None) -> None:
        super().__init__("literal", (), o_len=_length(obj))
        self.obj = obj

    def __repr__(self) -> str:
        return f"Literal({self.obj!r})"


def _length(obj: Any) -> int | None:
    return len(obj) if isinstance(obj, (tuple, list, dict)) else None


def as_apply(obj: Any) -> Apply:
    """The node for `obj`: itself, a node for a nested container, or a `Literal`.

    Lists and tuples become `pos_args` nodes and evaluate to tuples, namedtuples to what they are;
    dicts become `dict` nodes with sorted keys.

    Raises:
        TypeError: a dict whose keys cannot be sorted.
        BadSearchSpace: a node of hyperopt's.
    """
    if isinstance(obj, Apply):
        return obj
    if isinstance(obj, tuple) and hasattr(obj, "_fields"):
        items = [as_apply(item) for item in obj]
        return Apply("namedtuple", [Literal(type(obj)), *items], o_len=len(obj))
    if isinstance(obj, (tuple, list)):
        return Apply("pos_args", [as_apply(item) for item in obj], o_len=len(obj))
    if isinstance(obj, Mapping):
        if parameters := [key for key in obj if isinstance(key, Apply)]:
            raise BadSearchSpace(
                f"a dict in the space has {parameters[0]!r:.80} as a key; a key must be a plain "
                "value. Use a list of (key, value) pairs, and make the dict in the objective"
            )
        try:
            keys = sorted(obj)
        except TypeError:
            raise TypeError(
                "the keys of a dict in a search space must be sortable together, got "
                f"{list(obj)!r}; "
                "use keys of one type"
            ) from None
        items = [Apply("pos_args", [Literal(key), as_apply(obj[key])], o_len=2) for key in keys]
        return Apply("dict", [Apply("pos_args", items)] if items else [], o_len=len(items))
    kind = type(obj)
    if kind.__name__ in ("Apply", "Literal") and kind.__module__.startswith("hyperopt."):
        raise BadSearchSpace(
            f"the space holds a parameter made with hyperopt's own hp or scope ({obj!s:.80}); "
            "import hp and scope from sparktune"
        )
    return Literal(obj)


class Scope:
    """The functions a node can name. `scope.f(...)` makes a node; `scope.define` adds a function.

    Example:
        >>> @scope.define
        ... def halve(x):
        ...     return x / 2
        >>> rec_eval(scope.halve(3))
        1.5
    """

    def __init__(self) -> None:
        self._impls: dict[str, Callable[..., Any]] = {}
        self._lengths: dict[str, int | None] = {}

    def apply(self, name: str, *args: Any, **kwargs: Any) -> Apply:
        """The node that calls function `name` on these arguments."""
        return Apply(
            name,
            [as_apply(arg) for arg in args],
            [(key, as_apply(arg)) for key, arg in sorted(kwargs.items())],
            o_len=self._lengths.get(name),
        )

    def __getattr__(self, name: str) -> Callable[..., Apply]:
        if name.startswith("_") or name not in self._impls:
            raise AttributeError(
                f"scope has no function {name!r}; add one with @scope.define. "
                f"Known: {', '.join(sorted(self.__dict__.get('_impls', ())))}"
            )
        return functools.partial(self.apply, name)

    def one_of(self, *options: Any) -> Apply:
        """One of the options, each equally likely: a choice without a label, for expressions
        that are drawn with `sample` and not searched.
        """
        return self.apply("switch", self.apply("randint", len(options)), *options)

    def choice(self, options: Iterable[Any]) -> Apply:
        """`one_of`, given a list."""
        return self.one_of(*options)

    def define(self, function: F, o_len: int | None = None) -> F:
        """Make `function` available as `scope.<its name>`; a decorator. Refuses a name already in
        use.
        """
        name = function.__name__
        if name in self._impls or hasattr(type(self), name):
            raise ValueError("Cannot override existing symbol", name)
        self._impls[name] = function
        self._lengths[name] = o_len
        return function

    def define_pure(self, function: F) -> F:
        """`define`, for a function without side effects: makes no difference here."""
        return self.define(function)

    def define_info(self, o_len: int | None = None, pure: bool = False) -> Callable[[F], F]:
        """`define` with the length of the function's result, so that its node can be unpacked.

        `pure` makes no difference here.
        """
        return lambda function: self.define(function, o_len)

    def define_if_new(self, function: F) -> F:
        """`define` unless the name is in use already."""
        return function if function.__name__ in self._impls else self.define(function)

    def undefine(self, function: Callable[..., Any] | str) -> None:
        """Forget a function, given itself or by its name."""
        name = function if isinstance(function, str) else function.__name__
        del self._impls[name], self._lengths[name]

    def implementation(self, name: str) -> Callable[..., Any]:
        """The function behind a node's name."""
        return self._impls[name]


scope = Scope()


def _parameter(label: Any, obj: Any) -> Any:
    return obj


def _switch(index: Any, *options: Any) -> Any:
    return options[index]


scope._impls.update(FUNCTIONS)
scope._impls.update(DRAWS)
scope._impls.update({PARAMETER: _parameter, "switch": _switch, "rng_from_seed": rng_from_seed})
