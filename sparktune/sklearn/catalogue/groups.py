"""Choices among components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sparktune.sklearn.catalogue.component import is_installed, node_of
from sparktune.sklearn.catalogue.entries import Entry, entries, read
from sparktune.space import hp
from sparktune.space.expression import Apply

Suited = Callable[[Entry], bool]


def members(group: str, suited: Suited = lambda entry: True) -> dict[str, str]:
    """{ending of the label: component} of a group, as far as they are installed and suited."""
    table = read("groups.toml")[group]
    optional = {key: name for key, name in table.get("optional", {}).items() if is_installed(name)}
    known = dict(table["members"]) | optional
    return {key: name for key, name in known.items() if suited(entries()[name])}


@dataclass(frozen=True, slots=True)
class Group:
    """What a group says of its members besides their names; see the head of `groups.toml`."""

    name: str
    scaled: frozenset[str]
    unit_targets: frozenset[str]
    first: tuple[dict[str, Any], ...]


def group_of(name: str) -> Group:
    """A group that a search without a space chooses from."""
    table = read("groups.toml")[name]
    targets = frozenset(table.get("unit_targets", ()))
    return Group(name, frozenset(table["scaled"]), targets, tuple(table["first"]))


def choice_of(group: str, label: str, suited: Suited = lambda entry: True) -> Apply:
    """A choice among the members of a group, each with its parameters.

    Args:
        group: its name in the catalogue.
        label: the label of the choice, with which the labels of the parameters begin.
        suited: says of an entry whether it takes part; see `suited_to`.
    """
    table = read("groups.toml")[group]
    each = table.get("each", {})
    nodes: list[Any] = [
        component(name, f"{label}.{key}", each.get(key, {}))
        for key, name in members(group, suited).items()
    ]
    return hp.choice(label, [[node] for node in nodes] if table.get("steps") else nodes)


def component(name: str, label: str, given: dict[str, Any]) -> Apply:
    """The node of a component; see `node_of`."""
    return node_of(name, label, given, choice_of)
