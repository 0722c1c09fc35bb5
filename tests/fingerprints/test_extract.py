"""The pass over a file: exact figures, whatever the dtype, the shape or the cut."""

import math

import numpy as np
import pytest
import scipy.stats
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.fingerprints import extract, fingerprint_sampled, fingerprint_weights
from model_heritage_backend.fingerprints.full_pass import READ_VALUES
from model_heritage_backend.fingerprints.kernels import PIECE
from model_heritage_backend.fingerprints.sampling import (
    COLUMN_SALT,
    ROW_SALT,
    WIDE_COUNT,
    WIDE_SIZE,
    select_indices,
)
from model_heritage_backend.weights.tensors import DType, LazyTensor, Weights, decode

CHECKSUM = "0" * 64


class ArrayTensor(LazyTensor):
    def __init__(self, name: str, array: np.ndarray, dtype: DType) -> None:
        super().__init__(name, array.shape, dtype)
        self.flat = np.ascontiguousarray(array).ravel()

    def read_raw(self, start: int, stop: int) -> np.ndarray:
        return self.flat[start:stop]


class ArrayWeights(Weights):
    """Arrays as a checkpoint: the readers have tests of their own."""

    format, metadata = "arrays", {}

    def __init__(self, arrays: dict[str, tuple[np.ndarray, DType] | np.ndarray]) -> None:
        names = {np.dtype(k.storage): k for k in DType if k not in (DType.BF16, DType.BOOL)}
        names[np.dtype("u1")] = DType.U8
        self._tensors: dict[str, LazyTensor] = {}
        for name, value in arrays.items():
            array, dtype = value if isinstance(value, tuple) else (value, names[value.dtype])
            self._tensors[name] = ArrayTensor(name, array, dtype)

    def close(self) -> None:
        pass


def fingerprint(**arrays):
    return fingerprint_weights(ArrayWeights(arrays), checksum=CHECKSUM)


def weights_like(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).laplace(0.01, 0.05, shape).astype(np.float32)


def to_bfloat16(array: np.ndarray) -> np.ndarray:
    """Round to nearest even, as storage bits."""
    bits = array.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def test_moments_agree_with_scipy():
    array = weights_like(700, 401)
    m = fingerprint(w=array).tensors["w"].moments
    exact = array.astype(np.float64).ravel()
    assert m.mean == pytest.approx(exact.mean(), rel=1e-12)
    assert m.variance == pytest.approx(exact.var(), rel=1e-12)
    assert m.skewness == pytest.approx(scipy.stats.skew(exact), abs=1e-10)
    assert m.kurtosis == pytest.approx(scipy.stats.kurtosis(exact), rel=1e-10)
    assert (m.minimum, m.maximum) == (exact.min(), exact.max())
    assert m.squared_norm == pytest.approx((exact**2).sum(), rel=1e-12)


def test_moments_survive_a_large_mean():
    """LayerNorm-like weights: powers around zero would cancel 8 digits."""
    array = (1.0 + 1e-3 * np.random.default_rng(1).standard_normal(100_000)).astype(np.float32)
    m = fingerprint(w=array).tensors["w"].moments
    assert m.kurtosis == pytest.approx(scipy.stats.kurtosis(array.astype(np.float64)), abs=1e-7)


