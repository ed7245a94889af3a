"""`Domain`: an objective and its space, as Hyperopt's algorithms are handed them."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from sparktune import worker
from sparktune.documents import Ctrl, Document
from sparktune.errors import from_failure
from sparktune.history import History, View
from sparktune.hyperopt._documents import miscs_update_idxs_vals
from sparktune.hyperopt._prior import prior_point
from sparktune.samplers import Sampler
from sparktune.space.evaluation import rec_eval
from sparktune.space.expression import Apply, Literal, as_apply, scope
from sparktune.space.space import Space
from sparktune.trial import STATUS_NEW, Trial


class Domain:
    """A search problem.

    Args:
        fn: the objective; None if the domain only describes a space.
        expr: the search space.
        workdir: kept, and handed on in documents.
        pass_expr_memo_ctrl: call `fn(expr=, memo=, ctrl=)`; None: as `fn` is marked.
        name: kept for people.
        loss_target: kept for people.

    Attributes:
        params: {label: node of its distribution}.
        s_new_ids, s_rng, s_idxs_vals: `rec_eval(domain.s_idxs_vals, memo={domain.s_new_ids: ids,
            domain.s_rng: generator})` draws one point from the prior for each id, and gives
            ({label: ids where it is active}, {label: its values}).
        vh: the same by label.
        space: the space as columns.

    Raises:
        DuplicateLabel: two parameters share a label.
    """

    rec_eval_print_node_on_error = False
    pyll_ctrl = Literal(Ctrl)

    def __init__(
        self,
        fn: Any,
        expr: Any,
        workdir: str | None = None,
        pass_expr_memo_ctrl: bool | None = None,
        name: str | None = None,
        loss_target: float | None = None,
    ) -> None:
        if pass_expr_memo_ctrl is None:
            pass_expr_memo_ctrl = getattr(fn, "fmin_pass_expr_memo_ctrl", False)
        self.fn = fn
        self.pass_expr_memo_ctrl = pass_expr_memo_ctrl
        self.expr = as_apply(expr)
        self.space = Space(self.expr)
        self.params = {each.label: each.node.pos_args[1] for each in self.space.columns}
        self.workdir, self.name, self.loss_target = workdir, name, loss_target
        self.cmd = ("domain_attachment", "FMinIter_Domain")
        self.s_new_ids, self.s_rng = Literal("new_ids"), Literal("rng")
        drawn = scope.idxs_vals_from_prior(Literal(self.space), self.s_new_ids, self.s_rng)
        self.s_idxs_vals = as_apply((drawn[0], drawn[1]))
        self.vh = ByLabel(self.params, drawn)
        self._histories: weakref.WeakKeyDictionary[Any, _Projection] = weakref.WeakKeyDictionary()

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_histories"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._histories = weakref.WeakKeyDictionary()

    def history(self, trials: Any) -> View:
        """The columns of these trials over this space; kept and updated."""
        projection = self._histories.setdefault(trials, _Projection(self.space))
        return projection.view(trials.records)

    def memo_from_config(self, config: dict[str, Any]) -> dict[Apply, Any]:
        """{node of a parameter: its value} for {label: value}."""
        return self.space.memo(config)

    def evaluate(
        self, config: dict[str, Any], ctrl: Any, attach_attachments: bool = True
    ) -> dict[str, Any]:
        """The objective's result for {label: value}, as a dict with `status`.

        Attachments in the result go to `ctrl.attachments`, unless `attach_attachments=False`.

        Raises:
            Exception: what the objective raised.
            InvalidResult, InvalidResultStatus, InvalidLoss: it returned no result.
        """
        memo = self.memo_from_config(config)
        if self.pass_expr_memo_ctrl:
            returned = self.fn(expr=self.expr, memo=memo, ctrl=ctrl)
        else:
            returned = self.fn(rec_eval(self.expr, memo))
        return self._read(returned, ctrl, attach_attachments)

    def _read(self, returned: Any, ctrl: Any, attach_attachments: bool) -> dict[str, Any]:
        report = worker.read(returned)
        if "result" not in report:
            raise from_failure(*report["failure"][:2])
        result: dict[str, Any] = report["result"]
        attached = report.get("attachments") or {}
        if not attach_attachments:
            return result | ({"attachments": attached} if attached else {})
        for name, value in attached.items():
            ctrl.attachments[name] = value
        return result

    @property
    def evaluates_itself(self) -> bool:
        """Whether this is a user's class with its own `evaluate`."""
        return type(self).evaluate is not Domain.evaluate

    def evaluate_async(
        self, config: dict[str, Any], ctrl: Any, attach_attachments: bool = True
    ) -> Any:
        """The objective and its argument, to be called elsewhere; with `pass_expr_memo_ctrl` what
        it returned.
        """
        memo = self.memo_from_config(config)
        if self.pass_expr_memo_ctrl:
            return self.fn(expr=self.expr, memo=memo, ctrl=ctrl)
        return self.fn, rec_eval(self.expr, memo)

    def new_result(self) -> dict[str, Any]:
        """The result of a trial that has not begun."""
        return {"status": STATUS_NEW}

    def loss(self, result: dict[str, Any], config: Any = None) -> Any:
        """The loss in a result, or None."""
        return result.get("loss")

    def loss_variance(self, result: dict[str, Any], config: Any = None) -> Any:
        """The variance of the loss in a result, 0 if it has none."""
        return result.get("loss_variance", 0.0)

    def true_loss(self, result: dict[str, Any], config: Any = None) -> Any:
        """The true loss in a result, where `loss` stands for something else; else the loss."""
        return result["true_loss"] if "true_loss" in result else self.loss(result, config)

    def status(self, result: dict[str, Any], config: Any = None) -> Any:
        """The status in a result."""
        return result["status"]


