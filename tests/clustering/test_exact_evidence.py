"""Signals of an edge against naive formulas, and what they say of steps of known kind."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering import kernels, paired_tensors
from model_heritage_backend.clustering.edge_measures import measure_edge, measure_edges
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.weights.tensors import FLOAT32_ROUNDOFF
from tests.clustering.families import Arrays, Floats, find_matrices, make_model
from tests.clustering.models import ArrayWeights, add_noise, load_arrays

BASE = make_model(1)
WIDE = make_model(2, width=80)
DOUBLE: dict[str, Floats] = {name: array.astype(np.float64) for name, array in BASE.items()}
"""In double precision, so that no rounding blurs what a formula says."""


def measure(a: Arrays, b: Arrays, *, roundoff: float = FLOAT32_ROUNDOFF) -> ExactEvidence:
    return measure_edge(ArrayWeights(a), ArrayWeights(b), roundoff=roundoff)


def shrink(arrays: Arrays, factor: float) -> dict[str, Floats]:
    """Weight decay of all matrices."""
    return {n: (factor * a).astype(a.dtype) if a.ndim > 1 else a for n, a in arrays.items()}


def assert_close(first: ExactEvidence, second: ExactEvidence, *, rel: float) -> None:
    x, y = first.to_dict(), second.to_dict()
    for one, other in zip(x.pop("matrices"), y.pop("matrices"), strict=True):
        assert [one.pop(key) for key in ("name", "delta_rank")] == [
            other.pop(key) for key in ("name", "delta_rank")
        ]
        assert one == pytest.approx(other, rel=rel, abs=rel)
    assert x == pytest.approx(y, rel=rel, abs=rel)


def test_norms_are_those_of_the_changed_matrices() -> None:
    child = add_noise(DOUBLE, share=0.2, seed=1)
    child["blocks.1.dense.weight"] = DOUBLE["blocks.1.dense.weight"]
    found = measure(DOUBLE, child)
    x, y = find_matrices(DOUBLE), find_matrices(child)
    changed = [name for name in x if name != "blocks.1.dense.weight"]
    a, b, d = (
        np.array([(part[name] ** 2).sum() for name in changed])
        for part in (x, y, {name: y[name] - x[name] for name in changed})
    )
    sizes = np.array([x[name].size for name in changed])
    growth = (b - a).sum()
    assert found.norm_growth == pytest.approx(growth / d.sum())
    assert found.norm_z == pytest.approx(growth / math.sqrt(((a + b) / sizes).sum()))
    assert found.relative_change == pytest.approx(math.sqrt(d.sum() / ((a + b) / 2).sum()))
    larger = sum((np.abs(y[name]) > np.abs(x[name])).sum() for name in changed)
    assert found.larger_share == pytest.approx(larger / sizes.sum())


def test_every_shared_matrix_is_described() -> None:
    child = add_noise(DOUBLE, share=0.2, seed=1, rank=2)
    child["blocks.1.dense.weight"] = DOUBLE["blocks.1.dense.weight"]
    moved = child["blocks.0.dense.weight"] = DOUBLE["blocks.0.dense.weight"].copy()
    moved[0, :12] *= 2
    found = {matrix.name: matrix for matrix in measure(DOUBLE, child).matrices}
    x, y = find_matrices(DOUBLE), find_matrices(child)
    assert found.keys() == x.keys()
    for name, matrix in found.items():
        a, b = x[name], y[name]
        mean = math.sqrt(((a**2).sum() + (b**2).sum()) / 2)
        assert matrix.size == a.size
        assert matrix.relative_change == pytest.approx(np.linalg.norm(b - a) / mean)
        cosine = (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)
        assert matrix.cosine == pytest.approx(cosine)
    shares = {name: matrix.changed for name, matrix in found.items() if matrix.changed < 1}
    assert shares == {"blocks.1.dense.weight": 0.0, "blocks.0.dense.weight": 12 / 48 / 24}
    ranks = {name: matrix.delta_rank for name, matrix in found.items()}
    assert ranks == {
        "blocks.0.attention.weight": 2,
        "blocks.1.attention.weight": 2,
        "blocks.0.dense.weight": 1,
        "blocks.1.dense.weight": None,
    }


def log_cosh(u: Floats) -> float:
    return float(np.log(np.cosh(u)).mean())


def entropy(u: Floats) -> float:
    """Hyvarinen's approximation of the entropy of a standardised variable."""
    even, odd = log_cosh(u) - 0.37457, float((u * np.exp(-(u**2) / 2)).mean())
    return 1.4189 - 79.047 * even**2 - 7.4129 * odd**2


