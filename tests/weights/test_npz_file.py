"""NumPy archives: every value as numpy gives it, little memory, nothing evaluated; hostile ones."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_heritage_backend.errors import HeritageError, InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights import DType, Limits, Weights, npz_file, open_weights
from tests.processor_time import spent_less
from tests.weights.samples import read_all

Saver = Callable[..., None]
SAVERS = (np.savez, np.savez_compressed)
TYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8", "c16")


def as_real(array: np.ndarray) -> np.ndarray:
    """What our reader must give, as float64: complex values as pairs."""
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], axis=-1)
    return array.astype(np.float64)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    arrays=st.lists(
        st.tuples(
            st.sampled_from(TYPES),
            st.lists(st.integers(0, 5), max_size=4),
            st.sampled_from("<>"),
            st.booleans(),
        ),
        max_size=5,
    ),
    saver=st.sampled_from(SAVERS),
    piece=st.integers(1, 40),
)
def test_any_types_and_shapes(
    tmp_path: Path,
    arrays: list[tuple[str, list[int], str, bool]],
    saver: Saver,
    piece: int,
) -> None:
    """Both byte orders, both orders of dimensions, read in pieces of any size, twice over."""
    content = {"float": np.ones(1, np.float32)}
    for i, (kind, shape, order, fortran) in enumerate(arrays):
        values = np.abs(np.random.default_rng(i).standard_normal(shape)) * 100
        array = np.asarray(values).astype(np.dtype(kind).newbyteorder(order))
        content[f"block/{i}"] = np.asfortranarray(array) if fortran else array
    saver(tmp_path / "a.npz", **content)
    with open_weights(tmp_path / "a.npz") as weights:
        assert weights.format == "npz"
        for _ in range(2):
            values = read_all(weights, piece=piece)
            assert list(values) == list(content)
            for name, array in content.items():
                np.testing.assert_array_equal(values[name], as_real(array), err_msg=name)


def write_array(path: Path, header: bytes, data: bytes = b"", *, deflated: bool = False) -> Path:
    """An archive of one array with the given literal for a header, beside an ordinary one."""
    text = header + b"\n"
    record = b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + data
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.npy", record)
        buffer = io.BytesIO()
        np.save(buffer, np.ones(2))
        archive.writestr("b.npy", buffer.getvalue())
    return path


def literal(descr: str = "'<f4'", shape: str = "(4,)", fortran: str = "False") -> bytes:
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()


def test_bfloat16_and_float8_of_ml_dtypes(tmp_path: Path) -> None:
    """V2 with a byte order is how they save bfloat16; plain V2 may be anything."""
    bits = np.array([0x3F80, 0xC040, 0], "<u2")
    path = write_array(tmp_path / "a", literal("'<V2'", "(3,)"), bits.tobytes())
    with open_weights(path) as weights:
        assert weights["a"].dtype is DType.BF16
        assert read_all(weights)["a"].tolist() == [1.0, -3.0, 0.0]
    write_array(path, literal("'<f1'", "(2,)"), b"\x3c\xc0")
    with open_weights(path) as weights:
        assert read_all(weights)["a"].tolist() == [1.0, -2.0]
    for descr in ("'|V2'", "'<V1'"):
        with pytest.raises(UnsupportedFormat, match="does not name"):
            open_weights(write_array(path, literal(descr, "(3,)"), bits.tobytes()))


def test_headers_of_the_later_versions(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.arange(3.0), version=(2, 0))
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("a.npy", buffer.getvalue())
    with open_weights(tmp_path / "a") as weights:
        assert read_all(weights)["a"].tolist() == [0.0, 1.0, 2.0]


HEADERS: dict[str, tuple[bytes, str]] = {
    "objects": (literal("'|O'"), "Python objects"),
    "texts": (literal("'<U3'"), "texts"),
    "dates": (literal("'<M8[s]'"), "dates"),
    "long doubles": (literal("'<f16'"), "type '<f16'"),
    "records": (literal("[('x', '<f4')]"), "holds records"),
    "a type of another kind": (literal("'<q9'"), "type '<q9'"),
    "a type that is none": (literal("'f4'"), "unknown type"),
    "a type that is code": (literal("'__import__'"), "unknown type"),
    "no literal": (b"hello", "not as numpy writes it"),
    "code": (b"{'descr': __import__('os').system('x')}", "not as numpy writes it"),
    "one more key": (literal()[:-1] + b"'more': 1}", "not as numpy writes it"),
    "a missing key": (b"{'descr': '<f4', 'shape': (4,), }", "not as numpy writes it"),
    "something behind": (literal() + b" + 1", "not as numpy writes it"),
    "a negative dimension": (literal(shape="(-4,)"), "not as numpy writes it"),
    "a shape that is no tuple": (literal(shape="(4)"), "shape is not as numpy writes it"),
    "a product in the shape": (literal(shape="(2*2,)"), "not as numpy writes it"),
    "an empty place in the shape": (literal(shape="(2,,2)"), "shape is not as numpy writes it"),
    "a dimension of 2^64": (literal(shape="(18446744073709551616,)"), "not as numpy writes it"),
    "a dimension of 2^63": (literal(shape="(9223372036854775808,)"), "beyond 2^63"),
    "a shape that is too large": (literal(shape="(9223372036854775807,)"), "another size"),
    "a product that wraps": (literal(shape="(4294967296, 4294967296, 4)"), "another size"),
    "a huge side of an empty array": (literal(shape="(1099511627776, 0)"), "another size"),
    "values missing": (literal(shape="(5,)"), "another size"),
    "values too many": (literal(shape="(3,)"), "another size"),
    "many dimensions": (literal(shape="(" + "1, " * 40 + ")"), "more than 32 dimensions"),
    "parentheses without end": (b"(" * 60_000, "bytes; 10,000 are allowed"),
}


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("case", HEADERS)
def test_hostile_headers_are_refused(tmp_path: Path, case: str, deflated: bool) -> None:
    header, reason = HEADERS[case]
    path = write_array(tmp_path / "a", header, bytes(16), deflated=deflated)
    start = time.process_time()
    with pytest.raises((InvalidWeights, UnsupportedFormat)) as caught:
        open_weights(path)
    assert reason in caught.value.detail
    assert spent_less(0.5, since=start)


def test_an_empty_array_with_a_huge_side_is_refused(tmp_path: Path) -> None:
    path = write_array(tmp_path / "a", literal(shape="(1099511627776, 0)"))
    with pytest.raises(InvalidWeights, match="claims a dimension"):
        open_weights(path)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "cut off"),
        (b"\x93NUMPY\1\0", "cut off"),
        (b"\x93NUMPY\1\0\xff\x20" + bytes(20), "cut off"),
        (b"\x93NUMPY\4\0" + bytes(20), "unknown version"),
        (b"\x93NUMPY\1\1" + bytes(20), "unknown version"),
        (b"\x93NUMPY\2\0\xff\xff\xff\xff" + bytes(20), "4,294,967,295 bytes"),
        (b"hello, this is text", "is not a NumPy array"),
    ],
)
def test_records_that_are_no_arrays(tmp_path: Path, record: bytes, reason: str) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("a.npy", record)
    with pytest.raises(InvalidWeights, match=reason):
        open_weights(tmp_path / "a")


def pack(size: int, *, told: int | None = None, crc: int | None = None) -> bytearray:
    """A compressed archive of ``size`` random float32 values, whose directory may lie."""
    buffer = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 4, size).astype(np.float32)
    np.savez_compressed(buffer, a=values)
    data = bytearray(buffer.getvalue())
    entry = data.index(b"PK\1\2")
    if told is not None:
        struct.pack_into("<L", data, entry + 24, told)
        struct.pack_into("<Q", data, 35 + 4, told)  # the local header's 64-bit extra field
    if crc is not None:
        struct.pack_into("<L", data, entry + 16, crc)
    return data


def read_whole(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with open_weights(path) as weights:
        read_all(weights, piece=1000)


def test_damaged_records_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    read_whole(path, pack(5000))
    with pytest.raises(InvalidWeights, match=r"'a\.npy' cannot be unpacked"):
        read_whole(path, pack(5000, crc=7))
    broken = pack(5000)
    broken[200:210] = bytes(10)
    with pytest.raises(InvalidWeights, match="cannot be unpacked"):
        read_whole(path, broken)
    with pytest.raises(InvalidWeights, match="cannot be unpacked"):
        read_whole(path, pack(5000, told=20_000))


@pytest.mark.parametrize("difference", [-4, 4])
def test_a_record_longer_or_shorter_than_it_says(tmp_path: Path, difference: int) -> None:
    """The header of the array lies in the same way, so only unpacking can tell."""
    text = literal(shape="(1000,)").ljust(117) + b"\n"
    head = b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text
    stream = zlib.compressobj(wbits=-15)
    packed = stream.compress(head + bytes(4000 + difference)) + stream.flush()
    size = len(head) + 4000
    sizes = struct.pack("<3L", zlib.crc32(head + bytes(4000)), len(packed), size)
    local = struct.pack("<4s5H", b"PK\3\4", 20, 0, 8, 0, 0) + sizes + struct.pack("<2H", 5, 0)
    body = local + b"a.npy" + packed
    entry = struct.pack("<4s6H", b"PK\1\2", 20, 20, 0, 8, 0, 0) + sizes
    entry += struct.pack("<5H2L", 5, 0, 0, 0, 0, 0, 0) + b"a.npy"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(body), 0)
    with pytest.raises(InvalidWeights, match="cannot be unpacked"):
        read_whole(tmp_path / "a", body + entry + end)


def test_bombs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.zeros((5000, 1000), np.float32))
    with pytest.raises(InvalidWeights, match=r"claims to unpack to 20,000,128 bytes, far more"):
        open_weights(path)
    with open_weights(path, limits=Limits(unpacked=2000)) as weights:
        assert weights["a"].shape == (5000, 1000)
    with pytest.raises(InvalidWeights, match="more than it can be packed from"):
        read_whole(path, pack(10, told=1_000_000))
    with pytest.raises(InvalidWeights, match="more than 0 tensors"):
        open_weights(path, limits=Limits(tensors=0, unpacked=2000))


def test_other_contents_and_packings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    np.savez(path, a=np.ones(3))
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InvalidWeights, match=r"holds 'readme\.txt', no array"):
        open_weights(path)
    write_array(path, literal(), bytes(16))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", bytes(200))
    with pytest.raises(InvalidWeights, match="compressed or encrypted"):
        open_weights(path)
    np.savez(path, a=np.arange(3))
    with pytest.raises(InvalidWeights, match="no floating point"):
        open_weights(path)


@pytest.mark.parametrize("saver", SAVERS)
def test_truncations_are_refused(tmp_path: Path, saver: Saver) -> None:
    saver(tmp_path / "a.npz", a=np.ones(3), b=np.ones(2))
    data = (tmp_path / "a.npz").read_bytes()
    for length in range(0, len(data), 7):
        (tmp_path / "cut").write_bytes(data[:length])
        with pytest.raises(HeritageError):
            open_weights(tmp_path / "cut")


def peak_of(weights: Weights) -> int:
    tracemalloc.start()
    for tensor in weights.values():
        for _ in tensor.iterate_raw(1 << 18):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("saver", SAVERS)
def test_memory_does_not_grow_with_the_file(tmp_path: Path, saver: Saver) -> None:
    values = np.tile(np.random.default_rng(0).standard_normal((20, 1000)), (100, 1))
    saver(tmp_path / "a.npz", a=values.astype(np.float32), b=values[:500])
    with open_weights(tmp_path / "a.npz") as weights:
        assert peak_of(weights) < 8 << 20


def test_compressed_arrays_in_fortran_order_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "a.npz", a=np.ones((50, 40)).T)
    monkeypatch.setattr(npz_file, "FORTRAN_BYTES", 50 * 40 * 8)
    with open_weights(tmp_path / "a.npz") as weights:
        assert weights["a"].shape == (40, 50)
    monkeypatch.setattr(npz_file, "FORTRAN_BYTES", 50 * 40 * 8 - 1)
    with pytest.raises(UnsupportedFormat, match="Fortran order"):
        open_weights(tmp_path / "a.npz")
