"""The pickle machine: plain values come out as they went in; nothing runs; costs are bounded."""

from __future__ import annotations

import os
import pickle
import runpy
import struct
import subprocess
import time
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights import Limits, open_weights
from model_heritage_backend.weights.pickled_values import PickledObject
from model_heritage_backend.weights.unpickler import read_pickle
from tests.processor_time import spent_less
from tests.weights.samples import build_torch_zip, save_torch


def as_plain(value: object) -> object:
    """Our inert mappings as dicts, so that they can be compared."""
    if isinstance(value, PickledObject):
        return {as_plain(k): as_plain(v) for k, v in value.list_pairs()}
    if isinstance(value, list):
        return [as_plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(as_plain(item) for item in value)
    return value


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_out_as_they_went_in(protocol: int) -> None:
    shared = [1, 2]
    content = {
        "numbers": [0, 255, 256, 65536, -1, 2**31, -(2**70), 1.5, float("inf"), True, False, None],
        "text": ["", "é", "a" * 300, "line" if protocol == 0 else "li\nne"],
        "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
        "nested": {"a": {"b": [{}]}},
        "shared": [shared, shared],
        7: "seven",
    }
    if protocol >= 1:
        content["bytes"] = [b"", b"a\0b"] if protocol >= 3 else []
    assert as_plain(read_pickle(pickle.dumps(content, protocol), Limits())) == content


@pytest.mark.parametrize("protocol", range(2, 6))
def test_ordered_dicts_are_mappings(protocol: int) -> None:
    content = OrderedDict(b=1, a=2)
    read = read_pickle(pickle.dumps(content, protocol), Limits())
    assert as_plain(read) == {"b": 1, "a": 2}
    pairs = b"ccollections\nOrderedDict\n(]]X\x01\0\0\0aaK\x01aatR."
    assert as_plain(read_pickle(b"\x80\x02" + pairs, Limits())) == {"a": 1}


def test_sets_and_unknown_keys_are_kept_aside() -> None:
    content = {"s": {1}, "f": frozenset({2}), (1, (2, 3)): 4}
    read = as_plain(read_pickle(pickle.dumps(content, 4), Limits()))
    assert read == {"s": [1], "f": [2], (1, (2, 3)): 4}


class Payload:
    """Pickles as a call of ``function(*arguments)``."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def list_attacks(sentinel: Path) -> list[tuple[str, Payload]]:
    command = f"touch {sentinel}"
    code = f"open({str(sentinel)!r}, 'w').close()"
    return [
        ("posix.system", Payload(os.system, command)),
        ("builtins.exec", Payload(exec, code)),
        ("builtins.eval", Payload(eval, code)),
        ("builtins.open", Payload(open, str(sentinel), "w")),
        ("builtins.getattr", Payload(getattr, os, "system")),
        ("builtins.__import__", Payload(__import__, "os")),
        ("subprocess.check_output", Payload(subprocess.check_output, command, "/bin/sh")),
        ("runpy.run_path", Payload(runpy.run_path, str(sentinel))),
        ("torch.hub.load", Payload(torch.hub.load, "a", "b")),
        ("torch.serialization.load", Payload(torch.load, "a")),
    ]


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("index", range(10))
def test_nothing_in_a_file_runs(tmp_path: Path, index: int, protocol: int) -> None:
    sentinel = tmp_path / "touched"
    name, payload = list_attacks(sentinel)[index]
    if name == "builtins.getattr":
        payload = Payload(getattr, "x", "upper")
    content = {"weights": torch.ones(3), "zz": payload}
    path = tmp_path / "a.pt"
    torch.save(content, path, pickle_protocol=protocol)

    with pytest.raises(InvalidWeights) as caught:
        open_weights(path)

    # Old protocols name some modules as Python 2 did, so only the function's name is sure.
    assert f".{name.rpartition('.')[2]}'" in caught.value.detail
    assert "nothing in it was run" in caught.value.detail
    assert not sentinel.exists()


def test_the_attack_would_have_worked(tmp_path: Path) -> None:
    """Otherwise the test above could not fail."""
    sentinel = tmp_path / "touched"
    pickle.loads(pickle.dumps(list_attacks(sentinel)[0][1]))
    assert sentinel.exists()


class Config:
    pass


def test_classes_of_training_programs_are_refused_by_name(tmp_path: Path) -> None:
    path = save_torch({"w": torch.ones(2), "config": Config()}, tmp_path / "a.pt")
    with pytest.raises(
        InvalidWeights, match=r"'tests\.weights\.test_unpickler\.Config'.*state_dict"
    ):
        open_weights(path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut off"),
        (b"\x80\x09.", "protocol 9"),
        (b".", "where there is none"),
        (b"\xff.", "unknown instruction 0xff"),
        (b"\x82\x01.", "unknown instruction 0x82"),  # the extension registry
        (b"\x97.", "unknown instruction 0x97"),  # buffers outside the file
        (b"Px\n.", "unknown instruction 0x50"),  # persistent ids as text
        (b"K", "cut off"),
        (b"X\xff\xff\xff\x7fabc", "cut off"),
        (b"\x8d" + b"\xff" * 8 + b"abc", "cut off"),
        (b"X\x01\0\0\0\xff.", "UTF-8"),
        (b"\x8a\xff" + b"a" * 255 + b".", "number that is too long"),
        (b"I1x\n.", "number that is none"),
        (b"L" + b"9" * 5000 + b"L\n.", "line is too long"),
        (b"e.", "not opened"),
        (b"h\x05.", "was not there"),
        (b"N" + b"r\xff\xff\xff\xff.", "far beyond its length"),
        (b"Np-1\n.", "no number"),
        (b"K\x01K\x02a.", "no list"),
        (b"]K\x01K\x02s.", "no mapping"),
        (b"}(K\x01u.", "no mapping"),
        (b"K\x01)R.", "no function"),
        (b"ctorch\nSize\nK\x01R.", "no function"),
        (b"K\x01Nb.", "has none"),
        (b"(o.", "calls nothing"),
        (b"K\x01K\x02\x93.", "without a name"),
        (b"K\x01Q.", "in a way that PyTorch does not use"),
        (b"ctorch\nSize\n)R.", "in a way that PyTorch does not use"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n)R.", "in a way that PyTorch does not use"),
        (b"ctorch._utils\n_rebuild_tensor_v3\n)R.", "in a way that PyTorch does not use"),
        (b"ctorch._utils\n_rebuild_parameter\n)R.", "in a way that PyTorch does not use"),
        (b"ctorch._tensor\n_rebuild_from_type_v2\n)R.", "in a way that PyTorch does not use"),
        (b"(ios\nsystem\n.", "'os.system'"),
        (b"(cos\nsystem\no.", "'os.system'"),
    ],
)
def test_damaged_pickles_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidWeights) as caught:
        read_pickle(data, Limits())
    assert reason in caught.value.detail


def test_steps_and_nesting_are_limited() -> None:
    with pytest.raises(InvalidWeights, match="more than 10 steps"):
        read_pickle(b"N" * 11 + b".", Limits(pickle_opcodes=10))
    with pytest.raises(InvalidWeights, match="nested too deeply"):
        read_pickle(b"(" * 2000, Limits())


@pytest.mark.parametrize(
    "unit",
    [b"}", b"]", b"(t", b"N\x85", b"G" + bytes(8), b"N\x94", b"]2a", b"ctorch\nSize\n"],
    ids=["dicts", "lists", "tuples", "nested", "floats", "memo", "cycles", "globals"],
)
def test_hostile_pickles_cost_little(unit: bytes) -> None:
    data = unit * 200_000
    limits = Limits(pickle_opcodes=200_000)
    start = time.process_time()
    with pytest.raises(InvalidWeights):
        read_pickle(data, limits)
    assert spent_less(3, since=start)
    tracemalloc.start()
    with pytest.raises(InvalidWeights):
        read_pickle(data, limits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * limits.pickle_opcodes


def test_doubling_references_cost_nothing(tmp_path: Path) -> None:
    """Thirty mappings, each with the one before at three known places: 3^30 paths."""
    text = [b"X" + struct.pack("<I", len(n)) + n for n in (b"model", b"module", b"net")]
    data = b"\x80\x02}" + b"0" + b"}\x94"
    for level in range(30):
        put = b"r" + struct.pack("<I", level + 1)
        get = b"j" + struct.pack("<I", level)
        data += b"0}" + put + b"".join(name + get + b"s" for name in text)
    path = tmp_path / "a.pt"
    path.write_bytes(build_torch_zip(data + b"."))
    start = time.process_time()
    with pytest.raises(InvalidWeights, match="no mapping"):
        open_weights(path)
    assert spent_less(1, since=start)
