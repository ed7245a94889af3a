"""Search spaces of all kinds and histories over them, for tests of samplers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sparktune.history import View
from sparktune.space import hp
from sparktune.space.distributions import Array
from sparktune.space.expression import scope
from sparktune.space.space import Space
from sparktune.trial import Status, Trial


def spaces() -> dict[str, Space]:
    """{name: space} with one search space of each kind that a sampler must handle."""
    shared = hp.normal("shared", 0, 1)
    deepest = hp.choice("deepest", [hp.loguniform("rate", -5, 0), shared])
    numbers = {
        "uniform": hp.uniform("uniform", -1, 3),
        "quniform": hp.quniform("quniform", 1, 10, 4),
        "uniformint": hp.uniformint("uniformint", 1, 5),
        "loguniform": hp.loguniform("loguniform", -3, 1),
        "qloguniform": hp.qloguniform("qloguniform", -2, 3, 0.5),
        "normal": hp.normal("normal", 2, 3),
        "qnormal": hp.qnormal("qnormal", 2, 3, 0.5),
        "lognormal": hp.lognormal("lognormal", 0, 1),
        "qlognormal": hp.qlognormal("qlognormal", 0, 1, 0.5),
        "randint": hp.randint("randint", -2, 4),
    }
    return {
        "one number": Space(hp.uniform("x", -1, 1)),
        "every prior": Space(
            {
                **numbers,
                "choice": hp.choice("choice", "abc"),
                "pchoice": hp.pchoice("pchoice", [(0.7, "a"), (0.0, "never"), (0.3, "b")]),
            }
        ),
        "conditional": Space(
            {
                "always": hp.uniform("always", 0, 1),
                "model": hp.choice(
                    "model",
                    [
                        {"depth": hp.uniformint("depth", 1, 9), "more": deepest},
                        [hp.choice("kernel", ["linear", shared]), hp.randint("degree", 2, 5)],
                        None,
                    ],
                ),
            }
        ),
        "finite": Space([hp.choice("c", "xyz"), hp.randint("r", 4), hp.quniform("q", 0, 2, 1)]),
        "one point": Space([hp.choice("c", ["only"]), hp.randint("r", 1)]),
        "no parameter": Space({"x": 3, "y": scope.int(2.0)}),
    }


def history_of(
    space: Space,
    X: Array,
    losses: Sequence[float | None],
    statuses: Iterable[Status] | None = None,
) -> View:
    """The history of trials at rows X with these losses; their status is OK without `statuses`.

    Trial i was handed out at second i. Unless it is pending, it started 0.25 seconds later and
    ended at second i + 1.
    """
    statuses = [Status.OK] * len(X) if statuses is None else statuses
    trials = [
        Trial(
            i,
            space.values(row),
            status,
            loss=loss,
            asked=float(i),
            started=None if status.pending else i + 0.25,
            finished=None if status.pending else i + 1.0,
        )
        for i, (row, loss, status) in enumerate(zip(X, losses, statuses, strict=True))
    ]
    return View.of(trials, X, now=len(X) + 1.0)


def mixed_history(space: Space, n: int, seed: int = 0, *others: Status) -> View:
    """A history of n trials at random points with status OK and random losses, mixed with trials
    with the statuses `others` and no loss.
    """
    rng = np.random.default_rng([seed, n])
    ends: list[tuple[Status, float | None]] = [(Status.OK, loss) for loss in rng.normal(size=n)]
    ends += [(status, None) for status in others]
    shuffled = [ends[k] for k in rng.permutation(len(ends))]
    X = space.sample(rng, len(ends))
    return history_of(space, X, [loss for _, loss in shuffled], [status for status, _ in shuffled])
