"""What runs on many problems say about two samplers.

Arrays of regrets have the shape (problems, seeds, evaluations), or (problems, seeds) at one number
of evaluations. Runs of two samplers on the same problem with the same seed are paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % confidence interval."""

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """For differences of regret: which side of zero the interval is on."""
        return "ahead" if self.high < 0 else "behind" if self.low > 0 else "open"

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def paired(ours: Array, theirs: Array, samples: int = 10_000) -> Interval:
    """The mean difference of two arrays (problems, seeds), ours less theirs.

    The interval is a two-level bootstrap: problems are drawn with replacement, then the seeds of
    each.
    """
    difference = ours - theirs
    problems, seeds = difference.shape
    rng = np.random.default_rng(0)
    p = rng.integers(problems, size=(samples, problems, 1))
    s = rng.integers(seeds, size=(samples, problems, seeds))
    means = difference[p, s].mean(axis=(1, 2))
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(difference.mean()), float(low), float(high))


def ranks(regrets: Mapping[str, Array]) -> dict[str, float]:
    """The mean rank of each sampler over problems and seeds, 1 for the best; ties share theirs."""
    values = np.array(list(regrets.values()))
    better = (values[:, None] > values[None] + 1e-12).sum(axis=1)
    equal = (np.abs(values[:, None] - values[None]) <= 1e-12).sum(axis=1)
    mean = (better + (equal + 1) / 2).mean(axis=(1, 2))
    return dict(zip(regrets, mean.tolist(), strict=True))


def evaluations_ratio(ours: Array, theirs: Array, budget: int) -> float:
    """How many evaluations we need for their result, as a share of theirs.

    Their result is the median over seeds of their regret after `budget` evaluations of a problem.
    A run of ours that never reaches it counts as if it did right after its end. The median over
    seeds, then the geometric mean over problems.
    """
    shares = []
    for our, their in zip(ours, theirs, strict=True):
        target = np.median(their[:, budget - 1]) + 1e-12
        reached = our <= target
        needed = np.where(reached.any(axis=1), reached.argmax(axis=1), our.shape[1]) + 1
        shares.append(np.median(needed) / budget)
    return float(np.exp(np.mean(np.log(shares))))


def by_kind(kinds: list[str], ours: Array, theirs: Array) -> dict[str, float]:
    """Our mean regret as a share of theirs, for each kind of problem; regrets (problems, seeds)."""
    found = {}
    for kind in dict.fromkeys(kinds):
        mine = np.array([each == kind for each in kinds])
        found[kind] = float(ours[mine].mean() / max(theirs[mine].mean(), 1e-12))
    return found
