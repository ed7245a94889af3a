"""A limit on the nesting of the content of a file."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sparktune.hyperopt._pickle_checks import Named, State, require

_DEEPEST = 200

_CONTAINERS = (list, tuple, dict, set, frozenset, deque, np.ndarray, Named, State)


def check_depth(root: Any) -> None:
    """Refuse a value that is nested too deeply for Python to show, copy or write it."""
    depths: dict[int, int] = {}  # by id of the container; 0 while its content is being visited
    path: list[list[Any]] = [[root, _children(root), 0]]
    while path:
        value, children, deepest = path[-1]
        child = next(children, path)
        if child is path:
            depths[id(value)] = deepest + 1
            path.pop()
            if path:
                path[-1][2] = max(path[-1][2], deepest + 1)
        elif id(child) in depths:
            path[-1][2] = max(deepest, depths[id(child)])
        else:
            depths[id(child)] = 0
            path.append([child, _children(child), 0])
        require(len(path) + path[-1][2] <= _DEEPEST if path else True, "it is nested too deeply")


def _children(value: Any) -> Iterator[Any]:
    """Return the containers directly inside a container."""
    inside: Any = ()
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        inside = value
    elif isinstance(value, dict):
        inside = value.values()
    elif isinstance(value, np.ndarray) and value.dtype == object:
        inside = value.flat
    require(not isinstance(value, (Named, State)), "a function, or trials, in the place of a value")
    return (item for item in inside if isinstance(item, _CONTAINERS))


def dismantle(containers: Iterable[Any]) -> None:
    """Empty containers, so that Python need not free nested containers by unlimited recursion. All
    of them must stay referenced until this function returns.
    """
    for container in containers:
        if isinstance(container, (deque, defaultdict)):
            container.clear()
        elif isinstance(container, np.ndarray) and container.dtype == object:
            container.fill(None)
