"""A mixture of samplers: each point is suggested by one of them, drawn by its probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

import numpy as np

from sparktune.arguments import is_real
from sparktune.errors import InvalidArgument
from sparktune.history import View
from sparktune.samplers import Sampler, learns, random, tpe
from sparktune.samplers._options import with_options
from sparktune.samplers.algorithms import resolve
from sparktune.space.distributions import Array
from sparktune.space.space import Space


def pairs_of(p_suggest: Any) -> list[tuple[float, Any]]:
    """The (probability, member) pairs of a mixture.

    Raises:
        InvalidArgument: `p_suggest` has another form, or the probabilities are not >= 0 with sum 1.
    """
    if not isinstance(p_suggest, (list, tuple)) or not all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in p_suggest
    ):
        raise InvalidArgument(
            "mix.suggest: p_suggest must be a list of (probability, sampler) pairs, for "
            f"example [(0.2, rand.suggest), (0.8, tpe.suggest)]; got {p_suggest!r}"
        )
    p = [pair[0] for pair in p_suggest]
    if not all(is_real(each) and each >= 0 for each in p) or not isclose(sum(p), 1.0):
        raise InvalidArgument(f"mix.suggest: the probabilities must be >= 0 and sum to 1, got {p}")
    return [(float(each), member) for each, member in p_suggest]


@dataclass(frozen=True)
class Mix:
    """Several samplers, each with a share of the suggestions.

    Args:
        p_suggest: (probability, sampler) pairs, where probabilities are >= 0 and sum to 1. A member
            is a sampler, its name, or a `functools.partial` of one with options.

    Raises:
        InvalidArgument: `p_suggest` is not such a list.
    """

    p_suggest: Sequence[tuple[float, Sampler]] = ((0.5, tpe.suggest), (0.5, random.suggest))

    def __post_init__(self) -> None:
        members = tuple(
            (p, resolve(member, "a member of p_suggest")) for p, member in pairs_of(self.p_suggest)
        )
        object.__setattr__(self, "p_suggest", members)

    __call__ = with_options

    @property
    def learns(self) -> bool:
        """Whether a member does."""
        return any(p > 0 and learns(member) for p, member in self.p_suggest)

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d). A sampler sees the points of earlier members as pending trials. If
        one has no more points, the others continue. Fewer rows only if all have no more.
        """
        X = np.empty((0, len(space)))
        members = [(p, member) for p, member in self.p_suggest if p > 0]
        while members and len(X) < n:
            p = np.array([weight for weight, _ in members])
            counts = rng.multinomial(n - len(X), p / p.sum()).tolist()
            exhausted = []
            for (_, member), count in zip(members, counts, strict=True):
                known = history.with_pending(X)
                rows = member.suggest(space, known, count, rng) if count else X[:0]
                exhausted.append(len(rows) < count)
                X = np.vstack([X, rows])
            members = [each for each, done in zip(members, exhausted, strict=True) if not done]
        return X


suggest = Mix()
"""Half TPE, half random search; `partial(mix.suggest, p_suggest=[...])` for others."""
