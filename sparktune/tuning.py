"""`tune`, the body of every run: checks the arguments, opens the executor, runs the loop."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from sparktune import loop, resume
from sparktune.annotated import annotated, is_annotated
from sparktune.arguments import whole
from sparktune.budgets import saying
from sparktune.budgets.keeping import Keeping
from sparktune.budgets.objective import with_budgets
from sparktune.budgets.states import States
from sparktune.executors.platforms import Platform, Serial
from sparktune.executors.seams import Executor
from sparktune.executors.task import Task
from sparktune.journal.journal import Book, NoJournal
from sparktune.observers.log import Log
from sparktune.observers.progress import (
    BarFactory,
    Progress,
    bar_on_stderr,
    in_notebook,
    write_on_stderr,
)
from sparktune.options import OR_NONE, check_kinds, lag_of, point_of, sampler_of, study_of
from sparktune.samplers import Sampler
from sparktune.schedulers import InOrder, Scheduler
from sparktune.stopping import Never, Stopper
from sparktune.study import Study

HERE = Serial()


def tune(
    objective: Callable[..., Any],
    space: Any,
    *,
    sampler: Sampler | str = "tpe",
    scheduler: Scheduler | None = None,
    on: Platform = HERE,
    max_trials: int | None = None,
    stop: Stopper | None = None,
    start: Sequence[Mapping[str, Any]] = (),
    prior: Mapping[str, Any] | None = None,
    replicate: int = 0,
    seed: int | None = None,
    journal: str | os.PathLike[str] | None = None,
    observers: Sequence[loop.Observer] = (),
    errors: Literal["record", "raise"] = "record",
    deterministic: bool = False,
    progress: bool | Literal["live"] | BarFactory = True,
    study: Study | None = None,
    tracking: Any = None,
    checkpoints: str | os.PathLike[str] | None = None,
) -> Study:
    """Minimise `objective` over `space`.

        study = tune(objective, {"x": hp.uniform("x", -10, 10)}, on=Spark(8), max_trials=50)
        print(study.best, study.best_params)

    Args:
        objective: a function of one configuration that returns a loss (a number) or a dict with
            `status` ("ok" or "fail") and, if ok, `loss`; other keys are kept in the trial's result.
            With a scheduler that gives budgets it also gets `budget=`, and, if it has a parameter
            `state`, the value of "state" in the result of the configuration's previous evaluation;
            None: start over. A state can be any object that can be pickled.
        space: nested dicts, lists and tuples with `hp.*` parameters, or a `Space`; or "annotated":
            the annotations of the objective's arguments, which are then passed by keyword.
        sampler: "tpe", "random", "anneal", "sobol", "halton", "lhs", "grid", or any object with
            `suggest(space, history, n, rng)`, such as `tpe.suggest(gamma=0.3)`.
        scheduler: decides what is evaluated next, and with which budget, such as
            `ASHA(min_budget=1, max_budget=81)`; None: full evaluations.
        on: where trials are evaluated: `Serial()`, `Threads(4)`, `Spark(parallelism=8)`.
        max_trials: number of trials in the study at the end of the run, including earlier runs;
            None: no limit. With several budgets, it is the number of configurations.
        stop: a rule of `sparktune.stopping`, such as `Timeout(600) | NoProgress(50)`, where seconds
            count from the start of the run. Trials that still run when it ends the run are
            cancelled.
        start: points {label: value} to evaluate first, in addition to `max_trials`. The value of a
            choice is the index of its option. Points that the study already has are left out.
        prior: {label: hp.* parameter} of likely good values, such as {"lr": hp.lognormal("lr",
            log(1e-3), 1)}, for samplers with an option `prior`: "auto" and "gp". Its weight
            decreases with each trial, so that a wrong prior has no lasting effect.
        replicate: number of trials of `max_trials` that evaluate the best points again at the end
            of a run with noisy losses, besides those that "auto" repeats during the run. They tell
            how lucky the best trials were, for `study.recommended`.
        seed: an integer >= 0, which together with the results determines the suggestions; None: a
            random one.
        journal: path (or URL, with the extra `remote`) of a file that records every suggestion and
            result. The same call with the same path continues a run that ended for any reason:
            finished trials are kept, unfinished ones are evaluated again, and the seed is the
            journal's. Values that JSON cannot hold are stored in files beside it.
        observers: functions `(event, history)`, called after each event of the run: `Begun`,
            `Enqueued`, `Asked`, `Told`, `Stopped`. One that raises is left out from then on.
        errors: "record": record a trial that raises, crashes or times out, and continue; "raise":
            end the run with its exception (`TrialFailed` if that is in another process).
        deterministic: whether the trials depend only on the seed and not on the timing: trial k is
            suggested from the results of exactly the trials up to k - parallelism. It starts when
            these have ended, so a slow trial delays others. Needs a platform with a number as
            parallelism.
        progress: whether to show a bar on stderr, and a summary of one line at the end; "live":
            also show an updated summary in a notebook; or a function `(initial, total)` that
            returns a context manager of a bar.
        study: the study to continue, with its space, sampler, scheduler and seed; None: a new one.
            It holds all evaluated trials, however the run ends.
        tracking: "mlflow", or `MlflowObserver(...)` with options: log the run to MLflow, with a
            child run for each trial. It neither delays trials nor ends the run.
        checkpoints: a folder (an absolute path) or a URL to which all workers can write, for states
            of more than some megabytes; None: states are sent to the driver and back, up to 100 MB
            each.

    Returns:
        The study. `study.stop_reason` is the reason why the run ended.

    Raises:
        InvalidArgument, BadSearchSpace, SparkUnavailable: before any trial is evaluated.
        JournalFailed: the journal cannot be written.
        Exception: with errors="raise", the exception of the objective.
        KeyboardInterrupt: Ctrl-C. Every exception after the start of the run, including this one,
            has an attribute `study`, with all finished trials.
    """
    tracker = _tracker(tracking)
    check_kinds(
        objective=objective,
        on=on,
        stop=stop,
        start=start,
        observers=observers,
        errors=errors,
        progress=progress,
        study=study,
    )
    objective, space = annotated(objective) if is_annotated(space) else (objective, space)
    study = study_of(space, sampler, scheduler, seed, study)
    suggesting = sampler_of(study, prior, replicate, max_trials)
    lag = lag_of(deterministic, on.parallelism, "Spark(parallelism=8)")
    points = [point_of(study, i, point) for i, point in enumerate(start)]
    limit = None if max_trials is None else whole("max_trials", max_trials, 0, OR_NONE)
    name = getattr(objective, "__name__", type(objective).__name__)
    task = Task(objective, lambda trial: study.space.decode(trial.values), name)
    with contextlib.ExitStack() as stack:
        book = stack.enter_context(contextlib.closing(resume.open_journal(journal, study)))
        header = resume.header(study, book, name, seed)
        states = stack.enter_context(
            contextlib.closing(States(study, header, book.path, checkpoints))
        )
        task = with_budgets(task, study.scheduler, states)
        watching: list[loop.Observer] = [*observers, *saying.of_budgets(study.scheduler, limit)]
        if tracker is not None:
            tracker = tracker.open(study, on.parallelism, journal)
            task = tracker.task(task)
        # Nothing has been changed so far; opening the platform is the last step that may fail.
        executor = Keeping(stack.enter_context(contextlib.closing(on.open(task))), states.keep)
        with _running(study, suggesting, book, lag, progress):
            begun = resume.begin(study, book, header, points, limit)
            states.begin()
            watching += [states.observe, *_watchers(study, executor, errors, progress)]
            if tracker is not None:  # the last one, because it may wait for MLflow at the end
                watching.append(tracker)
            loop.run(
                study,
                executor,
                Never() if stop is None else stop,
                watching,
                begun=begun,
                raise_errors=errors == "raise",
                at_once=max(getattr(on, "queue", 1), loop.AT_ONCE),
            )
    return study


def _watchers(
    study: Study, executor: Executor, errors: str, progress: Any
) -> Iterator[loop.Observer]:
    """The observers that report the run to the user."""
    yield Log(logging.INFO if errors == "raise" else logging.WARNING)
    if progress == "live" and in_notebook():
        from sparktune.observers.live import Live, in_ipython  # imported here: few runs need it

        yield Live(study, in_ipython)
    if progress:
        bar = progress if callable(progress) else bar_on_stderr
        yield Progress(bar, study.history, study.end, lambda: executor.running)


def _tracker(tracking: Any) -> Any:
    """The MLflow tracker of the run; None without one."""
    if tracking is None:
        return None
    from sparktune.tracking.observer import tracker_of  # imported here: few runs need it

    return tracker_of(tracking)


@contextlib.contextmanager
def _running(
    study: Study, sampler: Sampler, book: Book, lag: int | None, progress: Any
) -> Iterator[None]:
    """A context in which the study has the sampler and journal of the run, and a scheduler in order
    if the run is deterministic. Exceptions get the study as an attribute, so that no result is
    lost.
    """
    journal, scheduler, own = study.journal, study.scheduler, study.sampler
    study.sampler = sampler
    if not isinstance(book, NoJournal):
        study.journal = book
    if lag is not None:
        study.scheduler = InOrder(scheduler, lag)
    begun = time.monotonic()
    try:
        yield
    except BaseException as error:
        error.study = study  # type: ignore[attr-defined]
        raise
    finally:
        study.journal, study.scheduler, study.sampler = journal, scheduler, own
        if progress in (True, "live"):
            seconds = time.monotonic() - begun
            write_on_stderr(f"{study}; {study.stop_reason}, {seconds:.1f} s")
