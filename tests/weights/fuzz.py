"""Mutated checkpoints: whatever comes in, only our own errors come out, soon and in little memory.

``python -m tests.weights.fuzz --mutations 1000000 --seed 1`` runs many; the tests run a few.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import struct
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from safetensors.torch import save

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.weights import Limits
from model_heritage_backend.weights.formats import parse_weights
from tests.weights.exploits import list_places, text, wrap_legacy, wrap_zip
from tests.weights.gguf_samples import Kind, write_gguf
from tests.weights.samples import build_safetensors

SLOWEST_SECONDS = 2.0
MOST_GROWTH_KB = 300_000
Build = Callable[[bytes], bytes]

NUMBERS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
PICKLE_TOKENS = (
    *(bytes([code]) for code in b"()RQbcstu0.ae]}KMJGX2hjqr1oiN\x81\x85\x86\x87\x92\x93\x94\x95"),
    b"ctorch\nSize\n", b"ctorch._utils\n_rebuild_parameter\n", b"ccollections\nOrderedDict\n",
    b"ctorch._tensor\n_rebuild_from_type_v2\n", b"ctorch._utils\n_rebuild_tensor_v3\n",
    b"\x8b\xff\xff\xff\x7f", b"\x96" + b"\xff" * 8, b"cos\nsystem\n", b"h\0", b"h\1", b"h\2",
)  # fmt: skip
NAMES = (
    b"PK\1\2",
    b"PK\3\4",
    b"PK\5\6",
    b".npy",
    b"GGUF",
    b"descr",
    b"'<f4'",
    b"(2, 32)",
    b"\0" * 8,
)
JSON_TOKENS = (
    *(bytes([symbol]) for symbol in b'{}[]:,"\\0123456789-.eE \n'),
    b'"dtype"', b'"shape"', b'"data_offsets"', b'"__metadata__"', b'"F32"', b'"BF16"', b"[0,0]",
    b"\\ud800", b"18446744073709551616", b"true", b"null",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Original:
    """A valid file: ``build(part)`` is the file, and ``part`` what is worth mutating of it."""

    part: bytes
    build: Build
    tokens: tuple[bytes, ...]


@dataclass
class Report:
    """What came of the mutations."""

    verdicts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    seconds: float = 0.0
    growth_kb: int = 0


def list_originals() -> list[Original]:
    tensors = {
        "layer.0.weight": torch.arange(12.0).reshape(3, 4),
        "layer.0.bias": torch.ones(3, dtype=torch.bfloat16),
        "é": torch.ones(2, dtype=torch.bool),
    }
    whole = save(tensors, metadata={"format": "pt"})
    length = 8 + int.from_bytes(whole[:8], "little")
    originals = [
        Original(
            part=whole[8:length],
            build=lambda part: build_safetensors(part, whole[length:]),
            tokens=JSON_TOKENS,
        ),
        Original(part=whole, build=bytes, tokens=JSON_TOKENS),
    ]
    for content in list_places(text("0")).values():
        originals += [
            Original(part=content, build=wrap_zip, tokens=PICKLE_TOKENS),
            Original(part=content, build=wrap_legacy, tokens=PICKLE_TOKENS),
        ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pt"
        for content in (tensors, {"model": tensors, "lr": 0.1, "size": torch.Size([1])}):
            for modern in (True, False):
                torch.save(content, path, _use_new_zipfile_serialization=modern)
                originals.append(
                    Original(part=path.read_bytes(), build=bytes, tokens=PICKLE_TOKENS)
                )
        arrays = {"a": np.arange(64, dtype=np.float32).reshape(2, 32), "b": np.ones(3)}
        np.savez(path.with_suffix(".npz"), **arrays)
        np.savez_compressed(path.with_suffix(".small.npz"), **arrays)
        write_gguf(path.with_suffix(".gguf"), arrays, kinds=Kind.Q8_0, strings={"a.b": "c"})
        with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("m/model-00001-of-00001.safetensors", whole)
            archive.writestr("m/README.md", "---\nlicense: mit\n---\n")
        for ending in (".npz", ".small.npz", ".gguf", ".zip"):
            content = path.with_suffix(ending).read_bytes()
            originals.append(Original(part=content, build=bytes, tokens=NAMES))
    return originals


def mutate(original: Original, others: list[Original], random_: random.Random) -> bytes:
    """The part with one to six changes."""
    part = bytearray(original.part)
    for _ in range(random_.choice((1, 1, 1, 2, 6))):
        at = random_.randrange(len(part) + 1)
        end = at + random_.choice((1, 2, 4, 8, 16, 64))
        match random_.randrange(8):
            case 0 if at < len(part):
                part[at] ^= 1 << random_.randrange(8)
            case 1 if at < len(part):
                part[at] = random_.randrange(256)
            case 2:
                part[at:at] = random_.choice(original.tokens)
            case 3:
                part[at:end] = b""
            case 4:
                part[at:at] = part[at:end] * random_.choice((1, 1, 2, 50))
            case 5:
                other = random_.choice(others).part
                start = random_.randrange(len(other))
                part[at:end] = other[start : start + end - at]
            case 6:
                width, form = random_.choice(((1, "<B"), (2, "<H"), (4, "<I"), (8, "<Q")))
                number = random_.choice(NUMBERS) % 2 ** (8 * width)
                part[at : at + width] = struct.pack(form, number)
            case _:
                part[at:end] = random_.choice(original.tokens)
    return bytes(part)


def attempt(path: Path) -> str:
    """Read everything, as a caller would, and say what came of it."""
    try:
        with parse_weights(path, limits=Limits()) as weights:
            for tensor in weights.values():
                for _ in tensor.iterate_raw(1 << 16):
                    pass
    except HeritageError as error:
        assert str(path) not in error.detail, error.detail
        assert len(error.detail) < 600, error.detail
        return type(error).__name__
    return "read"


def run(mutations: int, seed: int) -> Report:
    """Mutate and read; an AssertionError or a foreign error names the mutation's number."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"took more than {SLOWEST_SECONDS} s")

    originals = list_originals()
    report = Report()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    former = signal.signal(signal.SIGVTALRM, stop)
    begin = time.monotonic()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        path = Path(folder) / "mutated"
        for number in range(mutations):
            random_ = random.Random(f"{seed} {number}")
            original = random_.choice(originals)
            path.write_bytes(original.build(mutate(original, originals, random_)))
            signal.setitimer(signal.ITIMER_VIRTUAL, SLOWEST_SECONDS)
            start = time.process_time()
            try:
                report.verdicts[attempt(path)] += 1
            except Exception as error:
                error.add_note(f"mutation {number} of seed {seed}")
                raise
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            report.slowest = max(report.slowest, time.process_time() - start)
            report.growth_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            assert report.growth_kb < MOST_GROWTH_KB, f"mutation {number} of seed {seed}"
    signal.signal(signal.SIGVTALRM, former)
    report.seconds = time.monotonic() - begin
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report = run(options.mutations, options.seed)
    rate = options.mutations / report.seconds
    print(f"{options.mutations:,} mutations in {report.seconds:.0f} s ({rate:.0f} per second)")
    print(", ".join(f"{name} {count:,}" for name, count in report.verdicts.most_common()))
    print(f"slowest {report.slowest:.3f} s, memory grew by {report.growth_kb / 1000:.0f} MB")


if __name__ == "__main__":
    main()
