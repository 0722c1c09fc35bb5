"""Headers of GGUF files: everything announced is checked before it is believed."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from model_heritage_backend.errors import HeritageError, InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights import Limits, open_weights
from tests.processor_time import spent_less
from tests.weights.gguf_samples import build_gguf, entry, string, tensor

HUGE = 2**64 - 1
U32 = struct.Struct("<I")
U64 = struct.Struct("<Q")
FOUR = tensor("a", [4])


def listed(kind: int, count: int, data: bytes = b"") -> bytes:
    return U32.pack(kind) + U64.pack(count) + data


HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing after the magic": (b"GGUF", "cut off"),
    "version 1": (build_gguf(version=1), "version 1; versions 2 and 3"),
    "version 0": (build_gguf(version=0), "version 0"),
    "version 4": (build_gguf(version=4), "version 4"),
    "big-endian": (build_gguf(version=3 << 24), "big-endian"),
    "no tensors": (build_gguf(), "no floating point values"),
    "too many tensors": (build_gguf(counts=(HUGE, 0)), "more than 100,000 tensors"),
    "too many entries": (build_gguf(counts=(0, HUGE)), "more than 10,000 entries"),
    "more tensors than bytes": (build_gguf(counts=(50_000, 0)), "more than the file can hold"),
    "fewer entries than told": (build_gguf([FOUR], counts=(1, 1), data=bytes(64)), "GGUF"),
    "a key as long as the file": (build_gguf([], [U64.pack(HUGE) + bytes(60)]), "a key is longer"),
    "a key that is no text": (build_gguf([], [entry(b"\xff", 4, bytes(4))]), "UTF-8"),
    "a key of control characters": (build_gguf([], [entry("a\n", 4, bytes(4))]), "control"),
    "a key twice": (build_gguf([], [entry("a", 4, bytes(4))] * 2), "'a' twice"),
    "an unknown type": (build_gguf([], [entry("a", 13, bytes(8))]), "unknown type 13"),
    "a long string": (build_gguf([], [entry("a", 8, U64.pack(HUGE))]), "cut off"),
    "a string of no text": (build_gguf([], [entry("a", 8, string(b"\xff"))]), "not valid UTF-8"),
    "a long list": (build_gguf([], [entry("a", 9, listed(4, HUGE))]), "cut off"),
    "a list of an unknown type": (build_gguf([], [entry("a", 9, listed(99, 1))]), "unknown type"),
    "a long list of strings": (
        build_gguf([], [entry("a", 9, listed(8, HUGE))]),
        "too many strings",
    ),
    "a list of strings beyond the file": (
        build_gguf([], [entry("a", 9, listed(8, 1000))]),
        "cut off",
    ),
    "a listed string beyond the file": (
        build_gguf([], [entry("a", 9, listed(8, 2, U64.pack(HUGE) + bytes(16)))]),
        "cut off",
    ),
    "lists within lists": (
        build_gguf([], [entry("a", 9, listed(9, 1, listed(9, 1)) * 100)]),
        "lists within a list",
    ),
    "alignment 0": (
        build_gguf([FOUR], [entry("general.alignment", 4, U32.pack(0))], bytes(64)),
        "power of two",
    ),
    "alignment 3": (
        build_gguf([FOUR], [entry("general.alignment", 4, U32.pack(3))], bytes(64)),
        "power of two",
    ),
    "alignment beyond the file": (
        build_gguf([FOUR], [entry("general.alignment", 4, U32.pack(1 << 31))], bytes(64)),
        "cut off",
    ),
    "alignment in words": (
        build_gguf([FOUR], [entry("general.alignment", 8, string("32"))], bytes(64)),
        "power of two",
    ),
    "a tensor's long name": (build_gguf([U64.pack(1 << 40) + bytes(60)]), "name is longer"),
    "a tensor's name that is no text": (build_gguf([tensor(b"\xc3", [4])], (), bytes(32)), "UTF-8"),
    "a tensor's name with NUL": (build_gguf([tensor("a\0", [4])], (), bytes(32)), "control"),
    "a tensor twice": (
        build_gguf([FOUR, tensor("a", [4], offset=32)], (), bytes(64)),
        "'a' twice",
    ),
    "a thousand dimensions": (
        build_gguf([string("a") + U32.pack(1000) + bytes(9000)]),
        "more than 32 dimensions",
    ),
    "2^32 dimensions": (
        build_gguf([string("a") + U32.pack(2**32 - 1) + bytes(20)]),
        "more than 32 dimensions",
    ),
    "a dimension of 2^63": (build_gguf([tensor("a", [2**63])], (), bytes(64)), "cut off"),
    "dimensions whose product wraps": (
        build_gguf([tensor("a", [2**33, 2**33, 4])], (), bytes(64)),
        "cut off",
    ),
    "an empty tensor with a huge side": (
        build_gguf([FOUR, tensor("b", [2**60, 0], offset=32)], (), bytes(32)),
        "no values and claims a dimension",
    ),
    "an unknown kind": (build_gguf([tensor("a", [4], 99)], (), bytes(32)), "unknown type 99"),
    "IQ4_XS": (build_gguf([tensor("a", [256], 23)], (), bytes(160)), "IQ4_XS, which cannot"),
    "Q8_K": (build_gguf([tensor("a", [256], 15)], (), bytes(320)), "Q8_K, which cannot"),
    "half a block": (build_gguf([tensor("a", [48], 8)], (), bytes(64)), "blocks of 32 values"),
    "half a block in a row": (
        build_gguf([tensor("a", [16, 2], 8)], (), bytes(64)),
        "blocks of 32 values",
    ),
    "blocks in a scalar": (build_gguf([tensor("a", [], 8)], (), bytes(64)), "blocks of 32 values"),
    "cut off in the values": (build_gguf([FOUR], (), bytes(12)), "'a' reaches beyond"),
    "cut off in blocks": (build_gguf([tensor("a", [32], 8)], (), bytes(33)), "'a' reaches beyond"),
    "an offset of 2^64": (
        build_gguf([tensor("a", [4], offset=HUGE - 31)], (), bytes(64)),
        "nothing describes",
    ),
    "an offset that is not aligned": (
        build_gguf([tensor("a", [4], offset=8)], (), bytes(64)),
        "aligned place",
    ),
    "tensors that overlap": (
        build_gguf([tensor("a", [16]), tensor("b", [4], offset=32)], (), bytes(64)),
        "'b' overlaps another",
    ),
    "tensors at one place": (build_gguf([FOUR, tensor("b", [4])], (), bytes(64)), "overlaps"),
    "a hole": (
        build_gguf([FOUR, tensor("b", [4], offset=64)], (), bytes(96)),
        "nothing describes the bytes before tensor 'b'",
    ),
    "something at the end": (build_gguf([FOUR], (), bytes(33)), "1 bytes after its last tensor"),
    "whole numbers only": (build_gguf([tensor("a", [4], 26)], (), bytes(32)), "no floating point"),
    "one of several parts": (
        build_gguf([FOUR], [entry("split.count", 2, b"\3\0")], bytes(32)),
        "one of 3 parts",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused(tmp_path: Path, case: str) -> None:
    data, reason = HOSTILE[case]
    (tmp_path / "a").write_bytes(data)
    start = time.process_time()
    with pytest.raises((InvalidWeights, UnsupportedFormat)) as caught:
        open_weights(tmp_path / "a")
    assert reason in caught.value.detail
    assert len(caught.value.detail) < 300
    assert spent_less(0.5, since=start)


def test_limits_are_settings(tmp_path: Path) -> None:
    words = entry("a", 9, listed(8, 3, string("x") * 3))
    (tmp_path / "a").write_bytes(build_gguf([FOUR], [words, entry("b", 4, bytes(4))], bytes(32)))
    with open_weights(tmp_path / "a", limits=Limits(listed_strings=3, metadata=2)) as weights:
        assert list(weights) == ["a"]
    for limits, reason in (
        (Limits(listed_strings=2), "too many strings"),
        (Limits(metadata=1), "more than 1 entries"),
        (Limits(tensors=0), "more than 0 tensors"),
        (Limits(header_bytes=50), "longer than 50 bytes"),
        (Limits(name_length=0), "longer than 0"),
    ):
        with pytest.raises(InvalidWeights, match=reason):
            open_weights(tmp_path / "a", limits=limits)


def test_truncations_are_refused(tmp_path: Path) -> None:
    words = entry("a", 9, listed(8, 2, string("x") * 2))
    whole = build_gguf([tensor("w", [4, 2]), tensor("v", [4], 1, 32)], [words], bytes(64))
    path = tmp_path / "a"
    for length in range(0, len(whole) - 24, 3):  # Padding after the last value may be missing.
        path.write_bytes(whole[:length])
        with pytest.raises(HeritageError):
            open_weights(path)


def test_a_long_vocabulary_is_passed_over_fast(tmp_path: Path) -> None:
    words = entry("a", 9, listed(8, 300_000, string("word") * 300_000))
    (tmp_path / "a").write_bytes(
        build_gguf([FOUR], [words, words.replace(b"a", b"b", 1)], bytes(32))
    )
    start = time.process_time()
    with open_weights(tmp_path / "a") as weights:
        assert list(weights) == ["a"]
    assert spent_less(2, since=start)
