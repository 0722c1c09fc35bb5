"""The header parser: what the format allows passes, everything else is named and refused."""

from __future__ import annotations

import time

import pytest

from model_heritage_backend.errors import HeritageError, InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights.limits import Limits
from model_heritage_backend.weights.safetensors_header import parse_header
from model_heritage_backend.weights.tensors import DType
from tests.processor_time import spent_less

GOOD = b'{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}'


def parse(data: bytes, data_bytes: int = 24, limits: Limits | None = None) -> object:
    return parse_header(data, data_bytes=data_bytes, limits=limits or Limits())


def test_accepts_what_the_format_allows() -> None:
    header = parse_header(
        b'{ "b\\u00e9" : {"shape":[], "dtype":"BF16",\n"data_offsets":[24,26]},'
        b'"__metadata__":{"k":"v\\"\\n", "e":""},'
        b'"z":{"dtype":"I64","shape":[4,0],"data_offsets":[24,24]},'
        b'"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   ',
        data_bytes=26,
        limits=Limits(),
    )
    assert header.metadata == {"k": 'v"\n', "e": ""}
    assert [(t.name, t.dtype, t.shape) for t in header.tensors] == [
        ("bé", DType.BF16, ()),
        ("z", DType.I64, (4, 0)),
        ("a", DType.F32, (2, 3)),
    ]


@pytest.mark.parametrize(
    "shape",
    [b"[2,3]", b"[]", b"[0]", b"[6,1,1,1,1,1,1,1]", b"[6,1,1,1,1,1,1,1,1]", b"[-6]", b"[6.0]"],
)
@pytest.mark.parametrize("offsets", [b"[0,24]", b"[0,4]", b"[24,0]", b"[00,24]"])
def test_blanks_change_nothing(shape: bytes, offsets: bytes) -> None:
    """Entries without any are read in a way of their own."""

    def outcome(data: bytes) -> object:
        try:
            return parse(data, limits=Limits(dimensions=8))
        except InvalidWeights as error:
            return str(error)

    usual = GOOD.replace(b"[2,3]", shape).replace(b"[0,24]", offsets)
    assert outcome(usual) == outcome(usual.replace(b'"dtype"', b' "dtype"'))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"", "does not start with"),
        (b" " + GOOD, "does not start with"),
        (b"[]", "does not start with"),
        (b'{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}', "expected at byte"),
        (GOOD + b"\n", "something other than blanks"),
        (GOOD + b"\0", "something other than blanks"),
        (GOOD + GOOD, "something other than blanks"),
        (GOOD.replace(b"}}", b"},}"), "a string was expected"),
        (GOOD.replace(b'"a"', b'"\xff"'), "UTF-8"),
        (GOOD.replace(b'"a"', b'"\\ud800"'), "UTF-8"),
        (GOOD.replace(b'"a"', b'"\\x61"'), "a string was expected"),
        (GOOD.replace(b'"a"', b'"a\n"'), "a string was expected"),
        (GOOD.replace(b'"a"', b'"a\\u0000"'), "control characters"),
        (GOOD.replace(b'"a"', b"'a'"), "a string was expected"),
        (GOOD[:-1] + b"," + GOOD[1:], "names 'a' twice"),
        (GOOD[:-1] + b',"\\u0061":' + GOOD[5:], "names 'a' twice"),
        (GOOD.replace(b'"dtype"', b'"dtype":"F32","dtype"'), "names 'dtype' twice"),
        (b'{"__metadata__":{"k":"1","k":"2"},' + GOOD[1:], "names 'k' twice"),
        (b'{"__metadata__":{},"__metadata__":{},' + GOOD[1:], "names '__metadata__' twice"),
        (b'{"__metadata__":{"k":1},' + GOOD[1:], "a string was expected"),
        (b'{"__metadata__":{"k":null},' + GOOD[1:], "a string was expected"),
        (b'{"__metadata__":{"k":{"l":"m"}},' + GOOD[1:], "a string was expected"),
        (b'{"__metadata__":"k",' + GOOD[1:], "'{' was expected"),
        (b'{"a":1}', "'{' was expected"),
        (b'{"a":null}', "'{' was expected"),
        (b'{"a":{}}', "lacks data_offsets, dtype, shape"),
        (GOOD.replace(b'"shape":[2,3],', b""), "lacks shape"),
        (GOOD.replace(b'"dtype"', b'"extra":"x","dtype"'), "unknown field 'extra'"),
        (GOOD.replace(b'"F32"', b'"F33"'), "unknown dtype 'F33'"),
        (GOOD.replace(b'"F32"', b'"f32"'), "unknown dtype 'f32'"),
        (GOOD.replace(b'"F32"', b"4"), "a string was expected"),
        (GOOD.replace(b"[2,3]", b"[2,-3]"), "not a whole number"),
        (GOOD.replace(b"[2,3]", b"[2,3.0]"), "not a whole number"),
        (GOOD.replace(b"[2,3]", b"[2,3e0]"), "not a whole number"),
        (GOOD.replace(b"[2,3]", b"[2,true]"), "not a whole number"),
        (GOOD.replace(b"[2,3]", b"[2,03]"), "not a whole number"),
        (GOOD.replace(b"[2,3]", b'[2,"3"]'), "not a whole number"),
        (GOOD.replace(b"[2,3]", b"[2,NaN]"), "not a whole number"),
        (GOOD.replace(b"[2,3]", b"[[[[2,3]]]]"), "not a whole number"),
        (GOOD.replace(b"[2,3]", b"6"), "'[' was expected"),
        (GOOD.replace(b"[2,3]", b"[2,3,]"), "not a whole number"),
        (GOOD.replace(b"[2,3]", b"[" + b"1," * 40 + b"6]"), "more than 32 dimensions"),
        (GOOD.replace(b"[2,3]", b"[99999999999999999999]"), "beyond 2^63"),
        (GOOD.replace(b"[2,3]", b"[9223372036854775807,9223372036854775807]"), "far too many"),
        (GOOD.replace(b"[2,3]", b"[4294967296,4294967296,4294967296,0]"), "room for 24 bytes"),
        (GOOD.replace(b"[2,3]", b"[2,4]"), "room for 24 bytes, but its shape and dtype need 32"),
        (GOOD.replace(b"[0,24]", b"[24,0]"), "not begin <= end"),
        (GOOD.replace(b"[0,24]", b"[0,24,48]"), "not begin <= end"),
        (GOOD.replace(b"[0,24]", b"[24]"), "not begin <= end"),
        (GOOD.replace(b"[0,24]", b"[0,23]"), "room for 23 bytes"),
        (GOOD.replace(b"[0,24]", b"[1,25]"), "nothing describes the bytes before tensor 'a'"),
        (
            GOOD[:-1] + b',"b":{"dtype":"U8","shape":[2],"data_offsets":[22,24]}}',
            "tensor 'b' overlaps another",
        ),
        (
            GOOD[:-1] + b',"b":{"dtype":"U8","shape":[0],"data_offsets":[12,12]}}',
            "overlaps another",
        ),
        (b'{"' + b"n" * 2000 + GOOD[2:], "longer than 1024 characters"),
    ],
)
def test_refuses_and_names_the_broken_rule(header: bytes, reason: str) -> None:
    with pytest.raises(InvalidWeights) as caught:
        parse(header)
    assert reason in caught.value.detail
    assert len(caught.value.detail) < 300


