"""Points from the prior, drawn with the same random numbers as in Hyperopt.

Hyperopt rewrites a space so that many points are drawn at once. Each parameter becomes one draw,
with a value for each point in which it is active. The order of the draws is the order in which that
graph is evaluated. This module builds the same graph for a single point.

    wanted      node that says whether a value is needed: always, a `_Union`, or a `_Case`
    union       node that says whether any user of a node needs its value
    case        node that says whether a switch selects an option
    take        node with the value of another node, for one of its users
"""

from __future__ import annotations

import operator
import weakref
from typing import Any

import numpy as np

from sparktune.space.draws import DRAWS
from sparktune.space.expression import PARAMETER, Apply, Literal, scope
from sparktune.space.space import Space

_PRIORS: weakref.WeakKeyDictionary[Space, _Prior] = weakref.WeakKeyDictionary()


def prior_point(space: Space, rng: np.random.Generator) -> dict[str, Any]:
    """Draw a point in the way of Hyperopt; returns {label: value} of its active parameters."""
    if space not in _PRIORS:
        _PRIORS[space] = _Prior(space)
    return _PRIORS[space].point(rng)


class _Node:
    """A step of the evaluation. Its `inputs` are computed first, in reverse order."""

    def __init__(self, *inputs: _Node) -> None:
        self.inputs = list(inputs)

    def value(self, values: dict[_Node, Any], rng: np.random.Generator) -> Any:
        """Compute the value of this node from the `values` of its inputs."""
        return True


class _Union(_Node):
    """Whether any user of a node needs its value."""

    def value(self, values: dict[_Node, Any], rng: np.random.Generator) -> Any:
        return any(values[part] for part in self.inputs)


class _Case(_Node):
    """Whether the value of a switch is needed and the switch selects this option."""

    def __init__(self, wanted: _Node, chosen: _Node, option: int) -> None:
        super().__init__(wanted, chosen)
        self.option = option

    def value(self, values: dict[_Node, Any], rng: np.random.Generator) -> Any:
        wanted, chosen = (values[each] for each in self.inputs)
        return wanted and operator.index(chosen) == self.option


class _Take(_Node):
    """The value of a node for one of its users. The inputs are union, value and wanted."""

    def value(self, values: dict[_Node, Any], rng: np.random.Generator) -> Any:
        return values[self.inputs[1]]


class _Value(_Node):
    """The value of a node of the space, or None if it is not needed. The first input is the union
    of the node. The other inputs are its arguments; for a switch, the index and then case and take
    of each option.
    """

    def __init__(self, node: Apply, *inputs: _Node) -> None:
        super().__init__(*inputs)
        self.node = node

    def value(self, values: dict[_Node, Any], rng: np.random.Generator) -> Any:
        if isinstance(self.node, Literal):
            return self.node.obj
        if not values[self.inputs[0]]:
            return None
        given = [values[each] for each in self.inputs[1:]]
        if self.node.name == "switch":
            return given[2 * operator.index(given[0]) + 2]
        n = len(self.node.pos_args)
        named = dict(zip([name for name, _ in self.node.named_args], given[n:], strict=True))
        if self.node.name in DRAWS:
            named["rng"] = rng
        return scope.implementation(self.node.name)(*given[:n], **named)


class _Prior:
    """The steps that draw one point of a space."""

    def __init__(self, space: Space) -> None:
        self._all = _Node()
        self._everywhere = _Union(self._all)
        self._unions: dict[Apply, _Union] = {}
        self._takes: dict[Apply, list[_Take]] = {}
        self._build(space.expression, self._all)
        self._draws = {
            column.label: (column.distribution, self._takes[column.node.pos_args[1]][0].inputs[1])
            for column in space.columns
        }
        self._root = _Node(*[self._draws[label][1] for label in sorted(self._draws)])

    def point(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw a point; returns {label: value} of its active parameters."""
        values: dict[_Node, Any] = {}
        left = [self._root]
        while left:
            node = left[-1]
            waiting = [each for each in node.inputs if each not in values]
            if node in values or not waiting:
                left.pop()
                if node not in values:
                    values[node] = node.value(values, rng)
            else:
                left += waiting
        return {
            label: distribution.scalar(values[draw])
            for label, (distribution, draw) in self._draws.items()
            if values[draw.inputs[0]]
        }

    def _build(self, node: Apply, wanted: _Node) -> _Node:
        if node.name == PARAMETER:
            return self._build(node.pos_args[1], wanted)
        if isinstance(node, Literal):
            return _Take(self._everywhere, _Value(node), wanted)
        union = self._unions.get(node)
        if union and wanted in union.inputs:
            return self._again(node, union, wanted)
        if node.name == "switch":
            return self._switch(node, wanted)
        at = union or _Union(wanted)
        made = _Value(node, at, *[self._build(each, at) for each in node.inputs()])
        return self._add(node, at, made, wanted)

    def _again(self, node: Apply, union: _Union, wanted: _Node) -> _Node:
        takes = self._takes[node]
        if node.name == "switch":
            takes.append(_Take(union, takes[0].inputs[1], wanted))
            return takes[-1]
        return next(take for take in takes if take.inputs[2] is wanted)

    def _switch(self, node: Apply, wanted: _Node) -> _Node:
        union = self._unions.get(node) or _Union()
        union.inputs.append(wanted)
        chosen = self._build(node.pos_args[0], union)
        parts: list[_Node] = []
        for i, option in enumerate(node.pos_args[1:]):
            case = _Case(union, chosen, i)
            parts += [case, self._build(option, case)]
        return self._add(node, union, _Value(node, union, chosen, *parts), wanted)

    def _add(self, node: Apply, union: _Union, made: _Value, wanted: _Node) -> _Take:
        """Set how a node is computed, for this user and for users added before."""
        if wanted not in union.inputs:
            union.inputs.append(wanted)
        take = _Take(union, made, wanted)
        takes = self._takes.setdefault(node, [])
        takes.append(take)
        for each in takes:
            each.inputs[1] = made
        self._unions[node] = union
        return take
