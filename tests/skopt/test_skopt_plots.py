"""Pictures of results, and what they are drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

from sparktune.skopt import Optimizer, dummy_minimize, forest_minimize, gp_minimize, plots
from sparktune.skopt.benchmarks import bench3, branin
from sparktune.skopt.space import Categorical, Integer, Real

MIXED = [
    Real(1e-3, 10, "log-uniform", name="rate"),
    Integer(1, 9, name="depth"),
    Categorical(["a", "b", "a long name of an option"], name="kind"),
    Categorical([True], name="constant"),
]


def objective(x: Any) -> float:
    return float(np.log10(x[0]) ** 2 + x[1] + len(x[2]))


@pytest.fixture(scope="module")
def mixed() -> Any:
    return gp_minimize(objective, MIXED, n_calls=13, random_state=0)


@pytest.fixture(autouse=True)
def _no_figures() -> Iterator[None]:
    yield
    plt.close("all")


def behind(ax: Any) -> Any:
    """The matrix of axes in the place of one pair."""
    _, *found = ax.figure.axes
    n = int(np.sqrt(len(found)))
    return np.array(found).reshape(n, n)


def test_the_model_is_averaged_over_the_other_dimensions() -> None:
    result = forest_minimize(branin, [(-5.0, 10.0), (0.0, 15.0)], n_calls=15, random_state=0)
    model, space = result.models[-1], result.space
    samples = space.transform(space.rvs(7, random_state=0))
    xi, yi = plots.partial_dependence_1D(space, model, 1, samples, n_points=5)
    assert xi.tolist() == [0.0, 3.75, 7.5, 11.25, 15.0]
    expected = [model.predict(np.column_stack([samples[:, 0], [x] * 7])).mean() for x in xi]
    np.testing.assert_allclose(yi, expected)
    xi, yi, zi = plots.partial_dependence_2D(space, model, 0, 1, samples, n_points=3)
    assert (xi.tolist(), yi.tolist()) == ([0.0, 7.5, 15.0], [-5.0, 2.5, 10.0])
    np.testing.assert_allclose(zi[2, 0], model.predict([[10.0, 0.0]])[0])
    one = plots.partial_dependence(space, model, 0, x_eval=[1.0, 2.0], n_points=3)
    np.testing.assert_allclose(one[1][0], model.predict([[-5.0, 2.0]])[0])


def test_a_matrix_of_evaluations(mixed: Any) -> None:
    axes = behind(plots.plot_evaluations(mixed))
    assert axes.shape == (3, 3)  # the constant one is left out
    assert axes[2, 0].get_xlabel() == "rate"
    assert axes[2, 0].get_xscale() == "log"
    assert axes[2, 0].get_ylabel() == "kind"
    assert [text.get_text() for text in axes[2, 0].get_yticklabels()][:2] == ["a", "b"]
    assert len(axes[1, 0].collections[0].get_offsets()) == 13
    assert not axes[0, 1].get_visible()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sample_source": "result", "minimum": "expected_minimum_random", "n_minimum_search": 99},
        {"plot_dims": ["rate", "kind"], "dimensions": ["x", "y"], "zscale": "log"},
        {"minimum": [0.1, 2, "b", True], "show_points": False},
    ],
)
def test_a_matrix_of_the_model(mixed: Any, options: dict[str, Any]) -> None:
    axes = behind(plots.plot_objective(mixed, n_points=6, n_samples=10, **options))
    n = len(options.get("plot_dims", "123"))
    assert axes.shape == (n, n)
    plt.gcf().canvas.draw()


def test_single_pictures(mixed: Any) -> None:
    assert plots.plot_objective_2D(mixed, "rate", "kind", n_points=5).get_ylabel() == "kind"
    plt.figure()
    assert plots.plot_histogram(mixed, "kind", rotate_labels=45).get_xlabel() == "kind"
    plt.figure()
    ax = plots.plot_convergence(("gp", mixed), ("twice", [mixed, mixed]), true_minimum=2.0)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "gp", "twice", "True minimum",
    ]  # fmt: skip
    shown = ax.get_lines()[0].get_ydata()
    np.testing.assert_array_equal(shown, np.minimum.accumulate(mixed.func_vals))
    plt.figure()
    regret = plots.plot_regret(mixed, true_minimum=2.0).get_lines()[0].get_ydata()
    np.testing.assert_allclose(regret, np.cumsum(mixed.func_vals - 2.0))


def test_the_process_of_one_number() -> None:
    result = gp_minimize(bench3, [(-2.0, 2.0)], n_calls=14, random_state=0)
    ax = plots.plot_gaussian_process(result, objective=bench3, show_next_point=True)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["True (unknown)", r"$\mu(x)$", "CI", "Observations", "Next point"]
    plt.figure()
    first = plots.plot_gaussian_process(result, n_calls=0)
    assert len(first.get_lines()[-1].get_xdata()) == 10
    plt.figure()
    ax = plots.plot_gaussian_process(result, show_acq_func=True, show_next_point=True)
    _, other = ax.figure.axes
    names = [text.get_text() for text in other.get_legend().get_texts()]
    assert names == [r"$\mu(x)$", "CI", "Observations", "acquisition", "Next point"]
    assert (ax.get_ylabel(), other.get_ylabel()) == ("f(x)", "acquisition")
    plt.figure()
    ax = plots.plot_gaussian_process(
        result, show_acq_func=True, show_mu=False, show_observations=False
    )
    assert ax.figure.axes == [ax]
    assert ax.get_ylabel() == "acquisition"


def test_the_acquisition_has_the_options_of_the_optimizer() -> None:
    drawn = []
    for kappa in (0.0, 10.0):
        optimizer = Optimizer(
            [(-2.0, 2.0)], "ET", n_initial_points=3, acq_func="LCB", random_state=0,
            acq_func_kwargs={"kappa": kappa},
        )  # fmt: skip
        result = optimizer.run(bench3, 5)
        plt.figure()
        ax = plots.plot_gaussian_process(
            result, show_acq_func=True, show_mu=False, show_observations=False
        )
        drawn.append(np.asarray(ax.get_lines()[0].get_ydata()))
    assert drawn[1].max() > drawn[0].max() + 1


def test_what_cannot_be_drawn_is_refused(mixed: Any) -> None:
    with pytest.raises(ValueError, match="one dimension"):
        plots.plot_gaussian_process(mixed)
    with pytest.raises(ValueError, match="no model"):
        plots.plot_objective(dummy_minimize(bench3, [(-2.0, 2.0)], n_calls=3, random_state=0))
    with pytest.raises(ValueError, match="plot_dims"):
        plots.plot_evaluations(mixed, plot_dims=["speed"])
    with pytest.raises(ValueError, match="expected_minimum"):
        plots.plot_objective(mixed, minimum="best")
