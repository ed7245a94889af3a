"""The runs of one study in MLflow, and the requests that complete them. Every method may fail and
can be called again; nothing is sent twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sparktune import tracked
from sparktune.reporting.report import report
from sparktune.results import ranking, summary, table
from sparktune.results.failures import groups
from sparktune.results.finished import Finished, parameters
from sparktune.tracking import names
from sparktune.tracking.client import Client, Run, certain
from sparktune.trial import Header, Trial

_TRACEBACKS = 20  # largest number; one for each cause of failures


@dataclass
class _Child:
    """The run of a trial; whether it has the trial's result, and whether it is closed."""

    run: str
    logged: bool = False
    ended: bool = False


class Projection:
    """Brings a parent run and its children up to date.

    Args:
        connect: creates the client when it is first needed.
        header: the description of the study.
        about: more parameters of the parent.
        parent: the run to use as the parent; None: a new one.
        name: of a new parent run.
        own_runs: whether workers create the runs of their trials.
    """

    def __init__(
        self,
        connect: Callable[[], Client],
        header: Header,
        about: Mapping[str, Any],
        parent: str | None,
        name: str | None,
        own_runs: bool = False,
    ) -> None:
        self.study = names.study_id(header)
        self.parent = ""
        self.experiment = ""
        self._connect = connect
        self._client: Client | None = None
        self._header = header
        self._about = about
        self._wanted = parent
        self._name = name or header.objective or "study"
        self._own = parent is None
        self._own_runs = own_runs
        self._searched = False  # after the last trial, for the runs that workers made
        self._children: dict[str, _Child] = {}
        self._keys = names.keys(header.columns)
        self._suffix = ""
        self._open = False
        self._texts_left: list[tuple[str, str, str]] | None = None
        self._reached = 0  # trials that the parent's metrics count

    @property
    def client(self) -> Client:
        """The client."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    @property
    def connected(self) -> bool:
        """Whether there is a client, which needs a valid address and credentials."""
        return self._client is not None

    def has(self, trial: Trial) -> bool:
        """Whether the trial has a run."""
        return str(trial.id) in self._children

    @property
    def searching(self) -> bool:
        """Whether workers may have made runs that are not known yet."""
        return self._own_runs and not self._searched

    @property
    def children(self) -> int:
        """How many trials have a run."""
        return len(self._children)

    def complete(self, trial: Trial) -> bool:
        """Whether nothing of the trial is missing."""
        child = self._children.get(str(trial.id))
        return child is not None and (child.ended or trial.status.pending)

    # The parent

    def open(self) -> None:
        """Find existing runs of the study, and find or create the parent."""
        if self._open:
            return
        self.experiment = self.experiment or self.client.experiment()
        found = [*self.client.find(self.experiment, names.STUDY, self.study)]
        self._take_in(found)
        if not self.parent:
            self.parent = self._wanted or self._known_parent(found) or self._made()
            if self._own:
                self.client.begin(self.parent)
        self._describe()
        self._open = True

    def _known_parent(self, found: Iterable[Run]) -> str | None:
        ours = [run.id for run in found if names.TRIAL not in run.tags]
        others = [run.tags[names.PARENT] for run in found if names.PARENT in run.tags]
        self._own = self._own and bool(ours or not others)
        return next(iter([*ours, *others]), None)

    def _made(self) -> str:
        tags = names.study_tags(self.study, self._header.columns)
        return self.client.create(self.experiment, self._name, self._header.created, tags)

    def _describe(self) -> None:
        """Log the description of the study to the parent. A second study in the same parent gets
        keys with a suffix.
        """
        run = self.client.get(self.parent)
        studies = [each for each in run.tags.get(names.STUDIES, "").split() if each]
        if self.study not in studies:
            studies.append(self.study)
        self._suffix = f"_{self.study[:6]}" if studies[0] != self.study else ""
        params = names.study_params(self._header, self._about)
        named = {f"{key}{self._suffix}": value for key, value in params.items()}
        new = {key: value for key, value in named.items() if key not in run.params}
        tags = {} if self._own else names.study_tags(self.study, self._header.columns)
        tags.pop(names.STUDY, None)
        self.client.log(self.parent, new, tags=tags | {names.STUDIES: " ".join(studies)})
        self._reached = int(run.metrics.get(f"total_trials_count{self._suffix}", 0))

    def _take_in(self, runs: Iterable[Run]) -> None:
        """Remember the run of each trial; of several runs, the one with the most content."""
        by_trial: dict[str, list[Run]] = {}
        for run in runs:
            if names.TRIAL in run.tags and names.DUPLICATE not in run.tags:
                by_trial.setdefault(run.tags[names.TRIAL], []).append(run)
        for id, same in by_trial.items():
            best, *others = sorted(same, key=_content, reverse=True)
            logged = names.STATUS in best.tags
            ended = logged and best.status != "RUNNING"
            self._children[id] = _Child(best.id, logged, ended)
            for other in others:
                self._put_aside(other)

    def _put_aside(self, run: Run) -> None:
        """Delete a second run of a trial if it is empty, else tag it. It comes from a request whose
        answer was lost.
        """
        if _content(run):
            self.client.log(run.id, tags={names.DUPLICATE: "true"})
        else:
            self.client.delete(run.id)

    # Trials

    def send(self, study: Finished, trial: Trial) -> None:
        """Bring the run of a trial up to date."""
        child = self._children.get(str(trial.id)) or self._known(trial) or self._created(trial)
        if child is None or trial.status.pending or child.ended:
            return
        at = trial.finished or time.time()
        if not child.logged:
            params = names.params(study, trial, self._keys)
            metrics = [(key, value, at, 0) for key, value in names.metrics(trial).items()]
            self.client.log(child.run, params, metrics, names.told_tags(trial))
            child.logged = True
        self.client.end(child.run, names.end(trial), at)
        child.ended = True

    def _known(self, trial: Trial) -> _Child | None:
        """The run that the worker created."""
        run = (trial.result or {}).get(tracked.RUN_ID)
        if not (self._own_runs and isinstance(run, str)):
            return None
        return self._children.setdefault(str(trial.id), _Child(run))

    def _created(self, trial: Trial) -> _Child | None:
        if self._own_runs and not self._searched:
            return None  # the worker creates it
        tags = names.asked_tags(self.study, self.parent, trial)
        began = trial.started or trial.asked or time.time()
        try:
            run = self.client.create(self.experiment, f"trial {trial.id}", began, tags)
        except Exception as error:
            self._open = self._open and certain(error)  # it may exist all the same: look again
            raise
        return self._children.setdefault(str(trial.id), _Child(run))

    def place(self, trial: Trial) -> dict[str, Any]:
        """The values that a worker needs to create the run of a trial."""
        return {
            "uri": self.client.uri,
            "experiment": self.experiment,
            "name": f"trial {trial.id}",
            "tags": self.client.context | names.asked_tags(self.study, self.parent, trial),
        }

    def find_children(self) -> None:
        """Find the runs that workers created, so that no trial gets a second one."""
        self._take_in(self.client.find(self.experiment, names.STUDY, self.study))
        self._searched = True

    # The study as a whole

    def count(self, study: Finished) -> None:
        """Bring the parent's metrics up to date: counts, and each improvement since the last time
        at the number of trials that had ended.
        """
        ended = [trial for trial in study.records.values() if not trial.status.pending]
        ended.sort(key=lambda trial: trial.finished or 0.0)
        if len(ended) <= self._reached:
            return
        now, best, steps = time.time(), float("inf"), []
        compared = {trial.id for trial in ranking.comparable(ended)}
        for step, trial in enumerate(ended, 1):
            if trial.id in compared and trial.loss is not None and trial.loss < best:
                best = trial.loss
                steps.append((self._named("best_trial_loss"), best, trial.finished or now, step))
        new = [each for each in steps if each[3] > self._reached and abs(each[1]) < float("inf")]
        totals = names.counts(ended)
        new += [(self._named(key), value, now, len(ended)) for key, value in totals.items()]
        self.client.log(self.parent, metrics=new)
        self._reached = len(ended)

    def _named(self, key: str) -> str:
        return f"{key}{self._suffix}"

    def write(self, study: Finished) -> None:
        """Store the report, the table, the best trial and a traceback for each cause of failures as
        artifacts, and a summary as the description.
        """
        if self._texts_left is None:
            self._texts_left = self._texts(study)
        while self._texts_left:
            run, text, path = self._texts_left[0]
            self.client.write(run, text, path)
            self._texts_left.pop(0)
        self.client.log(self.parent, tags={f"{names.NOTE}{self._suffix}": _note(study)})

    def _texts(self, study: Finished) -> list[tuple[str, str, str]]:
        folder = f"study{self._suffix}/" if self._suffix else ""
        texts = [
            (self.parent, table.csv_text(study), f"{folder}trials.csv"),
            (self.parent, report(study).html, f"{folder}report.html"),
        ]
        if found := ranking.best(study.records.values()):
            content = {"trial": found.id, "loss": found.loss, "params": parameters(study, found)}
            text = json.dumps(content, indent=2, default=str)
            texts.append((self.parent, text, f"{folder}best.json"))
        for group in groups(study)[:_TRACEBACKS]:
            first = group.trials[0]
            child = self._children.get(str(first.id))
            if child and first.failure and first.failure.traceback:
                texts.append((child.run, first.failure.traceback, "traceback.txt"))
        return texts

    def end(self, study: Finished) -> None:
        """End the parent, unless it is the user's."""
        if self._own:
            status = "KILLED" if study.stop_reason == "interrupted" else "FINISHED"
            self.client.end(self.parent, status, None)


def _content(run: Run) -> int:
    return len(run.params) + len(run.metrics) + (names.STATUS in run.tags)


def _note(study: Finished) -> str:
    """A summary and the best trials in Markdown."""
    pairs = [f"* **{key}**: {_plain(value)}" for key, value in summary.summary(study).items()]
    rows = table.top_table(study, 5)
    if len(rows) > 1:
        head, *body = (f"| {' | '.join(map(_plain, row))} |" for row in rows)
        pairs += ["", head, f"|{' --- |' * len(rows[0])}", *body]
    return "\n".join(pairs)[: names.TAG_LENGTH]


def _plain(value: str) -> str:
    return " ".join(value.replace("|", "\\|").replace("<", "&lt;").split())
