"""Annealing: a draw from the prior, narrowed around one of the best trials (Hyperopt's anneal).

T        finished trials with a usable loss in which a parameter was active
shrink   1 / (1 + T * shrink_coef): share of the prior's width that is left, shape (d,)
base     rows of the trials to draw around, shape (n, d)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparktune.arguments import is_real
from sparktune.history import View
from sparktune.samplers._options import require, with_options
from sparktune.space.distributions import Array, Categorical, Distribution
from sparktune.space.space import Space


@dataclass(frozen=True)
class Anneal:
    """Random search that draws ever closer to the best trials. The rate is fixed. Only the order of
    the losses matters.

    Args:
        avg_best_idx: mean rank of the trial to draw around, 1 being the best trial. Ranks have a
            geometric distribution; with 1 it is always the best trial.
        shrink_coef: how fast the draws narrow. 0 keeps them as wide as the prior.
    """

    avg_best_idx: float = 2.0
    shrink_coef: float = 0.1

    def __post_init__(self) -> None:
        best, shrink = self.avg_best_idx, self.shrink_coef
        require(self, "avg_best_idx", is_real(best) and 1 <= best < np.inf, "a number >= 1")
        require(self, "shrink_coef", is_real(shrink) and 0 <= shrink < np.inf, "a number >= 0")

    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d), each drawn around a trial of its own. Parameters that are inactive
        in that trial are drawn from the prior.
        """
        ok = np.flatnonzero(history.ok)
        if not len(ok):
            return space.sample(rng, n)
        ranked = history.X[ok[np.argsort(history.loss[ok], kind="stable")]]
        shrink = 1 / (1 + self.shrink_coef * np.count_nonzero(~np.isnan(ranked), axis=0))
        base = ranked[np.minimum(rng.geometric(1 / self.avg_best_idx, n), len(ok)) - 1]
        X = np.empty((n, len(space)))
        for j, column in enumerate(space.columns):
            X[:, j] = column.distribution.ppf(rng.random(n))
            used = ~np.isnan(base[:, j])
            X[used, j] = _around(column.distribution, base[used, j], shrink[j], rng)
        return space.masked(X)


def _around(prior: Distribution, x: Array, shrink: float, rng: np.random.Generator) -> Array:
    """A draw for each value of x, from the prior narrowed to `shrink` of its width around x."""
    if isinstance(prior, Categorical):
        drawn = prior.ppf(rng.random(len(x)))
        return np.where(rng.random(len(x)) < shrink, drawn, x)
    z = prior.to_latent(x)
    width = shrink * prior.scale
    if prior.normal:
        return prior.from_latent(z + width * rng.standard_normal(len(x)))
    start = np.clip(z - width / 2, prior.low, prior.high - width)
    return prior.from_latent(start + width * rng.random(len(x)))


suggest = Anneal()
"""Annealing with its defaults: `fmin(..., algo=anneal.suggest)`."""
