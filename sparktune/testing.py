"""What every implementation of a seam must do, as plain functions, and simulated time to run it in.

    for check in SAMPLER_CHECKS:
        check(MySampler())

A check takes the object and raises AssertionError with what went wrong. No test framework is
needed. Sections: spaces and histories; samplers; simulated time.
"""

from __future__ import annotations

import heapq
import math
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from sparktune.executors.task import Task
from sparktune.history import History, View
from sparktune.schedulers import FullBudget
from sparktune.space import hp
from sparktune.space.distributions import Array, Categorical, Distribution
from sparktune.space.expression import scope
from sparktune.space.space import Space
from sparktune.study import Sampler, Study
from sparktune.trial import Outcome, Status, Trial

# ---- spaces and histories ----------------------------------------------------------------------


def spaces() -> dict[str, Space]:
    """One search space of each shape that a sampler meets, by name."""
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
    """The history of trials at rows X with these losses, all of them ok unless `statuses` differ.

    Trial i was handed out at second i and, unless it is pending, ended a second later.
    """
    history = History(len(space))
    statuses = [Status.OK] * len(X) if statuses is None else statuses
    for i, (row, loss, status) in enumerate(zip(X, losses, statuses, strict=True)):
        finished = None if status.pending else i + 1.0
        trial = Trial(i, space.values(row), status, loss=loss, asked=float(i), finished=finished)
        history.append(trial, row)
    return history.view(now=len(X) + 1.0)


def mixed_history(space: Space, n: int, seed: int = 0, *others: Status) -> View:
    """n ok trials at random points with random losses, among them trials of the `others` statuses
    without a loss.
    """
    rng = np.random.default_rng([seed, n])
    ends: list[tuple[Status, float | None]] = [(Status.OK, loss) for loss in rng.normal(size=n)]
    ends += [(status, None) for status in others]
    shuffled = [ends[k] for k in rng.permutation(len(ends))]
    X = space.sample(rng, len(ends))
    return history_of(space, X, [loss for _, loss in shuffled], [status for status, _ in shuffled])


# ---- samplers ----------------------------------------------------------------------------------


def check_rows_have_the_shape_asked_for(sampler: Sampler) -> None:
    """n rows of float64 for n = 0, 1, 17, whatever the history; fewer only from a finite space."""
    for name, space, history in _situations():
        finite = all(math.isfinite(column.distribution.size) for column in space.columns)
        for n in (0, 1, 17):
            X = sampler.suggest(space, history, n, np.random.default_rng(n))
            assert isinstance(X, np.ndarray), f"{name}: got a {type(X).__name__}, wanted an array"
            assert X.dtype == np.float64, f"{name}: got dtype {X.dtype}, wanted float64"
            rows = min(len(X), n) if finite else n
            wanted = (rows, len(space))
            assert X.shape == wanted, f"{name}: got shape {X.shape}, wanted {wanted}"


def check_rows_are_inside_the_support(sampler: Sampler) -> None:
    """Every active value is one that its prior can give."""
    for name, space, history in _situations():
        X = sampler.suggest(space, history, 17, np.random.default_rng(1))
        for j, column in enumerate(space.columns):
            x = X[~np.isnan(X[:, j]), j]
            assert _possible(column.distribution, x).all(), (
                f"{name}: {column.label!r} cannot be {x}"
            )


def check_inactive_parameters_are_nan(sampler: Sampler) -> None:
    """NaN exactly where the choices of the row make a parameter inactive."""
    for name, space, history in _situations():
        X = sampler.suggest(space, history, 17, np.random.default_rng(2))
        wrong = np.argwhere(np.isnan(X) == space.active(X))
        assert not len(wrong), f"{name}: NaN at the wrong places (row, column): {wrong.tolist()}"


