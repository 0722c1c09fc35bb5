"""Names that stand for each other, and the parts of matrices that two models share."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering.alignment import (
    AlignedFamily,
    SharedMatrix,
    limit_values,
    match_names,
    model_roundoff,
)
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import Floats, align, find_places, make_model, rename_arrays
from tests.clustering.models import add_noise, fingerprint_arrays

RNG = np.random.default_rng(0)


def draw(*shape: int) -> Floats:
    return RNG.standard_normal(shape).astype(np.float32)


def make_print(**shapes: tuple[int, ...]) -> Fingerprint:
    """Names with "__" in place of dots."""
    return fingerprint_arrays({name.replace("__", "."): draw(*s) for name, s in shapes.items()})


def test_names_that_both_know_stand_for_themselves() -> None:
    """Also where the shape differs (a new head), and names that only one knows stay free."""
    first = make_print(a__weight=(8, 8), b__weight=(8, 8), head__weight=(6, 8))
    second = make_print(a__weight=(8, 8), b__weight=(8, 8), head__weight=(9, 8), c__weight=(8, 8))
    expected = {name: name for name in ("a.weight", "b.weight", "head.weight", "c.weight")}
    assert match_names(first, second) == expected


def test_other_prefixes_are_matched_by_the_ending() -> None:
    """A re-saved model: "encoder.layer" for "blocks", and an embedding under another name."""
    shapes = {"query.weight": (8, 8), "key.weight": (8, 8), "dense.weight": (16, 8)}
    reference = {f"blocks.{i}.{n}": draw(*s) for i in range(2) for n, s in shapes.items()}
    other = {f"encoder.layer.{i}.{n}": draw(*s) for i in range(2) for n, s in shapes.items()}
    names = match_names(
        fingerprint_arrays({**reference, "tokens.weight": draw(30, 8)}),
        fingerprint_arrays({**other, "wte.weight": draw(30, 8)}),
    )
    pairs = {f"encoder.layer.{i}.{n}": f"blocks.{i}.{n}" for i in range(2) for n in shapes}
    assert names == pairs | {"wte.weight": "tokens.weight"}


def test_only_equal_shapes_are_matched_by_the_ending() -> None:
    reference = make_print(x__query__weight=(8, 8), x__dense__weight=(16, 8))
    other = make_print(y__z__query__weight=(8, 9), y__dense__weight=(16, 8))
    assert match_names(reference, other) == {
        "dense.weight": "dense.weight",
        "z.query.weight": "z.query.weight",
    }


def test_what_is_ambiguous_is_left_alone() -> None:
    """Both of the reference's names end alike: neither is better."""
    reference = make_print(a__query__weight=(8, 8), b__query__weight=(8, 8), c__bias=(8,))
    other = make_print(u__query__weight=(8, 8), v__other__weight=(9, 9))
    assert match_names(reference, other)["u.query.weight"] == "u.query.weight"


def test_two_claims_of_equal_length_are_both_left_alone() -> None:
    """Which of the two is meant must not depend on the alphabet."""
    reference = make_print(x__query__weight=(8, 8), y__key__weight=(9, 9))
    other = make_print(a__query__weight=(8, 8), b__query__weight=(8, 8))
    assert match_names(reference, other) == {n: n for n in ("a.query.weight", "b.query.weight")}


def test_the_longest_ending_wins_whatever_comes_first() -> None:
    """A tied output layer comes first in the alphabet, but the embedding's name fits better."""
    reference = make_print(wte__weight=(30, 8), h__0__query__weight=(8, 8))
    other = make_print(
        decoder__weight=(30, 8), gpt__wte__weight=(30, 8), gpt__h__0__query__weight=(8, 8)
    )
    assert match_names(reference, other) == {
        "decoder.weight": "decoder.weight",
        "gpt.wte.weight": "wte.weight",
        "gpt.h.0.query.weight": "h.0.query.weight",
    }


PARTS = st.lists(st.sampled_from(["a", "b", "0", "1", "query", "weight"]), min_size=1, max_size=4)
NAMES = st.dictionaries(PARTS.map(".".join), st.sampled_from([(8, 8), (8, 6), (7,)]), min_size=1)


@given(NAMES, NAMES)
@settings(max_examples=60, deadline=None)
def test_no_two_names_stand_for_the_same(
    first: dict[str, tuple[int, ...]], second: dict[str, tuple[int, ...]]
) -> None:
    reference = fingerprint_arrays({name: draw(*shape) for name, shape in first.items()})
    other = fingerprint_arrays({name: draw(*shape) for name, shape in second.items()})
    names = match_names(reference, other)
    assert names.keys() == other.tensors.keys()
    assert len(set(names.values())) == len(names)
    for name, known in names.items():
        if name in reference.tensors:
            assert known == name
        elif known in reference.tensors:
            assert reference.tensors[known].shape == other.tensors[name].shape


def test_members_stand_in_the_order_of_checksums() -> None:
    prints = {f"m{i}": fingerprint_arrays(make_model(i)) for i in range(4)}
    expected = AlignedFamily.build(prints)
    assert [f.checksum for f in expected.fingerprints] == sorted(
        f.checksum for f in prints.values()
    )
    for order in permutations(prints):
        family = AlignedFamily.build({name: prints[name] for name in order})
        assert family.ids == expected.ids
    assert len(expected) == 4


def test_equal_files_stand_in_the_order_of_ids() -> None:
    base = fingerprint_arrays(make_model(1))
    assert AlignedFamily.build({"b": base, "c": base, "a": base}).ids == ("a", "b", "c")


