"""`tune`: check the arguments, open what evaluates, run the loop. The body of every run."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
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
from sparktune.observers.progress import BarFactory, Progress, bar_on_stderr, in_notebook
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
        objective: called with one configuration of the space, returns a loss (a number) or a dict
            with `status` ("ok" or "fail") and, if ok, `loss`; other keys are kept in the trial's
            result. With a scheduler that gives budgets it is called with `budget=` too; and, if it
            takes one, with `state=`: the `state` in the result of the configuration's previous
            evaluation, or None to start over. A state can be anything that pickles.
        space: nested dicts, lists and tuples with `hp.*` parameters, or a `Space`; or "annotated":
            the annotations of the objective's arguments, which are then passed by keyword.
        sampler: "tpe", "random", "anneal", "sobol", "halton", "lhs", "grid", or any object with
            `suggest(space, history, n, rng)`, such as `tpe.suggest(gamma=0.3)`.
        scheduler: decides what is evaluated next, and with which budget, such as
            `ASHA(min_budget=1, max_budget=81)`; None: full evaluations.
        on: where trials are evaluated: `Serial()`, `Threads(4)`, `Spark(parallelism=8)`.
        max_trials: trials in the study at the end, those of earlier runs included; None: no limit.
            Where configurations are evaluated with several budgets, it counts configurations.
        stop: a rule of `sparktune.stopping`, such as `Timeout(600) | NoProgress(50)`, where seconds
            count from the start of the run. Trials that still run when it ends the run are
            cancelled.
        start: points {label: value} to evaluate first, in addition to `max_trials`; a choice is
            given by the index of its option. Points that the study holds already are left out.
        prior: where good values are likely to be, {label: hp.* parameter}, such as {"lr":
            hp.lognormal("lr", log(1e-3), 1)}, for samplers with an option `prior`: "auto" and "gp".
            Its weight falls with each trial, so that a wrong belief is overcome.
        replicate: how many of `max_trials` evaluate the best points again, at the end of a run with
            noisy losses. `study.recommended` is then the point whose mean is likely to be lowest.
        seed: an integer >= 0 that determines the suggestions, together with the results; None:
            random.
        journal: path (or URL, with the extra `remote`) of a file that keeps every suggestion and
            result. The same call with the same path continues where the previous one ended, for
            whatever reason: finished trials are kept, those that ran are evaluated again, and the
            seed is the journal's. Values that JSON cannot hold are kept in files beside it.
        observers: functions `(event, history)`, called after each event of the run: `Begun`,
            `Enqueued`, `Asked`, `Told`, `Stopped`. One that raises is left out from then on.
        errors: "record" a trial that raises, crashes or runs out of time, and continue; or "raise"
            its exception (`TrialFailed` where that stayed in another process), which ends the run.
        deterministic: make the trials depend on the seed alone and not on the timing: trial k is
            suggested from the results of exactly the trials up to k - parallelism. It starts when
            these have ended, so a slow trial delays others. Needs a platform with a number as
            parallelism.
        progress: whether to show a bar on stderr, and at the end the outcome in one line; "live":
            in a notebook also a summary that is kept up to date; or a function `(initial, total)`
            returning a context manager of a bar.
        study: the study to continue, whose space, sampler, scheduler and seed are used; None: a
            new one. However the run ends, it holds what was evaluated.
        tracking: "mlflow", or `MlflowObserver(...)` with options: log the run to MLflow, each trial
            as a child run. It neither delays trials nor ends the run.
        checkpoints: a folder (an absolute path) or a URL that all workers can write to, for states
            above some megabytes; None: states travel to the driver and back, up to 100 MB each.

    Returns:
        The study. `study.stop_reason` says why the run ended.

    Raises:
        InvalidArgument, BadSearchSpace, SparkUnavailable: before anything is evaluated.
        JournalFailed: the journal cannot be written.
        Exception: with errors="raise", the objective's own.
        KeyboardInterrupt: by Ctrl-C. Like every exception after the run began, it has the study
            with all finished trials as its attribute `study`.
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
        # Nothing has been changed so far, and the platform is the last that can refuse.
        executor = Keeping(stack.enter_context(contextlib.closing(on.open(task))), states.keep)
        with _running(study, suggesting, book, lag, progress):
            begun = resume.begin(study, book, header, points, limit)
            states.begin()
            watching += [states.observe, *_watchers(study, executor, errors, progress)]
            if tracker is not None:  # the last one, as it may take its time at the end
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
    """What tells people about a run."""
    yield Log(logging.INFO if errors == "raise" else logging.WARNING)
    if progress == "live" and in_notebook():
        from sparktune.observers.live import Live, in_ipython  # here, as few need it

        yield Live(study, in_ipython)
    if progress:
        bar = progress if callable(progress) else bar_on_stderr
        yield Progress(bar, study.history, study.end, lambda: executor.running)


def _tracker(tracking: Any) -> Any:
    """The tracker of the run; None if it is not tracked."""
    if tracking is None:
        return None
    from sparktune.tracking.observer import tracker_of  # here, as few need it

    return tracker_of(tracking)


@contextlib.contextmanager
def _running(
    study: Study, sampler: Sampler, book: Book, lag: int | None, progress: Any
) -> Iterator[None]:
    """Gives the study the run's journal and sampler, and its order if it is deterministic, until
    the run ends. Exceptions carry the study, so that no result is lost.
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
            print(f"{study}; {study.stop_reason}, {seconds:.1f} s", file=sys.stderr)
