"""Python objects that a study file names: `module:name` or `path/to/file.py:name`."""

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
    """Finds objects by their references. A file is run once, however many objects are taken from
    it.
    """

    def __init__(self) -> None:
        self._files: dict[Path, ModuleType] = {}

    def find(self, key: str, reference: str) -> Any:
        """The object behind `reference`, which the study file has at `key`.

        Modules are looked for in the working directory too, as by `python -m`, and what a file
        imports in its own folder, as by `python file.py`.

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
        name = f"{path.stem} ({path})"  # no module that exists has such a name
        spec = spec_from_file_location(name, path)
        assert spec is not None  # only for names of files that are not Python
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also of sys.exit(0), which would end the command
            raise InvalidArgument(f"{key}: {path} cannot be run: {_reason(error)}") from error
        finally:
            # What is in no importable module travels to the workers by value.
            del sys.modules[name]
        self._files[path] = module
        return module


def _attribute(thing: Any, name: str, what: str) -> Any:
    try:
        return getattr(thing, name)
    except AttributeError as error:
        raise InvalidArgument(what) from error
    except Exception as error:  # of the module's own `__getattr__`
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
    """An exception of a user's file, and where it was raised."""
    text = f"{type(error).__name__}: {text_of(error)}"
    if isinstance(error, SystemExit):
        text = f"it ends the process with sys.exit({text_of(error)})"
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    if isinstance(error, (SyntaxError, ImportError)) or "importlib" in last.filename:
        return text
    return f"{text} ({last.filename}:{last.lineno})"
