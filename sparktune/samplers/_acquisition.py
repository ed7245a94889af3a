"""Acquisition functions: how much a point is worth evaluating, by a model's prediction of its loss.
All are maximised. Positive ones are given as logarithms, because they are tiny almost everywhere.

    mean, sd   of the loss at a point
    best       the loss to improve on
    t          (best - mean) / sd
    phi, Phi   density and distribution function of the standard normal distribution
    h(t)       phi(t) + t Phi(t)
    noise      standard deviation of the noise of one evaluation
    q          sqrt(sd^2 + noise^2)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sparktune.space.distributions import Array

_LOG_2PI_2 = 0.5 * np.log(2 * np.pi)


class Acquisition(Protocol):
    """A function of mean and standard deviation."""

    def __call__(self, mean: Array, sd: Array) -> Array:
        """The values (m,) of the acquisition."""

    def slopes(self, mean: float, sd: float) -> tuple[float, float]:
        """Its derivatives with respect to mean and sd at one point."""

    def believing(self, mean: float) -> Acquisition:
        """The acquisition after a loss `mean` is believed to be known."""


@dataclass(frozen=True)
class LogEI:
    """log(sd h(t)), the logarithm of the expected improvement on `best` (Jones et al. 1998; Ament
    et al. 2023, arXiv:2310.20708, eq. 9).

    With noise it is the logarithm of the augmented expected improvement (Huang et al. 2006, J.
    Global Optim. 34, eq. 11): the expected improvement times 1 - noise / q, which is small where an
    evaluation would tell little because the noise hides what is not known yet.
    """

    best: float
    noise: float = 0.0

    def __call__(self, mean: Array, sd: Array) -> Array:
        """The values (m,) of the acquisition."""
        q = np.hypot(sd, self.noise)
        found: Array = log_h((self.best - mean) / sd) + np.log(sd)
        # 1 - noise / q = sd^2 / (q (q + noise)), without a difference of nearly equal numbers
        found += 2 * np.log(sd) - np.log(q) - np.log(q + self.noise)
        return found

    def slopes(self, mean: float, sd: float) -> tuple[float, float]:
        """(-Phi(t), phi(t)) / (sd h(t)), the latter with the slope of log(1 - noise / q)."""
        from scipy.special import log_ndtr

        t, q = (self.best - mean) / sd, float(np.hypot(sd, self.noise))
        h = float(log_h(np.array(t)))
        learned = 2 / sd - sd / q * (1 / q + 1 / (q + self.noise))
        rise = float(np.exp(_log_phi(t) - h)) / sd
        return -float(np.exp(log_ndtr(t) - h)) / sd, rise + learned

    def believing(self, mean: float) -> Acquisition:
        """The improvement on the smaller of both."""
        return LogEI(min(self.best, mean), self.noise)


@dataclass(frozen=True)
class LogPI:
    """log Phi(t), the logarithm of the probability of an improvement on `best` (Kushner 1964)."""

    best: float

    def __call__(self, mean: Array, sd: Array) -> Array:
        """The values (m,) of the acquisition."""
        from scipy.special import log_ndtr

        found: Array = log_ndtr((self.best - mean) / sd)
        return found

    def slopes(self, mean: float, sd: float) -> tuple[float, float]:
        """phi(t) / Phi(t) times (-1, -t) / sd."""
        from scipy.special import log_ndtr

        t = (self.best - mean) / sd
        rise = float(np.exp(_log_phi(t) - log_ndtr(t))) / sd
        return -rise, -t * rise

    def believing(self, mean: float) -> Acquisition:
        """The improvement on the smaller of both."""
        return LogPI(min(self.best, mean))


@dataclass(frozen=True)
class Bound:
    """kappa sd - mean: how low the loss may be (Srinivas et al. 2010)."""

    kappa: float

    def __call__(self, mean: Array, sd: Array) -> Array:
        """The values (m,) of the acquisition."""
        found: Array = self.kappa * sd - mean
        return found

    def slopes(self, mean: float, sd: float) -> tuple[float, float]:
        """(-1, kappa)."""
        return -1.0, self.kappa

    def believing(self, mean: float) -> Acquisition:
        """The same."""
        return self


@dataclass(frozen=True)
class Exploration:
    """The standard deviation, where the loss may well be below a threshold (pure exploration of
    Song et al. 2024, arXiv:2408.11527, section 4.3): sd - 10 max(0, mean - sd / 2 - threshold).
    """

    threshold: float

    def __call__(self, mean: Array, sd: Array) -> Array:
        """The values (m,) of the acquisition."""
        found: Array = sd - 10 * np.maximum(mean - 0.5 * sd - self.threshold, 0.0)
        return found

    def slopes(self, mean: float, sd: float) -> tuple[float, float]:
        """(0, 1) below the threshold, (-10, 6) above."""
        return (0.0, 1.0) if mean - 0.5 * sd < self.threshold else (-10.0, 6.0)

    def believing(self, mean: float) -> Acquisition:
        """The same."""
        return self


ACQUISITIONS: dict[str, Callable[[float, float, float], Acquisition]] = {
    "logei": lambda best, noise, kappa: LogEI(best, noise),
    "ei": lambda best, noise, kappa: LogEI(best, noise),
    "pi": lambda best, noise, kappa: LogPI(best),
    "lcb": lambda best, noise, kappa: Bound(kappa),
    "ucb": lambda best, noise, kappa: Bound(kappa),
}
"""By name: functions of the loss to improve on, of the noise and of kappa that make an acquisition.
The expected improvement and its logarithm have the same maxima.
"""


def log_h(t: Array) -> Array:
    """log h(t), to full precision however small h is."""
    from scipy.special import erfcx, ndtr

    far = t < -1.0
    near, away = np.where(far, 0.0, t), np.where(far, t, -1.0)
    direct = np.log(np.exp(_log_phi(near)) + near * ndtr(near))
    # h = phi (1 + t Phi / phi), and Phi / phi = sqrt(pi / 2) erfcx(-t / sqrt(2)); for t -> -inf
    # the bracket is 1 / t^2 - 3 / t^4, in which the next term is 15 / t^6.
    bracket = 1 + away * np.sqrt(np.pi / 2) * erfcx(-away / np.sqrt(2))
    rest = np.where(away > -1e3, bracket, 1 / away**2 - 3 / away**4)
    return np.where(far, _log_phi(away) + np.log(rest), direct)


def _log_phi(t: Array | float) -> Array:
    found: Array = np.asarray(-0.5 * np.square(t) - _LOG_2PI_2)
    return found
