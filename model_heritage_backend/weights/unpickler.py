"""A pickle machine that builds inert values only: written here, imports and calls nothing.

Pickle is a small stack language. This machine follows its opcodes (Python's ``pickletools`` lists
them), but a "global" becomes a value of the allow-list, and "calling" one describes a tensor or
keeps the arguments. Steps, nesting and sizes are bounded.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.pickled_globals import build_storage, resolve_global
from model_heritage_backend.weights.pickled_values import (
    Global,
    PickledObject,
    TensorDescription,
    UnreadableTensor,
)

LONGEST_INTEGER = 64
LONGEST_LINE = 4096
NEWEST_PROTOCOL = 5
BROKEN = "The description of the weights in this file is not valid"


class CutOff(InvalidWeights):
    """The pickle needs more bytes than there are."""


def read_pickle(data: bytes, limits: Limits) -> object:
    """The inert value that ``data`` describes; what follows it is not looked at.

    Raises
    ------
    InvalidWeights
        When the pickle is damaged, exceeds a limit, or refers to anything but weights.
    """
    return read_pickles(data, 1, limits)[0][0]


def read_pickles(
    data: bytes,
    count: int,
    limits: Limits,
    *,
    load: Callable[[object], object] = build_storage,
) -> tuple[list[object], int]:
    """The inert values of ``count`` pickles in a row, and the place where the last one ends.

    Parameters
    ----------
    data : from the first byte of the first pickle on
    limits : the steps of all pickles together are limited
    load : makes what stands for a persistent id

    Raises
    ------
    CutOff
        When the data ends before the last pickle.
    InvalidWeights
        When a pickle is damaged, exceeds a limit, or refers to anything but weights.
    """
    values: list[object] = []
    machine = _Machine(data, 0, limits, load)
    for _ in range(limits.pickle_opcodes):
        opcode = machine.take_byte()
        if opcode == STOP:
            values.append(machine.pop())
            if len(values) == count:
                return values, machine.place
            machine = _Machine(data, machine.place, limits, load)
            continue
        step = STEPS.get(opcode)
        if step is None:
            raise _broken(f"it uses the unknown instruction 0x{opcode:02x}")
        step(machine)
    raise _broken(f"it takes more than {limits.pickle_opcodes:,} steps")


class _Machine:
    """Stack, marks, memo and position."""

    def __init__(
        self, data: bytes, place: int, limits: Limits, load: Callable[[object], object]
    ) -> None:
        self.place = place
        self._data = data
        self._limits = limits
        self._load = load
        self._names = 0
        self._copied = 0
        self._stack: list[object] = []
        self._marked: list[list[object]] = []
        self._memo: dict[int, object] = {}

    # Reading the instruction stream

    def take_byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        piece = self._data[self.place : self.place + count]
        if len(piece) != count:
            raise CutOff(f"{BROKEN}: it is cut off.")
        self.place += count
        return piece

    def take_size(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def take_line(self) -> str:
        return decode(self.take_raw_line())

    def take_raw_line(self) -> bytes:
        end = self._data.find(b"\n", self.place, self.place + LONGEST_LINE)
        if end < 0 and len(self._data) - self.place < LONGEST_LINE:
            raise CutOff(f"{BROKEN}: it is cut off.")
        if end < 0:
            raise _broken("a line is too long")
        line = self.take(end - self.place)
        self.place += 1
        return line

    # The stack

    def push(self, value: object) -> None:
        self._stack.append(value)

    def pop(self) -> object:
        if not self._stack:
            raise _broken("it takes a value where there is none")
        return self._stack.pop()

    def top(self) -> object:
        if not self._stack:
            raise _broken("it takes a value where there is none")
        return self._stack[-1]

    def mark(self) -> None:
        if len(self._marked) >= self._limits.pickle_marks:
            raise _broken("it is nested too deeply")
        self._marked.append(self._stack)
        self._stack = []

    def pop_mark(self) -> list[object]:
        if not self._marked:
            raise _broken("it closes a list that was not opened")
        values = self._stack
        self._stack = self._marked.pop()
        return values

    # Compound steps

    def remember(self, index: int) -> None:
        # A writer numbers its values from zero; a larger number would only make the table sparse.
        if index > self._limits.pickle_opcodes:
            raise _broken("it numbers a value far beyond its length")
        self._memo[index] = self.top()

    def remember_next(self) -> None:
        self.remember(len(self._memo))

    def recall(self, index: int) -> None:
        if index not in self._memo:
            raise _broken("it refers to a value that was not there")
        self.push(self._memo[index])

    def push_tuple(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(values)))

    def append(self, values: list[object]) -> None:
        target = self.top()
        if isinstance(target, list):
            target.extend(values)
        elif not isinstance(target, PickledObject):
            raise _broken("it appends to something that is no list")

    def set_items(self, values: list[object]) -> None:
        target = self.top()
        if not isinstance(target, PickledObject) or len(values) % 2:
            raise _broken("it sets items of something that is no mapping")
        for key, value in zip(values[::2], values[1::2], strict=True):
            target.set_item(key, value)

    def push_dict(self) -> None:
        values = self.pop_mark()
        self.push(PickledObject("dict"))
        self.set_items(values)

    def push_global(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise _broken("it refers to an object without a name")
        self._names += 1
        if self._names > self._limits.pickle_names:
            raise _broken(f"it names more than {self._limits.pickle_names:,} Python objects")
        self.push(resolve_global(module, name))

    def call(self, function: object, arguments: object) -> None:
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            raise _broken("it calls something that is no function")
        # A mapping copies the list that it is made from, which others may be made from as well.
        self._copied += len(arguments[0]) if arguments and isinstance(arguments[0], list) else 0
        if self._copied > self._limits.pickle_opcodes // 4:
            raise _broken("it repeats its parts too often")
        self.push(function.build(arguments))

    def call_marked(self) -> None:
        values = self.pop_mark()
        if not values:
            raise _broken("it calls nothing")
        self.call(values[0], tuple(values[1:]))

    def load_persistent(self) -> None:
        self.push(self._load(self.pop()))

    def build(self) -> None:
        state, target = self.pop(), self.top()
        if isinstance(target, PickledObject):
            target.state = state
        elif not isinstance(target, TensorDescription | UnreadableTensor):
            raise _broken("it gives a state to something that has none")

    def push_integer(self, text: bytes) -> None:
        if len(text) > LONGEST_INTEGER:
            raise _broken("it holds a number that is too long")
        self.push(int.from_bytes(text, "little", signed=True))

    def push_number_line(self, kind: Callable[[str], object]) -> None:
        line = self.take_line().removesuffix("L")
        try:
            # Protocol 0 writes the truth values as the integers 01 and 00.
            self.push({"01": True, "00": False}[line] if line in ("01", "00") else kind(line))
        except ValueError:
            raise _broken("it holds a number that is none") from None

    def push_text_line(self) -> None:
        try:
            self.push(self.take_raw_line().decode("raw-unicode-escape"))
        except UnicodeDecodeError:
            raise _broken("it holds text that is not valid") from None

    def push_quoted_line(self) -> None:
        # Escapes stay as written: nothing that is needed from such old files uses them.
        self.push(self.take_line().strip("'\""))

    def discard(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self.pop_mark()

    def check_protocol(self) -> None:
        protocol = self.take_byte()
        if protocol > NEWEST_PROTOCOL:
            raise _broken(f"it is written in the unknown protocol {protocol}")


def decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise _broken("it holds text that is not valid UTF-8") from None


def _broken(reason: str) -> InvalidWeights:
    return InvalidWeights(f"{BROKEN}: {reason}.")


def _swapped(machine: _Machine, act: Callable[[object, object], None]) -> None:
    """Act on the two topmost values, the lower one first."""
    upper = machine.pop()
    act(machine.pop(), upper)


def _call_with_keywords(machine: _Machine) -> None:
    machine.pop()
    _swapped(machine, machine.call)


def _instance(machine: _Machine) -> None:
    values = machine.pop_mark()
    machine.push_global(machine.take_line(), machine.take_line())
    machine.call(machine.pop(), tuple(values))


def _set_item(machine: _Machine) -> None:
    value = machine.pop()
    machine.set_items([machine.pop(), value])


STOP = ord(".")
Step = Callable[[_Machine], object]
_BY_SYMBOL: dict[str, Step] = {
    # constants
    "N": lambda m: m.push(None),
    "\x88": lambda m: m.push(True),
    "\x89": lambda m: m.push(False),
    # numbers
    "I": lambda m: m.push_number_line(int),
    "L": lambda m: m.push_number_line(int),
    "F": lambda m: m.push_number_line(float),
    "J": lambda m: m.push_integer(m.take(4)),
    "K": lambda m: m.push(m.take_byte()),
    "M": lambda m: m.push(m.take_size(2)),
    "\x8a": lambda m: m.push_integer(m.take(m.take_size(1))),
    "\x8b": lambda m: m.push_integer(m.take(m.take_size(4))),
    "G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
    # text and bytes; the byte strings of Python 2 are text
    "S": lambda m: m.push_quoted_line(),
    "V": lambda m: m.push_text_line(),
    "T": lambda m: m.push(m.take(m.take_size(4)).decode("latin-1")),
    "U": lambda m: m.push(m.take(m.take_size(1)).decode("latin-1")),
    "X": lambda m: m.push(decode(m.take(m.take_size(4)))),
    "\x8c": lambda m: m.push(decode(m.take(m.take_size(1)))),
    "\x8d": lambda m: m.push(decode(m.take(m.take_size(8)))),
    "B": lambda m: m.push(m.take(m.take_size(4))),
    "C": lambda m: m.push(m.take(m.take_size(1))),
    "\x8e": lambda m: m.push(m.take(m.take_size(8))),
    "\x96": lambda m: m.push(m.take(m.take_size(8))),
    # containers; sets are lists, as nothing here needs them
    "]": lambda m: m.push([]),
    "l": lambda m: m.push(m.pop_mark()),
    "a": lambda m: m.append([m.pop()]),
    "e": lambda m: m.append(m.pop_mark()),
    ")": lambda m: m.push(()),
    "t": lambda m: m.push(tuple(m.pop_mark())),
    "\x85": lambda m: m.push_tuple(1),
    "\x86": lambda m: m.push_tuple(2),
    "\x87": lambda m: m.push_tuple(3),
    "}": lambda m: m.push(PickledObject("dict")),
    "d": lambda m: m.push_dict(),
    "s": _set_item,
    "u": lambda m: m.set_items(m.pop_mark()),
    "\x8f": lambda m: m.push([]),
    "\x90": lambda m: m.append(m.pop_mark()),
    "\x91": lambda m: m.push(m.pop_mark()),
    # stack and memo
    "(": lambda m: m.mark(),
    "0": lambda m: m.discard(),
    "1": lambda m: m.pop_mark(),
    "2": lambda m: m.push(m.top()),
    "g": lambda m: m.recall(_index(m.take_line())),
    "h": lambda m: m.recall(m.take_size(1)),
    "j": lambda m: m.recall(m.take_size(4)),
    "p": lambda m: m.remember(_index(m.take_line())),
    "q": lambda m: m.remember(m.take_size(1)),
    "r": lambda m: m.remember(m.take_size(4)),
    "\x94": lambda m: m.remember_next(),
    # objects
    "c": lambda m: m.push_global(m.take_line(), m.take_line()),
    "\x93": lambda m: _swapped(m, m.push_global),
    "R": lambda m: _swapped(m, m.call),
    "\x81": lambda m: _swapped(m, m.call),
    "\x92": _call_with_keywords,
    "o": lambda m: m.call_marked(),
    "i": _instance,
    "b": lambda m: m.build(),
    "Q": lambda m: m.load_persistent(),
    # framing
    "\x80": lambda m: m.check_protocol(),
    "\x95": lambda m: m.take(8),
}
STEPS: dict[int, Step] = {ord(symbol): step for symbol, step in _BY_SYMBOL.items()}


def _index(line: str) -> int:
    if not line.isascii() or not line.isdigit() or len(line) > 9:
        raise _broken("it numbers a value with something that is no number")
    return int(line)
