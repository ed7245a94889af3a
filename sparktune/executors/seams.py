"""The protocols of executors, which the loop uses, and of transports, which the pool uses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from typing import Any, Protocol

from sparktune.trial import Outcome, Trial


class Crashed(Exception):
    """A transport's call ended without reports; the message says what is known."""


class Lost(Crashed):
    """A call ended without reports because the platform failed, and not a trial."""


class CancelledOutside(Exception):
    """A transport's call was cancelled by somebody else."""


class Executor(Protocol):
    """Evaluates trials. The code that creates an executor closes it."""

    @property
    def slots(self) -> int:
        """How many trials may be inside at once, waiting or running; at least 1."""

    @property
    def running(self) -> int:
        """How many of the trials inside run now."""

    def expect(self, trials: int | None, ahead: float = math.inf) -> None:
        """What is known now of the trials to come.

        Args:
            trials: how many will be submitted at most; None: nobody knows.
            ahead: how many may be inside because calls have several; more make for worse
                suggestions.
        """

    def submit(self, trial: Trial) -> None:
        """Take a trial, and return at once."""

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Wait at most `timeout` seconds (None: without end) for ended trials; return them. It may
        return early, and empty, if slots have come.
        """

    def cancel(self, ids: Iterable[int]) -> None:
        """Cancel these trials. `collect` still returns their outcomes."""

    def close(self) -> None:
        """Cancel what runs and free every resource. Calling it again does nothing."""


class Transport(Protocol):
    """The one blocking call in which platforms differ; `Pool` adds all concurrency.

    Only `call` may take long, and only `call` and targets of `bind` are used by other threads than
    the caller's.
    """

    @property
    def slots(self) -> int:
        """How many calls the platform can run at once, when it has grown as far as it may."""

    @property
    def room(self) -> int:
        """How many calls the platform can run at once now."""

    @property
    def queues(self) -> bool:
        """Whether the platform queues calls beyond its slots itself."""

    def bind(self, target: Any) -> Any:
        """A target for threads in which they inherit what the platform stores for each thread."""

    def call(self, trials: Sequence[Trial], tag: str, within: float) -> list[dict[str, Any] | None]:
        """Evaluate trials one after the other under `tag`, and return the worker's reports; raises
        if there are none. After `within` seconds none is begun, except the first: None stands for
        those that were not.
        """

    def running(self) -> Set[str] | None:
        """The tags of the calls that have a slot now, as opposed to waiting for one; None if that
        is not known at once.
        """

    def lost(self) -> Exception | None:
        """The error that says why no call will return, if the platform is known to be gone; else
        None.
        """

    def cancel(self, tag: str) -> bool:
        """Cancel the call under `tag`, if there is one. False if the platform cannot end it; the
        pool then does not wait for it.
        """

    def close(self) -> None:
        """Free the resources of the transport. It raises nothing, even if the platform is gone."""
