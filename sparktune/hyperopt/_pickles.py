"""Reading trials that Hyperopt pickled, without running anything that is in the file.

Unpickling can call any function that a file names. Here only classes on the lists below are
resolved, which hold data and do nothing; every other name is refused.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.hyperopt._trials import Trials
from sparktune.trials import Trials as CoreTrials

_TRIALS = {
    *((f"{package}.base", "Trials") for package in ("hyperopt", "sparktune.hyperopt")),
    *((f"{package}.spark", "SparkTrials") for package in ("hyperopt", "sparktune.hyperopt")),
    ("sparktune.hyperopt._trials", "Trials"),
    ("sparktune.hyperopt._spark", "SparkTrials"),
}
_DATA = {
    *(("builtins", name) for name in ("set", "frozenset", "complex", "bytearray", "range")),
    *(("collections", name) for name in ("OrderedDict", "deque", "defaultdict")),
    *(("datetime", name) for name in ("datetime", "date", "timedelta", "timezone")),
    *(("copyreg", name) for name in ("_reconstructor",)),
    *(("builtins", name) for name in ("object", "dict", "list", "int", "float")),
    *(("numpy", name) for name in ("ndarray", "dtype")),
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    ("sparktune.trial", "Trial"),
    ("sparktune.trial", "Failure"),
    ("sparktune.trial", "Status"),
    *(("sparktune.trials", name) for name in ("Trials", "SparkTrials", "ThreadTrials")),
    ("uuid", "UUID"),
}


def load_trials(path: Any, trust: Iterable[str] = ()) -> Any:
    """Trials from a file that Hyperopt, or sparktune, pickled (with pickle or cloudpickle, as
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
        trials = Trials()
        trials.insert_trial_docs(loaded)
        trials.refresh()
        return trials
    if not isinstance(loaded, CoreTrials):
        raise InvalidArgument(f"{path} holds no trials but a {type(loaded).__name__}")
    return loaded


def loads(data: bytes, trust: Iterable[str] | None) -> Any:
    """Unpickle, with Hyperopt's classes replaced by ours; `trust` None is everything."""
    return _Unpickler(io.BytesIO(data), trust).load()


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, trust: Iterable[str] | None) -> None:
        super().__init__(file)
        self._trust = None if trust is None else tuple(trust)

    def find_class(self, module: str, name: str) -> Any:
        """The class behind a name in the file, if it may be loaded."""
        if (module, name) in _TRIALS:
            return Trials
        if module.startswith("bson") and name == "SON":
            return dict
        if self._trust is None or (module, name) in _DATA or self._trusts(module):
            return super().find_class(module, name)
        raise InvalidArgument(
            f"the file names {module}.{name}, which could run code and is not loaded. If you trust "
            f"the file, and its results hold such objects: load_trials(path, "
            f"trust=[{module.partition('.')[0]!r}])"
        )

    def _trusts(self, module: str) -> bool:
        return any(f"{module}.".startswith(f"{package}.") for package in self._trust or ())
