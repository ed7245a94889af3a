"""Data of the plots of single parameters, as arrays: scales, values, histograms, coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparktune.errors import InvalidArgument
from sparktune.results.series import Array, Columns, Whole
from sparktune.space.distributions import Categorical
from sparktune.space.space import Space

_FEW = 30  # most bins of a histogram


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of the axis of one parameter: logarithmic or linear, integers or real numbers, or
    the names of the options of a choice.
    """

    label: str
    log: bool = False
    whole: bool = False
    options: tuple[str, ...] = ()

    def position(self, value: Array) -> Array:
        """Positions of values on the axis: their decimal logarithms on a logarithmic axis."""
        return np.log10(value) if self.log else value


def scales(
    studies: Iterable[Columns], space: Any = None, labels: Sequence[str] | None = None
) -> list[Scale]:
    """The scale of each parameter that has a value in any of the studies, in their order.

    Args:
        studies: the studies to plot.
        space: the search space, which defines logarithmic axes and the names of options; None: the
            spaces of the studies. If these are unknown, an axis is logarithmic if the values are
            positive, span a factor of 1000 and have a median below a tenth of the largest.
        labels: the parameters to include, in this order; None: all.

    Raises:
        InvalidArgument: there are no parameters, or a label is unknown.
    """
    values: dict[str, Array] = {}
    known = _of_space(space) if space is not None else {}
    for study in studies:
        if space is None:
            known |= _of_study(study)
        for label, column in study.values.items():
            active = column[~np.isnan(column)]
            values[label] = np.concatenate([values.get(label, np.empty(0)), active])
    values = {label: column for label, column in values.items() if len(column)}
    wanted = list(values) if labels is None else _checked_labels(labels, values)
    if not wanted:
        raise InvalidArgument("nothing to plot: the trials have no parameters")
    return [_scale(label, values[label], known) for label in wanted]


def _checked_labels(labels: Sequence[str], values: Mapping[str, Array]) -> list[str]:
    listed = [labels] if isinstance(labels, str) else list(labels)
    if unknown := [label for label in listed if label not in values]:
        raise InvalidArgument(
            f"unknown parameter {', '.join(map(repr, unknown))}; "
            f"the trials have values of {', '.join(map(repr, values))}"
        )
    return listed


def _scale(label: str, values: Array, known: Mapping[str, tuple[bool, tuple[str, ...]]]) -> Scale:
    log, options = known.get(label, (looks_logarithmic(values), ()))
    whole = bool(np.all(values == np.round(values)))
    return Scale(label, log and bool(values.min() > 0), whole, options)


def looks_logarithmic(values: Array) -> bool:
    """Whether a logarithmic axis fits the values; `scales` gives the rule."""
    low, high = values.min(), values.max()
    return bool(low > 0 and high >= 1000 * low and np.median(values) < high / 10)


def _of_space(space: Any) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """{label: (whether the prior is logarithmic, names of the options of a choice)} of a space."""
    parsed = space if isinstance(space, Space) else Space(space)
    found: dict[str, tuple[bool, tuple[str, ...]]] = {}
    for column in parsed.columns:
        prior = column.distribution
        if isinstance(prior, Categorical):
            names = column.option_names or range(len(prior.p))
            found[column.label] = False, tuple(map(str, names))
        else:
            found[column.label] = prior.log, ()
    return found


def _of_study(study: Columns) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """The same as `_of_space`, from a study's space or else from the header of its journal."""
    if study.space is not None:
        return _of_space(study.space)
    if study.header is None:
        return {}
    names = {label: tuple(map(str, each)) for label, each in study.header.options.items()}
    return {
        label: ("log" in text.split("(")[0], names.get(label, ()))
        for label, text in study.header.columns.items()
    }


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one parameter in the m trials in which it was active.

    id      (m,)  of the trials
    value   (m,)
    loss    (m,)  NaN where there is none
    best    index of the study's best trial in these arrays; None if it does not have the parameter
    """

    scale: Scale
    id: Whole
    value: Array
    loss: Array
    best: int | None

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Mask of the trials with a finite loss."""
        mask: NDArray[np.bool_] = np.isfinite(self.loss)
        return mask

    @property
    def spread(self) -> Array:
        """(m,) the values, with jitter for a choice, so that trials of one option lie beside each
        other. The jitter depends only on the id.
        """
        golden = self.id * 0.6180339887498949 % 1
        return self.value + 0.4 * (golden - 0.5) if self.scale.options else self.value


