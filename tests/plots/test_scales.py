"""Arrays of single parameters, from hand-made records."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparktune import Trials, fmin, hp
from sparktune.errors import InvalidArgument
from sparktune.results import scales, series, table
from sparktune.results.scales import Scale
from sparktune.space.space import Space
from sparktune.trial import Status

NAN = math.nan
OK, ERROR = Status.OK, Status.ERROR
Made = Callable[..., Trials]
SPACE = {
    "model": hp.choice(
        "model",
        [
            {"C": hp.loguniform("C", -3, 3), "kind": "svm"},
            {"depth": hp.uniformint("depth", 1, 9), "kind": "forest"},
        ],
    ),
    "plain": hp.pchoice("plain", [(0.5, "adam"), (0.5, 7)]),
    "layers": hp.choice("layers", [(64, 64), (32,)]),
    "same": hp.choice("same", [{"kind": "a", "u": hp.uniform("u", 0, 1)}, {"kind": "a"}]),
    "nothing": hp.choice("nothing", [hp.uniform("v", 0, 1), {"w": hp.normal("w", 0, 1)}]),
    "q": hp.qloguniform("q", 0, 3, 1),
}


def columns(made: Made, **values: Sequence[float]) -> series.Columns:
    """Trials with losses 0, 1, 2, ... and these values, NaN where inactive."""
    points = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    active = [{k: v for k, v in point.items() if v == v} for point in points]
    return series.columns(made([(OK, float(i), point) for i, point in enumerate(active)]))


def test_the_space_says_what_is_logarithmic_and_what_options_are_called(made: Made) -> None:
    labels = ["model", "C", "depth", "plain", "layers", "same", "nothing", "q", "u", "v", "w"]
    study = columns(made, **{label: [1, 2] for label in labels})
    expected = [
        Scale("model", whole=True, options=("svm", "forest")),
        Scale("C", log=True, whole=True),
        Scale("depth", whole=True),
        Scale("plain", whole=True, options=("adam", "7")),
        Scale("layers", whole=True, options=("(64, 64)", "(32,)")),
        Scale("same", whole=True, options=("{'kind': 'a', 'u': u}", "{'kind': 'a'}")),
        Scale("nothing", whole=True, options=("v", "{'w': w}")),
        Scale("q", log=True, whole=True),
    ]
    assert scales.scales([study], SPACE, labels[:8]) == expected
    assert scales.scales([study], Space(SPACE), labels[:8]) == expected
    assert scales.scales([study], labels="C") == [Scale("C", whole=True)]


def test_trials_know_their_space_and_their_journal_most_of_it(tmp_path: Path) -> None:
    trials = Trials()
    space = {"rate": hp.loguniform("rate", -1, 0), "kind": hp.choice("kind", ["a", ("b", 1)])}
    fmin(lambda point: point["rate"], space, max_evals=20, trials=trials, verbose=False, seed=0)
    labels = ["kind", "rate"]
    expected = [Scale("kind", whole=True, options=("a", "('b', 1)")), Scale("rate", log=True)]
    assert scales.scales([series.columns(trials)], labels=labels) == expected
    trials.save(tmp_path / "study.jsonl")
    loaded = series.columns(Trials.load(tmp_path / "study.jsonl"))
    assert scales.scales([loaded], labels=labels) == expected


def test_options_are_called_the_same_live_in_a_journal_and_in_tables(tmp_path: Path) -> None:
    svm = {"kind": "svm", "C": hp.uniform("C", 0, 1)}
    trials = Trials()
    fmin(
        lambda model: model.get("C", 2.0),
        hp.choice("model", [svm, {"kind": "rf"}, {"n": 3}]),
        max_evals=20,
        trials=trials,
        verbose=False,
        seed=0,
        journal=tmp_path / "study.jsonl",
    )
    loaded = Trials.load(tmp_path / "study.jsonl")
    wanted = ("svm", "rf", "{'n': 3}")
    for each in (trials, loaded):
        [scale] = scales.scales([series.columns(each)], labels="model")
        assert scale.options == wanted
        assert set(each.to_pandas()["model"]) == set(wanted)
        assert table.columns(each)["model"] == table.columns(trials)["model"]
        assert "svm" in each._repr_html_()


def test_a_logarithmic_axis_holds_no_zero(made: Made) -> None:
    study = columns(made, q=[0, 1, 20])
    assert scales.scales([study], SPACE) == [Scale("q", whole=True)]


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ([1e-4, 1e-3, 1.0], True),
        ([1e-3, 0.5, 1.0], False),
        ([1e-2, 2e-2, 1.0], False),
        ([0.0, 1e-3, 1.0], False),
        ([-1.0, 1e-3, 1.0], False),
    ],
)
def test_without_a_space_values_show_what_is_logarithmic(
    made: Made, values: list[float], log: bool
) -> None:
    (scale,) = scales.scales([columns(made, x=values)])
    assert scale.log is log


def test_parameters_without_values_have_no_scale(made: Made) -> None:
    study = series.columns(made([(OK, 1.0, {"x": 0.5})], labels=("never", "x")))
    assert [scale.label for scale in scales.scales([study])] == ["x"]
    with pytest.raises(InvalidArgument, match=r"unknown parameter 'z'; .* values of 'x'"):
        scales.scales([study], labels=["z"])


def test_trials_without_parameters_are_refused(made: Made) -> None:
    with pytest.raises(InvalidArgument, match="no parameters"):
        scales.scales([series.columns(made([(OK, 1.0, {})]))])


def test_values_are_those_of_the_trials_where_active(made: Made) -> None:
    rows: Any = [
        (OK, 3.0, {"x": 1.5}),
        (OK, 2.0, {}),
        (ERROR, None, {"x": 2.5}),
        (OK, 1.0, {"x": 9}),
    ]
    study = series.columns(made(rows))
    found = scales.values(study, Scale("x"))
    np.testing.assert_array_equal(found.id, [0, 2, 3])
    np.testing.assert_array_equal(found.value, [1.5, 2.5, 9])
    np.testing.assert_array_equal(found.spread, found.value)
    np.testing.assert_array_equal(found.loss, [3, NAN, 1])
    np.testing.assert_array_equal(found.usable, [True, False, True])
    assert found.best == 2


def test_a_parameter_inactive_in_the_best_trial_has_no_best_value(made: Made) -> None:
    study = columns(made, x=[NAN, 1.0])
    assert scales.values(study, Scale("x")).best is None


def test_trials_of_one_option_lie_beside_each_other(made: Made) -> None:
    study = columns(made, c=[1.0] * 50)
    found = scales.values(study, Scale("c", whole=True, options=("a", "b")))
    assert len(set(found.spread)) == 50
    assert np.all(np.abs(found.spread - 1) <= 0.2)


@pytest.mark.parametrize(
    ("scale", "tried", "edges", "share"),
    [
        (Scale("x", whole=True, options=("a", "b", "c")), [0, 0, 2, 2], [-0.5, 0.5, 1.5, 2.5],
         [0.5, 0, 0.5]),
        (Scale("x", whole=True), [3, 5, 5, 5], [2.5, 3.5, 4.5, 5.5], [0.25, 0, 0.75]),
        (Scale("x", whole=True), [1, 60], [0.5, 12.5, 24.5, 36.5, 48.5, 60.5], [0.5, 0, 0, 0, 0.5]),
        (Scale("x"), [0.0, 5.0, 1.5, 1.75], [0, 1, 2, 3, 4, 5], [0.25, 0.5, 0, 0, 0.25]),
        (Scale("x", log=True), [1e-4, 10.0], [1e-4, 1e-3, 1e-2, 0.1, 1, 10], [0.5, 0, 0, 0, 0.5]),
        (Scale("x", log=True, whole=True), [1, 2, 32, 32], [0.5, 2.5, 4.5, 8.5, 16.5, 32.5],
         [0.5, 0, 0, 0, 0.5]),
        (Scale("x", log=True), [0.5, 0.5], [0.25, 1.0], [1.0]),
        (Scale("x", whole=True), [4, 4], [3.5, 4.5], [1.0]),
    ],
)  # fmt: skip
def test_histograms_are_shares_in_bins_that_suit_the_scale(
    made: Made, scale: Scale, tried: list[float], edges: list[float], share: list[float]
) -> None:
    study = columns(made, x=[*tried, NAN])
    found = scales.histogram({"one": study}, scale)
    np.testing.assert_allclose(found.edges, edges, rtol=1e-12)
    np.testing.assert_array_equal(found.shares["one"], share)


def test_histograms_of_several_studies_share_their_bins(made: Made) -> None:
    studies = {
        "a": columns(made, x=[0.0, 1.0]),
        "b": columns(made, x=[5.0] * 4),
        "c": columns(made, y=[1]),
    }
    found = scales.histogram(studies, Scale("x"))
    np.testing.assert_array_equal(found.edges, [0, 1, 2, 3, 4, 5])
    assert list(found.shares) == ["a", "b"]
    np.testing.assert_array_equal(found.shares["a"], [0.5, 0.5, 0, 0, 0])
    np.testing.assert_array_equal(found.shares["b"], [0, 0, 0, 0, 1])


def test_coordinates_run_from_0_to_1_on_each_scale_the_worst_trial_first(made: Made) -> None:
    study = columns(
        made, rate=[1e-4, 1e-2, 1.0], model=[0, 1, 1], x=[NAN, 2.0, 6.0], one=[3.0, 3.0, 3.0]
    )
    wanted = [
        Scale("rate", log=True),
        Scale("model", options=("a", "b", "c")),
        Scale("x"),
        Scale("one"),
    ]
    found = scales.coordinates(study, wanted)
    np.testing.assert_array_equal(found.loss, [2, 1, 0])
    np.testing.assert_allclose(
        found.position, [[1, 0.5, 1, 0.5], [0.5, 0.5, 0, 0.5], [0, 0, NAN, 0.5]]
    )
    np.testing.assert_array_equal(found.low, [1e-4, 0, 2, 3])
    np.testing.assert_array_equal(found.high, [1, 2, 6, 3])


def test_coordinates_leave_out_trials_without_loss_or_without_all_parameters(made: Made) -> None:
    rows: Any = [(OK, 1.0, {"x": 1.0}), (ERROR, None, {"x": 9.0}), (OK, 0.0, {"y": 1.0})]
    study = series.columns(made(rows))
    found = scales.coordinates(study, [Scale("x")])
    np.testing.assert_array_equal(found.position, [[0.0]])
    np.testing.assert_array_equal(found.loss, [1.0])
    assert (found.low.tolist(), found.high.tolist()) == ([1.0], [9.0])


def test_coordinates_of_parameters_never_active_with_a_loss_are_refused(made: Made) -> None:
    study = series.columns(made([(OK, 1.0, {"x": 1.0}), (ERROR, None, {"y": 9.0})]))
    with pytest.raises(InvalidArgument, match="'y' was active in no trial with a finite loss"):
        scales.coordinates(study, [Scale("y")])
