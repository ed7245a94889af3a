"""The columns of a search-space expression: one for each parameter, collected in one walk.

Columns are ordered such that every choice comes before the parameters that depend on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sparktune.errors import BadSearchSpace, DuplicateLabel
from sparktune.space.distributions import Categorical, Distribution
from sparktune.space.evaluation import rec_eval
from sparktune.space.expression import PARAMETER, Apply, Literal
from sparktune.space.hidden import refuse_hidden
from sparktune.space.options import option_names
from sparktune.space.priors import PRIORS


@dataclass(frozen=True)
class Column:
    """One parameter.

    prior         its name in the table of priors
    conditions    (column of a choice, option): active if any of them holds, or if there are none
    node          the node of the parameter in the expression
    used          the node whose value the objective receives: the conversion or the switch that is
                  the only user of `node`, if there is one; else `node`
    """

    label: str
    prior: str
    distribution: Distribution
    conditions: tuple[tuple[int, int], ...]
    node: Apply = field(compare=False, repr=False)
    used: Apply = field(compare=False, repr=False)

    @cached_property
    def option_names(self) -> list[Any]:
        """The names of the options of a choice, from `options.option_names`; [] for a number."""
        selects = isinstance(self.distribution, Categorical) and self.used.name == "switch"
        return option_names(self.used.pos_args[1:]) if selects else []


@dataclass
class _Parameter:
    """A parameter that the walk has found.

    node      its node
    path      its position in the space, for error messages
    used      as in `Column`
    chooses   whether it is the index of a choice
    always    whether it is active in all configurations
    above     (node of a choice, option) under which it is active
    """

    node: Apply
    path: str
    used: Apply
    chooses: bool = False
    always: bool = False
    above: set[tuple[Apply, int]] = field(default_factory=set)


def columns_of(root: Apply) -> tuple[Column, ...]:
    """The columns of an expression.

    Raises:
        BadSearchSpace: a distribution has no label or invalid arguments, or an object hides a
            parameter.
        DuplicateLabel: two different parameters share a label.
    """
    found = _sorted_parents_first(_walk(root))
    index = {each.node: i for i, each in enumerate(found)}
    return tuple(
        Column(
            label_of(each.node),
            each.node.pos_args[1].name,
            _distribution(each),
            () if each.always else tuple(sorted((index[n], k) for n, k in each.above)),
            each.node,
            each.used,
        )
        for each in found
    )


def label_of(node: Apply) -> str:
    """The label of a parameter's node."""
    label = node.pos_args[0]
    if not isinstance(label, Literal):
        raise BadSearchSpace(f"the label of {node!r} must be a plain string")
    return str(label.obj)


def _walk(root: Apply) -> dict[str, _Parameter]:
    """{label: parameter} under `root`, with the choices above each.

    Nodes are visited parents first and once, so that a shared node costs no more than others.
    """
    found: dict[str, _Parameter] = {}
    paths: dict[Apply, str] = {root: "space"}
    always: set[Apply] = {root}
    above: dict[Apply, set[tuple[Apply, int]]] = {}
    choosers: set[Apply] = set()
    users: dict[Apply, list[Apply]] = {}
    for node in _parents_first(root):
        if node.name == PARAMETER:
            each = _enter(found, node, paths[node])
            each.used = _used(node, users)
            each.chooses = node in choosers
            each.always = node in always
            each.above = above.get(node, set())
            continue
        _check(node, paths[node])
        chooser = _chooser(node)
        if node.name == "switch":
            choosers.add(node.pos_args[0])
        for i, (step, child) in enumerate(_steps(node)):
            paths.setdefault(child, paths[node] + step)
            users.setdefault(child, []).append(node)
            if chooser is not None and i > 0:
                above.setdefault(child, set()).add((chooser, i - 1))
            elif node in always:
                always.add(child)
            else:
                above.setdefault(child, set()).update(above[node])
    return found


def _parents_first(root: Apply) -> list[Apply]:
    """Every node under `root` once, before its inputs, without the arguments of parameters."""
    order: list[Apply] = []
    seen: set[Apply] = set()
    stack: list[tuple[Apply, bool]] = [(root, False)]
    while stack:
        node, left = stack.pop()
        if left:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for _, child in _steps(node) if child not in seen)
    return order[::-1]