def values(study: Columns, scale: Scale) -> Values:
    """The values of a parameter over the trials of a study."""
    column = study.values[scale.label]
    active = np.flatnonzero(~np.isnan(column))
    at = np.flatnonzero(active == study.best)
    best = int(at[0]) if len(at) else None
    return Values(scale, study.id[active], column[active], study.loss[active], best)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often the values of one parameter were tried.

    edges    (b + 1,)  of the b bins
    shares   {name of a study: (b,)}  shares of the trials in which the parameter was active
    """

    scale: Scale
    edges: Array
    shares: Mapping[str, Array]


def histogram(studies: Mapping[str, Columns], scale: Scale) -> Histogram:
    """The histogram of the values of a parameter, with the same bins for all studies: one for each
    option, or for each integer if they span fewer than 30; else at most 30 of equal width.
    """
    tried = {
        name: study.values[scale.label][~np.isnan(study.values[scale.label])]
        for name, study in studies.items()
        if scale.label in study.values
    }
    edges = _edges(scale, np.concatenate(list(tried.values())))
    shares = {
        name: np.histogram(each, edges)[0] / max(len(each), 1) for name, each in tried.items()
    }
    return Histogram(scale, edges, shares)


def _edges(scale: Scale, tried: Array) -> Array:
    if scale.options:
        return np.arange(-0.5, len(scale.options))
    low, high = float(tried.min()), float(tried.max())
    bins = int(np.clip(np.ceil(np.sqrt(len(tried))), 5, _FEW))
    if scale.log:
        return _log_edges(low, high, bins, scale.whole)
    if scale.whole:
        width = 1.0 if high - low < _FEW else float(np.ceil((high - low + 1) / bins))
        number = int(np.ceil((high - low + 1) / width))
        return np.linspace(low - 0.5, low - 0.5 + width * number, number + 1)
    return np.histogram_bin_edges(tried, bins).astype(np.float64)


def _log_edges(low: float, high: float, bins: int, whole: bool) -> Array:
    inner = np.geomspace(low, high, bins + 1)[1:-1]
    if whole:  # edges between integers, so that each bin contains at least one
        return np.unique([low - 0.5, *(np.round(inner) + 0.5), high + 0.5])
    return np.array([low, *inner, high]) if high > low else np.array([low / 2, low * 2])


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The n trials with a loss as lines over d parameters, the worst first.

    position   (n, d)  from 0 (`low`) to 1 (`high`) on the scale of each parameter, NaN where
                       inactive
    loss       (n,)
    low, high  (d,)    ends of the axes, as values
    """

    scales: tuple[Scale, ...]
    position: Array
    loss: Array
    low: Array
    high: Array


def coordinates(study: Columns, wanted: Sequence[Scale]) -> Coordinates:
    """The trials with a loss as lines over the wanted parameters. Trials in which none of these was
    active are left out.

    Raises:
        InvalidArgument: none of these parameters was active in a trial with a finite loss.
    """
    usable = np.flatnonzero(study.usable)
    raw = np.column_stack([study.values[scale.label][usable] for scale in wanted])
    kept = ~np.isnan(raw).all(axis=1)
    if not kept.any():
        raise InvalidArgument(
            f"nothing to plot: {', '.join(repr(scale.label) for scale in wanted)} was active in no "
            "trial with a finite loss"
        )
    loss = study.loss[usable][kept]
    order = np.argsort(-loss, kind="stable")
    raw = raw[kept][order]
    ends = np.array([_ends(scale, study.values[scale.label]) for scale in wanted])
    position = np.empty_like(raw)
    for j, scale in enumerate(wanted):
        low, high = scale.position(ends[j])
        position[:, j] = (scale.position(raw[:, j]) - low) / (high - low) if high > low else 0.5
    position[np.isnan(raw)] = np.nan
    return Coordinates(tuple(wanted), position, loss[order], ends[:, 0], ends[:, 1])


def _ends(scale: Scale, column: Array) -> tuple[float, float]:
    if scale.options:
        return 0.0, len(scale.options) - 1.0
    return float(np.nanmin(column)), float(np.nanmax(column))


def units(study: Columns, wanted: Sequence[Scale]) -> dict[str, Array]:
    """{label: (n,)} the values in the n trials with a finite loss, scaled to [0, 1] over the range
    that was tried, on the scale of each parameter. An inactive parameter has the median of its
    values, so a parameter that is seldom active has a small effect.
    """
    return {scale.label: _unit(scale, study.values[scale.label][study.usable]) for scale in wanted}


def _unit(scale: Scale, values: Array) -> Array:
    """Values scaled to [0, 1], the median where inactive; integers become cells of equal width."""
    if np.isnan(values).all():
        return np.zeros_like(values)
    z = scale.position(values)
    half = 0.5 if scale.whole and not scale.log else 0.0
    low, high = np.nanmin(z) - half, np.nanmax(z) + half
    middle = np.nanquantile(z, 0.5, method="lower")  # one of the values
    width = high - low
    unit: Array = (np.where(np.isnan(z), middle, z) - low) / (width if width > 0 else 1.0)
    return unit
