"""Halton's points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt.sampler.base import InitialPointGenerator


class Halton(InitialPointGenerator):
    """Halton's points (Halton 1960), scrambled: a scrambled van der Corput sequence in each
    dimension.

    Args:
        min_skip, max_skip: as many points are left out; a random number from this range.
        primes: the bases, one for each dimension; None: the first primes.
    """

    def __init__(
        self, min_skip: int = 0, max_skip: int = 0, primes: Sequence[int] | None = None
    ) -> None:
        self.min_skip = min_skip
        self.max_skip = max_skip
        self.primes = primes

    def cube(self, n_dim: int, n_samples: int, rng: np.random.RandomState) -> Any:
        """n points (n, d) of the unit cube.

        Raises:
            ValueError: there are fewer primes than dimensions.
        """
        primes = first_primes(n_dim) if self.primes is None else list(self.primes)
        if len(primes) < n_dim:
            raise InvalidArgument(f"{n_dim} dimensions need as many primes, got {primes}")
        skip = self.min_skip
        if self.max_skip > self.min_skip:
            skip = int(rng.randint(self.min_skip, self.max_skip + 1))
        return np.column_stack([_column(n_samples, p, skip, rng) for p in primes[:n_dim]])


def first_primes(n: int) -> list[int]:
    """The first n primes."""
    found: list[int] = []
    candidate = 2
    while len(found) < n:
        if all(candidate % p for p in found):
            found.append(candidate)
        candidate += 1
    return found


def _column(n: int, base: int, skip: int, rng: np.random.RandomState) -> Any:
    """Numbers skip to skip + n (n,) of the van der Corput sequence of a base, with a random
    permutation of each digit (Owen 2017, arXiv:1706.02808), down to the precision of a float.
    """
    indices = np.arange(skip, skip + n)
    column, weight = np.zeros(n), 1.0 / base
    while weight > 1e-16:
        column += rng.permutation(base)[indices % base] * weight
        indices = indices // base
        weight /= base
    return np.minimum(column, 1 - 1e-16)
