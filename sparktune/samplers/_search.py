"""The search for the points of a space with the largest acquisition.

It scores a thousand points, half of them drawn from the prior and half near the best evaluated
ones. It then scores points near the most promising ones: those that differ in one choice or grid
value, and random ones. From the best point it follows the gradient in the continuous parameters.

    X    (m, d)   rows
    Z    (m, p)   their features
    V    (n, m)   as in `surrogates/_process`
    mean, var     of the loss at the rows, (m,)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparktune.samplers._acquisition import Acquisition
from sparktune.samplers._embedding import Embedding
from sparktune.samplers._moves import filled, neighbours, perturbed
from sparktune.samplers._seen import Seen
from sparktune.samplers.prior import Belief
from sparktune.space.distributions import Array
from sparktune.surrogates._process import Process

_DRAWS, _NEAR = 512, 512
_ROUNDS, _STARTS, _AROUND = 2, 4, 32
_CLIMBS, _STEPS = 1, 20

_PROMISING = 384
"""Only this many of the most promising points get an exact score."""

_BEST = 5
"""Evaluated rows near which candidates lie."""

_KNOWN = 20
"""Evaluated rows that give their values to parameters that become active."""

OTHERS = 256
"""Random points to score if all other candidates have been tried."""

_DRAWN = 300
"""Points at which the posterior is drawn."""

_KEPT = 20
"""Candidates for each of several suggestions made at once."""

_PRIOR = 10.0
"""The weight of the log prior of parameters without bounds, over the number of observations
(Hvarfner et al. 2022, arXiv:2204.11051).
"""

_BELIEF = 5.0
"""After about this many observations a user's belief fades: its log density has the weight
(this / their number)^2. Without the square a wrong belief was not forgotten after 50.
"""


def looked_up(
    embedding: Embedding,
    score: Callable[[Array], Array],
    known: Array,
    rng: np.random.Generator,
    belief: Belief | None = None,
) -> tuple[Array, Array]:
    """Points from all of a space and near those with the largest scores, and their scores, the
    largest first. `known` (k, d) are the evaluated rows, the best first.
    """
    space = embedding.space
    top = known[rng.integers(min(_BEST, len(known)), size=_NEAR)]
    near = perturbed(embedding, top, known[:_KNOWN], rng)
    X = np.vstack([space.sample(rng, _DRAWS), near])
    if belief is not None:
        X = np.vstack([X, belief.sample(space, rng, _DRAWS)])
    scores = score(X)
    for _ in range(_ROUNDS):
        new = _around(embedding, X[in_order(scores)[:_STARTS]], known[:_KNOWN], rng)
        X, scores = np.vstack([X, new]), np.append(scores, score(new))
    order = in_order(scores)
    return X[order], scores[order]


def in_order(scores: Array) -> NDArray[np.intp]:
    """Indices of the scores, the largest first."""
    return np.argsort(-scores, kind="stable")


def _around(embedding: Embedding, top: Array, known: Array, rng: np.random.Generator) -> Array:
    near = np.vstack([neighbours(embedding.space, x, rng) for x in top])
    others = perturbed(embedding, np.repeat(top, _AROUND, axis=0), known, rng)
    return np.vstack([filled(embedding.space, near, known, rng), others])


def climb(process: Process, acquisition: Acquisition, z: Array) -> tuple[float, Array]:
    """The acquisition by a process at features z (p,), and its gradient (p,)."""
    mean, sd, d_mean, d_sd = process.gradients(z)
    by_mean, by_sd = acquisition.slopes(mean, sd)
    value = acquisition(np.array([mean]), np.array([sd]))
    return float(value[0]), by_mean * d_mean + by_sd * d_sd


@dataclass(frozen=True)
class Search:
    """A search in one space with one model. `known` (k, d) are the evaluated rows, the best first.
    Of several points searched for at once, the first maximises `acquisition`, the others `later`.
    """

    embedding: Embedding
    process: Process
    acquisition: Acquisition
    later: Acquisition
    known: Array
    belief: Belief | None = None

    def score(self, X: Array) -> Array:
        """The acquisition at the rows X, with the prior's part; -inf at rows of many that are not
        among the best even if nothing were known about them but the mean.
        """
        Z, prior = self.embedding.features(X), self.prior(X)
        mean = self.process.mean(Z)
        hopes = self.acquisition(mean, self.process.doubts(Z)) + prior
        best = in_order(hopes)[:_PROMISING]
        scores = np.full(len(X), -np.inf)
        sd = self.process.deviations(self.process.whitened(Z[best]), Z[best])
        scores[best] = self.acquisition(mean[best], sd) + prior[best]
        return scores

    def prior(self, X: Array) -> Array:
        """What the prior and the user's belief add to the score."""
        found = np.zeros(len(X))
        if self.embedding.normal.any():
            found += self._weight * self.embedding.log_prior(self.embedding.unit(X))[0]
        if self.belief is not None:
            weight = (_BELIEF / max(len(self.known), 1)) ** 2
            found += weight * self.belief.log_density(self.embedding.space, X)
        return found

    @property
    def _weight(self) -> float:
        return _PRIOR / max(len(self.known), 1)

    def best_first(self, rng: np.random.Generator) -> Array:
        """Many points, those with the largest acquisition first."""
        X, scores = looked_up(self.embedding, self.score, self.known, rng, self.belief)
        new = np.array([self._climbed(x) for x in X[:_CLIMBS]])
        X, scores = np.vstack([X, new]), np.append(scores, self.score(new))
        return X[in_order(scores)]

    def _climbed(self, x: Array) -> Array:
        """Where the gradient leads from x (d,) in its continuous parameters."""
        from scipy.optimize import minimize

        embedding = self.embedding
        free = embedding.continuous(x)
        if not len(free):
            return x
        line = embedding.line(x, free)
        u = embedding.unit(x[None])

        def falling(part: Array) -> tuple[float, Array]:
            u[0, free] = part
            z, jacobian = line(part)
            value, slope = self.climb(z)
            prior, pull = embedding.log_prior(u)
            rise = slope @ jacobian + self._weight * pull[0, free]
            return -value - self._weight * float(prior[0]), -rise

        end = minimize(
            falling, u[0, free], jac=True, method="L-BFGS-B", bounds=embedding.bounds[free],
            options={"maxiter": _STEPS, "maxfun": 2 * _STEPS},
        )  # fmt: skip
        u[0, free] = end.x
        found: Array = x.copy()
        found[embedding.layout.numeric[free]] = embedding.values(u)[0, free]
        return found

    def climb(self, z: Array) -> tuple[float, Array]:
        """The acquisition at features z (p,), and its gradient (p,)."""
        return climb(self.process, self.acquisition, z)

    def several(self, n: int, seen: Seen, rng: np.random.Generator) -> Iterator[Array]:
        """Up to n new points. Each is believed to have the loss that the model expects, so that the
        others keep away from it, where the model is certain (Desautels et al. 2014, GP-BUCB).
        """
        pool = self.best_first(rng)
        beliefs = _Beliefs.of(self, pool[: _KEPT * n]) if n > 1 else None
        ordered = pool
        for _ in range(n):
            row = self.first_new(ordered, seen, rng)
            if row is None:
                return
            yield row
            if beliefs is not None:
                beliefs = beliefs.after(row)
                ordered = beliefs.best_first()

    def first_new(self, ordered: Array, seen: Seen, rng: np.random.Generator) -> Array | None:
        """The first new one of the rows (m, d), or the best of other new points; None if there are
        none.
        """
        row = seen.first_new(ordered)
        if row is None:
            others = seen.others(OTHERS, rng)
            row = seen.first_new(others[in_order(self.score(others))]) if len(others) else None
        return row

    def drawn(self, n: int, seen: Seen, rng: np.random.Generator) -> Iterator[Array]:
        """Up to n new points, each where the loss is smallest in a draw from the posterior
        (Thompson 1933), among those with the largest acquisition.
        """
        pool = self.best_first(rng)[:_DRAWN]
        for draw in self.process.sample(self.embedding.features(pool), n, rng):
            row = seen.first_new(pool[in_order(-draw)])
            if row is None:
                row = seen.first_new(seen.others(OTHERS, rng))
            if row is None:
                return
            yield row


@dataclass(frozen=True)
class _Beliefs:
    """The process's prediction at the rows of a pool, as more losses are believed to be known."""

    search: Search
    process: Process
    acquisition: Acquisition
    X: Array
    Z: Array
    V: Array
    mean: Array
    prior: Array

    @staticmethod
    def of(search: Search, X: Array) -> _Beliefs:
        """The beliefs before anything is chosen."""
        Z = search.embedding.features(X)
        mean, _ = search.process.predict(Z)
        V = search.process.whitened(Z)
        return _Beliefs(search, search.process, search.later, X, Z, V, mean, search.prior(X))

    def after(self, row: Array) -> _Beliefs:
        """The beliefs after a row (d,) has been chosen."""
        z = self.search.embedding.features(row[None])
        acquisition = self.acquisition.believing(float(self.process.predict(z)[0][0]))
        process = self.process.believing(z)
        V = process.extended(self.V, self.Z)
        return replace(self, process=process, acquisition=acquisition, V=V)

    def best_first(self) -> Array:
        """The rows, those with the largest acquisition first."""
        sd = self.process.deviations(self.V, self.Z)
        return self.X[in_order(self.acquisition(self.mean, sd) + self.prior)]
