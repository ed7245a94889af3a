"""Programs that create an estimator."""

from __future__ import annotations

import inspect
import re
from typing import Any

from sklearn.base import BaseEstimator, clone

from sparktune.errors import InvalidArgument


def program_of(estimator: Any) -> str:
    """A program that creates the same estimator, not fitted, as `model`.

    Raises:
        InvalidArgument: a parameter has no text that is a program.
    """
    text = clone(estimator).__repr__(N_CHAR_MAX=10**9)
    names = {type(each).__name__: _public(type(each).__module__) for each in _parts(estimator)}
    for each in _parts(estimator):
        for value in each.get_params(deep=False).values():
            if inspect.isfunction(value):
                names[value.__name__] = value.__module__
    text = re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"\1", text)
    lines = sorted(f"from {module} import {name}" for name, module in names.items())
    program = "\n".join([*lines, "", f"model = {text}", ""])
    try:
        compile(program, "export", "exec")
    except SyntaxError as error:
        raise InvalidArgument(
            f"the estimator cannot be written as a program: {error.text and error.text.strip()}"
        ) from None
    return program


def _parts(estimator: Any) -> list[Any]:
    """An estimator and those inside it."""
    inside = [it for it in estimator.get_params().values() if isinstance(it, BaseEstimator)]
    return [estimator, *inside]


def _public(module: str) -> str:
    """`sklearn.svm` for `sklearn.svm._classes`."""
    return module.partition("._")[0]
