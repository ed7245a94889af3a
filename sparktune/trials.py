"""`Trials`: the records of the trials of a run, and where they are evaluated.

The state is in records (`sparktune.trial.Trial`). Hyperopt-style documents are built from records
on demand (`sparktune.documents`).
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import replace
from typing import Any, TypeVar

from sparktune.documents import Ctrl, Document, TrialAttachments, document, renew
from sparktune.errors import AllTrialsFailed
from sparktune.events import Begun, Event, Stopped, Told, apply, attach
from sparktune.executors.platforms import Platform, Serial
from sparktune.history import View
from sparktune.journal.saved import read_study, save_trials
from sparktune.results import ranking
from sparktune.results.finished import labels
from sparktune.results.shown import Shown
from sparktune.samplers import Sampler
from sparktune.schedulers import Scheduler
from sparktune.space.space import Space
from sparktune.study import Study
from sparktune.trial import JOB_STATE_CANCEL, JOB_STATE_DONE, JOB_STATE_ERROR, Header, Scalar, Trial

logger = logging.getLogger("sparktune")

T = TypeVar("T", bound="Trials")


def kept_items(values: Any, keep: Callable[[str, Any], Any]) -> Any:
    """Return a copy of a dict with each value replaced by `keep(name, value)`; None for None."""
    return values and {key: keep(f"{key}", value) for key, value in values.items()}


class Trials(Shown):
    """The trials of one study, evaluated one after another in this process.

    Pass a `Trials` to `fmin(trials=...)` to inspect the trials afterwards, to pickle them, or to
    continue with a larger `max_evals`.
    """

    asynchronous = False
    """Whether several trials run at once."""

    catches_errors = False
    """Whether exceptions of the objective are always recorded, even without
    `catch_eval_exceptions`.
    """

    study: Study | None = None
    """The study of the last run in this process. It is not pickled, because its space may not be
    picklable.
    """

    def __init__(self) -> None:
        self.records: MutableMapping[int, Trial] = {}
        self.attachments: dict[str, Any] = {}
        self.labels: tuple[str, ...] = ()
        self.stop_reason: str | None = None
        """Why the last run ended: "all trials done", "timeout", "loss threshold", "all points of
        the search space tried", ...
        """
        self.header: Header | None = None
        """The name of the objective, the seed and the space of the last run."""
        self.lag: int | None = None
        """With `deterministic`, the number of latest trials whose results a suggestion ignores."""
        self.timeout: float | None = None
        self.loss_threshold: float | None = None
        self._documents: dict[int, tuple[Trial, Document]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_documents": {}, "study": None}

    def platform(self, queue: int = 1) -> Platform:
        """Return the platform that evaluates these trials. `queue` is the number of suggestions
        made at once in serial runs; parallel platforms ignore it.
        """
        return Serial(queue)

    @property
    def space(self) -> Space | None:
        """The search space of the last run in this process."""
        return None if self.study is None else self.study.space

    @contextlib.contextmanager
    def studied(
        self,
        space: Any,
        sampler: Sampler | str,
        seed: int | None,
        scheduler: Scheduler | None = None,
    ) -> Iterator[Study]:
        """Provide a study of these trials, to be run with `observe` as an observer. If its run does
        not begin, these trials do not change.
        """
        study = Study(
            space,
            sampler,
            scheduler,
            seed,
            records=self.records,
            attachments=self.attachments,
            reserved=self.reserved,
        )
        before = self.study, self.labels
        self.study, self.labels = study, study.labels
        try:
            yield study
        finally:
            if study.header is None:
                self.study, self.labels = before

    def observe(self, event: Event, history: View) -> None:
        """Update header, labels, attachments and stop_reason, which are not in the records."""
        self._learn(event)

    def replay(self, events: Iterable[Event]) -> None:
        """Apply earlier events, such as the events of a journal."""
        for event in events:
            apply(self.records, event)
            self._learn(event)

    def _learn(self, event: Event) -> None:
        match event:
            case Begun(header):
                self.header, self.stop_reason = header, None
                self.labels = tuple(header.columns)
            case Told(_, outcome):
                attach(self.attachments, outcome)
            case Stopped(reason):
                self.stop_reason = reason

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a journal of these trials, which `load` and `fmin(journal=)` read. An existing file
        is replaced. Large values are copied.

        Raises:
            InvalidArgument: a run is writing to this path, or it cannot be the path of a file.
            JournalFailed: the journal cannot be written.
        """
        header = self.header or Header("", 0, "", {}, time.time())
        save_trials(path, header, self.records, self.attachments)

    @classmethod
    def load(cls: type[T], path: str | os.PathLike[str]) -> T:
        """Read trials from a journal, which is not changed. Arrays and models in results are
        `Blob`s; their `load()` returns the value.

        Raises:
            InvalidArgument: there is no journal at this path, or it cannot be read.
        """
        events = read_study(path)
        trials = cls()
        trials.replay(events)
        return trials

    def lasting(self, keep: Callable[[str, Any], Any]) -> Any:
        """Return a copy whose results and attachments hold `keep(name, value)` for each value."""
        copied = copy.copy(self)
        copied.records = {
            id: replace(trial, result=kept_items(trial.result, keep))
            for id, trial in self.records.items()
        }
        copied.attachments = kept_items(self.attachments, keep)
        return copied

    def restored(self, data: bytes) -> Any:
        """Unpickle the `trials_save_file` of an earlier run. This can run code in the file."""
        return pickle.loads(data)

    # Documents

    @property
    def trials(self) -> list[Document]:
        """Documents of the trials, by id, without trials that raised or were cancelled."""
        hidden = (JOB_STATE_ERROR, JOB_STATE_CANCEL)
        return [doc for doc in self._dynamic_trials if doc["state"] not in hidden]

    @property
    def _dynamic_trials(self) -> list[Document]:
        """Documents of all trials, by id."""
        return [self._document(trial) for trial in self.records.values()]

    @property
    def tids(self) -> list[int]:
        """The id of each trial in `trials`."""
        return [doc["tid"] for doc in self.trials]

    @property
    def results(self) -> list[dict[str, Any]]:
        """The result of each trial in `trials`, as a dict."""
        return [doc["result"] for doc in self.trials]

    @property
    def miscs(self) -> list[dict[str, Any]]:
        """The parameters (`idxs`, `vals`) and errors of each trial in `trials`."""
        return [doc["misc"] for doc in self.trials]

    @property
    def specs(self) -> list[None]:
        """None for each trial in `trials`; only for compatibility with Hyperopt."""
        return [doc["spec"] for doc in self.trials]

    def losses(self) -> list[float | None]:
        """Return the loss of each trial in `trials`; None if it has no loss."""
        return [result.get("loss") for result in self.results]

    def statuses(self) -> list[str]:
        """Return the status of each trial in `trials`: new, running, ok, fail or suspended."""
        return [result["status"] for result in self.results]

    @property
    def idxs_vals(self) -> tuple[dict[str, list[int]], dict[str, list[Scalar]]]:
        """For each label, the ids of the trials in which it is active, and its values in them."""
        idxs: dict[str, list[int]] = {label: [] for label in sorted(labels(self))}
        vals: dict[str, list[Scalar]] = {label: [] for label in idxs}
        for misc in self.miscs:
            for label in idxs:
                idxs[label] += misc["idxs"].get(label, [])
                vals[label] += misc["vals"].get(label, [])
        return idxs, vals

    @property
    def idxs(self) -> dict[str, list[int]]:
        """For each label, the ids of the trials in which it is active."""
        return self.idxs_vals[0]

    @property
    def vals(self) -> dict[str, list[Scalar]]:
        """For each label, its values in the trials in which it is active."""
        return self.idxs_vals[1]

    @property
    def best_trial(self) -> Document:
        """The document of the trial with the smallest loss.

        Raises:
            AllTrialsFailed: no trial has a usable loss; the message has the first failure.
        """
        best = ranking.best(self.records.values())
        if best is None:
            raise AllTrialsFailed(self.explanation())
        return self._document(best)

    @property
    def argmin(self) -> dict[str, Scalar]:
        """{label: value} of the active parameters of the best trial; the value of a choice is the
        index of its option.

        Raises:
            AllTrialsFailed: no trial has a usable loss.
        """
        return dict(sorted(self.records[self.best_trial["tid"]].values.items()))

    def explanation(self) -> str:
        """Explain why there is no best trial: the number of trials by status, and the first failure
        in full.
        """
        return ranking.why_none(self.records.values())

    def __len__(self) -> int:
        return len(self.trials)

    def __iter__(self) -> Iterator[Document]:
        return iter(self.trials)

    # Counting

    def count_by_state_unsynced(self, state: int | Iterable[int]) -> int:
        """Count the trials in a state, or in any of several states (`JOB_STATE_*`)."""
        wanted = {state} if isinstance(state, int) else set(state)
        return sum(trial.status.job_state in wanted for trial in self.records.values())

    count_by_state_synced = count_by_state_unsynced

    def count_successful_trials(self) -> int:
        """Count the trials whose objective returned."""
        return self.count_by_state_unsynced(JOB_STATE_DONE)

    def count_failed_trials(self) -> int:
        """Count the trials that raised, crashed or timed out."""
        return self.count_by_state_unsynced(JOB_STATE_ERROR)

    def count_cancelled_trials(self) -> int:
        """Count the trials that were cancelled."""
        return self.count_by_state_unsynced(JOB_STATE_CANCEL)

    def count_ended_trials(self) -> int:
        """Count the trials that have ended."""
        return sum(not trial.status.pending for trial in self.records.values())

    def count_total_trials(self) -> int:
        """Count all trials."""
        return len(self.records)

    def reserved(self) -> int:
        """Return the smallest id that is not reserved; ids of existing records do not count."""
        return 0

    # Other methods of Hyperopt's Trials

    def refresh(self) -> None:
        """Do nothing, because documents are always up to date."""

    def delete_all(self) -> None:
        """Delete all trials and attachments."""
        for store in (self.records, self.attachments, self._documents):
            store.clear()

    def trial_attachments(self, trial: Document) -> TrialAttachments:
        """Return the attachments of a trial, given its document."""
        return TrialAttachments(self.attachments, trial["tid"])

    def control(self, trial: Trial) -> Ctrl:
        """Return the `Ctrl` that an objective with `pass_expr_memo_ctrl` gets for its trial."""
        return Ctrl(self, self._document(trial))

    def _document(self, trial: Trial) -> Document:
        known, doc = self._documents.get(trial.id, (None, None))
        if doc is None:
            doc = document(trial, self.labels)
        elif known is not trial:
            renew(doc, trial)
        self._documents[trial.id] = (trial, doc)
        return doc