@pytest.mark.parametrize(
    "shape", [(1, 1), (7, 5), (64, 9), (3, READ_VALUES // 2 + 11), (70_000, 9)]
)
def test_row_norms_and_sample_are_exact_for_every_cut(shape):
    array = weights_like(*shape)
    t = fingerprint(w=array).tensors["w"]
    np.testing.assert_allclose(t.row_norms, (array.astype(np.float64) ** 2).sum(1), rtol=1e-12)
    np.testing.assert_array_equal(t.sample, array[np.ix_(t.rows, t.columns)])
    np.testing.assert_array_equal(t.row_absmax, np.abs(array[t.rows]).max(1))


def test_sample_is_prefix_consistent():
    """A vocabulary extended from 32,000 to 32,004 rows keeps its sampled rows."""
    old = fingerprint(w=weights_like(32_000, 4)).tensors["w"].rows
    new = fingerprint(w=weights_like(32_004, 4)).tensors["w"].rows
    assert len(set(old) & set(new)) >= 62


def test_a_few_large_matrices_have_a_wide_sample():
    """Of those that the ordinary sample does not hold anyway, and the same ones in every member."""
    arrays = {f"layer{i}": weights_like(200, 300 + i, seed=i) for i in range(12)}
    arrays |= {"small": weights_like(64, 500), "bias": weights_like(500)}
    tensors = fingerprint(**arrays).tensors
    wide = {name for name, tensor in tensors.items() if tensor.wide.size}
    assert len(wide) == WIDE_COUNT
    assert not wide & {"small", "bias"}
    for name in wide:
        rows = select_indices(200, WIDE_SIZE, ROW_SALT)
        columns = select_indices(tensors[name].shape[1], WIDE_SIZE, COLUMN_SALT)
        np.testing.assert_array_equal(tensors[name].wide, arrays[name][np.ix_(rows, columns)])
        assert set(tensors[name].rows) <= set(rows)
    without = fingerprint(**{n: a for n, a in arrays.items() if n not in ("small", "bias")}).tensors
    assert {name for name, tensor in without.items() if tensor.wide.size} == wide


def test_a_wide_sample_is_exact_for_every_cut():
    array = weights_like(70_000, 90)
    t = fingerprint(w=array).tensors["w"]
    rows = select_indices(70_000, WIDE_SIZE, ROW_SALT)
    np.testing.assert_array_equal(t.wide, array[rows])


def test_value_digest_survives_a_lossless_change_of_dtype():
    bits = to_bfloat16(weights_like(40, 50))
    as32 = (bits.astype(np.uint32) << 16).view(np.float32)
    stored = fingerprint(w=(bits, DType.BF16))
    kept = fingerprint(w=as32)
    wide = fingerprint(w=as32.astype(np.float64))
    digests = {f.tensors["w"].value_digest for f in (stored, kept, wide)}
    assert len(digests) == 1
    assert stored.tensors["w"].byte_digest != kept.tensors["w"].byte_digest
    assert stored.bf16 and kept.bf16 and wide.bf16
    np.testing.assert_array_equal(stored.tensors["w"].sample, kept.tensors["w"].sample)


def test_value_digest_tells_doubles_from_their_rounding():
    array = np.random.default_rng(0).standard_normal((50, 50))
    assert (
        fingerprint(w=array).tensors["w"].value_digest
        != fingerprint(w=array.astype(np.float32)).tensors["w"].value_digest
    )


def test_float16_flag():
    half = weights_like(40, 50).astype(np.float16)
    assert fingerprint(w=half).fp16
    assert fingerprint(w=half.astype(np.float32)).fp16
    assert not fingerprint(w=weights_like(40, 50)).fp16


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("per_row", [False, True])
def test_quantisation_grid_is_found(bits, per_row):
    array = weights_like(200, 150).astype(np.float64)
    levels = 2 ** (bits - 1) - 1
    top = np.abs(array).max(1, keepdims=True) if per_row else np.abs(array).max()
    stored = (np.round(array / top * levels) / levels * top).astype(np.float32)
    print_ = fingerprint(w=stored)
    assert print_.grid_bits == bits
    assert print_.tensors["w"].grid_per_row == per_row
    assert fingerprint(w=array.astype(np.float32)).grid_bits == 0


def test_flags_of_a_pruned_model():
    array = weights_like(100, 100)
    array[np.abs(array) < np.quantile(np.abs(array), 0.4)] = 0.0
    assert fingerprint(w=array).zero_fraction == pytest.approx(0.4, abs=1e-3)


def test_odd_values_are_noted_and_poison_nothing():
    array = weights_like(30, 40)
    array[3, 4], array[5, 6] = np.nan, np.inf
    print_ = fingerprint(w=array, z=np.zeros((9, 9), np.float32), c=np.ones((9, 9), np.float32))
    m = print_.tensors["w"].moments
    assert m.nonfinite == 2
    assert math.isfinite(m.kurtosis) and math.isfinite(m.squared_norm)
    assert np.isfinite(print_.tensors["w"].row_norms).all()
    assert np.isfinite(print_.routing).all()
    assert print_.quality == ("all_zero", "constant", "nonfinite")


@pytest.mark.parametrize("value", [1e308, -1e200, 5e-324])
def test_extreme_doubles_are_accepted(value):
    array = np.full((20, 20), value)
    array[0, 0] = -value
    m = fingerprint(w=array).tensors["w"].moments
    assert m.minimum == -abs(value) and m.maximum == abs(value)


@pytest.mark.parametrize("dtype", list(DType))
def test_every_dtype_is_read(dtype):
    raw = np.random.default_rng(3).integers(0, 100, (64, 32)).astype(dtype.storage)
    t = fingerprint(w=(raw, dtype)).tensors["w"]
    assert t.dtype == dtype.value
    assert np.isfinite(t.moments.squared_norm)
    assert t.byte_digest == xxhash.xxh3_128_hexdigest(raw.tobytes())
    assert t.value_digest == xxhash.xxh3_128_hexdigest(decode(raw, dtype).astype("f4").tobytes())


@pytest.mark.parametrize("dtype", [DType.F32, DType.BF16, DType.F16, DType.F64])
@pytest.mark.parametrize("rest", [0, 1, 100, PIECE + 7])
def test_pieces_that_are_not_finite_change_nothing_else(dtype, rest):
    """The first piece, one in the middle, and the last."""
    array = weights_like(2, READ_VALUES // 2 + rest)
    raw = to_bfloat16(array) if dtype is DType.BF16 else array.astype(dtype.storage)
    values = decode(raw, dtype).ravel().astype("f8")
    bad = [3, 2 * PIECE + 5, raw.size - 1]
    # The same bits are no number in both types of two bytes.
    raw.ravel()[bad] = np.uint16(0x7FFF).view(raw.dtype) if raw.itemsize == 2 else np.nan
    found = fingerprint(w=(raw, dtype))
    t, left = found.tensors["w"], np.delete(values, bad)
    assert t.byte_digest == xxhash.xxh3_128_hexdigest(raw.tobytes())
    assert t.moments.nonfinite == 3
    assert t.moments.mean == pytest.approx(left.mean(), rel=1e-9)
    assert t.moments.variance == pytest.approx(left.var(), rel=1e-9)
    assert t.row_norms.sum() == pytest.approx((left**2).sum(), rel=1e-9)
    assert (found.bf16, found.fp16) == (dtype is DType.BF16, dtype is DType.F16)


def test_two_threads_give_what_one_does(monkeypatch):
    arrays = {f"w{i}": weights_like(100 + i, 2000, seed=i) for i in range(9)}
    arrays["b"] = to_bfloat16(weights_like(300, 2000)), DType.BF16
    together = fingerprint(**arrays)
    monkeypatch.setattr(extract, "LITTLE", 1 << 40)
    assert fingerprint(**arrays).to_bytes() == together.to_bytes()


class BrokenTensor(ArrayTensor):
    def read_raw(self, start: int, stop: int) -> np.ndarray:
        raise InvalidWeights(f"The file ended at {start} of {stop}.")


def test_where_one_tensor_cannot_be_read_the_others_are_left():
    read = []
    weights = ArrayWeights({f"w{i}": weights_like(200, 2000, seed=i) for i in range(30)})
    weights._tensors["w0"] = BrokenTensor("w0", weights_like(300, 2000), DType.F32)
    with pytest.raises(InvalidWeights, match="ended at 0"):
        fingerprint_weights(weights, checksum=CHECKSUM, progress=read.append)
    assert len(read) < 29


def test_moments_of_tiny_doubles_are_numbers():
    """Their cubes are not, in float64."""
    moments = fingerprint(w=weights_like(20, 20).astype(np.float64) * 1e-120).tensors["w"].moments
    assert math.isfinite(moments.skewness)
    assert math.isfinite(moments.kurtosis)


def test_structure_ignores_wrappers_and_order():
    a, b = weights_like(20, 30), weights_like(30, 20)
    plain = fingerprint(**{"x.weight": a, "y.weight": b})
    wrapped = fingerprint(**{"module.y.weight": b, "module.x.weight": a})
    assert plain.structural_hash == wrapped.structural_hash
    np.testing.assert_array_equal(plain.routing, wrapped.routing)


def test_layers_are_counted_by_blocks():
    blocks = {f"h.{i}.{part}.weight": weights_like(8, 8) for i in range(3) for part in "qkv"}
    assert fingerprint(**blocks, **{"head.weight": weights_like(8, 8)}).layer_count == 3


def test_scalars_and_empty_tensors():
    print_ = fingerprint(
        steps=np.array(7, np.int64), none=np.zeros((0, 5), np.float32), w=weights_like(8, 8)
    )
    assert print_.tensors["steps"].sample[0, 0] == 7
    assert print_.tensors["none"].sample.size == 0
    assert print_.total_parameters == 64


def test_sampled_level_has_the_same_sample_and_leaves_out_what_it_cannot_know():
    arrays = {"w": weights_like(300, 200), "b": weights_like(300)}
    full = fingerprint(**arrays)
    sampled = fingerprint_sampled(ArrayWeights(arrays), checksum=CHECKSUM)
    assert sampled.level == "sampled"
    for name, tensor in sampled.tensors.items():
        np.testing.assert_array_equal(tensor.sample, full.tensors[name].sample)
        np.testing.assert_array_equal(tensor.wide, full.tensors[name].wide)
        assert tensor.moments is None and tensor.byte_digest is None
    np.testing.assert_array_equal(sampled.tensors["w"].row_absmax, full.tensors["w"].row_absmax)
    np.testing.assert_array_equal(sampled.routing, full.routing)
    assert sampled.structural_hash == full.structural_hash


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(1, 90),
    columns=st.integers(1, 90),
    seed=st.integers(0, 99),
)
def test_digest_and_norm_change_with_any_value(rows, columns, seed):
    array = weights_like(rows, columns, seed=seed)
    changed = array.copy()
    changed[seed % rows, seed % columns] += 1.0
    before, after = fingerprint(w=array).tensors["w"], fingerprint(w=changed).tensors["w"]
    assert before.value_digest != after.value_digest
    assert before.moments.squared_norm != after.moments.squared_norm


@pytest.mark.parametrize(
    ("largest", "notes"), [(1.0, ()), (2e6, ("huge",)), (3e38, ("huge",)), (1e-40, ("tiny",))]
)
def test_values_beyond_all_training_are_noted(largest: float, notes: tuple[str, ...]) -> None:
    values = np.linspace(-largest, largest, 64).reshape(8, 8).astype(np.float32)
    found = fingerprint_weights(ArrayWeights({"w": values}), checksum="x")
    assert found.quality == notes
    assert np.isfinite(found.tensors["w"].moments.squared_norm)
