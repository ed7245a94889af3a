"""`load_trials`: reads trials that Hyperopt pickled, without running code in the file."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Iterable, Mapping
from typing import Any

from sparktune.documents import Document
from sparktune.errors import InvalidArgument, SparktuneError
from sparktune.hyperopt._documents import validated
from sparktune.hyperopt._pickle_checks import Refused, State
from sparktune.hyperopt._pickle_machine import Machine
from sparktune.hyperopt._trials import Trials, trials_from_docs
from sparktune.journal.places import Local

_NAMES: dict[tuple[str, str], Any] = {
    ("hyperopt.base", "Trials"): State,
    ("hyperopt.spark", "SparkTrials"): State,
    ("sparktune.hyperopt._trials", "Trials"): State,
    ("sparktune.hyperopt.spark", "SparkTrials"): State,
    ("sparktune.hyperopt._spark", "SparkTrials"): State,  # the former module
}

_STATE: dict[str, Any] = {
    "_ids": set,
    "seeds": set,
    "_exp_key": (str, int),
    "attachments": dict,
    "labels": tuple,
    "stop_reason": str,
}

_LATEST = 2**37  # seconds since the epoch; later times cannot be shown as dates

_HEADER: dict[str, Any] = {
    "objective": str,
    "seed": int,
    "space": str,
    "columns": dict,
    "created": (int, float),
    "options": dict,
}


def load_trials(path: Any, trust: Iterable[str] = ()) -> Any:
    """Read trials from a file that Hyperopt or this package pickled, with pickle or cloudpickle, as
    for `trials_save_file`. Hyperopt need not be installed.

    The file need not be trustworthy. It can contain numbers, strings, times, arrays of plain
    numbers and Python's containers of these; functions that it names are never called.

    Args:
        path: the file.
        trust: names of packages whose classes may be loaded, too, because your results contain
            them: `load_trials(path, trust=["sklearn"])`. Only classes and functions defined in the
            package are loaded, not names that it imports. Loading them can run their code.

    Raises:
        InvalidArgument: the file cannot be read, has no trials, or names something that is neither
            known data nor trusted. No code of the file was run.
        InvalidTrial: the file contains a document that is not a valid trial document.
    """
    packages = _packages(trust)
    try:
        with Local(os.fspath(path)).open() as file:
            content = file.read()
        loaded = loads(content, packages)
        if isinstance(loaded, (list, tuple)) and all(isinstance(doc, dict) for doc in loaded):
            loaded = trials_from_docs(_separate([*loaded]))
    except SparktuneError:
        raise
    except Refused as error:
        raise InvalidArgument(f"{path} cannot be read as a pickle of trials: {error}") from error
    except Exception as error:
        raise InvalidArgument(
            f"{path} cannot be read as a pickle of trials ({type(error).__name__}: {error!s:.300})"
        ) from error
    if not isinstance(loaded, Trials):
        raise InvalidArgument(f"{path} holds a {type(loaded).__name__}, not trials")
    return loaded


def _packages(trust: Any) -> tuple[str, ...]:
    listed = isinstance(trust, Iterable) and not isinstance(trust, (str, Mapping))
    packages = tuple(trust) if listed else ()
    if not listed or not all(isinstance(name, str) and name for name in packages):
        raise InvalidArgument(f'trust must be a list of names, as in ["sklearn"], got {trust!r}')
    return packages


def loads(data: bytes, trust: tuple[str, ...] = ()) -> Any:
    """Unpickle data without running code of the file. Hyperopt's trials become sparktune's.

    Raises:
        Exception: it is not a valid pickle, or contains objects that are not supported.
    """
    loaded = Machine(data, _NAMES, trust).load()
    return _trials(loaded.content) if isinstance(loaded, State) else loaded


def loads_own(data: bytes) -> Any:
    """Unpickle a file that the user trusts. Hyperopt's trials become sparktune's. If `loads` cannot
    read the file, Python's unpickler does, which can run code that the file names.
    """
    try:
        return loads(data)
    except Exception:
        loaded = _Unpickler(io.BytesIO(data)).load()
    if not isinstance(loaded, _TrialsState):
        return loaded
    trials = Trials()
    trials.__setstate__(loaded.content or {})
    return trials


class _TrialsState(State):
    """Stores the state that Python's unpickler sets."""

    def __setstate__(self, state: Any) -> None:
        self.content = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return the class for a name in the file."""
        return _TrialsState if (module, name) in _NAMES else super().find_class(module, name)


def _separate(docs: list[Any]) -> list[Document]:
    """Return the documents after checking them. Documents that share their parameters can be much
    larger than the file in all, so sharing is refused before the documents are validated.

    Raises:
        InvalidArgument: two documents share their parameters.
        InvalidTrial: a document is not valid.
    """
    miscs = [misc for doc in docs if isinstance(misc := _part(doc, "misc"), dict)]
    for parts in (miscs, *([_part(misc, key) for misc in miscs] for key in ("vals", "idxs"))):
        filled = [id(part) for part in parts if part]
        if len(set(filled)) < len(filled):
            raise InvalidArgument("the file holds documents that share their parameters")
    return [validated(doc) for doc in docs]


def _part(whole: Any, key: str) -> Any:
    return whole.get(key) if isinstance(whole, dict) else None


def _trials(state: dict[str, Any] | None) -> Trials:
    """Return trials made from a pickled state. Unknown parts and parts of a wrong type are ignored.

    Raises:
        InvalidArgument: there are no documents, or two of them share their parameters.
        InvalidTrial: a document is not valid.
    """
    state = state or {}
    if not isinstance(state.get("_dynamic_trials"), list):
        raise InvalidArgument("the file holds trials without documents")
    known = {key: state[key] for key, kinds in _STATE.items() if isinstance(state.get(key), kinds)}
    known["_dynamic_trials"] = _separate(state["_dynamic_trials"])
    known["labels"] = tuple(label for label in known.get("labels", ()) if isinstance(label, str))
    given = known.get("attachments", {}).items()
    known["attachments"] = {name: value for name, value in given if isinstance(name, str)}
    known["header"] = _header(state.get("header"))
    trials = Trials()
    trials.__setstate__(known)
    return trials


def _header(given: Any) -> dict[str, Any] | None:
    """Return a pickled header, or None if it is not valid."""
    if not isinstance(given, dict) or given.keys() != _HEADER.keys():
        return None
    texts = [*given["columns"].items()] if isinstance(given["columns"], dict) else [(None, None)]
    known = all(isinstance(given[key], kinds) for key, kinds in _HEADER.items())
    known = known and all(isinstance(text, str) for pair in texts for text in pair)
    known = known and all(isinstance(each, (list, tuple)) for each in given["options"].values())
    known = known and 0 <= given["created"] < _LATEST
    return given if known else None
