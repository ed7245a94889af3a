"""Hand-made trials, and headless drawing that leaves no figure behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from sparktune import Trials
from sparktune.trial import Status, Trial

Rows = Sequence[tuple[Status, float | None, Mapping[str, Any]]]


@pytest.fixture
def made() -> Callable[..., Trials]:
    """A function from (status, loss, values) of each trial, ids in reverse order, to `Trials`."""

    def make(rows: Rows, labels: tuple[str, ...] = ()) -> Trials:
        trials = Trials()
        trials.labels = labels
        for id, (status, loss, values) in reversed(list(enumerate(rows))):
            result: dict[str, Any] | None = None
            if status.returned:
                result = {"status": status.value}
                result |= {} if loss is None else {"loss": loss}
            trials.records[id] = Trial(id, values, status, loss=loss, result=result)
        return trials

    return make


@pytest.fixture(autouse=True)
def _headless() -> Iterator[None]:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("agg")
    yield
    plt.close("all")
