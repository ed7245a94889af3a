"""A search space read as columns: one float64 row is one configuration, NaN marks what is inactive.

The expression is walked once. Each parameter becomes a column; a parameter inside an option of a
choice is active only where that choice takes that option. Columns are ordered so that every choice
comes before what depends on it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.errors import BadSearchSpace, DuplicateLabel, InvalidArgument
from sparktune.space.distributions import Array, Categorical, Distribution, Numeric
from sparktune.space.expression import PARAMETER, PRIORS, Apply, Literal, as_apply, rec_eval
from sparktune.trial import Scalar
from sparktune.worker import as_number


@dataclass(frozen=True)
class Column:
    """One parameter. It is active where any of `conditions` holds: (column of a choice, option);
    always if none.
    """

    label: str
    distribution: Distribution
    conditions: tuple[tuple[int, int], ...] = ()


@dataclass
class _Found:
    """A parameter met on the walk: its node, where it stands in the space, whether it is itself the
    index of a choice, and the (node, option) above it.
    """

    node: Apply
    path: str
    chooses: bool = False
    always: bool = False
    above: set[tuple[Apply, int]] = field(default_factory=set)


class Space:
    """The columns of a search-space expression, and the way between rows, values and
    configurations.

    Raises:
        BadSearchSpace: there is nothing in the space, or something it cannot hold.
        DuplicateLabel: two different parameters share a label.
    """

    def __init__(self, expression: Any) -> None:
        self.expression = as_apply(expression)
        if isinstance(self.expression, Literal) or not self.expression.inputs():
            raise BadSearchSpace(
                f"the search space is {expression!r}; give a dict, list or hp.* expression, "
                "for example {'x': hp.uniform('x', 0, 1)}"
            )
        found = _sorted_parents_first(_walk(self.expression))
        index = {each.node: i for i, each in enumerate(found)}
        self._nodes = list(index)
        self.columns = tuple(
            Column(
                _label(each.node),
                _distribution(each),
                () if each.always else tuple(sorted((index[n], k) for n, k in each.above)),
            )
            for each in found
        )
        self.labels = tuple(column.label for column in self.columns)
        self._index = {label: i for i, label in enumerate(self.labels)}

    def __len__(self) -> int:
        return len(self.columns)

    def active(self, X: Array) -> NDArray[np.bool_]:
        """Mask, shape of X (n, d): which parameters the choices in each row make active."""
        mask = np.ones(X.shape, dtype=bool)
        for j, column in enumerate(self.columns):
            if column.conditions:
                holds = [mask[:, p] & (X[:, p] == option) for p, option in column.conditions]
                mask[:, j] = np.logical_or.reduce(holds)
        return mask

    def masked(self, X: Array) -> Array:
        """X with NaN where inactive."""
        return np.where(self.active(X), X, np.nan)

    def from_unit(self, U: Array) -> Array:
        """Rows (n, d) at the points U of the unit cube, by the inverse cdf of each prior."""
        X = np.empty(U.shape)
        for j, column in enumerate(self.columns):
            X[:, j] = column.distribution.ppf(U[:, j])
        return self.masked(X)

    def sample(self, rng: np.random.Generator, n: int) -> Array:
        """n independent rows from the prior."""
        return self.from_unit(rng.random((n, len(self))))

    def values(self, row: Array) -> dict[str, Scalar]:
        """{label: Python scalar} of the active parameters of a row."""
        return {
            column.label: column.distribution.scalar(x)
            for column, x in zip(self.columns, row.tolist(), strict=True)
            if x == x
        }

    def encode(self, values: Mapping[str, Any]) -> Array:
        """The row of {label: value}; labels of other spaces are left out, missing ones are NaN."""
        row = np.full(len(self), np.nan)
        for label, value in values.items():
            if label in self._index:
                row[self._index[label]] = value
        return row

    def memo(self, values: Mapping[str, Any]) -> dict[Apply, Any]:
        """Values by the nodes of the expression that they belong to."""
        return {node: values[_label(node)] for node in self._nodes if _label(node) in values}

    def decode(self, values: Mapping[str, Any]) -> Any:
        """The configuration for {label: value}: the expression evaluated, as the objective receives
        it.
        """
        return rec_eval(self.expression, self.memo(values))

    def check(self, values: Mapping[str, Any]) -> dict[str, Scalar]:
        """{label: Python scalar} of the active parameters of a user's point.

        Values outside a numeric range are let through, as a known good point may lie there.

        Raises:
            InvalidArgument: unknown labels, missing active ones, or values a parameter cannot take.
        """
        if not isinstance(values, Mapping):
            raise InvalidArgument(f"a point must be a dict of {{label: value}}, got {values!r}")
        if unknown := [label for label in values if label not in self._index]:
            raise InvalidArgument(
                f"unknown parameter {', '.join(map(repr, unknown))}; "
                f"the space has {', '.join(map(repr, self.labels))}"
            )
        row = self.encode(
            {k: _legal(k, self.columns[self._index[k]].distribution, v) for k, v in values.items()}
        )
        active = self.active(row[None])[0]
        if missing := [self.labels[j] for j in np.flatnonzero(active & np.isnan(row))]:
            raise InvalidArgument(
                f"the point {dict(values)!r} lacks a value for {', '.join(map(repr, missing))}"
            )
        return self.values(np.where(active, row, np.nan))

    def fingerprint(self) -> str:
        """A hash of the columns; equal for the same parameters, ranges and conditions."""
        content = json.dumps([asdict(column) for column in self.columns], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def _label(node: Apply) -> str:
    label = node.pos_args[0]
    if not isinstance(label, Literal):
        raise BadSearchSpace(f"the label of {node!r} must be a plain string")
    return str(label.obj)


def _legal(label: str, distribution: Distribution, value: Any) -> float:
    """A user's value for one parameter as a float."""
    whole = isinstance(distribution, Categorical) or distribution.integer
    number = as_number(value)
    if number is None or not math.isfinite(number) or (whole and not number.is_integer()):
        kind = "an integer" if whole else "a number"
        raise InvalidArgument(f"{label!r} must be {kind}, got {value!r}{_index_hint(distribution)}")
    if isinstance(distribution, Categorical) and not 0 <= number < distribution.size:
        raise InvalidArgument(
            f"{label!r} must be an index from 0 to {len(distribution.p) - 1}, got {value!r}"
        )
    return number


