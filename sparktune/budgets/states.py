"""Where evaluations leave states for the next evaluations of their configurations.

By default a state travels to the driver, pickled with the result, and is kept in a file beside the
journal, or in a temporary folder. With `checkpoints`, a folder or a URL to which all workers can
write, the workers keep it there, and only its name travels. The driver never unpickles a state. A
lost state is not an error: the objective gets None and starts over.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
import weakref
from dataclasses import replace
from typing import Any

from sparktune.budgets.retention import superfluous
from sparktune.errors import InvalidArgument, JournalFailed
from sparktune.events import Event, Told
from sparktune.executors._budget import LARGEST_STATE
from sparktune.history import View
from sparktune.journal.places import Local, Place, place_of
from sparktune.schedulers import finalists, ladder
from sparktune.study import Study
from sparktune.trial import Header, Outcome, State, Status, Trial

logger = logging.getLogger("sparktune")

_MOST = 2 * 2**30  # bytes of all states that travel
_MOST_SHARED = 20 * 2**30  # bytes of all states that workers write
_LARGE = 32 * 2**20
_folders: weakref.WeakKeyDictionary[Study, str] = weakref.WeakKeyDictionary()


class States:
    """The states of a study.

    Args:
        study: the study, whose records name the states.
        header: the description of the study.
        journal: path or URL of its journal; "": none.
        checkpoints: the absolute path of a folder, or a URL that fsspec knows, to which all workers
            can write; None: states travel.

    Raises:
        InvalidArgument: `checkpoints` is something else.
    """

    def __init__(self, study: Study, header: Header, journal: str, checkpoints: Any) -> None:
        self._study = study
        self._journal = journal
        root = None if checkpoints is None else _root(checkpoints)
        about = f"{header.objective} {header.seed} {header.created!r} {header.space}"
        digest = hashlib.sha256(about.encode()).hexdigest()
        self._folder = None if root is None else f"{root}/{digest[:16]}"
        self._place: Place | None = None
        self._kept: dict[int, State] = {}  # by trial
        self._reported: set[str] = set()
        self._written: set[str] = set()  # names of states that no trial has yet
        self._placing = threading.Lock()

    def before(self, trial: Trial) -> bytes | str | None:
        """The state from which a trial continues, or the path of its file; None if there is none,
        b"" if it is lost. May be called in any thread.
        """
        parent = self._study.records.get(trial.parent) if trial.parent is not None else None
        state = parent.state if parent else None
        if state is None:
            return None
        if state.shared and self._folder:
            return f"{self._folder}/{state.name}"
        if state.shared:
            why = "workers wrote it to a folder; set checkpoints= to that folder"
            self._report("cannot be read", f"the state of trial {trial.parent}", why)
            return b""
        try:
            content = self._there().blob(state.name)
            if not state.name.endswith(_digest(content)):
                raise OSError("it was changed after it was written")
            return content
        except OSError as error:
            self._report("cannot be read", f"the state of trial {trial.parent}", error)
            return b""

    def begin(self) -> None:
        """Register the states that the study has when its run begins."""
        self._kept = {id: each.state for id, each in self._study.records.items() if each.state}

    def path(self, trial: Trial) -> str | None:
        """The beginning of the path of a trial's state; None if the state travels."""
        if self._folder is None:
            return None
        parent = None if trial.parent is None else self._study.records[trial.parent]
        while parent is not None and parent.parent is not None:
            parent = self._study.records[parent.parent]
        return f"{self._folder}/{trial.id if parent is None else parent.id}-{trial.budget:g}"

    def keep(self, outcome: Outcome) -> Outcome:
        """The outcome, with its state written to a file."""
        content = outcome.state
        if isinstance(content, State) and not content.name:
            why = (
                f"it has {content.size >> 20} MB, and at most {LARGEST_STATE >> 20} MB can travel "
                "with a result; set checkpoints= to a folder or a URL that all workers can write to"
            )
            self._report("is not kept", f"the state of trial {outcome.trial_id}", why)
            return replace(outcome, state=None)
        if not isinstance(content, bytes):
            return outcome
        return replace(outcome, state=self._stored(outcome.trial_id, content))

    def kept(self, trial: Trial, report: dict[str, Any]) -> dict[str, Any]:
        """The same for a report, in any thread, so that large states are written side by side."""
        content = report.get("state")
        if not isinstance(content, bytes):
            return report
        return report | {"state": self._stored(trial.id, content)}

    def _stored(self, id: int, content: bytes) -> State | None:
        if self._folder and "unwritten" not in self._reported:
            self._reported.add("unwritten")
            logger.warning(
                "the state of trial %d could not be written to %s, so it travels to the driver; "
                "the log of the trial says why",
                id,
                self._folder,
            )
        if len(content) > _LARGE and "large" not in self._reported:
            self._reported.add("large")
            logger.warning(
                "the state of trial %d has %d MB, which travel to the driver and back; set "
                "checkpoints= to a folder or a URL that all workers can write to",
                id,
                len(content) >> 20,
            )
        name = f"state-{id}-{_digest(content)}"
        self._written.add(name)
        try:
            self._there().put_blob(name, content, lasting=False)
        except (JournalFailed, OSError) as error:
            self._report("cannot be kept", f"the state of trial {id}", error)
            return None
        return State(name, len(content))

    def observe(self, event: Event, history: View) -> None:
        """After the end of a trial, remove the states that are no longer needed."""
        if not isinstance(event, Told) or event.trial.status is Status.CANCELLED:
            return
        if event.trial.state:
            self._kept[event.trial.id] = event.trial.state
            self._written.discard(event.trial.state.name)
        if not self._kept:
            return
        rungs, least = ladder(self._study.scheduler), finalists(self._study.scheduler)
        for shared, most in ((False, _MOST), (True, _MOST_SHARED)):
            rows = {
                self._study.row(id): id
                for id, state in self._kept.items()
                if state.shared is shared
            }
            sizes = {row: self._kept[id].size for row, id in rows.items()}
            gone = superfluous(history, sizes, rungs, most, least) if sizes else ()
            for row in gone:
                self._remove(self._kept.pop(rows[row]))

    def close(self) -> None:
        """Remove states of attempts that did not count."""
        known = {state.name for state in self._kept.values()}
        for name in self._written - known:
            self._remove(State(name, 0))
        if self._folder is None:
            return
        with contextlib.suppress(Exception):  # it may not be seen from here
            for name in _names(self._folder):
                if name not in known:
                    _unlink(f"{self._folder}/{name}")

    def _remove(self, state: State) -> None:
        with contextlib.suppress(Exception):  # it is gone, or not seen from here
            if not state.shared:
                self._there().remove_blob(state.name)
            elif self._folder:
                _unlink(f"{self._folder}/{state.name}")

    def _there(self) -> Place:
        """Where states stand that travel."""
        with self._placing:
            if self._place is None:
                if self._journal:
                    self._place = place_of(self._journal)
                else:
                    self._place = Local(os.path.join(_folder_of(self._study), "states"))
            return self._place

    def _report(self, kind: str, what: str, error: Exception | str) -> None:
        """Log the first of its kind as a warning."""
        level = logging.INFO if kind in self._reported else logging.WARNING
        self._reported.add(kind)
        logger.log(level, "%s %s, so that its configuration starts over: %s", what, kind, error)


