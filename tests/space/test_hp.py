"""The twelve ways to declare a parameter: what they draw, what arrives where, what they refuse."""

from __future__ import annotations

import linecache
import sys
import warnings
from collections.abc import Callable
from math import atan, exp, inf, isfinite, log
from typing import Any

import numpy as np
import pytest

from sparktune import fmin
from sparktune.errors import BadSearchSpace
from sparktune.samplers import tpe, tpe_hyperopt
from sparktune.schedulers import FullBudget
from sparktune.space import hp
from sparktune.space.distributions import Categorical, Distribution, Numeric
from sparktune.space.draws import DRAWS
from sparktune.space.evaluation import rec_eval
from sparktune.space.expression import Apply, scope
from sparktune.space.priors import PRIORS
from sparktune.space.space import Space
from sparktune.study import Study

# Each function: its node, the column it becomes, the type of the value that records hold and the
# type that the objective receives.
DECLARED: dict[str, tuple[Apply, Distribution, type, type]] = {
    "choice": (hp.choice("x", ["a", "b"]), Categorical((0.5, 0.5)), int, str),
    "pchoice": (hp.pchoice("x", [(0.2, "a"), (0.8, "b")]), Categorical((0.2, 0.8)), int, str),
    "randint": (hp.randint("x", 5), Numeric(-0.5, 4.5, q=1, integer=True), int, int),
    "randint low high": (hp.randint("x", -2, 5), Numeric(-2.5, 4.5, q=1, integer=True), int, int),
    "uniform": (hp.uniform("x", -1, 3), Numeric(-1, 3), float, float),
    "quniform": (hp.quniform("x", 1, 10, 4), Numeric(1, 10, q=4), float, float),
    "uniformint": (hp.uniformint("x", 1, 5), Numeric(1, 5, q=1, integer=True), int, int),
    "loguniform": (hp.loguniform("x", -3, 1), Numeric(-3, 1, log=True), float, float),
    "qloguniform": (
        hp.qloguniform("x", -2, 3, 0.5),
        Numeric(-2, 3, log=True, q=0.5),
        float,
        float,
    ),
    "normal": (hp.normal("x", 2, 3), Numeric(-inf, inf, normal=(2, 3)), float, float),
    "qnormal": (hp.qnormal("x", 2, 3, 0.5), Numeric(-inf, inf, q=0.5, normal=(2, 3)), float, float),
    "lognormal": (
        hp.lognormal("x", 0, 1),
        Numeric(-inf, inf, log=True, normal=(0, 1)),
        float,
        float,
    ),
    "qlognormal": (
        hp.qlognormal("x", 0, 1, 0.5),
        Numeric(-inf, inf, log=True, q=0.5, normal=(0, 1)),
        float,
        float,
    ),
}
NAMED = pytest.mark.parametrize("name", DECLARED)


def column(node: Apply) -> Distribution:
    [only] = Space(node).columns
    return only.distribution


def drawn(node: Apply, n: int) -> list[Any]:
    """What the objective receives in n random trials."""
    space = Space(node)
    rows = space.sample(np.random.default_rng(0), n)
    return [space.decode(space.values(row)) for row in rows]


@NAMED
def test_a_parameter_is_drawn_from_its_distribution(name: str) -> None:
    node, distribution, _, _ = DECLARED[name]
    assert column(node) == distribution


@NAMED
def test_records_hold_and_objectives_receive_python_scalars(name: str) -> None:
    node, _, stored, received = DECLARED[name]
    space = Space(node)
    for row in space.sample(np.random.default_rng(0), 20):
        values = space.values(row)
        assert type(values["x"]) is stored
        assert type(space.decode(values)) is received


def test_every_function_is_covered() -> None:
    assert {name.split()[0] for name in DECLARED} == set(hp.__all__)


