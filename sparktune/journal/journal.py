"""A journal: read, continued, rewritten."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from sparktune.errors import InvalidArgument, JournalFailed
from sparktune.journal.files import files_at, unused
from sparktune.journal.lines import START, Reader, Writer
from sparktune.journal.places import Place, place_of
from sparktune.trial import Event, Stopped, Told

Path: TypeAlias = str | os.PathLike[str]


def read(path: Path) -> list[Event]:
    """The events of the journal at a path, or URL, in order; [] if there is none.

    The first event is `Begun` without a limit; each run after it begins with a limit. A last line
    that was cut off is left out.

    Raises:
        InvalidArgument: another line cannot be read, and the message has its number; or the path is
            that of something else.
    """
    return _read(place_of(path)).events


class Following:
    """A journal that grows, of which each call reads only what is new.

    Attributes:
        events: all so far.
    """

    def __init__(self, path: Path) -> None:
        self._place = place_of(path)
        self._known = Reader(self._place.path)

    @property
    def events(self) -> Sequence[Event]:
        """All so far."""
        return self._known.events

    def advance(self) -> int:
        """Read what was added and return the number of new events: 0 while there is no journal.

        Raises:
            InvalidArgument: it cannot be read.
        """
        before = len(self._known.events)
        _advance(self._place, self._known)
        return len(self._known.events) - before


def _read(place: Place) -> Reader:
    known = Reader(place.path)
    _advance(place, known)
    return known


def _advance(place: Place, known: Reader) -> None:
    """Read the lines after those that are known."""
    try:
        with place.open() as file:
            file.seek(known.size)
            start = b"" if known.size else file.read(len(START))
            if not known.size and start not in (START, START[: len(start)]):  # may be endless
                raise ValueError("the header of a journal was expected")
            for line in file:
                start, line = b"", start + line
                if line[-1:] == b"\n":  # the last may have been cut off
                    known.take(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidArgument(f"the journal {place.path} cannot be read: {error}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidArgument(
            f"{place.path} cannot be read as a journal: line {known.number + 1} is broken "
            f"({error!s:.300}). Give another path, or repair the file"
        ) from error


def save(path: Path, events: Iterable[Event]) -> None:
    """Write a journal of these events; one that exists is replaced.

    Raises:
        InvalidArgument: a run writes there, or no file can be there.
        JournalFailed: it cannot be written.
    """
    place = place_of(path)
    place.check()
    with unused(place):
        place.write(b"".join(Writer(place).lines(events)))


class Journal:
    """A journal that is written: called with events, it adds them.

    Args:
        path: a path, which is made absolute, or a URL that fsspec knows.

    Attributes:
        events: what was there before, as `read` gives it.

    Raises:
        InvalidArgument: it cannot be read, or is in use by another run.
        JournalFailed: it cannot be written.
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
        self._good: int | None = known.size  # bytes; a run that is refused leaves the rest alone
        self._writer = Writer(self._files.place, begun=bool(known.events))

    def __call__(self, events: Sequence[Event]) -> None:
        """Write events. Consecutive trials that are asked for become one line.

        If a result cannot be written, the error is deferred to the next `ask` or `close`, so that
        the result stays available in memory.

        Raises:
            JournalFailed: it cannot be written, now or before.
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
        """Stop writing.

        Raises:
            JournalFailed: not everything could be written.
        """
        self._files.close()
        self._raise()


class NoJournal:
    """No journal: keeps nothing."""

    path = ""
    events: Sequence[Event] = ()

    def __call__(self, events: Sequence[Event]) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


Book: TypeAlias = Journal | NoJournal
