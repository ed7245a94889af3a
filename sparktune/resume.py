"""Going on: what earlier runs left, in trials, in a pickle or in a journal."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.journal.journal import Book, Journal, NoJournal
from sparktune.journal.places import can_be_file
from sparktune.space.meaning import options
from sparktune.space.space import Space
from sparktune.trial import (
    Begun,
    Enqueued,
    Header,
    Limit,
    Scalar,
    Trial,
    apply,
    begin_of,
    next_id,
    retold,
)
from sparktune.trials import Trials


def trials_of(trials: Any, save_file: Any) -> Trials:
    """The trials to go on with: the ones given, or those an earlier run saved, or new ones.

    Raises:
        InvalidArgument: it is no Trials, or differs from what was saved.
    """
    if isinstance(trials, type):
        raise InvalidArgument(f"trials is the class {trials.__name__}; give {trials.__name__}()")
    if trials is not None and not isinstance(trials, Trials):
        kind = type(trials)
        raise InvalidArgument(
            "trials must be Trials(), SparkTrials(...) or ThreadTrials(...) of sparktune, "
            f"got {kind.__module__}.{kind.__name__}: {trials!r}"
        )
    kept: Trials = Trials() if trials is None else trials
    saved = _saved(save_file, kept) if save_file else None
    if saved is None:
        return kept
    if trials is None:
        return saved
    if not kept.records:
        kept.replay(retold(saved.records))
        kept.attachments.update(saved.attachments)
    elif not saved.records.keys() <= kept.records.keys():
        raise InvalidArgument(
            f"trials_save_file={save_file!r} holds trials that `trials` does not, and would be "
            "overwritten; give another file, or go on from this one with new trials"
        )
    return kept


def _saved(save_file: Any, trials: Trials) -> Trials | None:
    """What an earlier run saved; None if there is no file yet."""
    path = Path(save_file) if isinstance(save_file, (str, os.PathLike)) else None
    usable = path is not None and can_be_file(str(path))
    if path is None or not usable or not os.access(path.absolute().parent, os.W_OK):
        raise InvalidArgument(
            f"trials_save_file must be the path of a file in a folder that exists and can be "
            f"written to, got {save_file!r}"
        )
    if not path.exists():
        return None
    try:
        saved = trials.restored(path.read_bytes())
    except Exception as error:
        raise InvalidArgument(
            f"trials_save_file={save_file!r} cannot be read ({type(error).__name__}: {error}); "
            "give another file, or remove this one to start anew"
        ) from error
    if not isinstance(saved, Trials):
        kind = type(saved)
        raise InvalidArgument(
            f"trials_save_file={save_file!r} holds no Trials of sparktune but a "
            f"{kind.__module__}.{kind.__name__}; give another file, or remove this one"
        )
    return saved


def open_journal(path: Any, trials: Trials) -> Book:
    """The journal at `path`, opened to be written.

    Raises:
        InvalidArgument: it cannot be read, is in use, or lacks trials that `trials` has.
    """
    if path is None:
        return NoJournal()
    book = Journal(path)
    if book.events and not trials.records.keys() <= records(Trials(), book).keys():
        book.close()
        raise InvalidArgument(
            f"trials holds trials that the journal {book.path} does not; give another path, or go "
            "on from the journal with new trials"
        )
    return book


def records(trials: Trials, book: Book) -> dict[Any, Trial]:
    """The records of `trials`, which is left alone, once the journal is replayed on them."""
    known = dict(trials.records)
    for event in book.events:
        apply(known, event)
    return known


def seed_from(book: Book, given: int | None, otherwise: int) -> int:
    """The seed of the study that a journal is about; `otherwise`, if it is new.

    Raises:
        InvalidArgument: another one is given.
    """
    begun = begin_of(book.events)
    if begun and given is not None and otherwise != begun.header.seed:
        raise InvalidArgument(
            f"seed={given!r}, but the journal was begun with seed={begun.header.seed}; leave it "
            "out to go on, or give another path"
        )
    return begun.header.seed if begun else otherwise


def header(objective: str, seed: int, space: Space, book: Book) -> Header:
    """What a run is about; it began with its journal."""
    begun = begin_of(book.events)
    created = begun.header.created if begun else time.time()
    return Header(objective, seed, space.fingerprint(), space.describe(), created, options(space))


def check(trials: Trials, space: Space, book: Book, header: Header) -> None:
    """Refuse trials, and a journal, that a space cannot have given.

    Raises:
        InvalidArgument: they hold such a trial, or the journal belongs to another space.
    """
    if begun := begin_of(book.events):
        _check_space(begun.header, header, book.path)
    try:
        for trial in records(trials, book).values():
            known = {k: v for k, v in trial.values.items() if k in space.labels}
            space.check(known)  # a parameter that the space has no longer does no harm
    except InvalidArgument as error:
        raise InvalidArgument(
            f"trials holds trial {trial.id}, which this space cannot have given: {error}. "
            "Go on with the space it was made for, or start with new trials"
        ) from error


def _check_space(before: Header, now: Header, path: str) -> None:
    if before.space in ("", now.space):
        return
    old, new = before.columns, now.columns
    changes = [f"{label}: {old[label]} is gone" for label in old if label not in new]
    changes += [f"{label}: {new[label]} is new" for label in new if label not in old]
    changes += [
        f"{label}: {old[label]} is now {new[label]}"
        for label in new
        if label in old and old[label] != new[label]
    ]
    raise InvalidArgument(
        f"the journal {path} belongs to another search space ({'; '.join(changes)}); go on "
        "with the space it was made for, or give another path"
    )


def begin(
    trials: Trials,
    book: Book,
    header: Header,
    points: list[dict[str, Scalar]],
    max_evals: int | None,
) -> int | None:
    """Replay what the journal holds, and record that a run begins. Points become trials that wait,
    but for those that are there already.

    Returns how many trials there are to be at the end: the ones that do not count against
    `max_evals` (failed and cancelled trials of earlier runs, and the points) come on top. A study
    with a journal is taken to the end of its last run instead, in which failed trials count.

    Raises:
        JournalFailed: it cannot be written.
    """
    trials.replay(book.events)
    before = [] if book.events else [Begun(header), *retold(trials.records, trials.attachments)]
    waiting = _waiting(trials, points)
    end = _end(trials, book, len(waiting), max_evals)
    uncancelled = None if end is None else end - trials.count_cancelled_trials()
    book([*before, Begun(header, Limit(max_evals, uncancelled)), *waiting])
    for event in waiting:
        apply(trials.records, event)
    return end


def _waiting(trials: Trials, points: list[dict[str, Scalar]]) -> list[Enqueued]:
    known = [dict(trial.values) for trial in trials.records.values()]
    new = [point for point in points if point not in known]
    first = max(trials.reserved(), next_id(trials.records))
    return [Enqueued(Trial(first + i, point)) for i, point in enumerate(new)]


def _end(trials: Trials, book: Book, new: int, max_evals: int | None) -> int | None:
    if max_evals is None:
        return None
    begun = begin_of(book.events)
    last = begun.limit if begun and begun.limit else Limit()
    if last.end is not None and last.max_evals is not None:
        return last.end + max_evals - last.max_evals + trials.count_cancelled_trials()
    records = trials.records.values()
    counted = sum(trial.status.pending or trial.status.returned for trial in records)
    return len(records) + new + max(max_evals - counted, 0)
