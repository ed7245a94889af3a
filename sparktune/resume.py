"""Going on: what earlier runs left, in trials, in a pickle or in a journal."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.journal.journal import Book, Header, Journal, NoJournal
from sparktune.space.meaning import options
from sparktune.space.space import Space
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
        kept.records.update(saved.records)
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
    if path is None or path.is_dir() or not os.access(path.absolute().parent, os.W_OK):
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
    """The journal at `path`, opened to be written; what it holds is put into `trials`.

    Raises:
        InvalidArgument: it cannot be read, is in use, or lacks trials that `trials` has.
    """
    if path is None:
        return NoJournal()
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise InvalidArgument(f"journal must be a path or a URL, got {path!r}")
    path = os.fspath(path)
    file = Path(path).absolute()
    usable = file.is_file() if file.exists() else file.parent.is_dir()
    if not usable and "://" not in path:
        raise InvalidArgument(
            f"journal must be the path of a file in a folder that exists, got {path!r}"
        )
    book = Journal(path)
    kept = book.kept
    if kept.header and not trials.records.keys() <= kept.records.keys():
        book.close()
        raise InvalidArgument(
            f"trials holds trials that the journal {path} does not; give another path, or go on "
            "from the journal with new trials"
        )
    trials.records.update(kept.records)
    trials.attachments.update(kept.attachments)
    return book


def seed_from(book: Book, given: int | None, otherwise: int) -> int:
    """The seed of the study that a journal is about; `otherwise`, if it is new.

    Raises:
        InvalidArgument: another one is given.
    """
    begun = book.kept.header
    if begun and given is not None and otherwise != begun.seed:
        raise InvalidArgument(
            f"seed={given!r}, but the journal was begun with seed={begun.seed}; leave it out to go "
            "on, or give another path"
        )
    return begun.seed if begun else otherwise


def header(objective: str, seed: int, space: Space) -> Header:
    """What a run is about."""
    return Header(
        objective, seed, space.fingerprint(), space.describe(), time.time(), options(space)
    )


def check(trials: Trials, space: Space, book: Book, header: Header) -> None:
    """Refuse trials, and a journal, that a space cannot have given.

    Raises:
        InvalidArgument: they hold such a trial, or the journal belongs to another space.
    """
    if book.kept.header:
        book.kept.header.check(header, book.path)
    try:
        for trial in trials.records.values():
            known = {k: v for k, v in trial.values.items() if k in space.labels}
            space.check(known)  # a parameter that the space has no longer does no harm
    except InvalidArgument as error:
        raise InvalidArgument(
            f"trials holds trial {trial.id}, which this space cannot have given: {error}. "
            "Go on with the space it was made for, or start with new trials"
        ) from error