@pytest.mark.parametrize(
    ("positional", "keyword"),
    [
        (hp.uniform("x", 1, 2), hp.uniform("x", high=2, low=1)),
        (hp.quniform("x", 1, 9, 2), hp.quniform("x", q=2, low=1, high=9)),
        (hp.uniformint("x", 1, 9), hp.uniformint(label="x", low=1, high=9)),
        (hp.loguniform("x", 1, 2), hp.loguniform("x", low=1, high=2)),
        (hp.qloguniform("x", 1, 2, 3), hp.qloguniform("x", low=1, high=2, q=3)),
        (hp.normal("x", 1, 2), hp.normal("x", sigma=2, mu=1)),
        (hp.qnormal("x", 1, 2, 3), hp.qnormal("x", mu=1, sigma=2, q=3)),
        (hp.lognormal("x", 1, 2), hp.lognormal("x", mu=1, sigma=2)),
        (hp.qlognormal("x", 1, 2, 3), hp.qlognormal("x", mu=1, sigma=2, q=3)),
        (hp.randint("x", 1, 9), hp.randint("x", high=9, low=1)),
        (hp.randint("x", 9), hp.randint("x", low=9)),
        (hp.choice("x", "ab"), hp.choice(label="x", options="ab")),
        (hp.pchoice("x", [(1, "a")]), hp.pchoice(label="x", p_options=[(1, "a")])),
    ],
    ids=lambda node: node.name,
)
def test_arguments_may_be_given_by_keyword(positional: Apply, keyword: Apply) -> None:
    assert column(positional) == column(keyword)


def test_numbers_of_numpy_are_numbers() -> None:
    low, high, upper = list[Any]([np.float32(0), np.int64(2), np.int64(3)])
    assert column(hp.uniform("x", low, high)) == Numeric(0, 2)
    assert column(hp.randint("x", upper)) == Numeric(-0.5, 2.5, q=1, integer=True)


# What is drawn


def test_quniform_gives_multiples_of_q_that_may_lie_outside_the_range() -> None:
    assert set(drawn(hp.quniform("x", 1, 10, 4), 200)) == {0.0, 4.0, 8.0}


def test_uniformint_draws_its_ends_half_as_often() -> None:
    n = 4000
    counts = np.bincount(drawn(hp.uniformint("x", 1, 5), n))[1:]
    expected = n * np.array([1, 2, 2, 2, 1]) / 8
    # Each count is binomial with a standard deviation below 28; 5.5 of them are left with a
    # probability below 4e-8, five times over.
    assert (np.abs(counts - expected) < 5.5 * 28).all()
    assert counts.sum() == n


def test_randint_draws_all_its_values_equally_often() -> None:
    n = 4000
    counts = np.bincount(np.array(drawn(hp.randint("x", -2, 3), n)) + 2)
    # Binomial with a standard deviation of 25.3: failing has a probability below 5 * 4e-8.
    assert (np.abs(counts - n / 5) < 5.5 * 25.3).all()
    assert counts.sum() == n


def test_pchoice_draws_by_its_probabilities() -> None:
    n = 4000
    received = drawn(hp.pchoice("x", [(0.1, "rare"), (0.9, "common")]), n)
    # Binomial with a standard deviation of 19: failing has a probability below 4e-8.
    assert abs(received.count("rare") - 0.1 * n) < 5.5 * 19


def test_loguniform_takes_logarithms_as_bounds() -> None:
    received = drawn(hp.loguniform("x", log(0.001), log(10)), 400)
    assert 0.001 <= min(received) < 0.01 < 1 < max(received) <= 10


@pytest.mark.parametrize("form", [{"low": 5, "high": 10}, {"low": -3, "high": 0}, {"low": 5}])
def test_randint_by_keyword_keeps_its_range_with_tpe(form: dict[str, int]) -> None:
    low, high = (form["low"], form["high"]) if "high" in form else (0, form["low"])
    study = Study(
        Space({"r": hp.randint("r", **form)}), tpe.suggest(n_startup_jobs=5), FullBudget(30), 0
    )
    tried = []
    while asked := study.ask(1):
        config = study.config(asked[0])
        tried.append(config["r"])
        study.tell(asked[0], float(config["r"]))
    assert set(tried) <= set(range(low, high))
    assert low in tried
    assert study.best is not None
    assert study.best.values == {"r": low}


