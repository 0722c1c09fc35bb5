"""Unpacked blocks: the values of the gguf package bit for bit, and cells that hold their source."""

from __future__ import annotations

import numpy as np
import pytest
from gguf.quants import dequantize

from model_heritage_backend.weights.gguf_blocks import BLOCK_KINDS, BlockKind
from tests.weights.gguf_samples import BY_HAND, WRITTEN_BY_PACKAGE, Kind, quantise

KINDS = [pytest.param(number, kind, id=kind.name) for number, kind in BLOCK_KINDS.items()]


@pytest.mark.parametrize(("number", "kind"), KINDS)
def test_values_are_those_of_the_package(number: int, kind: BlockKind) -> None:
    """Random bytes hold every code, every scale, infinities and NaN."""
    blocks = np.random.default_rng(number).integers(0, 256, (2000, kind.nbytes), np.uint8)
    with np.errstate(all="ignore"):
        expected = dequantize(blocks, Kind(number)).ravel()
        values = kind.unpack(blocks).calculate_values()

    finite = np.isfinite(expected)
    assert np.array_equal(values, expected, equal_nan=True)
    # Signs of zeros as well; those of NaN mean nothing.
    assert np.array_equal(values[finite].view(np.uint32), expected[finite].view(np.uint32))
    assert finite.mean() > 0.5


@pytest.mark.parametrize("number", [*WRITTEN_BY_PACKAGE, *BY_HAND])
@pytest.mark.parametrize("spread", [1e-3, 1.0])
def test_a_cell_holds_what_was_rounded(number: Kind, spread: float) -> None:
    """Also where scales are so small that float16 has few digits left for them."""
    source = np.random.default_rng(1).standard_normal((64, 512)).astype(np.float32)
    source *= np.float32(spread)
    kind = BLOCK_KINDS[int(number)]
    codes = kind.unpack(quantise(source, number).reshape(-1, kind.nbytes))
    first, last = codes.calculate_cells(kind.low, kind.high)
    values = codes.calculate_values()

    assert ((first <= values) & (values <= last)).all()
    inside = (first <= source.ravel()) & (source.ravel() <= last)
    assert inside.mean() > 0.9995
    if spread < 1:
        return
    finite = np.isfinite(first) & np.isfinite(last)
    width = (last - first)[finite] / np.broadcast_to(
        np.abs(codes.scales), codes.codes.shape
    ).ravel()[finite]
    assert width.min() >= 1.0
    assert width.max() < 1.3, "a step and the rounding of its scale"


def test_a_scale_of_zero_says_nothing() -> None:
    kind = BLOCK_KINDS[8]
    cells = kind.unpack(np.zeros((1, 34), np.uint8)).calculate_cells(kind.low, kind.high)
    assert np.isnan(cells).all()


def test_the_outermost_codes_stand_for_all_beyond() -> None:
    """A negative scale turns the ends round: Q4_0 has one in every other block."""
    kind = BLOCK_KINDS[2]
    for scale, first_end, last_end in ((1.0, -np.inf, np.inf), (-1.0, np.inf, -np.inf)):
        head = np.array([scale], "<f2").view(np.uint8)
        blocks = np.concatenate([head, [0xF0], np.full(15, 0x88)]).astype(np.uint8)[None]
        codes = kind.unpack(blocks)
        assert codes.codes[0, 0, [0, 16, 1]].tolist() == [-8, 7, 0]
        cells = codes.calculate_cells(kind.low, kind.high)
        assert first_end in cells[:, 0]
        assert last_end in cells[:, 16]
        np.testing.assert_allclose(cells[:, 1], [-0.5, 0.5], rtol=1e-6)
