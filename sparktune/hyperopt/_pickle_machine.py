"""An interpreter of pickles that does not run code of the file.

A pickle is a program. It names functions, calls them with arguments of its choice, and may change
objects that it built before. This interpreter follows it opcode by opcode. It builds lists, dicts,
strings and numbers itself; all other objects come from `_pickle_parts`, or from packages that the
user trusts.

The amount that a program may copy is limited by its length, so that a short file cannot fill the
memory.
"""

from __future__ import annotations

import pickletools
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

import numpy as np

from sparktune.hyperopt._depth import check_depth, dismantle
from sparktune.hyperopt._pickle_checks import (
    LONGEST,
    Charge,
    Named,
    State,
    Unfinished,
    hashable,
    require,
)
from sparktune.hyperopt._pickle_parts import MAKERS, NAMES
from sparktune.hyperopt._pickle_trust import Trusted, give, reconstructed

_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # of pickle protocols below 3
_RECONSTRUCTOR, _NEW = Named("copyreg._reconstructor"), Named("copyreg.__newobj__")


class Machine:
    """Builds the object that a pickle describes.

    Args:
        data: the pickle.
        names: objects to use for names in the file, in addition to `NAMES`.
        trust: packages whose classes and functions the file may use, which can run their code.
    """

    def __init__(
        self, data: bytes, names: dict[tuple[str, str], Any], trust: tuple[str, ...]
    ) -> None:
        self._data, self._trusted = data, Trusted(trust)
        self._names = {**NAMES, **names}
        self._names["copyreg", "_reconstructor"] = _RECONSTRUCTOR
        self._names["copyreg", "__newobj__"] = _NEW
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._fragile: list[Any] = []  # containers that Python frees by recursion
        self._charge = Charge(4 * len(data) + 2**16)

    def load(self) -> Any:
        """Return the object that the pickle describes.

        Raises:
            InvalidArgument: the file names something that is neither data nor trusted.
            Exception: the file is not a valid pickle; the type of the exception varies.
        """
        try:
            for opcode, argument, _ in pickletools.genops(self._data):
                if opcode.name == "STOP":
                    break
                step = _STEPS.get(opcode.name)
                require(step is not None, f"it has the unsupported opcode {opcode.name}")
                step(self, argument)  # type: ignore[misc]
            loaded = self._pop()
            check_depth(loaded.content if isinstance(loaded, State) else loaded)
        except BaseException:
            dismantle(self._fragile)
            raise
        return loaded

    # The stack

    def _pop(self) -> Any:
        value = self._stack.pop()
        require(not isinstance(value, Unfinished), "an object lacks its state")
        return value

    def _items(self) -> list[Any]:
        """Pop the values that were pushed since the last mark."""
        items, self._stack = self._stack, self._marked.pop()
        require(
            not any(isinstance(item, Unfinished) for item in items), "an object lacks its state"
        )
        return items

    def push(self, value: Any) -> None:
        """Push a value on the stack."""
        if type(value) is int:
            require(value.bit_length() <= LONGEST, "an integer of more than 4,000 digits")
        self._stack.append(value)

    def mark(self, _: Any) -> None:
        """Push a mark."""
        self._marked.append(self._stack)
        self._stack = []

    def pop(self, _: Any) -> None:
        """Remove the top of the stack, a value or a mark."""
        if self._stack:
            self._stack.pop()
        else:
            self._stack = self._marked.pop()

    def pop_mark(self, _: Any) -> None:
        """Remove the values that were pushed since the last mark."""
        self._items()

    def get(self, key: Any) -> None:
        """Push a value from the memo."""
        value = self._memo[int(key)]
        require(
            not isinstance(value, Unfinished), "an object refers to itself before it is complete"
        )
        self._stack.append(value)

    def put(self, key: Any) -> None:
        """Store the top of the stack in the memo."""
        key = len(self._memo) if key is None else int(key)
        self._memo[key] = self._stack[-1]
        if isinstance(self._stack[-1], Unfinished):
            self._stack[-1].keys.append(key)

    # Containers

    def tuple_of(self, n: int) -> None:
        """Replace the top n values by a tuple of them."""
        values = [self._pop() for _ in range(n)]
        self._stack.append(tuple(reversed(values)))

    def collect(self, kind: Callable[[list[Any]], Any]) -> None:
        """Push a container of the values that were pushed since the last mark."""
        items = self._items()
        if kind is frozenset:
            items = [hashable(item, self._charge) for item in items]
        self._stack.append(kind(items))

    def dict_of(self, _: Any) -> None:
        """Push a dict of the alternating keys and values that were pushed since the last mark."""
        items = self._items()
        self._stack.append({})
        self.set_items(items)

    def append(self, items: list[Any]) -> None:
        """Append items to the list on top of the stack."""
        target = self._stack[-1]
        plain = type(target) in (list, deque)
        require(plain or self._trusted.made(target), "items for an object that is not a list")
        for item in items:
            target.append(item)

    def set_items(self, items: list[Any]) -> None:
        """Set alternating keys and values in the dict on top of the stack."""
        target = self._stack[-1]
        plain = type(target) in (dict, OrderedDict, defaultdict)
        require(plain or self._trusted.made(target), "items for an object that is not a dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[hashable(key, self._charge)] = value

    def add_items(self, items: list[Any]) -> None:
        """Add items to the set on top of the stack."""
        target = self._stack[-1]
        require(
            type(target) is set or self._trusted.made(target),
            "items for an object that is not a set",
        )
        for item in items:
            target.add(hashable(item, self._charge))

    # Names, calls, states

    def find(self, module: Any, name: Any) -> None:
        """Push the object for a name in the file."""
        require(type(module) is str and type(name) is str, "a name that is not a string")
        module = _PYTHON_2.get(module, module)
        found = self._names.get((module, name))
        self._stack.append(self._trusted.find(module, name) if found is None else found)

    def call(self, _: Any) -> None:
        """Call a function with a tuple of arguments."""
        arguments, function = self._pop(), self._pop()
        require(type(arguments) is tuple, "a call whose arguments are not a tuple")
        if function is _RECONSTRUCTOR:
            kind, base, state = arguments  # an object in protocols 0 and 1
            if kind in self._trusted:
                self._stack.append(reconstructed(kind, base, state))
            else:
                self._stack.append(self._made(kind, () if base is object else (state,)))
        elif function is _NEW:
            self._stack.append(self._new(*arguments))
        else:
            self._stack.append(self._made(function, arguments))

    def _made(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        if function is State:
            return State()
        if function in self._trusted:
            return function(*arguments)
        if arguments and function is NAMES["numpy.core.multiarray", "_reconstruct"]:
            kind = arguments[0]  # a trusted subclass of ndarray sets its own state
            if kind in self._trusted and issubclass(kind, np.ndarray):
                return np.empty((0,), np.int8).view(kind)
        maker = MAKERS.get(function) if isinstance(function, (type, Named)) else None
        require(maker is not None, "a call of an object that is not a function")
        return self._noted(maker(self._charge, *arguments))  # type: ignore[misc]

    def _noted(self, made: Any) -> Any:
        if isinstance(made, (deque, defaultdict, np.ndarray)):
            self._fragile.append(made)
        return made

    def new(self, arguments: Any, named: Any = None) -> None:
        """Push an object that is made without calling its `__init__`."""
        require(type(arguments) is tuple, "an object whose arguments are not a tuple")
        self._stack.append(self._new(self._pop(), *arguments, **(named or {})))

    def new_with_names(self, _: Any) -> None:
        """Push an object that is made with keyword arguments, without calling its `__init__`."""
        named, arguments = self._pop(), self._pop()
        require(type(named) is dict, "keyword arguments that are not a dict")
        self.new(arguments, named)

    def _new(self, kind: Any, *arguments: Any, **named: Any) -> Any:
        if kind in self._trusted and isinstance(kind, type):
            return kind.__new__(kind, *arguments, **named)
        require(not named, "keyword arguments")
        return self._made(kind, arguments)

    def build(self, _: Any) -> None:
        """Set the state of the object on top of the stack."""
        state, target = self._pop(), self._stack[-1]
        if isinstance(target, Unfinished):
            self._stack[-1] = value = self._noted(target.finish(state))
            self._memo.update(dict.fromkeys(target.keys, value))
        elif isinstance(target, State):
            require(type(state) is dict and target.content is None, "trials with an invalid state")
            target.content = state
        elif self._trusted.made(target):
            give(target, state)
        else:  # the only plain object with a state is bson's SON, whose state repeats its keys
            require(
                type(target) is dict and type(state) is dict, "a state for an object that has none"
            )


_Step = Callable[[Machine, Any], None]
_STEPS: dict[str, _Step] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, _: None),
    **dict.fromkeys(
        (
            *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
            *("FLOAT", "BINFLOAT", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
            *("STRING", "BINSTRING", "SHORT_BINSTRING"),
            *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
        ),
        Machine.push,
    ),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "MARK": Machine.mark,
    "POP": Machine.pop,
    "POP_MARK": Machine.pop_mark,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine.get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), Machine.put),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "TUPLE": lambda machine, _: machine.collect(tuple),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "LIST": lambda machine, _: machine.collect(list),
    "DICT": Machine.dict_of,
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_SET": lambda machine, _: machine.push(set()),
    "FROZENSET": lambda machine, _: machine.collect(frozenset),
    "APPEND": lambda machine, _: machine.append([machine._pop()]),
    "APPENDS": lambda machine, _: machine.append(machine._items()),
    "SETITEM": lambda machine, _: machine.set_items([machine._pop(), machine._pop()][::-1]),
    "SETITEMS": lambda machine, _: machine.set_items(machine._items()),
    "ADDITEMS": lambda machine, _: machine.add_items(machine._items()),
    "GLOBAL": lambda machine, names: machine.find(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.find(*[machine._pop(), machine._pop()][::-1]),
    "REDUCE": Machine.call,
    "NEWOBJ": lambda machine, _: machine.new(machine._pop()),
    "NEWOBJ_EX": Machine.new_with_names,
    "BUILD": Machine.build,
}
