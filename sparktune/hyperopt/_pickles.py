"""Reading trials that Hyperopt pickled, without running anything that is in the file."""

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
    ("sparktune.hyperopt._spark", "SparkTrials"): State,  # its place before
}

_STATE: dict[str, Any] = {
    "_ids": set,
    "seeds": set,
    "_exp_key": (str, int),
    "attachments": dict,
    "labels": tuple,
    "stop_reason": str,
}

_LATEST = 2**37  # seconds since the epoch that a date can show

_HEADER: dict[str, Any] = {
    "objective": str,
    "seed": int,
    "space": str,
    "columns": dict,
    "created": (int, float),
    "options": dict,
}


def load_trials(path: Any, trust: Iterable[str] = ()) -> Any:
    """Trials from a file that Hyperopt, or this package, pickled (with pickle or cloudpickle, as
    `trials_save_file` does). Hyperopt need not be installed.

    The file may come from a stranger: only numbers, texts, times, arrays of plain numbers and
    Python's containers of these are made of it, and no function that it names is called.

    Args:
        path: the file.
        trust: names of packages whose classes may be loaded too, because your results hold them:
            `load_trials(path, trust=["sklearn"])`. Only classes and functions that are defined in
            the package count, not what it imports. Loading them can run their code.

    Raises:
        InvalidArgument: the file cannot be read, holds no trials, or names something that is
            neither known data nor trusted. Nothing of it was run.
        InvalidTrial: it holds a document that is not one of a trial.
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
    """What a pickle holds, with Hyperopt's trials as ours; nothing of it runs.

    Raises:
        Exception: it is not a pickle, or holds more than that.
    """
    loaded = Machine(data, _NAMES, trust).load()
    return _trials(loaded.content) if isinstance(loaded, State) else loaded


def loads_own(data: bytes) -> Any:
    """What a pickle of the user's own holds, with Hyperopt's trials as ours. Code that it names
    runs, if it holds more than `loads` reads.
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
    """Takes the state of trials from Python's own unpickler."""

    def __setstate__(self, state: Any) -> None:
        self.content = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The class behind a name in the file."""
        return _TrialsState if (module, name) in _NAMES else super().find_class(module, name)


def _separate(docs: list[Any]) -> list[Document]:
    """The documents, if they are valid and none shares its parameters with another: many that do
    are far more than the file is long, so this is found out before anybody looks at all of them.

    Raises:
        InvalidArgument: two do.
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
    """Trials of the parts of a pickled state that are known, each of its right type."""
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
    """A header as it is kept; None if it is not one."""
    if not isinstance(given, dict) or given.keys() != _HEADER.keys():
        return None
    texts = [*given["columns"].items()] if isinstance(given["columns"], dict) else [(None, None)]
    known = all(isinstance(given[key], kinds) for key, kinds in _HEADER.items())
    known = known and all(isinstance(text, str) for pair in texts for text in pair)
    known = known and all(isinstance(each, (list, tuple)) for each in given["options"].values())
    known = known and 0 <= given["created"] < _LATEST
    return given if known else None
