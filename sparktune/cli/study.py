"""The study file in TOML: reading, changes by `--set key=value`, checks.

    objective = "forest.py:validation_loss"     # or module:function
    space = "forest.py:space"                   # or tables, see `space.tables`
    algorithm = "tpe"                           # or a table: name, and the algorithm's options
    scheduler = {name = "asha", min_budget = 3, max_budget = 81}    # or hyperband, folds; else none
    executor = "spark"                          # or a table: kind, and the executor's options
    budget = {max_evals = 100, timeout = 600, loss_threshold = 0.1, full_evaluations = 40}
    seed = 1                                    # and every other plain argument of `tune`
    journal = "forest.jsonl"
    prior = {rate = {lognormal = ["log(0.01)", 1]}}     # tables as for a space
    tracking = "mlflow"                         # or a table: kind, and options of MlflowObserver
    spark.driver.memory = "4g"                  # settings of Spark, by their names

Paths in the file are relative to its folder; paths given with `--set`, to the working directory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from inspect import signature
from pathlib import Path
from typing import Any

from sparktune.annotated import annotated, is_annotated
from sparktune.arguments import whole
from sparktune.cli.references import References
from sparktune.cli.tables import change_of, merged, read_tables, written_out
from sparktune.errors import InvalidArgument
from sparktune.executors.platforms import Platform, Serial, Spark, Threads
from sparktune.limits import time_and_loss
from sparktune.options import OR_NONE
from sparktune.parallel_trials import parallelism_of
from sparktune.samplers._options import with_options
from sparktune.samplers.algorithms import ALGORITHMS, resolve
from sparktune.schedulers import ASHA, Folds, Hyperband, Scheduler
from sparktune.space.tables import space_of
from sparktune.stopping import MaxBudget
from sparktune.study import Study
from sparktune.tracking.observer import MlflowObserver
from sparktune.trials import Trials
from sparktune.tuning import tune

_BUDGET = ("max_evals", "timeout", "loss_threshold", "full_evaluations")
_PLATFORMS: dict[str, Any] = {"serial": Serial, "threads": Threads, "spark": Spark}
_OBJECTS = {"session", "resource_profile"}  # options of a platform that TOML cannot express

_SCHEDULERS: dict[str, Any] = {"asha": ASHA, "hyperband": Hyperband, "folds": Folds}

_TABLES = (
    "objective",
    "space",
    "algorithm",
    "scheduler",
    "executor",
    "budget",
    "spark",
    "tracking",
    "prior",
)
_OTHERWISE = ("sampler", "on", "max_trials", "stop", "observers", "progress", "study")
_PLAIN = tuple(name for name in signature(tune).parameters if name not in _TABLES + _OTHERWISE)
"""The arguments of `tune` that are keys of a study file; the others are set by its tables."""

_KINDS: dict[str, Any] = {
    "objective": str,
    "space": (str, dict),
    "algorithm": dict,
    "scheduler": dict,
    "executor": dict,
    "budget": dict,
    "spark": dict,
    "tracking": dict,
    "prior": dict,
    "journal": str,
    "checkpoints": str,
}

_NAMES = {str: "a text", dict: "a table", (str, dict): "a text or a table"}


@dataclass(frozen=True)
class StudyFile:
    """The content of a study file, with a valid type for each key. `plain` holds the keys that are
    arguments of `tune`.
    """

    objective: str
    space: Any
    algorithm: Mapping[str, Any] = field(default_factory=lambda: {"name": "tpe"})
    scheduler: Mapping[str, Any] | None = None
    executor: Mapping[str, Any] = field(default_factory=lambda: {"kind": "serial"})
    budget: Mapping[str, Any] = field(default_factory=dict)
    spark: Mapping[str, Any] = field(default_factory=dict)
    tracking: Mapping[str, Any] | None = None
    prior: Mapping[str, Any] | None = None
    plain: Mapping[str, Any] = field(default_factory=dict)

    @property
    def journal(self) -> str | None:
        """The path or URL of the journal; None without one."""
        return self.plain.get("journal")

    def arguments(self) -> dict[str, Any]:
        """The arguments of `tune`, except `on`. Executes the files that the study file names.

        Raises:
            InvalidArgument: a referenced object does not exist, or a value is invalid.
        """
        references = References()
        space = self.space
        if isinstance(space, str) and space != "annotated":
            space = references.find("space", space)
        objective = references.find("objective", self.objective)
        if not callable(objective):
            raise InvalidArgument(f"objective: {self.objective} is not a function")
        if is_annotated(space):
            objective, space = annotated(objective)
        elif not isinstance(self.space, str):
            space = space_of(space)
        limits = dict(self.budget)
        limit = limits.pop("max_evals", None)
        spent = limits.pop("full_evaluations", None)
        stop = time_and_loss(Trials(), **limits)
        sampler = _algorithm(self.algorithm, references)
        scheduler = None if self.scheduler is None else _scheduler(self.scheduler)
        study = Study(space, sampler, scheduler, self.plain.get("seed"))
        return {
            "objective": objective,
            "space": study.space,
            "max_trials": limit if limit is None else whole("max_evals", limit, 0, OR_NONE),
            "stop": stop if spent is None else stop | MaxBudget(spent),
            "study": study,
            "tracking": None if self.tracking is None else _tracking(self.tracking),
            "prior": None if self.prior is None else space_of(self.prior),
            "deterministic": self.executor.get("deterministic", False),
            **self.plain,
        }

    def platform(self) -> Platform:
        """The platform on which to evaluate trials; starts Spark if the file needs it.

        Raises:
            InvalidArgument: the executor or one of its options is unknown or invalid.
            SparkUnavailable: Spark cannot be started.
        """
        options = dict(self.executor)
        kind = options.pop("kind", "serial")
        if not isinstance(kind, str) or kind not in _PLATFORMS:
            raise InvalidArgument(
                f"executor must be one of {_names(_PLATFORMS)}, got {kind!r:.200}"
            )
        _check_keys(f"executor {kind!r}", options, _options_of(kind))
        options.pop("deterministic", None)
        if kind == "spark":
            options["parallelism"] = parallelism_of(options.get("parallelism")) or "auto"
            Spark(**options)  # raises for invalid options before Spark is started
            options["session"] = _session(self.spark)
        elif self.spark:  # for an objective that uses Spark itself
            _session(self.spark)
        platform: Platform = _PLATFORMS[kind](**options)
        return platform


def _options_of(kind: str) -> list[str]:
    """The names of the options of an executor."""
    if kind == "serial":
        return [each.name for each in fields(Serial)]
    names = [each.name for each in fields(_PLATFORMS[kind]) if each.name not in _OBJECTS]
    return [*names, "deterministic"]


def load(path: str, changes: Sequence[str]) -> StudyFile:
    """Read a study file, and change some of its keys.

    Args:
        path: the path of the file.
        changes: `key=value`; keys may have dots, and a value that is not valid TOML is a text.

    Raises:
        InvalidArgument: the file cannot be read, a key is unknown, or a value is invalid.
    """
    table = written_out(read_tables(path))
    _resolve(table, Path(path).parent)
    for change in changes:
        table = merged(table, written_out(change_of(change)))
    _check_keys(path, table, (*_TABLES, *_PLAIN))
    for key, kind in _KINDS.items():
        if key in table and not isinstance(table[key], kind):
            raise InvalidArgument(f"{key} must be {_NAMES[kind]}, got {table[key]!r:.200}")
    for key in ("objective", "space"):
        if key not in table:
            raise InvalidArgument(f"{path} lacks the required key {key!r}; add it")
    _check_keys("budget", table.get("budget", {}), _BUDGET)
    plain = {name: table.pop(name) for name in _PLAIN if name in table}
    return StudyFile(**table, plain=plain)


def _resolve(table: dict[str, Any], folder: Path) -> None:
    """Make the paths in a study file relative to the working directory."""
    for key in ("objective", "space"):
        reference = table.get(key)
        if isinstance(reference, str) and reference.rpartition(":")[0].endswith(".py"):
            table[key] = str(folder / reference)
    journal = table.get("journal")
    if isinstance(journal, str) and "://" not in journal:
        table["journal"] = os.path.join(folder, journal)


def _algorithm(table: Mapping[str, Any], references: References) -> Any:
    options = dict(table)
    name = options.pop("name", "tpe")
    if not isinstance(name, str) or not (name in ALGORITHMS or ":" in name):
        raise InvalidArgument(
            f"algorithm must be one of {_names(ALGORITHMS)}, or module:name; got {name!r:.200}"
        )
    sampler = resolve(references.find("algorithm", name) if ":" in name else name)
    return with_options(sampler, **options)


def _scheduler(table: Mapping[str, Any]) -> Scheduler:
    options = dict(table)
    name = options.pop("name", "asha")
    if name not in _SCHEDULERS:
        raise InvalidArgument(f"scheduler must be one of {_names(_SCHEDULERS)}, got {name!r:.200}")
    make = _SCHEDULERS[name]
    known = signature(make).parameters
    _check_keys(f"scheduler {name!r}", options, known)
    for needed in (each for each in known.values() if each.default is each.empty):
        if needed.name not in options:
            raise InvalidArgument(f"scheduler {name!r} needs a value for {needed.name!r}")
    scheduler: Scheduler = make(**options)
    return scheduler


def _tracking(table: Mapping[str, Any]) -> MlflowObserver:
    options = dict(table)
    if (kind := options.pop("kind", "mlflow")) != "mlflow":
        raise InvalidArgument(f"tracking must be 'mlflow', got {kind!r:.200}")
    _check_keys("tracking 'mlflow'", options, [each.name for each in fields(MlflowObserver)])
    return MlflowObserver(**options)


def _session(settings: Mapping[str, Any]) -> Any:
    """The active Spark session, or a new one with these settings. It runs on this machine, unless
    the settings name a remote master or server.
    """
    from sparktune.executors.spark_session import local_session, start

    flat = _flat("spark", settings)
    if "spark.remote" not in flat and flat.get("spark.master", "local").startswith("local"):
        return local_session(None, **{key.replace(".", "__"): flat[key] for key in flat})
    return start(flat)


def _flat(prefix: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """{"driver": {"memory": "2g"}} as {"spark.driver.memory": "2g"}, in Spark's spelling."""
    flat: dict[str, str] = {}
    for key, value in settings.items():
        name = f"{prefix}.{key}"
        if isinstance(value, Mapping):
            flat.update(_flat(name, value))
        else:
            flat[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return flat


def _check_keys(where: str, table: Mapping[str, Any], names: Any) -> None:
    if unknown := [key for key in table if key not in names]:
        raise InvalidArgument(
            f"{where} has no key {_names(unknown):.200}; valid keys: {_names(names) or 'none'}"
        )


def _names(names: Any) -> str:
    return ", ".join(map(repr, names))