def test_the_commonest_names_are_the_family_s() -> None:
    """Two members under plain names, one re-saved so that no prefix is common to all its names."""
    base = make_model(1)
    odd = rename_arrays(add_noise(base, share=0.1, seed=1), "wrapped.")
    odd["scale"] = draw(3)
    family = align({"base": base, "child": add_noise(base, share=0.1, seed=2), "odd": odd})
    del base["norm.weight"]
    assert set(family.matrix_names) == {name for name in base if base[name].ndim == 2}
    place = find_places(family)["odd"]
    assert family.tensors[place]["blocks.0.dense.weight"].name == "wrapped.blocks.0.dense.weight"
    assert "scale" in family.tensors[place]


def test_roundoff_is_that_of_the_values_not_of_the_file() -> None:
    """Halves in a float32 file are known as such."""
    values = make_model(1)
    halves = {name: a.astype(np.float16).astype(np.float32) for name, a in values.items()}
    bits = {
        name: (a.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        for name, a in values.items()
    }
    assert model_roundoff(fingerprint_arrays(values)) == 2.0**-24
    assert model_roundoff(fingerprint_arrays(halves)) == 2.0**-12
    assert model_roundoff(fingerprint_arrays(bits)) == 2.0**-9
    family = align({"full": values, "half": halves, "bits": bits})
    by_id = dict(zip(family.ids, family.roundoff, strict=True))
    assert by_id == {"full": 2.0**-24, "half": 2.0**-12, "bits": 2.0**-9}


def test_a_shared_matrix_holds_both_samples() -> None:
    base = make_model(1)
    child = add_noise(base, share=0.1, seed=1)
    child["blocks.1.dense.weight"] = base["blocks.1.dense.weight"]
    family = align({"base": base, "child": child})
    places = find_places(family)
    shared = family.shared_matrices(places["base"], places["child"])
    assert [s.name for s in shared] == list(family.matrix_names)
    for matrix in shared:
        np.testing.assert_array_equal(matrix.first, base[matrix.name])
        np.testing.assert_array_equal(matrix.second, child[matrix.name])
        assert matrix.size == base[matrix.name].size
        assert matrix.equal is (matrix.name == "blocks.1.dense.weight")
        assert matrix.extended == 0


def test_not_a_number_counts_as_zero() -> None:
    base = make_model(1)
    broken = {name: array.copy() for name, array in base.items()}
    broken["blocks.0.dense.weight"][0, :3] = (np.nan, np.inf, -np.inf)
    family = align({"base": base, "broken": broken})
    sample = family.get_sample(find_places(family)["broken"], "blocks.0.dense.weight")
    np.testing.assert_array_equal(sample[0, :3], 0.0)
    np.testing.assert_array_equal(sample[1:], base["blocks.0.dense.weight"][1:])


def test_numbers_that_no_float32_holds_are_brought_into_range() -> None:
    """So that squares can be summed up; narrower types are in range by themselves."""
    wild = np.array([1e200, -1e300, np.inf, -np.inf, np.nan, 1e-300, -1e-60, 1e-40, 0.5])
    top = float(np.finfo(np.float32).max)
    assert limit_values(wild).tolist() == [top, -top, 0, 0, 0, 0, 0, 1e-40, 0.5]
    narrow = np.array([3e38, 1e-45, np.nan, np.inf], np.float32)
    assert limit_values(narrow).tolist() == [float(narrow[0]), float(narrow[1]), 0.0, 0.0]


def share(first: Floats, second: Floats) -> SharedMatrix | None:
    """The part of a matrix that two models have in common, seen from the first."""
    rest = make_model(9)
    family = align({"a": {**rest, "tokens": first}, "b": {**rest, "tokens": second}})
    places = find_places(family)
    return family.get_shared(places["a"], places["b"], "tokens")


def test_an_extended_vocabulary_keeps_its_rows() -> None:
    """200 tokens and 10 new ones: the samples of the old ones are compared, row by row."""
    before = draw(200, 8)
    after = np.concatenate([before, draw(10, 8)])
    found = share(before, after)
    assert found is not None
    assert (found.extended, found.equal, found.size) == (1, True, 1600)
    assert len(found.first) >= 48, "nearly all of 64 sampled rows are common to both"
    np.testing.assert_array_equal(found.first, found.second)
    back = share(after, before)
    assert back is not None
    assert (back.extended, back.size) == (-1, 1600)
    trained = share(before, after + np.float32(0.1) * draw(210, 8))
    assert trained is not None
    assert (trained.extended, trained.equal) == (1, False)


@pytest.mark.parametrize("rows", [160, 150, 149, 40])
def test_an_extension_keeps_three_quarters_of_the_rows(rows: int) -> None:
    after = draw(200, 8)
    assert (share(after[:rows], after) is not None) == (rows >= 150)


def test_what_is_no_extension() -> None:
    before = draw(60, 8)
    assert share(before, draw(64, 8)) is None, "a new head: its rows have nothing to do with these"
    assert share(before, draw(60, 9)) is None, "another width"
    assert share(before, draw(8)) is None, "no matrix"


def test_vectors_are_shared_as_rows() -> None:
    base = make_model(1)
    longer = {**base, "blocks.0.dense.bias": draw(50), "one": draw(1)}
    family = align({"base": {**base, "one": draw(1)}, "longer": longer})
    found = family.shared_vectors(*(find_places(family)[n] for n in ("base", "longer")))
    names = {f"blocks.{name}.bias" for name in ("0.attention", "1.attention", "1.dense")}
    names.add("norm.weight")
    assert {vector.name for vector in found} == names
    for vector in found:
        assert vector.equal
        np.testing.assert_array_equal(vector.first, base[vector.name][None, :])