def _steps(node: Apply) -> Iterable[tuple[str, Apply]]:
    """(step, input) of the inputs of a node; the steps form the path in an error message."""
    if node.name == PARAMETER:
        return []
    if node.name == "dict":
        steps = [(f"[{key!r}]", value) for key, value in node.named_args]
        return [step for argument in node.pos_args for step in _entries(argument)] + steps
    if node.name == "switch":
        options = [(f" -> option {i}", option) for i, option in enumerate(node.pos_args[1:])]
        return [("", node.pos_args[0]), *options]
    if node.name == "namedtuple":
        names = node.pos_args[0].obj._fields  # type: ignore[attr-defined]
        return [(f".{name}", item) for name, item in zip(names, node.pos_args[1:], strict=True)]
    if node.name == "pos_args":
        return [(f"[{i}]", item) for i, item in enumerate(node.pos_args)]
    return [("", child) for child in node.inputs()]


def _check(node: Apply, path: str) -> None:
    """Raise BadSearchSpace for a distribution without a label, or for a parameter that a plain
    value of the node hides.
    """
    if node.name in PRIORS and "rng" not in dict(node.named_args):
        raise BadSearchSpace(
            f"{path} holds {node.name}(...) without a label; "
            f"write hp.{'pchoice' if node.name == 'categorical' else node.name}('label', ...)"
        )
    if isinstance(node, Literal):
        refuse_hidden(node.obj, path)
    pairs = node.pos_args[0].pos_args if node.name == "dict" and node.pos_args else []
    for pair in pairs:
        if len(pair.pos_args) == 2 and isinstance(pair.pos_args[0], Literal):
            refuse_hidden(pair.pos_args[0].obj, f"{path} -> a key")


def _entries(argument: Apply) -> Iterable[tuple[str, Apply]]:
    """(step, value) of the items in the argument of a dict node; the argument itself if it or one
    of its keys is computed.
    """
    pairs = argument.pos_args if argument.name == "pos_args" else []
    written = [pair.pos_args for pair in pairs if pair.name == "pos_args"]
    entries = [
        (f"[{items[0].obj!r}]", items[1])
        for items in written
        if len(items) == 2 and isinstance(items[0], Literal)
    ]
    return entries if entries and len(entries) == len(pairs) else [("", argument)]


def _chooser(node: Apply) -> Apply | None:
    """The parameter that is the index of a switch; None for other nodes and computed indices."""
    if node.name != "switch":
        return None
    index = node.pos_args[0]
    while index.name == "int":
        index = index.pos_args[0]
    if index.name != PARAMETER:
        return None
    prior = PRIORS.get(index.pos_args[1].name)
    return index if prior and prior.whole else None


def _used(parameter: Apply, users: Mapping[Apply, Sequence[Apply]]) -> Apply:
    """The node whose value the objective receives for a parameter, as in `Column`."""
    node = parameter
    while len(users.get(node, [])) == 1 and users[node][0].name in ("int", "float"):
        node = users[node][0]
    (user, *others) = users.get(node, [node])
    return user if not others and user.name == "switch" and user.pos_args[0] is node else node


def _enter(found: dict[str, _Parameter], node: Apply, path: str) -> _Parameter:
    label = label_of(node)
    if label in found:
        first = found[label]
        raise DuplicateLabel(
            f"two different parameters share the label {label!r}: one at {first.path} "
            f"(made in {first.node.place}), one at {path} (made in {node.place}). "
            "Give each its own label, or create the parameter once and use it in both places."
        )
    found[label] = _Parameter(node, path, used=node)
    return found[label]


def _sorted_parents_first(found: dict[str, _Parameter]) -> list[_Parameter]:
    """The parameters in the order of their first appearance, but after the choices on which they
    depend.
    """
    waiting = list(found.values())
    placed: dict[Apply, _Parameter] = {}
    while waiting:
        ready = [
            each for each in waiting if each.always or all(node in placed for node, _ in each.above)
        ]
        placed.update({each.node: each for each in ready})
        waiting = [each for each in waiting if each.node not in placed]
    return list(placed.values())


def _distribution(found: _Parameter) -> Distribution:
    """The distribution of a parameter, from the prior in its node."""
    node = found.node.pos_args[1]
    prior = PRIORS.get(node.name)
    if prior is None:
        raise BadSearchSpace(f"{found.path} uses {node.name!r}, which is not a distribution")
    function = "pchoice" if node.name == "categorical" else node.name
    try:
        arguments = prior.arguments(*node.pos_args, **dict(node.named_args))
        values = {name: rec_eval(argument) for name, argument in arguments.items()}
        built = prior.build(**prior.check(f"hp.{function}({label_of(found.node)!r})", **values))
    except (KeyError, TypeError) as error:
        raise BadSearchSpace(
            f"{found.path}: cannot read {node!r} ({error}); its parameters must be numbers"
        ) from error
    if found.chooses and node.name == "randint" and built.support[0] == 0:
        n = int(built.size)
        return Categorical((1 / n,) * n)
    return built