class ByLabel:
    """The nodes that draw points from the prior, by label.

    Args:
        params: {label: node of its distribution}.
        drawn: evaluates to ({label: ids}, {label: values}).
    """

    def __init__(self, params: dict[str, Apply], drawn: Apply) -> None:
        self.params = params
        self._drawn = drawn

    def idxs_by_label(self) -> dict[str, Apply]:
        """{label: node of the ids where it is active}."""
        return {label: self._drawn[0][label] for label in self.params}

    def vals_by_label(self) -> dict[str, Apply]:
        """{label: node of its values}."""
        return {label: self._drawn[1][label] for label in self.params}


class _Projection:
    """The history of some records over one space, extended by new records."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._history = History(len(space))
        self._seen: list[Trial] = []

    def view(self, records: Any) -> View:
        trials = list(records.values())
        if [trial.id for trial in trials[: len(self._seen)]] != [t.id for t in self._seen]:
            self._history, self._seen = History(len(self._space)), []
        for i, (old, new) in enumerate(zip(self._seen, trials, strict=False)):
            if old is not new:
                self._history.replace(i, new, self._space.encode(new.values))
        for trial in trials[len(self._seen) :]:
            self._history.append(trial, self._space.encode(trial.values))
        self._seen = trials
        return self._history.view()


def suggestions(
    sampler: Sampler, new_ids: list[Any], domain: Domain, trials: Any, seed: Any
) -> list[Document]:
    """Documents of new trials, one for each id, at points that `sampler` suggests.

    Args:
        sampler: an algorithm.
        new_ids: ids of the new trials.
        domain: the search problem.
        trials: the trials so far.
        seed: what `numpy.random.default_rng` takes.
    """
    rng = np.random.default_rng(seed)
    rows = sampler.suggest(domain.space, domain.history(trials), len(new_ids), rng)
    points = [domain.space.values(row) for row in rows]
    return documents_of(new_ids, points, domain, trials)


def documents_of(
    new_ids: list[Any], points: list[dict[str, Any]], domain: Domain, trials: Any
) -> list[Document]:
    """Documents of new trials at these points {label: value}, as many as there are points."""
    tids = new_ids[: len(points)]
    miscs: list[dict[str, Any]] = [
        {"tid": tid, "cmd": domain.cmd, "workdir": domain.workdir} for tid in tids
    ]
    idxs, vals = by_label(domain.space, tids, points)
    miscs_update_idxs_vals(miscs, idxs, vals)
    results = [domain.new_result() for _ in tids]
    docs: list[Document] = trials.new_trial_docs(tids, [None] * len(tids), results, miscs)
    return docs


def by_label(
    space: Space, ids: list[Any], points: list[dict[str, Any]]
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Points as ({label: ids where it is active}, {label: its values})."""
    active = {
        label: [(id, point[label]) for id, point in zip(ids, points, strict=True) if label in point]
        for label in space.labels
    }
    return (
        {label: [id for id, _ in pairs] for label, pairs in active.items()},
        {label: [value for _, value in pairs] for label, pairs in active.items()},
    )


@scope.define_info(o_len=2)
def idxs_vals_from_prior(
    space: Space, ids: list[Any], rng: np.random.Generator
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """One point from the prior for each id, by label."""
    return by_label(space, ids, [prior_point(space, rng) for _ in ids])
