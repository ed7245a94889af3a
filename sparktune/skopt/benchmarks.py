"""Functions to minimise, for tests and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = [
    "bench1",
    "bench1_with_time",
    "bench2",
    "bench3",
    "bench4",
    "bench5",
    "branin",
    "hart6",
]


def bench1(x: Sequence[float]) -> float:
    """x^2: 0 at 0."""
    return x[0] ** 2


def bench1_with_time(x: Sequence[float]) -> tuple[float, float]:
    """x^2, and 2.22 seconds."""
    return x[0] ** 2, 2.22


def bench2(x: Sequence[float]) -> float:
    """Two valleys: -5 at 5, and 0 at -5."""
    return x[0] ** 2 if x[0] < 0 else (x[0] - 5) ** 2 - 5


def bench3(x: Sequence[float]) -> float:
    """sin(5 x) (1 - tanh(x^2)): about -0.9 at about -0.3."""
    return float(np.sin(5 * x[0]) * (1 - np.tanh(x[0] ** 2)))


def bench4(x: Sequence[Any]) -> float:
    """The square of a number that is given as a string: 0 at "0"."""
    return float(x[0]) ** 2


def bench5(x: Sequence[Any]) -> float:
    """The sum of the squares of a number given as a string and of a number: 0 at ("0", 0)."""
    return float(float(x[0]) ** 2 + x[1] ** 2)


def branin(
    x: Sequence[float],
    a: float = 1,
    b: float = 5.1 / (4 * np.pi**2),
    c: float = 5.0 / np.pi,
    r: float = 6,
    s: float = 10,
    t: float = 1.0 / (8 * np.pi),
) -> float:
    """Branin's function on [-5, 10] x [0, 15]: 0.397887 at (-pi, 12.275), (pi, 2.275) and (9.42478,
    2.475).
    """
    u, v = x
    return float(a * (v - b * u**2 + c * u - r) ** 2 + s * (1 - t) * np.cos(u) + s)


_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hart6(x: Sequence[float], alpha: Any = _ALPHA, P: Any = _P, A: Any = _A) -> float:
    """Hartmann's function on [0, 1]^6: -3.32237 at about (0.2017, 0.15, 0.4769, 0.2753, 0.3117,
    0.6573).
    """
    return -float(np.sum(alpha * np.exp(-np.sum(A * (np.asarray(x) - P) ** 2, axis=1))))