def test_residuals_are_those_of_the_formulas() -> None:
    """One matrix, so that nothing is pooled."""
    rng = np.random.default_rng(1)
    a = rng.laplace(size=(40, 30))
    b = 0.9 * a + 0.3 * rng.standard_normal((40, 30))
    found = measure({"w": a}, {"w": b})
    x, y = ((v - v.mean()).ravel() / v.std() for v in (a, b))
    rho = (x * y).mean()
    e = (y - rho * x) / math.sqrt(1 - rho**2)
    f = (x - rho * y) / math.sqrt(1 - rho**2)
    n, noise = x.size, math.sqrt(15 / x.size)
    difference = entropy(y) + entropy(f) - entropy(x) - entropy(e)
    assert found.entropy == pytest.approx(np.clip(difference * math.sqrt(n), -1, 1), abs=1e-6)
    one, other = abs((x * e**3).mean()), abs((y * f**3).mean())
    assert found.skew_forward == pytest.approx((other - one) / (one + other + noise), abs=1e-6)
    one, other = abs((x**3 * e).mean()), abs((y**3 * f).mean())
    assert found.skew_backward == pytest.approx((other - one) / (one + other + noise), abs=1e-6)
    assert found.kurtosis == np.sign((x**4).mean() - (y**4).mean()) == 1.0


def naive_fit(groups: list[tuple[float, float, float, int, float]]) -> tuple[float, float]:
    """Weighted least squares of y = growth d - 2 shrinkage m by numpy; shrinkage over its error.

    Each group: mean squares of a, b and b - a, number of values, and a floor of its variance.
    """
    a, b, d, count, floor = (np.array(column, np.float64) for column in zip(*groups, strict=True))
    m = (a + b) / 2
    root = np.sqrt(count / (4 * np.maximum(m * d, floor)))
    design = np.stack([root * d, -root * m], axis=1)
    (growth, double), *_ = np.linalg.lstsq(design, root * (b - a), rcond=None)
    error = math.sqrt(np.linalg.inv(design.T @ design)[1, 1])
    return float(growth), float(double / error)


def test_growth_within_rows_is_a_weighted_fit() -> None:
    child = add_noise(shrink(DOUBLE, 0.97), share=0.1, seed=1)
    found = measure(DOUBLE, child)
    groups = []
    for name, matrix in find_matrices(DOUBLE).items():
        other = child[name]
        variance = ((matrix**2).mean() + (other**2).mean()) / 2
        rows = [(part**2).mean(1) / variance for part in (matrix, other, other - matrix)]
        floor = 0.01 * ((rows[0] + rows[1]) / 2 * rows[2]).mean()
        groups += [(*row, matrix.shape[1], floor) for row in zip(*rows, strict=True)]
    growth, shrinkage = naive_fit(groups)
    assert found.row_growth == pytest.approx(growth)
    assert found.row_shrinkage == pytest.approx(shrinkage)
    assert found.row_shrinkage > 3, "all rows became smaller"


def test_a_step_that_ignores_the_weights_makes_them_grow() -> None:
    """Norm growth is 1 +- 2 / (eps sqrt n), whatever the direction it is measured by."""
    wide: Arrays = {name: array.astype(np.float64) for name, array in WIDE.items()}
    found = measure(wide, add_noise(wide, share=0.3, seed=1))
    for growth in (found.norm_growth, found.row_growth, found.value_growth):
        assert growth == pytest.approx(1.0, abs=0.3)
    assert found.norm_z > 5
    assert found.larger_share > 0.5


