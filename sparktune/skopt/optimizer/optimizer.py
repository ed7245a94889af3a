"""`Optimizer`: ask for points and tell their losses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.skopt._bridge import Bridge
from sparktune.skopt._models import Models
from sparktune.skopt._results import create_result
from sparktune.skopt._suggest import Suggestions
from sparktune.skopt.optimizer import _options
from sparktune.skopt.optimizer._losses import check_losses, plain
from sparktune.skopt.space.dimension import generator
from sparktune.skopt.utils import check_x_in_space, is_2Dlistlike
from sparktune.study import Study
from sparktune.trial import Status, Trial


class Optimizer:
    """Suggests points of a space and learns from their losses, by means of a `sparktune.Study`.
    Threads can share an optimizer: each of them gets points of its own.

    Args:
        dimensions: the search space, as for `Space`.
        base_estimator: "GP", "RF", "ET", "GBRT", "DUMMY" (random points), or a regressor whose
            `predict` takes `return_std`.
        n_random_starts: deprecated name of `n_initial_points`.
        n_initial_points: number of losses that must be told before the model is used.
        initial_point_generator: "random", "sobol", "halton", "hammersly", "lhs", "grid" or an
            `InitialPointGenerator`.
        n_jobs: passed to models that have this parameter.
        acq_func: "EI", "LCB", "PI", "MES", "PVRS"; "EIps" and "PIps", for which (loss, seconds) is
            told; or "gp_hedge", which draws EI, LCB or PI, preferring the function whose proposals
            have the smallest predicted losses.
        acq_optimizer: "auto", "sampling" or "lbfgs", which needs a model with gradients. The search
            does not depend on it: the best of many points, then gradient ascent if possible.
        random_state: None, a seed or a generator.
        model_queue_size: number of models in a result, the newest; None: all.
        space_constraint: a function that returns whether a point is allowed.
        acq_func_kwargs: xi (0.01) and kappa (1.96, or "inf") of the acquisition functions, eta
            (1.0) of "gp_hedge", n_thompson (10) of "PVRS"; others are ignored.
        acq_optimizer_kwargs: n_points, n_restarts_optimizer and n_jobs; all are ignored.
        avoid_duplicates: whether to suggest evaluated points again only if no others are left.

    Attributes:
        space: the space with the transformations that the model needs.
        study: the `sparktune.Study` that records the trials.
        Xi, yi: the points and losses told so far; the loss of a failed evaluation is infinite.
        models: the fitted models.
        rng: the random generator.

    Raises:
        ValueError: an argument is invalid.
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
        self.acq_optimizer = _options.search_method(
            acq_optimizer, self.base_estimator_, self.acq_func
        )
        self.space = _options.space_of(dimensions, self.base_estimator_, space_constraint)
        self.bridge = Bridge.of(self.space)
        self.Xi: list[list[Any]] = []
        self.yi: list[Any] = []
        self.cache_: dict[tuple[int, str, int], list[Any]] = {}
        self._next: dict[int, list[Any]] = {}
        self._lock = threading.RLock()
        self._sizes: list[int] = []
        self._asked: dict[tuple[Any, ...], list[int]] = {}
        self._taken: set[int] = set()
        sampler = Suggestions(
            self.bridge,
            _options.suggesting_model(self.base_estimator_),
            self.acq_func,
            _options.acquisition_options(acq_func_kwargs),
            n_initial_points,
            _options.design(initial_point_generator, self.space, n_initial_points, self.rng),
            avoid_duplicates,
        )
        self.sampler = sampler
        self.study = Study(self.bridge.columns, sampler, seed=int(self.rng.randint(2**31 - 1)))

    # Ask

    def ask(self, n_points: int | None = None, strategy: str = "cl_min") -> Any:
        """Return the next point, or a list of several points.

        Once the model is used, calls in one thread return the same point until a loss is told, and
        other threads get other points. No point near a pending one is suggested.

        Args:
            n_points: number of points, returned as a list; None: one point, not in a list.
            strategy: the loss assumed for pending points and for earlier points of the list
                (constant liar, Ginsbourger et al. 2010): the smallest loss so far ("cl_min", stays
                near good points), the mean ("cl_mean") or the largest ("cl_max", explores). For
                one point, the prediction of the model is assumed.

        Raises:
            ValueError: an argument is invalid.
        """
        if n_points is None:
            with self._lock:
                return self._next_point()
        n = _options.check_batch(n_points, strategy)
        with self._lock:
            return self._next_points(n, strategy)

    def _next_point(self) -> list[Any]:
        thread = _thread()
        if thread not in self._next:
            modelled = self.sampler.modelled(self.study.history)
            (point,) = self._points(1)
            if not modelled:
                return point
            self._next[thread] = point
        return list(self._next[thread])

    def _next_points(self, n: int, strategy: str) -> list[list[Any]]:
        thread = _thread()
        key = n, strategy, thread
        if key not in self.cache_:
            first = [list(self._next[thread])] if thread in self._next else []
            self.cache_[key] = first + self._liar_points(n - len(first), strategy)
        return [list(point) for point in self.cache_[key]]

    def _liar_points(self, n: int, strategy: str) -> list[list[Any]]:
        """Return n points suggested with a constant liar."""
        self.sampler.lie = strategy
        try:
            return self._points(n)
        finally:
            self.sampler.lie = None

    def _points(self, n: int) -> list[list[Any]]:
        return [self._point(trial) for trial in self.study.ask(n)]

    def _point(self, trial: Trial) -> list[Any]:
        point = self.bridge.point(trial.values)
        self._asked.setdefault(self.bridge.key(point), []).append(trial.id)
        return point

    # Tell

    def tell(self, x: Any, y: Any, fit: bool = True) -> Any:
        """Record the loss of a point, or the losses of several points; returns the result so far.

        A loss of NaN or infinity means that the evaluation failed. The model treats it as worse
        than the worst loss, and results show it as infinite.

        Args:
            x: a point, which need not have been asked for; or a list of points.
            y: the loss, or (loss, seconds) for "EIps" and "PIps"; or a list of them.
            fit: whether to add a model of all losses so far to the result.

        Raises:
            ValueError: a point is not in the space, or a loss is not a number.
            TypeError: seconds are missing.
        """
        x, y = plain(x), plain(y)
        if not isinstance(x, list):
            raise InvalidArgument(f"a point must be a list, got {x!r}")
        check_x_in_space(x, self.space)
        several = bool(len(x)) and is_2Dlistlike(x)
        check_losses(several, x, y, self.acq_func)
        points, losses = (x, y) if several else ([x], [y])
        with self._lock:
            for point, loss in zip(points, losses, strict=True):
                self._record(plain(point), loss)
            return self.refresh(fit)

    def refresh(self, fit: bool = True) -> Any:
        """Forget the next points and, with `fit`, add a model; returns the result so far."""
        self.update_next()
        if fit and self.base_estimator_ is not None and len(self.Xi) >= self.n_initial_points_:
            self._sizes.append(len(self.Xi))
            if self.max_model_queue_size is not None:
                del self._sizes[: -self.max_model_queue_size or None]
        return self.get_result()

    @property
    def timed(self) -> bool:
        """Whether the acquisition function needs seconds as well as losses."""
        return self.acq_func.endswith("ps")

    def _record(self, point: list[Any], y: Any) -> None:
        """Tell the study the loss of a point, and add the evaluation to Xi and yi."""
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
        """Add a trial that has ended to Xi and yi; returns whether it was added."""
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

    # Results

    def run(self, func: Callable[[list[Any]], Any], n_iter: int = 1) -> Any:
        """Evaluate `func` at the next `n_iter` points; returns the result."""
        for _ in range(n_iter):
            x = self.ask()
            self.tell(x, func(x))
        return self.get_result()

    def update_next(self) -> None:
        """Forget the next point, so that `ask` suggests a new one."""
        self.cache_, self._next = {}, {}

    def copy(self, random_state: Any = None) -> Optimizer:
        """Return an optimizer with the same options and the same points and losses.

        Args:
            random_state: a seed or a generator for the copy; None: drawn from `rng`.
        """
        seed = int(self.rng.randint(2**31 - 1)) if random_state is None else random_state
        other = Optimizer(**{**self._arguments, "random_state": seed})
        if self.Xi:
            other.tell([list(x) for x in self.Xi], list(self.yi))
            other.sampler.portfolio = self.sampler.portfolio
        return other

    @property
    def gains_(self) -> Any:
        """The gains (3,) of EI, LCB and PI in "gp_hedge", in standard deviations of the losses."""
        return self.sampler.portfolio.gains.copy()

    @property
    def models(self) -> Any:
        """The models, one for each call of `tell` once the model is used; fitted on access."""
        if self.base_estimator_ is None:
            return []
        sizes = tuple(self._sizes)
        return Models(self.base_estimator_, self.bridge, self.Xi, self.yi, sizes)

    def get_result(self) -> Any:
        """The result so far, as the minimizers return it.

        Raises:
            ValueError: no loss has been told.
        """
        if not self.Xi:
            raise InvalidArgument("there is no result yet; tell the loss of a point first")
        return create_result(
            list(self.Xi), self.yi, self.space, self.rng, self.specs, models=self.models
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.RLock())


def _thread() -> int:
    """The identity of the current thread; 0 for the main thread, also of other processes."""
    current = threading.current_thread()
    return 0 if current is threading.main_thread() else threading.get_ident()
