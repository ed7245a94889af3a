"""hyperopt-sklearn's functions that make nodes of search spaces, out of the catalogue.

    from sparktune.hpsklearn import any_preprocessing, svc

    svc("clf")                       an SVC whose parameters are searched, as clf.C, clf.kernel ...
    svc("clf", kernel="rbf", C=1)    the same, without a search of what is given
    any_preprocessing("pre")         a choice among preprocessing steps

They stand here and, as there, in modules named after scikit-learn's: `components.svm`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from types import ModuleType
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.sklearn.catalogue.entries import Entry, entries, read
from sparktune.sklearn.catalogue.groups import choice_of, component
from sparktune.space import hp
from sparktune.space.expression import Apply, scope

_GROUPS = ("any_", "all_")
_FORESTS = {
    "forest_classifiers": ("random_forest_classifier", "extra_trees_classifier"),
    "forest_regressors": ("random_forest_regressor", "extra_trees_regressor"),
}
__all__ = [*entries(), *read("groups.toml"), *read("old_names.toml"), *_FORESTS]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    return _made(name)


@cache
def _made(name: str) -> Any:
    if name in _FORESTS:
        return [_made(each) for each in _FORESTS[name]]
    if name == "ts_lagselector":
        return _named(ts_lagselector, name)
    if name in read("groups.toml"):
        return _named(_group(name), name)
    if name in entries():
        return _described(_component(name, name, {}), name, entries()[name])
    if name in read("old_names.toml"):
        table = read("old_names.toml")[name]
        made = _component(name, table["component"], table.get("given", {}))
        return _described(made, name, entries()[table["component"]])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _group(group: str) -> Callable[..., Any]:
    def choose(name: str) -> Apply:
        return choice_of(group, name)

    members = ", ".join(read("groups.toml")[group]["members"].values())
    choose.__doc__ = f"A choice among {members}.\n\nArgs:\n    name: what the labels begin with."
    return choose


def _component(function: str, name: str, fixed: dict[str, Any]) -> Callable[..., Any]:
    positions: Sequence[str] = read("positions.toml").get(name, ())

    def make(*args: Any, **parameters: Any) -> Apply:
        label, parameters = _bound(function, ("name", *positions), args, parameters)
        return component(name, label, fixed | parameters)

    return make


def _bound(
    function: str, names: Sequence[str], args: Sequence[Any], keywords: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """The label and the parameters of a call, some of which may be given by position."""
    if len(args) > len(names):
        raise TypeError(f"{function}() takes at most {len(names)} arguments by position")
    given = dict(zip(names, args, strict=False))
    if twice := given.keys() & keywords.keys():
        raise TypeError(f"{function}() got {min(twice)!r} twice")
    given |= keywords
    if "name" not in given:
        raise TypeError(f"{function}() needs a name, with which its labels begin")
    return given.pop("name"), given


def _described(made: Callable[..., Any], name: str, entry: Entry) -> Callable[..., Any]:
    made.__doc__ = (
        f"A node that evaluates to a `{entry.estimator}`.\n\n"
        f"Args:\n    name: what the labels begin with.\n"
        f"    parameters: of the estimator, as values or nodes. Searched, unless they are given: "
        f"{', '.join([*entry.space, *entry.inner]) or 'none'}."
    )
    return _named(made, name)


def _named(made: Callable[..., Any], name: str) -> Callable[..., Any]:
    made.__name__ = made.__qualname__ = name
    made.__module__ = __name__
    return made


def ts_lagselector(name: str, lower_lags: float = 1, upper_lags: float = 1) -> Apply:
    """A node that evaluates to a `LagSelector`.

    Args:
        name: what the label begins with.
        lower_lags, upper_lags: the least and the most lags.

    Raises:
        InvalidArgument: there are no integers in between.
    """
    low, high = round(lower_lags), round(upper_lags)
    if high < low:
        raise InvalidArgument(
            f"ts_lagselector: lower_lags must be at most upper_lags, got {lower_lags!r} and "
            f"{upper_lags!r}"
        )
    return scope.ts_LagSelector(lag_size=hp.randint(f"{name}.lags", low, high + 1))


def _modules() -> dict[str, list[str]]:
    """{module: its functions}, named after the modules of the estimators."""
    found: dict[str, list[str]] = {}
    for name, entry in entries().items():
        package, *parts = entry.estimator.split(".")[:-1]
        within = parts if package == "sklearn" else [parts[-1] if parts else package]
        for depth in range(len(within)):
            found.setdefault(".".join(within[: depth + 1]), []).append(name)
    return found


class _Module(ModuleType):
    """A module of components, which are made when they are asked for."""

    def __init__(self, name: str, functions: list[str]) -> None:
        super().__init__(f"{__name__}.{name}", f"Components of `{name}`.")
        self.__all__ = functions

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("__all__", ()):
            return _made(name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return list(self.__all__)


MODULES = _modules()
for _name, _functions in MODULES.items():
    sys.modules[f"{__name__}.{_name}"] = _Module(_name, _functions)
