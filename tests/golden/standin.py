"""A pytest plugin for Hyperopt's own tests: `hyperopt` is `sparktune.hyperopt`, its `tests` are
Hyperopt's.

The tests of one module often share an import line with tests of Hyperopt's private functions. Names
that only those use are given as `Private`, so that the module can be imported; a test that calls
one fails.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from typing import Any

import sparktune.hyperopt as standin
from sparktune.hyperopt import base, tpe


class Private:
    """Stands for a private function of Hyperopt's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("a private function of Hyperopt's")


def _package(name: str, path: str) -> None:
    package = types.ModuleType(name)
    package.__path__ = [path]
    sys.modules[name] = package


standin.install_as_hyperopt()
_package("hyperopt.tests", os.path.join(os.environ["HYPEROPT_SUITE"], "tests"))
for module, names in (
    (tpe, ("GMM1", "LGMM1", "GMM1_lpdf", "LGMM1_lpdf", "adaptive_parzen_normal_orig")),
    (base, ("SONify",)),
    (standin.pyll_utils, ("validate_distribution_range",)),
):
    for name in names:
        setattr(module, name, Private)
standin.pyll_utils.validate_distribution_range = lambda function: function  # type: ignore
if importlib.util.find_spec("bson") is None:
    sys.modules["bson"] = types.ModuleType("bson")  # of pymongo, which private tests use
