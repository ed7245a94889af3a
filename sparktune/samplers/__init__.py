"""Samplers: `suggest(space, history, n, rng) -> (n, d)` rows, a pure function of its arguments."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from sparktune.history import View
from sparktune.space.distributions import Array
from sparktune.space.space import Space


class Sampler(Protocol):
    """An algorithm that suggests points. `suggest` is a pure function of its arguments.

    A sampler whose suggestions do not depend on results, but at most on earlier points, may have an
    attribute `learns` that is False. Its suggestions can then be made far ahead.
    """

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """Up to n rows, shape (<= n, d); fewer only when the space is exhausted. A study makes
        `rng` from the list [seed of the run, id of the first of these trials].
        """


def learns(sampler: Sampler) -> bool:
    """Whether suggestions depend on results."""
    return getattr(sampler, "learns", True) is not False


def seed_of(rng: np.random.Generator) -> int:
    """The seed of the run from a study's `rng`. It is the same for each `ask`."""
    generator: Any = rng.bit_generator
    sequence = getattr(generator, "seed_seq", None) or generator._seed_seq  # before numpy 1.25
    entropy = sequence.entropy
    return int(entropy[0] if isinstance(entropy, (list, tuple)) else entropy)