def check_suggestions_depend_on_the_arguments_only(sampler: Sampler) -> None:
    """Equal arguments give equal rows, whatever was asked for in between."""
    for name, space, history in _situations():
        first = sampler.suggest(space, history, 3, np.random.default_rng(3))
        other = mixed_history(space, len(history), 99)
        sampler.suggest(space, other, 3, np.random.default_rng(4))
        again = _copy(history)
        second = sampler.suggest(space, again, 3, np.random.default_rng(3))
        np.testing.assert_array_equal(first, second, f"{name}: two calls differ")


def check_losses_of_failed_trials_are_ignored(sampler: Sampler) -> None:
    """A loss counts only where the trial is ok."""
    ended = [status for status in Status if not status.pending and status is not Status.OK]
    for name, space in spaces().items():
        history = mixed_history(space, 40, 5, *ended * 3)
        tempting = replace(history, loss=np.where(history.ok, history.loss, -1e9))
        first, second = (
            sampler.suggest(space, each, 3, np.random.default_rng(5))
            for each in (history, tempting)
        )
        np.testing.assert_array_equal(first, second, f"{name}: the loss of a failed trial counted")


def check_infinite_losses_are_survived(sampler: Sampler) -> None:
    """An infinite loss is a loss like others, even where there is no finite one."""
    for name, space in spaces().items():
        X = space.sample(np.random.default_rng(6), 40)
        for finite in (0, 1, 30):
            losses = [float(i) if i < finite else math.inf for i in range(40)]
            row = sampler.suggest(space, history_of(space, X, losses), 1, np.random.default_rng(6))
            inside = np.isnan(row) != space.active(row)
            assert inside.all(), f"{name}: not a point of the space: {row}"


def check_the_history_is_left_alone(sampler: Sampler) -> None:
    """No column of the history changes."""
    for name, space, history in _situations():
        before = _copy(history)
        sampler.suggest(space, history, 3, np.random.default_rng(7))
        for each in fields(View):
            expected, found = getattr(before, each.name), getattr(history, each.name)
            np.testing.assert_array_equal(found, expected, f"{name}: {each.name} changed")


def check_a_single_point_is_suggested_again(sampler: Sampler) -> None:
    """A space with one point gives that point, or nothing once it is tried."""
    space = spaces()["one point"]
    for tried in (0, 30):
        X = sampler.suggest(space, mixed_history(space, tried), 5, np.random.default_rng(8))
        assert (X == 0).all(), f"got {X}, wanted index 0 of both parameters"
        assert tried or len(X), "the only point was never suggested"


def check_pickled_samplers_suggest_the_same(sampler: Sampler) -> None:
    """A sampler survives pickling."""
    copy: Sampler = pickle.loads(pickle.dumps(sampler))
    for name, space, history in _situations():
        first, second = (
            each.suggest(space, history, 3, np.random.default_rng(9)) for each in (sampler, copy)
        )
        np.testing.assert_array_equal(first, second, f"{name}: the unpickled sampler differs")


def check_resumed_studies_go_on_the_same(sampler: Sampler) -> None:
    """A study that goes on from the records of its first trials, the last of which never ended,
    suggests what the uninterrupted one does.
    """
    for name, space in spaces().items():
        whole = _played(space, sampler, {})
        for cut in (1, 10, 25):
            kept = {id: trial for id, trial in whole.items() if id < cut}
            if cut - 1 in kept:
                kept[cut - 1] = Trial(cut - 1, kept[cut - 1].values, Status.RUNNING)
            assert _played(space, sampler, kept) == whole, f"{name}: differs from trial {cut} on"


SAMPLER_CHECKS: tuple[Callable[[Sampler], None], ...] = (
    check_rows_have_the_shape_asked_for,
    check_rows_are_inside_the_support,
    check_inactive_parameters_are_nan,
    check_suggestions_depend_on_the_arguments_only,
    check_losses_of_failed_trials_are_ignored,
    check_infinite_losses_are_survived,
    check_the_history_is_left_alone,
    check_a_single_point_is_suggested_again,
    check_pickled_samplers_suggest_the_same,
    check_resumed_studies_go_on_the_same,
)


