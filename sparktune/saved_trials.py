"""The trials with which `fmin` continues: the user's, or those in a `trials_save_file`."""

from __future__ import annotations

import os
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.events import retold
from sparktune.journal.places import can_be_file
from sparktune.trials import Trials


def trials_of(trials: Any, save_file: Any) -> Trials:
    """The trials to continue: `trials`, or those of an earlier run in `save_file`, or new ones.

    Raises:
        InvalidArgument: `trials` is not a Trials, `save_file` cannot be used, or both hold
            different trials.
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
            f"trials_save_file={save_file!r} holds trials that are not in `trials`, and would be "
            "overwritten; give another file, or leave out trials= to continue from this file"
        )
    return kept


def _saved(save_file: Any, trials: Trials) -> Trials | None:
    """The trials that an earlier run saved; None if there is no file yet."""
    from pathlib import Path  # imported here, because it takes a tenth of sparktune's import time

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
            "give another file, or remove this one to start over"
        ) from error
    if not isinstance(saved, Trials):
        kind = type(saved)
        raise InvalidArgument(
            f"trials_save_file={save_file!r} holds a {kind.__module__}.{kind.__name__}, "
            "not a Trials of sparktune; give another file, or remove this one"
        )
    return saved
