"""The nodes of a search-space expression, and their evaluation.

A space consists of nested dicts, lists and tuples with nodes and plain values. A node (`Apply`) has
the name of a function of `scope` and argument nodes; a plain value becomes a `Literal`. Nothing is
computed before `rec_eval`.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from sparktune.errors import BadSearchSpace
from sparktune.space.draws import DRAWS, rng_from_seed
from sparktune.space.functions import FUNCTIONS


class MissingArgument:
    """The value in `Apply.arg` of an argument that was not given."""


PARAMETER = "hyperopt_param"  # the name of the node of a labelled parameter


def _forward(name: str) -> Callable[..., Any]:
    return lambda self, *others: call_of(name, self, *others)


def _reflected(name: str) -> Callable[..., Any]:
    return lambda self, other: call_of(name, other, self)


class Apply:
    """An unevaluated call of the scope function `name` with argument nodes.

    `o_len` is the length of the result if it is known, so that a node can be unpacked like a tuple.
    `place` is the line of the user's code that created the node, for error messages; only
    parameters have it.
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
        """{name of the parameter of the function: argument node}. An argument with its default is
        `MissingArgument`; `*args` is a list of nodes.
        """
        signature = inspect.signature(IMPLEMENTATIONS[self.name])
        given = signature.bind_partial(*self.pos_args, **dict(self.named_args)).arguments
        return {name: given.get(name, MissingArgument) for name in signature.parameters}

    def eval(self, memo: Mapping[Apply, Any] | None = None) -> Any:
        """The value of this expression, with `memo` as in `rec_eval`."""
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
        return call_of("getitem", self, key)

    def __call__(self, *args: Any, **kwargs: Any) -> Apply:
        return call_of("call", self, args, kwargs)

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
    """A plain value inside a space, which evaluates to the same object."""

    __slots__ = ("obj",)

    def __init__(self, obj: Any = None) -> None:
        super().__init__("literal", (), o_len=_length(obj))
        self.obj = obj

    def __repr__(self) -> str:
        return f"Literal({self.obj!r})"


def _length(obj: Any) -> int | None:
    return len(obj) if isinstance(obj, (tuple, list, dict)) else None


def as_apply(obj: Any) -> Apply:
    """The node of `obj`: `obj` itself if it is a node, a node for a container, or a `Literal`.

    Lists and tuples become `pos_args` nodes, which evaluate to tuples. Namedtuples keep their type.
    Dicts become `dict` nodes with sorted keys.

    Raises:
        TypeError: the keys of a dict cannot be sorted.
        BadSearchSpace: a key of a dict is a node, or `obj` is a node of the package hyperopt.
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
                "value. Use a list of (key, value) pairs, and create the dict in the objective"
            )
        try:
            keys = sorted(obj)
        except TypeError:
            raise TypeError(
                "the keys of a dict in a search space must be sortable together, got "
                f"{list(obj)!r}; use keys of one type"
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


def call_of(name: str, *args: Any, **kwargs: Any) -> Apply:
    """A node that calls the function `name` with these arguments."""
    return Apply(
        name,
        [as_apply(arg) for arg in args],
        [(key, as_apply(arg)) for key, arg in sorted(kwargs.items())],
        o_len=LENGTHS.get(name),
    )


def rec_eval(expr: Any, memo: Mapping[Apply, Any] | None = None) -> Any:
    """Evaluate an expression. `memo` holds the values of some of its nodes.

    Each node is evaluated at most once. Only the chosen branch of a `switch` is evaluated.

    Raises:
        KeyError: a required parameter has no value.
    """
    return evaluated(as_apply(expr), dict(memo or {}), None)


def evaluated(root: Apply, values: dict[Apply, Any], rng: np.random.Generator | None) -> Any:
    """The value of `root`. `values` holds the known values of nodes, to which the computed ones are
    added. With `rng`, parameters without a value are drawn. The evaluation is iterative, so that
    the stack does not limit the depth.
    """
    stack = [root]
    while stack:
        node = stack[-1]
        if isinstance(node, Literal):
            values.setdefault(node, node.obj)
        if node in values:
            stack.pop()
            continue
        missing = [arg for arg in _needed(node, values, rng) if arg not in values]
        if missing:
            stack.extend(missing)  # the last one is drawn first, as in Hyperopt
        else:
            values[node] = _call(node, values, rng)
            stack.pop()
    return values[root]


def _needed(
    node: Apply, values: Mapping[Apply, Any], rng: np.random.Generator | None
) -> list[Apply]:
    """The argument nodes that a node needs: for a switch first its index, then the chosen branch;
    for a parameter none, unless it is drawn.
    """
    if node.name == PARAMETER and rng is None:
        return []
    if node.name != "switch":
        return node.inputs() if node.named_args else node.pos_args
    index = node.pos_args[0]
    return [index, _branch(node, values[index])] if index in values else [index]


def _branch(node: Apply, index: Any) -> Apply:
    options = node.pos_args[1:]
    try:
        position = operator.index(index)
    except TypeError:
        raise TypeError("switch argument was", index) from None
    if position < 0:
        raise ValueError(f"the index of a choice must not be negative, got {position}")
    if position >= len(options):
        raise IndexError(
            f"the index of a choice must be less than its {len(options)} options, got {position}"
        )
    return options[position]


def _call(node: Apply, values: Mapping[Apply, Any], rng: np.random.Generator | None) -> Any:
    if node.name == "switch":
        return values[_branch(node, values[node.pos_args[0]])]
    if node.name == PARAMETER and rng is None:
        label = node.pos_args[0]
        raise KeyError(f"no value given for the parameter {getattr(label, 'obj', label)!r}")
    args = [values[arg] for arg in node.pos_args]
    kwargs = {key: values[arg] for key, arg in node.named_args}
    if rng is not None and node.name in DRAWS:
        kwargs.setdefault("rng", rng)
    return IMPLEMENTATIONS[node.name](*args, **kwargs)


def _parameter(label: Any, obj: Any) -> Any:
    return obj


def _switch(index: Any, *options: Any) -> Any:
    return options[index]


IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {
    **FUNCTIONS,
    **DRAWS,
    PARAMETER: _parameter,
    "switch": _switch,
    "rng_from_seed": rng_from_seed,
}
"""{name: function} of all functions that nodes can call."""

LENGTHS: dict[str, int | None] = {}
"""{name: length of the function's result} of functions that users define; None: unknown."""
