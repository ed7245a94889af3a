"""Reading, following, continuing and rewriting a journal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from sparktune.errors import InvalidArgument, JournalFailed
from sparktune.events import Event, Stopped, Told
from sparktune.journal.files import files_at, unused
from sparktune.journal.places import Place, place_of
from sparktune.journal.reading import START, Reader
from sparktune.journal.writing import Writer

Path: TypeAlias = str | os.PathLike[str]


def read(path: Path) -> list[Event]:
    """The events of the journal at a path or URL, in order; [] if there is no journal.

    The first event is a `Begun` without a limit; each run begins with a `Begun` with a limit. An
    incomplete last line is ignored.

    Raises:
        InvalidArgument: a line is invalid, whose number is in the message; or the file is not a
            journal.
    """
    return _read(place_of(path)).events


def first(path: Path, wanted: Callable[[Event], bool]) -> Event | None:
    """The first event of the journal at a path or URL that is wanted; None if there is none. What
    comes after it is not read.

    Raises:
        InvalidArgument: as for `read`.
    """
    place = place_of(path)
    known = Reader(place.path)
    _advance(place, known, wanted)
    last = known.events[-1:]
    return last[0] if last and wanted(last[0]) else None


class Following:
    """A growing journal, of which each call reads only the new lines.

    Attributes:
        events: all events so far.
    """

    def __init__(self, path: Path) -> None:
        self._place = place_of(path)
        self._known = Reader(self._place.path)

    @property
    def events(self) -> Sequence[Event]:
        """All events so far."""
        return self._known.events

    def advance(self) -> int:
        """Read the new lines, and return the number of new events; 0 while there is no journal.

        Raises:
            InvalidArgument: the journal cannot be read.
        """
        before = len(self._known.events)
        _advance(self._place, self._known)
        return len(self._known.events) - before


def _read(place: Place) -> Reader:
    known = Reader(place.path)
    _advance(place, known)
    return known


def _nothing(event: Event) -> bool:
    return False


def _advance(place: Place, known: Reader, wanted: Callable[[Event], bool] = _nothing) -> None:
    """Read the lines that `known` has not read yet, up to one that ends with a wanted event."""
    try:
        with place.open() as file:
            file.seek(known.size)
            start = b"" if known.size else file.read(len(START))
            if not known.size and start not in (START, START[: len(start)]):  # its line may be huge
                raise ValueError("the header of a journal was expected")
            for line in file:
                start, line = b"", start + line
                if line[-1:] == b"\n":  # the last line may be incomplete
                    known.take(line)
                    if wanted(known.events[-1]):
                        return
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidArgument(f"the journal {place.path} cannot be read: {error}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidArgument(
            f"{place.path} cannot be read as a journal: line {known.number + 1} is invalid "
            f"({error!s:.300}). Give another path, or repair the file"
        ) from error


def save(path: Path, events: Iterable[Event]) -> None:
    """Write a journal of these events; an existing journal is replaced.

    Raises:
        InvalidArgument: a run writes to the journal, or `path` cannot be a file.
        JournalFailed: the journal cannot be written.
    """
    place = place_of(path)
    place.check()
    with unused(place):
        place.write(b"".join(Writer(place).lines(events)))


class Journal:
    """A journal that is open for writing. Calling it with events adds these.

    Args:
        path: a path, which is made absolute, or a URL that fsspec supports.

    Attributes:
        path: the absolute path, or the URL.
        events: the events that it contained before, as `read` returns them.

    Raises:
        InvalidArgument: the journal cannot be read, or is in use by another run.
        JournalFailed: the journal cannot be written.
    """

    def __init__(self, path: Any) -> None:
        self._files = files_at(path)
        self._files.place.check()
        self._error: JournalFailed | None = None
        self.path = self._files.place.path
        self._files.open()
        try:
            known = _read(self._files.place)
        except BaseException:
            self._files.close()
            raise
        self.events = known.events
        self._good: int | None = known.size  # valid bytes; the rest is cut at the first write
        self._writer = Writer(self._files.place, begun=bool(known.events))

    def __call__(self, events: Sequence[Event]) -> None:
        """Write events. Consecutive trials that are handed out are one line.

        If a result cannot be written, the error is deferred to the next `ask` or `close`, so that
        the result stays available in memory.

        Raises:
            JournalFailed: these or earlier events cannot be written.
        """
        decides = any(not isinstance(event, (Told, Stopped)) for event in events)
        if decides:
            self._raise()
        try:
            if not self._error:
                self._add(self._writer.lines(events))
        except JournalFailed as error:
            self._error = error
        if decides:
            self._raise()

    def _add(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            if self._good is not None:
                self._files.cut(self._good)
                self._good = None
            self._files.append(line)

    def _raise(self) -> None:
        if self._error:
            raise self._error

    def close(self) -> None:
        """Write everything to disk, and stop writing.

        Raises:
            JournalFailed: some events could not be written.
        """
        self._files.close()
        self._raise()


class NoJournal:
    """The journal of a run without one: it stores nothing."""

    path = ""
    events: Sequence[Event] = ()

    def __call__(self, events: Sequence[Event]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


Book: TypeAlias = Journal | NoJournal
