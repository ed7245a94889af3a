"""A sampler that needs no choice of algorithm.

A Gaussian process (`gp`) makes the first 20 suggestions and then two of three, a process without a
trend makes the others. The first one finds smooth valleys in few trials, but may stay in one that
is not the best. The second one knows distances only, needs more trials, and leaves it. Both learn
from all trials.

Where losses are noisy, every fifth suggestion from the 20th on is instead a point that has been
evaluated and may be the best (`standing`). What comes back tells the noise. Where it is the same
loss as before, there is none, and soon nothing is repeated any more.

A suggestion of a process takes milliseconds, and more with more trials. It must not keep slots
waiting. With many slots the process therefore makes fewer suggestions, as many as the driver can
make while ten-second trials run, and TPE (`tpe`) makes the others, as it does of many suggestions
at once. The cost is predicted from the numbers of trials, parameters and slots, and never measured,
so that equal histories give equal suggestions.

    N   trials so far
    d   parameters
    W   slots: pending trials and requested suggestions together
    n   suggestions requested at once
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.history import View
from sparktune.samplers import gp, tpe
from sparktune.samplers._options import require, with_options
from sparktune.samplers.prior import Belief, read
from sparktune.samplers.standing import Standing
from sparktune.space.distributions import Array
from sparktune.space.space import Space

logger = logging.getLogger("sparktune")

_THIRD = 3
"""One of this many suggestions is not of the process with a trend."""

_FIRST = 20
"""The process with a trend makes all of this many first suggestions."""

_AT_ONCE = 16
"""Of more suggestions at once TPE makes the others, so that there is no second process to fit."""

_FIFTH = 5
"""After the first ones, one of this many suggestions is a repeated one."""

_NOISY = 0.002
"""Smallest noise for which points are repeated, as a share of the variance of (warped) losses."""

_BUSY = 0.5
"""The share of the driver's time that suggestions may use."""

_TRIAL = 10_000.0
"""Duration in milliseconds of the trials for which slots stay busy."""


@dataclass(frozen=True)
class Auto:
    """A Gaussian process with and without a trend in turn. With many slots TPE takes turns of
    theirs. Where losses are noisy, every fifth suggestion repeats a good point, so that
    `study.recommended` is more than the luckiest trial; not with a scheduler of budgets.

    Args:
        prior: where good values are likely to be, {label: hp.* parameter}; see `prior`.
        repeats: what happens once every point of a finite space has been tried. False: the run
            ends. True: points are tried again, which suits a noisy objective.
    """

    prior: Mapping[str, Any] | Belief | None = None
    repeats: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "prior", read(self.prior))
        require(self, "repeats", isinstance(self.repeats, bool), "True or False")

    __call__ = with_options

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d). Fewer if every point of a finite space is tried or running. The
        rows of the process with a trend come first, those of points that are evaluated again last.
        """
        N, d, slots = len(history), len(space), int(history.pending.sum()) + n
        one_in = turns(N, d, slots, n)
        if N == 0 or one_in != turns(N - 1, d, slots, n):
            logger.info("%s", described(d, slots, one_in))
        places = N + np.arange(n)
        turns_to_repeat = repeating(places, one_in)
        again = repeated(space, history, int(turns_to_repeat.sum()))
        if len(again):
            history = history.with_pending(again)
            places = places[~turns_to_repeat]
        count = int(modelled(places, one_in).sum())
        process = gp.suggest(prior=self.prior, repeats=self.repeats)
        X = process.suggest(space, history, count, rng)
        known, left = history.with_pending(X), len(places) - len(X)
        rest = other(process, one_in, n).suggest(space, known, left, rng)
        return np.vstack([X, rest, again])


def cost(N: int, d: int, slots: int, n: int) -> float:
    """The expected cost in milliseconds of each of n suggestions of the process, close to what
    `tests/benchmarks/suggest` measures.
    """
    single = 8 + 0.03 * min(N, 300) + 0.1 * min(slots, 256) + 0.4 * d
    return single * max(1 / n, 0.06)


def turns(N: int, d: int, slots: int, n: int) -> int:
    """The process uses one of this many of its turns, TPE uses the others."""
    allowed = _BUSY * _TRIAL / max(slots, 1)
    return max(ceil(cost(N, d, slots, max(n, 1)) / allowed), 1)


def modelled(places: NDArray[np.intp], one_in: int) -> NDArray[np.bool_]:
    """Which of the trials with these numbers are suggested by the process with a trend."""
    turn, place = np.divmod(places, _THIRD)
    early = (places < _FIRST) | (place < _THIRD - 1)
    mine: NDArray[np.bool_] = early & (turn % one_in == 0)
    return mine


def other(process: gp.GaussianProcess, one_in: int, n: int) -> gp.GaussianProcess | tpe.TPE:
    """The sampler of those of n suggestions that the process with a trend does not make."""
    second = one_in == 1 and n <= _AT_ONCE
    return process(trend=False) if second else tpe.suggest(repeats=process.repeats)


def repeating(places: NDArray[np.intp], one_in: int) -> NDArray[np.bool_]:
    """Which of the trials with these numbers repeat a point if losses are noisy."""
    turn, place = np.divmod(places, _FIFTH)
    mine: NDArray[np.bool_] = (places >= _FIRST) & (place == _FIFTH - 1) & (turn % one_in == 0)
    return mine


def repeated(space: Space, history: View, n: int) -> Array:
    """n points to evaluate again, shape (n, d); none, (0, d), without noise."""
    if not (n and len(space) and history.repeatable and history.comparable.any()):
        return np.empty((0, len(space)))
    standing = Standing.of(space, history)
    if standing.v <= _NOISY:
        return np.empty((0, len(space)))
    return standing.running(history.X[history.pending]).again(n)


def described(d: int, slots: int, one_in: int) -> str:
    """The line for the log that names the sampler in use and the reason."""
    if one_in == 1:
        share = f"the first {_FIRST} suggestions and then two of three"
        others, why = "one without a trend", ""
    else:
        share, others = f"two of {_THIRD * one_in} suggestions", "TPE"
        why = f", as more of them would keep {slots} slots waiting"
    model = f"auto: a Gaussian process of {d} parameters makes {share}, {others} the others{why}"
    return f"{model}; if losses are noisy, one of {_FIFTH * one_in} repeats a good point"


suggest = Auto()
"""The defaults: `fmin(..., algo="auto")`."""
