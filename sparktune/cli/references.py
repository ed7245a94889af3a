"""References of a study file to Python objects: `module:name` or `path/to/file.py:name`."""

from __future__ import annotations

import importlib
import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from sparktune.errors import InvalidArgument
from sparktune.worker import text_of


class References:
    """Finds objects by their references. A file is executed once, even if several references name
    it.
    """

    def __init__(self) -> None:
        self._files: dict[Path, ModuleType] = {}

    def find(self, key: str, reference: str) -> Any:
        """The object that `reference` names, which is the value of `key` in the study file.

        Modules are also found in the working directory, as with `python -m`. The imports of a file
        are also found in its own folder, as with `python file.py`.

        Raises:
            InvalidArgument: there is no such object, or its module raises.
        """
        place, _, name = reference.rpartition(":")
        if not place or not name:
            raise InvalidArgument(
                f"{key} must be module:name or path/to/file.py:name, got {reference!r:.200}"
            )
        found: Any = self._run(key, Path(place)) if place.endswith(".py") else _module(key, place)
        for part in name.split("."):
            found = _attribute(found, part, f"{key}: there is no {name!r:.200} in {place:.200}")
        return found

    def _run(self, key: str, path: Path) -> ModuleType:
        path = path.absolute()
        if path in self._files:
            return self._files[path]
        try:
            there = path.is_file()
        except OSError as error:
            raise InvalidArgument(f"{key}: {path} is not a file: {error.strerror}") from error
        if not there:
            raise InvalidArgument(f"{key}: there is no file {path}")
        _importable(str(path.parent))
        name = f"{path.stem} ({path})"  # cannot be the name of another module
        spec = spec_from_file_location(name, path)
        assert spec is not None  # it is None only for files that are not Python
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # including SystemExit, which would end the command
            raise InvalidArgument(f"{key}: {path} cannot be run: {_reason(error)}") from error
        finally:
            # cloudpickle sends objects by value if their module cannot be imported.
            del sys.modules[name]
        self._files[path] = module
        return module


def _attribute(thing: Any, name: str, what: str) -> Any:
    try:
        return getattr(thing, name)
    except AttributeError as error:
        raise InvalidArgument(what) from error
    except Exception as error:  # raised by the module's own `__getattr__`
        raise InvalidArgument(f"{what}: {_reason(error)}") from error


def _module(key: str, name: str) -> ModuleType:
    _importable("")
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise InvalidArgument(f"{key}: {name} cannot be imported: {_reason(error)}") from error


def _importable(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _reason(error: BaseException) -> str:
    """The message of an exception from a user's file, and the line that raised it."""
    text = f"{type(error).__name__}: {text_of(error)}"
    if isinstance(error, SystemExit):
        text = f"it ends the process with sys.exit({text_of(error)})"
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    if isinstance(error, (SyntaxError, ImportError)) or "importlib" in last.filename:
        return text
    return f"{text} ({last.filename}:{last.lineno})"
