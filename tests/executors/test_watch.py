"""The thread that asks Spark, without Spark: what it asks is answered when the test says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from sparktune.errors import SparkUnavailable
from sparktune.executors._calls import Timing
from sparktune.executors._watch import Watch, within


def watch(
    count: Callable[[], int | None] = lambda: 4,
    interrupt: Callable[[str], object] = lambda tag: None,
    gone: Callable[[Exception], SparkUnavailable | None] = lambda error: None,
    **timing: Any,
) -> Watch:
    return Watch("Spark", 1, count, interrupt, gone, Timing(**timing))


def test_slots_are_counted_again_and_again_though_other_things_are_asked(
    wait_until: Callable[..., None],
) -> None:
    counts = iter(range(2, 10**9))
    asks = watch(lambda: next(counts), look=0.01)

    def asked() -> bool:
        assert asks.ask(lambda: "answer", 120) == "answer"
        return asks.room > 5

    wait_until(asked)
    asks.close()


def test_an_unknown_number_of_slots_leaves_the_one_before(wait_until: Callable[..., None]) -> None:
    looks: list[int] = []
    asks = watch(lambda: looks.append(1), look=0.01)
    wait_until(lambda: len(looks) > 2)
    assert asks.room == 1
    asks.close()


def test_who_stands_still_holds_nobody_up_and_is_asked_all_of_it_once_he_goes_on() -> None:
    goes_on, done = threading.Event(), threading.Event()
    cancelled: list[str] = []
    asks = watch(interrupt=cancelled.append, silence=0.05)
    assert asks.ask(goes_on.wait, 0.2) is None
    begun = time.monotonic()
    for _ in range(1000):
        assert asks.ask(lambda: True, 0.2) is None  # it has been silent for longer already
        asks.cancel("a tag")
    assert time.monotonic() - begun < 60
    assert "Spark has not answered for 0 seconds" in str(asks.lost())
    asks.ask(done.set, 0.0)
    asks.close()
    goes_on.set()
    assert done.wait(120)
    assert cancelled == ["a tag"]
    assert asks.lost() is None or "has not answered" in str(asks.lost())


def test_an_error_that_means_the_end_is_kept_and_others_are_survived(
    wait_until: Callable[..., None],
) -> None:
    def interrupt(tag: str) -> None:
        raise LookupError(tag)

    def gone(error: Exception) -> SparkUnavailable | None:
        return SparkUnavailable(str(error)) if "gone" in str(error) else None

    asks = watch(interrupt=interrupt, gone=gone)
    asks.cancel("unknown")
    assert asks.ask(lambda: 1, 120) == 1
    assert asks.lost() is None
    asks.cancel("gone")
    wait_until(lambda: asks.lost() is not None)
    assert "gone" in str(asks.lost())
    asks.close()


def test_a_first_question_is_answered_refused_or_given_up() -> None:
    assert within(120, "Spark", lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within(120, "Spark", lambda: 1 / 0)
    with pytest.raises(SparkUnavailable, match="Spark has not answered for 0 seconds"):
        within(0.01, "Spark", threading.Event().wait)
