"""What each choice in a sampler is worth: TPE or `auto` against itself with one choice changed.

    python -m tests.benchmarks.ablate [--of tpe] [--seeds 5] [--workers 1] [--variants ...]

Measured on the development problems. `difference` is the variant's regret less that of the sampler
as it is, with a 95 % interval: above zero, the choice pays.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import log
from typing import Any
from unittest.mock import patch

import numpy as np

from sparktune.history import View
from sparktune.samplers import _branches, _parzen, _ratio, _search, _seen, _spread, auto, gp, tpe
from sparktune.samplers._parzen import Parzen, log_sums
from sparktune.samplers._points import Points
from sparktune.space.distributions import Array
from sparktune.space.layout import Layout
from sparktune.space.space import Space
from sparktune.surrogates import _evidence, _trend, warping
from sparktune.surrogates import gp as surrogate
from sparktune.surrogates._process import Process
from tests.benchmarks.contenders import own
from tests.benchmarks.problems import DEVELOPMENT
from tests.benchmarks.quality import BUDGETS
from tests.benchmarks.runs import Setting, normalised_regret
from tests.benchmarks.statistics import paired


@dataclass(frozen=True)
class Variant:
    """Options of the sampler, and names in its modules that stand for something else."""

    sampler: Any = tpe.suggest
    names: Mapping[tuple[Any, str], Any] = field(default_factory=dict)

    def regrets(self, setting: Setting, seeds: int) -> Array:
        """Regrets (problems, seeds, evaluations)."""
        contender = own("variant", self.sampler)
        surrogate._mode.cache_clear()  # of hyperparameters that another variant found
        with ExitStack() as stack:
            for (owner, name), value in self.names.items():
                stack.enter_context(patch.object(owner, name, value))
            return np.array(
                [
                    [normalised_regret(problem, contender, setting, seed) for seed in range(seeds)]
                    for problem in DEVELOPMENT
                ]
            )


@dataclass(frozen=True)
class Univariate:
    """TPE as hyperopt has it: each parameter takes the best of its own values among the draws,
    whatever the other parameters are.
    """

    def suggest(self, space: Space, history: View, n: int, rng: np.random.Generator) -> Array:
        """n rows, shape (n, d)."""
        sampler = tpe.suggest
        if history.ok.sum() < sampler.n_startup_jobs:
            return sampler.suggest(space, history, n, rng)
        good, bad = sampler.split(history)
        bad = np.append(bad, np.flatnonzero(history.pending))
        weights = tpe.bad_weights(np.where(history.ok, history.loss, np.inf)[bad])
        below = Parzen.fit(Points.of(space, history.X[good]), tpe.good_weights(len(good)), 1.0)
        above = Parzen.fit(Points.of(space, history.X[bad]), weights, 1.0)
        rows = []
        for _ in range(n):
            draws = _every_parameter(below, sampler.n_EI_candidates, rng)
            features = Points.of(space, draws).features()
            row = np.empty(len(space))
            for j, columns in _features_of(space.layout).items():
                log_l, log_g = (
                    log_sums(features[:, columns], each.coefficients[:, columns], np.log(each.w))
                    for each in (below, above)
                )
                row[j] = draws[np.argmax(log_l - log_g), j]
            rows.append(space.masked(row[None])[0])
        return np.array(rows).reshape(n, len(space))


def _every_parameter(mixture: Parzen, n: int, rng: np.random.Generator) -> Array:
    """Draws in which inactive parameters have values too."""
    with patch.object(Space, "masked", lambda space, X: X):
        return mixture.sample(rng, n)


def _features_of(layout: Layout) -> dict[int, list[int]]:
    """Which features belong to each column."""
    c, found = len(layout.numeric), {}
    for i, j in enumerate(layout.numeric.tolist()):
        found[j] = [i, c + i, 2 * c + i]
    start = 3 * c
    for j, options in zip(layout.categorical, layout.options, strict=True):
        found[j] = list(range(start, start + len(options)))
        start += len(options)
    return found


def gaps(points: Points) -> Array:
    """Hyperopt's bandwidths: the larger gap to the neighbours, the prior's mean being one."""
    n, c = points.z.shape
    z = np.vstack([points.z, np.zeros(c)])
    order = np.argsort(z, axis=0, kind="stable")
    gap = np.diff(np.take_along_axis(z, order, axis=0), axis=0)
    none = np.full((1, c), np.nan)
    s = np.empty_like(z)
    widest = np.fmax(np.vstack([none, gap]), np.vstack([gap, none]))
    np.put_along_axis(s, order, np.nan_to_num(widest, nan=1.0), axis=0)
    return np.maximum(np.clip(s[:-1], 1 / min(100, n + 2), 1.0), 0.3 * points.h)


def times(factor: float, bandwidths: Callable[[Points], Array]) -> Callable[[Points], Array]:
    """Bandwidths that are wider or narrower, whatever the least one is."""
    return lambda points: np.minimum(factor * bandwidths(points), 1.0)


def joint(sample: Callable[..., Array]) -> Callable[..., Array]:
    """Draws of which each has all parameters from one kernel."""
    return lambda mixture, rng, n, given=None: sample(mixture, rng, 2 * n, given)[::2]


def smoothed(factor: float) -> Callable[..., Array]:
    """Option probabilities with more or less weight on the prior."""
    plain = _parzen.option_probabilities
    return lambda prior, x, smoothing: plain(prior, x, factor * smoothing)


OF_TPE = {
    "univariate": Variant(Univariate()),
    "equal weights of the good trials": Variant(names={(tpe, "good_weights"): np.ones}),
    "equal weights of the bad trials": Variant(
        names={(tpe, "bad_weights"): lambda losses: np.ones(len(losses))}
    ),
    "all options from one kernel": Variant(names={(Parzen, "sample"): joint(Parzen.sample)}),
    "good and bad alike in all branches": Variant(names={(tpe, "_ENOUGH"): np.inf}),
    "the best of 24 branches drawn": Variant(names={(_branches, "_DRAWS"): 24}),
    "bandwidths by gaps": Variant(names={(_parzen, "bandwidths"): gaps}),
    "bandwidths x 0.5": Variant(names={(_parzen, "bandwidths"): times(0.5, _parzen.bandwidths)}),
    "bandwidths x 1.5": Variant(names={(_parzen, "bandwidths"): times(1.5, _parzen.bandwidths)}),
    "options smoothed half as much": Variant(
        names={(_parzen, "option_probabilities"): smoothed(0.5)}
    ),
    "options smoothed twice as much": Variant(
        names={(_parzen, "option_probabilities"): smoothed(2.0)}
    ),
    "random start-up": Variant(names={(_spread, "_CANDIDATES"): 1}),
    "start-up of 5": Variant(tpe.suggest(n_startup_jobs=5)),
    "start-up of 20": Variant(tpe.suggest(n_startup_jobs=20)),
    "gamma 0.1": Variant(tpe.suggest(gamma=0.1)),
    "gamma 0.25": Variant(tpe.suggest(gamma=0.25)),
    "8 candidates": Variant(tpe.suggest(n_EI_candidates=8)),
    "100 candidates": Variant(tpe.suggest(n_EI_candidates=100)),
    "prior weight 0.3": Variant(tpe.suggest(prior_weight=0.3)),
    "prior weight 3": Variant(tpe.suggest(prior_weight=3.0)),
    "points tried twice": Variant(names={(_seen.Seen, "_is_new"): lambda seen, row: True}),
    "40 bad trials in the model": Variant(names={(tpe, "_KERNELS"): 40}),
    "pending trials do not repel": Variant(names={(_ratio, "_WEIGHT"): 1e-12}),
    "pending trials repel more": Variant(names={(_ratio, "_WEIGHT"): 1.0}),
    "pending trials repel widely": Variant(
        names={(_ratio, "_WEIGHT"): 1.0, (_ratio, "_WIDTH"): 1.0}
    ),
}


def as_they_are(y: Array) -> tuple[Array, Array]:
    """Losses without a warp, and its slope."""
    scaled, _, scale = warping.centred(y)
    return scaled, np.full(len(y), 1 / scale)


OF_AUTO = {
    "the process alone": Variant(gp.suggest),
    "TPE alone": Variant(tpe.suggest),
    "a third of the first suggestions without a trend": Variant(
        auto.suggest, {(auto, "_FIRST"): 0}
    ),
    "every other suggestion without a trend": Variant(auto.suggest, {(auto, "_THIRD"): 2}),
    "bad losses as they are": Variant(
        auto.suggest, {(surrogate, "warped_with_slope"): as_they_are}
    ),
    "no trend": Variant(auto.suggest, {(_evidence, "_TREND"): (-14.0, 1e-3)}),
    "TPE instead of the process without a trend": Variant(
        auto.suggest, {(auto, "other"): lambda process, one_in, n: tpe.suggest}
    ),
    "no bowl": Variant(auto.suggest, {(_trend, "_BOWL"): 0.0}),
    "no level": Variant(auto.suggest, {(_trend, "_LEVEL"): 0.0}),
    "a level from the start": Variant(auto.suggest, {(_trend, "_GATHERED"): 0}),
    "hyperparameters not fitted": Variant(auto.suggest, {(surrogate, "_sizes"): lambda n: []}),
    "no way up the gradient": Variant(
        auto.suggest, {(_search.Search, "_climbed"): lambda search, x: x}
    ),
    "no more looks near promising points": Variant(auto.suggest, {(_search, "_ROUNDS"): 0}),
    "lengths half as long": Variant(auto.suggest, {(_evidence, "_LENGTH"): (log(0.25), 0.5)}),
    "lengths without a common part": Variant(
        auto.suggest, {(_evidence, "_LENGTH"): (log(0.5), 1.0), (_evidence, "_COMMON"): 1e-6}
    ),
    "all losses by asinh": Variant(auto.suggest, {(warping, "_MANY"): 10**9}),
    "bad losses alone by their logarithm": Variant(auto.suggest, {(warping, "_MANY"): 0}),
    "no point is evaluated again": Variant(
        auto.suggest, {(auto, "repeating"): lambda places, one_in: np.zeros(len(places), bool)}
    ),
    "the best loss is the one to improve on": Variant(
        auto.suggest, {(Process, "fitted"): property(lambda process: process.y)}
    ),
}
PLAIN = {"tpe": tpe.suggest, "auto": auto.suggest}
VARIANTS = {"tpe": OF_TPE, "auto": OF_AUTO}


def line(name: str, regrets: Array, plain: Array, budgets: Sequence[int]) -> str:
    """The results of a variant as text."""
    cells = [f"{name:<34}"]
    for budget in budgets:
        ours, theirs = (each[:, :, budget - 1] for each in (regrets, plain))
        difference = "" if regrets is plain else str(paired(ours, theirs))
        cells.append(f"{ours.mean():.4f} {difference:<26}")
    return "  ".join(cells).rstrip()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--of", choices=VARIANTS, default="tpe")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, choices=BUDGETS, default=1)
    parser.add_argument("--variants", nargs="+", help="some of them, by name; default: all")
    options = parser.parse_args()
    budgets = BUDGETS[options.workers]
    setting = Setting(options.workers, budgets[-1])
    plain = Variant(PLAIN[options.of]).regrets(setting, options.seeds)
    print(f"regret and difference after {', '.join(map(str, budgets))} evaluations")
    print(line("as it is", plain, plain, budgets), flush=True)
    variants = VARIANTS[options.of]
    for name in options.variants or variants:
        regrets = variants[name].regrets(setting, options.seeds)
        print(line(name, regrets, plain, budgets), flush=True)


if __name__ == "__main__":
    main()
