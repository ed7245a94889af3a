"""`Optimizer`: ask for points, tell their losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt._bridge import Bridge
from sparktune.skopt._models import Models
from sparktune.skopt._results import create_result
from sparktune.skopt._suggest import Suggestions
from sparktune.skopt.optimizer import _options
from sparktune.skopt.optimizer._told import check_losses, plain
from sparktune.skopt.space.dimension import generator
from sparktune.skopt.utils import (
    check_x_in_space,
    cook_initial_point_generator,
    is_2Dlistlike,
)
from sparktune.study import Study
from sparktune.trial import Status, Trial

STRATEGIES = ("cl_min", "cl_mean", "cl_max")


class Optimizer:
    """Suggests points of a space, of which the losses are told; a `sparktune.Study` inside.

    Args:
        dimensions: the space, as for `Space`.
        base_estimator: "GP", "RF", "ET", "GBRT", "DUMMY" (random points), or a regressor whose
            `predict` takes `return_std`.
        n_random_starts: the former name of `n_initial_points`.
        n_initial_points: points that must have been told before the model takes over.
        initial_point_generator: "random", "sobol", "halton", "hammersly", "lhs", "grid" or an
            `InitialPointGenerator`.
        n_jobs: for models that have it.
        acq_func: "EI", "LCB", "PI", "gp_hedge" (one of these three, the more likely the smaller the
            losses are that models expect where it led), "MES", "PVRS"; or "EIps", "PIps", for which
            (loss, seconds) is told.
        acq_optimizer: "auto", "sampling" or "lbfgs"; the latter only for models with gradients. The
            search is the same: of many points the best, from there along the gradient.
        random_state: None, a seed or a generator.
        model_queue_size: how many models results show; None: all.
        space_constraint: a function of a point that says whether it may be.
        acq_func_kwargs: xi (0.01) and kappa (1.96, or "inf") of the acquisitions, eta (1.0) of
            "gp_hedge", n_thompson of "PVRS"; others are taken, and not needed.
        acq_optimizer_kwargs: n_points, n_restarts_optimizer, n_jobs: taken, and not needed.
        avoid_duplicates: whether a point that was tried is not suggested again while there are
            others.

    Attributes:
        space, study, Xi, yi, models, rng: the space as models see it, the study inside, the points
            and losses that were told (infinite where an evaluation failed), the models, the
            generator.

    Raises:
        ValueError: an argument is wrong.
    """

    def __init__(
        self,
        dimensions: Any,
        base_estimator: Any = "gp",
        n_random_starts: int | None = None,
        n_initial_points: int = 10,
        initial_point_generator: Any = "random",
        n_jobs: int = 1,
        acq_func: str = "gp_hedge",
        acq_optimizer: str = "auto",
        random_state: Any = None,
        model_queue_size: int | None = None,
        space_constraint: Callable[[list[Any]], bool] | None = None,
        acq_func_kwargs: dict[str, Any] | None = None,
        acq_optimizer_kwargs: dict[str, Any] | None = None,
        avoid_duplicates: bool = True,
    ) -> None:
        self._arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self._arguments.update(n_random_starts=None, random_state=None)
        self.specs = {"args": {**self._arguments}, "function": "Optimizer"}
        self.rng = generator(random_state)
        n_initial_points = _options.initial_points(n_initial_points, n_random_starts)
        self._arguments["n_initial_points"] = self.n_initial_points_ = n_initial_points
        self.acq_func = _options.known_acquisition(acq_func)
        self.acq_func_kwargs = acq_func_kwargs
        self.max_model_queue_size = model_queue_size
        self.base_estimator_ = _options.model_of(
            base_estimator, dimensions, self.rng, n_jobs, self.acq_func
        )
        self.acq_optimizer = _options.searched_by(
            acq_optimizer, self.base_estimator_, self.acq_func
        )
        self.space = _options.space_of(dimensions, self.base_estimator_, space_constraint)
        self.bridge = Bridge.of(self.space)
        self.Xi: list[list[Any]] = []
        self.yi: list[Any] = []
        self.cache_: dict[tuple[int, str], list[Any]] = {}
        self._next: list[Any] | None = None
        self._sizes: list[int] = []
        self._asked: dict[tuple[Any, ...], list[int]] = {}
        self._taken: set[int] = set()
        sampler = Suggestions(
            self.bridge,
            _options.suggesting_model(self.base_estimator_),
            self.acq_func,
            _options.acquisition_options(acq_func_kwargs),
            n_initial_points,
            self._design(initial_point_generator, n_initial_points),
            avoid_duplicates,
        )
        self.sampler = sampler
        self.study = Study(self.bridge.columns, sampler, seed=int(self.rng.randint(2**31 - 1)))

    def _design(self, generator: Any, n: int) -> list[list[Any]]:
        """The initial points of a generator that the constraint allows."""
        cooked = cook_initial_point_generator(generator)
        if cooked is None:
            return [self.space.rvs(random_state=self.rng)[0] for _ in range(n)]
        if not n:
            return []
        points = cooked.generate(self.space.dimensions, n, random_state=self.rng)
        return [point for point in points if point in self.space]

    # Ask

    def ask(self, n_points: int | None = None, strategy: str = "cl_min") -> Any:
        """The next point; or several.

        Once the model has taken over, the same one until something is told. Points that were asked
        for and have not been told are known to the model, and no other point is near them.

        Args:
            n_points: None, one point; or how many, as a list.
            strategy: what each of several points takes the losses of those before it for, and of
                others that have not been told (the constant liar of Ginsbourger et al. 2010): the
                smallest so far ("cl_min", which stays near good points), their mean ("cl_mean") or
                the largest ("cl_max", which goes elsewhere). For one point it is what the model
                expects.

        Raises:
            ValueError: an argument is wrong.
        """
        if n_points is None:
            if self._next is None:
                modelled = self._modelled()
                (point,) = self._points(1)
                self._next = point if modelled else None
                return point
            return list(self._next)
        if (
            not isinstance(n_points, (int, np.integer))
            or isinstance(n_points, bool)
            or n_points < 1
        ):
            raise InvalidArgument(f"n_points should be int > 0, got {n_points!r}")
        if strategy not in STRATEGIES:
            raise InvalidArgument(
                f"Expected parallel_strategy to be one of {STRATEGIES}, got {strategy!r}"
            )
        key = int(n_points), strategy
        if key not in self.cache_:
            first = [] if self._next is None else [list(self._next)]
            self.cache_[key] = first + self._lied(int(n_points) - len(first), strategy)
        return [list(point) for point in self.cache_[key]]

    def _lied(self, n: int, strategy: str) -> list[list[Any]]:
        """n points, of which each but the first one comes from a lie about those before."""
        self.sampler.lie = strategy
        try:
            return self._points(n)
        finally:
            self.sampler.lie = None

    def _modelled(self) -> bool:
        return self.sampler.modelled(self.study.history)

    def _points(self, n: int) -> list[list[Any]]:
        return [self._point(trial) for trial in self.study.ask(n)]

    def _point(self, trial: Trial) -> list[Any]:
        point = self.bridge.point(trial.values)
        self._asked.setdefault(self.bridge.key(point), []).append(trial.id)
        return point

    # Tell

    def tell(self, x: Any, y: Any, fit: bool = True) -> Any:
        """Record the loss of a point, or the losses of several; returns the result so far.

        A loss that is NaN or infinite is that of an evaluation that failed: the model takes it for
        worse than the worst, and results show it as infinite.

        Args:
            x: a point, whether it was asked for or not; or a list of points.
            y: its loss, with acquisitions per second (loss, seconds); or a list of them.
            fit: whether results show a model from now on.

        Raises:
            ValueError: the point is not in the space, or the loss is not a number.
            TypeError: seconds are missing.
        """
        x, y = plain(x), plain(y)
        if not isinstance(x, list):
            raise InvalidArgument(f"a point must be a list, got {x!r}")
        check_x_in_space(x, self.space)
        several = bool(len(x)) and is_2Dlistlike(x)
        check_losses(several, x, y, self.acq_func)
        points, losses = (x, y) if several else ([x], [y])
        for point, loss in zip(points, losses, strict=True):
            self._record(plain(point), loss)
        return self.told(fit)

    def told(self, fit: bool = True) -> Any:
        """The result after something was told."""
        self.cache_, self._next = {}, None
        if fit and self.base_estimator_ is not None and len(self.Xi) >= self.n_initial_points_:
            self._sizes.append(len(self.Xi))
            if self.max_model_queue_size is not None:
                del self._sizes[: -self.max_model_queue_size or None]
        return self.get_result()

    @property
    def timed(self) -> bool:
        """Whether seconds are told with losses."""
        return self.acq_func.endswith("ps")

    def check(self, point: Any) -> None:
        """Refuse a point that is not in the space.

        Raises:
            ValueError: it is not.
        """
        check_x_in_space(point, self.space)

    def _record(self, point: list[Any], y: Any) -> None:
        """Tell the study, and take over what it recorded."""
        loss, seconds = y if self.timed else (y, None)
        result: dict[str, Any] = {"status": "fail"}
        if np.isfinite(loss):
            result = {"status": "ok", "loss": float(loss)}
        if seconds is not None:
            result["seconds"] = float(seconds)
        ids = self._asked.get(self.bridge.key(point))
        values: Any = ids.pop(0) if ids else self.bridge.values(point)
        trial = self.study.tell(values, result)
        self.take(trial, point)

    def take(self, trial: Trial, point: list[Any] | None = None) -> bool:
        """Take over how a trial of the study ended; whether that is new."""
        if trial.status.pending or trial.status is Status.CANCELLED or trial.id in self._taken:
            return False
        self._taken.add(trial.id)
        loss = float("inf") if trial.status is not Status.OK or trial.loss is None else trial.loss
        self.Xi.append(self.bridge.point(trial.values) if point is None else point)
        if self.timed:
            seconds = (trial.result or {}).get("seconds")
            self.sampler.seconds[trial.id] = 1.0 if seconds is None else seconds
            self.yi.append((loss, self.sampler.seconds[trial.id]))
        else:
            self.yi.append(loss)
        return True

    # What there is

    def run(self, func: Callable[[list[Any]], Any], n_iter: int = 1) -> Any:
        """Evaluate `func` at the next `n_iter` points; returns the result."""
        for _ in range(n_iter):
            x = self.ask()
            self.tell(x, func(x))
        return self.get_result()

    def update_next(self) -> None:
        """Choose the next point again, after options have changed."""
        self.cache_, self._next = {}, None

    def copy(self, random_state: Any = None) -> Optimizer:
        """An optimizer with the same options that was told the same.

        Args:
            random_state: of the copy; None: drawn from this one's generator.
        """
        seed = int(self.rng.randint(2**31 - 1)) if random_state is None else random_state
        other = Optimizer(**{**self._arguments, "random_state": seed})
        if self.Xi:
            other.tell([list(x) for x in self.Xi], list(self.yi))
            other.sampler.portfolio = self.sampler.portfolio
        return other

    @property
    def gains_(self) -> Any:
        """The gains (3,) of "gp_hedge": of EI, LCB and PI, in standard deviations of the losses."""
        return self.sampler.portfolio.gains.copy()

    @property
    def models(self) -> Any:
        """The models, one for each time that losses were told to it; fitted when looked at."""
        if self.base_estimator_ is None:
            return []
        sizes = tuple(self._sizes)
        return Models(self.base_estimator_, self.bridge, self.Xi, self.yi, sizes)

    def get_result(self) -> Any:
        """The result so far, as the minimizers return it.

        Raises:
            ValueError: nothing was told.
        """
        if not self.Xi:
            raise InvalidArgument("there is no result before a loss was told")
        return create_result(
            list(self.Xi), self.yi, self.space, self.rng, self.specs, models=self.models
        )
