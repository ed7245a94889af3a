"""`fmin` with Hyperopt's behaviour, and related functions. All of them call sparktune's `fmin`."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sparktune import minimize
from sparktune.documents import Document
from sparktune.hyperopt._algorithms import sampler_of
from sparktune.hyperopt._documents import spec_from_misc
from sparktune.hyperopt._domain import Domain
from sparktune.hyperopt._pickles import loads_own
from sparktune.hyperopt._run import run
from sparktune.hyperopt._trials import Trials
from sparktune.trial import STATUS_NEW


def fmin(
    fn: Callable[..., Any],
    space: Any,
    algo: Any = None,
    max_evals: int | None = None,
    timeout: float | None = None,
    loss_threshold: float | None = None,
    trials: Any = None,
    rstate: Any = None,
    allow_trials_fmin: bool = True,
    pass_expr_memo_ctrl: bool | None = None,
    catch_eval_exceptions: bool = False,
    verbose: bool = True,
    return_argmin: bool = True,
    points_to_evaluate: list[dict[str, Any]] | None = None,
    max_queue_len: int = 1,
    show_progressbar: Any = True,
    early_stop_fn: Any = None,
    trials_save_file: str = "",
) -> Any:
    """Minimise `fn` over `space` as `sparktune.fmin` does, with the behaviour of Hyperopt's `fmin`.

    Args are those of `sparktune.fmin`, with these differences:
        rstate: if it is a `numpy.random.Generator`, `rand.suggest` and algorithms with Hyperopt's
            signature draw their seeds from it as in Hyperopt. Random search, one trial at a time,
            then suggests the same points as Hyperopt. Seeds that earlier runs on these trials used
            are skipped, so the same `rstate` continues the search.
        algo: also a function `(new_ids, domain, trials, seed) -> documents`, which is asked for
            `max_queue_len` points at a time.
        trials: documents that were inserted since the last `refresh`, as by
            `generate_trials_to_calculate`, are evaluated in addition to `max_evals`. If the class
            of trials overrides `fmin`, that method is called, unless `allow_trials_fmin=False`.
        points_to_evaluate: points may lie outside the bounds of the space.
        trials_save_file: the file may come from Hyperopt. It is read in the way of `load_trials`.
            If its results contain more than plain data, it is unpickled, which can run code that
            the file contains.

    Returns:
        {label: value} of the best trial. With `return_argmin=False`, the best configuration, or
        None if every trial raised, crashed or was cancelled.
    """
    trials = _new() if trials is None else trials
    own = getattr(type(trials), "fmin", Trials.fmin)
    if allow_trials_fmin and own is not Trials.fmin:
        return trials.fmin(
            fn,
            space,
            algo=algo,
            max_evals=max_evals,
            timeout=timeout,
            loss_threshold=loss_threshold,
            max_queue_len=max_queue_len,
            rstate=rstate,
            pass_expr_memo_ctrl=pass_expr_memo_ctrl,
            verbose=verbose,
            catch_eval_exceptions=catch_eval_exceptions,
            return_argmin=return_argmin,
            show_progressbar=show_progressbar,
            early_stop_fn=early_stop_fn,
            trials_save_file=trials_save_file,
        )
    return run(
        trials,
        fn,
        space,
        algo=algo,
        max_evals=max_evals,
        timeout=timeout,
        loss_threshold=loss_threshold,
        rstate=rstate,
        pass_expr_memo_ctrl=pass_expr_memo_ctrl,
        catch_eval_exceptions=catch_eval_exceptions,
        verbose=verbose,
        return_argmin=return_argmin,
        points_to_evaluate=points_to_evaluate,
        max_queue_len=max_queue_len,
        show_progressbar=show_progressbar,
        early_stop_fn=early_stop_fn,
        trials_save_file=trials_save_file,
    )


def _new() -> Trials:
    trials = Trials()
    trials._restore = loads_own
    return trials


class FMinIter:
    """A run in steps. `run(n)` suggests and evaluates n more trials, `exhaust()` all that are left
    of `max_evals`; each step of an iteration evaluates one trial.

    Args:
        algo: an algorithm.
        domain: the objective and its space.
        trials: trials that decide where evaluations run, and record them.
        rstate: a `numpy.random.Generator`.
        asynchronous, poll_interval_secs: ignored; accepted for compatibility with Hyperopt.
        max_queue_len, max_evals, timeout, loss_threshold, verbose, show_progressbar,
            early_stop_fn, trials_save_file: as in `fmin`. The timeout starts now.
    """

    catch_eval_exceptions = False

    def __init__(
        self,
        algo: Any,
        domain: Domain,
        trials: Any,
        rstate: Any,
        asynchronous: bool | None = None,
        max_queue_len: int = 1,
        poll_interval_secs: float = 1.0,
        max_evals: int = sys.maxsize,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        verbose: bool = False,
        show_progressbar: Any = True,
        early_stop_fn: Any = None,
        trials_save_file: str = "",
    ) -> None:
        self.algo, self.domain, self.trials, self.rstate = algo, domain, trials, rstate
        self.asynchronous = trials.asynchronous if asynchronous is None else asynchronous
        self.max_queue_len, self.max_evals = max_queue_len, max_evals
        self.timeout, self.loss_threshold = timeout, loss_threshold
        self.verbose, self.show_progressbar = verbose, show_progressbar
        self.early_stop_fn, self.early_stop_args = early_stop_fn, list[Any]()
        self.trials_save_file = trials_save_file
        self.poll_interval_secs = poll_interval_secs
        self.start_time = time.monotonic()
        self._stopped = False
        self._sampler: Any = None

    def run(self, N: int, block_until_done: bool = True) -> None:
        """Evaluate the waiting trials and N new trials; returns when all of them have ended."""
        left = None
        if self.timeout is not None:
            left = self.timeout - (time.monotonic() - self.start_time)
            if left <= 0:
                return
        self.trials.refresh()
        domain, own = self.domain, self.domain.evaluates_itself
        objective = _evaluating(domain) if own else domain.fn
        if self._sampler is None:  # the next run uses the same sampler, so its seeds continue
            arguments = (objective, domain.expr, self.trials, self.rstate, self.max_queue_len)
            self._sampler = sampler_of(self.algo, *arguments)
        fmin(
            objective,
            domain.expr,
            self._sampler,
            len(self.trials) + N,
            left,
            self.loss_threshold,
            self.trials,
            self.rstate,
            allow_trials_fmin=False,
            pass_expr_memo_ctrl=own or domain.pass_expr_memo_ctrl,
            catch_eval_exceptions=self.catch_eval_exceptions,
            verbose=self.verbose,
            return_argmin=False,
            max_queue_len=self.max_queue_len,
            show_progressbar=self.show_progressbar,
            early_stop_fn=self._stop_early if self.early_stop_fn else None,
            trials_save_file=self.trials_save_file,
        )

    def _stop_early(self, trials: Any, *_: Any) -> tuple[bool, list[Any]]:
        """Call the user's early_stop_fn, and keep its state for the next `run`."""
        answer = self.early_stop_fn(trials, *self.early_stop_args)
        if isinstance(answer, tuple):
            self.early_stop_args = list(answer[1] or ())
            self._stopped = bool(answer[0])
        return answer  # type: ignore[no-any-return]

    def serial_evaluate(self, N: int = -1) -> None:
        """Evaluate at most N waiting trials; -1: all of them."""
        if N < 0:
            self.run(0)
            return
        rule, ends = self.early_stop_fn, self.trials.count_ended_trials() + N
        self.early_stop_fn = lambda trials: (trials.count_ended_trials() >= ends, [])
        try:
            self.run(0)
        finally:
            self.early_stop_fn, self._stopped, self.early_stop_args = rule, False, []

    def block_until_done(self) -> None:
        """Evaluate the waiting trials."""
        self.run(0)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._stopped or len(self.trials) >= self.max_evals:
            raise StopIteration
        before = self.trials.count_total_trials()
        self.run(1)
        if self.trials.count_total_trials() == before:
            raise StopIteration
        return self.trials

    def exhaust(self) -> FMinIter:
        """Evaluate trials until there are `max_evals`; returns self."""
        self.run(max(self.max_evals - len(self.trials), 0))
        return self


