"""The options of choices that a parameter depends on, and these conditions as a graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sparktune.errors import DuplicateLabel
from sparktune.space.columns import label_of
from sparktune.space.expression import PARAMETER, Apply, as_apply


@dataclass(frozen=True)
class Cond:
    """The condition that the parameter `name` has the value `val`; `op` is "="."""

    name: str
    val: Any
    op: str

    def __str__(self) -> str:
        return f"Cond{{{self.name} {self.op} {self.val}}}"


EQ = partial(Cond, op="=")

Conditions = tuple[Any, ...]


def expr_to_config(
    expr: Any, conditions: Conditions | None, hps: dict[str, dict[str, Any]]
) -> None:
    """Write the parameters of a space into `hps`.

    Args:
        expr: a search space.
        conditions: conditions under which the whole space is used.
        hps: a dict to fill with {label: {'label', 'node': the node of its distribution,
            'conditions': a set of tuples of `Cond`}}. A parameter is active if all conditions of at
            least one tuple hold.

    Raises:
        DuplicateLabel: two parameters share a label.
    """
    start = tuple(conditions or ())
    _collect(as_apply(expr), start, hps)
    for entry in hps.values():
        if _covers_a_choice(entry["conditions"], start, hps):
            entry["conditions"] = {start}


def _collect(node: Apply, conditions: Conditions, hps: dict[str, dict[str, Any]]) -> None:
    if node.name == PARAMETER:
        _enter(node, conditions, hps)
        return
    inputs = node.inputs()
    if node.name == "switch" and inputs[0].name == PARAMETER:
        label = label_of(inputs[0])
        _collect(inputs[0], conditions, hps)
        for option, child in enumerate(inputs[1:]):
            _collect(child, (*conditions, EQ(label, option)), hps)
        return
    for child in inputs:
        _collect(child, conditions, hps)


def _enter(node: Apply, conditions: Conditions, hps: dict[str, dict[str, Any]]) -> None:
    label, distribution = label_of(node), node.pos_args[1]
    entry = hps.setdefault(label, {"node": distribution, "conditions": set(), "label": label})
    if entry["node"] is not distribution:
        raise DuplicateLabel(f"two different parameters share the label {label!r}")
    entry["conditions"].add(conditions)


def _covers_a_choice(
    alternatives: set[Conditions], start: Conditions, hps: dict[str, dict[str, Any]]
) -> bool:
    """Whether the alternatives are all the options of one choice that is always active."""
    more = [each[len(start) :] for each in alternatives]
    if len(more) < 2 or any(len(each) != 1 for each in more):
        return False
    (name, *others) = {each[0].name for each in more}
    return not others and {each[0].val for each in more} == set(_options(hps[name]["node"]))


def _options(node: Apply) -> Iterable[int]:
    """Return the possible indices of a choice, given the node of its distribution."""
    given = [argument.eval() for argument in node.pos_args]
    return range(len(given[0])) if node.name == "categorical" else range(*given)


def dot_hyperparameters(expr: Any) -> str:
    """Return the parameters of a space, and the choices they depend on, as a directed graph in the
    dot language of Graphviz. Parameters are boxes, and conditions are ellipses.
    """
    hps: dict[str, dict[str, Any]] = {}
    expr_to_config(expr, (), hps)
    nodes: dict[str, str] = {label: "box" for label in hps}
    edges: dict[tuple[str, str], None] = {}
    for label, entry in hps.items():
        for conditions in sorted(entry["conditions"], key=str):
            texts = [f"{each.name}{each.op}{each.val}" for each in conditions]
            together = " & ".join(texts)
            for condition, text in zip(conditions, texts, strict=True):
                edges[condition.name, text] = None
                if text != together:
                    edges[text, together] = None
            if texts:
                nodes |= dict.fromkeys([*texts, together], "ellipse")
                edges[together, label] = None
    lines = [f"{_quoted(name)} [shape={shape}];" for name, shape in nodes.items()]
    lines += [f"{_quoted(start)} -> {_quoted(end)};" for start, end in edges]
    return "\n".join(["digraph {", *lines, "}", ""])


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
