"""numpy arrays and scalars built from their description in a pickle.

numpy's `__setstate__` is never called, because it trusts sizes, flags and pointers in the file.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from sparktune.hyperopt._pickle_checks import Charge, Unfinished, require

_SPEC = re.compile(r"b1|[iu][1248]|f[248]|c8|c16|O8?|[SUV]\d{1,9}|[mM]8")
_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as")


def dtype(charge: Charge, spec: Any, align: Any = False, copy: Any = True) -> Unfinished:
    require(type(spec) is str and bool(_SPEC.fullmatch(spec)), "an unknown dtype")
    return Unfinished(lambda state: _finished_dtype(spec, state))


def _finished_dtype(spec: str, state: Any) -> np.dtype[Any]:
    require(type(state) is tuple and len(state) in (8, 9), "a dtype with an invalid state")
    _version, order, sub, names, fields, *_ = state
    require(type(order) is str and order in ("<", ">", "=", "|"), "an unknown byte order")
    if sub is not None:
        base, shape = sub
        return np.dtype((_plain(base), _shape(shape)))
    if names is not None:
        return _structured(int(spec[1:]), names, fields)
    if spec[0] in "mM":
        unit, count = state[8][1][:2]
        unit = unit.decode("ascii") if type(unit) is bytes else unit
        require(type(unit) is str and unit in (*_UNITS, "generic"), "an unknown unit of time")
        require(type(count) is int and 0 < count < 2**31, "an unknown unit of time")
        spec = "M8" if spec[0] == "M" else "m8"
        spec = spec if unit == "generic" else f"{spec}[{count}{unit}]"
    return np.dtype("O" if spec[0] == "O" else f"{order.strip('|')}{spec}")


def _structured(size: int, names: Any, fields: Any) -> np.dtype[Any]:
    require(type(names) is tuple and type(fields) is dict, "a structured dtype without field names")
    require(all(type(name) is str for name in names), "a structured dtype without field names")
    kinds = [fields[name][0] for name in names]
    offsets = [fields[name][1] for name in names]
    for kind, offset in zip(kinds, offsets, strict=True):
        _plain(kind if kind.subdtype is None else kind.subdtype[0])
        inside = type(offset) is int and 0 <= offset <= size - kind.itemsize
        require(inside, "a field outside of its record")
    layout = {"names": list(names), "formats": kinds, "offsets": offsets, "itemsize": size}
    return np.dtype(layout)  # type: ignore[call-overload, no-any-return]


def _plain(dtype: Any) -> np.dtype[Any]:
    good = isinstance(dtype, np.dtype) and dtype.names is None and dtype.subdtype is None
    require(good and not dtype.hasobject, "a dtype that is not a plain one")
    return dtype  # type: ignore[no-any-return]


def _shape(shape: Any) -> tuple[int, ...]:
    shape = (shape,) if type(shape) is int else shape
    sizes = type(shape) is tuple and all(type(n) is int and n >= 0 for n in shape)
    require(sizes and len(shape) <= 32, "an array with an invalid shape")
    return shape  # type: ignore[no-any-return]


def reconstruct(charge: Charge, kind: Any, shape: Any = None, code: Any = None) -> Unfinished:
    require(kind is np.ndarray, "an array of an unknown class")

    def finish(state: Any) -> Any:
        require(type(state) is tuple and len(state) in (4, 5), "an array with an invalid state")
        shape, dtype, fortran, content = state[-4:]
        return _array(charge, shape, dtype, bool(fortran), content)

    return Unfinished(finish)


def _array(charge: Charge, shape: Any, dtype: Any, fortran: bool, content: Any) -> Any:
    """Return a new array that owns its memory."""
    shape, order = _shape(shape), "F" if fortran else "C"
    require(isinstance(dtype, np.dtype), "an array without a dtype")
    size = math.prod(shape)
    charge(size * max(dtype.itemsize, 1))
    if dtype.hasobject:
        require(type(content) is list and len(content) == size, "an array of the wrong length")
        array = np.empty(size, dtype=object)
        for i, item in enumerate(content):
            array[i] = item
        return np.array(array.reshape(shape), order=order)  # type: ignore[call-overload]
    require(type(content) in (bytes, bytearray), "an array whose content is not bytes")
    require(len(content) == size * dtype.itemsize, "an array of the wrong length")
    if not content:
        return np.zeros(shape, dtype, order=order)  # type: ignore[call-overload]
    # Copy the bytes. A copy of the array would have undefined bytes in the gaps between columns.
    array = np.frombuffer(bytearray(content), dtype).reshape(shape, order=order)  # type: ignore[call-overload]
    _sound(array)
    return array


def _sound(array: Any) -> None:
    """Refuse strings and booleans whose bytes are invalid, because numpy does not check them."""
    if array.dtype.names is not None:
        for name in array.dtype.names:
            _sound(array[name])
    elif array.dtype.kind == "b":
        require(bool((array.view(np.uint8) <= 1).all()), "a boolean that is neither 0 nor 1")
    elif array.dtype.kind == "U" and array.dtype.itemsize:
        wide = np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
        codes = np.ascontiguousarray(array).reshape(-1).view(wide)
        require(bool((codes <= 0x10FFFF).all()), "a string with invalid characters")


def from_buffer(charge: Charge, content: Any, dtype: Any, shape: Any, order: Any) -> Any:
    """Return an array as protocol 5 describes it."""
    require(not (isinstance(dtype, np.dtype) and dtype.hasobject), "Python objects given as bytes")
    return _array(charge, shape, dtype, order == "F", content)


def scalar(charge: Charge, dtype: Any, content: Any) -> Any:
    require(not (isinstance(dtype, np.dtype) and dtype.hasobject), "a Python object given as bytes")
    return _array(charge, (1,), dtype, False, content)[0]