def _index_hint(distribution: Distribution) -> str:
    is_choice = isinstance(distribution, Categorical)
    return " (a choice is given by the index of its option, not by the option)" if is_choice else ""


def _walk(root: Apply) -> dict[str, _Found]:
    """All parameters under `root` by label, with the choices above them.

    Nodes are visited parents first, each once, so that shared nodes cost no more than others.
    """
    found: dict[str, _Found] = {}
    paths: dict[Apply, str] = {root: "space"}
    always: set[Apply] = {root}
    above: dict[Apply, set[tuple[Apply, int]]] = {}
    choosers: set[Apply] = set()
    for node in _parents_first(root):
        if node.name == PARAMETER:
            each = _enter(found, node, paths[node])
            each.chooses = node in choosers
            each.always = node in always
            each.above = above.get(node, set())
            continue
        if node.name in PRIORS:
            raise BadSearchSpace(
                f"{paths[node]} holds {node.name}(...) without a label; "
                f"write hp.{node.name}('label', ...) or scope.{PARAMETER}('label', ...)"
            )
        chooser = _chooser(node)
        if node.name == "switch":
            choosers.add(node.pos_args[0])
        for i, (step, child) in enumerate(_steps(node)):
            paths.setdefault(child, paths[node] + step)
            if chooser is not None and i > 0:
                above.setdefault(child, set()).add((chooser, i - 1))
            elif node in always:
                always.add(child)
            else:
                above.setdefault(child, set()).update(above[node])
    return found


