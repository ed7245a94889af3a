"""The loop of a run: asks for trials, has them evaluated, and records their outcomes. One thread
owns the study.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from sparktune.errors import JournalFailed, from_failure
from sparktune.events import Asked, Event, Stopped, Told
from sparktune.executors.seams import Executor
from sparktune.history import View
from sparktune.stopping import Stopper, wake_at
from sparktune.study import Study
from sparktune.trial import Failure, Outcome, Status

Observer: TypeAlias = Callable[[Event, View], None]

logger = logging.getLogger("sparktune")

FINISHED = "all trials done"
EXHAUSTED = "all points of the search space tried"
INTERRUPTED = "interrupted"
AT_ONCE = 128


def run(
    study: Study,
    executor: Executor,
    stopper: Stopper,
    observers: Sequence[Observer] = (),
    *,
    begun: Sequence[Event] = (),
    raise_errors: bool = False,
    at_once: int = AT_ONCE,
) -> str:
    """Evaluate the trials of a study until it has no more or the stopper ends the run; return the
    reason of the end.

    No trial stays running after the end of a run: unfinished trials are cancelled and recorded.

    Args:
        study: the study.
        executor: evaluates the trials; the run closes it.
        stopper: the stopping rule.
        observers: functions that receive all events; one that raises is left out from then on.
        begun: the first events of the run, for the observers.
        raise_errors: whether a trial that raises, crashes or times out ends the run with its
            exception, or with a `TrialFailed` that describes it.
        at_once: largest batch per step. Small batches fill free slots sooner, and let later
            suggestions use results that arrive in between.
    """

    watching = list(observers)

    def announce(event: Event) -> None:
        history = study.history
        watching[:] = [observe for observe in watching if _notify(observe, event, history)]

    held: list[Outcome] = []
    try:
        for event in begun:
            announce(event)
        reason = _evaluate(study, executor, stopper, announce, raise_errors, at_once, held)
    except BaseException:
        _end(study, executor, announce, INTERRUPTED, held)
        raise
    if problem := _end(study, executor, announce, reason, held):
        raise problem
    return reason


def _end(
    study: Study,
    executor: Executor,
    announce: Callable[[Event], None],
    reason: str,
    held: list[Outcome],
) -> BaseException | None:
    """Close the executor, and record the end of every trial and of the run, even if some step
    fails. Return the exception to raise: an interrupt, or else a failure of the journal.
    """
    problems: list[BaseException] = []
    noting = functools.partial(_collecting, problems)
    with noting("the executor could not be closed"):
        executor.close()
    with noting("the outcomes of the executor could not be collected"):
        held += executor.collect(0)
    ended = {outcome.trial_id: outcome for outcome in reversed(held)}
    for id in [id for id in study.records if id in study.running]:
        with noting(f"the end of trial {id} could not be announced"):
            announce(_tell_surely(study, ended.get(id, Outcome(id, Status.CANCELLED)), problems))
    stopped = Stopped(reason)
    with noting("the end of the run could not be recorded"):
        stopped = study.stop(reason)
    with noting("the end of the run could not be announced"):
        announce(stopped)
    interrupts = [problem for problem in problems if not isinstance(problem, Exception)]
    return next(iter(interrupts + [p for p in problems if isinstance(p, JournalFailed)]), None)


@contextlib.contextmanager
def _collecting(problems: list[BaseException], what: str) -> Iterator[None]:
    """Log and collect exceptions, so that one step does not prevent the others or hide the reason
    of the end.
    """
    try:
        yield
    except BaseException as error:
        logger.warning("at the end of the run %s: %r", what, error, exc_info=True)
        problems.append(error)


def _tell_surely(study: Study, outcome: Outcome, problems: list[BaseException]) -> Told:
    """Record the outcome of a trial. The records are updated even if the journal fails."""
    try:
        return _tell(study, outcome)
    except BaseException as error:
        problems.append(error)
        outcome = replace(outcome, finished=outcome.finished or study.history.now)
        event = Told(study.records[outcome.trial_id].told(outcome), outcome)
        study.replay([event])
        return event


def _tell(study: Study, outcome: Outcome) -> Told:
    trial = study.tell(outcome.trial_id, outcome)
    timed = outcome.finished == trial.finished
    return Told(trial, outcome if timed else replace(outcome, finished=trial.finished))


def _notify(observe: Observer, event: Event, history: View) -> bool:
    """Call an observer; return whether it handled the event. Its exceptions are logged."""
    try:
        observe(event, history)
    except Exception:
        logger.warning("%r failed and is left out from now on", observe, exc_info=True)
        return False
    return True


def _evaluate(
    study: Study,
    executor: Executor,
    stopper: Stopper,
    announce: Callable[[Event], None],
    raise_errors: bool,
    at_once: int,
    held: list[Outcome],
) -> str:
    """Run until there is a reason to stop, and return that. `held` receives collected outcomes, so
    that `_end` can record them after an interrupt.
    """
    while True:
        history = study.history
        if reason := stopper.stop(history):
            return reason
        free = executor.slots - len(study.running)
        wanted = min(max(free, 0), at_once)
        asked = study.ask(wanted)
        left = study.left if len(asked) == wanted else 0
        executor.expect(None if left is None else len(asked) + left, study.ahead)
        for trial in asked:
            executor.submit(trial)
            announce(Asked(trial))
        if not study.running:
            return EXHAUSTED if study.exhausted else FINISHED
        patience = 0.0 if len(asked) == at_once < free else _patience(stopper, history)
        held[:] = executor.collect(patience)
        told = []
        for outcome in held:
            told.append(_tell(study, outcome))
            announce(told[-1])
        if raise_errors:
            _raise_first_error(told)


def _patience(stopper: Stopper, history: View) -> float | None:
    """Seconds until the stopper must be called again; None: not without a new outcome."""
    time = wake_at(stopper, history)
    return None if time == float("inf") else max(time - history.now, 0.0)


def _raise_first_error(told: list[Told]) -> None:
    for event in told:
        outcome, status = event.outcome, event.outcome.status
        if status in (Status.ERROR, Status.CRASHED, Status.TIMEOUT):
            failure = outcome.failure or Failure(status.value, "")
            where = f"trial {event.trial.id} failed: {failure}"
            text = where if failure.traceback or status is not Status.ERROR else failure.message
            raise outcome.exception or from_failure(failure.type, text)
