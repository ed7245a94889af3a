"""Random search gives Hyperopt's points, for whatever space Hyperopt takes."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import sparktune.hyperopt as ours

pytestmark = pytest.mark.skipif(not find_spec("hyperopt"), reason="Hyperopt is not installed")

PRIORS: list[tuple[str, tuple[float, ...]]] = [
    ("uniform", (0, 1)),
    ("quniform", (0, 10, 2)),
    ("uniformint", (1, 9)),
    ("loguniform", (-3, 1)),
    ("qloguniform", (0, 3, 1)),
    ("normal", (1, 2)),
    ("qnormal", (1, 2, 0.5)),
    ("lognormal", (0, 1)),
    ("qlognormal", (0, 1, 0.5)),
    ("randint", (7,)),
    ("randint", (3, 9)),
    ("randint", (-4, 5)),
]


class Spaces:
    """Makes the same random space with Hyperopt's functions and with ours."""

    def __init__(self, package: Any, seed: int) -> None:
        self.hp, self.scope = package.hp, package.pyll.scope
        self.random = random.Random(seed)
        self.made: list[Any] = []
        self.numbers: list[Any] = []

    def space(self) -> Any:
        nodes = {"second": self.node(3), "first": self.node(3), "third": [self.node(2)]}
        if self.made and self.random.random() < 0.5:
            nodes["again"] = self.random.sample(self.made, min(2, len(self.made)))
        return nodes

    def node(self, depth: int) -> Any:
        kinds: list[Callable[[int], Any]] = [
            *(self.choice, self.choice, self.pchoice, self.dict, self.list, self.arithmetic),
            *(self.whole, self.switch, self.selected, self.plain, self.shared, self.shared),
        ]
        if depth <= 0 or self.random.random() < 0.3:
            return self.number()
        return self.random.choice(kinds)(depth - 1)

    def label(self) -> str:
        return f"{self.random.choice('zyxwMbcd_1')}{self.random.getrandbits(40)}"

    def number(self) -> Any:
        prior, arguments = self.random.choice(PRIORS)
        return self.kept(getattr(self.hp, prior)(self.label(), *arguments), self.numbers)

    def kept(self, node: Any, *others: list[Any]) -> Any:
        for nodes in (self.made, *others):
            nodes.append(node)
        return node

    def nodes(self, depth: int) -> list[Any]:
        return [self.node(depth) for _ in range(self.random.randint(1, 3))]

    def any_number(self) -> Any:
        known = self.numbers and self.random.random() < 0.5
        return self.random.choice(self.numbers) if known else self.number()

    def choice(self, depth: int) -> Any:
        return self.kept(self.hp.choice(self.label(), self.nodes(depth)))

    def pchoice(self, depth: int) -> Any:
        options = self.nodes(depth)
        p = [(i + 1) / sum(range(len(options) + 1)) for i in range(len(options))]
        return self.kept(self.hp.pchoice(self.label(), list(zip(p, options, strict=True))))

    def dict(self, depth: int) -> Any:
        return {f"{self.random.choice('abc')}{i}": n for i, n in enumerate(self.nodes(depth))}

    def list(self, depth: int) -> Any:
        return self.nodes(depth)

    def arithmetic(self, depth: int) -> Any:
        a, b, i = self.any_number(), self.any_number(), self.random.randrange(6)
        return [a + b, a * 2, a - b, -a, 2 / (1 + b * b), 1 - a][i]

    def whole(self, depth: int) -> Any:
        return self.scope.int(self.any_number())

    def switch(self, depth: int) -> Any:
        index = self.scope.int(self.hp.randint(self.label(), 2))
        return self.kept(self.scope.switch(index, self.node(depth), self.node(depth)))

    def selected(self, depth: int) -> Any:
        """One of two by an index that is computed, from parameters used elsewhere, too."""
        first = self.kept(self.hp.randint(self.label(), 2), self.numbers)
        second = self.kept(self.hp.randint(self.label(), 2), self.numbers)
        return self.scope.switch(first * second, self.node(depth), self.node(depth))

    def plain(self, depth: int) -> Any:
        return self.random.choice([1, "text", None, 2.5])

    def shared(self, depth: int) -> Any:
        return self.random.choice(self.made) if self.made else self.node(depth)


def suggested(package: Any, seed: int) -> list[Any]:
    """What three calls of random search give for a random space: values, and configurations."""
    space, trials = Spaces(package, seed).space(), package.Trials()
    domain = package.Domain(None, space)
    found = []
    for i in range(3):
        (doc,) = package.rand.suggest([i], domain, trials, seed + i)
        values = {k: v[0] for k, v in doc["misc"]["vals"].items() if len(v)}
        found.append((plain(values), plain(package.space_eval(space, values))))
    return found


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    return value.item() if isinstance(value, np.generic) else value


def hyperopts() -> Any:
    """Hyperopt, which is imported by tests that run: it takes as long as all files here."""
    import hyperopt

    return hyperopt


def accepted(make: Callable[[Any, int], Any], seed: int) -> Any:
    """What Hyperopt makes; None where it fails by itself, as it does on some shared nodes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return make(hyperopts(), seed)
        except Exception:
            return None


@pytest.mark.parametrize("batch", range(10))
def test_random_spaces_give_hyperopts_points(batch: int) -> None:
    expected = {seed: accepted(suggested, seed) for seed in range(25 * batch, 25 * batch + 25)}
    expected = {seed: points for seed, points in expected.items() if points}
    assert len(expected) >= 15
    for seed, points in expected.items():
        assert suggested(ours, seed) == points, f"space {seed}"


def searched(package: Any, seed: int) -> tuple[Any, list[Any]]:
    trials, received = package.Trials(), []

    def objective(config: Any) -> float:
        received.append(plain(config))
        return float(len(received) % 3)

    package.fmin(
        objective,
        Spaces(package, seed).space(),
        package.rand.suggest,
        5,
        trials=trials,
        rstate=np.random.default_rng(seed),
        verbose=False,
    )
    return plain({label: list(values) for label, values in trials.vals.items()}), received


def test_runs_evaluate_hyperopts_points() -> None:
    expected = {seed: accepted(searched, seed) for seed in range(1000, 1020)}
    expected = {seed: points for seed, points in expected.items() if points}
    assert len(expected) >= 12
    for seed, points in expected.items():
        assert searched(ours, seed) == points, f"space {seed}"


def test_a_parameter_of_noise_without_a_label_is_drawn_as_hyperopt_draws_it() -> None:
    def points(package: Any, _: int = 0) -> Any:
        arm = package.hp.choice("arm", [0, 1])
        means = package.pyll.as_apply([-1, 0])
        noise = package.pyll.scope.normal(means[arm], 1, rng=np.random.default_rng(123))
        domain, trials = package.Domain(None, {"loss": noise, "status": "ok"}), package.Trials()
        docs = package.rand.suggest([0, 1, 2, 3], domain, trials, 7)
        return [plain(list(doc["misc"]["vals"]["arm"])) for doc in docs]

    assert points(ours) == points(hyperopts())