def _evaluating(domain: Domain) -> Callable[..., Any]:
    """Return an objective that calls the `evaluate` method of a user's domain."""

    def objective(expr: Any, memo: Any, ctrl: Any) -> Any:
        return domain.evaluate(spec_from_misc(ctrl.current_trial["misc"]), ctrl)

    return objective


def space_eval(space: Any, hp_assignment: Mapping[str, Any]) -> Any:
    """Return the configuration for {label: value}; see `sparktune.space_eval`."""
    return minimize.space_eval(space, hp_assignment)


def generate_trial(tid: Any, space: Mapping[str, Any]) -> Document:
    """Return the document of a new trial at the point {label: value}."""
    return {
        "state": 0,
        "tid": tid,
        "spec": None,
        "result": {"status": STATUS_NEW},
        "misc": {
            "tid": tid,
            "cmd": ("domain_attachment", "FMinIter_Domain"),
            "workdir": None,
            "idxs": {label: [tid] for label in space},
            "vals": {label: [value] for label, value in space.items()},
        },
        "exp_key": None,
        "owner": None,
        "version": 0,
        "book_time": None,
        "refresh_time": None,
    }


def generate_trials_to_calculate(points: list[dict[str, Any]]) -> Trials:
    """Return waiting trials at these points {label: value}, for `fmin(trials=...)`."""
    trials = Trials()
    trials.insert_trial_docs([generate_trial(tid, point) for tid, point in enumerate(points)])
    return trials


def fmin_pass_expr_memo_ctrl(f: Any) -> Any:
    """Decorate an objective that is to be called as `f(expr=, memo=, ctrl=)`."""
    f.fmin_pass_expr_memo_ctrl = True
    return f


def partial(fn: Any, **kwargs: Any) -> Any:
    """Like `functools.partial`, but keep the mark that `fmin_pass_expr_memo_ctrl` sets."""
    made: Any = functools.partial(fn, **kwargs)
    if hasattr(fn, "fmin_pass_expr_memo_ctrl"):
        made.fmin_pass_expr_memo_ctrl = fn.fmin_pass_expr_memo_ctrl
    return made
