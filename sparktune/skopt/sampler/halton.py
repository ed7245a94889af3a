"""`Halton`: the points of a Halton sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.sampler.base import InitialPointGenerator


class Halton(InitialPointGenerator):
    """The points of a scrambled Halton sequence (Halton 1960). Each dimension has a scrambled van
    der Corput sequence.

    Args:
        min_skip, max_skip: range of the random number of points to skip at the start.
        primes: the bases, one for each dimension; None: the smallest primes.
    """

    def __init__(
        self, min_skip: int = 0, max_skip: int = 0, primes: Sequence[int] | None = None
    ) -> None:
        self.min_skip = min_skip
        self.max_skip = max_skip
        self.primes = primes

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """Return n points (n, d) in the unit cube.

        Raises:
            ValueError: there are fewer primes than dimensions.
        """
        primes = first_primes(n_dim) if self.primes is None else list(self.primes)
        if len(primes) < n_dim:
            raise InvalidArgument(f"{n_dim} dimensions need {n_dim} primes, got {primes}")
        skip = self.min_skip
        if self.max_skip > self.min_skip:
            skip = int(rng.randint(self.min_skip, self.max_skip + 1))
        return np.column_stack([_column(n_samples, p, skip, rng) for p in primes[:n_dim]])


def first_primes(n: int) -> list[int]:
    """Return the n smallest primes."""
    primes: list[int] = []
    candidate = 2
    while len(primes) < n:
        if all(candidate % p for p in primes):
            primes.append(candidate)
        candidate += 1
    return primes


def _column(n: int, base: int, skip: int, rng: np.random.RandomState) -> Any:
    """Return elements skip to skip + n - 1 (n,) of the van der Corput sequence in a base. Digits
    are permuted at random (Owen 2017, arXiv:1706.02808), down to the precision of a float.
    """
    indices = np.arange(skip, skip + n)
    column, weight = np.zeros(n), 1.0 / base
    while weight > 1e-16:
        column += rng.permutation(base)[indices % base] * weight
        indices = indices // base
        weight /= base
    return np.minimum(column, 1 - 1e-16)
