"""GP-Hedge: a portfolio of acquisition functions (Brochu, Hoffman and de Freitas 2011,
arXiv:1009.5419, algorithm 2), as in scikit-optimize.

    gains    (3,)     for EI, LCB and PI: minus the sum of the losses that later models predict at
                      the points each of them proposed
    tops     (3, d)   the points that EI, LCB and PI propose now

Losses are in the model's unit, in which their standard deviation is about 1. The choice therefore
does not depend on the unit of the objective.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from sparktune.skopt._acquire import HEDGED
from sparktune.skopt._guides import Guide
from sparktune.space.distributions import Array


@dataclass(frozen=True, eq=False)
class Portfolio:
    """The gains and proposals when `size` losses are known."""

    gains: Array
    tops: Array
    size: int

    @staticmethod
    def empty() -> Portfolio:
        """Return the portfolio without gains, for use before the first model."""
        return Portfolio(np.zeros(len(HEDGED)), np.empty((0, 0)), 0)

    def after(self, guide: Guide, size: int) -> Portfolio:
        """Return the portfolio updated with the model of `size` losses. It is a pure function of
        this portfolio and the model.
        """
        gains = self.gains
        if len(self.tops) and size > self.size:
            gains = gains - guide.mean(self.tops)
        seed = [size, zlib.crc32(guide.losses.tobytes())]
        tops = [guide.best_first(name, np.random.default_rng(seed))[0] for name in HEDGED]
        return Portfolio(gains, np.array(tops), size)

    def chosen(self, eta: float, rng: np.random.Generator) -> int:
        """Draw the index of an acquisition function with probability proportional to
        exp(eta * gain).
        """
        p = np.exp(eta * (self.gains - self.gains.max()))
        return int(rng.choice(len(p), p=p / p.sum()))
