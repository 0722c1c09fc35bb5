"""Files that torch.save wrote before PyTorch 1.6: five pickles in a row, then the raw storages.

The pickles are a magic number, the protocol's version, facts about the machine, the content, and
the keys of the storages in file order. Each storage is its number of values (8 bytes) and these.
"""

from __future__ import annotations

from model_heritage_backend.errors import InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.file_tensors import FileWeights
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.names import quote
from model_heritage_backend.weights.open_file import OpenFile
from model_heritage_backend.weights.pickled_globals import build_storage
from model_heritage_backend.weights.pickled_values import PickledObject, Storage
from model_heritage_backend.weights.state_dict import find_state_dict
from model_heritage_backend.weights.torch_tensors import StoredBytes, bind_tensors, find_width
from model_heritage_backend.weights.unpickler import CutOff, read_pickles

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
MAGIC = b"\x8a\x0a" + MAGIC_NUMBER.to_bytes(10, "little") + b"."
VERSION = 1001
PICKLES = 5
COUNT_BYTES = 8
FIRST_PIECE = 1 << 18
GROWTH = 4


def is_torch_legacy(head: bytes) -> bool:
    """The magic number as a pickle of protocol 2 or 3, or framed by protocol 4 or 5."""
    return head.startswith(b"\x80") and MAGIC in head[: len(MAGIC) + 11]


def open_torch_legacy(file: OpenFile, limits: Limits) -> FileWeights:
    """Describe the tensors of the file's state dict; nothing in the file runs, no values are read.

    Raises
    ------
    UnsupportedFormat
        When the file is of an unknown version or big-endian, or has values that cannot be read.
    InvalidWeights
        When it is damaged, contradicts itself, exceeds a limit or holds more than weights.
    """
    storages = _Storages()
    (magic, version, machine, content, keys), end = _read_pickles(file, storages, limits)
    if magic != MAGIC_NUMBER or version != VERSION:
        raise UnsupportedFormat("This PyTorch file is of an unknown version.")
    if isinstance(machine, PickledObject) and ("little_endian", False) in machine.list_pairs():
        raise UnsupportedFormat("This PyTorch file was written on a big-endian machine.")
    stored = _locate_storages(file, keys, storages, end)
    described = find_state_dict(content, limits)
    return bind_tensors(file, described, stored, limits, format="torch-legacy")


class _Storages:
    """The storages that the content refers to, by key: their types tell how long they are."""

    def __init__(self) -> None:
        self.by_key: dict[str, Storage] = {}

    def load(self, identity: object) -> object:
        found = build_storage(identity)
        if isinstance(found, Storage):
            first = self.by_key.setdefault(found.key, found)
            if (first.type, first.count) != (found.type, found.count):
                raise InvalidWeights("The file describes stored values in two ways.")
        return found


def _read_pickles(file: OpenFile, storages: _Storages, limits: Limits) -> tuple[list[object], int]:
    """The five pickles and where they end: nothing tells it but they, so ever more is read."""
    size = FIRST_PIECE
    while True:
        size = min(size, file.size, limits.pickle_bytes)
        try:
            return read_pickles(file.read_bytes(0, size), PICKLES, limits, load=storages.load)
        except CutOff:
            if size == file.size:
                raise
            if size == limits.pickle_bytes:
                raise InvalidWeights(
                    "The description of the weights in this file has more than "
                    f"{limits.pickle_bytes:,} bytes."
                ) from None
            size *= GROWTH


def _locate_storages(
    file: OpenFile, keys: object, storages: _Storages, place: int
) -> dict[str, StoredBytes]:
    """Where the values of each storage lie, which must fill the file from ``place`` to its end."""
    if not isinstance(keys, list):
        raise InvalidWeights("The file does not list its stored values.")
    stored: dict[str, StoredBytes] = {}
    for key in keys:
        storage = storages.by_key.get(key) if isinstance(key, str) else None
        if storage is None or storage.key in stored:
            raise InvalidWeights("The file lists stored values that nothing refers to, or twice.")
        count = int.from_bytes(file.read_bytes(place, COUNT_BYTES), "little")
        if count != storage.count:
            raise InvalidWeights(
                f"The stored values {quote(storage.key)} have another size than the file says."
            )
        size = count * find_width(storage.type)
        place += COUNT_BYTES
        if place + size > file.size:
            raise InvalidWeights("The file is cut off within its stored values.")
        stored[storage.key] = StoredBytes(offset=place, size=size)
        place += size
    if place != file.size:
        raise InvalidWeights(f"The file has {file.size - place:,} bytes after its last values.")
    return stored
