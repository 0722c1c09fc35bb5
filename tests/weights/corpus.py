"""Hundreds of small checkpoints, odd but valid or hostile, each with the verdict it must get."""

from __future__ import annotations

import argparse
import io
import pickle
import random
import struct
import zipfile
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from tests.weights.exploits import PROTOCOL, refer, tensor, text, wrap_legacy, wrap_zip
from tests.weights.samples import COMMON_TYPES, build_safetensors, build_torch_zip, make_tensor

HEADER = b'{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}'


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file; ``reason`` is a piece of its refusal, or None where it must be accepted."""

    name: str
    data: bytes
    reason: str | None = None


def build_corpus(seed: int) -> list[Case]:
    """The same cases for the same seed."""
    return [
        *_draw_valid(random.Random(seed), 120),
        *_odd_contents(),
        *_odd_pickles(),
        *_truncated(random.Random(seed), 12),
        *_broken_headers(),
        *_broken_zips(),
        *_broken_views(),
        *_bombs(),
        *_other_files(),
    ]


def _save(content: object, *, modern: bool = True, protocol: int = 2) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=modern, pickle_protocol=protocol)
    return buffer.getvalue()


def _draw_valid(random_: random.Random, count: int) -> Iterator[Case]:
    """Random types, shapes, sharing and containers, in every format."""
    for number in range(count):
        tensors = {"floating": torch.ones(2, 3)}
        for _ in range(random_.randrange(6)):
            shape = tuple(random_.choice((0, 1, 2, 5)) for _ in range(random_.randrange(5)))
            values = make_tensor(random_.choice(COMMON_TYPES), shape)
            name = random_.choice(("layer.0.weight", "é.weight", "模型", "a b", "x" * 900, "."))
            tensors[name + str(len(tensors))] = values
            if len(shape) > 1 and random_.random() < 0.5:
                tensors["turned" + str(len(tensors))] = values.transpose(0, -1)
        kind = random_.choice(("safetensors", "zip", "legacy"))
        if kind == "safetensors":
            data = save({k: t.contiguous().clone() for k, t in tensors.items()})
        else:
            place = random_.choice((None, "model", "state_dict", "ema", "module"))
            content = {place: tensors, "epoch": number} if place else tensors
            data = _save(content, modern=kind == "zip", protocol=random_.randrange(2, 6))
        yield Case(name=f"valid {number}, {kind}", data=data)


def _odd_contents() -> Iterator[Case]:
    weights = OrderedDict({"w.weight": torch.ones(3, 4), "w.bias": torch.zeros(4)})
    nan = torch.tensor([float("nan"), float("inf"), -0.0, 1e-45, 3e38])
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(model.parameters())
    averaged = torch.optim.swa_utils.AveragedModel(model)
    contents = {
        "arguments": {"model": weights, "args": argparse.Namespace(lr=0.1, path=Path("x"))},
        "numpy": {"model": weights, "score": np.float32(0.5), "history": np.arange(3)},
        "containers": {"model": weights, "log": defaultdict(list, a=[1]), "seen": {1, 2}},
        "sizes": {"model": weights, "size": torch.Size([1, 2]), "device": torch.device("cpu")},
        "lightning": {
            "state_dict": {f"model.{k}": v for k, v in weights.items()},
            "callbacks": {"best": {"score": torch.ones(1)}}, "hyper_parameters": {"a": {"b": 1}},
            "optimizer_states": [optimizer.state_dict()], "lr_schedulers": [],
        },
        "timm": {"state_dict": weights, "state_dict_ema": weights, "optimizer": {"state": {}}},
        "deepspeed": {"module": weights, "optimizer": None, "param_shapes": [weights]},
        "two networks": {"generator": weights, "discriminator": weights, "g_optim": weights},
        "nested": {"model": {"language_model": {"encoder": weights, "head": dict(weights)}}},
        "training": {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1},
        "averaged": averaged.state_dict(),
        "not finite": {"w": nan},
        "zero": {"w": torch.zeros(3, 3)},
        "one value": {"w": torch.ones(())},
        "expanded": {"w": torch.ones(1).expand(4, 4), "v": torch.ones(100)},
        "tied": {"a": weights["w.weight"], "b": weights["w.weight"], "c": weights["w.weight"].T},
        "complex": {"w": torch.ones(2, 2, dtype=torch.complex64), "v": torch.ones(2)},
        "parameters": {"w": torch.nn.Parameter(torch.ones(2)), "b": torch.nn.Buffer(torch.ones(2))},
        "other keys": {"w": torch.ones(2), 1: torch.ones(1), (1, 2): 3, None: "x"},
        "deep list": {"model": weights, "x": [[[[[[[]]]]]]]},
        "long name": {"n" * 1024: torch.ones(1)},
    }  # fmt: skip
    for name, content in contents.items():
        for modern in (True, False):
            yield Case(name=f"{name}, {modern=}", data=_save(content, modern=modern))
    refused = {
        "optimizer alone": (optimizer.state_dict(), "no mapping"),
        "a tensor": (torch.ones(2), "no mapping"),
        "a list": ([torch.ones(2)], "no mapping"),
        "integers": ({"w": torch.arange(3)}, "no floating point values"),
        "empty": ({}, "no mapping"),
        "a module": (torch.nn.Linear(2, 2), "whole model object"),
        "a longer name": ({"n" * 1025: torch.ones(1)}, "longer than 1024"),
        "NUL": ({"n\0": torch.ones(1)}, "control characters"),
        "meta": ({"w": torch.empty(2, device="meta")}, "without values"),
    }
    for name, (content, reason) in refused.items():
        for modern in (True, False):
            yield Case(name=f"{name}, {modern=}", data=_save(content, modern=modern), reason=reason)


def _odd_pickles() -> Iterator[Case]:
    item = text("w") + tensor() + b"s"
    valid = {
        "memo of everything": b"}q\0" + text("w") + tensor() + b"q\1sh\0",
        "the same key beside": b"}" + item + text("n") + b"K\1s" + text("n") + b"K\2s",
        "long numbers": b"}" + item + text("n") + b"\x8b\x09\0\0\0" + b"\xff" * 9 + b"s",
        "a list that holds itself": b"}" + item + text("n") + b"]q\1h\1as",
        "a mapping that holds itself": b"}q\1" + item + text("model") + b"h\1s",
        "marks": b"(0}" + item,
    }
    hostile = {
        "an endless number": (b"}" + text("n") + b"\x8b\xff\xff\xff\x7f", "cut off|too long"),
        "a number of 65 bytes": (b"\x8a\x41" + b"\1" * 65, "too long"),
        "text of 2^60 bytes": (b"\x8d" + struct.pack("<Q", 2**60), "cut off"),
        "a bytearray of 2^60 bytes": (b"\x96" + struct.pack("<Q", 2**60), "cut off"),
        "a memo of 2^32": (b"Nr\xff\xff\xff\xff", "far beyond"),
        "memo before it is there": (b"h\7", "was not there"),
        "marks without end": (b"(" * 5000, "nested too deeply"),
        "the same tensor twice": (b"}" + item * 2, "twice"),
        "buffers": (b"\x97", "unknown instruction"),
        "extensions": (b"\x82\1", "unknown instruction"),
        "a call of a number": (b"K\1)R", "no function"),
        "an unknown class": (refer("my_models", "Net") + b")R", "'my_models.Net'"),
        "a tensor of nothing": (refer("torch._utils", "_rebuild_tensor_v2") + b")R", "not use"),
        "a key of a storage": (b"}" + text("w") + tensor(key=text("k" * 2000)) + b"s", "not use"),
        "another storage": (b"}" + text("w") + tensor(key=text("1")) + b"s", "missing|refers to"),
    }
    for kind, wrap in (("zip", wrap_zip), ("legacy", wrap_legacy)):
        for name, body in valid.items():
            yield Case(name=f"{name}, {kind}", data=wrap(PROTOCOL + body + b"."))
        for name, (body, reason) in hostile.items():
            data = wrap(PROTOCOL + body + b".")
            yield Case(name=f"{name}, {kind}", data=data, reason=reason)


def _truncated(random_: random.Random, count: int) -> Iterator[Case]:
    tensors = {"a": torch.ones(3, 4), "b": torch.arange(5, dtype=torch.int16)}
    for kind, data in (
        ("safetensors", save(tensors)),
        ("zip", _save(tensors)),
        ("legacy", _save(tensors, modern=False)),
    ):
        for length in sorted(random_.sample(range(len(data)), count)):
            yield Case(name=f"{kind} cut at {length}", data=data[:length], reason="")
        yield Case(name=f"{kind} and a byte", data=data + b"x", reason="after|follows its end")


def _broken_headers() -> Iterator[Case]:
    values = bytes(24)
    yield Case(name="blanks after a header", data=build_safetensors(HEADER + b"   ", values))
    for old, new, reason in (
        (b"F32", b"F99", "unknown dtype"),
        (b"[2,3]", b"[2,4]", "room for 24"),
        (b"[2,3]", b"[-2,-3]", "whole number"),
        (b"[2,3]", b"[4294967296,4294967296,4294967296]", "far too many"),
        (b"[0,24]", b"[0,9223372036854775808]", "beyond 2"),
        (b"[0,24]", b"[24,0]", "begin <= end"),
        (b'"a"', b'"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a"', "twice"),
        (b'"a"', b'"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a"', "overlaps"),
        (b"}}", b"}", "expected"),
        (b"}}", b"}}}", "follows"),
        (b'"a"', b'"\\ud800"', "UTF-8"),
        (b'"a"', b'"a\\u0000"', "control characters"),
        (b"{", b"[" * 100_000, ""),
    ):
        data = build_safetensors(HEADER.replace(old, new, 1), values)
        yield Case(name=f"header with {new[:20]!r}", data=data, reason=reason)
    for length in (2**63, 2**40, 100_000_001):
        data = build_safetensors(HEADER, values, length=length)
        yield Case(name=f"header of {length}", data=data, reason="are allowed")


def _broken_zips() -> Iterator[Case]:
    content = PROTOCOL + b"}" + text("w") + tensor() + b"s."
    values = {"data/0": struct.pack("<2f", 1, 2)}
    good = build_torch_zip(content, values)
    deflated = build_torch_zip(content, values, compression=zipfile.ZIP_DEFLATED)
    yield Case(name="stored", data=good)
    yield Case(name="deflated", data=deflated, reason="compressed")
    first = good.index(b"PK\1\2")
    second = good.index(b"PK\1\2", first + 4)
    edits = {
        "encrypted": (first + 8, b"\1\0", "compressed or encrypted"),
        "two records in one place": (second + 42, good[first + 42 : first + 46], "overlaps"),
        "a record beyond the end": (second + 42, b"\xf0\xff\xff\x7f", "ends before|overlaps"),
        "a larger record": (second + 20, struct.pack("<2L", 9, 9), "another size|overlaps"),
        "a huge record": (second + 20, struct.pack("<2L", 2**31, 2**31), "overlaps|another size"),
        "another name": (good.index(b"x/data/0"), b"x/data/1", "another name"),
        "another name in the directory": (second + 46, b"x/data/1", "another name"),
        "the same name": (second + 46, b"x/data.p", ""),
        "more entries": (len(good) - 14, b"\xff\0\xff\0", ""),
        "a directory elsewhere": (len(good) - 6, b"\1\0\0\0", "where it should be"),
    }
    for name, (place, new, reason) in edits.items():
        data = good[:place] + new + good[place + len(new) :]
        yield Case(name=name, data=data, reason=reason)
    short = build_torch_zip(content, {"data/0": bytes(4)})
    yield Case(name="a short storage", data=short, reason="another size")
    yield Case(name="no storage", data=build_torch_zip(content, {}), reason="missing")
    script = build_torch_zip(content, values | {"constants.pkl": b""})
    yield Case(name="a script", data=script, reason="TorchScript")
    big = build_torch_zip(content, values | {"byteorder": b"big"})
    yield Case(name="big-endian", data=big, reason="big-endian")


def _view(offset: int, shape: tuple[int, ...], strides: tuple[int, ...], count: int) -> bytes:
    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    def number(value: int) -> bytes:
        return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)

    identity = text("storage") + refer("torch", "FloatStorage") + text("0") + text("cpu")
    storage = b"(" + identity + number(count) + b"tQ"
    view = number(offset) + numbers(shape) + numbers(strides)
    return refer("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + view + b"\x89}tR"


def _broken_views() -> Iterator[Case]:
    count = 1 << 18
    values = {"data/0": bytes(4 * count)}

    def file(*views: tuple[int, tuple[int, ...], tuple[int, ...]]) -> bytes:
        items = (text(f"w{n}") + _view(*view, count) + b"s" for n, view in enumerate(views))
        return build_torch_zip(PROTOCOL + b"}" + b"".join(items) + b".", values)

    for name, views, reason in (
        ("whole", [(0, (count,), (1,))], None),
        ("sparse", [(0, (60, 2), (4096, 1))], None),
        ("repeated", [(0, (4, 4), (0, 1))], None),
        ("a little overlap", [(0, (9, 9), (2, 3))], None),
        ("one beyond", [(1, (count,), (1,))], "reaches beyond"),
        ("a huge stride", [(0, (2,), (2**62,))], "reaches beyond"),
        ("negative", [(0, (2,), (-1,))], "not a size"),
        ("2^80 values", [(0, (2**40, 2**40), (0, 0))], "more values"),
        ("repeated too often", [(0, (2**40,), (0,))], "far more than"),
        ("overlapping", [(0, (2,) * 20, (10_000,) * 20)], "overlap each other"),
        ("many sparse", [(n, (60, 2), (4096, 1)) for n in range(100)], "are spread over"),
        ("many whole", [(0, (1, count - n), (0, 1)) for n in range(20)], "far more than"),
    ):
        yield Case(name=f"view: {name}", data=file(*views), reason=reason)


def _bombs() -> Iterator[Case]:
    nested = b"N" + b"\x85" * 100_000
    chain = (
        refer("torch._tensor", "_rebuild_from_type_v2")
        + b"q\0h\0N)\x87"
        + b"q\1h\0Nh\1\x87" * 50_000
    )
    pairs = refer("collections", "OrderedDict") + b"q\0]q\1(" + b"NN\x86" * 20_000 + b"e"
    facts = b"}q\7(" + b"NN" * 50_000 + b"u0}" + text("w") + tensor(hooks=b"}h\7")[:-2] + b"tRs"
    doubled = b"}q\0" + text("w") + b"Ns"
    doubled += b"".join(
        b"0}q" + bytes([n]) + b"".join(text(k) + b"h" + bytes([n - 1]) + b"s" for k in "ab")
        for n in range(1, 30)
    )
    for name, body, reason in (
        ("nested tuples", nested, "no mapping"),
        ("nested mappings", b"}" * 100_000 + b"b" * 99_999, "no mapping"),
        ("tensors in tensors", chain + b"h\0h\1R", "not use"),
        ("one list for many", pairs + b"h\0h\1\x85R" * 50_000, "repeats its parts"),
        ("facts for many", facts, "not use"),
        ("doubled references", doubled, "no mapping"),
        ("names", b"".join(b"ctorch.nn\nA%d\n0" % n for n in range(100_001)), "more than 100,000"),
    ):
        for kind, wrap in (("zip", wrap_zip), ("legacy", wrap_legacy)):
            data = wrap(PROTOCOL + body + b".")
            # The old format finds out first that its storage is not referred to.
            also = f"{reason}|nothing refers to" if kind == "legacy" else reason
            yield Case(name=f"bomb: {name}, {kind}", data=data, reason=also)


def _other_files() -> Iterator[Case]:
    for name, data, reason in (
        ("nothing", b"", "is empty"),
        ("a pickle", pickle.dumps({"w": 1}), "Python pickle"),
        ("zeros", bytes(500), "unknown kind"),
        ("a web page", b"<!doctype html><p>404", "web page"),
        ("a pointer", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("the oldest format", b"sys_info" + bytes(504), "tar format"),
    ):
        yield Case(name=name, data=data, reason=reason)
