"""`Trials` with everything that Hyperopt's has: documents can be put in, and changed in place.

Records are the truth while a run goes on; documents that a program put in or changed take effect
at `refresh()`, as in Hyperopt.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

import numpy as np

from sparktune import documents
from sparktune import trials as core
from sparktune.documents import Document
from sparktune.errors import InvalidTrial
from sparktune.history import View
from sparktune.hyperopt._documents import (
    JOB_STATES,
    JOB_VALID_STATES,
    miscs_to_idxs_vals,
    record,
    validated,
)
from sparktune.trial import (
    JOB_STATE_DONE,
    JOB_STATE_NEW,
    STATUS_OK,
    Event,
    Stopped,
    Trial,
    next_id,
)


class Trials(core.Trials):
    """Trials as Hyperopt has them.

    Args:
        exp_key: name of an experiment; trials of other experiments are kept apart (`view`).
        refresh: accepted for Hyperopt's sake.
    """

    _exp_key: Any = None

    def __init__(self, exp_key: Any = None, refresh: bool = True) -> None:
        super().__init__()
        self._open(exp_key)

    def _open(self, exp_key: Any) -> None:
        self._exp_key = exp_key
        self._experiments: dict[Any, MutableMapping[Any, Trial]] = {exp_key: {}}
        self._ids: set[Any] = set()
        self._inserted: list[Document] = []  # put in, not visible before refresh()
        self._suggested: dict[Any, Document] = {}  # of a running algorithm, by the id to come
        self._given: set[Any] = set()  # ids whose documents came from outside

    @property
    def records(self) -> MutableMapping[Any, Trial]:
        """The records by id: of this experiment, or without an `exp_key` of all experiments."""
        mine = self._experiments.setdefault(self._exp_key, {})
        others = [each for key, each in self._experiments.items() if key != self._exp_key]
        return ChainMap(mine, *others) if others and self._exp_key is None else mine

    @records.setter
    def records(self, records: MutableMapping[Any, Trial]) -> None:
        self._experiments = {self._exp_key: records}

    def __getstate__(self) -> dict[str, Any]:
        given = {id: self._documents[id] for id in self._given if id in self._documents}
        return super().__getstate__() | {"_documents": given}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_dynamic_trials" not in state:
            self.__dict__.update(state)
            return
        Trials.__init__(self, state.get("_exp_key"))  # a pickle of Hyperopt's own Trials
        self.attachments.update(state.get("attachments", {}))
        self._insert_trial_docs([validated(doc) for doc in state["_dynamic_trials"]])
        self._ids.update(state.get("_ids", ()))
        self.refresh()

    def restored(self, data: bytes) -> Any:
        """What an earlier run, of Hyperopt or of sparktune, pickled into its `trials_save_file`."""
        from sparktune.hyperopt._pickles import loads

        return loads(data, None)

    def __getitem__(self, item: Any) -> Any:
        raise NotImplementedError(
            "trials have no index, as it could be a position or an id; use trials.trials[i]"
        )

    # Documents in

    @property
    def _dynamic_trials(self) -> list[Document]:
        return self._refreshed() + self._inserted

    def _refreshed(self) -> list[Document]:
        known = [self._document(trial) for trial in self.records.values()]
        return known + list(self._suggested.values())

    @property
    def trials(self) -> list[Document]:
        """Documents of the trials that wait, run or returned; not of those that raised or were
        cancelled, nor of those put in since the last `refresh()`.
        """
        return [doc for doc in self._refreshed() if doc["state"] in JOB_VALID_STATES]

    _trials = trials

    def assert_valid_trial(self, trial: Any) -> Document:
        """The document, if it can be one of these trials.

        Raises:
            InvalidTrial: it lacks a key, contradicts itself, or belongs to another experiment.
        """
        doc = validated(trial)
        if doc["exp_key"] != self._exp_key:
            raise InvalidTrial(
                f"exp_key {doc['exp_key']!r} is not {self._exp_key!r}, that of these trials "
                "(see view):",
                doc,
            )
        return doc

    def insert_trial_doc(self, doc: Document) -> Any:
        """Put in a document, to be seen after `refresh()`; returns its id.

        Raises:
            InvalidTrial: it is none.
        """
        return self.insert_trial_docs([doc])[0]

    def insert_trial_docs(self, docs: Iterable[Document]) -> list[Any]:
        """Put in documents, to be seen after `refresh()`; returns their ids.

        Raises:
            InvalidTrial: one is none; nothing was put in then.
        """
        return self._insert_trial_docs([self.assert_valid_trial(doc) for doc in docs])

    def _insert_trial_docs(self, docs: list[Document]) -> list[Any]:
        self._inserted.extend(docs)
        self._ids.update(doc["tid"] for doc in docs)
        return [doc["tid"] for doc in docs]

    def refresh(self) -> None:
        """Take in the documents that were put in or changed."""
        for doc in self._inserted:
            self._adopt(doc)
        self._inserted.clear()
        for id, (trial, doc) in list(self._documents.items()):
            renewed = record(doc)
            if id in self.records and _differ(trial, renewed):
                self._keep(doc, renewed)

    def _adopt(self, doc: Document) -> None:
        self._given.add(doc["tid"])
        self._keep(doc, record(doc))

    def _keep(self, doc: Document, trial: Trial) -> None:
        self._experiments.setdefault(doc["exp_key"], {})[trial.id] = trial
        self._documents[trial.id] = (trial, doc)

    def _document(self, trial: Trial) -> Document:
        if trial.id in self._suggested:
            doc = self._suggested.pop(trial.id)
            documents.renew(doc, trial)
            self._given.add(trial.id)
            self._documents[trial.id] = (trial, doc)
        doc = super()._document(trial)
        if trial.id not in self._given:
            holders = (key for key, each in self._experiments.items() if trial.id in each)
            doc["exp_key"] = next(holders, self._exp_key)
        return doc

    def observe(self, event: Event, history: View) -> None:
        """Keep attachments, and bring documents that somebody may hold up to date."""
        super().observe(event, history)
        if not isinstance(event, Stopped) and event.trial.id in self._documents:
            self._document(event.trial)

    def new_trial_ids(self, n: int) -> list[int]:
        """n ids that no trial has or had, reserved from now on."""
        first = max(self.reserved(), next_id(self.records))
        ids = list(range(first, first + n))
        self._ids.update(ids)
        return ids

    def reserved(self) -> int:
        """The smallest id above all that were reserved, put in, or that other experiments have."""
        others = [each for key, each in self._experiments.items() if key != self._exp_key]
        return max(next_id(each) for each in [self._ids, *others])

    def new_trial_docs(
        self,
        tids: list[Any],
        specs: list[Any],
        results: list[Any],
        miscs: list[dict[str, Any]],
    ) -> list[Document]:
        """Documents of new trials, not put in yet; one for each id."""
        source = {"state": JOB_STATE_NEW, "exp_key": self._exp_key, "owner": None}
        source |= {"book_time": None, "refresh_time": None}
        parts = zip(tids, specs, results, miscs, strict=True)
        return [
            source | {"tid": tid, "spec": spec, "result": result, "misc": misc, "version": 0}
            for tid, spec, result, misc in parts
        ]

    def source_trial_docs(
        self,
        tids: list[Any],
        specs: list[Any],
        results: list[Any],
        miscs: list[dict[str, Any]],
        sources: list[Document],
    ) -> list[Document]:
        """Documents of trials derived from others, whose state, owner and times they take over."""
        docs = self.new_trial_docs(tids, specs, results, miscs)
        for doc, source in zip(docs, sources, strict=True):
            doc |= {key: source[key] for key in ("state", "exp_key", "owner")}
            doc |= {key: source[key] for key in ("book_time", "refresh_time")}
            for key, value in (("tid", doc["tid"]), ("cmd", None), ("from_tid", source["tid"])):
                doc["misc"].setdefault(key, value)
        return docs

    def delete_all(self) -> None:
        """Forget all trials. Their ids are not used again."""
        self._ids.update(self.records, (doc["tid"] for doc in self._inserted))
        for experiment in self._experiments.values():
            experiment.clear()
        for store in (self._inserted, self._suggested, self._given):
            store.clear()
        super().delete_all()

    def view(self, exp_key: Any = None, refresh: bool = True) -> Trials:
        """These trials, seen as those of one experiment; None sees all. Changes are shared."""
        seen = type(self).__new__(type(self))
        seen.__dict__.update(self.__dict__)
        seen._exp_key = exp_key
        if refresh:
            seen.refresh()
        return seen

    # Documents out

    @property
    def idxs_vals(self) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """Per label: the ids of the trials in which it was active, and its values there.

        Raises:
            ValueError: there are no trials.
        """
        return miscs_to_idxs_vals(self.miscs)

    def losses(self, bandit: Any = None) -> list[float | None]:
        """The loss of each of `trials`, None where there is none; by a `Domain`'s own rule."""
        if bandit is None:
            return super().losses()
        return [bandit.loss(doc["result"], doc["spec"]) for doc in self.trials]

    def statuses(self, bandit: Any = None) -> list[str]:
        """The status of each of `trials`; by a `Domain`'s own rule."""
        if bandit is None:
            return super().statuses()
        return [bandit.status(doc["result"], doc["spec"]) for doc in self.trials]

    def count_by_state_synced(self, arg: Any, trials: Iterable[Document] | None = None) -> int:
        """The number of trials in a state, or in one of several, among the ones seen."""
        states = [arg] if arg in JOB_STATES else list(arg)
        return sum(doc["state"] in states for doc in (self.trials if trials is None else trials))

    def count_by_state_unsynced(self, arg: Any) -> int:
        """The number of trials in a state, or in one of several, those put in included."""
        return self.count_by_state_synced(arg, self._dynamic_trials)

    def aname(self, trial: Document, name: str) -> str:
        """The key in `attachments` of a trial's attachment."""
        return f"ATTACH::{trial['tid']}::{name}"

    def average_best_error(self, bandit: Any = None) -> float:
        """The true loss of the best trial. Where results have a `loss_variance`, the mean of the
        `true_loss` of the trials near the best, weighted by the probability (from 1,000 draws)
        that each is the best one.

        Raises:
            ValueError: no trial has a loss.
        """
        ok = [result for result in self.results if result["status"] == STATUS_OK]
        rows = [
            (loss, result.get("loss_variance", 0.0), result.get("true_loss", loss))
            for result in ok
            if (loss := bandit.loss(result) if bandit else result["loss"]) == loss
        ]
        if not rows:
            raise ValueError("Empty loss vector: no trial has a loss")
        loss, variance, true_loss = np.asarray(sorted(rows), dtype=float).T
        if not variance.any():
            return float(true_loss[0])
        near = loss < loss[0] + max(3 * np.sqrt(variance[0]), np.finfo(float).tiny)
        return float(_chance_of_best(loss[near], variance[near]) @ true_loss[near])

    def fmin(
        self,
        fn: Callable[..., Any],
        space: Any,
        algo: Any = None,
        max_evals: int | None = None,
        timeout: float | None = None,
        loss_threshold: float | None = None,
        max_queue_len: int = 1,
        rstate: Any = None,
        verbose: bool = False,
        pass_expr_memo_ctrl: bool | None = None,
        catch_eval_exceptions: bool = False,
        return_argmin: bool = True,
        show_progressbar: Any = True,
        early_stop_fn: Any = None,
        trials_save_file: str = "",
    ) -> Any:
        """`fmin` with these trials; the progress bar is off unless `verbose=True`."""
        from sparktune.hyperopt._minimize import fmin

        return fmin(
            fn,
            space,
            algo,
            max_evals,
            timeout,
            loss_threshold,
            self,
            rstate,
            allow_trials_fmin=False,
            pass_expr_memo_ctrl=pass_expr_memo_ctrl,
            catch_eval_exceptions=catch_eval_exceptions,
            verbose=verbose,
            return_argmin=return_argmin,
            max_queue_len=max_queue_len,
            show_progressbar=show_progressbar,
            early_stop_fn=early_stop_fn,
            trials_save_file=trials_save_file,
        )

    def control(self, trial: Trial) -> Ctrl:
        """What an objective with `pass_expr_memo_ctrl` gets for its trial."""
        return Ctrl(self, self._document(trial))


