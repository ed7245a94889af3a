"""Hyperparameters drawn from their posterior by slice sampling along random lines (Neal 2003, Ann.
Stat. 31, fig. 3 and 5), as Spearmint does (Snoek et al. 2012, arXiv:1206.2944, section 3.1).

    theta     (g + 3,)   hyperparameters (`_evidence`)
    f                    their negative log density
    level                f may be at most this on the slice
    low, high            ends of the part of a line that is drawn from
"""

from __future__ import annotations

import numpy as np

from sparktune.surrogates import Array
from sparktune.surrogates._evidence import Evidence

_WIDTH = 1.0
"""The first width of the part of a line: the standard deviation of most priors."""

_OUT = 8
"""Widths that the part grows by at most."""

_APART = 4
"""Moves from one draw to the next."""


def draws(evidence: Evidence, start: Array, count: int, rng: np.random.Generator) -> list[Array]:
    """`count` draws of theta. The chain starts at `start`, a mode, or at the point within the
    bounds that is nearest to it: those of fewer observations may differ.
    """
    low, high = np.array(evidence.bounds()).T
    theta = np.clip(start, low, high)
    f = evidence(theta)[0]
    found = []
    for _ in range(count):
        for _ in range(_APART):
            theta, f = _moved(evidence, low, high, theta, f, rng)
        found.append(theta)
    return found


def _moved(
    evidence: Evidence, least: Array, most: Array, theta: Array, f: float, rng: np.random.Generator
) -> tuple[Array, float]:
    """The next theta of the chain, and its f; theta stays between `least` and `most`."""
    line = np.where(most > least, rng.standard_normal(len(theta)), 0.0)
    line /= np.linalg.norm(line)
    level = f + rng.exponential()

    def value(step: float) -> float:
        at = theta + step * line
        inside = (at >= least).all() and (at <= most).all()
        return evidence(at)[0] if inside else np.inf

    low = -_WIDTH * rng.random()
    high = low + _WIDTH
    left = int(rng.integers(_OUT + 1))
    for _ in range(left):
        if value(low) > level:
            break
        low -= _WIDTH
    for _ in range(_OUT - left):
        if value(high) > level:
            break
        high += _WIDTH
    while True:
        step = rng.uniform(low, high)
        if (f := value(step)) <= level:
            return theta + step * line, f
        low, high = (step, high) if step < 0 else (low, step)