# Options of a choice


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["a", "b"], ["a", "b"]),
        (("a", "b"), ["a", "b"]),
        ("ab", ["a", "b"]),
        (range(2), [0, 1]),
        (np.array([3, 4]), [np.int64(3), np.int64(4)]),
        ({"a": 1, "b": 2}, ["a", "b"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_options_are_anything_with_a_length(options: Any, expected: list[Any]) -> None:
    space = Space(hp.choice("x", options))
    received = [space.decode({"x": index}) for index in range(2)]
    assert received == expected
    assert [type(value) for value in received] == [type(value) for value in expected]


@pytest.mark.parametrize("function", [hp.choice, hp.pchoice])
def test_a_generator_of_options_is_refused(function: Callable[..., Apply]) -> None:
    with pytest.raises(TypeError, match=r"options of 'x' must be a list.*generator"):
        function("x", (option for option in [(0.5, 1), (0.5, 2)]))


@pytest.mark.parametrize("function", [hp.choice, hp.pchoice])
def test_a_choice_without_options_is_refused(function: Callable[..., Apply]) -> None:
    with pytest.raises(BadSearchSpace, match=r"'x'.*at least one"):
        function("x", [])


def test_probabilities_that_do_not_sum_to_one_are_scaled_with_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"hp\.pchoice\('x'\).*sum to 4, not 1") as caught:
        node = hp.pchoice("x", [(1, "a"), (3, "b")])
    assert caught[0].filename == __file__
    assert column(node) == Categorical((0.25, 0.75))


def test_probabilities_that_sum_to_one_up_to_rounding_are_fine() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hp.pchoice("x", [(0.1, option) for option in range(10)])


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(-0.5, "a"), (1.5, "b")], ">= 0 and not all 0"),
        ([(0, "a"), (0, "b")], ">= 0 and not all 0"),
        ([(float("nan"), "a")], "probability must be finite"),
        ([("a", 0.5), ("b", 0.5)], "probability must be a number, got 'a'"),
        (["a", "b"], r"\(probability, option\) pair"),
        ([(0.5, "a", 1)], r"\(probability, option\) pair"),
    ],
    ids=repr,
)
def test_bad_probabilities_are_refused(pairs: list[Any], message: str) -> None:
    with pytest.raises(BadSearchSpace, match=message):
        hp.pchoice("x", pairs)


# What is refused where it is written


@pytest.mark.parametrize("function", [hp.uniform, hp.uniformint, hp.loguniform])
@pytest.mark.parametrize(("low", "high"), [(2, 0), (0, -1), (1, 1), (3, 2)])
def test_an_empty_range_is_refused(function: Callable[..., Apply], low: int, high: int) -> None:
    with pytest.raises(
        BadSearchSpace, match=f"'x'.*low should be less than high, got low={low}, high={high}"
    ):
        function("x", low, high)


@pytest.mark.parametrize("function", [hp.quniform, hp.qloguniform])
def test_an_empty_range_on_a_grid_is_refused(function: Callable[..., Apply]) -> None:
    with pytest.raises(BadSearchSpace, match="low should be less than high"):
        function("x", 0, -1, 1)


@pytest.mark.parametrize("bounds", [(0,), (-3,), (5, 5), (5, 2)], ids=str)
def test_an_empty_range_of_integers_is_refused(bounds: tuple[int, ...]) -> None:
    with pytest.raises(BadSearchSpace, match=r"'x'.*less than high, which is excluded"):
        hp.randint("x", *bounds)


@pytest.mark.parametrize("bounds", [(2.5,), (True,), ("3",), (0, 2.5), (float("nan"),)], ids=str)
def test_randint_wants_integers(bounds: tuple[Any, ...]) -> None:
    with pytest.raises(BadSearchSpace, match=r"must be an integer.*hp\.uniform"):
        hp.randint("x", *bounds)


def test_randint_refuses_integers_that_floats_cannot_tell_apart() -> None:
    with pytest.raises(BadSearchSpace, match=r"beyond 2\*\*53"):
        hp.randint("x", 2**53, 2**53 + 2)