def test_growth_within_rows_survives_decay() -> None:
    """The child is smaller than its parent, yet rows that moved more grew more."""
    rng = np.random.default_rng(5)
    a = rng.standard_normal((400, 100))
    moved = rng.uniform(0.0, 0.6, (400, 1)) * rng.standard_normal((400, 100))
    b = 0.9 * a + moved
    found = measure({"w": a}, {"w": b})
    assert found.norm_growth < 0.5
    assert found.row_growth == pytest.approx(1.0, abs=0.35)
    assert found.row_shrinkage > 10


def test_decay_of_rows_that_nothing_else_moved() -> None:
    """A few rows only shrank: their common factor is the decay's, to the last digit."""
    child = shrink(DOUBLE, 0.99)
    for name, matrix in find_matrices(DOUBLE).items():
        child[name][8:] += (
            0.2
            * np.std(matrix)
            * np.random.default_rng(1).standard_normal((len(matrix) - 8, matrix.shape[1]))
        )
    found = measure(DOUBLE, child)
    assert found.row_log_ratio == pytest.approx(math.log(0.99), rel=1e-6)
    assert found.row_spread < 1e-12
    assert measure(DOUBLE, shrink(DOUBLE, 0.99)).larger_share == 0.0


def test_the_child_is_aligned_with_the_delta() -> None:
    """Against the formula with a full decomposition; gradients build weights up where they push."""
    rng = np.random.default_rng(3)
    a = rng.standard_normal((70, 80))
    left, right = rng.standard_normal((70, 3)), rng.standard_normal((80, 3))
    b = a + 0.3 * left @ right.T + 0.01 * rng.standard_normal((70, 80))
    found = measure({"w": a}, {"w": b})
    middle = (a + b) / 2
    delta = (b - a) - ((b - a) * middle).sum() / (middle**2).sum() * middle
    u, _, vt = np.linalg.svd(delta)
    u, v = u[:, :16], vt[:16].T
    alpha, beta = np.diag(u.T @ a @ v), np.diag(u.T @ b @ v)
    expected = ((u.T @ middle) ** 2).mean(1) * ((middle @ v) ** 2).mean(0) / (middle**2).mean()
    excess = 2.5 * np.log((1 + beta**2 / 4 / expected) / (1 + alpha**2 / 4 / expected)).sum()
    # The smallest of the 16 directions are noise to the range finder as well.
    assert found.diagonal_excess == pytest.approx(excess, abs=3)
    assert found.diagonal_excess > 10


def test_small_matrices_have_no_diagonal_excess() -> None:
    assert measure(DOUBLE, add_noise(DOUBLE, share=0.5, seed=1, rank=2)).diagonal_excess == 0.0


def test_biases_grow_from_zero_and_norms_away_from_one() -> None:
    rest = {"w": BASE["blocks.0.attention.weight"]}
    bias, norm = np.array([0.1, -0.1, 0.2, 0.0]), np.array([1.1, 0.9, 1.2, 1.0])
    zero, one = np.zeros(4), np.ones(4)
    found = measure({**rest, "b": zero, "n": one}, {**rest, "b": bias, "n": norm})
    assert (found.vectors, found.vectors_changed) == (2, 2)
    assert found.vector_growth == pytest.approx(1.0)
    back = measure({**rest, "b": bias}, {**rest, "b": zero})
    assert back.vector_growth == pytest.approx(-1.0)
    running = measure({**rest, "running_mean": zero}, {**rest, "running_mean": bias})
    assert (running.vector_growth, running.vectors_changed) == (0.0, 1)


def test_pooled_vectors_are_weighted_by_their_length() -> None:
    rest = {"w": BASE["blocks.0.attention.weight"]}
    short, long = np.zeros(2), np.ones(6) * 0.1
    before = {**rest, "long": long, "short": short}
    after = {**rest, "long": long * 0.5, "short": short + 0.1}
    found = measure(before, after)
    assert found.vector_growth == pytest.approx((6 * -2 + 2 * 1) / 8), "-3 is cut off at -2"


