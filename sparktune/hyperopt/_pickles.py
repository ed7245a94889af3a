"""Reading trials that Hyperopt pickled, without running anything that is in the file.

Unpickling can call any function that a file names. Here only classes on the lists below are
resolved, which hold data and do nothing; every other name is refused.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sparktune.errors import InvalidArgument
from sparktune.hyperopt._trials import Trials, trials_from_docs

_TRIALS = {
    ("hyperopt.base", "Trials"),
    ("hyperopt.spark", "SparkTrials"),
    ("sparktune.hyperopt._trials", "Trials"),
    ("sparktune.hyperopt._spark", "SparkTrials"),
}
_DATA = {
    *(("builtins", name) for name in ("set", "frozenset", "complex", "bytearray", "range")),
    *(("builtins", name) for name in ("object", "dict", "list", "tuple", "int", "float", "str")),
    *(("collections", name) for name in ("OrderedDict", "deque", "defaultdict")),
    *(("datetime", name) for name in ("datetime", "date", "timedelta", "timezone")),
    *(("numpy", name) for name in ("ndarray", "dtype")),
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
}
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # of pickle protocols below 3


def load_trials(path: Any, trust: Iterable[str] = ()) -> Any:
    """Trials from a file that Hyperopt, or this package, pickled (with pickle or cloudpickle, as
    `trials_save_file` does). Hyperopt need not be installed.

    Args:
        path: the file.
        trust: names of packages whose classes may be loaded too, because your results hold them:
            `load_trials(path, trust=["sklearn"])`. Loading them can run their code.

    Raises:
        InvalidArgument: the file cannot be read, holds no trials, or names something that is
            neither a known class of data nor trusted. Nothing of it was run.
    """
    try:
        loaded = loads(Path(path).read_bytes(), trust)
    except InvalidArgument:
        raise
    except Exception as error:
        raise InvalidArgument(
            f"{path} cannot be read as a pickle of trials ({type(error).__name__}: {error})"
        ) from error
    if isinstance(loaded, (list, tuple)) and all(isinstance(doc, dict) for doc in loaded):
        return trials_from_docs(loaded)
    if not isinstance(loaded, Trials):
        raise InvalidArgument(f"{path} holds no trials but a {type(loaded).__name__}")
    return loaded


def loads(data: bytes, trust: Iterable[str] | None) -> Any:
    """Unpickle, with Hyperopt's trials as ours; `trust` None is everything."""
    unpickler = _Unpickler(io.BytesIO(data), trust)
    loaded = unpickler.load()
    return _trials(loaded.state) if isinstance(loaded, unpickler.stand_in) else loaded


def _trials(state: dict[str, Any]) -> Trials:
    trials = Trials()
    trials.__setstate__(state)
    return trials


class _Unpickler(pickle.Unpickler):
    """Gives a pickle copies and stand-ins to work with, never an object of this process that it
    could change.
    """

    def __init__(self, file: Any, trust: Iterable[str] | None) -> None:
        super().__init__(file)
        self._trust = None if trust is None else tuple(trust)
        self.stand_in: type[_StandIn] = type("StandIn", (_StandIn,), {})

    def find_class(self, module: str, name: str) -> Any:
        """The class behind a name in the file, if it may be loaded."""
        module = _PYTHON_2.get(module, module)
        if (module, name) in _TRIALS:
            return self.stand_in
        if module.startswith("bson") and name == "SON":
            return dict
        if function := _FUNCTIONS.get((module, name)):
            return lambda *arguments: function(*arguments)
        if self._trust is None or (module, name) in _DATA or self._trusts(module):
            return super().find_class(module, name)
        raise InvalidArgument(
            f"the file names {module}.{name}, which could run code and is not loaded. If you trust "
            f"the file, and its results hold such objects: load_trials(path, "
            f"trust=[{module.partition('.')[0]!r}])"
        )

    def _trusts(self, module: str) -> bool:
        return any(f"{module}.".startswith(f"{package}.") for package in self._trust or ())


class _StandIn:
    """Takes the state of a pickled `Trials`, and does nothing."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _latin_1(text: str, encoding: str) -> bytes:
    """Bytes, as pickle protocols below 3 hold them."""
    return text.encode("latin-1")


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> Any:
    """An array, as protocol 5 holds it."""
    return np.frombuffer(content, dtype).reshape(shape, order=order)


def _reconstructor(kind: type, base: type, state: Any) -> Any:
    """An object, as protocols below 2 hold it."""
    return object.__new__(kind) if base is object else base.__new__(kind, state)


_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("_codecs", "encode"): _latin_1,
    ("copyreg", "_reconstructor"): _reconstructor,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
}
