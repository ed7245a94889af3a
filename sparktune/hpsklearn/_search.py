"""The study behind a `HyperoptEstimator`: its space, where it runs, its best point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Platform, Serial, Spark
from sparktune.hpsklearn._failures import AsFailures
from sparktune.hpsklearn._splits import Split
from sparktune.hpsklearn._validation import Data, Rules, validating
from sparktune.hyperopt import Trials
from sparktune.hyperopt._algorithms import sampler_of
from sparktune.results import ranking
from sparktune.sklearn.catalogue.entries import Entry
from sparktune.sklearn.catalogue.groups import choice_of
from sparktune.sklearn.catalogue.suitable import suited_to
from sparktune.sklearn.processes import Processes
from sparktune.space.expression import Apply, Literal, as_apply
from sparktune.space.space import Space
from sparktune.trial import Status
from sparktune.tuning import tune

PARTS = ("classifier", "regressor", "preprocessing", "ex_preprocs")


@dataclass
class Search:
    """A study that is continued by a number of trials at a time.

    Attributes:
        space: the space, as a node that gives a dict of `PARTS`.
        algo: what suggests points, as in `fmin`.
        seed: of the suggestions.
        trials: where the trials are kept.
        on: where they are evaluated.
        interrupted: whether Ctrl-C has ended the last run.
    """

    space: Apply
    algo: Any
    seed: int
    trials: Trials
    on: Platform
    interrupted: bool = False

    def run(
        self, data: Data, splits: Sequence[Split], rules: Rules, n: int, progress: bool
    ) -> None:
        """Evaluate n more trials. After Ctrl-C there may be fewer.

        Raises:
            KeyboardInterrupt: before any trial has a loss.
        """
        objective = validating(data, splits, rules)
        sampler = sampler_of(self.algo, objective, self.space, self.trials, None, 1)
        space = Space(self.space)
        records = self.trials.records.values()
        counted = sum(trial.status is not Status.CANCELLED for trial in records)
        with self.trials.studied(space, sampler, self.seed) as study:
            try:
                tune(
                    objective,
                    space,
                    on=AsFailures(self.on),
                    max_trials=counted + n,
                    observers=[self.trials.observe],
                    progress=progress,
                    study=study,
                )
            except KeyboardInterrupt:
                self.interrupted = True
                if study.best is None:
                    raise

    def best(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """The best point, with estimators that are not fitted, and its result."""
        best = ranking.best(self.trials.records.values())
        if best is None:
            return None
        point: dict[str, Any] = Space(self.space).decode(best.values)
        return point, dict(best.result or {})

    def explanation(self) -> str:
        """Why no trial has a loss: how many ended how, and the first failure in full."""
        for trial in self.trials.records.values():
            result = trial.result or {}
            if "failure" in result:
                return (
                    f"All {len(self.trials.records)} trials failed or timed out. The first "
                    f"failure, of trial {trial.id}:\n{result['traceback']}"
                )
        return f"All trials failed or timed out. {self.trials.explanation()}"


def platform_of(on: Platform | None, trial_timeout: float | None) -> Platform:
    """Where trials run that may take so many seconds.

    Raises:
        InvalidArgument: this platform cannot end a trial.
    """
    on = Serial() if on is None else on
    if trial_timeout is None:
        return on
    if isinstance(on, Serial):
        return Processes(1, trial_timeout)
    if isinstance(on, (Spark, Processes)):
        return replace(on, trial_timeout=trial_timeout)
    raise InvalidArgument(
        f"trial_timeout needs processes that can be ended, and {on!r} has none; use "
        "Spark(parallelism=8) or Processes(4)"
    )


def space_of(estimator: Any, data: Data) -> tuple[Apply, bool]:
    """The space of a `HyperoptEstimator` for these data, and whether its models are classifiers.

    Raises:
        InvalidArgument: it is given twice, or lacks a part.
    """
    given = {name: getattr(estimator, name) for name in PARTS}
    if estimator.space is None:
        return _space_of_parts(given, data)
    if any(value is not None for value in given.values()):
        raise InvalidArgument(
            "give either space=, or classifier=, regressor=, preprocessing= and ex_preprocs=; "
            "not both"
        )
    space = as_apply(estimator.space)
    if space.name != "dict":
        return space, True
    pairs = {pair.pos_args[0].obj: pair.pos_args[1] for pair in space.pos_args[0].pos_args}  # type: ignore[attr-defined]
    if lacking := [name for name in PARTS[:3] if name not in pairs]:
        raise InvalidArgument(
            f"space must have the keys 'classifier', 'regressor' and 'preprocessing', of which "
            f"None is a value; {', '.join(map(repr, lacking))} is missing"
        )
    classes = not _is_none(pairs["classifier"])
    if classes is not _is_none(pairs["regressor"]):
        raise InvalidArgument("space must have a classifier or a regressor, and not both")
    return as_apply({"ex_preprocs": (), **pairs}), classes


def _space_of_parts(given: dict[str, Any], data: Data) -> tuple[Apply, bool]:
    if given["classifier"] is not None and given["regressor"] is not None:
        raise InvalidArgument("give a classifier or a regressor, not both")
    sparse = "sparse_" if hasattr(data.X, "tocsr") or len(data.X.shape) == 1 else ""
    classes = given["regressor"] is None
    texts = len(data.X.shape) == 1
    suited = _everything if texts or hasattr(data.X, "columns") else suited_to(data.X, data.y)
    if classes and given["classifier"] is None:
        given["classifier"] = choice_of(f"any_{sparse}classifier", "classifier", suited)
    if given["preprocessing"] is None:
        kind = "text_" if texts else sparse
        given["preprocessing"] = choice_of(f"any_{kind}preprocessing", "preprocessing", suited)
    given["ex_preprocs"] = given["ex_preprocs"] or ()
    return as_apply(given), classes


def _everything(entry: Entry) -> bool:
    """Texts and tables are numbers before a model sees them."""
    return True


def _is_none(node: Apply) -> bool:
    return isinstance(node, Literal) and node.obj is None