def test_equal_models() -> None:
    found = measure(BASE, dict(BASE))
    assert all((m.changed, m.relative_change, m.cosine) == (0, 0, 1) for m in found.matrices)
    assert (found.relative_change, found.norm_growth, found.entropy) == (0.0, 0.0, 0.0)
    assert (found.larger_share, found.vectors_changed, found.vectors) == (0.5, 0, 5)


def test_added_rows_and_other_shapes_are_passed_over() -> None:
    a = {**DOUBLE, "tokens": np.ones((40, 8)), "head": np.ones((3, 5)), "only_a": np.ones((9, 9))}
    b = {**DOUBLE, "tokens": np.ones((50, 8)), "head": np.ones((3, 6)), "bias": np.ones(3)}
    b["tokens"][40:] = 7.0
    found = {matrix.name: matrix for matrix in measure({**a, "bias": np.ones(4)}, b).matrices}
    assert found.keys() == find_matrices(DOUBLE).keys() | {"tokens"}
    assert (found["tokens"].size, found["tokens"].changed) == (320, 0.0)


def test_not_a_number_counts_as_zero() -> None:
    broken = {name: array.copy() for name, array in DOUBLE.items()}
    broken["blocks.0.dense.weight"][0] = np.nan
    broken["blocks.0.dense.weight"][1] = np.inf
    zeros = {name: array.copy() for name, array in DOUBLE.items()}
    zeros["blocks.0.dense.weight"][:2] = 0.0
    assert measure(DOUBLE, broken) == measure(DOUBLE, zeros)


@pytest.mark.parametrize("scale", [1e-160, 1e200])
def test_numbers_that_no_float32_holds_break_nothing(scale: float) -> None:
    a, b = DOUBLE, add_noise(DOUBLE, share=0.1, seed=1)
    wide = [{name: scale * array for name, array in arrays.items()} for arrays in (a, b)]
    found = measure(*wide).to_dict()
    assert all(math.isfinite(value) for value in found.values() if isinstance(value, float))


def test_empty_and_constant_tensors_say_nothing() -> None:
    odd = {"empty": np.zeros((0, 8)), "flat": np.ones((8, 8)), "none": np.zeros((8, 8))}
    found = measure(odd, {**odd, "flat": 2 * np.ones((8, 8)), "none": np.ones((8, 8))})
    assert [matrix.name for matrix in found.matrices] == ["flat", "none"]
    assert found.entropy == found.skew_forward == found.kurtosis == 0.0
    assert all(math.isfinite(v) for v in found.to_dict().values() if isinstance(v, float))