def _names(folder: str) -> list[str]:
    """The names of the files in a folder, or of the objects behind a URL."""
    if "://" not in folder:
        return os.listdir(folder)
    import fsspec

    system, path = fsspec.core.url_to_fs(folder)
    return [str(each).rpartition("/")[2] for each in system.ls(path, detail=False)]


def _unlink(path: str) -> None:
    if "://" not in path:
        os.unlink(path)
        return
    import fsspec

    system, inside = fsspec.core.url_to_fs(path)
    system.rm_file(inside)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _root(checkpoints: Any) -> str:
    """The folder or URL for states, without a slash at its end."""
    given = os.fspath(checkpoints) if isinstance(checkpoints, (str, os.PathLike)) else checkpoints
    if not isinstance(given, str) or not ("://" in given or os.path.isabs(given)):
        raise InvalidArgument(
            "checkpoints must be the absolute path of a folder, or a URL, that all workers can "
            f"write to, got {checkpoints!r}"
        )
    return given.rstrip("/")


def _folder_of(study: Study) -> str:
    """A temporary folder that lives as long as the study."""
    import shutil
    import tempfile

    if study not in _folders:
        _folders[study] = tempfile.mkdtemp(prefix="sparktune-")
        weakref.finalize(study, shutil.rmtree, _folders[study], ignore_errors=True)
    return _folders[study]