class Ctrl(documents.Ctrl):
    """What an objective with `pass_expr_memo_ctrl` gets besides its parameters.

    Args:
        trials: the trials; None: new ones.
        current_trial: the document of the trial that runs.
    """

    def __init__(self, trials: Any, current_trial: Any = None) -> None:
        super().__init__(Trials() if trials is None else trials, current_trial)

    def checkpoint(self, r: Any = None) -> None:
        """Show a result in the trial's document before the trial ends."""
        if r is not None:
            self.current_trial["result"] = r

    def inject_results(
        self, specs: list[Any], results: list[Any], miscs: list[Any], new_tids: Any = None
    ) -> list[Any]:
        """Put in finished trials besides the one that runs; returns their ids."""
        tids = self.trials.new_trial_ids(len(specs)) if new_tids is None else new_tids
        sources = [self.current_trial] * len(specs)
        docs = self.trials.source_trial_docs(tids, specs, results, miscs, sources)
        for doc in docs:
            doc["state"] = JOB_STATE_DONE
        ids: list[Any] = self.trials.insert_trial_docs(docs)
        return ids


def trials_from_docs(docs: Iterable[Document], validate: bool = True, **kwargs: Any) -> Trials:
    """Trials that hold these documents; further arguments are those of `Trials`.

    Raises:
        InvalidTrial: one is no document of a trial (unless `validate=False`).
    """
    made = Trials(**kwargs)
    (made.insert_trial_docs if validate else made._insert_trial_docs)(list(docs))
    made.refresh()
    return made


def _differ(old: Trial, new: Trial) -> bool:
    """Whether a document was changed since it was made from its record."""
    if old.status.job_state != new.status.job_state or dict(old.values) != dict(new.values):
        return True
    return new.status.returned and (old.status is not new.status or old.loss != new.loss)


def _chance_of_best(mean: np.ndarray[Any, Any], variance: np.ndarray[Any, Any]) -> Any:
    """The share of 1,000 draws from independent normals in which each is the smallest."""
    rng = np.random.default_rng(232342)
    draws = rng.normal(mean, np.sqrt(variance), (1000, len(mean)))
    return np.bincount(draws.argmin(axis=1), minlength=len(mean)) / 1000