def test_large_matrices_are_read_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums do not depend on the pieces."""
    child = add_noise(DOUBLE, share=0.2, seed=1)
    whole = measure(DOUBLE, child)
    reads: list[int] = []
    plain = kernels.compare_rows

    def count(a: Floats, b: Floats) -> tuple[Floats, NDArray[np.int64]]:
        reads.append(a.size)
        return plain(a, b)

    monkeypatch.setattr(paired_tensors, "WINDOW_VALUES", 10 * 24)
    monkeypatch.setattr(paired_tensors, "compare_rows", count)
    pieces = measure(DOUBLE, child)
    assert max(reads) == 240
    assert len(reads) == 2 * (3 + 5)
    for name in ("norm_growth", "norm_z", "larger_share", "relative_change", "row_growth"):
        assert getattr(pieces, name) == pytest.approx(getattr(whole, name))
    for one, other in zip(pieces.matrices, whole.matrices, strict=True):
        assert one.changed == other.changed
        assert one.cosine == pytest.approx(other.cosine)


@given(st.floats(0.001, 0.5), st.sampled_from([None, 3]), st.floats(0.9, 1.0), st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_evidence_is_antisymmetric(share: float, rank: int | None, decay: float, seed: int) -> None:
    """Seen from the other end it says the opposite."""
    child = add_noise(shrink(DOUBLE, decay), share=share, seed=seed, rank=rank)
    there, back = measure(DOUBLE, child), measure(child, DOUBLE)
    # The least changed rows are chosen by their change relative to the first of the two.
    rows = {"row_log_ratio": 0.0, "row_spread": 0.0}
    plain = ExactEvidence(**{**vars(there.reversed()), **rows})
    assert_close(ExactEvidence(**{**vars(back), **rows}), plain, rel=1e-5)


def test_of_many_pairs_each_says_what_it_says_alone() -> None:
    """To the last bit: what is known of a pair must not depend on who came with it."""
    head = {"head.weight": np.random.default_rng(2).standard_normal((5, 80))}
    broken = add_noise(WIDE, share=0.1, seed=5)
    broken["blocks.0.dense.weight"][0, 0] = np.nan
    pairs = [
        (WIDE, add_noise(WIDE, share=0.1, seed=1)),
        (BASE, add_noise(BASE, share=0.3, seed=2, rank=2)),
        (WIDE, {**add_noise(WIDE, share=0.01, seed=3, rank=1), **head}),
        (BASE, dict(BASE)),
        (WIDE, broken),
        (DOUBLE, shrink(DOUBLE, 0.9)),
    ]
    tall = {"w": np.random.default_rng(4).standard_normal((301, 20))}
    pairs += [(tall, add_noise(tall, share=0.1, seed=seed)) for seed in range(8)]
    pairs[1][1]["norm.weight"] = BASE["norm.weight"] * np.float32(1.1)
    weights = [(ArrayWeights(a), ArrayWeights(b)) for a, b in pairs]
    # Of the second, rounding explains all that changed, and of no other.
    roundoffs = [FLOAT32_ROUNDOFF, 1.0, *[FLOAT32_ROUNDOFF] * (len(pairs) - 2)]
    for looked_at in (None, 2):
        found = measure_edges(weights, roundoffs=roundoffs, looked_at=looked_at)
        for pair, roundoff, together in zip(weights, roundoffs, found, strict=True):
            assert together == measure_edge(*pair, roundoff=roundoff, looked_at=looked_at)
    assert found[0].diagonal_excess != 0.0
    assert [found[place].matrices[0].delta_rank for place in (0, 1, 6)] == [None, 0, None]
    assert found[1].vectors_changed == 0
    assert measure_edges([], roundoffs=[]) == []


def test_reversed_twice_is_the_same() -> None:
    found = measure(DOUBLE, add_noise(DOUBLE, share=0.1, seed=1))
    assert_close(found.reversed().reversed(), found, rel=1e-12)
    assert found.reversed().norm_growth == -found.norm_growth
    assert found.reversed().larger_share == 1 - found.larger_share
    assert found.reversed().matrices == found.matrices


def test_evidence_survives_json() -> None:
    found = measure(DOUBLE, add_noise(DOUBLE, share=0.1, seed=1, rank=2))
    assert ExactEvidence.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_renaming_touches_names_alone() -> None:
    found = measure(DOUBLE, add_noise(DOUBLE, share=0.1, seed=1))
    renamed = found.rename({"blocks.0.dense.weight": "first"})
    assert {m.name for m in renamed.matrices} - {m.name for m in found.matrices} == {"first"}
    assert renamed.rename({"first": "blocks.0.dense.weight"}) == found


def test_the_rank_of_a_real_adapter(zoo_family: Zoo) -> None:
    """base ── inverted-lora: four matrices of rank 4 in each block, merged into float32 weights."""
    a, b = (load_arrays(zoo_family.path(name)) for name in ("base", "inverted-lora"))
    names = {name.rpartition("blocks.")[2]: name for name in a if "blocks." in name}
    others = {name.rpartition("blocks.")[2]: name for name in b if "blocks." in name}
    found = measure({n: a[full] for n, full in names.items()}, {n: b[o] for n, o in others.items()})
    ranks = {matrix.delta_rank for matrix in found.matrices if matrix.changed}
    assert ranks == {4}