def test_data_must_be_covered_exactly() -> None:
    with pytest.raises(InvalidWeights, match="need 24 bytes and 23 are there"):
        parse(GOOD, 23)
    with pytest.raises(InvalidWeights, match="1 bytes after its last tensor"):
        parse(GOOD, 25)


def test_known_types_that_cannot_be_read_are_named() -> None:
    with pytest.raises(UnsupportedFormat, match="'a' is stored as F8_E8M0"):
        parse(GOOD.replace(b"F32", b"F8_E8M0"))


def test_the_number_of_tensors_is_limited() -> None:
    entries = b",".join(
        b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % i for i in range(5)
    )
    with pytest.raises(InvalidWeights, match="more than 4 tensors"):
        parse(b"{" + entries + b"}", 0, Limits(tensors=4))


def test_the_metadata_is_limited() -> None:
    metadata = b'{"__metadata__":{"a":"","b":"","c":""}}'
    assert parse(metadata, 0, Limits(metadata=3))
    with pytest.raises(InvalidWeights, match="__metadata__ has more than 2 entries"):
        parse(metadata, 0, Limits(metadata=2))


@pytest.mark.parametrize(
    "header",
    [
        b"{" * 5_000_000,
        b'{"a":' * 1_000_000,
        b'{"a":{"shape":' + b"[" * 5_000_000,
        b'{"' + b'\\"' * 5_000_000,
        b'{"' + b"\\u0041" * 2_000_000,
        b'{"a":{"shape":[' + b"9" * 5_000_000,
        b"{" + b" " * 5_000_000,
    ],
    ids=["braces", "objects", "lists", "escapes", "unicode", "digits", "blanks"],
)
def test_hostile_headers_cost_little(header: bytes) -> None:
    start = time.process_time()
    with pytest.raises(HeritageError):
        parse(header)
    assert spent_less(3, since=start)