@pytest.mark.parametrize("bad", ["1", None, True, 1j, [1]], ids=repr)
def test_bounds_must_be_numbers(bad: Any) -> None:
    with pytest.raises(BadSearchSpace, match=r"hp\.uniform\('x'\): high must be a number"):
        hp.uniform("x", 0, bad)


@pytest.mark.parametrize("bad", [inf, float("nan")])
def test_bounds_must_be_finite(bad: float) -> None:
    with pytest.raises(BadSearchSpace, match=r"hp\.normal\('x'\): mu must be finite"):
        hp.normal("x", bad, 1)


@pytest.mark.parametrize("bound", [hp.uniform("y", 0, 1), scope.int(3)], ids=["hp", "scope"])
def test_another_node_as_a_bound_is_refused(bound: Apply) -> None:
    with pytest.raises(
        BadSearchSpace, match=r"hp\.uniform\('x'\): high is another parameter.*combine them"
    ):
        hp.uniform("x", 0, bound)  # type: ignore[arg-type]


def test_bounds_of_loguniform_that_were_meant_unlogged_are_explained() -> None:
    with pytest.raises(BadSearchSpace, match=r"bounds are logarithms.*did you mean.*log\(1000\)"):
        hp.loguniform("x", 1, 1000)
    assert column(hp.loguniform("x", 1, 709)).support[1] == pytest.approx(exp(709))
    with pytest.raises(BadSearchSpace, match=r"exp\(1000\) is infinite$"):
        hp.loguniform("x", -1, 1000)


@pytest.mark.parametrize(("low", "high"), [(1e-5, 0.1), (0.1, 1)])
def test_bounds_of_loguniform_that_look_unlogged_give_a_warning(low: float, high: float) -> None:
    with pytest.warns(UserWarning, match=r"the bounds are logarithms, so values are from") as told:
        hp.loguniform("x", low, high)
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match="qloguniform"):
        hp.qloguniform("x", low, high, 1)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 0.1), (0.5, 1), (0.1, 1.5), (1, 3)])
def test_bounds_of_loguniform_that_can_be_logarithms_give_no_warning(
    low: float, high: float
) -> None:
    hp.loguniform("x", low, high)


@pytest.mark.parametrize("function", [hp.normal, hp.lognormal])
@pytest.mark.parametrize("sigma", [0, -1])
def test_sigma_must_be_positive(function: Callable[..., Apply], sigma: int) -> None:
    with pytest.raises(BadSearchSpace, match=r"'x'.*sigma must be > 0"):
        function("x", 0, sigma)


