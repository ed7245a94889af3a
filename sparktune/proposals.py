"""New trials from the work items of a scheduler and the points of a sampler. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument, brief
from sparktune.history import View
from sparktune.samplers import Sampler, learns
from sparktune.samplers._seen import Seen
from sparktune.schedulers import New, Promote
from sparktune.space.distributions import Array
from sparktune.space.space import Space
from sparktune.trial import Trial


def feasible(work: Sequence[New | Promote], room: int | None) -> list[New | Promote]:
    """The work items that can start together: at most `room` new points (None: any number), and the
    same `knows` as the first item.
    """
    left = len(work) if room is None else room
    kept: list[New | Promote] = []
    for item in work:
        left -= isinstance(item, New)
        if left >= 0 or isinstance(item, Promote):
            kept.append(item)
    return list(takewhile(lambda item: item.knows == kept[0].knows, kept))


def new_points(
    work: Sequence[New | Promote],
    sampler: Sampler,
    space: Space,
    history: View,
    scores: View,
    rng: np.random.Generator,
) -> list[Array]:
    """A row for each new point that is not explored; fewer if no other point is left.

    Args:
        work: the work items.
        sampler: makes the rows, except unguided ones if it learns.
        space: the space of the rows.
        history: the trials so far, whose points are not drawn again.
        scores: what the sampler sees instead of the history.
        rng: source of randomness.
    """
    new = [item for item in work if isinstance(item, New) and not item.explore]
    random = [item.unguided and learns(sampler) for item in new]
    guided = random.count(False)
    rows = iter(_suggested(sampler, space, scores, guided, rng) if guided else ())
    tried = Seen.of(space, history) if any(random) else None
    points = (tried.drawn(rng) if tried and own else next(rows, None) for own in random)
    return list(takewhile(lambda row: row is not None, points))  # type: ignore[arg-type]


def _suggested(
    sampler: Sampler, space: Space, history: View, n: int, rng: np.random.Generator
) -> Array:
    """The rows of a sampler.

    Raises:
        InvalidArgument: they are not rows of the space.
    """
    returned: Any = sampler.suggest(space, history, n, rng)
    try:
        return np.asarray(returned, dtype=float).reshape(len(returned), len(space))
    except (TypeError, ValueError):
        raise InvalidArgument(
            f"{brief(sampler)}: suggest must return up to {n} rows of {len(space)} numbers, "
            f"got {brief(returned)}"
        ) from None


def proposed(
    space: Space,
    seed: int,
    first: int,
    work: Sequence[New | Promote],
    points: Iterable[Array],
    trial_at: Callable[[int], Trial],
) -> list[Trial]:
    """The trials of work items.

    Args:
        space: the search space.
        seed: the seed of the study, which with the id determines the points to explore.
        first: the id of the first trial; later trials have consecutive ids.
        work: the work items.
        points: rows of the space for new points; items without a point are left out.
        trial_at: returns the trial at a row of the history.
    """
    rows = iter(points)
    trials: list[Trial] = []
    for item in work:
        id = first + len(trials)
        if isinstance(item, Promote):
            parent = trial_at(item.row)
            trials.append(Trial(id, parent.values, budget=item.budget, parent=parent.id))
        elif item.explore:
            point = space.sample(np.random.default_rng([seed, id, 1]), 1)[0]
            values = space.values(point)
            trials.append(Trial(id, values, budget=item.budget, explore=True))
        elif (row := next(rows, None)) is not None:
            trials.append(Trial(id, space.values(row), budget=item.budget))
    return trials
