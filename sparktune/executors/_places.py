"""The number of calls that may run, wait, and be on the platform."""

from __future__ import annotations

from dataclasses import dataclass

from sparktune.executors.seams import Transport


@dataclass(frozen=True, slots=True)
class Places:
    """Places for calls on a platform.

    Args:
        transport: the platform.
        parallelism: the most calls that run at once; None: as many as the platform has room for,
            and a quarter more while it could have more room.
    """

    transport: Transport
    parallelism: int | None

    @property
    def can_run(self) -> int:
        """The number of calls that may run: with a given parallelism at most that many, else a
        quarter more than there is room for, so that a platform that can grow does.
        """
        slots = self.transport.slots
        if self.parallelism is not None:
            return min(self.parallelism, slots)
        room = self.transport.room
        return min(slots, room + max(room // 4, 1))

    @property
    def inside(self) -> int:
        """The number of calls that may exist: those that can run, and one that waits."""
        return self.can_run if self.parallelism == 1 else self.can_run + 1

    @property
    def on_platform(self) -> int:
        """The number of calls that may be on the platform at once."""
        waits = self.transport.queues and self.can_run == self.transport.slots
        return self.inside if waits else self.can_run