@pytest.mark.parametrize(
    "function", [hp.quniform, hp.qloguniform, hp.qnormal, hp.qlognormal], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("q", [0, -1])
def test_q_must_be_positive(function: Callable[..., Apply], q: int) -> None:
    with pytest.raises(BadSearchSpace, match=r"'x'.*q must be > 0"):
        function("x", 0, 1, q)


def test_uniformint_has_no_step() -> None:
    assert column(hp.uniformint("x", 0, 9, q=1)) == column(hp.uniformint("x", 0, 9))
    with pytest.raises(BadSearchSpace, match=r"q must be 1, got 2.*hp\.quniform"):
        hp.uniformint("x", 0, 9, q=2)


# Values that are no finite numbers

LARGEST = sys.float_info.max
INFINITE: list[tuple[str, tuple[float, ...]]] = [
    ("uniform", (-LARGEST, LARGEST)),
    ("uniform", (0, LARGEST)),
    ("uniform", (0, 5e-324)),
    ("quniform", (0, 1e307, 1e-10)),
    ("quniform", (0, 1.7e308, 1e308)),
    ("quniform", (0, 1, 5e-324)),
    ("loguniform", (0, 800)),
    ("qloguniform", (0, 700, 1e-10)),
    ("qloguniform", (0, log(LARGEST), 1e308)),
    ("normal", (0, LARGEST)),
    ("normal", (LARGEST, 1)),
    ("normal", (0, 5e-324)),
    ("qnormal", (0, 1e300, 1e-10)),
    ("qnormal", (0, 1, 5e-324)),
    ("lognormal", (600, 60)),
    ("lognormal", (0, 100)),
    ("lognormal", (-900, 200)),
    ("qlognormal", (600, 60, 1)),
    ("qlognormal", (700, 0.5, 1e-5)),
    ("uniformint", (-LARGEST, LARGEST)),
]


@pytest.mark.parametrize(("prior", "arguments"), INFINITE)
def test_a_prior_that_can_be_infinite_is_refused(prior: str, arguments: tuple[float, ...]) -> None:
    with pytest.raises(BadSearchSpace, match=f"^hp.{prior}"):
        getattr(hp, prior)("x", *arguments)


def test_probabilities_whose_sum_is_infinite_are_refused() -> None:
    with pytest.raises(BadSearchSpace, match="finite sum"):
        hp.pchoice("x", [(1e308, 0), (1e308, 1)])


@pytest.mark.parametrize(
    ("prior", "arguments"),
    [
        ("uniform", (-1e307, 1e307)),
        ("loguniform", (-800, -750)),
        ("loguniform", (-800, 700)),
        ("loguniform", (-1e308, 0)),
        ("qloguniform", (0, 700, 1.0)),
        ("normal", (1e300, 1e-300)),
        ("lognormal", (0, 60)),
        ("lognormal", (-900, 10)),
        ("qlognormal", (0, 60, 1e-10)),
        ("quniform", (0, 1, 1e-300)),
        ("uniformint", (0, 1e300)),
    ],
)
@pytest.mark.parametrize("algo", ["random", "tpe", "anneal", "sobol", tpe_hyperopt.suggest])
def test_no_draw_from_an_extreme_prior_ends_a_run(
    prior: str, arguments: tuple[float, ...], algo: Any
) -> None:
    got: list[float] = []
    space = getattr(hp, prior)("x", *arguments)
    fmin(lambda x: got.append(x) or atan(x), space, algo, 60, seed=1, verbose=False)
    assert got  # fewer than 60 where there are fewer points
    assert all(map(isfinite, got))


# Labels


def test_a_label_may_be_bytes() -> None:
    assert Space(hp.uniform(b"x", 0, 1)).labels == ("x",)  # type: ignore[arg-type]


@NAMED
def test_a_label_must_be_text(name: str) -> None:
    arguments: dict[str, list[Any]] = {"choice": ["ab"], "pchoice": [[(1, "a")]], "randint": [3]}
    function = name.split()[0]
    numbers = [1, 2, 3] if function.startswith("q") else [1, 2]
    with pytest.raises(TypeError, match=r"require string label.*got 7"):
        getattr(hp, function)(7, *arguments.get(function, numbers))


def test_a_parameter_remembers_the_line_it_was_made_on() -> None:
    parameter = hp.uniform("x", 0, 1).pos_args[0]
    file, line = parameter.place.rsplit(":", 1)
    assert file == __file__
    assert "parameter = hp.uniform" in linecache.getline(file, int(line))


def test_an_option_is_returned_as_the_very_object() -> None:
    options = [object(), object()]
    node = hp.choice("x", options)
    assert Space(node).decode({"x": 1}) is options[1]
    assert rec_eval(node, Space(node).memo({"x": 0})) is options[0]


def test_every_draw_is_a_prior() -> None:
    assert {name: prior.draw for name, prior in PRIORS.items()} == DRAWS


def test_a_prior_written_with_scope_is_read_and_refused_as_one_of_hp() -> None:
    assert column(scope.hyperopt_param("x", scope.randint(5))) == column(hp.randint("x", 5))
    with pytest.raises(BadSearchSpace, match=r"hp\.pchoice\('x'\): probabilities must be >= 0"):
        column(scope.hyperopt_param("x", scope.categorical([-0.5, 1.5])))
    with pytest.raises(BadSearchSpace, match=r"cannot read.*missing a required argument: 'q'"):
        column(scope.hyperopt_param("x", scope.quniform(0, 1)))