def _parents_first(root: Apply) -> list[Apply]:
    """Every node under `root` once, each before its inputs; a parameter's own arguments are left
    out.
    """
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
    """The inputs of a node, each with the step that leads there in an error message."""
    if node.name == PARAMETER:
        return []
    if node.name == "dict":
        steps = [(f"[{key!r}]", value) for key, value in node.named_args]
        return [step for argument in node.pos_args for step in _entries(argument)] + steps
    if node.name == "switch":
        options = [(f" -> option {i}", option) for i, option in enumerate(node.pos_args[1:])]
        return [("", node.pos_args[0]), *options]
    if node.name == "pos_args":
        return [(f"[{i}]", item) for i, item in enumerate(node.pos_args)]
    return [("", child) for child in node.inputs()]


def _entries(argument: Apply) -> Iterable[tuple[str, Apply]]:
    """The values in a dict's argument, each with its key; the argument itself where it is computed
    or a key is.
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
    """The parameter whose value a switch selects by, if it is one parameter and not a computed
    index.
    """
    if node.name != "switch":
        return None
    index = node.pos_args[0]
    while index.name == "int":
        index = index.pos_args[0]
    if index.name != PARAMETER or index.pos_args[1].name not in _WHOLE:
        return None
    return index


def _enter(found: dict[str, _Found], node: Apply, path: str) -> _Found:
    label = _label(node)
    if label in found:
        first = found[label]
        raise DuplicateLabel(
            f"two different parameters share the label {label!r}: one at {first.path} "
            f"(made in {first.node.place}), one at {path} (made in {node.place}). "
            "Give each its own label, or make the parameter once and use it in both places."
        )
    found[label] = _Found(node, path)
    return found[label]


def _sorted_parents_first(found: dict[str, _Found]) -> list[_Found]:
    """Parameters in order of their labels' first appearance, moved behind the choices they depend
    on.
    """
    waiting = list(found.values())
    placed: dict[Apply, _Found] = {}
    while waiting:
        ready = [
            each for each in waiting if each.always or all(node in placed for node, _ in each.above)
        ]
        placed.update({each.node: each for each in ready})
        waiting = [each for each in waiting if each.node not in placed]
    return list(placed.values())


def _distribution(found: _Found) -> Distribution:
    """The column's distribution, from the prior inside a parameter's node."""
    prior = found.node.pos_args[1]
    names = _PARAMETERS.get(prior.name)
    if names is None:
        raise BadSearchSpace(f"{found.path} uses {prior.name!r}, which is no distribution")
    given = dict(zip(names, prior.pos_args, strict=False)) | dict(prior.named_args)
    given = {key: value for key, value in given.items() if key not in ("rng", "size")}
    try:
        params = {key: rec_eval(value) for key, value in given.items()}
    except (KeyError, TypeError) as error:
        raise BadSearchSpace(
            f"{found.path}: cannot read {prior!r} ({error}); its parameters must be numbers"
        ) from error
    built = _build(prior.name, params)
    if found.chooses and prior.name == "randint" and built.support[0] == 0:
        n = int(built.size)
        return Categorical((1 / n,) * n)
    return built


_WHOLE = ("randint", "categorical", "uniformint")  # priors whose column holds the very index
_PARAMETERS = {
    "randint": ("low", "high"),
    "categorical": ("p", "upper"),
    "uniformint": ("low", "high", "q"),
    **dict.fromkeys(("uniform", "loguniform"), ("low", "high")),
    **dict.fromkeys(("quniform", "qloguniform"), ("low", "high", "q")),
    **dict.fromkeys(("normal", "lognormal"), ("mu", "sigma")),
    **dict.fromkeys(("qnormal", "qlognormal"), ("mu", "sigma", "q")),
}


def _build(prior: str, given: dict[str, Any]) -> Distribution:
    if prior == "categorical":
        return Categorical(tuple(float(p) for p in given["p"]))
    if prior == "randint":
        low, high = (given["low"], given["high"]) if "high" in given else (0, given["low"])
        return Numeric(low - 0.5, high - 0.5, q=1.0, integer=True)
    log, integer = "log" in prior, prior == "uniformint"
    q = 1.0 if integer else (float(given["q"]) if "q" in given else None)
    if "mu" in given:
        mu, sigma = float(given["mu"]), float(given["sigma"])
        return Numeric(-np.inf, np.inf, log, q, integer, normal=(mu, sigma))
    return Numeric(float(given["low"]), float(given["high"]), log, q, integer)
