"""`Domain`: an objective and its space, in the form that Hyperopt's algorithms receive."""

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
    """A search problem: an objective and a search space.

    Args:
        fn: the objective; None if the domain only describes a space.
        expr: the search space.
        workdir: stored, and written into documents.
        pass_expr_memo_ctrl: whether to call `fn(expr=, memo=, ctrl=)`; None: if `fn` is decorated
            with `fmin_pass_expr_memo_ctrl`.
        name, loss_target: stored, but not used.

    Attributes:
        params: {label: node of its distribution}.
        s_new_ids, s_rng, s_idxs_vals: `rec_eval(domain.s_idxs_vals, memo={domain.s_new_ids: ids,
            domain.s_rng: generator})` draws one point from the prior for each id, and returns
            ({label: ids of points in which it is active}, {label: its values}).
        vh: the same nodes by label, as a `ByLabel`.
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
        """Return the history of these trials over this space. It is cached and extended."""
        projection = self._histories.setdefault(trials, _Projection(self.space))
        return projection.view(trials.records)

    def memo_from_config(self, config: dict[str, Any]) -> dict[Apply, Any]:
        """Convert {label: value} to {node of the parameter: value}."""
        return self.space.memo(config)

    def evaluate(
        self, config: dict[str, Any], ctrl: Any, attach_attachments: bool = True
    ) -> dict[str, Any]:
        """Evaluate the objective at {label: value}; returns its result as a dict with `status`.

        Attachments in the result are moved to `ctrl.attachments`, unless `attach_attachments` is
        False.

        Raises:
            Exception: the objective raised it.
            InvalidResult, InvalidResultStatus, InvalidLoss: the objective returned an invalid
                result.
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
        """Whether this is a subclass that overrides `evaluate`."""
        return type(self).evaluate is not Domain.evaluate

    def evaluate_async(
        self, config: dict[str, Any], ctrl: Any, attach_attachments: bool = True
    ) -> Any:
        """Return the objective and its argument, to be called elsewhere. With `pass_expr_memo_ctrl`
        the objective is called here, and its result is returned.
        """
        memo = self.memo_from_config(config)
        if self.pass_expr_memo_ctrl:
            return self.fn(expr=self.expr, memo=memo, ctrl=ctrl)
        return self.fn, rec_eval(self.expr, memo)

    def new_result(self) -> dict[str, Any]:
        """Return the result of a trial that has not started."""
        return {"status": STATUS_NEW}

    def loss(self, result: dict[str, Any], config: Any = None) -> Any:
        """Return the loss of a result, or None."""
        return result.get("loss")

    def loss_variance(self, result: dict[str, Any], config: Any = None) -> Any:
        """Return the `loss_variance` of a result, or 0."""
        return result.get("loss_variance", 0.0)

    def true_loss(self, result: dict[str, Any], config: Any = None) -> Any:
        """Return the `true_loss` of a result, or else its loss."""
        return result["true_loss"] if "true_loss" in result else self.loss(result, config)

    def status(self, result: dict[str, Any], config: Any = None) -> Any:
        """Return the status of a result."""
        return result["status"]


class ByLabel:
    """The nodes that draw points from the prior, by label.

    Args:
        params: {label: node of its distribution}.
        drawn: a node whose value is ({label: ids}, {label: values}).
    """

    def __init__(self, params: dict[str, Apply], drawn: Apply) -> None:
        self.params = params
        self._drawn = drawn

    def idxs_by_label(self) -> dict[str, Apply]:
        """Return {label: node of the ids of points in which it is active}."""
        return {label: self._drawn[0][label] for label in self.params}

    def vals_by_label(self) -> dict[str, Apply]:
        """Return {label: node of its values}."""
        return {label: self._drawn[1][label] for label in self.params}


class _Projection:
    """The history of records over one space. New records extend it."""

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
    """Return documents of new trials at points that a sampler suggests, one for each id.

    Args:
        sampler: the sampler.
        new_ids: ids of the new trials.
        domain: the search problem.
        trials: the trials so far.
        seed: a seed for `numpy.random.default_rng`.
    """
    rng = np.random.default_rng(seed)
    rows = sampler.suggest(domain.space, domain.history(trials), len(new_ids), rng)
    points = [domain.space.values(row) for row in rows]
    return documents_of(new_ids, points, domain, trials)


def documents_of(
    new_ids: list[Any], points: list[dict[str, Any]], domain: Domain, trials: Any
) -> list[Document]:
    """Return documents of new trials, one for each point {label: value}."""
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
    """Convert points to ({label: ids of points in which it is active}, {label: its values})."""
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
    """Draw one point from the prior for each id; returns the points as `by_label` does."""
    return by_label(space, ids, [prior_point(space, rng) for _ in ids])
