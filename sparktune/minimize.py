"""`fmin`, which is `tune` with Hyperopt's names and types, and `space_eval`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sparktune import loop
from sparktune.annotated import annotated, by_keyword, is_annotated
from sparktune.arguments import whole
from sparktune.errors import AllTrialsFailed, InvalidArgument
from sparktune.executors.platforms import Platform
from sparktune.executors.seams import Executor
from sparktune.executors.task import Task
from sparktune.limits import seed_of, stopper_of
from sparktune.observers.progress import BarFactory, bar_on_stderr
from sparktune.observers.saving import Saving
from sparktune.options import OR_NONE
from sparktune.parallel_trials import SparkTrials
from sparktune.samplers.algorithms import resolve
from sparktune.saved_trials import trials_of
from sparktune.schedulers import Scheduler, ladder
from sparktune.space.space import Space
from sparktune.stopping import Stopper
from sparktune.study import Study
from sparktune.trial import Scalar, Trial
from sparktune.trials import Trials
from sparktune.tuning import tune


def fmin(
    fn: Callable[..., Any],
    space: Any,
    algo: Any = None,
    max_evals: int | None = None,
    timeout: float | None = None,
    loss_threshold: float | None = None,
    trials: Trials | None = None,
    rstate: Any = None,
    allow_trials_fmin: bool = True,
    pass_expr_memo_ctrl: bool | None = None,
    catch_eval_exceptions: bool = False,
    verbose: bool = True,
    return_argmin: bool = True,
    points_to_evaluate: list[dict[str, Any]] | None = None,
    max_queue_len: int = 1,
    show_progressbar: bool | Literal["live"] | BarFactory = True,
    early_stop_fn: Callable[..., Any] | Stopper | None = None,
    trials_save_file: str = "",
    *,
    seed: int | None = None,
    journal: str | os.PathLike[str] | None = None,
    scheduler: Scheduler | None = None,
    tracking: Any = None,
    checkpoints: str | os.PathLike[str] | None = None,
) -> Any:
    """Minimise `fn` over `space`.

    Args:
        fn: the objective. It is called with one configuration of the space and returns a loss (a
            number), or a dict with `status` ('ok' or 'fail') and, if ok, `loss`; other keys of the
            dict are stored in the trial's result.
        space: nested dicts, lists and tuples with `hp.*` parameters; or "annotated", if the
            arguments of `fn` are annotated with parameters, which are then passed by keyword.
        algo: `tpe.suggest` (default), `rand.suggest`, `functools.partial(tpe.suggest, gamma=0.3)`,
            "tpe", "random", "anneal", "sobol", "halton", "lhs", "grid", or any object with
            `suggest(space, history, n, rng)`.
        max_evals: number of trials in `trials` at the end of the run, including those of earlier
            calls; None: no limit.
        timeout: seconds after which the run ends. Trials on Spark are then cancelled; a trial in
            this process (`Trials()`) is finished first.
        loss_threshold: the run ends once a loss is below this threshold.
        trials: `Trials()` (default), `SparkTrials(...)` or `ThreadTrials(...)`, which decides where
            trials are evaluated, and records them.
        rstate: a `numpy.random.Generator`, a `RandomState` or an int that seeds the run.
        allow_trials_fmin: ignored; accepted for compatibility with Hyperopt.
        pass_expr_memo_ctrl: whether to call `fn(expr=..., memo=..., ctrl=...)` with the expression
            of the space, the values of its parameter nodes and a `Ctrl`. Only with `Trials()` and
            `ThreadTrials`.
        catch_eval_exceptions: with `Trials()`, whether to record exceptions of the objective
            instead of raising them. `SparkTrials` and `ThreadTrials` always record them.
        verbose: False: show no progress bar.
        return_argmin: False: return the best configuration, as the objective received it.
        points_to_evaluate: points {label: value} to evaluate first, in addition to `max_evals`. The
            value of a choice is the index of its option. Points that `trials` already has are not
            evaluated again.
        max_queue_len: with `Trials()`, number of suggestions made before they are evaluated.
            Parallel runs choose this number themselves.
        show_progressbar: False, True, "live" for a summary beside the bar in a notebook, or a
            function `(initial, total)` that returns a progress bar as a context manager.
        early_stop_fn: `no_progress_loss(...)`, a stopping rule of `sparktune.stopping`, or a
            function `(trials, *state) -> (stop, state)` that is called after trials end.
        trials_save_file: path of a file to which `trials` is pickled. If the file exists and
            `trials` is not given or empty, the run continues from it. Unpickling can run code that
            the file contains, so name only files that your own runs wrote.
        seed: an integer that determines the suggestions, together with the results; None: the
            environment variable HYPEROPT_FMIN_SEED, or else random.
        journal: path (or URL, with the extra `remote`) of a file that records every suggestion and
            result. The same call with the same path continues the run, however it ended: results
            are read, unfinished trials are evaluated again, and the seed is that of the journal.
            Values that JSON cannot hold are stored in files beside the journal.
        scheduler: gives configurations increasing budgets, such as `ASHA(min_budget=1,
            max_budget=81)`. `fn` then also gets `budget=`, and `state=` if it has this argument;
            `max_evals` counts configurations; see `tune`. None: full evaluations.
        tracking: "mlflow", or `MlflowObserver(...)` with options: log the run to MLflow, with a
            child run for each trial.
        checkpoints: a folder (an absolute path) or a URL that all workers can write to, for large
            states; see `tune`.

    Returns:
        {label: value} of the best trial's active parameters, where the value of a choice is the
        index of its option. With `return_argmin=False`, the best configuration, or None if no
        trials were to be evaluated.

    Raises:
        InvalidArgument, BadSearchSpace: an argument or the space is invalid; nothing was evaluated.
        JournalFailed: the journal cannot be written; the results so far are in `trials`.
        AllTrialsFailed: no trial returned a usable loss; the message has the first failure's
            traceback.
        Exception: the objective raised it, with `Trials()` and without `catch_eval_exceptions`.
    """
    if not callable(fn):
        raise InvalidArgument(f"fn must be a function of one configuration, got {fn!r}")
    trials = trials_of(trials, trials_save_file)
    objective, space = annotated(fn) if is_annotated(space) else (fn, space)
    parsed = space if isinstance(space, Space) else Space(space)
    limit = None if max_evals is None else whole("max_evals", max_evals, 0, OR_NONE)
    objective, on = _objective(fn, objective, parsed, trials, pass_expr_memo_ctrl, scheduler)
    stop = stopper_of(trials, timeout, loss_threshold, early_stop_fn)
    points = _checked_points(parsed, points_to_evaluate)
    raise_errors = not (catch_eval_exceptions or trials.catches_errors)
    quiet = callable(show_progressbar) or show_progressbar == "live"
    bar = show_progressbar if quiet else bar_on_stderr
    with trials.studied(parsed, resolve(algo), seed_of(seed, rstate), scheduler) as study:
        tune(
            objective,
            parsed,
            on=on(whole("max_queue_len", max_queue_len, 1)),
            max_trials=limit,
            stop=stop,
            start=points,
            seed=seed,
            journal=journal,
            observers=[trials.observe, *_saving(trials, trials_save_file)],
            errors="raise" if raise_errors else "record",
            deterministic=trials.lag is not None,
            progress=bar if verbose and show_progressbar else False,
            study=study,
            tracking=tracking,
            checkpoints=checkpoints,
        )
    return _result(parsed, study, trials, return_argmin)


def space_eval(space: Any, assignment: Mapping[str, Any]) -> Any:
    """Return the configuration for {label: value}, as the objective receives it.

    Args:
        space: a search space, or a `Space` such as `study.space`.
        assignment: values as `fmin` returns them, or as `misc['vals']` of a trial has them. The
            value of a choice is the index of its option. Labels that are not in the space are
            ignored.

    Raises:
        InvalidArgument: a value is missing or invalid.
    """
    parsed = space if isinstance(space, Space) else Space(space)
    return parsed.decode(parsed.check(_single_values(parsed, assignment)))


def _checked_points(space: Space, points: Any) -> list[dict[str, Scalar]]:
    if points is None:
        return []
    if not isinstance(points, (list, tuple)):
        raise InvalidArgument(
            f"points_to_evaluate must be a list of dicts {{label: value}}, got {points!r}"
        )
    return [_checked_point(space, i, point) for i, point in enumerate(points)]


def _checked_point(space: Space, i: int, point: Any) -> dict[str, Scalar]:
    try:
        return space.check(point)
    except InvalidArgument as error:
        raise InvalidArgument(f"points_to_evaluate[{i}]: {error}") from None


@dataclass(frozen=True)
class _WithControl:
    """A platform that passes the objective the expression, the values of its nodes and a `Ctrl`."""

    platform: Platform
    arguments: Callable[[Trial], dict[str, Any]]

    @property
    def parallelism(self) -> int | str:
        return self.platform.parallelism

    @property
    def queue(self) -> int:
        return int(getattr(self.platform, "queue", 1))

    def open(self, task: Task) -> Executor:
        return self.platform.open(replace(task, configure=self.arguments))


def _objective(
    fn: Callable[..., Any],
    objective: Callable[..., Any],
    space: Space,
    trials: Trials,
    pass_expr_memo_ctrl: bool | None,
    scheduler: Scheduler | None,
) -> tuple[Callable[..., Any], Callable[[int], Platform]]:
    """Return the objective to evaluate, and a function that returns the platform to evaluate it on,
    given the length of the queue.
    """
    if pass_expr_memo_ctrl is None:
        pass_expr_memo_ctrl = getattr(fn, "fmin_pass_expr_memo_ctrl", False)
    if not pass_expr_memo_ctrl:
        return objective, trials.platform
    if ladder(scheduler):
        raise InvalidArgument(
            "pass_expr_memo_ctrl and a scheduler that gives budgets do not go together; let the "
            "objective take a configuration and its budget"
        )
    if isinstance(trials, SparkTrials):
        raise InvalidArgument(
            "pass_expr_memo_ctrl needs the objective in this process: use Trials() or "
            "ThreadTrials, or let the objective take a configuration"
        )

    def arguments(trial: Trial) -> dict[str, Any]:
        memo, ctrl = space.memo(trial.values), trials.control(trials.records[trial.id])
        return {"expr": space.expression, "memo": memo, "ctrl": ctrl}

    return by_keyword(fn), lambda queue: _WithControl(trials.platform(queue), arguments)


def _saving(trials: Trials, save_file: str) -> list[loop.Observer]:
    return [Saving(trials, save_file)] if save_file else []


def _result(space: Space, study: Study, trials: Trials, return_argmin: bool) -> Any:
    if not trials.records and not return_argmin:
        return None
    best = study.best
    if best is None:
        raise AllTrialsFailed(trials.explanation())
    values = dict(sorted(best.values.items()))
    return values if return_argmin else space.decode(values)


def _single_values(space: Space, assignment: Any) -> dict[str, Any]:
    """Return {label: value} of the labels of the space. Lists with one element are unpacked, and
    labels with an empty list are left out.
    """
    if not isinstance(assignment, Mapping):
        raise InvalidArgument(f"assignment must be a dict of {{label: value}}, got {assignment!r}")
    values: dict[str, Any] = {}
    for label in space.labels:
        value = assignment.get(label, [])
        if not isinstance(value, (list, tuple)):
            values[label] = value
        elif len(value) == 1:
            values[label] = value[0]
        elif value:
            raise InvalidArgument(
                f"{label!r} has {len(value)} values; give those of one trial, such as "
                "trials.argmin or trials.trials[i]['misc']['vals']"
            )
    return values
