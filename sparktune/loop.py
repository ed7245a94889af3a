"""The loop: the only place where trials are asked for, evaluated and told. One thread owns the
study.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sparktune.errors import from_failure
from sparktune.history import View
from sparktune.stopping import Stopper
from sparktune.study import Study
from sparktune.trial import Event, Executor, Outcome, Status, Told

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
    raise_errors: bool = False,
    at_once: int = AT_ONCE,
) -> str:
    """Evaluate what the study asks for until it has no more or the stopper stops it; return the
    reason.

    However it ends, no trial stays running: what did not end is cancelled, and recorded so.

    Args:
        raise_errors: whether a trial that ends in an error ends the run, by raising its exception.
        at_once: trials that are asked for at once, at most: others' slots need not wait for the
            thousandth suggestion, and what ends meanwhile is known to the next.
    """

    watching = list(observers)

    def announce(event: Event) -> None:
        history = study.history
        watching[:] = [observe for observe in watching if _shown(observe, event, history)]

    reason = INTERRUPTED
    try:
        reason = _evaluate(study, executor, stopper, announce, raise_errors, at_once)
    finally:
        try:
            executor.close()
        finally:
            ended = [o for o in executor.collect(0) if o.trial_id in study.running]
            told = [study.tell(outcome) for outcome in ended]
            left = [id for id in study.records if id in study.running]
            told += [study.tell(Outcome(id, Status.CANCELLED)) for id in left]
            for event in told:
                announce(event)
            announce(study.stop(reason))
    return reason


def _shown(observe: Observer, event: Event, history: View) -> bool:
    """Whether an observer took an event without failing; the run is worth more than that."""
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
) -> str:
    while True:
        history = study.history
        if reason := stopper.stop(history):
            return reason
        free = executor.slots - len(study.running)
        asked = study.ask(min(max(free, 0), at_once))
        for event in asked:
            executor.submit(event.trial)
            announce(event)
        if not study.running:
            return EXHAUSTED if study.exhausted else FINISHED
        patience = 0.0 if len(asked) == at_once < free else _patience(stopper, history)
        told = [study.tell(outcome) for outcome in executor.collect(patience)]
        for end in told:
            announce(end)
        if raise_errors:
            _raise_first_error(told)


def _patience(stopper: Stopper, history: View) -> float | None:
    """Seconds until the stopper wants to be asked again; None: not before something happens."""
    wake_at = stopper.wake_at(history)
    return None if wake_at == float("inf") else max(wake_at - history.now, 0.0)


def _raise_first_error(told: list[Told]) -> None:
    for event in told:
        outcome = event.outcome
        if outcome.status is Status.ERROR and outcome.failure:
            failure = outcome.failure
            raise outcome.exception or from_failure(failure.type, failure.message)