def _situations() -> Iterator[tuple[str, Space, View]]:
    """Every space with every kind of history: none, few and many trials, pending and failed ones
    among them or nothing else.
    """
    waiting, running, failed = Status.NEW, Status.RUNNING, Status.ERROR
    for name, space in spaces().items():
        yield f"{name}, no trial", space, mixed_history(space, 0)
        yield f"{name}, one trial", space, mixed_history(space, 1)
        yield f"{name}, many trials", space, mixed_history(space, 70)
        others = (waiting, running, failed) * 8
        yield f"{name}, nothing but pending and failed", space, mixed_history(space, 0, 1, *others)
        yield f"{name}, some pending and failed", space, mixed_history(space, 40, 2, *others)


def _possible(prior: Distribution, x: Array) -> NDArray[np.bool_]:
    """Mask of the values that a prior can give."""
    if isinstance(prior, Categorical):
        return np.isin(x, np.flatnonzero(prior.p))
    low, high = prior.support
    on_grid = np.round(x / prior.q) * prior.q == x if prior.q else np.isfinite(x)
    return (low <= x) & (x <= high) & on_grid


def _copy(history: View) -> View:
    copy: View = pickle.loads(pickle.dumps(history))
    return copy


def _played(space: Space, sampler: Sampler, records: dict[int, Trial]) -> dict[int, Trial]:
    """The records of a study that goes on to 30 trials, one at a time."""
    study = Study(space, sampler, FullBudget(30), 11, records, clock=Clock())
    while asked := study.ask(1):
        trial = asked[0].trial
        study.tell(Outcome(trial.id, Status.OK, float(sum(trial.values.values()))))
    return records


# ---- simulated time ----------------------------------------------------------------------------


@dataclass
class Clock:
    """Seconds that pass only when something waits for them; call it for the time."""

    now: float = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.now


class Simulated:
    """An executor whose trials take simulated time, all in the caller's thread.

    Args:
        task: what is evaluated, when the trial's time is over.
        slots: how many trials run at once.
        seconds: how long a trial takes.
        clock: the time; give it to the study too.
    """

    def __init__(
        self, task: Task, slots: int, seconds: Callable[[Trial], float], clock: Clock
    ) -> None:
        self.slots = slots
        self._task = task
        self._seconds = seconds
        self._clock = clock
        self._running: list[tuple[float, int, float, Trial]] = []  # a heap: (end, id, start, trial)
        self._ended: list[Outcome] = []

    def submit(self, trial: Trial) -> None:
        """Start a trial.

        Raises:
            RuntimeError: all slots are taken.
        """
        if len(self._running) >= self.slots:
            raise RuntimeError(f"trial {trial.id} was submitted while all slots were taken")
        start = self._clock.now
        heapq.heappush(self._running, (start + self._seconds(trial), trial.id, start, trial))

    def collect(self, timeout: float | None) -> list[Outcome]:
        """Let time pass until trials end, at most `timeout` seconds."""
        if not self._ended and self._running:
            patience = math.inf if timeout is None else self._clock.now + timeout
            self._clock.now = min(self._running[0][0], patience)
            while self._running and self._running[0][0] <= self._clock.now:
                self._ended.append(self._evaluate(*heapq.heappop(self._running)))
        ended, self._ended = self._ended, []
        return ended

    def cancel(self, ids: Iterable[int]) -> None:
        """End these trials now."""
        wanted = set(ids)
        now = self._clock.now
        for end, id, start, trial in sorted(self._running):
            if id in wanted:
                self._running.remove((end, id, start, trial))
                self._ended.append(Outcome(id, Status.CANCELLED, started=start, finished=now))
        heapq.heapify(self._running)

    def close(self) -> None:
        """End all trials now."""
        self.cancel([id for _, id, _, _ in self._running])

    def _evaluate(self, end: float, id: int, start: float, trial: Trial) -> Outcome:
        report = self._task.evaluate(trial) | {"started": start, "finished": end}
        return Outcome.of(id, report)
