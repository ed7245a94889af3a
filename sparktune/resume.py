"""The start of a run from the content of its study and its journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.events import Begun, Enqueued, Event, Limit, apply, begin_of, retold
from sparktune.journal.journal import Book, Journal, NoJournal
from sparktune.ledger import not_of_this_space
from sparktune.schedulers import ladder
from sparktune.study import Study
from sparktune.trial import Header, Scalar, Status, Trial


def open_journal(path: Any, study: Study) -> Book:
    """The journal at `path`, open for writing.

    Raises:
        InvalidArgument: the journal cannot be read, is in use, or lacks trials or results of the
            study.
    """
    if path is None:
        return NoJournal()
    book = Journal(path)
    known = _records({}, book)
    if book.events and not all(_is_kept(each, known.get(id)) for id, each in study.records.items()):
        book.close()
        raise InvalidArgument(
            f"there are trials that the journal {book.path} does not hold with the same "
            "parameters and results; give another path, or continue the journal without them"
        )
    return book


def _is_kept(trial: Trial, known: Trial | None) -> bool:
    """Whether the journal's record `known` can replace a trial without losing a result."""
    if known is None or dict(known.values) != dict(trial.values):
        return False
    if trial.status.pending or trial.status is Status.CANCELLED:
        return True
    return (known.status, repr(known.loss)) == (trial.status, repr(trial.loss))


def _records(known: dict[Any, Trial], book: Book) -> dict[Any, Trial]:
    """Records after replaying the journal on them."""
    for event in book.events:
        apply(known, event)
    return known


def header(study: Study, book: Book, objective: str, seed: int | None) -> Header:
    """The header of a run. Its seed is from the journal if that has events, else from the study.

    Raises:
        InvalidArgument: `seed` differs, the journal has another space or other budgets, or a trial
            is not a point of the space.
    """
    about, begun = study.about(objective), begin_of(book.events)
    if begun is None:
        _check_seed(seed, about.seed, "study")
    else:
        _check_seed(seed, begun.header.seed, "journal")
        _check_space(study, begun.header, book.path)
        _check_ladder(ladder(study.scheduler), begun.header.ladder, book.path)
        about = study.about(objective, since=begun.header)
    _check_trials(study, book)
    return about


def _check_seed(given: int | None, seed: int, owner: str) -> None:
    if given is not None and given != seed:
        other = "give another path" if owner == "journal" else "make a new study"
        raise InvalidArgument(
            f"seed={given!r}, but the {owner} was begun with seed={seed}; leave out seed= to "
            f"continue, or {other}"
        )


def _check_space(study: Study, before: Header, path: str) -> None:
    if before.space not in ("", study.space.fingerprint()):
        raise InvalidArgument(
            f"the journal {path} belongs to another search space "
            f"({'; '.join(study.space.differences(before.columns))}); continue with the journal's "
            "space, or give another path"
        )


def _check_ladder(given: Sequence[float], before: Sequence[float], path: str) -> None:
    """Raise InvalidArgument if budgets differ from the journal's, except for added larger ones."""
    if tuple(given[: len(before)]) != tuple(before) or (given and not before):
        raise InvalidArgument(
            f"the journal {path} was begun with {_budgets(before)}, but the scheduler has "
            f"{_budgets(given)}; continue with the same budgets, which may be followed by larger "
            "ones, or give another path"
        )


def _budgets(ladder: Sequence[float]) -> str:
    rungs = ", ".join(f"{rung:g}" for rung in ladder)
    return f"the budgets {rungs}" if rungs else "full evaluations only"


def _check_trials(study: Study, book: Book) -> None:
    """Raise InvalidArgument for trials that are not points of the space. Parameters that the space
    does not have are ignored.
    """
    try:
        for trial in _records(dict(study.records), book).values():
            study.space.check({k: v for k, v in trial.values.items() if k in study.labels})
    except InvalidArgument as error:
        raise not_of_this_space(trial, error) from error
    rungs = ladder(study.scheduler)
    for trial in _records(dict(study.records), book).values():
        if rungs and trial.budget not in rungs:
            raise InvalidArgument(
                f"trial {trial.id} has the budget {trial.budget:g}, which is not one of "
                f"{_budgets(rungs)}; continue with the scheduler of that trial, or start over"
            )


def begin(
    study: Study,
    book: Book,
    header: Header,
    points: list[dict[str, Scalar]],
    max_trials: int | None,
) -> list[Event]:
    """Replay the journal, record the begin of a run, and return its events. Points become waiting
    trials, except those that the study already has.

    Some trials do not count towards `max_trials`: failed and cancelled ones of earlier runs, and
    the points. A study with a journal continues to the end of its last run instead, where failed
    trials count.

    Raises:
        JournalFailed: the journal cannot be written.
    """
    study.replay(book.events)
    if not book.events:
        book([Begun(header), *retold(study.records, study.attachments)])
    waiting = _waiting(study, points)
    begun = Begun(header, Limit(max_trials, _end(study, book, len(waiting), max_trials)))
    events: list[Event] = [begun, *waiting]
    study.begin(events)
    return events


def _waiting(study: Study, points: list[dict[str, Scalar]]) -> list[Enqueued]:
    known = [dict(trial.values) for trial in study.records.values()]
    new = [point for point in points if point not in known]
    least = study.first_budget
    return [Enqueued(Trial(study.free_id + i, point, budget=least)) for i, point in enumerate(new)]


def _end(study: Study, book: Book, new: int, max_trials: int | None) -> int | None:
    """The number of trials at the end of the run, without cancelled ones."""
    if max_trials is None:
        return None
    begun = begin_of(book.events)
    last = begun.limit if begun and begun.limit else Limit()
    more = _more(last)
    if more is not None and more <= len(study.records):  # no run can have begun with more trials
        return max_trials + more
    statuses = [trial.status for trial in study.records.values() if trial.parent is None]
    counted = sum(status.pending or status.returned for status in statuses)
    cancelled = statuses.count(Status.CANCELLED)
    return len(statuses) - cancelled + new + max(max_trials - counted, 0)


def _more(last: Limit) -> int | None:
    """The number of trials of a run in addition to its `max_trials`; None if unknown."""
    if last.end is None or last.max_evals is None:
        return None
    return last.end - last.max_evals
