"""Quasi-random search: points that fill the space more evenly than independent draws do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from sparktune.arguments import is_whole
from sparktune.history import View
from sparktune.samplers import seed_of
from sparktune.samplers._options import require, with_options
from sparktune.space.distributions import Array
from sparktune.space.space import Space

KINDS = ("sobol", "halton", "lhs")


@dataclass(frozen=True)
class Quasi:
    """The points of one scrambled sequence in the unit cube, mapped by the inverse cdf of each
    prior. Losses do not matter: the next trial has the point at index len(history).

    A sequence must be scrambled in the same way throughout a run, while the generator of a study
    differs from ask to ask. The scrambling therefore follows from the seed of the run, or from a
    seed of its own.

    Args:
        kind: "sobol" (Sobol' 1967; best if the number of points is a power of two), "halton"
            (Halton 1960), or "lhs": consecutive Latin hypercubes (McKay et al. 1979).
        seed: seed of the scrambling. Studies with equal seeds try the same points. None: the seed
            of the run.
        block: number of points in one Latin hypercube; used by "lhs" only.

    Raises:
        InvalidArgument: an option is out of range.
    """

    kind: str = "sobol"
    seed: int | None = None
    block: int = 64

    def __post_init__(self) -> None:
        require(self, "kind", self.kind in KINDS, f"one of {', '.join(map(repr, KINDS))}")
        seeded = self.seed is None or (is_whole(self.seed) and self.seed >= 0)
        require(self, "seed", seeded, "an integer >= 0, or None for the seed of the run")
        require(self, "block", is_whole(self.block) and self.block >= 1, "an integer >= 1")

    learns = False
    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d)."""
        d = len(space)
        if d == 0 or n == 0:
            return np.empty((n, d))
        points = self._latin if self.kind == "lhs" else self._sequence
        seed = seed_of(rng) if self.seed is None else self.seed
        return space.from_unit(points(d, len(history), n, seed))

    def _sequence(self, d: int, start: int, n: int, seed: int) -> Array:
        """Points start to start + n of the sequence, shape (n, d)."""
        kind = qmc.Sobol if self.kind == "sobol" else qmc.Halton
        engine = kind(d, scramble=True, seed=np.random.default_rng(seed))
        if start:
            engine.fast_forward(start)
            drawn: Array = engine.random(n)
            return drawn
        # scipy warns of a first part of Sobol' points whose length is not a power of two.
        drawn = engine.random(1 << (n - 1).bit_length())
        return drawn[:n]

    def _latin(self, d: int, start: int, n: int, seed: int) -> Array:
        """Points start to start + n of the row of Latin hypercubes, shape (n, d)."""
        first, last = start // self.block, (start + n - 1) // self.block
        cubes = [
            qmc.LatinHypercube(d, seed=np.random.default_rng([seed, k])).random(self.block)
            for k in range(first, last + 1)
        ]
        skipped = start - first * self.block
        points: Array = np.concatenate(cubes)[skipped : skipped + n]
        return points


suggest = Quasi()
"""Sobol' points: `fmin(..., algo=quasi.suggest)`."""

halton = Quasi("halton")
"""Halton's points: `fmin(..., algo="halton")`."""

lhs = Quasi("lhs")
"""Latin hypercubes: `fmin(..., algo="lhs")`."""
