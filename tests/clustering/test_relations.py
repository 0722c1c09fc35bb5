"""What was done on an edge that is neither a copy nor a merge."""

from __future__ import annotations

import numpy as np
import pytest

from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.clustering.genealogy import Relation
from model_heritage_backend.clustering.relations import Change, classify_change, is_head
from model_heritage_backend.clustering.sample_weights import open_samples
from tests.clustering.families import Arrays, Floats, align, find_places, make_model
from tests.clustering.models import add_noise

RNG = np.random.default_rng(7)
BODY = make_model(1, depth=4)
BASE: dict[str, Floats] = {**BODY, "head.weight": RNG.standard_normal((10, 24))}
MATRICES = [name for name in BODY if BODY[name].ndim == 2]


def classify(parent: Arrays, child: Arrays) -> Change:
    family = align({"parent": parent, "child": child})
    places = find_places(family)
    first, second = places["parent"], places["child"]
    samples = (open_samples(family, first), open_samples(family, second))
    evidence = measure_edge(*samples, roundoff=float(family.roundoff.max()))
    return classify_change(family, first, second, evidence)


def change(names: list[str], *, rank: int | None = None) -> dict[str, Floats]:
    """The base with some matrices trained."""
    moved = add_noise({name: BASE[name] for name in names}, share=0.1, seed=1, rank=rank)
    return {**BASE, **moved}


def test_a_full_fine_tune() -> None:
    assert classify(BASE, change([*MATRICES, "head.weight"])) == Change(Relation.FINETUNE)


@pytest.mark.parametrize("count", [1, 4, 5, 8])
def test_a_partial_fine_tune_names_what_changed(count: int) -> None:
    """Of eight matrices fewer than 60 %."""
    found = classify(BASE, change([*MATRICES[-count:], "head.weight"]))
    if count >= 5:
        assert found == Change(Relation.FINETUNE)
    else:
        names = tuple(sorted([*MATRICES[-count:], "head.weight"]))
        assert found == Change(Relation.PARTIAL, changed=names)


def test_a_long_list_is_cut() -> None:
    deep = make_model(1, depth=40)
    names = [name for name in deep if deep[name].ndim == 2][:40]
    moved = add_noise({name: deep[name] for name in names}, share=0.1, seed=1)
    found = classify(deep, {**deep, **moved})
    assert (found.relation, len(found.changed)) == (Relation.PARTIAL, 32)
    assert set(found.changed) < set(names)


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_an_adapter_has_its_rank(rank: int) -> None:
    """On some matrices or on all; a head beside it may be trained as it likes."""
    names = [name for name in MATRICES if "attention" in name]
    assert classify(BASE, change(names, rank=rank)) == Change(Relation.ADAPTER, delta_rank=rank)
    headed = change(MATRICES, rank=rank)
    headed["head.weight"] = add_noise(BASE, share=0.3, seed=2)["head.weight"]
    assert classify(BASE, headed) == Change(Relation.ADAPTER, delta_rank=rank)


def test_one_full_matrix_makes_it_no_adapter() -> None:
    child = change(MATRICES, rank=2) | {MATRICES[0]: change([MATRICES[0]])[MATRICES[0]]}
    assert classify(BASE, child).relation is Relation.FINETUNE


def test_a_few_changed_rows_are_no_adapter() -> None:
    """Their delta is of low rank, but only because the rest stood still."""
    child = dict(BASE)
    for name in MATRICES:
        child[name] = BASE[name].copy()
        child[name][:2] += np.float32(0.05) * RNG.standard_normal((2, 24)).astype(np.float32)
    assert classify(BASE, child).relation is Relation.FINETUNE


def round_arrays(arrays: Arrays) -> dict[str, Floats]:
    """As a file in bf16 holds them."""
    rounded = {}
    for name, array in arrays.items():
        fraction, exponent = np.frexp(array)
        rounded[name] = np.ldexp(np.round(np.ldexp(fraction, 8)), exponent - 8)
    return {name: array.astype(np.float32) for name, array in rounded.items()}


def test_an_adapter_that_was_stored_in_bf16() -> None:
    """Rounding changes every tensor, but no others of them."""
    names = [name for name in MATRICES if "attention" in name]
    child = round_arrays(change(names, rank=2))
    assert classify(BASE, child) == Change(Relation.ADAPTER, delta_rank=2)


def test_small_steps_from_a_rounded_model_are_steps() -> None:
    """They are smaller than the parent's rounding, which they have not been through."""
    parent = round_arrays(BASE)
    moved = add_noise({n: parent[n] for n in [*MATRICES, "head.weight"]}, share=1e-3, seed=1)
    assert classify(parent, {**parent, **moved}) == Change(Relation.FINETUNE)


def test_an_adapter_leaves_biases_alone() -> None:
    """Deltas of a short full fine-tune may be of low rank, but its biases moved as well."""
    child = change(MATRICES, rank=3)
    moved = {n: a + np.float32(0.01) for n, a in BASE.items() if a.ndim == 1}
    assert classify(BASE, {**child, **moved}) == Change(Relation.FINETUNE)


def test_only_biases_changed() -> None:
    child = {n: a + np.float32(0.1) if a.ndim == 1 else a for n, a in BASE.items()}
    assert classify(BASE, child) == Change(Relation.PARTIAL)


def test_only_the_head_changed() -> None:
    found = classify(BASE, change(["head.weight"]))
    assert found == Change(Relation.PARTIAL, changed=("head.weight",))


def test_a_new_head() -> None:
    """Of another shape, made anew in the same shape, or added."""
    trained = change(MATRICES)
    flags = ("new_head",)
    narrow = {**trained, "head.weight": RNG.standard_normal((5, 24))}
    assert classify(BASE, narrow) == Change(Relation.FINETUNE, flags=flags)
    anew = {**trained, "head.weight": RNG.standard_normal((10, 24))}
    assert classify(BASE, anew) == Change(Relation.FINETUNE, flags=flags)
    added = {**trained, "classifier.weight": RNG.standard_normal((10, 24))}
    assert classify(BASE, added) == Change(Relation.FINETUNE, flags=flags)
    before = {**BASE, "classifier.weight": added["classifier.weight"]}
    assert classify(before, trained) == Change(Relation.FINETUNE), "taken away"
    kept = {**trained, "head.weight": add_noise(BASE, share=0.5, seed=3)["head.weight"]}
    assert classify(BASE, kept) == Change(Relation.FINETUNE), "trained on"


def test_an_extended_vocabulary() -> None:
    tokens = RNG.standard_normal((100, 24)).astype(np.float32)
    new = RNG.standard_normal((4, 24)).astype(np.float32)
    longer = {**change(MATRICES), "tokens.weight": np.concatenate([tokens, new])}
    found = classify({**BASE, "tokens.weight": tokens}, longer)
    assert found == Change(Relation.FINETUNE, flags=("extended_vocabulary",))


def test_heads_are_known_by_name() -> None:
    for name in ("head.weight", "model.lm_head.weight", "Classifier.out_proj.weight", "score.bias"):
        assert is_head(name)
    for name in ("blocks.0.attention.heads_norm.weight", "header.weight", "multi_head.weight"):
        assert not is_head(name)
