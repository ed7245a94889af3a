"""GP-Hedge: a portfolio of acquisitions (Brochu, Hoffman and de Freitas 2011, arXiv:1009.5419,
algorithm 2), as scikit-optimize has it.

    gains    (3,)     of EI, LCB and PI: minus the sum of the losses that a later model expects
                      where each of them led
    tops     (3, d)   where they lead now

Losses are in the model's unit, in which they have a standard deviation of about 1, so that what is
chosen does not depend on the unit of the objective.
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
    """The gains after `size` losses were known."""

    gains: Array
    tops: Array
    size: int

    @staticmethod
    def empty() -> Portfolio:
        """Before there is a model."""
        return Portfolio(np.zeros(len(HEDGED)), np.empty((0, 0)), 0)

    def after(self, guide: Guide, size: int) -> Portfolio:
        """What it is with the model of `size` losses: a pure function of this and of the model."""
        gains = self.gains
        if len(self.tops) and size > self.size:
            gains = gains - guide.mean(self.tops)
        seed = [size, zlib.crc32(guide.losses.tobytes())]
        tops = [guide.best_first(name, np.random.default_rng(seed))[0] for name in HEDGED]
        return Portfolio(gains, np.array(tops), size)

    def chosen(self, eta: float, rng: np.random.Generator) -> int:
        """The index of an acquisition, each as likely as exp(eta times its gain)."""
        p = np.exp(eta * (self.gains - self.gains.max()))
        return int(rng.choice(len(p), p=p / p.sum()))
