"""Calls objectives that get a budget and a state. Travels to the workers by value."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from collections.abc import Callable, Mapping
from typing import Any

from sparktune.worker import ANEW, STATE, as_number, text_of

LARGEST_STATE = 100 * 2**20  # bytes that travel with a result


def with_budget(
    objective: Callable[..., Any],
    with_state: bool,
    argument: tuple[Any, float, bytes | str | None, str | None],
    **more: Any,
) -> Any:
    """Call an objective with a budget, and maybe with the `state` that the previous evaluation of
    its configuration returned.

    Args:
        objective: called with a configuration, `budget` and `state`.
        with_state: whether it takes a state.
        argument: the configuration; the budget; a state from `kept`, or the path of its file, b""
            if it is lost, None if there is none; the beginning of the path for the next state, or
            None if that travels.
        more: further arguments.
    """
    config, budget, given, path = argument
    if not with_state:
        return objective(config, budget=budget, **more)
    state = _state(given)
    lost = given is not None and state is None
    returned = objective(config, budget=budget, state=state, **more)
    if lost and (loss := as_number(returned)) is not None:
        returned = {"loss": loss, "status": "ok"}
    if not isinstance(returned, Mapping):
        return returned
    result = dict(returned) | ({ANEW: True} if lost else {})
    if result.get("state") is None:
        return result if lost else returned
    return result | {STATE: kept(result.pop("state"), path)}


def _state(given: bytes | str | None) -> Any:
    """The state, or None if it cannot be read: the evaluation then starts over."""
    if given in (None, b""):
        return None
    try:
        if isinstance(given, str):
            with _opened(given, "rb") as file:
                return pickle.load(file)
        return pickle.loads(given)
    except Exception as error:
        _note(f"the state cannot be read, so this trial starts over: {text_of(error)}")
        return None


def kept(state: Any, path: str | None) -> bytes | tuple[str, int]:
    """A pickled state; or, once it stands in a file whose path begins so, the name of the file
    and its size in bytes; "" and its size if it is too large to travel.

    Raises:
        ValueError: it cannot be pickled.
    """
    content = _pickled(state)
    if path is not None:
        try:
            return _written(content, path), len(content)
        except Exception as error:
            _note(f"no state can be written to {path}, so that it travels: {text_of(error)}")
    return content if len(content) <= LARGEST_STATE else ("", len(content))


def _pickled(state: Any) -> bytes:
    try:
        return pickle.dumps(state, pickle.HIGHEST_PROTOCOL)
    except Exception:  # such as classes of a notebook, which no worker can import
        by_value = "pyspark.cloudpickle" if "pyspark" in sys.modules else "cloudpickle"
    try:
        return bytes(importlib.import_module(by_value).dumps(state))
    except Exception as error:
        raise ValueError(
            f"the state cannot be pickled ({text_of(error)}); return one that can, such as arrays, "
            "or the path of a file that you wrote"
        ) from error


def _written(content: bytes, path: str) -> str:
    """Write a new file whose path begins with `path`; return its name. Readers only ever see
    the complete file.
    """
    path = f"{path}-{os.urandom(16).hex()}"
    if "://" in path:  # an object appears when it is complete
        with _opened(path, "wb") as file:
            file.write(content)
        return path.rpartition("/")[2]
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    unfinished = os.path.join(folder, f".{name}.tmp")
    with open(unfinished, "wb") as file:
        file.write(content)
    os.replace(unfinished, path)
    return name


def _opened(path: str, mode: str) -> Any:
    """A file, or an object at a URL."""
    if "://" not in path:
        return open(path, mode)
    import fsspec

    return fsspec.open(path, mode)


def _note(text: str) -> None:
    """Write a line to the log of this trial."""
    print(f"sparktune: {text}", file=sys.stderr)
