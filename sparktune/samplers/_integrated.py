"""The expected improvement averaged over hyperparameters (Snoek et al. 2012, arXiv:1206.2944,
section 3.1): each of several processes has hyperparameters drawn from their posterior.

    K                number of processes
    values  (K, m)   logarithm of the expected improvement by each process at m rows
    average (m,)     log(sum over the processes of exp(values) / K)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sparktune.samplers._acquisition import Acquisition
from sparktune.samplers._search import Search, climb
from sparktune.samplers._seen import Seen
from sparktune.space.distributions import Array
from sparktune.surrogates._process import Process


@dataclass(frozen=True)
class Integrated(Search):
    """A search with several models, each with an acquisition of its own whose values are
    logarithms. `process` and `acquisition` are the first of them.
    """

    parts: tuple[tuple[Process, Acquisition], ...] = ()

    def score(self, X: Array) -> Array:
        """The logarithm of the average, with the prior's part."""
        Z = self.embedding.features(X)
        values = np.array([acquisition(*process.predict(Z)) for process, acquisition in self.parts])
        found: Array = np.logaddexp.reduce(values) - np.log(len(values)) + self.prior(X)
        return found

    def climb(self, z: Array) -> tuple[float, Array]:
        """The logarithm of the average at features z (p,), and its gradient (p,)."""
        found = [climb(process, acquisition, z) for process, acquisition in self.parts]
        values = np.array([value for value, _ in found])
        total = float(np.logaddexp.reduce(values))
        slopes = np.array([slope for _, slope in found])
        return total - float(np.log(len(values))), np.exp(values - total) @ slopes

    def several(self, n: int, seen: Seen, rng: np.random.Generator) -> Iterator[Array]:
        """Up to n new points, each after the models believe to know those before it."""
        search = self
        for _ in range(n):
            row = search.first_new(search.best_first(rng), seen, rng)
            if row is None:
                return
            yield row
            search = search.after(row)

    def after(self, row: Array) -> Integrated:
        """The search after a row (d,) has been chosen."""
        z = self.embedding.features(row[None])
        parts = tuple(
            (process.believing(z), acquisition.believing(float(process.mean(z)[0])))
            for process, acquisition in self.parts
        )
        return replace(self, parts=parts)
