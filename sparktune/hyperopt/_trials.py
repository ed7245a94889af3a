"""`Trials` with Hyperopt's full interface: documents can be inserted and changed in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from sparktune import documents
from sparktune import trials as core
from sparktune.documents import Document, TrialAttachments
from sparktune.errors import AllTrialsFailed, InvalidTrial
from sparktune.events import Event, Told
from sparktune.history import View
from sparktune.hyperopt._documents import (
    JOB_STATES,
    JOB_VALID_STATES,
    derived,
    miscs_to_idxs_vals,
    new_documents,
    spec_from_misc,
    validated,
)
from sparktune.hyperopt._run import run
from sparktune.hyperopt._store import Ids, Records, Store
from sparktune.hyperopt._true_loss import true_loss
from sparktune.trial import JOB_STATE_DONE, STATUS_NEW, STATUS_OK, Header, Trial
from sparktune.worker import as_number

_NOT_RESTORED = {"_dynamic_trials", "_trials", "_ids", "_exp_key", "header"}


class Trials(core.Trials):
    """Trials with Hyperopt's interface.

    Args:
        exp_key: name of an experiment. Trials of other experiments are hidden (see `view`).
        refresh: ignored; accepted for compatibility with Hyperopt.

    Attributes:
        seeds: the seeds with which algorithms with Hyperopt's signature were called.
    """

    _exp_key: Any = None
    _restore: Callable[[bytes], Any] | None = None  # unpickles the file of an earlier run
    _traceback_in_error = False  # whether misc['error'] has the traceback instead of the message

    def __init__(self, exp_key: Any = None, refresh: bool = True) -> None:
        super().__init__()
        self._open(exp_key, Store())

    def _open(self, exp_key: Any, store: Store) -> None:
        self._exp_key, self._shared = exp_key, store
        self.seeds: set[int] = self.__dict__.get("seeds", set())
        self.records = Records(store, exp_key, self._made, self._renew)
        self._listed: tuple[int, list[Document]] = (-1, [])

    @property
    def _store(self) -> Store:
        if "_shared" not in self.__dict__:  # in `__init__` of a user's subclass
            self._open(None, Store())
        return self._shared

    def __getstate__(self) -> dict[str, Any]:
        left_out = ("_restore", "_shared", "records", "_listed", "_documents")
        state = {k: v for k, v in super().__getstate__().items() if k not in left_out}
        state["header"] = self.header and asdict(self.header)
        return state | {"_dynamic_trials": self._store.documents, "_ids": set(self._store.ids)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state of a pickle of this class, or of Hyperopt's `Trials`."""
        core.Trials.__init__(self)
        self.__dict__.update({k: v for k, v in state.items() if k not in _NOT_RESTORED})
        self.header = Header(**state["header"]) if state.get("header") else None
        self._open(state.get("_exp_key"), Store())
        self._store.documents = state["_dynamic_trials"]
        self._store.ids.update(state.get("_ids", ()))
        Trials.refresh(self)

    def lasting(self, keep: Callable[[str, Any], Any]) -> Any:
        """Return a copy whose results and attachments hold `keep(name, value)` for each value."""
        state = self.__getstate__()
        state["_dynamic_trials"] = [
            doc | {"result": core.kept_items(doc.get("result"), keep)}
            for doc in state["_dynamic_trials"]
        ]
        state["attachments"] = core.kept_items(self.attachments, keep)
        copied = type(self).__new__(type(self))
        copied.__setstate__(state)
        return copied

    def restored(self, data: bytes) -> Any:
        """Unpickle the `trials_save_file` of an earlier run of Hyperopt or sparktune. As in
        Hyperopt, only trials that `fmin` creates continue from it. This can run code in the file.
        """
        if self._restore is None:
            return Trials()
        saved = self._restore(data)
        self.seeds.update(getattr(saved, "seeds", ()))
        return saved

    def __getitem__(self, item: Any) -> Any:
        raise NotImplementedError(
            "trials cannot be indexed, because an index could be a position or an id; use "
            "trials.trials[i]"
        )

    # From records to documents

    def _made(self, trial: Trial) -> Document:
        return documents.document(trial, self.labels) | {"exp_key": self._exp_key}

    def _renew(self, doc: Document, trial: Trial) -> None:
        documents.renew(doc, trial)
        failure, misc = trial.failure, doc["misc"]
        if trial.result is None and not trial.status.pending:
            doc["result"] = {"status": STATUS_NEW}
        if failure and not trial.status.returned:
            text = str(failure) if self._traceback_in_error else failure.message
            misc["error"] = (f"<class '{failure.type}'>", text)
        for label in self.labels:
            misc["idxs"].setdefault(label, [])
            misc["vals"].setdefault(label, [])

    def _document(self, trial: Trial) -> Document:
        return self._store.document(trial.id)

    def observe(self, event: Event, history: View) -> None:
        """Store attachments, and refresh if the objective inserted documents."""
        if isinstance(event, Told):
            stored = TrialAttachments(self.attachments, self._document(event.trial)["tid"])
            stored.update(event.outcome.attachments or {})
            if self._store.untaken or type(self).refresh is not Trials.refresh:
                self.refresh()
        else:
            self._learn(event)

    # From documents to records

    @property
    def _dynamic_trials(self) -> list[Document]:
        return self._store.documents

    @_dynamic_trials.setter
    def _dynamic_trials(self, docs: list[Document]) -> None:
        self._store.documents = docs

    @property
    def _ids(self) -> set[Any]:
        return self._store.ids

    @_ids.setter
    def _ids(self, ids: set[Any]) -> None:
        self._store.ids = Ids(ids)

    @property
    def _trials(self) -> list[Document]:
        version, listed = self._listed
        if version != self._store.version:
            listed = [doc for doc in self._store.documents if self._is_listed(doc)]
            self._listed = (self._store.version, listed)
        return listed

    @_trials.setter
    def _trials(self, docs: list[Document]) -> None:
        self._listed = (self._store.version, docs)

    def _is_listed(self, doc: Document) -> bool:
        mine = self._exp_key is None or doc.get("exp_key") == self._exp_key
        return mine and doc["state"] in JOB_VALID_STATES and self._store.knows(doc)

    @property
    def trials(self) -> list[Document]:
        """Documents of the trials, without trials that raised or were cancelled, and without
        documents inserted since the last `refresh()`.
        """
        return self._trials

    def assert_valid_trial(self, trial: Any) -> Document:
        """Return a document after checking that it can be inserted into these trials.

        Raises:
            InvalidTrial: the document lacks a key, has an invalid value, or belongs to another
                experiment.
        """
        doc = validated(trial)
        if doc["exp_key"] != self._exp_key:
            raise InvalidTrial(
                f"exp_key {doc['exp_key']!r} is not {self._exp_key!r}, the exp_key of these trials "
                "(see view):",
                doc,
            )
        return doc

    def insert_trial_doc(self, doc: Document) -> Any:
        """Insert a document; returns its id. It is visible after `refresh()`.

        Raises:
            InvalidTrial: it is not a valid trial document.
        """
        return self.insert_trial_docs([doc])[0]

    def insert_trial_docs(self, docs: Iterable[Document]) -> list[Any]:
        """Insert documents; returns their ids. They are visible after `refresh()`.

        Raises:
            InvalidTrial: one of them is not a valid trial document; nothing was inserted.
        """
        return self._insert_trial_docs([self.assert_valid_trial(doc) for doc in docs])

    def _insert_trial_docs(self, docs: list[Document]) -> list[Any]:
        self._dynamic_trials.extend(docs)
        ids = [doc["tid"] for doc in docs]
        self._ids.update(ids)
        return ids

    def _expect(self, doc: Document, id: int) -> None:
        """Insert the document of a trial that the run is about to create with this id."""
        if not self._store.knows(doc):
            self._dynamic_trials.append(doc)
        self._store.adopt(doc, id)

    def refresh(self) -> None:
        """Update the records for documents that were inserted, changed or removed."""
        self._store.reconcile()

    def new_trial_ids(self, n: int) -> list[int]:
        """Reserve n ids that no trial has or had, and return them."""
        first = self.reserved()
        ids = list(range(first, first + n))
        self._ids.update(ids)
        return ids

    def reserved(self) -> int:
        """Return the smallest id above all ids that are, or were, in use or reserved."""
        return self._store.ids.next

    def new_trial_docs(
        self,
        tids: list[Any],
        specs: list[Any],
        results: list[Any],
        miscs: list[dict[str, Any]],
    ) -> list[Document]:
        """Return documents of new trials, one for each id. They are not inserted."""
        return new_documents(tids, specs, results, miscs, self._exp_key)

    def source_trial_docs(
        self,
        tids: list[Any],
        specs: list[Any],
        results: list[Any],
        miscs: list[dict[str, Any]],
        sources: list[Document],
    ) -> list[Document]:
        """Return documents of trials with the state, owner and times of the `sources`."""
        return derived(self.new_trial_docs(tids, specs, results, miscs), sources)

    def delete_all(self) -> None:
        """Delete all trials. Their ids are not used again."""
        self._dynamic_trials = []
        self.attachments.clear()
        self.seeds.clear()
        self.refresh()

    def view(self, exp_key: Any = None, refresh: bool = True) -> Trials:
        """Return a view of the trials of one experiment; None: of all. The views share the data."""
        seen: Trials = type(self).__new__(type(self))
        seen.__dict__.update(self.__dict__)
        seen._open(exp_key, self._store)
        if refresh:
            seen.refresh()
        return seen

    # Results

    @property
    def idxs_vals(self) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """For each label, the ids of the trials in which it is active, and its values in them.

        Raises:
            ValueError: there are no trials.
        """
        return miscs_to_idxs_vals(self.miscs)

    @property
    def best_trial(self) -> Document:
        """The document of the trial with the smallest loss.

        Raises:
            AllTrialsFailed: no trial has a usable loss; the message has the first failure.
        """
        ok = [doc for doc in self.trials if doc["result"].get("status") == STATUS_OK]
        losses = [as_number(doc["result"].get("loss")) for doc in ok]
        usable = [(loss, i) for i, loss in enumerate(losses) if loss is not None and loss == loss]
        if not usable:
            raise AllTrialsFailed(self.explanation())
        return ok[min(usable)[1]]

    @property
    def argmin(self) -> dict[str, Any]:
        """{label: value} of the active parameters of the best trial, sorted by label.

        Raises:
            AllTrialsFailed: no trial has a usable loss.
        """
        return dict(sorted(spec_from_misc(self.best_trial["misc"]).items()))

    def losses(self, bandit: Any = None) -> list[float | None]:
        """Return the loss of each trial, or None; with a `Domain`, as its `loss` method says."""
        if bandit is None:
            return super().losses()
        return [bandit.loss(doc["result"], doc["spec"]) for doc in self.trials]

    def statuses(self, bandit: Any = None) -> list[str]:
        """Return the status of each trial; with a `Domain`, as its `status` method says."""
        if bandit is None:
            return super().statuses()
        return [bandit.status(doc["result"], doc["spec"]) for doc in self.trials]

    def count_by_state_synced(self, arg: Any, trials: Iterable[Document] | None = None) -> int:
        """Count the visible trials in a state, or in any of several states."""
        states = [arg] if arg in JOB_STATES else list(arg)
        return sum(doc["state"] in states for doc in (self.trials if trials is None else trials))

    def count_by_state_unsynced(self, arg: Any) -> int:
        """Count the trials in a state, or in any of several, including those not yet visible."""
        docs = self._dynamic_trials
        if self._exp_key is not None:
            docs = [doc for doc in docs if doc.get("exp_key") == self._exp_key]
        return self.count_by_state_synced(arg, docs)

    def aname(self, trial: Document, name: str) -> str:
        """Return the key of an attachment of a trial in `attachments`."""
        return f"ATTACH::{trial['tid']}::{name}"

    def average_best_error(self, bandit: Any = None) -> float:
        """Return the true loss of the best trial. If results have a `loss_variance`, it is the mean
        of the `true_loss` of trials near the best trial, weighted by the probability (from 1,000
        draws) that the trial is the best.

        Raises:
            ValueError: no trial has a loss.
            InvalidArgument: a loss or variance is not a number, or a variance is negative.
        """
        return true_loss(self.results, bandit.loss if bandit else itemgetter("loss"))

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
        """Call `fmin` with these trials. There is a progress bar only with `verbose=True`."""
        return run(
            self,
            fn,
            space,
            algo=algo,
            max_evals=max_evals,
            timeout=timeout,
            loss_threshold=loss_threshold,
            rstate=rstate,
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
        """Return the `Ctrl` that an objective with `pass_expr_memo_ctrl` gets for its trial."""
        return Ctrl(self, self._document(trial))


class Ctrl(documents.Ctrl):
    """The argument `ctrl` of objectives with `pass_expr_memo_ctrl`.

    Args:
        trials: the trials; None: empty trials.
        current_trial: the document of the trial that is evaluated.
    """

    def __init__(self, trials: Any, current_trial: Any = None) -> None:
        super().__init__(Trials() if trials is None else trials, current_trial)

    def checkpoint(self, r: Any = None) -> None:
        """Write an intermediate result into the document of the current trial."""
        if r is not None:
            self.current_trial["result"] = r

    def inject_results(
        self, specs: list[Any], results: list[Any], miscs: list[Any], new_tids: Any = None
    ) -> list[Any]:
        """Insert finished trials in addition to the current trial; returns their ids."""
        tids = self.trials.new_trial_ids(len(specs)) if new_tids is None else new_tids
        sources = [self.current_trial] * len(specs)
        docs = self.trials.source_trial_docs(tids, specs, results, miscs, sources)
        for doc in docs:
            doc["state"] = JOB_STATE_DONE
        ids: list[Any] = self.trials.insert_trial_docs(docs)
        return ids


def trials_from_docs(docs: Iterable[Document], validate: bool = True, **kwargs: Any) -> Trials:
    """Return trials with these documents; `kwargs` are arguments of `Trials`.

    Raises:
        InvalidTrial: one of them is not a valid trial document (unless `validate=False`).
    """
    made = Trials(**kwargs)
    (made.insert_trial_docs if validate else made._insert_trial_docs)(list(docs))
    made.refresh()
    return made
